"""A credit note takes an issued invoice back: by line, at its price and tax, and never for more than was invoiced."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from arledger.invariants import check
from audit.models import Event
from core import guards
from core.errors import Refused
from core.money import smallest
from invoices.crediting import Invoiced, credit_of, left_of
from invoices.models import CreditNote, CreditNoteLine, Entry, Invoice
from invoices.services.charging import accrued, charge_interest, give_interest_notice
from invoices.services.drafting import LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice, void_invoice
from invoices.totals import Line, total_of
from payments.services import (
    creditable,
    issue_credit_note,
    unallocated,
    unapplied_cash,
)
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice, pay

DAY = dt.timedelta(days=1)


@pytest.fixture
def client(db: None) -> Any:
    return make_client(make_company())


@pytest.fixture
def invoice(client: Any) -> Invoice:
    """24 hours at 120 and a licence at 1,450, 19 % tax; five books at 95 with 7 %."""
    lines = [
        LineDraft("Design", Decimal(24), Decimal(120), Decimal(19), unit="h"),
        LineDraft("Licence", Decimal(1), Decimal(1450), Decimal(19)),
        LineDraft("Books", Decimal(5), Decimal(95), Decimal(7)),
    ]
    return issue_invoice(draft_invoice(client, lines, by=CLERK), on=TODAY, by=CLERK)


def credit(
    invoice: Invoice, lines: Any = None, *, key: str = "c1", on: dt.date = TODAY, reason: str = "too much"
) -> CreditNote:
    wanted = None if lines is None else {position: Decimal(quantity) for position, quantity in lines.items()}
    made = issue_credit_note(invoice, wanted, reason=reason, key=key, on=on, by=CLERK)
    invoice.refresh_from_db()
    return made


def assert_books_hold() -> None:
    assert check(timezone.now(), fast=False)["violations"] == []


def test_the_whole_of_an_invoice_is_taken_back_by_a_document_with_a_number_of_its_own(invoice: Invoice) -> None:
    note = credit(invoice)
    assert note.number == "LO-CN-2026-0001"
    assert (note.net, note.tax, note.total) == (invoice.net, invoice.tax, invoice.total)
    assert invoice.balance == 0
    assert (invoice.voided_at, invoice.number) == (None, "LO-2026-0001")
    assert [line.quantity for line in note.lines.all()] == [24, 1, 5]
    assert Event.objects.filter(action="credit_note_issued", doc=f"credit_note:{note.pk}").exists()
    assert_books_hold()


def test_part_of_a_line_is_taken_back_at_its_price_and_the_tax_of_its_own_rate(invoice: Invoice) -> None:
    before = invoice.balance
    note = credit(invoice, {1: 4, 3: 2})
    assert (note.net, note.tax, note.total) == (Decimal(670), Decimal("104.50"), Decimal("774.50"))
    assert invoice.balance == before - note.total
    taxes = Entry.objects.filter(doc=f"credit_note:{note.pk}", dr="tax", cr="receivable")
    assert sorted(entry.amount for entry in taxes) == [Decimal("13.30"), Decimal("91.20")]
    assert [(row.line.position, row.left) for row in creditable(invoice)] == [(1, 20), (2, 1), (3, 3)]
    assert_books_hold()


def test_all_credit_notes_together_come_exactly_to_the_invoice(client: Any) -> None:
    line = LineDraft("Parts", Decimal(3), Decimal("33.335"), Decimal(19))
    invoice = issue_invoice(draft_invoice(client, [line], by=CLERK), on=TODAY, by=CLERK)
    made = [credit(invoice, {1: 1}, key=f"c{n}") for n in range(3)]
    assert sum(note.total for note in made) == invoice.total
    assert invoice.balance == 0
    with pytest.raises(Refused, match="nothing is left"):
        credit(invoice, key="c4")
    assert_books_hold()


def test_never_more_than_is_left_of_a_line(invoice: Invoice) -> None:
    credit(invoice, {3: 3})
    with pytest.raises(Refused, match="2 of 5 can still be credited; 3 is more") as refused:
        credit(invoice, {3: 3}, key="c2")
    assert refused.value.where == "line 3"
    assert CreditNote.objects.count() == 1
    assert_books_hold()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ({}, "Say which lines"), ({9: 1}, "no line 9"), ({1: 0}, "how much of 24"), ({1: -1}, "how much of 24"),
        ({1: "0.00001"}, "at most 4 decimals"),
    ],
)  # fmt: skip
def test_what_cannot_be_credited_is_refused_with_the_line(invoice: Invoice, lines: Any, says: str) -> None:
    with pytest.raises(Refused, match=says):
        credit(invoice, lines)
    assert not CreditNote.objects.exists()


def test_a_reason_is_needed_because_the_client_reads_it(invoice: Invoice) -> None:
    with pytest.raises(Refused, match="Say why"):
        credit(invoice, reason="  ")


def test_neither_a_draft_nor_a_void_invoice_nor_the_day_before_issue(client: Any, invoice: Invoice) -> None:
    with pytest.raises(Refused, match="draft"):
        credit(make_draft(client))
    with pytest.raises(Refused, match="after that day"):
        credit(invoice, on=TODAY - DAY)
    void_invoice(invoice, reason="twice", on=TODAY, by=CLERK)
    with pytest.raises(Refused, match="void"):
        credit(invoice)


def test_a_credited_invoice_is_not_voided_any_more(invoice: Invoice) -> None:
    credit(invoice, {1: 1})
    with pytest.raises(Refused, match="no longer be voided"):
        void_invoice(invoice, reason="twice", on=TODAY, by=CLERK)


def test_a_discount_line_is_credited_with_what_it_belongs_to(client: Any) -> None:
    lines = [LineDraft("Design", Decimal(1), Decimal(100)), LineDraft("Reduction", Decimal(-1), Decimal(30))]
    invoice = issue_invoice(draft_invoice(client, lines, by=CLERK), on=TODAY, by=CLERK)
    with pytest.raises(Refused, match="the reduction that belongs to them"):
        credit(invoice, {1: 1})
    with pytest.raises(Refused, match="come to nothing"):
        credit(invoice, {2: -1})
    assert credit(invoice, {1: 1, 2: -1}).total == 70
    assert_books_hold()


def test_the_same_key_again_answers_with_the_note_that_was_made(client: Any, invoice: Invoice) -> None:
    note = credit(invoice, {1: 1})
    assert credit(invoice, {1: 2}) == note
    with pytest.raises(Refused, match="another credit note"):
        credit(make_invoice(client))
    assert CreditNote.objects.count() == 1


def test_money_beyond_what_stays_owed_becomes_unapplied_cash(client: Any) -> None:
    invoice = make_invoice(client, "1000")
    payment = pay(client, "1000")
    note = credit(invoice, {1: "0.3"}, on=TODAY + DAY)
    assert (note.total, invoice.balance) == (300, 0)
    assert unallocated(payment) == 300
    assert unapplied_cash(client) == {"EUR": Decimal(300)}
    assert (note.frozen["left"], note.frozen["freed"]) == ("0.00", "300.00")
    assert_books_hold()


def test_of_several_payments_the_latest_is_set_free_first(client: Any) -> None:
    invoice = make_invoice(client, "1000")
    first, second, third = pay(client, "500"), pay(client, "300"), pay(client, "100")
    note = credit(invoice, {1: "0.45"})
    assert invoice.balance == 0
    assert [unallocated(payment) for payment in (first, second, third)] == [0, 250, 100]
    assert note.frozen["freed"] == "350.00"
    assert_books_hold()


def test_a_part_paid_invoice_keeps_its_money_while_enough_stays_owed(client: Any) -> None:
    invoice = make_invoice(client, "1000")
    payment = pay(client, "400")
    note = credit(invoice, {1: "0.5"})
    assert (invoice.balance, unallocated(payment), note.frozen["left"]) == (100, 0, "100.00")


def test_a_credit_note_and_its_lines_are_never_changed(invoice: Invoice) -> None:
    note = credit(invoice)
    for change in (
        lambda: CreditNote.objects.filter(pk=note.pk).update(total=1),
        lambda: CreditNoteLine.objects.filter(credit_note=note).update(net=1),
        lambda: CreditNoteLine.objects.filter(credit_note=note).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_numbers_of_credit_notes_have_no_gap_when_one_is_refused(client: Any) -> None:
    first, second = make_invoice(client), make_invoice(client, "50")
    assert credit(first).number == "LO-CN-2026-0001"
    with pytest.raises(Refused):
        credit(first, key="c2")
    assert credit(second, key="c3").number == "LO-CN-2026-0002"
    assert_books_hold()


def test_interest_runs_on_what_is_owed_after_the_credit_note(client: Any) -> None:
    invoice = make_invoice(client, "1000", on=TODAY - 60 * DAY)
    due = invoice.due_on
    assert due is not None
    give_interest_notice(invoice, interest_from=due + DAY, on=due, by=CLERK)
    credit(invoice, {1: "0.4"}, on=due + 10 * DAY)
    accrual = accrued(invoice, due + 20 * DAY)
    assert [(line.days, line.balance) for line in accrual.interest.lines] == [(10, 1000), (10, 600)]
    charge_interest(invoice, until=due + 20 * DAY, on=due + 20 * DAY, by=CLERK)
    assert_books_hold()


def test_check_ledger_sees_a_credit_note_without_its_entries(invoice: Invoice) -> None:
    note = credit(invoice, {1: 1})
    guards.remove()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE invoices_creditnote SET total = total + 10000 WHERE id = %s", [note.pk])
    assert {found["code"] for found in check(timezone.now(), fast=False)["violations"]} >= {"L5"}


LINES = st.lists(
    st.builds(
        lambda quantity, mills, tax: (quantity, Decimal(mills).scaleb(-3), Decimal(tax)),
        st.sampled_from([Decimal(1), Decimal(3), Decimal(7), Decimal("2.5"), Decimal("0.3333")]),
        st.integers(1, 400_000), st.sampled_from([0, 7, 19, "8.1"]),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@given(
    lines=LINES, shares=st.lists(st.lists(st.integers(0, 4), min_size=4, max_size=4), max_size=5),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
)  # fmt: skip
@settings(max_examples=2000 if os.environ.get("AR_NIGHTLY") else 150, deadline=None)
def test_whatever_is_credited_bears_its_own_tax_and_all_of_it_is_the_invoice(
    lines: list[Any], shares: list[list[int]], currency: str
) -> None:
    invoiced = [
        Invoiced(place, quantity, price, tax)
        for place, (quantity, price, tax) in enumerate(lines, 1)
    ]
    whole = total_of([Line(q, p, t) for q, p, t in lines], currency)
    earlier: dict[int, Decimal] = {}
    credited, notes = Decimal(0), 0
    for share in [*shares, None]:
        wanted = None
        left = left_of(invoiced, earlier)
        if share is not None:
            parts = {
                place: (left[place] * n / 4).quantize(Decimal("0.0001"))
                for place, n in zip(left, share, strict=False)
            }
            wanted = {place: part for place, part in parts.items() if part}
        try:
            made = credit_of(
                invoiced, earlier, wanted, total_left=whole.total - credited, currency=currency
            )
        except Refused:
            continue
        anew = total_of(
            [Line(line.quantity, invoiced[line.position - 1].unit_price, invoiced[line.position - 1].tax_percent)
             for line in made.lines], currency,
        )  # fmt: skip
        assert (made.net, made.tax, made.groups) == (anew.net, anew.tax, anew.groups)
        assert made.total > 0
        for line in made.lines:
            earlier[line.position] = earlier.get(line.position, Decimal(0)) + line.quantity
        credited, notes = credited + made.total, notes + 1
        assert abs(made.rounding) <= smallest(currency) * notes * (len(lines) + len(made.groups))
        assert credited <= whole.total
    if whole.total > 0 and not any(left_of(invoiced, earlier).values()):
        assert credited == whole.total
