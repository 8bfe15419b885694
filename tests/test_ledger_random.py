"""Any sequence of verbs leaves the books exact: after every step what is fast to ask, at the end of a run everything.

AR_NIGHTLY runs the long form.
"""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ar_collections.services.interest import correct_interest
from arledger.invariants import check
from core.errors import Refused
from invoices.models import ACCOUNTS, RECEIVABLE, RECEIVABLE_CHARGES, Charge, CreditNote, Entry, Invoice
from invoices.services.charging import charge_interest, give_interest_notice, waive_charge
from invoices.services.drafting import Heading, LineDraft, delete_draft, draft_invoice, edit_draft
from invoices.services.issuing import issue_invoice, void_invoice
from payments.models import Allocation, Payment
from payments.services import (
    allocate,
    creditable,
    credited_total,
    deallocate,
    issue_credit_note,
    record_payment,
    take_back_payment,
    unallocated,
    unapplied_cash,
)
from tests.cast import CLERK, make_client, make_company, make_manager

BEGIN = dt.date(2026, 1, 1)
DAY = dt.timedelta(days=1)
FINE = Decimal("0.0001")
AMOUNTS = st.decimals(Decimal("0.01"), Decimal(3000), places=2)
PICK = st.integers(0, 1000)
LINES = st.lists(
    st.tuples(st.sampled_from([1, 3, Decimal("0.25"), -1]), AMOUNTS, st.sampled_from([0, 7, 19])),
    min_size=1,
    max_size=3,
)


class Desk(RuleBasedStateMachine):
    """Two clients, one of them in two currencies; days pass, and some payments are dated back."""

    @initialize()
    def open_the_books(self) -> None:
        self.undo = transaction.atomic()
        self.undo.__enter__()
        company, self.manager = make_company(), make_manager()
        self.clients = [make_client(company), make_client(company, "C-0002", currency="USD")]
        self.today, self.payments, self.notes = BEGIN + 89 * DAY, 0, 0
        for client in self.clients:  # both owe interest from the beginning, so that much can go wrong with it
            owed = issue_invoice(
                draft_invoice(client, [LineDraft("work", Decimal(1), Decimal(5000))], by=CLERK), on=BEGIN, by=CLERK
            )
            give_interest_notice(owed, interest_from=BEGIN + 40 * DAY, on=BEGIN + 31 * DAY, by=CLERK)
            charge_interest(owed, until=self.today, on=self.today, by=CLERK)

    def teardown(self) -> None:
        if not hasattr(self, "undo"):
            return
        try:
            for invoice in Invoice.objects.issued():  # as every night does, before anybody asks
                correct_interest(invoice, on=self.today, by=CLERK)
            assert check(timezone.now(), fast=False)["violations"] == []
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    def one(self, model: Any, pick: int, **facts: Any) -> Any:
        """One of the rows, or none where there is none."""
        rows = list(model.objects.filter(**facts).order_by("pk"))
        return rows[pick % len(rows)] if rows else None

    def trying(self, act: Any, *args: Any, **facts: Any) -> Any:
        """What the rules refuse changes nothing."""
        before = Entry.objects.count()
        try:
            with transaction.atomic():
                return act(*args, **{"by": CLERK} | facts)
        except Refused:
            assert Entry.objects.count() == before
            return None

    @rule(days=st.integers(1, 25))
    def days_pass(self, days: int) -> None:
        self.today += days * DAY

    @rule(client=PICK, lines=LINES)
    def draft(self, client: int, lines: list[Any]) -> None:
        written = [LineDraft("work", Decimal(n), price, Decimal(tax)) for n, price, tax in lines]
        self.trying(draft_invoice, self.clients[client % 2], written)

    @rule(pick=PICK, price=AMOUNTS)
    def edit(self, pick: int, price: Decimal) -> None:
        if draft := self.one(Invoice, pick):
            self.trying(edit_draft, draft, [LineDraft("anew", Decimal(1), price)], heading=Heading())

    @rule(pick=PICK)
    def throw_away(self, pick: int) -> None:
        if draft := self.one(Invoice, pick, issued_at=None):
            self.trying(delete_draft, draft)

    @rule(pick=PICK, price=AMOUNTS)
    def issue(self, pick: int, price: Decimal) -> None:
        draft = self.one(Invoice, pick, issued_at=None) or draft_invoice(
            self.clients[pick % 2], [LineDraft("work", Decimal(1), price, Decimal(19))], by=CLERK
        )
        self.trying(issue_invoice, draft, on=self.today)

    @rule(pick=PICK)
    def void(self, pick: int) -> None:
        if invoice := self.one(Invoice, pick):
            self.trying(void_invoice, invoice, reason="wrong", on=self.today)

    @rule(pick=PICK, share=st.sampled_from([None, 1, 2, 4]))
    def credit(self, pick: int, share: int | None) -> None:
        """All that is left of an invoice, or a part of each of its lines."""
        if invoice := self.one(Invoice, pick):
            lines = None
            if share:
                parts = {row.line.position: (row.left / share).quantize(FINE) for row in creditable(invoice)}
                lines = {position: part for position, part in parts.items() if part}
            self.notes += 1
            for _twice in range(2):
                self.trying(issue_credit_note, invoice, lines, reason="wrong", key=f"c{self.notes}", on=self.today)
            assert CreditNote.objects.filter(key=f"c{self.notes}").count() <= 1

    @rule(pick=PICK, amount=AMOUNTS, back=st.integers(0, 60), how=st.sampled_from(["oldest", "exact", "none"]),
          currency=st.sampled_from(["EUR", "USD"]))  # fmt: skip
    def pay(self, pick: int, amount: Decimal, back: int, how: str, currency: str) -> None:
        self.payments += 1
        facts = {"received_on": self.today - back * DAY, "key": f"p{self.payments}", "how": how, "on": self.today}
        for _twice in range(2):
            self.trying(record_payment, self.clients[pick % 2], amount, currency, **facts)
        assert Payment.objects.filter(key=f"p{self.payments}").count() <= 1

    @rule(pick=PICK, claim=PICK, back=st.integers(0, 60))
    def pay_a_claim_in_full(self, pick: int, claim: int, back: int) -> None:
        model, name = [(Invoice, "invoice"), (Charge, "charge")][pick % 2]
        if found := self.one(model, claim, balance__gt=0):
            self.payments += 1
            self.trying(
                record_payment, found.client, found.balance, found.currency, received_on=self.today - back * DAY,
                key=f"p{self.payments}", how={f"{name}:{found.pk}": found.balance}, on=self.today,
            )  # fmt: skip

    @rule(pick=PICK, claim=PICK, amount=AMOUNTS)
    def put_somewhere(self, pick: int, claim: int, amount: Decimal) -> None:
        if payment := self.one(Payment, pick):
            invoice = self.one(Invoice, claim)  # of anybody, in any state and currency
            self.trying(allocate, payment, {f"invoice:{invoice.pk}": amount} if invoice else "oldest", on=self.today)

    @rule(pick=PICK)
    def put_to_the_oldest(self, pick: int) -> None:
        if payment := self.one(Payment, pick):
            self.trying(allocate, payment, "oldest", on=self.today)

    @rule(pick=PICK)
    def take_back(self, pick: int) -> None:
        if allocation := self.one(Allocation, pick):
            for _twice in range(2):
                self.trying(deallocate, allocation, on=self.today)

    @rule(pick=PICK)
    def take_back_the_whole_payment(self, pick: int) -> None:
        if payment := self.one(Payment, pick):
            for _twice in range(2):
                self.trying(take_back_payment, payment, reason="somebody else's money", on=self.today)
            assert unallocated(payment) == 0

    @rule(pick=PICK, days=st.integers(1, 20))
    def announce_interest(self, pick: int, days: int) -> None:
        if invoice := self.one(Invoice, pick, issued_at__isnull=False, voided_at=None):
            start = max(self.today, invoice.due_on) + days * DAY
            self.trying(give_interest_notice, invoice, interest_from=start, on=self.today)

    @rule(pick=PICK, back=st.integers(0, 20))
    def charge(self, pick: int, back: int) -> None:
        if invoice := self.one(Invoice, pick, issued_at__isnull=False, voided_at=None):
            self.trying(correct_interest, invoice, on=self.today)
            self.trying(charge_interest, invoice, until=self.today - back * DAY, on=self.today)

    @rule(pick=PICK)
    def waive(self, pick: int) -> None:
        if charge := self.one(Charge, pick):
            self.trying(waive_charge, charge, reason="goodwill", on=self.today, by=self.manager)

    @precondition(lambda self: hasattr(self, "undo"))
    @invariant()
    def what_is_fast_to_ask_holds(self) -> None:
        entries = list(Entry.objects.values_list("invoice", "charge", "client", "dr", "cr", "amount", "currency"))
        for currency in ("EUR", "USD"):
            of_currency = [e for e in entries if e[6] == currency]
            balances = {
                a: sum(e[5] for e in of_currency if e[3] == a) - sum(e[5] for e in of_currency if e[4] == a)
                for a, _label in ACCOUNTS
            }
            assert sum(balances.values()) == 0
            assert {e[3] for e in of_currency} | {e[4] for e in of_currency} <= set(balances)
        for place, model, account in ((0, Invoice, RECEIVABLE), (1, Charge, RECEIVABLE_CHARGES)):
            for pk, balance in model.objects.values_list("pk", "balance"):
                mine = [e for e in entries if e[place] == pk]
                assert balance == sum(e[5] for e in mine if e[3] == account) - sum(
                    e[5] for e in mine if e[4] == account
                )
        for invoice in Invoice.objects.issued():
            put = sum((a.amount for a in invoice.allocations.standing()), Decimal(0))
            assert invoice.balance == invoice.total - credited_total(invoice) - put >= 0
        for client in self.clients:
            left: dict[str, Decimal] = {}
            for payment in Payment.objects.filter(client=client):
                left[payment.currency] = left.get(payment.currency, Decimal(0)) + unallocated(payment)
            assert unapplied_cash(client) == {c: amount for c, amount in left.items() if amount}


@pytest.mark.django_db
def test_any_sequence_of_verbs_leaves_the_books_exact() -> None:
    nightly = bool(os.environ.get("AR_NIGHTLY"))
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=1000 if nightly else 12, stateful_step_count=50 if nightly else 25, deadline=None,
            suppress_health_check=list(HealthCheck), derandomize=not nightly, database=None, print_blob=nightly,
        ),
    )  # fmt: skip
