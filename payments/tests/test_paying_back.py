"""Unapplied cash is paid back by hand: with a permission and a reason, and never what somebody waits for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from arledger.invariants import check
from core.errors import Refused
from invoices.models import Entry
from invoices.services.pro_forma import make_pro_forma
from payments.models import Refund
from payments.services import issue_credit_note, take_back_payment, unallocated, unapplied_cash
from payments.services.paying_back import free_to_pay_back, pay_back
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice, make_manager, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Any:
    return make_client(make_company())


def back(client: Any, amount: str, by: Any, *, key: str = "b1", reason: str = "they asked for it") -> list[Refund]:
    return pay_back(client, Decimal(amount), "EUR", on=TODAY, by=by, reason=reason, key=key)


def test_what_a_credit_note_set_free_is_paid_back(client: Any) -> None:
    invoice = make_invoice(client, "1000")
    first = pay(client, "600")
    second = pay(client, "400")
    issue_credit_note(invoice, {1: Decimal("0.5")}, reason="half of it", key="c1", on=TODAY, by=CLERK)
    made = back(client, "450", make_manager())
    assert [(refund.payment, refund.amount) for refund in made] == [(first, 100), (second, 350)]
    assert unapplied_cash(client) == {"EUR": Decimal(50)}
    assert [unallocated(payment) for payment in (first, second)] == [0, 50]
    assert {(e.dr, e.cr) for e in Entry.objects.filter(kind="refund")} == {("customer_credit", "bank")}
    assert check(timezone.now(), fast=False)["violations"] == []


def test_the_same_key_pays_back_once(client: Any) -> None:
    boss = make_manager()
    pay(client, "600")
    assert back(client, "100", boss) == back(client, "100", boss)
    assert Refund.objects.count() == 1
    with pytest.raises(Refused, match="already used"):
        back(client, "50", boss)


def test_a_clerk_may_not(client: Any) -> None:
    pay(client, "600")
    with pytest.raises(Refused, match="may not pay money back"):
        back(client, "100", CLERK)


def test_a_reason_and_a_sum_are_needed(client: Any) -> None:
    boss = make_manager()
    pay(client, "600")
    for amount, reason, says in (("1", " ", "Say why"), ("0", "x", "above zero"), ("600.01", "x", "600.00 EUR of")):
        with pytest.raises(Refused, match=says):
            back(client, amount, boss, reason=reason)
    assert not Refund.objects.exists()


def test_money_kept_for_a_pro_forma_is_not_free(client: Any) -> None:
    asked = make_pro_forma(make_draft(client, "1000"), TODAY, on=TODAY, by=CLERK)
    pay(client, "300", pro_forma=asked)
    pay(client, "20")
    assert free_to_pay_back(client, "EUR") == 20
    with pytest.raises(Refused, match=r"20\.00 EUR"):
        back(client, "21", make_manager())


def test_a_payment_that_was_paid_back_is_not_taken_back_as_well(client: Any) -> None:
    payment = pay(client, "600")
    back(client, "100", make_manager())
    with pytest.raises(Refused):
        take_back_payment(payment, reason="wrong", on=TODAY, by=CLERK)
    assert check(timezone.now(), fast=False)["violations"] == []
