"""Payments by card for the tests: a company that offers the sandbox, a checkout begun, and words of the sandbox."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

from clients.models import Client
from core.models import PaymentMethod
from invoices.models import Invoice, ShareLink
from invoices.services.linking import link_for
from payments.models import Checkout, ProviderEvent
from payments.providers import Heard
from payments.providers.sandbox import Sandbox
from payments.services.checkouts import BegunCheckout, start_checkout
from payments.services.hearing import hear
from tests.cast import TODAY

AT = dt.datetime.combine(TODAY, dt.time(10), tzinfo=dt.UTC)
SANDBOX = Sandbox()
_numbers = itertools.count(1)


def offer_card(company: Any, **facts: Any) -> PaymentMethod:
    return PaymentMethod.objects.create(**{"company": company, "kind": "card", "provider": "sandbox"} | facts)


def link_of(invoice: Invoice) -> ShareLink:
    return link_for(invoice, invoice.client.contacts.first(), AT)


def begin(invoice: Invoice, amount: str = "", **facts: Any) -> BegunCheckout:
    """The client goes to the provider's page for an invoice."""
    claims = {f"invoice:{invoice.pk}": Decimal(amount) if amount else invoice.balance}
    return start_checkout(link_of(invoice), claims, **{"at": AT, "on": TODAY} | facts)


def word(begun: Checkout, kind: Any = "succeeded", **facts: Any) -> Heard:
    """What the provider says of a checkout; another event each time, unless it is given an id."""
    n = next(_numbers)
    return Heard(**{
        "event_id": f"evt_{n}", "kind": kind, "name": kind, "happened_at": AT, "checkout": begun.key,
        "ref": begun.provider_ref, "payment_ref": f"pi_{begun.key[:12]}", "amount": begun.amount,
        "currency": begun.currency, "account": "sandbox",
    } | facts)  # fmt: skip


def heard(begun: Checkout, kind: Any = "succeeded", **facts: Any) -> ProviderEvent:
    return hear(SANDBOX, word(begun, kind, **facts), at=facts.get("happened_at", AT))


def paid_by_card(client: Client, invoice: Invoice, **facts: Any) -> Checkout:
    """An invoice paid by card, as the provider says."""
    checkout = begin(invoice, **facts).checkout
    heard(checkout)
    checkout.refresh_from_db()
    return checkout
