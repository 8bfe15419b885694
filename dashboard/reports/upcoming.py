"""When reminders leave next by themselves, if nothing changes: what an empty desk tells."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from ar_collections.services.business_days import openings
from ar_collections.services.deciding import NOTICE, SERVE, decide
from core.models import Company
from outbox.models import Message
from policies.models import Policy

DAYS_AHEAD = 10


class Leaving(NamedTuple):
    """How many reminders leave on a day."""

    count: int
    on: dt.date


def next_reminders(company: Company, on: dt.date, policy: Policy) -> Leaving | None:
    """The next day on which reminders leave, and how many: planned ones first, else what the ladder will decide.

    One message per client. None where nothing is coming within ten days.
    """
    waiting = Message.objects.filter(kind=NOTICE, state="pending", on__gte=on, payload__company=company.pk)
    first = waiting.order_by("on").values_list("on", flat=True).first()
    if first is not None:
        return Leaving(waiting.filter(on=first).count(), first)
    for n in range(1, DAYS_AHEAD + 1):
        day = on + dt.timedelta(days=n)
        clients = decide(company, day, policy, openings(company, day, policy, None))
        count = sum(any(d.kind == "message" and d.verdict == SERVE for d in decisions) for decisions in clients)
        if count:
            return Leaving(count, day)
    return None
