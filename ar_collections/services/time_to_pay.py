"""The day by which the last notice asked to pay: the next stage does not begin before it, however late that went."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from ar_collections.models import Served
from core.batches import a_batch
from policies.models import Policy
from policies.services.guard_rails import given_by, rails_at

from .expressions import SCALE
from .facts import CHANNELS


def asked_to_pay_by(rows: Iterable[tuple[Policy, Mapping[str, Any]]], on: dt.date) -> dict[int, dt.date]:
    """The days after ``on`` by which invoices were asked to be paid, by the reminders they were served with.

    ``rows`` are invoices as ``facts`` has them, each with the policy whose ladder it climbs. Who is absent was given no
    day or has had it. The days are those that a step gives where the client is. Two queries for many, none where
    nobody was written to yet.
    """
    known: dict[tuple[str, str], dict[str, int]] = {}
    asked: dict[int, tuple[int, dict[str, int]]] = {}
    with a_batch():
        for policy, row in rows:
            if row["so_far"] < SCALE * SCALE:  # no message yet
                continue
            place = policy.name, row["client__country"]
            if place not in known:
                known[place] = _days_given(policy, row["client__country"])
            asked[row["pk"]] = row["part_now"], known[place]
    longest = max((days for by_step in known.values() for days in by_step.values()), default=0)
    if not longest:
        return {}
    told = Served.objects.filter(
        invoice__in=asked, outcome="served", channel__in=CHANNELS["message"], on__lte=on,
        on__gt=on - dt.timedelta(days=longest),
    )
    found: dict[int, dt.date] = {}
    for pk, part, step, day in told.order_by().values_list("invoice_id", "part", "step", "on"):
        its_part, given = asked[pk]
        until = day + dt.timedelta(days=given.get(step, 0))
        if part == its_part and until > on:
            found[pk] = max(until, found.get(pk, until))
    return found


def _days_given(policy: Policy, country: str) -> dict[str, int]:
    """By the code of a step; a policy that names countries keeps to theirs, another to those of the client's."""
    rails = rails_at(policy, country)
    return {step.code: days for step in policy.steps.all() if (days := given_by(step, rails).within)}
