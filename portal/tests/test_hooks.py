"""The door at which payment providers call: what is not proven leaves nothing behind but a count."""

from __future__ import annotations

import datetime as dt
import json
import logging
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from invoices.models import Entry
from payments.models import Checkout, Payment, ProviderEvent
from payments.providers.sandbox import HEADER, Sandbox
from payments.providers.signing import signed
from payments.refused_calls import refused_calls
from payments.tests.provided import begin, offer_card
from portal import hooks
from tests.cast import make_invoice

pytestmark = pytest.mark.django_db

SANDBOX = Sandbox()


@pytest.fixture(autouse=True)
def counted_anew() -> None:
    cache.clear()


@pytest.fixture
def checkout(company: Any, good_client: Any) -> Checkout:
    offer_card(company)
    return begin(make_invoice(good_client, "1200")).checkout


def word(checkout: Checkout, **facts: Any) -> bytes:
    return json.dumps({
        "event_id": "evt_1", "kind": "succeeded", "name": "checkout.completed", "checkout": checkout.key, "ref": "sb",
        "payment_ref": "pi_1", "amount": "1200.00", "currency": "EUR", "account": "sandbox",
        "happened_at": timezone.now().isoformat(),
    } | facts).encode()


def call(body: bytes, header: str, to: str = "sandbox", **extra: Any) -> Any:
    browser = Browser(enforce_csrf_checks=True)
    return browser.post(f"/hooks/{to}/", body, content_type="application/json", headers={HEADER: header}, **extra)


def sign(body: bytes, secret: str = "", at: dt.datetime | None = None) -> str:
    return signed(body, secret or SANDBOX.secret, at or timezone.now())


def nothing_is_kept() -> bool:
    return not ProviderEvent.objects.exists() and not Payment.objects.exists() and not Entry.objects.filter(
        kind="payment"
    ).exists()


def test_what_is_signed_is_heard_without_a_cookie(checkout: Checkout) -> None:
    body = word(checkout)
    response = call(body, sign(body))
    assert (response.status_code, response.content, response["Cache-Control"]) == (200, b"heard", "no-store")
    assert Payment.objects.get().amount == 1200


def test_a_call_said_again_is_heard_once(checkout: Checkout) -> None:
    body = word(checkout)
    assert [call(body, sign(body)).status_code for _n in range(5)] == [200] * 5
    assert Payment.objects.count() == ProviderEvent.objects.count() == 1


AN_HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    "forged",
    [
        lambda body: (body, ""), lambda body: (body, "t=1"), lambda body: (body, "t=x,v1=y"),
        lambda body: (body, sign(body, "another secret")), lambda body: (body, sign(b"{}")),
        lambda body: (body[:-1], sign(body)), lambda body: (body.replace(b"1200", b"9200"), sign(body)),
        lambda body: (json.dumps(json.loads(body), indent=1).encode(), sign(body)),
        lambda body: (body, sign(body, at=timezone.now() - AN_HOUR)),
        lambda body: (body, sign(body, at=timezone.now() + AN_HOUR)),
        lambda body: (body, sign(body).replace("v1=", "v0=")), lambda body: (body, "t=1,t=2," + sign(body)),
        lambda body: (body, "t=٣,v1=é"),
    ],
    ids=[
        "none", "no digest", "no number", "other secret", "other body", "cut short", "changed", "written anew",
        "an hour old", "of the next hour", "other scheme", "two stamps", "no ascii",
    ],
)
def test_what_is_not_proven_leaves_nothing_but_a_count(
    checkout: Checkout, forged: Any, caplog: pytest.LogCaptureFixture
) -> None:
    body, header = forged(word(checkout))
    with caplog.at_level(logging.WARNING):
        assert call(body, header.encode("utf-8").decode("latin-1")).status_code == 400
    assert nothing_is_kept() and refused_calls("sandbox") == 1
    assert "was refused" in caplog.text and checkout.key not in caplog.text


@pytest.mark.parametrize("name", ["stripe", "paypal", "nobody"])
def test_a_provider_without_its_secret_has_no_door(checkout: Checkout, name: str) -> None:
    body = word(checkout)
    assert call(body, sign(body), to=name).status_code == 404


def test_the_sandbox_has_no_door_where_it_is_off(checkout: Checkout, settings: Any) -> None:
    settings.PAYMENT_PROVIDERS = []
    body = word(checkout)
    assert call(body, sign(body)).status_code == 404 and nothing_is_kept()
    assert Browser().get(f"/sandbox/{checkout.key}/").status_code == 404


def test_nothing_is_told_to_who_only_looks(checkout: Checkout) -> None:
    assert Browser().get("/hooks/sandbox/").status_code == 405


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"[]", b"null", b"{}", b'{"kind": "succeeded"}', b"\xff\xfe", b'{"kind": "magic"}',
     b'{"kind": "succeeded", "happened_at": "yesterday", "amount": "1"}',
     b'{"kind": "succeeded", "happened_at": "2026-11-18T10:00:00+00:00", "amount": "much"}',
     b'{"kind": "payout", "happened_at": "2026-11-18T10:00:00+00:00", "lines": [{}]}'],
)  # fmt: skip
def test_signed_nonsense_is_refused_without_a_fault(nonsense: bytes) -> None:
    assert call(nonsense, sign(nonsense)).status_code == 400 and nothing_is_kept()


def test_a_call_of_any_size_is_not_read(checkout: Checkout) -> None:
    body = word(checkout, because="x" * hooks.LARGEST)
    assert call(body, sign(body)).status_code == 413 and nothing_is_kept()


def test_too_many_calls_of_one_address_wait(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "CALLS_AT_MOST", 3)
    body = word(checkout)
    assert [call(body, sign(body)).status_code for _n in range(4)] == [200, 200, 200, 429]


def test_each_page_of_the_sandbox_ends_as_its_button_says(checkout: Checkout) -> None:
    page, browser = f"/sandbox/{checkout.key}/", Browser()
    assert "€1,200.00" in browser.get(page).content.decode()
    declined = browser.post(page, {"outcome": "decline"})
    assert declined.status_code == 402 and "declined it" in declined.content.decode()
    asks = browser.post(page, {"outcome": "extra_step"})
    assert asks["Location"] == f"{page}confirm/"
    assert browser.post(f"{page}confirm/", {"answer": "no"}).status_code == 402
    assert not Payment.objects.exists()
    done = browser.post(f"{page}confirm/", {"answer": "yes"})
    assert done.status_code == 303 and done["Location"].endswith(f"/checkout/{checkout.key}/")
    assert Payment.objects.get().amount == Decimal(1200)
    assert browser.post(page, {"outcome": "success"}).status_code == 409
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(("outcome", "words"), [("duplicate", 2), ("disorder", 2), ("success", 1)])
def test_however_often_the_sandbox_tells_it_it_is_one_payment(checkout: Checkout, outcome: str, words: int) -> None:
    assert Browser().post(f"/sandbox/{checkout.key}/", {"outcome": outcome}).status_code == 303
    checkout.refresh_from_db()
    assert checkout.state == "succeeded" and Payment.objects.count() == 1
    assert ProviderEvent.objects.count() == words


@pytest.mark.parametrize(("does", "state", "payments"), [("arrive", "succeeded", 1), ("fail", "failed", 0)])
def test_a_debit_of_the_sandbox_arrives_later_or_fails(
    checkout: Checkout, does: str, state: str, payments: int
) -> None:
    page, browser = f"/sandbox/{checkout.key}/", Browser()
    browser.post(page, {"outcome": "delayed"})
    checkout.refresh_from_db()
    assert checkout.state == "pending" and not Payment.objects.exists()
    assert browser.post(f"{page}bank/", {"does": "dispute"}).status_code == 404
    assert browser.post(f"{page}bank/", {"does": does}).status_code == 303
    checkout.refresh_from_db()
    assert (checkout.state, Payment.objects.count()) == (state, payments)


def test_the_bank_of_the_sandbox_takes_back_gives_again_and_pays_out(checkout: Checkout) -> None:
    page, browser = f"/sandbox/{checkout.key}/", Browser()
    browser.post(page, {"outcome": "success"})
    invoice = checkout.client.invoices.get()
    for does, owed in (("dispute", 1200), ("win", 0), ("pay_out", 0)):
        browser.post(f"{page}bank/", {"does": does})
        invoice.refresh_from_db()
        assert invoice.balance == owed
    held = Entry.objects.filter(dr="bank", kind="payout").get()
    assert held.amount == Decimal("1181.75")
