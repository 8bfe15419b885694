"""What was really sent on days gone by, told as a trial is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from core.models import Company
from policies.models import Policy

from .running import Side, Version, servings, the_day


def what_was_sent(name: str, users: Sequence[int], companies: Sequence[Company], first_day: dt.date, days: int) -> Side:
    """Messages and tasks of those days as they stand in the book, by the policy that holds today for each invoice."""
    policy = Policy.objects.filter(name=name).order_by("-effective_from").first()
    assert policy is not None
    sent = Side(Version("sent", policy))
    for n in range(days):
        sent.days.append(the_day(companies, name, users, first_day + dt.timedelta(days=n), made_here=False))
    last = first_day + dt.timedelta(days=days - 1)
    sent.keep(servings(name, users, made_here=False, on__gte=first_day, on__lte=last))
    return sent
