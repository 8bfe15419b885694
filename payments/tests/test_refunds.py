"""Money given back: who may, how much, what is owed again, and where it goes when it comes back."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arledger.invariants import check
from core.errors import Refused
from invoices.models import Entry
from payments.models import Refund
from payments.providers import Declined, Unreachable
from payments.providers.sandbox import Sandbox
from payments.services import take_back_payment, unallocated, unapplied_cash
from payments.services.hearing import hear_waiting
from payments.services.refunds import refund_payment, refundable
from payments.tests.provided import AT, heard, offer_card, paid_by_card
from tests.cast import CLERK, TODAY, make_client, make_invoice, make_manager, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Any:
    return make_manager()


def clean() -> bool:
    return check(AT)["violations"] == []


def balances(*invoices: Any) -> list[Decimal]:
    for invoice in invoices:
        invoice.refresh_from_db()
    return [invoice.balance for invoice in invoices]


def back(payment: Any, amount: str, by: Any, **facts: Any) -> Refund:
    asked = {"reason": "agreed", "key": f"k{amount}", "on": TODAY, "by": by} | facts
    return refund_payment(payment, Decimal(amount), **asked)


def test_nobody_gives_money_back_without_the_permission(good_client: Any) -> None:
    payment = pay(good_client, "100")
    for by in (CLERK, "system", None):
        with pytest.raises(Refused, match="You may not give money back"):
            back(payment, "10", by)
    assert not Refund.objects.exists()


def test_unapplied_cash_goes_first_then_what_was_paid_last(good_client: Any, manager: Any) -> None:
    first, second = make_invoice(good_client, "100"), make_invoice(good_client, "200")
    payment = pay(good_client, "350")
    back(payment, "50", manager)
    assert balances(first, second) == [0, 0]
    back(payment, "120", manager)
    assert balances(first, second) == [0, 120]
    back(payment, "180", manager)
    assert balances(first, second) == [100, 200] and refundable(payment) == 0 and clean()
    gone = Entry.objects.filter(kind="refund")
    assert {(e.dr, e.cr) for e in gone} == {("customer_credit", "bank")} and sum(e.amount for e in gone) == 350


def test_never_more_than_the_payment(good_client: Any, manager: Any) -> None:
    payment = pay(good_client, "100")
    back(payment, "60", manager)
    with pytest.raises(Refused, match=r"at most 40\.00 EUR"):
        back(payment, "40.01", manager)
    for odd in ("0", "-5", "0.001"):
        with pytest.raises(Refused, match="above zero"):
            back(payment, odd, manager)
    with pytest.raises(Refused, match="Say why"):
        back(payment, "5", manager, reason=" ")
    assert unallocated(payment) == 40


def test_the_same_form_gives_back_once(good_client: Any, manager: Any) -> None:
    payment = pay(good_client, "100")
    assert back(payment, "60", manager, key="f") == back(payment, "60", manager, key="f")
    with pytest.raises(Refused, match="used already"):
        back(payment, "50", manager, key="f")
    assert unapplied_cash(good_client) == {"EUR": 40}


def test_what_a_provider_holds_or_was_given_back_is_not_taken_back_as_recorded_wrongly(
    company: Any, good_client: Any, manager: Any
) -> None:
    offer_card(company)
    by_card = paid_by_card(good_client, make_invoice(good_client, "100")).payment
    assert by_card is not None
    with pytest.raises(Refused, match="by a payment provider"):
        take_back_payment(by_card, reason="x", on=TODAY, by=CLERK)
    payment = pay(good_client, "100")
    back(payment, "10", manager)
    with pytest.raises(Refused, match="was given back"):
        take_back_payment(payment, reason="x", on=TODAY, by=CLERK)
    taken = pay(good_client, "30")
    take_back_payment(taken, reason="x", on=TODAY, by=CLERK)
    with pytest.raises(Refused, match=r"at most 0\.00"):
        back(taken, "10", manager, key="another")


def test_a_provider_that_does_not_answer_is_asked_again(
    company: Any, good_client: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_card(company)
    payment = paid_by_card(good_client, make_invoice(good_client, "100")).payment
    asked: list[str] = []
    whole = Sandbox.refund

    def silent(self: Any, ref: str, amount: Decimal, currency: str, key: str) -> Any:
        asked.append(key)
        if len(asked) == 1:
            raise Unreachable("no answer")
        return whole(self, ref, amount, currency, key)

    monkeypatch.setattr(Sandbox, "refund", silent)
    refund = back(payment, "40", manager)
    assert refund.state == "asked" and refundable(payment) == 60
    hear_waiting(AT)
    refund.refresh_from_db()
    assert refund.state == "done" and asked == [refund.key] * 2 and clean()


def test_declined_money_goes_back_where_it_was(
    company: Any, good_client: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_card(company)
    invoice = make_invoice(good_client, "100")
    payment = paid_by_card(good_client, invoice).payment

    def declines(*_args: Any) -> None:
        raise Declined("The card is closed.")

    monkeypatch.setattr(Sandbox, "refund", declines)
    assert back(payment, "40", manager).state == "failed"
    assert balances(invoice) == [0] and refundable(payment) == 100 and clean()


def test_an_early_payment_that_is_given_back_gives_its_discount_back_too(
    company: Any, good_client: Any, manager: Any
) -> None:
    offer_card(company)
    good_client.terms.discount_percent, good_client.terms.discount_days = Decimal(2), 7
    good_client.terms.save()
    invoice = make_invoice(good_client, "1000", tax="19")
    payment = paid_by_card(good_client, invoice, amount="1166.20").payment
    assert balances(invoice) == [0] and unapplied_cash(good_client) == {}
    back(payment, "166.20", manager)
    assert balances(invoice) == [Decimal("190.00")] and clean()
    back(payment, "1000", manager)
    assert balances(invoice) == [1190] and unapplied_cash(good_client) == {} and clean()


@settings(
    max_examples=80 if os.environ.get("AR_NIGHTLY") else 4, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    amounts=st.lists(st.integers(1, 400), min_size=1, max_size=4),
    acts=st.lists(st.tuples(st.sampled_from(["refund", "chargeback", "won", "pay"]), st.integers(1, 300)), max_size=8),
)
def test_whatever_is_given_back_taken_and_won_again_the_books_stay_right(
    company: Any, manager: Any, amounts: list[int], acts: list[tuple[str, int]]
) -> None:
    offer_card(company) if not company.payment_methods.filter(kind="card").exists() else None
    client = make_client(company, f"C-{company.clients.count() + 10}")
    invoices = [make_invoice(client, str(amount)) for amount in amounts]
    checkout = paid_by_card(client, invoices[0])
    payment = checkout.payment
    assert payment is not None
    at = AT
    for n, (what, amount) in enumerate(acts):
        at += dt.timedelta(hours=20)
        if what == "pay":
            pay(client, str(amount), on=at.date())
        elif what == "refund" and amount <= refundable(payment):
            back(payment, str(amount), manager, key=f"{client.pk}-{n}", on=at.date())
        elif what in ("chargeback", "won"):
            kind = "chargeback" if what == "chargeback" else "chargeback_closed"
            heard(
                checkout, kind, about=f"dp_{client.pk}_{n // 3}", amount=Decimal(amount), won=what == "won",
                happened_at=at, event_id=f"{client.pk}-{n}",
            )
    assert check(at)["violations"] == []
    assert refundable(payment) >= 0 and unallocated(payment) >= 0
