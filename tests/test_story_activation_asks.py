"""Case 16: retroactive fees, both ways (invoiceninja#10263, QuickBooks, Upflow).

Activation asks: from activation / from due date / chosen date, with preview of affected invoices and sum.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command

from ar_collections.services.interest import apply_late_interest
from clients.models import Client
from core.errors import Refused
from dashboard.reports.policies import choices_of
from imports.cells import Reading
from imports.services.open_items import Taking, as_json, import_open_items
from invoices.models import Charge, Intake, Invoice
from invoices.services.charging import charge_interest, give_interest_notice
from policies.models import Policy, Terms
from policies.services.drafts import activate_draft, begin_draft, save_draft
from tests.by_law import charge_by
from tests.cast import invoice_due, make_client, make_company, pay

pytestmark = pytest.mark.django_db

# Taken over on 1 March 2026: one item 59 days late and part paid, one 19 days late, one not due, one settled long ago.
ACTIVATED = dt.date(2026, 3, 1)
BOOK = b"""no,client,issued,due,total,open,paid
A,C1,2025-12-02,2026-01-01,1000,600,
B,C1,2026-01-10,2026-02-10,500,,
C,C1,2026-02-10,2026-03-12,300,,
D,C1,2025-10-01,2025-10-31,900,,2026-01-20
"""
WORDS = {
    "number": "no",
    "client": "client",
    "issued_on": "issued",
    "due_on": "due",
    "total": "total",
    "balance": "open",
    "settled_on": "paid",
}


@pytest.fixture
def company():
    return make_company()  # terms with 12 % a year


def activate(interest_from, *, dry_run=False):
    taking = Taking(Reading(WORDS, "%Y-%m-%d", "EUR"), "book.csv", interest_from=interest_from, dry_run=dry_run)
    return as_json(import_open_items(BOOK, taking, on=ACTIVATED, by="Ada"))


def charged(company, until):
    """What every month end charged up to a day, by item."""
    for month in (1, 2, 3, 4):
        day = dt.date(2026, month + 1, 1) - dt.timedelta(days=1)
        if day <= until:
            apply_late_interest(company, day, by="system")
    sums: dict[str, Decimal] = {}
    for charge in Charge.objects.select_related("invoice"):
        sums[charge.invoice.number] = sums.get(charge.invoice.number, Decimal(0)) + charge.amount
    return sums


def test_the_preview_names_the_affected_invoices_and_the_sum_and_saves_nothing(company):
    told = activate(dt.date(2026, 2, 1), dry_run=True)["interest"]
    # A: 600 x 12 % x 29 days (1 February to 1 March); B: 500 x 12 % x 19 days, from the day after its due date.
    assert told == {"EUR": {"from": "2026-02-01", "invoices": 2, "principal": "1100.00", "interest_to_date": "8.84"}}
    assert Decimal("8.84") == round(600 * Decimal("0.12") * 29 / 365, 2) + round(500 * Decimal("0.12") * 19 / 365, 2)
    assert not Invoice.objects.exists() and not Intake.objects.exists()


def test_from_activation_nothing_that_lies_before_is_charged(company):
    told = activate(ACTIVATED)["interest"]["EUR"]
    assert (told["invoices"], told["interest_to_date"]) == (2, "0.36")  # the day of activation itself
    assert charged(company, dt.date(2026, 2, 28)) == {}
    sums = charged(company, dt.date(2026, 3, 31))
    assert sums == {"A": Decimal("6.12"), "B": Decimal("5.10"), "C": Decimal("1.87")}
    assert min(Charge.objects.values_list("from_on", flat=True)) == ACTIVATED


def test_from_the_due_date_each_item_bears_interest_since_it_was_late(company):
    told = activate(dt.date(2025, 1, 1))["interest"]["EUR"]
    assert (told["invoices"], told["principal"], told["interest_to_date"]) == (2, "1100.00", "14.76")
    charged(company, dt.date(2026, 3, 31))
    first = {c.invoice.number: c.from_on for c in Charge.objects.order_by("-from_on").select_related("invoice")}
    assert first["A"] == dt.date(2026, 1, 2) and first["B"] == dt.date(2026, 2, 11)
    assert set(first) == {"A", "B", "C"}  # D was settled elsewhere: the preview did not name it


def test_what_is_charged_is_what_the_preview_said(company):
    """A was part paid and D settled before they came here: neither the rest of A nor D earns more than was told."""
    told = activate(dt.date(2025, 1, 1))["interest"]["EUR"]["interest_to_date"]
    posted = [c for i in Invoice.objects.all() for c in charge_interest(i, until=ACTIVATED, on=ACTIVATED, by="system")]
    assert sum(c.amount for c in posted) == Decimal(told)


def test_from_a_chosen_date_no_earlier_day_bears_interest(company):
    activate(dt.date(2026, 2, 15))
    assert charged(company, dt.date(2026, 2, 28)) == {"A": Decimal("2.76"), "B": Decimal("2.30")}  # 14 days each
    assert {c.from_on for c in Charge.objects.all()} == {dt.date(2026, 2, 15)}


def test_where_no_date_is_chosen_nothing_is_charged_before_a_notice_of_ours(company):
    assert "interest" not in activate(None)
    assert charged(company, dt.date(2026, 4, 30)) == {}


def test_what_was_settled_before_is_never_charged_and_what_is_paid_later_stops(company):
    activate(dt.date(2026, 2, 1))
    client = Client.objects.get()
    pay(client, "600", on=dt.date(2026, 3, 10), how={f"invoice:{Invoice.objects.get(number='A').pk}": Decimal(600)})
    charged(company, dt.date(2026, 4, 30))
    assert not Charge.objects.filter(invoice__number="D").exists()
    assert max(Charge.objects.filter(invoice__number="A").values_list("to_on", flat=True)) == dt.date(2026, 3, 10)


def test_terms_without_interest_are_said_when_a_date_is_chosen(company):
    Terms.objects.update(late_percent=0)
    answer = activate(dt.date(2026, 2, 1))
    assert answer["interest"] == {}
    assert any("carry no late interest" in warning["message"] for warning in answer["warnings"])


@time_machine.travel(dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC), tick=False)
def test_the_command_asks_by_its_option_and_previews_by_a_dry_run(company, tmp_path):
    path = tmp_path / "book.csv"
    path.write_bytes(BOOK)
    out = io.StringIO()
    mapping = ",".join(f"{key}={column}" for key, column in WORDS.items())
    call_command(
        "import_open_items", str(path), "--map", mapping, "--date-format", "%Y-%m-%d", "--currency", "EUR",
        "--interest-from", "2026-02-01", "--dry-run", "--json", stdout=out, stderr=io.StringIO(),
    )  # fmt: skip
    told = json.loads(out.getvalue())["interest"]["EUR"]
    assert (told["from"], told["invoices"], told["principal"]) == ("2026-02-01", 3, "1400.00")


def test_activating_a_draft_asks_and_shows_what_each_choice_would_charge(company):
    """Items 59 and 19 days late whose notices were given long ago, and one not due: three choices, three sums.

    Until now nothing is charged; what the choice then comes to is what charging posts on the day it begins.
    """
    charge_by(company, "NONE", dt.date(2025, 6, 1))
    client = make_client(company)
    for age, amount in ((59, "600"), (19, "500"), (-11, "300")):
        invoice = invoice_due(client, ACTIVATED - dt.timedelta(days=age), amount)
        if age > 0:
            give_interest_notice(invoice, interest_from=invoice.due_on + dt.timedelta(1), on=invoice.due_on, by="Ada")
    on = ACTIVATED - dt.timedelta(days=1)
    draft = begin_draft(Policy.objects.latest("effective_from"), "Ada")
    values = {**draft.values, "interest": "CONTRACT"}
    draft = save_draft(draft, values=values, steps=draft.steps, version=draft.version, by="Ada")
    choices, matters = choices_of("standard", ACTIVATED, dt.date(2026, 2, 15), on)
    told = {choice.code: choice.per_currency["EUR"] for choice in choices}
    assert matters
    a_day = {"A": 600 * Decimal("0.12") / 365, "B": 500 * Decimal("0.12") / 365}
    assert told["activation"] == (2, Decimal(1100), round(a_day["A"], 2) + round(a_day["B"], 2))
    assert told["due_date"] == (2, Decimal(1100), round(59 * a_day["A"], 2) + round(19 * a_day["B"], 2))
    assert told["chosen"] == (2, Decimal(1100), round(15 * a_day["A"], 2) + round(15 * a_day["B"], 2))
    with pytest.raises(Refused, match="already overdue"):
        activate_draft(draft, effective_from=ACTIVATED, already_overdue="", version=draft.version, on=on, by="Ada")
    asked = {"effective_from": ACTIVATED, "already_overdue": "due_date", "version": draft.version}
    made = activate_draft(draft, **asked, on=on, by="Ada")
    assert (made.already_overdue, made.effective_from) == ("due_date", ACTIVATED)
    assert activate_draft(draft, **asked, on=on, by="Ada") == made  # pressed twice: one version
    assert Policy.objects.count() == 3
    posted = [c for i in Invoice.objects.all() for c in charge_interest(i, until=ACTIVATED, on=ACTIVATED, by="system")]
    assert sum(c.amount for c in posted) == told["due_date"][2]
