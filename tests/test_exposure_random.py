"""On any history the exposure is the sum of its components, and these are what the ledger says; nothing that is issued
goes over a limit. AR_NIGHTLY runs the long form.
"""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from clients.credit_gate import percent_used
from clients.models import Client, LimitMark
from clients.services.limits import limit_of, set_limit
from clients.services.status import set_status
from invoices.models import CUSTOMER_CREDIT, RECEIVABLE, RECEIVABLE_CHARGES, CompletedWork, Entry, Invoice, ProForma
from invoices.services.drafting import LineDraft, draft_invoice
from invoices.services.exposure import exposure_of, exposures_of
from invoices.services.issuing import issue_invoice
from invoices.services.pro_forma import cancel_pro_forma, make_pro_forma
from payments.models import Payment
from payments.services import record_payment
from policies.models import CreditPolicy
from tests.cast import CLERK
from tests.test_ledger_random import AMOUNTS, BEGIN, DAY, PICK, Desk

CURRENCIES = ("EUR", "USD")


class Credit(Desk):
    """The same desk where work is done, orders are paid in advance, and limits and statuses come and go."""

    @initialize()
    def open_the_books(self) -> None:
        super().open_the_books()
        company = self.clients[0].company
        for client in self.clients:
            set_limit(client, Decimal(9000), client.currency, because="start", source="policy", on=BEGIN, by=CLERK)
        CreditPolicy.objects.create(company=company, effective_from=BEGIN + 150 * DAY, counts_drafts=True)

    @rule(pick=PICK, amount=st.integers(0, 12000))
    def limit(self, pick: int, amount: int) -> None:
        client = self.clients[pick % 2]
        facts = {"because": "test", "source": "review", "on": self.today, "by": CLERK}
        set_limit(client, Decimal(amount), client.currency, **facts)

    @rule(pick=PICK, status=st.sampled_from(["open", "open", "watch", "stricter", "cash_only", "closed"]))
    def judge(self, pick: int, status: str) -> None:
        set_status(self.clients[pick % 2], status, because="test", source="policy", on=self.today, by=CLERK)

    @rule(pick=PICK, amount=AMOUNTS, drafted=st.booleans())
    def finish_work(self, pick: int, amount: Decimal, drafted: bool) -> None:
        draft = self.one(Invoice, pick, issued_at=None, pro_formas=None) if drafted else None
        client = draft.client if draft else self.clients[pick % 2]
        CompletedWork.objects.create(
            company=client.company, client=client, key=f"w{CompletedWork.objects.count()}", description="work",
            unit_price=amount, net=amount, gross=amount, done_on=self.today, invoice=draft, recorded_by=CLERK,
            currency=draft.currency if draft else CURRENCIES[pick % 2],
        )

    @rule(pick=PICK)
    def ask_for_the_money_first(self, pick: int) -> None:
        if draft := self.one(Invoice, pick, issued_at=None):
            self.trying(make_pro_forma, draft, self.today + 14 * DAY, on=self.today)

    @rule(pick=PICK, share=st.sampled_from([1, 2, 2]))
    def pay_first(self, pick: int, share: int) -> None:
        if order := self.one(ProForma, pick, cancelled_at=None, invoice__issued_at=None):
            self.payments += 1
            amount = max(order.total.quantize(Decimal("0.01")) // share, Decimal("0.01"))
            self.trying(record_payment, order.invoice.client, amount, order.currency, received_on=self.today,
                        key=f"p{self.payments}", pro_forma=order, on=self.today)  # fmt: skip

    @rule(pick=PICK)
    def give_the_order_up(self, pick: int) -> None:
        if order := self.one(ProForma, pick, cancelled_at=None):
            self.trying(cancel_pro_forma, order, "no longer wanted", on=self.today)

    @rule(pick=PICK, price=AMOUNTS)
    def issue(self, pick: int, price: Decimal) -> None:
        self.issue_one(self.one(Invoice, pick, issued_at=None), pick, price)

    @rule(pick=PICK, price=st.decimals(Decimal(1000), Decimal(5000), places=2))
    def sell_much(self, pick: int, price: Decimal) -> None:
        self.issue_one(None, pick, price)

    def issue_one(self, draft: Invoice | None, pick: int, price: Decimal) -> None:
        """Whatever is issued: what is owed then is within the limit, or was paid in advance; and the marks stand."""
        lines = [LineDraft("work", Decimal(1), price, Decimal(19))]
        draft = draft or draft_invoice(self.clients[pick % 2], lines, by=CLERK)
        if not self.trying(issue_invoice, draft, on=self.today):
            return
        draft = Invoice.objects.get(pk=draft.pk)
        limit = limit_of(draft.client, draft.currency, self.today)
        if limit is None:
            return
        owed = exposure_of(draft.client, draft.currency, self.today).total
        assert owed <= limit.amount or "cash_in_advance" in draft.frozen
        standing = LimitMark.objects.filter(client=draft.client, currency=draft.currency, fell_back_on=None)
        reached = {p for p in (80, 90, 100) if percent_used(limit.amount, owed) >= p}
        assert set(standing.values_list("percent", flat=True)) == reached

    @precondition(lambda self: hasattr(self, "undo"))
    @invariant()
    def the_exposure_is_what_the_ledger_says(self) -> None:
        together = exposures_of(self.clients, self.today)
        for client in self.clients:
            for currency in CURRENCIES:
                said = exposure_of(client, currency, self.today)
                assert said == (together.get((client.pk, currency)) or type(said)(currency))
                self.compare(client, currency, said)

    def compare(self, client: Client, currency: str, said: Any) -> None:
        """Component by component against the entries and rows, added up in another way."""
        mine = {"client": client, "currency": currency}
        book: Counter[str] = Counter()
        due = dict(Invoice.objects.filter(client=client).values_list("pk", "due_on"))
        for e in Entry.objects.filter(**mine):
            for account, sign in ((e.dr, 1), (e.cr, -1)):
                late = account == RECEIVABLE and due[e.invoice_id] < self.today
                book["overdue" if late else account] += sign * e.amount
        assert (said.open_not_due, said.overdue) == (book[RECEIVABLE], book["overdue"])
        assert (said.charges, said.unapplied) == (book[RECEIVABLE_CHARGES], -book[CUSTOMER_CREDIT])
        done: Counter[int | None] = Counter()
        for work in CompletedWork.objects.filter(**mine, removed_at=None).select_related("invoice"):
            if work.invoice is None or work.invoice.issued_at is None:
                done[work.invoice_id] += work.gross
        drafts = Invoice.objects.drafts().filter(**mine)
        asking = {d.pk: d.total for d in drafts if not d.pro_formas.filter(cancelled_at=None).exists()}
        assert said.work == sum(done.values())
        assert said.drafts == sum(max(total - done[pk], 0) for pk, total in asking.items())
        kept = [
            p.amount for p in Payment.objects.filter(**mine).exclude(pro_forma=None)
            if p.pro_forma.cancelled_at is None and p.pro_forma.invoice.issued_at is None and p.reversal() is None
        ]  # fmt: skip
        assert said.kept == sum(kept)
        counted = said.drafts if self.today >= BEGIN + 150 * DAY else 0
        owed = book[RECEIVABLE] + book["overdue"] + book[RECEIVABLE_CHARGES] + book[CUSTOMER_CREDIT]
        assert said.total == owed + said.work + counted + said.kept == sum(said.components().values())


@pytest.mark.django_db
def test_on_any_history_the_exposure_is_what_the_ledger_says() -> None:
    nightly = bool(os.environ.get("AR_NIGHTLY"))
    run_state_machine_as_test(
        Credit,
        settings=settings(
            max_examples=500 if nightly else 5, stateful_step_count=50 if nightly else 22, deadline=None,
            suppress_health_check=list(HealthCheck), derandomize=not nightly, database=None, print_blob=nightly,
        ),
    )  # fmt: skip
