"""Stripe: what we ask of it and what it says, without a network: its answers are written down as it gives them."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
import stripe
from django.test import Client as Browser

from ar_collections.models import Task
from arledger.invariants import check
from core.errors import Refused
from invoices.models import Entry
from payments.models import Checkout, Payment, ProviderEvent, Refund
from payments.providers import provider_of, providers
from payments.services.checkouts import start_checkout
from payments.services.hearing import look_up
from payments.services.refunds import refund_payment
from payments.tests.provided import AT, link_of, offer_card
from tests.cast import TODAY, make_invoice, make_manager

pytestmark = pytest.mark.django_db

SECRET = "whsec_made_up_for_tests"
CREATED = int(AT.timestamp())


class Asked(stripe.HTTPClient):
    """Stripe as it answers: by method and path, what was written down."""

    name = "written down"

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, str, dict[str, list[str]], dict[str, str]]] = []
        self.answers: dict[tuple[str, str], Any] = {}

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **_more: Any) -> Any:
        path, _mark, query = url.removeprefix("https://api.stripe.com").partition("?")
        self.calls.append((method, path, parse_qs(post_data or query), dict(headers)))
        answer = self.answers[method, path]
        if isinstance(answer, Exception):
            raise answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return json.dumps(body), status, {"request-id": "req_made_up"}

    def request_with_retries(self, method: str, url: str, headers: Any, data: Any = None, *_n: Any, **_o: Any) -> Any:
        return self.request(method, url, headers, data)


@pytest.fixture
def asked(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Asked:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test_made_up", SECRET
    settings.PAYMENT_PROVIDERS = ["stripe", "sandbox"]
    http = Asked()
    http.answers["post", "/v1/checkout/sessions"] = session(status="open", payment_status="unpaid", payment_intent=None)
    monkeypatch.setattr("payments.providers.stripe.http_client", lambda: http)
    return http


@pytest.fixture
def invoice(company: Any, good_client: Any, asked: Asked) -> Any:
    offer_card(company, provider="stripe")
    return make_invoice(good_client, "1200")


def session(**facts: Any) -> dict[str, Any]:
    return {
        "id": "cs_test_a1", "object": "checkout.session", "amount_subtotal": 120000, "amount_total": 120000,
        "client_reference_id": None, "currency": "eur", "livemode": False, "mode": "payment",
        "payment_intent": "pi_3Q", "payment_status": "paid", "status": "complete",
        "url": "https://checkout.stripe.com/c/pay/cs_test_a1",
    } | facts


def begin(invoice: Any) -> Checkout:
    claims = {f"invoice:{invoice.pk}": Decimal(invoice.balance)}
    return start_checkout(link_of(invoice), claims, at=AT, on=TODAY, key="form").checkout


def event(kind: str, thing: dict[str, Any], **facts: Any) -> bytes:
    return json.dumps({
        "id": f"evt_{kind}", "object": "event", "api_version": "2026-10-28.endive", "created": CREATED,
        "data": {"object": thing}, "livemode": False, "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None}, "type": kind,
    } | facts).encode()


def call(body: bytes, *, secret: str = SECRET, at: int | None = None) -> Any:
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at or int(time.time()))
    return Browser().post("/hooks/stripe/", body, content_type="application/json", headers={"Stripe-Signature": header})


def paid(invoice: Any) -> Checkout:
    checkout = begin(invoice)
    assert call(event("checkout.session.completed", session(client_reference_id=checkout.key))).status_code == 200
    checkout.refresh_from_db()
    return checkout


def test_a_checkout_is_begun_with_our_key_sum_and_addresses(invoice: Any, asked: Asked) -> None:
    checkout = begin(invoice)
    (method, path, sent, headers), = asked.calls
    assert (method, path, checkout.provider_ref) == ("post", "/v1/checkout/sessions", "cs_test_a1")
    assert sent["line_items[0][price_data][unit_amount]"] == ["120000"]
    assert sent["line_items[0][price_data][currency]"] == ["eur"]
    assert sent["client_reference_id"] == sent["payment_intent_data[metadata][checkout]"] == [checkout.key]
    assert sent["success_url"][0].endswith(f"/checkout/{checkout.key}/")
    assert sent["cancel_url"][0].startswith("http://127.0.0.1:8000/i/")
    assert sent["customer_email"] == ["ap@client.example"]
    assert headers["Idempotency-Key"] == f"arledger:{checkout.key}"


def test_the_same_form_again_leads_to_the_same_page(invoice: Any, asked: Asked) -> None:
    begin(invoice)
    begin(invoice)
    assert Checkout.objects.count() == 1
    assert {headers["Idempotency-Key"] for *_rest, headers in asked.calls} == {f"arledger:{Checkout.objects.get().key}"}


@pytest.mark.parametrize(
    "answer",
    [stripe.APIConnectionError("no route"), (500, {"error": {"message": "oh"}}),
     (400, {"error": {"type": "invalid_request_error", "message": "Amount too small"}})],
)
def test_a_client_is_told_when_stripe_cannot_be_reached_and_owes_as_before(
    invoice: Any, asked: Asked, answer: Any
) -> None:
    asked.answers["post", "/v1/checkout/sessions"] = answer
    with pytest.raises(Refused, match="does not work at the moment"):
        begin(invoice)
    assert Checkout.objects.get().state == "failed"


def test_money_that_arrived_pays_the_invoice(invoice: Any) -> None:
    checkout = paid(invoice)
    invoice.refresh_from_db()
    assert invoice.balance == 0 and checkout.state == "succeeded"
    payment = Payment.objects.get()
    assert (payment.reference, payment.recorded_by, payment.received_on) == ("pi_3Q", "Stripe", TODAY)
    assert Entry.objects.get(kind="payment").dr == "clearing:stripe"


@pytest.mark.parametrize(("end", "state", "owed"), [("succeeded", "succeeded", 0), ("failed", "failed", 1200)])
def test_a_debit_is_on_its_way_until_stripe_says_how_it_ended(invoice: Any, end: str, state: str, owed: int) -> None:
    checkout = begin(invoice)
    mine = session(client_reference_id=checkout.key, payment_status="unpaid")
    call(event("checkout.session.completed", mine))
    checkout.refresh_from_db()
    assert checkout.state == "pending" and not Payment.objects.exists()
    status = "paid" if end == "succeeded" else "unpaid"
    call(event(f"checkout.session.async_payment_{end}", mine | {"payment_status": status}))
    checkout.refresh_from_db()
    invoice.refresh_from_db()
    assert (checkout.state, invoice.balance) == (state, owed)


def test_a_page_nobody_finished_is_given_up(invoice: Any) -> None:
    checkout = begin(invoice)
    mine = session(client_reference_id=checkout.key, status="expired", payment_status="unpaid", payment_intent=None)
    call(event("checkout.session.expired", mine))
    checkout.refresh_from_db()
    assert checkout.state == "abandoned"


@pytest.mark.parametrize(
    ("odd", "facts", "because"),
    [
        ({"amount_total": 119999}, {}, "1199.99 EUR instead of 1200.00 EUR"),
        ({"currency": "usd"}, {}, "1200.00 USD instead of 1200.00 EUR"),
        ({}, {"livemode": True}, "another account (live mode)"),
        ({}, {"account": "acct_x"}, "another account (acct_x)"),
        ({"client_reference_id": "shop-7"}, {}, "nobody began here"),
    ],
)
def test_what_does_not_fit_is_kept_for_a_person_and_pays_nothing(
    invoice: Any, odd: dict[str, Any], facts: dict[str, Any], because: str
) -> None:
    mine = session(client_reference_id=begin(invoice).key) | odd
    assert call(event("checkout.session.completed", mine, **facts)).status_code == 200
    kept = ProviderEvent.objects.get()
    assert kept.needs_person and because in kept.outcome and not Payment.objects.exists()


def test_a_refund_of_ours_is_asked_for_once_and_confirmed(invoice: Any, asked: Asked) -> None:
    checkout = paid(invoice)
    assert checkout.payment is not None
    asked.answers["post", "/v1/refunds"] = {"id": "re_1", "object": "refund", "status": "pending", "amount": 20000}
    manager = make_manager()
    for _n in range(2):
        refund_payment(checkout.payment, Decimal(200), reason="returned", key="f1", on=TODAY, by=manager)
    asks = [call for call in asked.calls if call[1] == "/v1/refunds"]
    assert len(asks) == 1 and asks[0][2]["payment_intent"] == ["pi_3Q"] and asks[0][2]["amount"] == ["20000"]
    assert (Refund.objects.get().state, Refund.objects.get().provider_ref) == ("asked", "re_1")
    charge = {"id": "ch_1", "object": "charge", "amount": 120000, "amount_refunded": 20000, "currency": "eur",
              "payment_intent": "pi_3Q", "metadata": {"checkout": checkout.key}, "refunded": False}
    call(event("charge.refunded", charge))
    invoice.refresh_from_db()
    assert Refund.objects.get().state == "done" and invoice.balance == 200
    call(event("charge.refunded", charge | {"amount_refunded": 50000}, id="evt_at_stripe"))
    invoice.refresh_from_db()
    assert invoice.balance == 500 and Refund.objects.count() == 2 and check(AT)["violations"] == []


def test_a_refund_that_stripe_declines_leaves_the_money_where_it_was(invoice: Any, asked: Asked) -> None:
    checkout = paid(invoice)
    assert checkout.payment is not None
    asked.answers["post", "/v1/refunds"] = (400, {"error": {"message": "Charge has been charged back."}})
    refund = refund_payment(checkout.payment, Decimal(200), reason="x", key="f1", on=TODAY, by=make_manager())
    invoice.refresh_from_db()
    assert (refund.state, refund.failed_because) == ("failed", "Charge has been charged back.")
    assert invoice.balance == 0 and Task.objects.get().kind == "review" and check(AT)["violations"] == []


def test_a_refund_the_bank_sends_back_is_ours_again(invoice: Any, asked: Asked) -> None:
    checkout = paid(invoice)
    assert checkout.payment is not None
    asked.answers["post", "/v1/refunds"] = {"id": "re_1", "object": "refund", "status": "succeeded", "amount": 120000}
    refund_payment(checkout.payment, Decimal(1200), reason="x", key="f1", on=TODAY, by=make_manager())
    call(event("refund.failed", {
        "id": "re_1", "object": "refund", "amount": 120000, "currency": "eur", "payment_intent": "pi_3Q",
        "status": "failed", "failure_reason": "expired_or_canceled_card",
    }))
    invoice.refresh_from_db()
    assert Refund.objects.get().state == "failed" and invoice.balance == 0 and check(AT)["violations"] == []


def test_a_dispute_opens_what_was_paid_and_may_be_won(invoice: Any) -> None:
    paid(invoice)
    dispute = {"id": "dp_1", "object": "dispute", "amount": 120000, "charge": "ch_1", "currency": "eur",
               "payment_intent": "pi_3Q", "reason": "product_not_received", "status": "needs_response"}
    call(event("charge.dispute.created", dispute))
    invoice.refresh_from_db()
    assert invoice.balance == 1200 and "product not received" in Task.objects.get().because
    call(event("charge.dispute.closed", dispute | {"status": "won"}))
    invoice.refresh_from_db()
    assert invoice.balance == 0 and Refund.objects.get().state == "won" and check(AT)["violations"] == []


def test_a_mere_inquiry_moves_no_money_and_asks_a_person(invoice: Any) -> None:
    paid(invoice)
    dispute = {"id": "dp_1", "amount": 120000, "currency": "eur", "payment_intent": "pi_3Q",
               "status": "warning_needs_response"}
    call(event("charge.dispute.created", dispute))
    assert ProviderEvent.objects.get(kind="other").needs_person and not Refund.objects.exists()


def test_a_payout_is_asked_for_line_by_line(invoice: Any, asked: Asked) -> None:
    paid(invoice)
    rows = [
        {"id": "txn_1", "object": "balance_transaction", "type": "charge", "currency": "eur", "net": 118275,
         "fee": 1725, "source": {"id": "ch_1", "object": "charge", "payment_intent": "pi_3Q"}},
        {"id": "txn_2", "object": "balance_transaction", "type": "payout", "currency": "eur", "net": -118275, "fee": 0,
         "source": {"id": "po_1", "object": "payout"}},
    ]
    asked.answers["get", "/v1/balance_transactions"] = {
        "object": "list", "url": "/v1/balance_transactions", "has_more": False, "data": rows
    }
    payout = {"id": "po_1", "object": "payout", "amount": 118275, "currency": "eur", "status": "paid"}
    assert call(event("payout.paid", payout)).status_code == 200
    sums = {(e.dr, e.cr): e.amount for e in Entry.objects.filter(kind__in=("payout", "provider_fee"))}
    assert sums == {
        ("bank", "clearing:stripe"): Decimal("1182.75"), ("collection_cost", "clearing:stripe"): Decimal("17.25"),
    }
    assert not ProviderEvent.objects.filter(needs_person=True).exists() and check(AT)["violations"] == []


def test_a_payout_that_cannot_be_asked_for_is_told_again_later(invoice: Any, asked: Asked) -> None:
    asked.answers["get", "/v1/balance_transactions"] = stripe.APIConnectionError("no route")
    payout = {"id": "po_1", "object": "payout", "amount": 118275, "currency": "eur", "status": "paid"}
    assert call(event("payout.paid", payout)).status_code == 503
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"status": "complete", "payment_status": "paid"}, "succeeded"),
        ({"status": "complete", "payment_status": "unpaid"}, "pending"),
        ({"status": "complete", "payment_status": "unpaid", "payment_intent": {
            "id": "pi_3Q", "object": "payment_intent", "status": "requires_payment_method"}}, "failed"),
        ({"status": "expired", "payment_status": "unpaid"}, "abandoned"),
        ({"status": "open", "payment_status": "unpaid"}, "started"),
    ],
)  # fmt: skip
def test_what_did_not_reach_us_is_asked_for(invoice: Any, asked: Asked, facts: dict[str, Any], state: str) -> None:
    checkout = begin(invoice)
    asked.answers["get", "/v1/checkout/sessions/cs_test_a1"] = session(client_reference_id=checkout.key) | facts
    for _n in range(2):
        look_up(checkout, at=AT)
    assert checkout.state == state
    call(event("checkout.session.completed", session(client_reference_id=checkout.key)))
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("missing", ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"])
def test_half_configured_it_takes_no_money_and_hears_nobody(settings: Any, missing: str, invoice: Any) -> None:
    setattr(settings, missing, "")
    settings.PAYMENT_PROVIDERS = ["sandbox"]
    assert "stripe" not in providers()
    with pytest.raises(Refused, match="not set up"):
        provider_of("stripe")
    with pytest.raises(Refused, match="cannot be paid by card"):
        begin(invoice)
    assert call(event("checkout.session.completed", session())).status_code == 404
