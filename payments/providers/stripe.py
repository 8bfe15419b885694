"""Stripe: its hosted checkout, its signed webhooks, its refunds and payouts. Nothing of a card ever reaches us."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import stripe
from django.conf import settings

from core.money import places

from .base import Begin, Begun, Declined, Given, Heard, Kind, NotGenuine, PayoutLine, Unreachable
from .signing import TOLERANCE

HEADER = "Stripe-Signature"
TIMEOUT = 15  # seconds; a client waits for it
# Stripe counts these in whole units, and a few others otherwise than ISO 4217 does.
WHOLE = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)


def http_client() -> stripe.HTTPClient:
    """How Stripe is reached; tests put their own in its place."""
    return stripe.RequestsClient(timeout=TIMEOUT)


def in_units(amount: Decimal, currency: str) -> int:
    """An amount as Stripe counts it, in the smallest unit.

    >>> in_units(Decimal("12.3400"), "EUR"), in_units(Decimal(1200), "JPY"), in_units(Decimal("1.250"), "KWD")
    (1234, 1200, 1250)
    """
    return int(amount.scaleb(_exponent(currency)))


def from_units(units: int, currency: str) -> Decimal:
    """An amount as Stripe counts it, in ours.

    >>> from_units(1234, "EUR"), from_units(1200, "JPY")
    (Decimal('12.34'), Decimal('1200'))
    """
    return Decimal(units).scaleb(-_exponent(currency))


def _exponent(currency: str) -> int:
    return 0 if currency in WHOLE else max(places(currency), 2)


class Stripe:
    name = "stripe"
    label = "Stripe"

    @property
    def account(self) -> str:
        return str(settings.STRIPE_ACCOUNT)

    def start(self, begin: Begin) -> Begun:
        metadata = {"checkout": begin.key, "company": begin.company}
        price: Any = {
            "currency": begin.currency.lower(), "unit_amount": in_units(begin.amount, begin.currency),
            "product_data": {"name": begin.what_for[:250]},
        }
        params: Any = {
            "mode": "payment", "client_reference_id": begin.key, "metadata": metadata,
            "payment_intent_data": {"metadata": metadata, "description": begin.what_for[:250]},
            "line_items": [{"price_data": price, "quantity": 1}], "locale": begin.language,
            "success_url": begin.back_to, "cancel_url": begin.page,
        }
        if begin.email:
            params["customer_email"] = begin.email
        with _reached() as client:
            session = client.v1.checkout.sessions.create(params, self._options(begin.key))
        if not session.url:
            raise Declined("Stripe gave no address to pay at.")
        return Begun(session.id, session.url)

    def verify_webhook(self, body: bytes, headers: Mapping[str, str], at: dt.datetime) -> Heard:
        header, secret = headers.get(HEADER, ""), settings.STRIPE_WEBHOOK_SECRET
        try:
            stripe.WebhookSignature.verify_header(body, header, secret)
            stamp, _signatures = stripe.WebhookSignature._get_timestamp_and_signatures(header, "v1")
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as why:
            raise NotGenuine(str(why)) from why
        if abs(at.timestamp() - stamp) > TOLERANCE.total_seconds():
            raise NotGenuine("signed more than 5 minutes away from now")
        event = json.loads(body)
        return self._heard(event["id"], event["type"], event["data"]["object"], event)

    def fetch(self, ref: str, at: dt.datetime) -> Heard | None:
        expand: Any = {"expand": ["payment_intent"]}
        with _reached() as client:
            session = client.v1.checkout.sessions.retrieve(ref, expand, self._options()).to_dict()
        intent = session.get("payment_intent")
        if session["status"] == "expired":
            said = "checkout.session.expired"
        elif session["status"] != "complete":
            return None
        elif isinstance(intent, dict) and intent.get("status") in ("requires_payment_method", "canceled"):
            said = "checkout.session.async_payment_failed"
        else:
            said = "checkout.session.completed"
        facts = {"created": int(at.timestamp()), "livemode": session["livemode"]}
        return self._heard(f"fetched:{ref}:{session['payment_status']}:{said}", said, session, facts)

    def refund(self, payment_ref: str, amount: Decimal, currency: str, key: str) -> Given:
        params: Any = {
            "payment_intent": payment_ref, "amount": in_units(amount, currency), "metadata": {"refund": key},
        }
        with _reached() as client:
            given = client.v1.refunds.create(params, self._options(key))
        if given.status in ("failed", "canceled"):
            raise Declined(f"Stripe did not give it back: {given.failure_reason or given.status}.")
        return Given(given.id, given.status == "succeeded")

    def payout(self, about: str) -> tuple[PayoutLine, ...]:
        params: Any = {"payout": about, "limit": 100, "expand": ["data.source"]}
        with _reached() as client:
            found = client.v1.balance_transactions.list(params, self._options())
            rows = [row.to_dict() for row in found.auto_paging_iter()]
        return tuple(_line(row) for row in rows if row["type"] != "payout")

    def _options(self, key: str = "") -> Any:
        options: dict[str, str] = {}
        if key:
            options["idempotency_key"] = f"arledger:{key}"
        if self.account:
            options["stripe_account"] = self.account
        return options

    def _heard(self, event_id: str, name: str, thing: dict[str, Any], event: Mapping[str, Any]) -> Heard:
        """A word of Stripe in ours; one about the other mode than our key's is about another account."""
        kind, read = _WORDS.get(name, ("other", _nothing))
        live = settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
        account = str(event.get("account") or self.account)
        if bool(event.get("livemode")) != live:
            account = "live mode" if event.get("livemode") else "test mode"
        currency = str(thing.get("currency") or "").upper()
        facts = read(thing)
        units = facts.pop("units", None)
        kind = facts.pop("kind", kind)
        return Heard(
            event_id=event_id, kind=kind, name=name, account=account, currency=currency,
            happened_at=dt.datetime.fromtimestamp(event["created"], dt.UTC),
            amount=from_units(units, currency) if units is not None and currency else None, **facts,
        )


def _session(thing: dict[str, Any]) -> dict[str, Any]:
    facts = {
        "checkout": thing.get("client_reference_id") or "", "ref": thing["id"], "units": thing.get("amount_total"),
        "payment_ref": _id(thing.get("payment_intent")),
    }
    return facts | ({"kind": "pending"} if thing.get("payment_status") == "unpaid" else {})


def _ended(thing: dict[str, Any]) -> dict[str, Any]:
    """A session that is over without money: by its name, whatever its payment status says."""
    return {name: value for name, value in _session(thing).items() if name != "kind"}


def _charge(thing: dict[str, Any]) -> dict[str, Any]:
    return {
        "units": thing["amount_refunded"], "payment_ref": _id(thing.get("payment_intent")), "about": thing["id"],
        "checkout": (thing.get("metadata") or {}).get("checkout", ""),
    }


def _failed_refund(thing: dict[str, Any]) -> dict[str, Any]:
    failed = thing.get("status") in ("failed", "canceled")
    return {
        "units": thing["amount"], "payment_ref": _id(thing.get("payment_intent")), "about": thing["id"],
        "because": thing.get("failure_reason") or "", "kind": "refund_failed" if failed else "other",
    }


def _dispute(thing: dict[str, Any]) -> dict[str, Any]:
    """A chargeback; a mere inquiry moves no money, and somebody has to answer it at Stripe."""
    if str(thing.get("status")).startswith("warning_"):
        return {"kind": "other", "about": thing["id"], "because": "the payer's bank asks: answer it at Stripe"}
    return {
        "units": thing["amount"], "payment_ref": _id(thing.get("payment_intent")), "about": thing["id"],
        "because": str(thing.get("reason") or "").replace("_", " "),
        "won": thing.get("status") == "won",
    }


def _payout(thing: dict[str, Any]) -> dict[str, Any]:
    return {"units": thing["amount"], "about": thing["id"]}


def _nothing(thing: dict[str, Any]) -> dict[str, Any]:
    return {}


def _line(row: dict[str, Any]) -> PayoutLine:
    source, currency = row.get("source"), row["currency"].upper()
    source = source if isinstance(source, dict) else {}
    return PayoutLine(
        ref=row["id"], payment_ref=_id(source.get("payment_intent")), net=from_units(row["net"], currency),
        fee=from_units(row["fee"], currency), currency=currency,
    )


def _id(thing: Any) -> str:
    """An object that Stripe names by its id or spells out."""
    return str(thing["id"] if isinstance(thing, dict) else thing or "")


_WORDS: dict[str, tuple[Kind, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "checkout.session.completed": ("succeeded", _session),
    "checkout.session.async_payment_succeeded": ("succeeded", _session),
    "checkout.session.async_payment_failed": ("failed", _ended),
    "checkout.session.expired": ("abandoned", _ended),
    "charge.refunded": ("refunded", _charge),
    "refund.failed": ("refund_failed", _failed_refund),
    "refund.updated": ("refund_failed", _failed_refund),
    "charge.dispute.created": ("chargeback", _dispute),
    "charge.dispute.closed": ("chargeback_closed", _dispute),
    "payout.paid": ("payout", _payout),
}


@contextmanager
def _reached() -> Any:
    """Stripe's own client with our key; what it says no with becomes a sentence."""
    try:
        yield stripe.StripeClient(settings.STRIPE_SECRET_KEY, http_client=http_client(), max_network_retries=1)
    except (stripe.APIConnectionError, stripe.RateLimitError) as why:
        raise Unreachable("Stripe cannot be reached at the moment.") from why
    except stripe.StripeError as why:
        if (why.http_status or 0) >= 500:
            raise Unreachable("Stripe has a fault at the moment.") from why
        raise Declined(why.user_message or "Stripe did not accept it.") from why
