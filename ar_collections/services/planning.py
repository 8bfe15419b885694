"""The planner: who is written to, called and looked at today. It only plans; what leaves is written when it leaves."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from ar_collections.models import Hold, Served, Task
from ar_collections.reminders import Kind
from audit.services import record
from clients.models import Client
from core.bulk import insert_columns
from core.models import Company
from invoices.models import Intake
from outbox.models import Message
from outbox.moves import move
from outbox.services import NewMessage, enqueue_numbers
from policies.models import Policy

from .approving import approval_key
from .business_days import Place, openings, start_of_day
from .choosing import InUse, as_in_use, in_use
from .deciding import NOTICE, SERVE, Decision, decide, ladder_of, overdue_of, place_of
from .desk import close_settled_tasks
from .holding import hold_for
from .stages import settle_stages

WINDOW = 2000  # clients planned in one transaction, so that nobody waits more than a second or two for a lock
NAMED = 20_000  # as many items that wait are named, however many there are


@dataclass
class Plan:
    """What one run did; ``waiting`` names what was due and held back, by invoice and step, and the guard."""

    on: dt.date
    planned: list[int] = field(default_factory=list)
    cancelled: int = 0
    tasks: int = 0
    closed: int = 0
    waiting: dict[tuple[int, str], str] = field(default_factory=dict)
    held_by: Hold | None = None
    desk: Counter[str] = field(default_factory=Counter)

    @property
    def did_something(self) -> bool:
        return bool(self.planned or self.cancelled or self.tasks or self.desk or self.closed)


def plan(
    company: Company, on: dt.date, *, by: Any, now: dt.datetime | None = None, hold_allowed: bool = True,
    policies: Policy | InUse | None = None,
) -> Plan:
    """Plan what is due from the company's clients on a business date; running it again plans nothing twice.

    One message per client for all that is due, a task per call or review. Without ``now`` each client's window is
    taken from its opening on that date. ``hold_allowed``: neither the first run after an import nor a surge leaves
    before a person releases it; a run that a person asked for is not held. ``policies`` are those in force on the day,
    where they are known already; refused where one that is chosen has no version.
    """
    policies = as_in_use(policies or in_use(company, on))
    done = Plan(on)
    fresh = Intake.objects.filter(company=company, first_planned_on=None)
    if fresh.exists():
        fresh.update(first_planned_on=on)
    done.cancelled = _cancel_what_is_over(company, on)
    night = _Night(company, on, policies, openings(company, on, policies, now), done)
    if hold_allowed and now is not None:
        night.plan_within_limits(now)
    else:
        night.plan_all()
    done.tasks += _ask_for_contacts(company, on, night.without_address)
    done.closed = close_settled_tasks(company, on)
    settle_stages(company, on, by)
    if done.did_something:
        record(by, "collections_planned", company, summary=_in_words(done))
    return done


def _cancel_what_is_over(company: Company, on: dt.date) -> int:
    """A notice that still waits after its day is cancelled, so that it is planned afresh from today's facts.

    What a person sends again (``:r1`` …) has a day more; the outbox says when it is over.
    """
    over = Message.objects.filter(kind=NOTICE, state__in=["held", "pending"], on__lt=on, payload__company=company.pk)
    over = over.exclude(key__contains=":r")
    return sum(move(message, "cancelled", reason=_("Its day was over; it is planned afresh.")) for message in over)


class _Night:
    """One run over a company's clients, window by window, each in a transaction of its own under their locks."""

    def __init__(
        self, company: Company, on: dt.date, policies: InUse, places: Mapping[Place, dt.datetime], done: Plan
    ) -> None:
        self.company, self.on, self.policies, self.places, self.done = company, on, policies, places, done
        self.without_address: set[int] = set()
        self.ladders = {policy.name: ladder_of(policy) for policy in policies}
        self.until = start_of_day(company, on + dt.timedelta(days=1)).isoformat()

    def plan_all(self) -> None:
        """Plan for every client."""
        last: int | None = 0
        while last is not None:
            with transaction.atomic():
                clients = self._lock(self._after(last))
                if clients:
                    self._plan_window(range(clients[0], clients[-1] + 1))
            last = clients[-1] if len(clients) == WINDOW else None

    def plan_within_limits(self, now: dt.datetime) -> None:
        """Plan for those for whom something is due, once it is known whether so much may leave without a person."""
        due, messages, last = list[int](), 0, 0
        while window := list(self._after(last).values_list("pk", flat=True)):
            last = window[-1]
            for served in self._decide(range(window[0], last + 1)):
                due.append(served[0].client)
                messages += any(d.kind == "message" for d in served)
        self.done.held_by = hold_for(self.company, self.on, messages, policy=self.policies.usual, now=now)
        for start in range(0, len(due), WINDOW):
            with transaction.atomic():
                clients = self._lock(Client.objects.filter(pk__in=due[start : start + WINDOW]).order_by("pk"))
                self._plan_window(clients)

    def _after(self, last: int) -> QuerySet[Client]:
        """The next clients of the company, in the order of their ids."""
        return Client.objects.filter(company=self.company, pk__gt=last).order_by("pk")[:WINDOW]

    def _lock(self, clients: QuerySet[Client]) -> list[int]:
        return list(clients.select_for_update(of=("self",)).values_list("pk", flat=True))

    def _decide(self, clients: Collection[int]) -> Iterator[list[Decision]]:
        """What is served, client by client; what waits is written down."""
        for decisions in decide(self.company, self.on, self.policies, self.places, clients):
            served = []
            for decision in decisions:
                verdict = decision.verdict
                if verdict == SERVE:
                    served.append(decision)
                    continue
                if verdict in ("address", "bounced"):
                    self.without_address.add(decision.client)
                if len(self.done.waiting) < NAMED:
                    self.done.waiting[decision.invoice, decision.rung.code] = verdict
            if served:
                yield served

    def _plan_window(self, clients: Collection[int]) -> None:
        """Plan for clients whose locks are held: what another planner did meanwhile is seen."""
        messages: dict[int, list[Decision]] = {}
        by_desk: dict[tuple[int, Kind], list[Decision]] = defaultdict(list)
        for served in self._decide(clients):
            for decision in served:
                if decision.kind == "message":
                    messages.setdefault(decision.client, []).append(decision)
                else:
                    by_desk[decision.client, decision.kind].append(decision)
                    self.done.desk[decision.rung.code] += 1
        if by_desk:
            self._plan_tasks(by_desk)
        if messages:
            self._plan_messages(messages)

    def _plan_messages(self, clients: Mapping[int, Sequence[Decision]]) -> None:
        """One message per client, for all that is due from it; which items and steps stands in its payload.

        Where a step wants a person's approval the whole message waits for it; every other waits behind a hold, if any.
        """
        on, company = self.on, self.company.pk
        keys = {client: f"{NOTICE}:{client}:{on.isoformat()}:mail" for client in clients}
        made = enqueue_numbers(
            NewMessage(
                keys[client], NOTICE, f"client:{client}", on, self.places[place_of(items[0].of_client)],
                {
                    "company": company, "client": client, "until": self.until,
                    "items": [[d.invoice, d.rung.code, d.due.cycle] for d in items], **_parts(items),
                    **_chosen(items, self.policies),
                },
                _held_for(client, on, items, self.done.held_by),
            )
            for client, items in clients.items()
        )
        self._claim(((made[keys[client]], items) for client, items in clients.items()), "message_id")
        self.done.planned += made.values()

    def _plan_tasks(self, by_desk: Mapping[tuple[int, Kind], Sequence[Decision]]) -> None:
        """A client is called once for all that is due: a call still open takes the new items in.

        Where the day's call is done already and something else becomes due on that day, that is a task of its own.
        """
        day = self.on.isoformat()
        still_open, keys = self._tasks_there(by_desk, day)
        new = {of: _next_key(f"{of[1]}:{of[0]}:{day}", keys) for of in by_desk if of not in still_open}
        if new:
            small = _small(self.company, self.on, {c: by_desk[c, kind] for c, kind in by_desk if kind == "call"})
            made = dict(insert_columns(Task, self._new_tasks(new, by_desk, small), returning=("key", "id")))
            still_open |= {of: made[key] for of, key in new.items()}
            self.done.tasks += len(new)
        self._claim(((still_open[of], items) for of, items in by_desk.items()), "task_id")

    def _tasks_there(
        self, by_desk: Iterable[tuple[int, Kind]], day: str
    ) -> tuple[dict[tuple[int, Kind], int], list[str]]:
        """The open tasks that take more in, the earliest of each client and kind; and the keys of the day."""
        clients, kinds = {client for client, _kind in by_desk}, {kind for _client, kind in by_desk}
        known = Task.objects.filter(client__in=clients, kind__in=kinds).annotate(
            takes_more=Q(closed_on=None) & Exists(Served.objects.filter(task=OuterRef("pk")))
        )
        known = known.filter(Q(takes_more=True) | Q(key__contains=f":{day}")).order_by("-due_on", "-pk")
        rows: list[tuple[int, Any, int, str, bool]] = list(
            known.values_list("client_id", "kind", "pk", "key", "takes_more")
        )
        return {(client, kind): pk for client, kind, pk, _key, more in rows if more}, [row[3] for row in rows]

    def _new_tasks(
        self, keys: Mapping[tuple[int, Kind], str], by_desk: Mapping[tuple[int, Kind], Sequence[Decision]],
        small: Collection[int],
    ) -> dict[str, Any]:
        because = []
        for of in keys:
            oldest = min(item.due_on for item in by_desk[of])
            because.append(_task_because(of[1], len(by_desk[of]), (self.on - oldest).days))
        return {
            "key": list(keys.values()), "client_id": [client for client, _kind in keys],
            "kind": [kind for _client, kind in keys], "because": because,
            "low_priority": [kind == "call" and client in small for client, kind in keys],
            "owner_id": [by_desk[of][0].of_client["owner_id"] for of in keys],
            "company_id": self.company.pk, "due_on": self.on,
        }

    def _claim(self, served: Iterable[tuple[int, Sequence[Decision]]], by: str) -> None:
        """Write down what is served, by which message or task, and what is passed over and by which step.

        What is there already stays: the database knows every invoice, step and round once.
        """
        rows: list[tuple[Any, ...]] = []
        for served_by, items in served:
            for item in items:
                invoice, part, rung = item.invoice, item.part, item.rung
                rows.append((served_by, invoice, part, rung.code, item.due.cycle, rung.channel, "served", ""))
                for place in item.due.passes_over:
                    over = self.ladders[item.policy.name][place]
                    rows.append((served_by, invoice, part, over.code, 1, over.channel, "skipped", rung.code))
        names = (by, "invoice_id", "part", "step", "cycle", "channel", "outcome", "because")
        insert_columns(Served, dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) | {"on": self.on})


def _held_for(client: int, on: dt.date, items: Iterable[Decision], held_by: Hold | None) -> str:
    if any(item.rung.needs_approval for item in items):
        return approval_key(client, on)
    return held_by.key if held_by else ""


def _chosen(items: Sequence[Decision], policies: InUse) -> dict[str, Any]:
    """By which policy the client is treated where that is not the company's; and its items, where theirs is another."""
    client_s = items[0].client_policy
    others = {str(item.invoice): item.policy.name for item in items if item.policy.name != client_s.name}
    chosen: dict[str, Any] = {} if client_s.name == policies.usual.name else {"policy": client_s.name}
    return chosen | ({"policies": others} if others else {})


def _parts(items: Iterable[Decision]) -> dict[str, dict[str, int]]:
    """Which part of an invoice a message is about, by invoice, where it is not the first."""
    later = {str(item.invoice): item.part for item in items if item.part > 1}
    return {"parts": later} if later else {}


def _next_key(key: str, taken: Iterable[str]) -> str:
    """The day's first task of a kind has the key itself, the ones after it are numbered; under the client's lock."""
    before = sum(1 for other in taken if other == key or other.startswith(f"{key}:"))
    return f"{key}:{before + 1}" if before else key


def _task_because(kind: str, count: int, days: int) -> str:
    if kind == "review":
        return _("Decide: plan, discount, agency, attorney or write-off; %(days)d days overdue") % {"days": days}
    if count > 1:
        return _("%(count)d invoices reached the call step, the oldest %(days)d days overdue") % {
            "count": count, "days": days,
        }
    return _("An invoice reached the call step, %(days)d days overdue") % {"days": days}


def _small(company: Company, on: dt.date, calls: Mapping[int, Sequence[Decision]]) -> set[int]:
    """The clients among those to call who owe less, in every currency, than their policy calls for."""

    def is_small(client: int, sums: Mapping[str, Decimal]) -> bool:
        least = calls[client][0].client_policy.call_minimum
        return all(total < Decimal(least.get(code, 0)) for code, total in sums.items())

    # All that is overdue is added up only where what the call is about does not reach the sum by itself.
    doubtful = [client for client, items in calls.items() if is_small(client, _asked(items))]
    asked = overdue_of(company, on, doubtful) if doubtful else {}
    return {client for client in doubtful if client in asked and is_small(client, asked[client])}


def _asked(items: Iterable[Decision]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        sums[item.currency] += item.asked
    return sums


def _ask_for_contacts(company: Company, on: dt.date, clients: Iterable[int]) -> int:
    """Nobody can be written to: a task to find somebody, once per client until it is closed."""
    wanted = set(clients)
    if not wanted:
        return 0
    wanted -= set(
        Task.objects.filter(client__in=wanted, kind="contact", closed_on=None).values_list("client_id", flat=True)
    )
    rows = [
        Task(
            key=f"contact:{client}:{on.isoformat()}", company=company, client_id=client, kind="contact", due_on=on,
            because=_("A reminder is due and nobody can be written to: add a contact with an e-mail address"),
        )
        for client in sorted(wanted)
    ]
    before = Task.objects.filter(key__in=[row.key for row in rows]).count()
    Task.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows) - before


def _in_words(done: Plan) -> str:
    parts = {"messages": len(done.planned), "cancelled": done.cancelled, "tasks": done.tasks, "closed": done.closed}
    return f"{done.on}: " + ", ".join(f"{name} {count}" for name, count in parts.items() if count)
