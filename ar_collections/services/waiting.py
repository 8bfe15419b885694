"""Messages that a person lets go wait for the next window of their client, whatever the hour and the day."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.db.models import QuerySet

from ar_collections.models import Served
from clients.models import Client
from core.models import Company
from outbox.models import Message
from policies.services.precedence import own_name

from .business_days import Place, openings, start_of_day
from .choosing import InUse, in_use
from .deciding import NOTICE

FURTHEST_DAYS = 60  # a quiet period over Christmas and the holidays around it are shorter
AT_ONCE = 500


def wait_for_windows(held: QuerySet[Message], company: Company, now: dt.datetime) -> int:
    """Put messages that are about to be let go off to the next opening of their clients' windows; answers how many.

    Where the window stands open today, or still opens, nothing changes. A reminder becomes one of the day on which it
    leaves: it is written then, of the facts of that day, and nothing else is planned for its client on it.
    """
    waiting = list(held.defer("text", "html").order_by("pk"))
    if not waiting:
        return 0
    today = now.astimezone(company.zone).date()
    policies = in_use(company, today)
    places = _places(waiting, policies)
    moments = _moments(company, set(places.values()), today, now)
    moved: dict[dt.date, list[int]] = defaultdict(list)
    changed = []
    for message in waiting:
        moment = moments.get(places.get(message.payload["client"], ()))
        if moment is None or moment <= message.not_before:
            continue
        message.not_before, on = moment, moment.astimezone(company.zone).date()
        if message.kind == NOTICE and on > message.on:
            message.on = on
            message.payload["until"] = start_of_day(company, on + dt.timedelta(days=1)).isoformat()
            moved[on].append(message.pk)
        changed.append(message)
    Message.objects.bulk_update(changed, ["not_before", "on", "payload"], batch_size=AT_ONCE)
    for on, messages in moved.items():
        Served.objects.filter(message__in=messages).update(on=on)
    return len(changed)


def _places(waiting: list[Message], policies: InUse) -> dict[int, Place]:
    clients = Client.objects.filter(pk__in={message.payload["client"] for message in waiting}).order_by()
    if policies.is_single:
        rows: Any = clients.values_list("pk", "time_zone", "country")
    else:
        rows = clients.annotate(own=own_name()).values_list("pk", "time_zone", "country", "own")
    return {pk: (*place, *filter(None, names)) for pk, *place, names in ((*row[:3], row[3:]) for row in rows)}


def _moments(company: Company, places: set[Place], today: dt.date, now: dt.datetime) -> dict[Place, dt.datetime]:
    """The first instant from now on at which the window of each place stands open, whatever day that is."""
    found: dict[Place, dt.datetime] = {}
    for n in range(FURTHEST_DAYS):
        on = today + dt.timedelta(days=n)
        opens = openings(company, on, in_use(company, on), now)
        found |= {place: opens[place] for place in places - found.keys() if place in opens}
        if len(found) == len(places):
            break
    return found
