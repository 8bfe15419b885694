"""The marks at 80, 90 and 100 % of the limit: told once when the exposure crosses one, and again after it fell back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from audit.services import record_many
from clients.credit_gate import percent_used
from clients.models import Client, CreditLimit, LimitMark
from core.money import plain

from .limits import limit_of
from .people import lock_client

PERCENTS = (80, 90, 100)


def note_exposure(client: Client, currency: str, exposure: Decimal, on: dt.date) -> list[LimitMark]:
    """Keep which marks of the limit an exposure has reached: new ones are told, those it fell below can be told again.

    ``exposure`` is in whole units of ``currency``. Answers with the marks that changed; the same again changes none.
    """
    with transaction.atomic():
        lock_client(client.pk)
        limit = limit_of(client, currency, on)
        reached = marks_reached(limit, exposure)
        standing = list(LimitMark.objects.filter(client=client, currency=currency, fell_back_on=None))
        told = {mark.percent for mark in standing}
        fallen = [mark for mark in standing if mark.percent not in reached]
        for mark in fallen:
            mark.fell_back_on = max(on, mark.crossed_on)
            mark.save(update_fields=["fell_back_on"])
        crossed = [
            LimitMark.objects.create(
                client=client, currency=currency, percent=percent, exposure=exposure, limit=limit.amount, crossed_on=on
            )
            for percent in reached
            if percent not in told and limit is not None
        ]
        record_many(
            {
                "by": "system", "action": "limit_mark_crossed", "obj": mark, "client_id": client.pk,
                "summary": f"{mark.percent} %: {plain(exposure, currency)} of {plain(mark.limit, currency)} {currency}",
            }
            for mark in crossed
        )
    return fallen + crossed


def marks_reached(limit: CreditLimit | None, exposure: Decimal) -> list[int]:
    """Which of 80, 90 and 100 percent of a limit an exposure has reached; without a limit none."""
    return [percent for percent in PERCENTS if limit and percent_used(limit.amount, exposure) >= percent]


def is_marked(client: Client, currency: str) -> bool:
    """A mark of the client's limit stands."""
    return LimitMark.objects.filter(client=client, currency=currency, fell_back_on=None).exists()

