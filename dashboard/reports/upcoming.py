"""When reminders leave next by themselves, if nothing changes: what an empty desk tells."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from ar_collections.services.business_days import openings
from ar_collections.services.choosing import in_use
from ar_collections.services.deciding import NOTICE, SERVE, decide
from core.errors import Refused
from core.models import Company
from invoices.models import Invoice
from outbox.models import Message

DAYS_AHEAD = 10
SMALL_BOOK = 1000  # open invoices; beyond that deciding ahead takes longer than a page may


class Leaving(NamedTuple):
    """How many reminders leave on a day; None: as many as will be decided on that day."""

    reminders: int | None
    on: dt.date


def next_reminders(company: Company, on: dt.date) -> Leaving | None:
    """The next day on which reminders leave, and how many: planned ones first, else what the ladder will decide.

    One message per client. None where nothing is coming within ten days, or a policy in use has no version in
    force. Of a large book only the day is said.
    """
    try:
        policies = in_use(company, on)
    except Refused:
        return None
    waiting = Message.objects.filter(kind=NOTICE, state="pending", on__gte=on, payload__company=company.pk)
    first = waiting.order_by("on").values_list("on", flat=True).first()
    if first is not None:
        return Leaving(waiting.filter(on=first).count(), first)
    is_small = Invoice.objects.open().filter(company=company)[: SMALL_BOOK + 1].count() <= SMALL_BOOK
    for n in range(1, DAYS_AHEAD + 1):
        day = on + dt.timedelta(days=n)
        places = openings(company, day, policies, None)
        if places and not is_small:
            return Leaving(None, day)
        clients = decide(company, day, policies, places) if places else ()
        reminders = sum(any(d.kind == "message" and d.verdict == SERVE for d in decisions) for decisions in clients)
        if reminders:
            return Leaving(reminders, day)
    return None
