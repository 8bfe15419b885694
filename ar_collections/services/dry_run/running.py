"""One side of a trial: a version in force on a book that is nobody else's, day after day, by the planner of the night.

What is planned is sent on its day, calls are made on theirs, approvals are given; nobody pays, promises or disputes
anything new. Promises, pauses and agreed extensions end on the days they have.
"""

from __future__ import annotations

import datetime as dt
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import IO, Any

from django.db.models import Count, F, Q, Sum

from ar_collections.dry_run import DayOfTrial, Serving
from ar_collections.models import Served, StageChange, Task
from ar_collections.services.deciding import NOTICE, chased
from ar_collections.services.planning import plan
from audit.models import Event
from clients.models import Client
from core.models import Company
from invoices.models import Intake, Invoice
from outbox.models import Message
from policies.models import Policy, Step
from policies.services.precedence import governed

from .shadow import NEW_ROWS_FROM, Copy, count_anew

LOOKS_BACK = 400  # days: «late again within twelve months»
NOTICES_BACK = 60  # days: the spacing between two messages is shorter
BY = "dry run"
_PLANNED = ["held", "pending"]
_AS_THEY_ARE = (Copy(Client), Copy(Intake), Copy(Policy), Copy(Step), Copy(Event, "FALSE"))


@dataclass(frozen=True)
class Version:
    """A version as it is tried, from the first day on; without steps: whatever is in force day by day."""

    label: str
    policy: Policy
    steps: tuple[Step, ...] | None = None
    later: tuple[Policy, ...] = ()  # the versions that take its place on the way

    @cached_property
    def ladder(self) -> list[Step]:
        """Its steps; of a code that a later version has too, as that one has it."""
        if self.steps is not None:
            return list(self.steps)
        return list({step.code: step for one in (self.policy, *self.later) for step in one.steps.all()}.values())


@dataclass
class Side:
    """What a version would do: its days, everything it would serve (in a file, in order), and what follows from it."""

    version: Version
    days: list[DayOfTrial] = field(default_factory=list)
    notices: dict[int, dt.date] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    fees: dict[int, set[str]] = field(default_factory=dict)  # by invoice, the steps that charge one
    cash_only: dict[int, Serving] = field(default_factory=dict)
    kept: IO[str] = field(default_factory=lambda: tempfile.TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115

    def keep(self, servings: Iterator[Serving]) -> None:
        """Write down what was served, and notice what follows: notice of interest, a claim, cash-only."""
        steps = {step.code: step for step in self.version.ladder}
        for one in servings:
            self.kept.write("\t".join(map(str, one)) + "\n")
            step = steps.get(one.step)
            if step is None:
                continue
            if step.interest_notice_days is not None and one.cycle == 1:
                begins = one.on + dt.timedelta(days=step.interest_notice_days)
                self.notices[one.invoice] = min(begins, self.notices.get(one.invoice, begins))
            if step.claims_interest:
                self.claimed.add(one.invoice)
            if step.fee:
                self.fees.setdefault(one.invoice, set()).add(step.code)
            if step.sets_cash_only and (one.client not in self.cash_only or one.on < self.cash_only[one.client].on):
                self.cash_only[one.client] = one

    def close(self) -> None:
        self.kept.close()

    def servings(self) -> Iterator[Serving]:
        """Everything it would serve, ordered by ``Serving.key``."""
        self.kept.seek(0)
        for line in self.kept:
            client, invoice, part, step, cycle, channel, on = line.rstrip("\n").split("\t")
            yield Serving(
                int(client), int(invoice), int(part), step, int(cycle), channel, dt.date.fromisoformat(on)
            )


def what_matters(first_day: dt.date) -> list[Copy]:
    """The tables a planner writes to, with the rows it asks about."""
    since, notices = first_day - dt.timedelta(days=LOOKS_BACK), first_day - dt.timedelta(days=NOTICES_BACK)
    still_open = f"SELECT id FROM {Invoice._meta.db_table} WHERE balance > 0"  # noqa: S608
    waits = "kind = %s AND (\"on\" >= %s OR state IN ('held', 'pending'))"
    return [
        Copy(Message, waits, (NOTICE, notices), emptied=("text", "html")),
        Copy(Served, f'"on" >= %s OR invoice_id IN ({still_open})', (since,)),
        Copy(Task, "closed_on IS NULL OR due_on >= %s", (since,)),
        Copy(StageChange), *_AS_THEY_ARE,
    ]  # fmt: skip


def what_mattered(first_day: dt.date) -> list[Copy]:
    """The same as it was before a day gone by: what was planned, said and opened since then is not there."""
    notices = first_day - dt.timedelta(days=NOTICES_BACK)
    gone = "kind = %s AND \"on\" >= %s AND \"on\" < %s AND state IN ('sent', 'unknown', 'failed')"
    return [
        Copy(Message, gone, (NOTICE, notices, first_day), emptied=("text", "html")),
        Copy(Served, '"on" < %s', (first_day,)),
        Copy(Task, "due_on < %s AND (closed_on IS NULL OR closed_on >= %s)", (first_day, first_day)),
        Copy(StageChange, "changed_on < %s", (first_day,)), *_AS_THEY_ARE,
    ]  # fmt: skip


def put_in_force(version: Version, first_day: dt.date) -> None:
    """From the first day on the version is the one in force, whatever else is made for a later day."""
    if version.steps is None:
        return
    later = Policy.objects.filter(name=version.policy.name, effective_from__gte=first_day)
    # In the shadow alone: what the real book keeps of these versions, charges or a draft, does not hold them here.
    Step.objects.filter(policy__in=later.values("pk"))._raw_delete(later.db)
    later._raw_delete(later.db)
    own = secrets.randbelow(NEW_ROWS_FROM) + NEW_ROWS_FROM  # never again the number of another trial
    values = {f.attname: getattr(version.policy, f.attname) for f in Policy._meta.concrete_fields}
    Policy.objects.bulk_create([Policy(**values | {"id": own, "effective_from": first_day})])
    names = [f.attname for f in Step._meta.concrete_fields if f.name not in ("id", "policy")]
    Step.objects.bulk_create(
        [Step(policy_id=own, **{name: getattr(step, name) for name in names}) for step in version.steps]
    )


def run(
    side: Side, companies: Sequence[Company], users: Sequence[int], first_day: dt.date, days: int,
    tell: Callable[[], None],
) -> None:
    """Plan every company on every day, as the night does, and take what is planned as sent."""
    name = side.version.policy.name
    for n in range(days):
        on = first_day + dt.timedelta(days=n)
        for company in companies:
            plan(company, on, by=BY, hold_allowed=False)
        side.days.append(the_day(companies, name, users, on))
        _goes_out(on)
        if n & (n + 1) == 0 or n == days - 1:
            count_anew([Message, Served, Task])
        tell()
    side.keep(servings(name, users))


def _goes_out(on: dt.date) -> None:
    """The outbox sends at once, and the telephone is answered."""
    Message.objects.filter(kind=NOTICE, on__lte=on, state__in=_PLANNED).update(
        state="sent", held_for="", sent_at=F("not_before")
    )
    Task.objects.filter(kind__in=["call", "review"], closed_on=None, due_on__lte=on).update(
        closed_on=on, closed_by=BY, closed_because=BY
    )


def the_day(
    companies: Sequence[Company], name: str, users: Sequence[int], on: dt.date, *, made_here: bool = True
) -> DayOfTrial:
    """What a day brought by a policy: messages, tasks, invoices and what is asked for, by step."""
    day, rows = DayOfTrial(on), _served(name, users, made_here).filter(on=on)
    counts = rows.values("step").annotate(m=Count("message", distinct=True), t=Count("task", distinct=True))
    for step, messages, tasks in counts.values_list("step", "m", "t"):
        day.step(step).messages, day.step(step).tasks = messages, tasks
    if day.is_empty:
        return day
    in_all = rows.aggregate(m=Count("message", distinct=True), t=Count("task", distinct=True))
    day.messages, day.tasks = in_all["m"], in_all["t"]
    served = {"served__on": on, "served__outcome": "served"} | ({"served__pk__gt": NEW_ROWS_FROM} if made_here else {})
    for company in companies:
        asked = chased(company, on).filter(governed(name, users)).order_by()
        for currency, *told in _added_up(asked.filter(pk__in=rows.values("invoice")), "currency"):
            day.add(currency, *told)
        for step, currency, *told in _added_up(asked.filter(Q(**served)), "served__step", "currency"):
            day.step(step).add(currency, *told)
    return day


def _added_up(asked: Any, *by: str) -> Iterator[tuple[Any, ...]]:
    """How many invoices, and what is asked for on them."""
    sums = {"invoices": Count("pk", distinct=True), "open": Sum("owed"), "off": Sum("disputed")}
    for *keys, invoices, owed, disputed in asked.values(*by).annotate(**sums).values_list(*by, *sums):
        yield *keys, invoices, owed - disputed


def servings(name: str, users: Sequence[int], *, made_here: bool = True, **more: Any) -> Iterator[Serving]:
    """All that was served, in the order two trials are compared in: the database need not sort text as Python does."""
    columns = ("invoice__client_id", "invoice_id", "part", "step", "cycle", "channel", "on")
    rows = _served(name, users, made_here).filter(**more).order_by("invoice__client_id", "invoice_id")
    found = (Serving(*row) for row in rows.values_list(*columns).iterator(chunk_size=5000))
    for _invoice, some in groupby(found, key=attrgetter("client", "invoice")):
        yield from sorted(some)


def _served(name: str, users: Sequence[int], made_here: bool) -> Any:
    rows = Served.objects.filter(governed(name, users, "invoice__"), outcome="served").order_by()
    return rows.filter(pk__gt=NEW_ROWS_FROM) if made_here else rows
