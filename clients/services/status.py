"""The credit status of a client: which holds on a day, and moving to another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from audit.services import record
from clients.models import Client, StatusChange
from core.errors import Refused
from core.models import as_text
from core.permissions import demand
from policies.models import CreditPolicy

from .people import lock_client

STATUSES = dict(StatusChange.STATUSES)


def status_of(client: Client, on: dt.date) -> StatusChange | None:
    """The change that holds on a day, or None where credit was always open.

    A change with a last day gives way, after that day, to the one that held before it.
    """
    changes = StatusChange.objects.filter(client=client, effective_on__lte=on)
    return changes.exclude(ends_on__lt=on).first()


def set_status(
    client: Client, status: str, *, because: str, source: str, on: dt.date, by: Any, ends_on: dt.date | None = None,
    reasons: Sequence[Any] = (), terms_days: int | None = None, deposit_percent: Decimal = Decimal(0),
    policy: CreditPolicy | None = None,
) -> StatusChange:
    """Move a client to a credit status from today; the status it already has changes nothing.

    Refused without a reason, with a last day that lies before today, and by hand without the permission.
    """
    if status not in STATUSES:
        raise Refused(f"“{status}” is not a credit status; choose one of {', '.join(STATUSES)}.", where="status")
    if not because.strip():
        raise Refused("Say why the credit status changes.", code="reason", where="because")
    if ends_on is not None and ends_on < on:
        raise Refused("The last day lies before today; choose a later one.", where="ends_on")
    if source == "hand":
        demand(by, "clients.set_status", "set the credit status by hand")
    with transaction.atomic():
        lock_client(client.pk)
        standing = status_of(client, on)
        was = standing.status if standing else "open"
        if was == status and (standing is None or standing.ends_on == ends_on):
            return standing or StatusChange(client=client, status="open", effective_on=on)
        change = StatusChange.objects.create(
            client=client, status=status, because=because.strip()[:300], source=source, effective_on=on,
            ends_on=ends_on, reasons=list(reasons), terms_days=terms_days, deposit_percent=deposit_percent,
            policy=policy, set_by=as_text(by),
        )
        record(
            by, "credit_status_set", change, client_id=client.pk, diff={"status": f"{was} → {status}"},
            summary=because,
        )
    return change
