"""Unapplied cash is paid back by hand: money that came in and belongs to nothing we are owed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction

from clients.models import Client
from clients.services import lock_client
from core.errors import Refused
from core.money import is_exact, plain
from core.permissions import demand
from invoices.models import BANK, ProForma
from invoices.services.credit import waiting_for_cash

from ..models import Payment, Refund
from .allocating import unallocated
from .refunds import take_out

LONGEST_KEY = 100


def pay_back(
    client: Client, amount: Decimal, currency: str, *, on: dt.date, by: Any, reason: str, key: str
) -> list[Refund]:
    """Note that unapplied cash was transferred back to a client; the oldest payments first. ``key``: it happens once.

    Needs the permission ``payments.add_refund``. Refused without a reason, for more than is free: what is kept for a
    pro forma, and what an invoice was issued against, is not.
    """
    demand(by, "payments.add_refund", "pay money back")
    if not reason.strip():
        raise Refused("Say why the money is paid back.", code="reason", where="reason")
    if not key or len(key) > LONGEST_KEY:
        raise Refused(f"A key has 1 to {LONGEST_KEY} characters.", code="key", where="key")
    if amount <= 0 or not is_exact(amount, currency):
        raise Refused(f"Write an amount above zero in whole units of {currency}.", code="amount", where="amount")
    with transaction.atomic():
        lock_client(client.pk)
        made = list(Refund.objects.filter(key__startswith=f"back:{key}:").select_related("payment").order_by("pk"))
        if made:
            was = sum((refund.amount for refund in made), Decimal(0))
            if (made[0].payment.client_id, made[0].currency, was) != (client.pk, currency, amount):
                raise Refused("This form was already used; open a new one.", code="key_reused")
            return made
        left = free_to_pay_back(client, currency)
        if amount > left:
            raise Refused(
                f"{plain(left, currency)} {currency} of {client} are free to be paid back; {plain(amount, currency)} "
                "is more.", code="too_much", where="amount",
            )  # fmt: skip
        for payment, share in _shares(client, currency, amount):
            made.append(
                take_out(
                    payment, share, kind="refund", key=f"back:{key}:{payment.pk}", reason=reason, on=on, by=by,
                    out_of=BANK,
                )
            )
    return made


def free_to_pay_back(client: Client, currency: str) -> Decimal:
    """Unapplied cash nobody waits for: less what is kept for pro formas, and what invoices were issued against."""
    held = sum((share for _payment, share in _held(client, currency)), Decimal(0))
    waits = sum((waits for _pk, _number, waits in waiting_for_cash(client, currency)), Decimal(0))
    return max(held - waits, Decimal(0))


def _held(client: Client, currency: str) -> list[tuple[Payment, Decimal]]:
    """The client's payments of which something is left, oldest first; money kept for a pro forma is none of it."""
    kept = ProForma.objects.standing().values("pk")
    payments = Payment.objects.standing().filter(client=client, currency=currency).exclude(pro_forma__in=kept)
    shares = ((payment, unallocated(payment)) for payment in payments.order_by("received_on", "pk"))
    return [(payment, share) for payment, share in shares if share > 0]


def _shares(client: Client, currency: str, amount: Decimal) -> list[tuple[Payment, Decimal]]:
    shares = []
    for payment, left in _held(client, currency):
        if amount > 0:
            shares.append((payment, min(left, amount)))
            amount -= min(left, amount)
    return shares
