"""How much a client may owe: set from a day on, never overwritten, and which limit holds on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from audit.services import record
from clients.models import Client, CreditLimit
from core.errors import Refused
from core.models import as_text
from core.money import currency_codes, is_exact, plain
from core.permissions import demand
from policies.credit import credit_policy_of

from .locking import lock_client


def limit_of(client: Client, currency: str, on: dt.date) -> CreditLimit | None:
    """The limit in force on a day, or None where none was ever set: then the exposure is not bounded."""
    return CreditLimit.objects.filter(client=client, currency=currency, effective_on__lte=on).first()


def limits_of(clients: Iterable[Client], on: dt.date) -> dict[tuple[int, str], CreditLimit]:
    """The limits in force of many clients, by client and currency, in one query; who has none is absent."""
    rows = CreditLimit.objects.filter(client__in=[c.pk for c in clients], effective_on__lte=on)
    return {(row.client_id, row.currency): row for row in rows.order_by("effective_on", "pk")}


def start_limit(client: Client, *, on: dt.date, by: Any) -> CreditLimit | None:
    """The conservative limit a new client begins with; nothing on credit in a foreign currency the policy leaves out.

    None where the policy names no sum in the company's own currency: nobody has said yet what is conservative there,
    and the client stands on the list of those without a limit. Refused where no credit policy is in force.
    """
    policy = credit_policy_of(client.company, on)
    amount = policy.starting_limit.get(client.currency)
    because = f"starting limit of the credit policy from {policy.effective_from.isoformat()}"
    if amount is None and client.currency == client.company.currency:
        return None
    if amount is None:
        because = f"the policy names no starting limit in {client.currency}"
    return set_limit(
        client, Decimal(amount or 0), client.currency, source="policy", on=on, by=by, because=because
    )


def set_limit(
    client: Client, amount: Decimal, currency: str, *, because: str, source: str, on: dt.date, by: Any,
    reasons: Sequence[Any] = (),
) -> CreditLimit:
    """Give a client a limit from today; the same limit again changes nothing.

    ``amount`` is in whole units of ``currency``, zero or more. Refused below zero, finer than the currency, and
    without a reason, and by hand without the permission.
    """
    if currency not in currency_codes():
        raise Refused(f"“{currency}” is not a currency; write EUR, USD or another code.", where="currency")
    if amount < 0:
        raise Refused("A credit limit is zero or more; zero means that nothing is sold on credit.", where="amount")
    if not is_exact(amount, currency):
        raise Refused(f"{amount} is finer than {currency} allows; round it.", code="too_fine", where="amount")
    if not because.strip():
        raise Refused("Say why the limit is set.", code="reason", where="because")
    if source == "hand":
        demand(by, "clients.set_limit", "set a credit limit")
    with transaction.atomic():
        lock_client(client.pk)
        standing = limit_of(client, currency, on)
        if standing is not None and standing.amount == amount:
            return standing
        limit = CreditLimit.objects.create(
            client=client, currency=currency, amount=amount, effective_on=on, source=source,
            because=because.strip()[:300], reasons=list(reasons), set_by=as_text(by),
        )
        was = plain(standing.amount, currency) if standing else "none"
        record(
            by, "credit_limit_set", limit, client_id=client.pk, diff={"limit": f"{was} → {plain(amount, currency)}"},
            summary=because,
        )
    return limit
