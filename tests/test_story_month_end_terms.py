"""Case 34: month-end terms that miss the month's end (erpnext#22201: 30 instead of 31 July; OCA/account-payment#919:
28 instead of 31 March; odoo#172609).

Every date here was counted on a paper calendar. The story runs through the admin and the verb that issues.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.urls import reverse

from core.errors import Refused
from core.models import Holiday
from invoices.models import InvoicePart
from invoices.services.issuing import issue_invoice
from invoices.services.parts import parts_of, terms_preview
from policies.models import Terms
from policies.terms import terms_words
from tests.cast import CLERK, TODAY, make_client, make_draft, make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    User.objects.create_superuser("root", password="x")
    client.login(username="root", password="x")
    return client


def terms(company, **facts):
    made = Terms(company=company, **{"name": f"terms {Terms.objects.count()}", "net_days": 1} | facts)
    made.full_clean()
    made.save()
    return made


def due(client, on: str, chosen) -> str:
    return make_invoice(client, on=dt.date.fromisoformat(on), terms=chosen).due_on.isoformat()


def test_the_end_of_next_month_is_its_own_last_day(company):
    """30 June: 31 July, not the 30th. 28 February: 31 March, not the 28th. 30 January: the end of February."""
    # One day after the end of the month at the earliest, on the last day of a month.
    client = make_client(company)
    end_of_next = terms(company, rule="month_end", day_of_month=31)
    assert due(client, "2026-06-30", end_of_next) == "2026-07-31"
    assert due(client, "2026-02-28", end_of_next) == "2026-03-31"
    assert due(client, "2026-01-15", end_of_next) == due(client, "2026-01-30", end_of_next) == "2026-02-28"
    assert due(client, "2026-01-31", end_of_next) == "2026-02-28"
    assert due(client, "2028-01-31", end_of_next) == "2028-02-29"
    assert due(client, "2026-11-30", end_of_next) == "2026-12-31"


def test_thirty_days_and_then_the_end_of_that_month(company):
    """What is meant in France by «30 jours fin de mois»: 30 days first, then the end of the month they end in."""
    client = make_client(company)
    chosen = terms(company, rule="day_of_month", day_of_month=31, net_days=30)
    assert due(client, "2026-01-15", chosen) == "2026-02-28"
    assert due(client, "2026-01-31", chosen) == "2026-03-31"
    assert due(client, "2026-02-28", chosen) == "2026-03-31"
    assert due(client, "2026-07-31", chosen) == "2026-08-31"


def test_days_after_the_end_of_the_month_count_from_the_month_of_the_invoice(company):
    client = make_client(company)
    chosen = terms(company, rule="month_end", net_days=10)
    assert due(client, "2026-02-01", chosen) == due(client, "2026-02-28", chosen) == "2026-03-10"
    assert due(client, "2028-02-29", chosen) == "2028-03-10"
    assert due(client, "2026-12-31", chosen) == "2027-01-10"


def test_a_day_without_banks_moves_by_public_holidays_and_our_own(company):
    """1 May 2026 is a holiday and a Friday; Saturday and Sunday follow; on the Monday the company itself is closed."""
    client = make_client(company)
    Holiday.objects.create(company=company, on=dt.date(2026, 5, 4), name="Works outing")
    first = {"rule": "day_of_month", "day_of_month": 1, "net_days": 7}
    assert due(client, "2026-04-10", terms(company, **first, shift="next")) == "2026-05-05"
    assert due(client, "2026-04-10", terms(company, **first, shift="previous")) == "2026-04-30"
    assert due(client, "2026-04-10", terms(company, **first)) == "2026-05-01"


def test_what_the_editor_promises_is_what_the_invoice_says(company):
    client = make_client(company)
    chosen = terms(company, rule="month_end", day_of_month=31, shift="previous")
    on = dt.date(2026, 1, 30)
    preview = terms_preview(chosen, on, company, Decimal(1000), "EUR", "en")
    invoice = make_invoice(client, on=on, terms=chosen)
    assert invoice.due_on == preview.due_on == dt.date(2026, 2, 27)  # the 28th is a Saturday
    assert preview.words == "Due in 28 days — by 27 February 2026"
    assert preview.paper == terms_words(on, invoice.due_on, "en") == "28 days from 30 January — by 27 February 2026"
    assert not invoice.in_parts and not InvoicePart.objects.exists()
    assert [(part.due_on, part.amount, part.open) for part in parts_of(invoice)] == [(invoice.due_on, 1000, 1000)]


def test_changed_terms_move_no_invoice_that_was_issued(company):
    client = make_client(company)
    chosen = terms(company, rule="month_end", net_days=10)
    invoice = make_invoice(client, on=TODAY, terms=chosen)
    chosen.net_days = 20
    chosen.save()
    invoice.refresh_from_db()
    assert invoice.due_on == dt.date(2026, 12, 10)


@pytest.mark.parametrize("name", ["Due on receipt", "asap", "Sofort fällig", "À réception", "payable now"])
def test_words_that_leave_the_day_open_are_refused_with_the_reason(company, name):
    with pytest.raises(ValidationError, match="does not say which day"):
        terms(company, name=name, net_days=14)
    vague = Terms.objects.create(company=company, name=name, net_days=14)
    with pytest.raises(Refused, match="so it is paid last"):
        issue_invoice(make_draft(make_client(company), terms=vague), on=TODAY, by=CLERK)


def test_the_admin_shows_what_terms_mean_on_the_calendar_and_takes_instalments_as_they_are_said(admin, company):
    url = reverse("admin:policies_terms_add")
    facts = {"company": company.pk, "name": "Half and half", "net_days": "1", "parts": "50 in 14, 50 in 30"}
    assert admin.post(url, facts).status_code == 302
    made = Terms.objects.get(name="Half and half")
    assert made.parts == [{"percent": "50", "days": 14}, {"percent": "50", "days": 30}] and made.net_days == 30
    shown = admin.get(reverse("admin:policies_terms_change", args=[made.pk])).content.decode()
    assert "Instalment 1 of 2, 50 %" in shown and 'value="50 in 14, 50 in 30"' in shown
    assert admin.get(reverse("admin:policies_terms_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"parts": "50 in 14, 40 in 30"}, "come to 90 %"),
        ({"parts": "half in 14"}, "is not an instalment"),
        ({"rule": "day_of_month"}, "which day of the month"),
        ({"deposit_percent": "30"}, "within how many days"),
        ({"discount_percent": "2", "discount_days": "40"}, "fewer than 30"),
    ],
)
def test_the_admin_refuses_terms_that_do_not_add_up_with_the_reason(admin, company, facts, says):
    url = reverse("admin:policies_terms_add")
    answer = admin.post(url, {"company": company.pk, "name": "New", "net_days": "30"} | facts)
    assert answer.status_code == 200 and says in answer.content.decode()
    assert not Terms.objects.filter(name="New").exists()
