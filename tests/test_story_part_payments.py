"""Case 11 (OCA #330, #380, #457): after a part payment the reminder stops, or its letter asks for the full sum.

Here the letter shows total, paid and balance, the part payment keeps stage and history, and interest is earned by what
was owed on each day. Case 10: what was disputed and credited never bore interest.
"""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_collections.services.interest import apply_late_interest, correct_interest
from arledger.invariants import check
from core.dates import month_end
from disputes.services import close_dispute, open_dispute
from invoices.models import Charge, Entry, InterestNotice, Invoice
from invoices.services.charging import accrued
from payments.services import issue_credit_note, take_back_payment
from policies.models import InterestRule
from tests.by_law import charge_by, enter_rates
from tests.cast import CLERK, invoice_due, make_client, make_company, pay
from tests.collecting import DAY, days_pass, sent_to, served

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 1, 5)  # a Monday
MANY = 60 if os.environ.get("AR_NIGHTLY") else 6


def day(n: int) -> dt.date:
    return DUE + dt.timedelta(days=n)


def pay_only(invoice: Invoice, amount: Any, on: dt.date) -> Any:
    return pay(invoice.client, str(amount), on=on, how={f"invoice:{invoice.pk}": Decimal(amount)})


def bears(invoice: Invoice) -> Invoice:
    InterestNotice.objects.create(invoice=invoice, interest_from=day(1), given_on=DUE, given_by=CLERK)
    return invoice


def test_the_reminder_shows_total_paid_and_balance_and_the_ladder_goes_on_where_it_was(late_client: Any) -> None:
    invoice = invoice_due(late_client, DUE)
    days_pass(late_client.company, day(1), day(1))
    pay_only(invoice, 400, day(3))
    days_pass(late_client.company, day(8), day(8))
    first, second = sent_to(late_client)
    assert "€1,000.00" in first.text
    assert "€600.00 (of €1,000.00, paid €400.00)" in second.text and "€600.00" in second.subject
    assert [step for step, _on in served(invoice)] == ["first_overdue", "reminder_1"]
    pay_only(invoice, 600, day(9))
    days_pass(late_client.company, day(21), day(21))
    assert len(sent_to(late_client)) == 2 == len(served(invoice)), "paid: nothing more"


def test_each_day_bears_interest_on_what_was_owed_that_day(late_client: Any) -> None:
    """Case 14 with a third payment that came back: 1,000, then 600 from day 31, 500 from 41, 600 again from 46."""
    invoice = bears(invoice_due(late_client, DUE))
    pay_only(invoice, 400, day(30))
    bounced = pay_only(invoice, 100, day(40))
    take_back_payment(bounced, reason="bounced", on=day(45), by=CLERK, returned_by_bank=True)
    pay_only(invoice, 600, day(59))
    lines = accrued(invoice, day(59)).interest.lines
    assert [(li.days, li.balance) for li in lines] == [
        (30, Decimal(1000)), (10, Decimal(600)), (5, Decimal(500)), (14, Decimal(600)),
    ]  # fmt: skip
    assert accrued(invoice, day(90)).interest.total == Decimal("15.42")


def test_what_was_disputed_and_credited_never_bore_interest_from_day_one(late_client: Any) -> None:
    invoice = bears(invoice_due(late_client, DUE))
    dispute = open_dispute(invoice, reason="delivery", amount=Decimal(400), on=day(20), by=CLERK)
    apply_late_interest(late_client.company, dt.date(2026, 1, 31), by="system")
    assert Charge.objects.get().amount == Decimal("8.55"), "26 days on 1,000: nobody knows yet who is right"
    issue_credit_note(invoice, {1: Decimal("0.4")}, reason="Damaged", key="c1", on=day(33), by=CLERK)
    close_dispute(dispute, outcome="They were right", on=day(33), by=CLERK)
    apply_late_interest(late_client.company, day(34), by="system")
    assert Charge.objects.get(revision=2).amount == Decimal("5.13"), "26 days on 600"
    assert check(timezone.now(), fast=False)["violations"] == []


def test_a_dispute_that_was_not_right_changes_nothing_and_a_credit_for_anything_else_counts_from_its_day(
    late_client: Any,
) -> None:
    invoice = bears(invoice_due(late_client, DUE))
    dispute = open_dispute(invoice, reason="price", on=day(2), by=CLERK)
    close_dispute(dispute, outcome="The price was agreed", on=day(5), by=CLERK)
    issue_credit_note(invoice, {1: Decimal("0.4")}, reason="Goodwill", key="c1", on=day(10), by=CLERK)
    assert [(li.days, li.balance) for li in accrued(invoice, day(20)).interest.lines] == [
        (10, Decimal(1000)), (10, Decimal(600)),
    ]  # fmt: skip


@pytest.mark.parametrize(("first", "left", "posted"), [("principal", "600", "0"), ("interest", "609.86", "9.86")])
def test_money_goes_to_the_invoice_first_or_where_the_rule_says_so_to_its_interest(
    late_client: Any, first: str, left: str, posted: str
) -> None:
    """400 on day 30: by default all of it to the invoice; by the other rule 9.86 of interest are posted and paid."""
    InterestRule.objects.create(
        code="OURS", effective_from=dt.date(2025, 1, 1), title="Ours", percent=Decimal(12), source="our terms",
        first=first,
    )
    charge_by(late_client.company, "OURS", dt.date(2025, 12, 1))
    invoice = invoice_due(late_client, DUE)
    younger = invoice_due(late_client, day(3), "50")
    pay(late_client, "400", on=day(30))
    invoice.refresh_from_db()
    younger.refresh_from_db()
    assert (invoice.balance, younger.balance) == (Decimal(left), 50)
    charges = Charge.objects.filter(invoice=invoice)
    assert sum(charges.values_list("amount", flat=True)) == Decimal(posted)
    assert sum(charges.values_list("balance", flat=True)) == 0
    later = accrued(invoice, day(40)).interest.lines
    assert later[-1].balance == Decimal(left), "what was put to the interest did not lower the invoice"
    assert check(timezone.now(), fast=False)["violations"] == []


def test_interest_bears_no_interest_and_neither_does_a_fee(late_client: Any) -> None:
    invoice = bears(invoice_due(late_client, DUE))
    for months in (1, 2, 3):
        apply_late_interest(late_client.company, dt.date(2026, months, 1) + 27 * DAY, by="system")
    apply_late_interest(late_client.company, month_end(dt.date(2026, 3, 1)), by="system")
    assert {li.balance for li in accrued(invoice, day(85)).interest.lines} == {Decimal(1000)}
    assert not Entry.objects.filter(charge__isnull=False, dr="receivable").exists()


MOVES = st.lists(
    st.tuples(st.integers(1, 100), st.integers(-30, 5), st.integers(1, 40)), min_size=1, max_size=4
)  # amount in tens, effective so many days before or after the night it is known, that night


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=MOVES, missed=st.sets(st.integers(0, 3)), by_law=st.booleans())
def test_reruns_missed_nights_and_payments_dated_back_end_at_the_same_total(
    moves: list[tuple[int, int, int]], missed: set[int], by_law: bool
) -> None:
    """However the nights fell, what stands charged is what the ledger comes to, asked once at the end."""
    with transaction.atomic():
        try:
            invoice = a_book(by_law)
            known = sorted((day(n * 3), tens * 10, day(n * 3 + back)) for tens, back, n in moves)
            nights = [dt.date(2026, month, 28) for month in (1, 2, 3, 4)]
            for n, night in enumerate(nights):
                for on, amount, effective in [move for move in known if move[0] <= night]:
                    known.remove((on, amount, effective))
                    invoice.refresh_from_db()
                    if amount <= invoice.balance:
                        pay_only(invoice, amount, max(effective, invoice.issued_on or effective))
                if n not in missed:
                    apply_late_interest(invoice.company, month_end(night), by="system")
                    assert apply_late_interest(invoice.company, month_end(night), by="system") == {}
            end = month_end(nights[-1])
            correct_interest(invoice, on=end, by="system")
            apply_late_interest(invoice.company, end, by="system")
            undone = Entry.objects.filter(kind="reversal", charge__isnull=False).values("charge")
            standing = Charge.objects.exclude(pk__in=undone).values_list("amount", flat=True)
            once = accrued(Invoice.objects.get(pk=invoice.pk), end)
            assert sum(standing, Decimal(0)) == once.interest.total == once.charged
        finally:
            transaction.set_rollback(True)


def a_book(by_law: bool) -> Invoice:
    company = make_company()
    if by_law:
        enter_rates()
        charge_by(company, "EU", dt.date(2025, 12, 1))
    invoice = invoice_due(make_client(company), DUE)
    return invoice if by_law else bears(invoice)
