"""Card and wallet in the demo book, through the sandbox: paid, paid out, on its way, taken back, and a sum that is off.

Days count back from today. A line whose client has nothing open by then is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone

from clients.models import Client
from core.models import BankAccount, Company, PaymentMethod
from core.money import plain, round_money
from invoices.documents import recipient
from invoices.models import Invoice
from invoices.services.linking import link_for
from payments.models import Checkout
from payments.providers.sandbox import Sandbox
from payments.services.checkouts import start_checkout
from payments.services.hearing import receive

SECOND_BANK = {"bank_name": "Postbank", "iban": "DE33100205000001194700", "position": 2}
SANDBOX = Sandbox()


class Card(NamedTuple):
    """So many days ago a client paid its oldest open invoice, and what was said of it on which days."""

    ago: int
    client: str
    words: tuple[tuple[int, str, dict[str, Any]], ...]


CARDS = (
    Card(11, "C-0109", ((11, "succeeded", {}), (8, "payout", {}))),
    Card(9, "1001", ((9, "succeeded", {}), (6, "payout", {}))),
    Card(10, "C-0112", ((10, "succeeded", {}), (2, "chargeback", {"because": "the payer does not recognise it"}))),
    Card(2, "C-0107", ((2, "pending", {}),)),
    Card(1, "C-0103", ((1, "succeeded", {"less": Decimal(100)}),)),
)


def offer_cards(companies: Sequence[Company]) -> None:
    """Both companies take cards by the sandbox, where it is on; the first has a second account."""
    BankAccount.objects.create(
        company=companies[0], currency="EUR", holder=companies[0].legal_name, **SECOND_BANK
    )
    for company in companies:
        if "sandbox" in settings.PAYMENT_PROVIDERS:
            PaymentMethod.objects.create(company=company, kind="card", provider="sandbox")


def paid_by_card_on(ago: int, on: dt.date, clients: Mapping[str, Client], begun: dict[str, Checkout]) -> None:
    """What is paid and said on a day; ``begun`` remembers the payments from one day to the next."""
    if "sandbox" not in settings.PAYMENT_PROVIDERS:
        return
    for card in CARDS:
        if card.ago == ago:
            _begin(card, clients[card.client], on, begun)
        for day, kind, facts in card.words:
            if day == ago and card.client in begun:
                _say(begun[card.client], kind, dict(facts))


def _begin(card: Card, client: Client, on: dt.date, begun: dict[str, Checkout]) -> None:
    invoice = Invoice.objects.open().of(client).order_by("due_on", "pk").first()
    if invoice is None:
        return
    at = timezone.now()
    link = link_for(invoice, recipient(client), at)
    begun[card.client] = start_checkout(link, {f"invoice:{invoice.pk}": invoice.balance}, at=at, on=on).checkout


def _say(checkout: Checkout, kind: str, facts: dict[str, Any]) -> None:
    at, currency = timezone.now(), checkout.currency
    amount = checkout.amount - facts.pop("less", Decimal(0))
    ref = f"sbpi_{checkout.key[:24]}"
    if kind == "payout":
        fee = round_money(amount * Decimal("0.015") + Decimal("0.25"), currency)
        line = {"ref": f"sbt_{checkout.key}", "payment_ref": ref, "net": plain(amount - fee, currency),
                "fee": plain(fee, currency), "currency": currency}  # fmt: skip
        amount, facts["lines"] = amount - fee, [line]
    said = {
        "event_id": f"sbe_{kind}_{checkout.key}", "kind": kind, "name": NAMES[kind], "checkout": checkout.key,
        "ref": checkout.provider_ref, "payment_ref": ref, "currency": currency, "amount": plain(amount, currency),
        "about": f"sb_{kind}_{checkout.key[:12]}",
    }
    receive(SANDBOX, *SANDBOX.says(at, **said, **facts), at=at)


NAMES = {
    "succeeded": "checkout.completed", "pending": "checkout.completed", "payout": "payout.paid",
    "chargeback": "dispute.created",
}
