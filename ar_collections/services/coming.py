"""What comes by itself next if nothing changes: today's decision first, then the arithmetic of the ladder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Max

from ar_collections.models import Served
from ar_collections.reminders import KINDS, Kind, Rung, first_moment, reached_on
from clients.models import Client
from outbox.models import Message
from policies.models import Policy

from .business_days import closed_days, own_closed_days, start_of_day
from .deciding import NOTICE, SERVE, Decision, decide, dues, in_turn, ladder_of, stands_of, terms_days_of

ON_ITS_WAY = ("held", "pending", "claimed", "handing")


class Coming(NamedTuple):
    """A step that an invoice is served with by itself: the day, the invoice, the step."""

    on: dt.date
    invoice: int
    rung: Rung


def coming(client: Client, on: dt.date, policy: Policy) -> list[Coming]:
    """The next step of each kind of every open invoice of a client, the earliest first.

    What waits in the outbox, or is decided for the day, comes on the day; what a window, the spacing or the week
    between two steps of an item taken over holds back comes when that lets it. Nothing comes by itself for what is
    promised, paused, disputed in full, or covered by unapplied cash, and no mail where nobody can be written to.
    """
    company, ladder = client.company, ladder_of(policy)
    own = own_closed_days(company, on)

    def leaves(day: dt.date) -> dt.date:
        """The first day, from a day on, on which the client's window opens."""
        moment = first_moment(
            start_of_day(company, day), client.zone, policy.window_opens, policy.window_closes,
            closed_days(company, client.country, day, own),
        )
        return moment.astimezone(company.zone).date()

    places = {(client.time_zone, client.country): on} if leaves(on) == on else {}
    decided = {
        (d.invoice, d.kind): d for group in decide(company, on, policy, places, [client.pk]) for d in group
    }
    last = Message.objects.filter(kind=NOTICE, party=f"client:{client.pk}", on__lte=on).exclude(state="cancelled")
    last_on = last.aggregate(on=Max("on"))["on"]
    by_code = {rung.code: rung for rung in ladder}
    waiting = Served.objects.filter(invoice__client=client, message__state__in=ON_ITS_WAY, outcome="served")
    found = [Coming(on, pk, by_code[code]) for pk, code in waiting.values_list("invoice", "step") if code in by_code]
    for row in stands_of(company, on, policy, client.pk):
        mine = {kind: decided[row["pk"], kind] for kind in KINDS if (row["pk"], kind) in decided}
        climbing = in_turn(row, ladder)
        for turn in climbing:
            found += _in_turn(row, turn, mine, on, policy, ladder, leaves)
        for kind in KINDS if not climbing else ():
            if kind in mine:
                day = _when(mine[kind], on, policy, last_on, leaves)
                found += [Coming(day, row["pk"], mine[kind].rung)] if day else []
            else:
                found += _later(row, kind, on, ladder, leaves)
    return sorted(found, key=lambda c: (c.on, c.rung.offset_days, c.invoice))


def _when(
    decision: Decision, on: dt.date, policy: Policy, last_on: dt.date | None, leaves: Callable[[dt.date], dt.date]
) -> dt.date | None:
    """When a step that is reached comes; None where it waits for somebody to do something."""
    if decision.verdict == SERVE:
        return on
    if decision.verdict not in ("window", "today", "spacing"):
        return None
    spaced = on if decision.rung.spacing_exempt or not last_on else last_on + dt.timedelta(days=policy.spacing_days)
    return leaves(max(on + dt.timedelta(days=1), spaced))


def _in_turn(
    row: Mapping[str, Any], turn: Sequence[int], decided: Mapping[Kind, Decision], on: dt.date, policy: Policy,
    ladder: Sequence[Rung], leaves: Callable[[dt.date], dt.date],
) -> Iterator[Coming]:
    """An item taken over climbs one step after the other, the policy's days apart."""
    apart = dt.timedelta(days=policy.takeover_spacing_days)
    day, seen = max(on, row["last_on"] + apart) if row["last_on"] else on, set()
    for place in turn:
        rung = ladder[place]
        reached = reached_on(rung, row["due_day"], None)
        decision = decided.get(rung.kind)
        if reached is None or (decision and decision.rung == rung and decision.verdict in ("credit", "address")):
            return
        day = max(day, reached)
        if rung.kind == "message":
            day = leaves(day)
        if rung.kind not in seen:
            yield Coming(day, row["pk"], rung)
        seen.add(rung.kind)
        day += apart


def _later(
    row: Mapping[str, Any], kind: Kind, on: dt.date, ladder: Sequence[Rung], leaves: Callable[[dt.date], dt.date]
) -> Iterator[Coming]:
    """The first day after today on which the invoice reaches a step of a kind that it is to be served with."""
    days = set()
    for rung in ladder:
        reached = reached_on(rung, row["due_day"], terms_days_of(row))
        if rung.kind == kind and reached is not None:
            every = rung.repeats_every_days or 0
            rounds = max(0, (on - reached).days) // every + 1 if every else 0
            days |= {reached, reached + dt.timedelta(days=every * rounds)}
    for day in sorted(day for day in days if day > on):
        for of_kind, due in dues(row, day, ladder):
            if of_kind == kind and (kind != "message" or row["has_address"]):
                yield Coming(leaves(day) if kind == "message" else day, row["pk"], ladder[due.place])
                return
