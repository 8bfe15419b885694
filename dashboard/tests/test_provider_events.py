"""What a payment provider says and does not fit waits on a list, with what can be done; money is given back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.urls import reverse

from core.roles import MANAGER, give_role
from payments.models import Payment, ProviderEvent, Refund
from payments.providers import Declined
from payments.providers.sandbox import Sandbox
from payments.refused_calls import count_refused
from payments.services import unallocated
from payments.services.hearing import hear_waiting
from payments.tests.provided import AT, begin, heard, offer_card, paid_by_card
from tests.cast import TODAY, make_company, make_invoice, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    offer_card(company)
    cache.clear()
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        client.force_login(clerk)
        yield client


@pytest.fixture
def odd(desk: Any, good_client: Any) -> ProviderEvent:
    """1,100 arrived instead of 1,200."""
    return heard(begin(make_invoice(good_client, "1200")).checkout, "succeeded", amount=Decimal(1100))


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_list_says_what_happened_to_whom_and_what_can_be_done(desk: Any, odd: ProviderEvent) -> None:
    page = text(desk.get(url("provider_events")))
    assert "1100.00 EUR instead of 1200.00 EUR" in page and "Osprey Logistics" in page
    for action in ("event_take", "event_again", "event_settle"):
        assert url(action, odd.pk) in page
    assert "1 word of a payment provider waits for you" in text(desk.get(url("payments")))
    csv = b"".join(desk.get(url("provider_events") + "?format=csv").streaming_content).decode()
    assert odd.event_id in csv and "instead of" in csv


def test_an_empty_list_says_what_to_do_next(desk: Any) -> None:
    assert "Set a provider up" in text(desk.get(url("provider_events")))


def test_what_belongs_to_another_company_is_not_shown(desk: Any, odd: ProviderEvent) -> None:
    other = make_company("other")
    desk.post(url("choose_company"), {"company": other.pk})
    assert "instead of" not in text(desk.get(url("provider_events")))


def test_money_that_arrived_is_taken_as_a_payment_by_a_click(desk: Any, odd: ProviderEvent) -> None:
    answer = desk.post(url("event_take", odd.pk), follow=True)
    assert "Recorded" in text(answer) and Payment.objects.get().amount == 1100
    assert "Nothing waits for you" in text(desk.get(url("provider_events")))
    assert "settled already" in text(desk.post(url("event_take", odd.pk), follow=True))
    assert Payment.objects.count() == 1


def test_it_is_settled_with_a_word(desk: Any, odd: ProviderEvent) -> None:
    assert desk.post(url("event_settle", odd.pk), {"note": ""}).status_code == 422
    desk.post(url("event_settle", odd.pk), {"note": "returned at the provider"})
    odd.refresh_from_db()
    assert odd.settled_by == "Ada Kowalska"
    page = text(desk.get(url("provider_events") + "?tab=all"))
    assert "returned at the provider" in page and url("event_settle", odd.pk) not in page


def test_it_is_tried_again(desk: Any, odd: ProviderEvent) -> None:
    assert "instead of" in text(desk.post(url("event_again", odd.pk), follow=True))
    ProviderEvent.objects.update(facts={**odd.facts, "amount": "1200.00"})
    assert "Paid." in text(desk.post(url("event_again", odd.pk), follow=True))
    assert Payment.objects.get().amount == 1200


def test_nothing_is_done_by_looking(desk: Any, odd: ProviderEvent) -> None:
    for action in ("event_take", "event_again"):
        assert desk.get(url(action, odd.pk)).status_code == 405


def test_refused_calls_and_payments_on_their_way_are_told(desk: Any, good_client: Any) -> None:
    count_refused("sandbox")
    heard(begin(make_invoice(good_client, "1200")).checkout, "pending")
    page = text(desk.get(url("provider_events")))
    assert "1 call in the name of Sandbox was refused" in page
    assert "1 payment is on its way: €1,200.00" in page


def test_a_manager_gives_money_of_a_card_back_and_a_clerk_may_not(desk: Any, clerk: Any, good_client: Any) -> None:
    invoice = make_invoice(good_client, "1200")
    payment = paid_by_card(good_client, invoice).payment
    assert payment is not None
    assert url("payment_refund", payment.pk) not in text(desk.get(url("payment", payment.pk)))
    asked = {"key": "form-1", "amount": "200", "reason": "agreed on the telephone"}
    assert "You may not give money back" in text(desk.post(url("payment_refund", payment.pk), asked))
    assert not Refund.objects.exists()
    give_role(clerk, MANAGER)
    page = text(desk.get(url("payment", payment.pk)))
    assert url("payment_refund", payment.pk) in page and url("payment_take_back", payment.pk) not in page
    form = text(desk.get(url("payment_refund", payment.pk)))
    assert "At most €1,200.00" in form and "Sandbox gives it back" in form
    for _n in range(2):
        desk.post(url("payment_refund", payment.pk), asked)
    invoice.refresh_from_db()
    assert Refund.objects.get().state == "done" and invoice.balance == 200
    assert "agreed on the telephone" in text(desk.get(url("payment", payment.pk)))
    too_much = {"key": "form-2", "amount": "1000.01", "reason": "x"}
    assert "at most 1000.00 EUR" in text(desk.post(url("payment_refund", payment.pk), too_much))


def test_money_that_came_by_transfer_is_noted_as_given_back(desk: Any, clerk: Any, good_client: Any) -> None:
    give_role(clerk, MANAGER)
    payment = pay(good_client, "300")
    assert "Transfer it yourself" in text(desk.get(url("payment_refund", payment.pk)))
    desk.post(url("payment_refund", payment.pk), {"key": "f", "amount": "300", "reason": "paid twice"})
    assert unallocated(payment) == 0 and Refund.objects.get().state == "done"


def test_a_refund_the_provider_declines_is_told(
    desk: Any, clerk: Any, good_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def declines(*_args: Any) -> None:
        raise Declined("The card is closed.")

    give_role(clerk, MANAGER)
    payment = paid_by_card(good_client, make_invoice(good_client, "50")).payment
    assert payment is not None
    monkeypatch.setattr(Sandbox, "refund", declines)
    page = text(desk.post(
        url("payment_refund", payment.pk), {"key": "f", "amount": "50", "reason": "x"}, follow=True
    ))  # fmt: skip
    assert "could not be given back: The card is closed." in page and unallocated(payment) == 0


def test_what_waits_is_tried_again_by_itself(desk: Any, odd: ProviderEvent) -> None:
    ProviderEvent.objects.update(facts={**odd.facts, "amount": "1200.00"})
    assert hear_waiting(AT)["heard"] == 1 and hear_waiting(AT)["heard"] == 0
    odd.refresh_from_db()
    assert (odd.settled_by, Payment.objects.count()) == ("system", 1)
