"""More time to pay: the due date stays, the day to pay by moves, and what it does to interest is said and done."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.services.interest import apply_late_interest, give_more_time, take_back_more_time
from arledger.invariants import check
from audit.models import Event
from core.errors import Refused
from invoices.models import Charge, Extension, InterestNotice, Invoice
from invoices.more_time import extension_words
from invoices.services.charging import accrued
from invoices.services.extending import agree_extension, extension_of, withdraw_extension
from invoices.services.issuing import void_invoice
from tests.cast import CLERK, invoice_due, make_draft, make_manager, pay

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 1, 1)
END = dt.date(2026, 1, 31)


def day(n: int) -> dt.date:
    return DUE + dt.timedelta(days=n)


@pytest.fixture
def invoice(late_client: Any) -> Invoice:
    """1,000 at 12 %: 0.33 a day from the day after it was due."""
    invoice = invoice_due(late_client, DUE)
    InterestNotice.objects.create(invoice=invoice, interest_from=day(1), given_on=DUE, given_by=CLERK)
    return invoice


def earned(invoice: Invoice, on: dt.date = END) -> Decimal:
    return accrued(invoice, on).interest.total


@pytest.mark.parametrize(
    ("interest", "days"), [("runs", 30), ("pauses", 19), ("moves", 10)]
)
def test_it_runs_on_pauses_or_starts_later(invoice: Invoice, interest: str, days: int) -> None:
    """Agreed on the 11th for the 21st: of 30 days, all bear interest, or all but those 11, or those after it."""
    agree_extension(invoice, day(20), interest=interest, reason="They wait for a grant", on=day(10), by=make_manager())
    invoice.refresh_from_db()
    assert invoice.due_on == DUE
    assert earned(invoice) == (Decimal(1000) * 12 / 100 * days / 365).quantize(Decimal("0.01"))
    said = [li.source for li in accrued(invoice, END).interest.lines]
    assert any("more time agreed until 2026-01-21" in source for source in said) == (interest != "runs")


def test_what_was_charged_for_days_that_are_free_now_is_taken_back_at_once(invoice: Invoice) -> None:
    apply_late_interest(invoice.company, END, by="system")
    (charge,) = Charge.objects.all()
    pay(invoice.client, "9.86", on=END, how={f"charge:{charge.pk}": charge.amount})
    agreed = give_more_time(invoice, day(45), interest="moves", reason="Agreed", on=day(31), by=make_manager())
    charge.refresh_from_db()
    assert charge.balance == 0 and Charge.objects.count() == 1 and earned(invoice) == 0
    take_back_more_time(agreed, on=day(31), by=CLERK)
    apply_late_interest(invoice.company, day(32), by="system")
    assert Charge.objects.get(revision=2).amount == Decimal("9.86"), "withdrawn on the day it was agreed, as if never"
    assert check(timezone.now(), fast=False)["violations"] == []


def test_who_may_not_waive_gives_up_no_interest_that_was_earned(invoice: Invoice, clerk: Any) -> None:
    """Starting later takes back what was earned, charged or not: that is waiving it. Before anything is, it is free."""
    agree = {"interest": "moves", "reason": "Agreed"}
    with pytest.raises(Refused, match=r"earned already \(3\.29 EUR\)") as refused:
        give_more_time(invoice, day(20), on=day(10), by=clerk, **agree)
    assert (refused.value.where, refused.value.code) == ("interest", "permission")
    assert not Extension.objects.exists()
    give_more_time(invoice, day(20), on=day(10), by=make_manager(), **agree)
    assert "3.29 EUR given up" in Event.objects.get(action="extension_agreed").summary
    give_more_time(invoice, day(25), on=day(12), by=clerk, **agree)  # nothing was earned by then
    assert earned(invoice) == (Decimal(1000) * 12 / 100 * 5 / 365).quantize(Decimal("0.01"))
    late = invoice_due(invoice.client, day(30))
    give_more_time(late, day(60), on=day(29), by=clerk, **agree)


def test_what_held_until_it_was_withdrawn_stays(invoice: Invoice) -> None:
    agreed = agree_extension(invoice, day(30), interest="pauses", reason="Agreed", on=day(1), by=CLERK)
    withdraw_extension(agreed, on=day(11), by=CLERK)
    withdraw_extension(agreed, on=day(12), by=CLERK)
    assert extension_of(invoice, day(12)) is None
    assert earned(invoice) == Decimal("6.58"), "20 days: from the day it was withdrawn on"


def test_it_is_said_in_words(invoice: Invoice) -> None:
    agree_extension(invoice, day(20), interest="runs", reason="Agreed", on=day(10), by=CLERK)
    agreed = extension_of(invoice, day(20))
    assert agreed is not None
    assert extension_words(agreed, "en") == "pay by 21 January 2026, agreed on 11 January 2026"
    assert extension_of(invoice, day(21)) is None


@pytest.mark.parametrize(
    ("until", "facts", "where"),
    [
        (day(0), {}, "until_on"), (day(9), {}, "until_on"), (day(376), {}, "until_on"),
        (day(20), {"reason": " "}, "reason"),
        (day(20), {"interest": "free"}, "interest"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(invoice: Invoice, until: dt.date, facts: dict[str, Any], where: str) -> None:
    with pytest.raises(Refused) as refused:
        agree_extension(invoice, until, **{"interest": "runs", "reason": "Agreed"} | facts, on=day(10), by=CLERK)
    assert refused.value.where == where and not Extension.objects.exists()


def test_an_agreed_day_only_moves_on_and_only_while_something_is_owed(invoice: Invoice) -> None:
    agree = {"interest": "runs", "reason": "Agreed", "by": CLERK}
    agree_extension(invoice, day(20), on=day(10), **agree)
    with pytest.raises(Refused):
        agree_extension(invoice, day(20), on=day(11), **agree)
    agree_extension(invoice, day(25), on=day(11), **agree)
    pay(invoice.client, "1000", on=day(12), how={f"invoice:{invoice.pk}": Decimal(1000)})
    void = invoice_due(invoice.client, DUE, "7")
    void_invoice(void, reason="wrong", on=day(1), by=CLERK)
    for other in (invoice, void, make_draft(invoice.client)):
        with pytest.raises(Refused):
            agree_extension(other, day(30), on=day(13), **agree)
