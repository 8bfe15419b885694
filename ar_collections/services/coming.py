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
from policies.precedence import chosen_for

from .business_days import closed_days, own_closed_days, quiet_days, start_of_day
from .choosing import InUse, in_use
from .deciding import (
    NOTICE,
    SERVE,
    Decision,
    against_of,
    decide,
    dues,
    in_turn,
    ladder_of,
    place_of,
    stands_of,
    terms_days_of,
)
from .time_to_pay import asked_to_pay_by

ON_ITS_WAY = ("held", "pending", "claimed", "handing")


class Coming(NamedTuple):
    """A step that an invoice is served with by itself: the day, the invoice, the step."""

    on: dt.date
    invoice: int
    rung: Rung
    policy: Policy


class _Earliest(NamedTuple):
    """The first days on which something may come for an invoice.

    A next stage not before the day by which the last reminder asked to pay; a call does not wait for that.
    """

    on: dt.date
    asked_by: dt.date
    leaves: Callable[[dt.date], dt.date]

    def begins_on(self, kind: Kind, day: dt.date) -> dt.date:
        return day if kind == "call" else max(day, self.asked_by)

    def leaves_on(self, kind: Kind, day: dt.date) -> dt.date:
        """A message leaves when the client's window opens."""
        return self.leaves(day) if kind == "message" else day


def coming(client: Client, on: dt.date, policies: InUse | None = None) -> list[Coming]:
    """The next step of each kind of every open invoice of a client, the earliest first.

    What waits in the outbox, or is decided for the day, comes on the day; what a window, the spacing, the day by which
    a reminder asked to pay or the week between two steps of an item taken over holds back comes when that lets it.
    Nothing comes by itself for what is promised, paused, disputed in full, or covered by unapplied cash, and no mail
    where nobody can be written to. Refused where a policy chosen for the client has no version in force.
    """
    company = client.company
    policies = policies or in_use(company, on, client)
    name = chosen_for(client).name
    leaves = _opening(client, policies.named(name), on)
    facts_of_it = {
        "client__time_zone": client.time_zone, "client__country": client.country,
        "client_policy": "" if policies.is_single else name,
    }
    places = {place_of(facts_of_it): on} if leaves(on) == on else {}
    decided = {
        (d.invoice, d.kind): d
        for group in decide(company, on, policies, places, [client.pk]) for d in group if not d.is_passed_over
    }
    # What did not arrive keeps no distance from the next, as in the decision.
    arrived = Message.objects.filter(kind=NOTICE, party=f"client:{client.pk}", on__lte=on)
    arrived = arrived.exclude(state__in=["cancelled", "failed"]).exclude(delivery="bounced")
    last_on = arrived.aggregate(on=Max("on"))["on"]
    found = list(_on_their_way(client, on, policies))
    stands = stands_of(company, on, policies, client.pk)
    asked_by = asked_to_pay_by(stands, on)
    for its, row in stands:
        ladder = ladder_of(its)
        against = against_of(company, on, its, client.pk, row["due_day"])
        mine = {kind: decided[row["pk"], kind] for kind in KINDS if (row["pk"], kind) in decided}
        earliest = _Earliest(on, asked_by.get(row["pk"], on), leaves)
        climbing = in_turn(row, ladder)
        for turn in climbing:
            turn = [place for place in turn if place not in against]
            found += [Coming(day, row["pk"], rung, its) for day, rung in _in_turn(row, turn, mine, its, earliest)]
        for kind in KINDS if not climbing else ():
            if kind in mine:
                day = _when(mine[kind], on, last_on, leaves)
                found += [Coming(day, row["pk"], mine[kind].rung, its)] if day else []
            else:
                later = _later(row, kind, ladder, against, earliest)
                found += [Coming(day, row["pk"], rung, its) for day, rung in later]
    return sorted(found, key=lambda c: (c.on, c.rung.offset_days, c.invoice))


def _opening(client: Client, policy: Policy, on: dt.date) -> Callable[[dt.date], dt.date]:
    """Tells the first day, from a day on (never before ``on``), on which the client's window opens."""
    company, own = client.company, own_closed_days(client.company, on)

    def leaves(day: dt.date) -> dt.date:
        moment = first_moment(
            start_of_day(company, day), client.zone, policy.window_opens, policy.window_closes,
            closed_days(company, client.country, day, own) | quiet_days(policy, day),
        )
        return moment.astimezone(company.zone).date()

    return leaves


def _on_their_way(client: Client, on: dt.date, policies: InUse) -> Iterator[Coming]:
    """The steps of what waits in the outbox."""
    waiting = Served.objects.filter(invoice__client=client, message__state__in=ON_ITS_WAY, outcome="served")
    for pk, code, invoice_s in waiting.values_list("invoice", "step", "invoice__policy_name"):
        its = policies.named(chosen_for(client, invoice_s).name)
        rungs = (rung for rung in ladder_of(its) if rung.code == code and rung.kind == "message")
        yield from (Coming(on, pk, rung, its) for rung in rungs)


def _when(
    decision: Decision, on: dt.date, last_on: dt.date | None, leaves: Callable[[dt.date], dt.date]
) -> dt.date | None:
    """When a step that is reached comes; None where it waits for somebody to do something."""
    if decision.verdict == SERVE:
        return on
    policy, tomorrow = decision.client_policy, on + dt.timedelta(days=1)
    if decision.kind == "call" and decision.verdict == "quiet":
        quiet = quiet_days(policy, on)
        return next(day for n in range(366) if (day := tomorrow + dt.timedelta(days=n)) not in quiet)
    if decision.verdict == "time_to_pay":
        return leaves(decision.asked_by or tomorrow) if decision.kind == "message" else decision.asked_by
    if decision.verdict not in ("window", "today", "spacing", "quiet"):
        return None
    spaced = on if decision.rung.spacing_exempt or not last_on else last_on + dt.timedelta(days=policy.spacing_days)
    return leaves(max(tomorrow, spaced))


def _in_turn(
    row: Mapping[str, Any], turn: Sequence[int], decided: Mapping[Kind, Decision], policy: Policy, earliest: _Earliest,
) -> Iterator[tuple[dt.date, Rung]]:
    """An item taken over climbs one step after the other, the policy's days apart."""
    apart, ladder = dt.timedelta(days=policy.takeover_spacing_days), ladder_of(policy)
    day, seen = max(earliest.on, row["last_on"] + apart) if row["last_on"] else earliest.on, set()
    for place in turn:
        rung = ladder[place]
        reached = reached_on(rung, row["ladder_day"], None)
        decision = decided.get(rung.kind)
        waits = decision and decision.rung == rung and decision.verdict in ("credit", "address", "bounced", "minimum")
        if reached is None or waits:
            return
        day = earliest.leaves_on(rung.kind, earliest.begins_on(rung.kind, max(day, reached)))
        if rung.kind not in seen:
            yield day, rung
        seen.add(rung.kind)
        day += apart


def _later(
    row: Mapping[str, Any], kind: Kind, ladder: Sequence[Rung], against: Mapping[int, str], earliest: _Earliest,
) -> Iterator[tuple[dt.date, Rung]]:
    """The first day after today on which the invoice reaches a step of a kind that it is to be served with."""
    on, days = earliest.on, set()
    for rung in ladder:
        reached = reached_on(rung, row["ladder_day"], terms_days_of(row))
        if rung.kind == kind and reached is not None:
            every = rung.repeats_every_days or 0
            rounds = max(0, (on - reached).days) // every + 1 if every else 0
            days |= {reached, reached + dt.timedelta(days=every * rounds)}
    for day in sorted({earliest.begins_on(kind, day) for day in days if day > on}):
        for of_kind, due in dues(row, day, ladder, against):
            if of_kind == kind and (kind != "message" or row["has_address"]):
                yield earliest.leaves_on(kind, day), ladder[due.place]
                return
