"""Exceptions: somebody with the permission lets one client buy in spite of the limit or the status, until a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.services import record
from clients.models import Client, CreditOverride
from core.errors import Refused
from core.models import as_text
from core.permissions import demand

from .people import lock_client

ALLOWS = dict(CreditOverride.ALLOWS)
LONGEST_DAYS = 90


def grant_override(
    client: Client, allows: str, reason: str, *, expires_on: dt.date, on: dt.date, by: Any
) -> CreditOverride:
    """Let a client buy over the limit ("over_limit") or in spite of its status ("on_credit") until a last day.

    Refused without the permission, without a reason, for a last day before today or more than 90 days ahead, and
    where such an exception stands already for longer.
    """
    demand(by, "clients.grant_override", "grant an exception from the credit rules")
    if allows not in ALLOWS:
        raise Refused("An exception allows invoices over the limit, or on credit in spite of the status.",
                      where="allows")  # fmt: skip
    if not reason.strip():
        raise Refused("Say why the exception is granted.", code="reason", where="reason")
    if expires_on < on:
        raise Refused(
            f"{expires_on} is over already; choose a last day from today on.", code="expired", where="expires_on"
        )
    if expires_on > on + dt.timedelta(days=LONGEST_DAYS):
        raise Refused(
            f"An exception lasts {LONGEST_DAYS} days at most; for longer, change the limit or the status.",
            code="too_long", where="expires_on",
        )  # fmt: skip
    with transaction.atomic():
        lock_client(client.pk)
        for standing in standing_overrides(client, on):
            if standing.allows == allows and standing.expires_on >= expires_on:
                raise Refused(
                    f"Such an exception stands until {standing.expires_on}; end it first if it is to be shorter.",
                    code="stands",
                )
        override = CreditOverride.objects.create(
            client=client, allows=allows, reason=reason.strip()[:300], granted_on=on, expires_on=expires_on,
            granted_by=as_text(by),
        )
        record(
            by, "credit_override_granted", override, client_id=client.pk, summary=reason,
            diff={"allows": allows, "until": expires_on.isoformat()},
        )
    return override


def end_override(override: CreditOverride, *, by: Any) -> CreditOverride:
    """End an exception before its last day; ending it twice changes nothing. Refused without the permission."""
    demand(by, "clients.grant_override", "end an exception from the credit rules")
    with transaction.atomic():
        lock_client(override.client_id)
        override = CreditOverride.objects.select_for_update(of=("self",)).get(pk=override.pk)
        if override.ended_at is None:
            override.ended_at, override.ended_by = timezone.now(), as_text(by)
            override.save(update_fields=["ended_at", "ended_by"])
            record(by, "credit_override_ended", override, client_id=override.client_id, summary=str(override))
    return override


def standing_overrides(client: Client, on: dt.date) -> list[CreditOverride]:
    """The exceptions that hold on a day, the latest granted first."""
    return [override for override in CreditOverride.objects.filter(client=client) if override.stands(on)]


def why_none_stands(overrides: Iterable[CreditOverride], allows: str, on: dt.date) -> str:
    """What became of the latest exception of a kind, as a sentence; empty where there never was one."""
    latest = next((o for o in overrides if o.allows == allows and o.granted_on <= on), None)
    if latest is None or latest.stands(on):
        return ""
    ended = f"was ended by {latest.ended_by}" if latest.ended_at else f"expired on {latest.expires_on}"
    return f"The exception granted by {latest.granted_by} {ended}; grant a new one, with a reason and a last day."
