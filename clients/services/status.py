"""The credit status of a client: which holds on a day, and moving to another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from audit.services import record
from clients.models import Client, StatusChange
from core.errors import Refused
from core.models import as_text
from core.permissions import demand
from policies.models import CreditPolicy

from .locking import lock_client

STATUSES = dict(StatusChange.STATUSES)
NO_CREDIT = ("cash_only", "closed")
DAY = dt.timedelta(days=1)


def status_of(client: Client, on: dt.date) -> StatusChange | None:
    """The change that holds on a day, or None where credit was always open.

    A change with a last day gives way, after that day, to the one that held before it.
    """
    changes = StatusChange.objects.filter(client=client, effective_on__lte=on)
    return changes.exclude(ends_on__lt=on).first()


def statuses_of(clients: Iterable[Client], on: dt.date) -> dict[int, StatusChange]:
    """The changes that hold on a day for many clients, by client, in one query; who was always open is absent."""
    rows = StatusChange.objects.filter(client__in=[c.pk for c in clients], effective_on__lte=on)
    return {row.client_id: row for row in rows.exclude(ends_on__lt=on).order_by("effective_on", "pk")}


def refused_since(clients: Iterable[Client], on: dt.date) -> dict[int, dt.date]:
    """The clients who are cash-only or closed on a day, and since when they are one or the other without a break."""
    asked = list(clients)
    barred = {pk for pk, change in statuses_of(asked, on).items() if change.status in NO_CREDIT}
    history: dict[int, list[StatusChange]] = {}
    for change in StatusChange.objects.filter(client__in=barred, effective_on__lte=on).order_by("effective_on", "pk"):
        history.setdefault(change.client_id, []).append(change)
    return {pk: barred_since(changes, on) for pk, changes in history.items()}


def barred_since(changes: Sequence[StatusChange], on: dt.date) -> dt.date:
    """The first day of the unbroken time without credit that reaches to a day; ``changes`` oldest first."""
    since = on + DAY
    while (standing := _standing(changes, since - DAY)) and standing.status in NO_CREDIT:
        since = standing.effective_on
    return since


def _standing(changes: Sequence[StatusChange], on: dt.date) -> StatusChange | None:
    """The row twin of ``status_of``."""
    holding = [c for c in changes if c.effective_on <= on and (c.ends_on is None or c.ends_on >= on)]
    return holding[-1] if holding else None


def set_status(
    client: Client, status: str, *, because: str, source: str, on: dt.date, by: Any, ends_on: dt.date | None = None,
    reasons: Sequence[Any] = (), terms_days: int | None = None, deposit_percent: Decimal = Decimal(0),
    policy: CreditPolicy | None = None,
) -> StatusChange:
    """Move a client to a credit status from today; the status it has on the same terms changes nothing.

    What a person sets by hand is kept also where the client stands there by policy or decision, or was always open:
    it holds until a person or its last day ends it. Refused without a reason, with a last day that lies before today,
    and by hand without the permission.
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
        if standing is None and status == "open" and source != "hand":
            return StatusChange(client=client, status="open", effective_on=on)
        same = (status, ends_on, terms_days, deposit_percent)
        was_same = standing and (
            standing.status, standing.ends_on, standing.terms_days, standing.deposit_percent
        ) == same  # fmt: skip
        if standing and was_same and (source != "hand" or standing.source == "hand"):
            return standing
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
