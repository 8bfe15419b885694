"""The planner: who is written to, called and looked at today. It only plans; what leaves is written when it leaves."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ar_collections.models import Hold, Served, Task
from ar_collections.reminders import Kind, Rung
from audit.services import record
from clients.models import Client
from core.models import Company
from invoices.models import Intake
from outbox.models import Message
from outbox.moves import move
from outbox.services import NewMessage, enqueue_many
from policies.models import Policy

from .approving import approval_key
from .business_days import Place, openings, start_of_day
from .choosing import InUse, as_in_use, in_use
from .deciding import NOTICE, SERVE, Decision, decide, ladder_of, overdue_of, place_of
from .desk import close_settled_tasks
from .holding import hold_for
from .stages import settle_stages

WINDOW = 200  # clients planned in one transaction, so that nobody waits long for a lock


@dataclass
class Plan:
    """What one run did; ``waiting`` names every invoice and step that was due and held back, and the guard."""

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
    places = openings(company, on, policies, now)
    due: dict[int, bool] = {}
    without_address: set[int] = set()
    for decisions in decide(company, on, policies, places):
        done.waiting.update({(d.invoice, d.rung.code): d.verdict for d in decisions if d.verdict != SERVE})
        served = [d for d in decisions if d.verdict == SERVE]
        if served:
            due[served[0].client] = any(d.kind == "message" for d in served)
        without_address.update(d.client for d in decisions if d.verdict in ("address", "bounced"))
    if hold_allowed and now is not None:
        done.held_by = hold_for(company, on, sum(due.values()), policy=policies.usual, now=now)
    for window in _windows(sorted(due)):
        _plan_window(company, on, policies, places, window, done)
    done.tasks += _ask_for_contacts(company, on, without_address)
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


def _plan_window(
    company: Company, on: dt.date, policies: InUse, places: Mapping[Place, dt.datetime], window: Sequence[int],
    done: Plan,
) -> None:
    """Plan for some clients in one transaction, under their locks: what another planner did meanwhile is seen."""
    with transaction.atomic():
        locked = Client.objects.select_for_update(of=("self",)).filter(pk__in=window).order_by("pk")
        list(locked.values_list("pk", flat=True))
        messages: dict[int, list[Decision]] = defaultdict(list)
        by_desk: dict[tuple[int, Kind], list[Decision]] = defaultdict(list)
        for decisions in decide(company, on, policies, places, window):
            for decision in decisions:
                if decision.verdict != SERVE:
                    continue
                if decision.kind == "message":
                    messages[decision.client].append(decision)
                else:
                    by_desk[decision.client, decision.kind].append(decision)
                    done.desk[decision.rung.code] += 1
        if by_desk:
            done.tasks += _plan_tasks(company, on, by_desk)
        done.planned += _plan_messages(company, on, policies, places, messages, done.held_by)


def _plan_messages(
    company: Company, on: dt.date, policies: InUse, places: Mapping[Place, dt.datetime],
    clients: Mapping[int, Sequence[Decision]], held_by: Hold | None,
) -> list[int]:
    """One message per client, for all that is due from it; which items and steps stands in its payload.

    Where a step wants a person's approval the whole message waits for it; every other waits behind a hold, if any.
    """
    until = start_of_day(company, on + dt.timedelta(days=1)).isoformat()
    new = {
        client: NewMessage(
            f"{NOTICE}:{client}:{on.isoformat()}:mail", NOTICE, f"client:{client}", on,
            places[place_of(items[0].of_client)],
            {
                "company": company.pk, "client": client, "until": until,
                "items": [[d.invoice, d.rung.code, d.due.cycle] for d in items], **_parts(items),
                **_chosen(items, policies),
            },
            _held_for(client, on, items, held_by),
        )
        for client, items in clients.items()
    }
    made = enqueue_many(new.values())
    _claim(
        row for client, items in clients.items() for row in _served(on, items, message=made[new[client].key])
    )
    return [message.pk for message in made.values()]


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


def _plan_tasks(company: Company, on: dt.date, by_desk: Mapping[tuple[int, Kind], Sequence[Decision]]) -> int:
    """A client is called once for all that is due: a call still open takes the new items in.

    Where the day's call is done already and something else becomes due on that day, that is a task of its own.
    """
    clients = {client for client, _kind in by_desk}
    earlier = Task.objects.filter(client__in=clients, kind__in={kind for _client, kind in by_desk})
    still_open = earlier.filter(closed_on=None, served__isnull=False).distinct().order_by("-due_on", "-pk")
    tasks = {(task.client_id, task.kind): task for task in still_open}  # the earliest one stays
    keys = list(earlier.filter(key__contains=f":{on.isoformat()}").values_list("key", flat=True))
    owners = dict(Client.objects.filter(pk__in=clients).values_list("pk", "owner_id"))
    small = _small(company, on, [items[0] for (_client, kind), items in by_desk.items() if kind == "call"])
    made = [
        Task(
            key=_next_key(f"{kind}:{client}:{on.isoformat()}", keys), company=company, client_id=client, kind=kind,
            due_on=on, because=_task_because(kind, len(items), (on - min(item.due_on for item in items)).days),
            low_priority=kind == "call" and client in small, owner_id=owners[client],
        )
        for (client, kind), items in by_desk.items() if (client, kind) not in tasks
    ]
    tasks |= {(task.client_id, task.kind): task for task in Task.objects.bulk_create(made)}
    _claim(row for of, items in by_desk.items() for row in _served(on, items, task=tasks[of]))
    return len(made)


def _next_key(key: str, taken: Iterable[str]) -> str:
    """The day's first task of a kind has the key itself, the ones after it are numbered; under the client's lock."""
    before = sum(1 for other in taken if other == key or other.startswith(f"{key}:"))
    return f"{key}:{before + 1}" if before else key


def _claim(rows: Iterable[Served]) -> None:
    """Write down what is served; the database refuses an invoice, step and round that is there already."""
    Served.objects.bulk_create(rows, batch_size=500)


def _served(on: dt.date, items: Iterable[Decision], **served_by: Any) -> Iterator[Served]:
    """What is served, and what is passed over and by which step."""
    for item in items:
        ladder: Sequence[Rung] = ladder_of(item.policy)
        yield Served(
            invoice_id=item.invoice, step=item.rung.code, part=item.part, cycle=item.due.cycle,
            channel=item.rung.channel, on=on, **served_by,
        )
        for place in item.due.passes_over:
            yield Served(
                invoice_id=item.invoice, step=ladder[place].code, part=item.part, channel=ladder[place].channel, on=on,
                outcome="skipped", because=item.rung.code, **served_by,
            )


def _task_because(kind: str, count: int, days: int) -> str:
    if kind == "review":
        return _("Decide: plan, discount, agency, attorney or write-off; %(days)d days overdue") % {"days": days}
    if count > 1:
        return _("%(count)d invoices reached the call step, the oldest %(days)d days overdue") % {
            "count": count, "days": days,
        }
    return _("An invoice reached the call step, %(days)d days overdue") % {"days": days}


def _small(company: Company, on: dt.date, calls: Sequence[Decision]) -> set[int]:
    """The clients among those to call who owe less, in every currency, than their policy calls for."""
    asked = overdue_of(company, on, [call.client for call in calls]) if calls else {}
    return {
        call.client for call in calls
        if (sums := asked.get(call.client))
        and all(total < Decimal(call.client_policy.call_minimum.get(code, 0)) for code, total in sums.items())
    }


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


def _windows(clients: Sequence[int]) -> Iterable[list[int]]:
    rest = iter(clients)
    while window := list(islice(rest, WINDOW)):
        yield window


def _in_words(done: Plan) -> str:
    parts = {"messages": len(done.planned), "cancelled": done.cancelled, "tasks": done.tasks, "closed": done.closed}
    return f"{done.on}: " + ", ".join(f"{name} {count}" for name, count in parts.items() if count)
