"""What an invoice says of paying late: by its terms, by law in three languages, and what it said stays said."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import translation

from invoices.documents import late_words
from policies.models import Policy, Step
from policies.services import add_interest_rule
from tests.cast import TODAY, make_invoice

pytestmark = pytest.mark.django_db


def by_rule(company, code):
    """From today on the company's policy goes by the rule."""
    policy = Policy.objects.create(name="standard", effective_from=TODAY, interest=code)
    Step.objects.create(policy=policy, code="r", title="r", offset_days=10, channel="mail", tone="plain")


def words(invoice, language="en"):
    with translation.override(language):
        return late_words(invoice, invoice.due_on, language).replace("\u202f", " ").replace("\xa0", " ")


def test_by_contract_the_percentage_of_the_terms(good_client):
    invoice = make_invoice(good_client)
    assert "late" not in invoice.frozen
    assert words(invoice) == "On what is unpaid after 18 December 2026 we may charge interest of 12% a year."


def test_by_french_law_the_rate_and_the_forty_euros_stand_on_the_invoice_in_every_language(good_client, company):
    by_rule(company, "FR")
    invoice = make_invoice(good_client)
    assert words(invoice) == (
        "On what is unpaid after 18 December 2026 we may charge interest of 10 percentage points above the reference "
        "rate of the European Central Bank. For the costs of recovery we may then claim €40.00."
    )
    assert "10 Prozentpunkten über dem Referenzzinssatz der Europäischen Zentralbank" in words(invoice, "de")
    assert "10 points de pourcentage au-dessus du taux de référence de la Banque centrale européenne" in words(
        invoice, "fr"
    )
    for language in ("de", "fr"):
        assert "40,00 €" in words(invoice, language)


@pytest.mark.parametrize(
    ("code", "said", "unsaid"),
    [
        ("FI", "European Central Bank, rounded up to the next 0.5. For the costs", "12%"),
        ("DE-B2C", "5 percentage points above the German base rate (§ 247 BGB).", "recovery"),
        ("UK", "8 percentage points above the Bank Rate of the Bank of England.", "recovery"),  # in pounds only
        ("NONE", "12% a year", "recovery"),
    ],
)
def test_each_rule_in_its_words(good_client, company, code, said, unsaid):
    by_rule(company, code)
    told = words(make_invoice(good_client))
    assert said in told and unsaid not in told


def test_a_rule_with_a_rate_of_its_own_and_what_was_said_stays_said(good_client, company):
    values = {"title": "x", "source": "x", "percent": Decimal("9.5")}
    add_interest_rule("OWN", effective_from=dt.date(2020, 1, 1), values=values, on=TODAY, by="x")
    by_rule(company, "OWN")
    invoice = make_invoice(good_client)
    told = words(invoice)
    assert "interest of 9.5% a year" in told
    Policy.objects.create(name="standard", effective_from=TODAY + dt.timedelta(1), interest="EU")
    add_interest_rule("OWN", effective_from=TODAY + dt.timedelta(1), values=values | {"percent": Decimal(3)}, on=TODAY,
                      by="x")  # fmt: skip
    invoice.refresh_from_db()
    assert words(invoice) == told
