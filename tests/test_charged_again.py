"""What is taken back may come again: waived twice, interest charged anew for days it was taken back for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from ar_collections.services.interest import correct_interest
from arledger.invariants import check
from core.errors import Refused
from invoices.models import CUSTOMER_CREDIT, RECEIVABLE, Charge, Entry, Invoice
from invoices.services.charging import charge_interest, give_interest_notice, standing_interest, waive_charge
from invoices.services.drafting import LineDraft, draft_invoice
from invoices.services.ledger import NewEntry, post_entry
from payments.services import deallocate
from tests.cast import CLERK, make_draft, make_invoice, make_manager, pay

pytestmark = pytest.mark.django_db

END = dt.date(2026, 3, 31)


@pytest.fixture
def invoice(late_client) -> Invoice:
    """Due on 31 January, bearing interest from 1 March."""
    made = make_invoice(late_client, on=dt.date(2026, 1, 1))
    give_interest_notice(made, interest_from=dt.date(2026, 3, 1), on=dt.date(2026, 2, 20), by=CLERK)
    return made


def violations():
    return check(timezone.now(), fast=False)["violations"]


def test_what_is_open_again_after_a_waiver_can_be_waived_again(invoice):
    (charge,) = charge_interest(invoice, until=END, on=END, by=CLERK)
    payment = pay(invoice.client, "4", on=END, how={f"charge:{charge.pk}": Decimal(4)})
    manager = make_manager()
    waive_charge(charge, reason="goodwill", on=END, by=manager)
    deallocate(payment.allocations.get(), on=END, by=CLERK)
    assert Charge.objects.get().balance == 4
    assert waive_charge(charge, reason="the rest too", on=END, by=manager).balance == 0
    assert [e.memo for e in Entry.objects.filter(kind="waiver").order_by("pk")] == ["goodwill", "the rest too"]
    assert violations() == []


def test_interest_taken_back_for_a_payment_is_charged_anew_once_the_payment_is_taken_back(invoice):
    (first,) = charge_interest(invoice, until=END, on=END, by=CLERK)
    payment = pay(invoice.client, "1000", on=dt.date(2026, 2, 10))
    assert correct_interest(invoice, on=END, by=CLERK) == []
    deallocate(payment.allocations.get(), on=dt.date(2026, 2, 20), by=CLERK)
    (again,) = charge_interest(invoice, until=END, on=END, by=CLERK)
    assert (again.amount, again.from_on, again.to_on) == (first.amount, first.from_on, first.to_on)
    assert (first.revision, again.revision) == (1, 2)
    assert list(standing_interest(invoice)) == [again]
    assert violations() == []


def test_a_key_that_was_posted_for_something_else_is_refused_and_not_passed_over(invoice):
    pay(invoice.client, "5", how="none", key="once")
    again = NewEntry("payment:once", "payment:1", "payment", invoice.client, RECEIVABLE, CUSTOMER_CREDIT, Decimal(5),
                     "EUR", END)  # fmt: skip
    with pytest.raises(Refused) as refused:
        post_entry(again, CLERK)
    assert refused.value.code == "key_reused"


def test_a_draft_is_not_addressed_to_somebody_of_another_client(good_client, late_client):
    with pytest.raises(Refused) as refused:
        make_draft(good_client, contact=late_client.contacts.get())
    assert refused.value.where == "contact"


@pytest.mark.parametrize("prices", [["9999999999999"], ["9999999999999", "-9999999999999"]])
def test_lines_that_come_to_more_than_can_be_kept_are_refused_in_words(good_client, prices):
    lines = [LineDraft("x", Decimal("9999999999"), Decimal(price)) for price in prices]
    with pytest.raises(Refused) as refused:
        draft_invoice(good_client, lines, by=CLERK)
    assert refused.value.code == "range"
