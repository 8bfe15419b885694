"""Cash that an invoice was issued against: it goes to that invoice, and it is told when it is taken back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from arledger.invariants import check
from audit.models import Event
from clients.models import Client
from clients.services.status import set_status
from core.errors import Refused
from invoices.models import Invoice
from payments.models import Payment
from payments.services import allocate, take_back_payment, unallocated
from tests.cast import CLERK, TODAY, invoice_due, make_invoice, make_manager, pay

pytestmark = pytest.mark.django_db

LONG_AGO = TODAY - dt.timedelta(days=40)


@pytest.fixture
def sold(late_client: Client) -> tuple[Invoice, Invoice, Payment]:
    """An old debt of 300, 250 on account, and 200 sold to a client who buys for cash only."""
    old = invoice_due(late_client, LONG_AGO, "300")
    payment = pay(late_client, "250", how="none")
    set_status(late_client, "cash_only", because="late", source="hand", on=TODAY, by=make_manager())
    new = make_invoice(late_client, "200")
    assert new.frozen["cash_in_advance"] == "200.00"
    return old, new, payment


def balances(*invoices: Invoice) -> list[Decimal]:
    for invoice in invoices:
        invoice.refresh_from_db()
    return [invoice.balance for invoice in invoices]


def test_the_oldest_first_is_the_invoice_that_the_cash_was_for(sold: Any) -> None:
    old, new, payment = sold
    allocate(payment, "oldest", on=TODAY, by=CLERK)
    assert balances(old, new) == [250, 0]
    assert payment.allocations.count() == 2
    assert check(timezone.now())["violations"] == []


def test_by_hand_no_more_goes_elsewhere_than_nothing_waits_for(sold: Any) -> None:
    old, new, payment = sold
    with pytest.raises(Refused, match=rf"{new.number} was issued against 200\.00 EUR .* take at most 50\.00 EUR") as no:
        allocate(payment, {f"invoice:{old.pk}": Decimal("50.01")}, on=TODAY, by=CLERK)
    assert no.value.code == "spoken_for" and unallocated(payment) == 250
    allocate(payment, {f"invoice:{old.pk}": Decimal(50)}, on=TODAY, by=CLERK)
    with pytest.raises(Refused, match=r"issued against 80\.00 EUR .* at most 0\.00 EUR"):
        parts = {f"invoice:{new.pk}": Decimal(120), f"invoice:{old.pk}": Decimal(1)}
        allocate(payment, parts, on=TODAY, by=CLERK)
    allocate(payment, {f"invoice:{new.pk}": Decimal(200)}, on=TODAY, by=CLERK)
    assert balances(old, new) == [250, 0]


def test_what_matches_an_old_debt_exactly_is_not_put_there(sold: Any, late_client: Client) -> None:
    _old, new, payment = sold
    allocate(payment, {f"invoice:{new.pk}": Decimal(20)}, on=TODAY, by=CLERK)
    pay(late_client, "70", how="oldest")  # leaves 230 of the old debt, which is what is left of the cash
    with pytest.raises(Refused, match="Put it to"):
        allocate(payment, "exact", on=TODAY, by=CLERK)


def test_other_money_may_cover_the_invoice_and_this_go_elsewhere(sold: Any, late_client: Client) -> None:
    old, new, payment = sold
    more = pay(late_client, "150", how="none")
    allocate(more, {f"invoice:{old.pk}": Decimal(150)}, on=TODAY, by=CLERK)
    assert balances(old, new) == [150, 200]
    allocate(payment, "oldest", on=TODAY, by=CLERK)
    assert balances(old, new) == [100, 0]


def lost() -> list[str]:
    return list(Event.objects.filter(action="invoice_lost_its_cash").order_by("pk").values_list("summary", flat=True))


def test_cash_that_is_taken_back_is_told_of_the_invoice_that_loses_it(sold: Any, late_client: Client) -> None:
    _old, new, payment = sold
    small, more = pay(late_client, "30", how="none"), pay(late_client, "60", how="none")
    take_back_payment(more, reason="another client's", on=TODAY, by=CLERK)
    assert lost() == []
    take_back_payment(payment, reason="recalled", on=TODAY, by=CLERK, returned_by_bank=True)
    event = Event.objects.get(action="invoice_lost_its_cash")
    assert (event.doc, event.client_id, event.object_id) == (f"invoice:{new.pk}", late_client.pk, str(new.pk))
    assert event.summary == f"{new.number}: 170.00 EUR"
    take_back_payment(payment, reason="again", on=TODAY, by=CLERK)
    other = pay(late_client, "40", how="oldest")
    take_back_payment(other, reason="another client's", on=TODAY, by=CLERK)
    assert len(lost()) == 1
    take_back_payment(small, reason="another client's", on=TODAY, by=CLERK)
    assert lost()[1:] == [f"{new.number}: 200.00 EUR"]
    assert check(timezone.now())["violations"] == []


def test_cash_that_was_put_to_its_invoice_is_lost_all_the_same(sold: Any) -> None:
    _old, new, payment = sold
    allocate(payment, "oldest", on=TODAY, by=CLERK)
    take_back_payment(payment, reason="bounced", on=TODAY, by=CLERK, returned_by_bank=True)
    assert balances(new) == [200]
    assert lost() == [f"{new.number}: 200.00 EUR"]


def test_only_the_entry_that_came_in_says_that_the_bank_returned_it(late_client: Client) -> None:
    make_invoice(late_client, "100")
    payment = pay(late_client, "100")
    take_back_payment(payment, reason="bounced", on=TODAY, by=CLERK, returned_by_bank=True)
    back = payment.reversal()
    assert back is not None and (back.kind, back.key) == ("returned", f"reversal:payment:{payment.key}")
    assert payment.allocations.get().entry.reversed_by.kind == "reversal"
    assert Event.objects.get(action="payment_taken_back").diff == {"returned_by_bank": True}
    assert check(timezone.now())["violations"] == []
