"""The decision, written once: which step every open invoice is to be served with on a day, and why not.

``facts`` asks what every guard needs to know; ``decide`` gives each row its verdicts. The night takes those that say
«serve»; ``why`` shows them all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from ar_collections.payers import NEW, kinds_of_payer
from ar_collections.reminders import (
    KINDS,
    Due,
    Kind,
    Rung,
    Stand,
    barrier,
    due_step,
    is_enough,
    next_in_turn,
    stands_against,
    still_to_climb,
)
from core.models import Company
from policies.models import Policy
from policies.quiet_periods import is_quiet

from .asking import askable, askable_of, cash_of, cash_of_clients, chased, may_be_asked, overdue_of, owing
from .bank_facts import bank_data_are_fresh, with_unmatched
from .behaving import bills_of
from .business_days import Place
from .choosing import InUse, as_in_use
from .expressions import ROUND, SCALE
from .facts import NOTICE, facts, ladder_of, stands_of
from .time_to_pay import asked_to_pay_by

__all__ = [
    "NOTICE", "SERVE", "Decision", "against_of", "askable", "cash_of", "cash_of_clients", "chased", "decide", "dues",
    "facts", "in_turn", "ladder_of", "may_be_asked", "overdue_of", "owing", "place_of", "stands_of", "terms_days_of",
]  # fmt: skip

SERVE = "serve"
PASSED_OVER = ("only_for", "step_minimum")  # verdicts of a step that is not for this client: later ones do not wait
AT_ONCE = 500  # clients whose unapplied cash is asked for together


@dataclass(slots=True)
class Decision:
    """One invoice, the step it has reached, and every guard: true where it lets the invoice pass.

    ``policy`` is the one whose ladder the invoice climbs; spacing, window and minimum are those of ``client_policy``.
    ``asked_by`` is the day, still to come, by which the last reminder asked to pay.
    """

    invoice: int
    client: int
    kind: Kind
    due: Due
    rung: Rung
    currency: str
    due_on: dt.date
    asked: Decimal
    part: int
    of_client: Mapping[str, Any]
    policy: Policy
    client_policy: Policy
    guards: dict[str, bool] = field(default_factory=dict)
    asked_by: dt.date | None = None

    @property
    def verdict(self) -> str:
        """«serve», or the first guard that does not let it pass."""
        if all(self.guards.values()):
            return SERVE
        return next(guard for guard, passes in self.guards.items() if not passes)

    @property
    def is_passed_over(self) -> bool:
        """The step is not for this client; whatever comes after it does not wait for it."""
        return not all(self.guards.get(guard, True) for guard in PASSED_OVER)


@dataclass(frozen=True)
class _Knowledge:
    """What some guards ask about clients beyond their rows; read for many at once, and only where anybody asks."""

    cash: Mapping[int, Mapping[str, Decimal]]
    items: Mapping[int, Sequence[tuple[str, dt.date, Decimal]]]
    payers: Mapping[int, Collection[str]]
    asked_by: Mapping[int, dt.date] = field(default_factory=dict)

    def asked_as_a_whole(self, client: int, on: dt.date, latest: dt.date) -> dict[str, Decimal]:
        """All that is overdue, or due by the latest day of what has reached a step, less unapplied cash."""
        sums: dict[str, Decimal] = {}
        for currency, due_on, asked in self.items.get(client, ()):
            if due_on < on or due_on <= latest:
                sums[currency] = sums.get(currency, Decimal(0)) + asked
        cash = self.cash.get(client, {})
        return {currency: total - cash.get(currency, Decimal(0)) for currency, total in sums.items()}


def decide(
    company: Company, on: dt.date, policies: Policy | InUse, openings: Mapping[Place, Any],
    clients: Collection[int] | None = None,
) -> Iterator[list[Decision]]:
    """Client by client: every step its invoices have reached and were not served with, with the verdicts.

    Each invoice climbs the ladder of its own policy. ``openings`` are the places where a message may leave on that
    date. A message's guards count for the client as a whole: where one item goes on its day whatever was sent before,
    everything else that is due rides along.
    """
    policies = as_in_use(policies)
    climbs = {policy.name: _climb(ladder_of(policy), on) for policy in policies}
    rungs = [rung for climb in climbs.values() for rung in climb.ladder]
    asks_sums = any(policy.minimum for policy in policies) or any(rung.minimum for rung in rungs)
    asks_payers = any(rung.only_for for rung in rungs)
    fresh = {policy.name: bank_data_are_fresh(company, on, policy.bank_data_days).passes for policy in policies}
    by_client = groupby(facts(company, on, policies, clients), key=itemgetter("client_id"))
    groups = ((client, reached) for client, rows in by_client if (reached := _reached(rows, policies, climbs)))
    while some := list(islice(groups, AT_ONCE)):
        them = [client for client, _reached in some]
        known = _Knowledge(
            cash_of_clients(them, on), askable_of(company, on, them) if asks_sums else {},
            {c: kinds_of_payer(bills, on) for c, bills in bills_of(them, on).items()} if asks_payers else {},
            asked_to_pay_by(((its, row) for _client, rows in some for its, _climbs, row, _found in rows), on),
        )
        unmatched = with_unmatched(company, on, them)
        for client, reached in some:
            decisions, sums = _of_a_client(reached, on, policies, known)
            _credit(company, on, decisions, known.cash.get(client, {}))
            for d in decisions:
                d.guards["bank_data"], d.guards["unmatched"] = fresh[d.client_policy.name], client not in unmatched
            _of_the_rest(decisions, on, openings, sums)
            yield decisions


class _Climb:
    """A ladder on a day. Items of one age that were served alike have reached the same: it is worked out once."""

    def __init__(self, ladder: Sequence[Rung], on: dt.date) -> None:
        self.ladder, self.on = ladder, on
        self.has_conditions = any(rung.only_for or rung.minimum for rung in ladder)
        self._known: dict[Any, list[tuple[Kind, Due]]] = {}

    def reached(self, row: Mapping[str, Any]) -> list[tuple[Kind, Due]]:
        alike = row["so_far"], row["ladder_day"], terms_days_of(row), row["has_address"], _was_old(row)
        if alike not in self._known:
            self._known[alike] = list(dues(row, self.on, self.ladder))
        return self._known[alike]


_climb = lru_cache(maxsize=16)(_Climb)
_Reached = list[tuple[Policy, _Climb, dict[str, Any], list[tuple[Kind, Due]]]]


def _reached(rows: Iterable[dict[str, Any]], policies: InUse, climbs: Mapping[str, _Climb]) -> _Reached:
    """The items that have reached a step of their policy's ladder."""
    found: _Reached = []
    for row in rows:
        policy = policies.named(row["own_policy"])
        climb = climbs[policy.name]
        if reached := climb.reached(row):
            found.append((policy, climb, row, reached))
    return found


def _of_a_client(
    reached: _Reached, on: dt.date, policies: InUse, known: _Knowledge
) -> tuple[list[Decision], dict[str, Decimal]]:
    """What the items of a client have reached, each judged by itself, and what the client is asked for as a whole."""
    client = reached[0][2]["client_id"]
    latest = max(row["due_day"] for _policy, _climb, row, _found in reached) if known.items else on
    sums = known.asked_as_a_whole(client, on, latest)
    payer = known.payers.get(client, NEW)
    client_policy = policies.named(reached[0][2]["client_policy"])
    decisions = []
    for policy, climb, row, found in reached:
        ladder = climb.ladder
        against = _against(ladder, sums, payer) if climb.has_conditions else {}
        if against:  # what is passed over is named; what is served instead is looked for without it
            found = [one for one in found if one[1].place in against] + list(dues(row, on, ladder, against))
        asked_by = known.asked_by.get(row["pk"])
        decisions += [
            _decision(row, on, policy, client_policy, kind, due, ladder[due.place], against, asked_by)
            for kind, due in found
        ]
    return decisions, sums


def against_of(company: Company, on: dt.date, policy: Policy, client: int, due_on: dt.date) -> dict[int, str]:
    """Which steps of a policy are not for a client as things stand, by their places, and why.

    It is asked for what falls due by a day; nothing is asked of the database where no step has a condition.
    """
    ladder = ladder_of(policy)
    if not any(rung.only_for or rung.minimum for rung in ladder):
        return {}
    known = _Knowledge(
        cash_of_clients([client], on), askable_of(company, on, [client]),
        {c: kinds_of_payer(bills, on) for c, bills in bills_of([client], on).items()},
    )
    return _against(ladder, known.asked_as_a_whole(client, on, due_on), known.payers.get(client, NEW))


def _against(ladder: Sequence[Rung], sums: Mapping[str, Decimal], payer: Collection[str]) -> dict[int, str]:
    return {
        place: why for place, rung in enumerate(ladder)
        if (rung.only_for or rung.minimum) and (why := stands_against(rung, sums, payer))
    }


def _decision(
    row: Mapping[str, Any], on: dt.date, policy: Policy, client_policy: Policy, kind: Kind, due: Due, rung: Rung,
    against: Mapping[int, str], asked_by: dt.date | None,
) -> Decision:
    asked = row["owed"] - row["disputed"]
    last = row["last_on"] if _was_old(row) else None
    guards = {
        "paid": row["owed"] > 0,
        "handed_over": not row["handed_over"],
        "dispute": asked > 0,
        "extension": not row["extended"],
        "promise": not row["promised"],
        "claim": not row["claimed"],
        "pause": not row["paused_otherwise"],
        "payment_in_flight": not row["in_flight"],
        "taken_over": last is None or (on - last).days >= policy.takeover_spacing_days,
    }
    for guard, asks in (("only_for", rung.only_for), ("step_minimum", rung.minimum)):
        if asks:
            guards[guard] = against.get(due.place) != guard
    if asked_by is not None and kind != "call":
        guards["time_to_pay"] = False
    guards["credit"] = True
    return Decision(
        row["pk"], row["client_id"], kind, due, rung, row["currency"], row["due_day"], asked, row["part_now"], row,
        policy, client_policy, guards, asked_by,
    )


def dues(
    row: Mapping[str, Any], on: dt.date, ladder: Sequence[Rung], without: Collection[int] = ()
) -> Iterator[tuple[Kind, Due]]:
    """The steps that an invoice has reached by a day and was not served with; at most one of a kind.

    ``without`` are the places of steps that are not for this client.
    """
    stands = _stands(row)
    turns = in_turn(row, ladder)
    for turn in turns:
        first = next_in_turn(
            ladder, [place for place in turn if place not in without], due_on=row["ladder_day"], on=on
        )
        if first:
            yield ladder[first.place].kind, first
    if turns:
        return
    notices = barrier(ladder, stands["message"])
    for kind in KINDS:
        # Where nobody can be written to no notice will ever be given, and the telephone does not wait for one.
        limit = notices if kind == "message" or row["has_address"] else len(ladder)
        due = due_step(
            ladder, kind, stands[kind], limit=limit, due_on=row["ladder_day"], terms_days=terms_days_of(row), on=on,
            without=without,
        )
        if due:
            yield kind, due


def terms_days_of(row: Mapping[str, Any]) -> int | None:
    """How many days the client has: by the terms, or from the day of issue to that of the part that is due next."""
    if not row["in_parts"]:
        days: int | None = row["terms_days"]
        return days
    return int((row["due_day"] - row["issued_on"]).days)


def in_turn(row: Mapping[str, Any], ladder: Sequence[Rung]) -> list[list[int]]:
    """The steps, by their places, that an item taken over when it was overdue still climbs one by one; none else.

    Where nobody can be written to, calls and decisions climb beside the messages and do not wait for them.
    """
    if not _was_old(row):
        return []
    stands = _stands(row)
    furthest, messages = max(stand.place for stand in stands.values()), stands["message"].place
    groups: list[tuple[Kind, ...]] = [KINDS] if row["has_address"] else [("message",), ("call", "review")]
    turns = [still_to_climb(ladder, furthest, messages=messages, kinds=kinds) for kinds in groups]
    return [turn for turn in turns if turn]


def _was_old(row: Mapping[str, Any]) -> bool:
    """Taken over from elsewhere, and overdue already on the first day the planner ran after that."""
    first_planned_on = row["first_planned_on"]
    return first_planned_on is not None and bool(row["due_day"] < first_planned_on)


def _credit(company: Company, on: dt.date, decisions: Sequence[Decision], cash: Mapping[str, Decimal]) -> None:
    """Unapplied cash covers an item where it reaches for all that is asked for up to its due date, overdue first."""
    doubtful = [d for d in decisions if cash.get(d.currency, Decimal(0)) > 0]
    items = askable(company, on, doubtful[0].client) if doubtful else []
    for decision in doubtful:
        before = sum(
            asked for currency, due_on, asked in items
            if currency == decision.currency and (due_on < on or due_on <= decision.due_on)
        )
        decision.guards["credit"] = cash[decision.currency] < before


def _of_the_rest(
    decisions: Sequence[Decision], on: dt.date, openings: Mapping[Place, Any], sums: Mapping[str, Decimal]
) -> None:
    """The guards of a call's day, and those of the message as a whole."""
    row, policy = decisions[0].of_client, decisions[0].client_policy
    quiet = not is_quiet(on, policy.quiet_periods)
    messages = [d for d in decisions if d.kind == "message"]
    goes_anyway = any(d.rung.spacing_exempt and d.verdict == SERVE for d in messages)
    must_go = any(d.rung.mandatory and d.verdict == SERVE for d in messages)
    least = {currency: Decimal(str(sum_)) for currency, sum_ in policy.minimum.items()}
    last = row["last_notice_on"]
    of_message = {
        "quiet": quiet,
        "bounced": row["has_address"] or not row["bounced"],
        "address": row["has_address"] or row["bounced"],
        "today": not row["has_today"],
        "minimum": must_go or not least or is_enough(sums, least),
        "spacing": goes_anyway or last is None or (on - last).days >= policy.spacing_days,
        "window": place_of(row) in openings,
        "approval": True,  # it is planned, and waits for a person: see ``approving``
    }
    for decision in decisions:
        if decision.kind == "message":
            decision.guards |= of_message
        elif decision.kind == "call":
            decision.guards["quiet"] = quiet


def place_of(row: Mapping[str, Any]) -> Place:
    """Where the client is, as its file says, and by which policy it is treated where that is not the company's."""
    place = (row["client__time_zone"], row["client__country"])
    return (*place, row["client_policy"]) if row["client_policy"] else place


def _stands(row: Mapping[str, Any]) -> dict[Kind, Stand]:
    messages, others = divmod(row["so_far"], SCALE * SCALE)
    calls, reviews = divmod(others, SCALE)
    return {"message": _stand(messages), "call": _stand(calls), "review": _stand(reviews)}


def _stand(number: int) -> Stand:
    return Stand(number // ROUND - 1, number % ROUND)
