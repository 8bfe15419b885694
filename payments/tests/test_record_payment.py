"""Payments: oldest first, exact, by hand; the rest is unapplied cash; what was put somewhere can be taken back."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from arledger.invariants import check
from audit.models import Event as AuditEvent
from core.errors import Refused
from invoices.models import Entry, Invoice
from invoices.services.ledger import reverse_entries
from payments.models import Payment
from payments.services import allocate, deallocate, record_payment, take_back_payment, unallocated, unapplied_cash
from tests.cast import CLERK, TODAY, invoice_due, make_invoice, pay

pytestmark = pytest.mark.django_db


def balances():
    return {i.number: i.balance for i in Invoice.objects.all()}


def test_the_oldest_due_is_paid_first_and_the_rest_is_unapplied(late_client):
    young, old = invoice_due(late_client, TODAY, "100"), invoice_due(late_client, TODAY - dt.timedelta(days=9), "60")
    payment = pay(late_client, "200")
    assert balances() == {young.number: 0, old.number: 0}
    assert unallocated(payment) == 40
    assert unapplied_cash(late_client) == {"EUR": 40}


def test_exactly_one_invoice_of_that_balance_is_paid(late_client):
    a, b = make_invoice(late_client, "100"), make_invoice(late_client, "60")
    pay(late_client, "60", how="exact")
    assert balances() == {a.number: 100, b.number: 0}


def test_equal_candidates_are_not_guessed_between(late_client):
    make_invoice(late_client, "60")
    make_invoice(late_client, "60")
    payment = pay(late_client, "60", how="exact")
    assert set(balances().values()) == {60}
    assert unallocated(payment) == 60


def test_by_hand_and_the_rest_later(late_client):
    a, b = make_invoice(late_client, "100"), make_invoice(late_client, "60")
    payment = pay(late_client, "100", how={f"invoice:{b.pk}": Decimal(25)})
    assert balances() == {a.number: 100, b.number: 35}
    allocate(payment, "oldest", on=TODAY, by=CLERK)
    assert unallocated(payment) == 0
    with pytest.raises(Refused, match="Nothing of this payment is left"):
        allocate(payment, "oldest", on=TODAY, by=CLERK)


@pytest.mark.parametrize(("part", "says"), [("60.01", "has 60 open, and 60.01 is more"), ("0", "not above zero")])
def test_more_than_is_owed_is_refused_and_nothing_is_kept(late_client, part, says):
    invoice = make_invoice(late_client, "60")
    with pytest.raises(Refused, match=says):
        pay(late_client, "100", how={f"invoice:{invoice.pk}": Decimal(part)})
    assert not Payment.objects.exists()
    assert Entry.objects.filter(kind="payment").count() == 0


def test_the_same_form_twice_is_one_payment(late_client):
    make_invoice(late_client, "100")
    assert pay(late_client, "60", key="form-1") == pay(late_client, "60", key="form-1")
    assert list(balances().values()) == [40]
    with pytest.raises(Refused, match="already used"):
        pay(late_client, "61", key="form-1")


def test_taking_an_allocation_back_opens_the_invoice_again(late_client):
    invoice = make_invoice(late_client, "100")
    payment = pay(late_client, "100")
    allocation = payment.allocations.get()
    deallocate(allocation, on=TODAY, by=CLERK, reason="wrong client")
    deallocate(allocation, on=TODAY, by=CLERK)
    assert balances() == {invoice.number: 100}
    assert unallocated(payment) == 100
    assert unapplied_cash(late_client) == {"EUR": 100}
    allocate(payment, "exact", on=TODAY, by=CLERK)
    assert balances() == {invoice.number: 0}


def test_no_payment_takes_the_same_debt_twice_on_a_day(late_client):
    """Taken back on the 6th, the debt was somebody else's until then; money of the 4th settles it from the 6th."""
    invoice = make_invoice(late_client, "100", on=TODAY - dt.timedelta(days=20))
    wrong = pay(late_client, "100", on=TODAY - dt.timedelta(days=9))
    deallocate(wrong.allocations.get(), on=TODAY - dt.timedelta(days=2), by=CLERK, reason="wrong client")
    right = pay(late_client, "100", on=TODAY - dt.timedelta(days=4), how={f"invoice:{invoice.pk}": Decimal(100)})
    assert right.allocations.get().allocated_on == TODAY - dt.timedelta(days=2)
    assert check(timezone.now())["violations"] == []


def test_money_received_before_the_invoice_takes_effect_when_it_is_issued(late_client):
    payment = pay(late_client, "100", on=TODAY - dt.timedelta(days=5))
    invoice = make_invoice(late_client, "100")
    [allocation] = allocate(payment, "oldest", on=TODAY - dt.timedelta(days=5), by=CLERK)
    assert allocation.allocated_on == invoice.issued_on == TODAY
    assert unapplied_cash(late_client, TODAY - dt.timedelta(days=1)) == {"EUR": 100}
    assert unapplied_cash(late_client, TODAY) == {}


def test_a_payment_from_the_future_is_refused(late_client):
    with pytest.raises(Refused, match="future"):
        record_payment(
            late_client, Decimal(1), "EUR", received_on=TODAY + dt.timedelta(days=1), key="f", by=CLERK, on=TODAY
        )


def test_currencies_stay_apart(late_client):
    invoice = make_invoice(late_client, "100")
    pay(late_client, "100", currency="USD")
    assert balances() == {invoice.number: 100}
    assert unapplied_cash(late_client) == {"USD": 100}


def test_a_payment_recorded_wrongly_is_taken_back_with_all_it_was_put_to(late_client):
    invoice, later = make_invoice(late_client, "100"), TODAY + dt.timedelta(days=3)
    payment = pay(late_client, "250")
    for _twice in range(2):
        take_back_payment(payment, reason="another client's money", on=later, by=CLERK)
    assert balances() == {invoice.number: 100}
    assert unallocated(payment) == 0
    assert unapplied_cash(late_client) == {}
    assert unapplied_cash(late_client, TODAY) == {"EUR": 150}
    assert list(Payment.objects.taken_back()) == [payment]
    assert not Payment.objects.standing().exists()
    back = payment.reversal()
    assert back is not None
    assert (back.effective_on, back.memo, back.posted_by) == (later, "another client's money", CLERK)
    assert Entry.objects.filter(kind="reversal").count() == 2
    assert AuditEvent.objects.filter(action="payment_taken_back").count() == 1
    with pytest.raises(Refused, match="Nothing of this payment is left"):
        allocate(payment, "oldest", on=later, by=CLERK)
    assert check(timezone.now())["violations"] == []


def test_a_payment_is_not_taken_back_without_a_reason(late_client):
    payment = pay(late_client, "50")
    with pytest.raises(Refused, match="Say why"):
        take_back_payment(payment, reason="  ", on=TODAY, by=CLERK)
    assert payment.reversal() is None


def test_what_is_put_to_a_claim_of_a_payment_taken_back_is_found(late_client):
    make_invoice(late_client, "50")
    payment = pay(late_client, "50")
    reverse_entries(Entry.objects.filter(key=f"payment:{payment.key}"), CLERK, TODAY, memo="by another way")
    assert "L10" in {found["code"] for found in check(timezone.now())["violations"]}
