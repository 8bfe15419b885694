"""Paying by card: what may be begun, and what is owed until the provider says that money came."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.errors import Refused
from invoices.models import Entry
from payments.models import Checkout, Payment
from payments.services.checkouts import in_flight, in_flight_words, start_checkout
from payments.tests.provided import AT, begin, heard, link_of, offer_card, paid_by_card
from tests.cast import TODAY, make_client, make_invoice, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(company: Any, good_client: Any) -> Any:
    offer_card(company)
    return make_invoice(good_client, "1200")


def test_a_payment_begun_owes_nothing_less(invoice: Any) -> None:
    begun = begin(invoice)
    invoice.refresh_from_db()
    assert begun.url.endswith(f"/sandbox/{begun.checkout.key}/")
    assert (begun.checkout.state, begun.checkout.provider, begun.checkout.amount) == ("started", "sandbox", 1200)
    assert begun.checkout.split == {f"invoice:{invoice.pk}": "1200.00"}
    assert invoice.balance == 1200 and not Payment.objects.exists()


def test_money_that_arrived_pays_the_invoice_and_lies_with_the_provider(good_client: Any, invoice: Any) -> None:
    checkout = paid_by_card(good_client, invoice)
    invoice.refresh_from_db()
    assert invoice.balance == 0 and checkout.state == "succeeded"
    entry = Entry.objects.get(kind="payment")
    assert (entry.dr, entry.cr, entry.amount) == ("clearing:sandbox", "customer_credit", 1200)
    assert entry.effective_on == TODAY
    assert checkout.payment is not None and checkout.payment.method == "card"


def test_the_same_form_sent_twice_begins_one_payment(invoice: Any) -> None:
    one, again = begin(invoice, key="form-1"), begin(invoice, key="form-1")
    assert one.checkout.pk == again.checkout.pk and one.url == again.url
    assert begin(invoice, key="form-2").checkout.pk != one.checkout.pk


def test_a_form_of_an_earlier_payment_is_not_used_again(invoice: Any) -> None:
    heard(begin(invoice, "200", key="form-1").checkout)
    with pytest.raises(Refused, match="sent before"):
        begin(invoice, "200", key="form-1")


def test_a_form_sent_again_begins_no_payment_of_another_sum_or_of_what_is_paid_meanwhile(invoice: Any) -> None:
    begin(invoice, "200", key="form-1")
    with pytest.raises(Refused, match="sent before"):
        begin(invoice, "500", key="form-1")
    heard(begin(invoice, "300", key="form-2").checkout, "pending")
    with pytest.raises(Refused, match="on its way"):
        begin(invoice, "200", key="form-1")
    Checkout.objects.filter(state="pending").update(state="failed")
    pay(invoice.client, str(invoice.balance))
    with pytest.raises(Refused, match="paid already"):
        begin(invoice, "200", key="form-1")


def test_more_than_is_open_and_what_is_not_this_clients_is_refused(company: Any, invoice: Any) -> None:
    with pytest.raises(Refused, match=r"At most €1,200\.00"):
        begin(invoice, "1200.01")
    with pytest.raises(Refused, match="At most"):
        begin(invoice, "-1")
    foreign = make_invoice(make_client(company, "C-0099"), "50")
    for claim in (f"invoice:{foreign.pk}", "invoice:x", f"charge:{invoice.pk}", f"draft:{invoice.pk}", ""):
        with pytest.raises(Refused, match="no longer owed"):
            start_checkout(link_of(invoice), {claim: Decimal(50)}, at=AT, on=TODAY)
    with pytest.raises(Refused, match="nothing to pay"):
        start_checkout(link_of(invoice), {}, at=AT, on=TODAY)
    assert not Checkout.objects.exists()


def test_a_paid_invoice_is_not_paid_again(good_client: Any, invoice: Any) -> None:
    pay(good_client, "1200")
    with pytest.raises(Refused, match="no longer owed"):
        begin(invoice, "1200")


def test_while_a_payment_is_on_its_way_no_second_one_begins(invoice: Any) -> None:
    checkout = begin(invoice).checkout
    heard(checkout, "pending")
    with pytest.raises(Refused, match=r"€1,200\.00 is on its way"):
        begin(invoice)
    assert in_flight(invoice) == Checkout.objects.get()
    assert "no reminders" in in_flight_words(checkout, "en")
    heard(checkout, "failed", because="the account was closed")
    assert in_flight(invoice) is None
    assert begin(invoice).checkout.state == "started"


def test_limits_and_currency_of_the_method_hold(company: Any, good_client: Any) -> None:
    offer_card(company, smallest=Decimal(10), largest=Decimal(500), currency="EUR")
    small, fits, large = (make_invoice(good_client, amount) for amount in ("9.99", "10", "500.01"))
    for invoice in (small, large):
        with pytest.raises(Refused, match="cannot be paid by card"):
            begin(invoice)
    assert begin(fits).checkout.state == "started"


def test_a_card_is_refused_where_no_provider_is_set_up(invoice: Any, settings: Any) -> None:
    settings.PAYMENT_PROVIDERS = []
    with pytest.raises(Refused, match="cannot be paid by card"):
        begin(invoice)


def test_money_paid_meanwhile_otherwise_is_kept_as_unapplied_cash(good_client: Any, invoice: Any) -> None:
    checkout = begin(invoice).checkout
    pay(good_client, "1000")
    heard(checkout)
    invoice.refresh_from_db()
    payment = Checkout.objects.get().payment
    assert payment is not None
    assert invoice.balance == 0 and payment.allocations.get().amount == 200


def test_several_invoices_are_paid_at_once_as_chosen(good_client: Any, invoice: Any) -> None:
    other = make_invoice(good_client, "300")
    claims = {f"invoice:{invoice.pk}": Decimal(1200), f"invoice:{other.pk}": Decimal(100)}
    heard(start_checkout(link_of(invoice), claims, at=AT, on=TODAY).checkout)
    for each in (invoice, other):
        each.refresh_from_db()
    assert (invoice.balance, other.balance) == (0, 200)
