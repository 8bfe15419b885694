"""What the call queue shows of a client: why it is on the list, whom to ask for, what it can be asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import CharField, Count, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ar_collections.models import ContactLog, Promise, StageChange, Task
from ar_collections.reports import QueueRow, queue, tasks_due
from ar_collections.services.stages import CURRENT
from clients.models import Client, Contact, Document
from clients.services.status import statuses_of
from core.models import Company
from dashboard.templatetags.ledger import day, money
from disputes.models import Dispute
from invoices.models import Invoice

ANSWERED_BY_A_CALL = ("call", "promise_broken", "answer")
UNREACHED = ("no_answer", "voicemail")


@dataclass(frozen=True)
class Why:
    """The reason in a few words, its colour and icon, and the fact behind it."""

    label: str
    detail: str
    tone: str = ""
    icon: str = "phone"


@dataclass
class Call:
    """One client to call, for all that is due to be said; where ``is_call`` is false, another task of one client."""

    client: Client
    rows: list[QueueRow] = field(default_factory=list)
    is_call: bool = True
    people: Sequence[Contact] = ()
    invoices: list[Invoice] = field(default_factory=list)
    form: Any = None
    is_open: bool = False
    out_of_hours: bool = False
    credit: str = "open"

    @property
    def tasks(self) -> list[Task]:
        return [row.task for row in self.rows]

    @property
    def first(self) -> QueueRow | None:
        """What the client's tasks have in common, read once per row: contact, local time, what is overdue."""
        return self.rows[0] if self.rows else None

    @property
    def clock(self) -> str:
        """What the clock shows where the contact is."""
        return f"{self.first.local_time:%H:%M}" if self.first else ""

    @property
    def overdue(self) -> list[tuple[str, Decimal]]:
        """What is overdue, per currency, the largest first."""
        sums = self.first.overdue if self.first else {}
        return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))

    @property
    def stage(self) -> str:
        return str(getattr(self.first.task, "stage", CURRENT)) if self.first else CURRENT

    @property
    def is_small(self) -> bool:
        return bool(self.rows) and all(task.low_priority for task in self.tasks)

    @property
    def stage_word(self) -> str:
        return _("Not escalated") if self.stage == CURRENT else capfirst(str(dict(StageChange.STAGES)[self.stage]))

    @property
    def last_touch(self) -> str:
        """The last contact, where no reason above says it already."""
        said = last_touch(self.first) if self.first else ""
        return "" if any(said == why.detail for why in self.why) else said

    @property
    def why(self) -> list[Why]:
        return [why(row) for row in self.rows]


@dataclass
class Queue:
    """The day's work: calls by money at risk, small ones, and what else is on the desk."""

    calls: list[Call]
    small: list[Call]
    others: list[Call]

    @property
    def in_order(self) -> list[Call]:
        """Everybody to call, as the page shows them."""
        return [*self.calls, *self.small]

    def of(self, client: int) -> Call | None:
        return next((call for call in self.in_order if call.client.pk == client), None)

    def after(self, call: Call | None) -> Call | None:
        """Whom to call next: the one below, else the first of those left."""
        order = self.in_order
        if call not in order:
            return order[0] if order else None
        at = order.index(call)
        return next(iter([*order[at + 1 :], *order[:at]]), None)


def queue_of(company: Company, on: dt.date, now: dt.datetime, *, narrowed: Q | None = None) -> Queue:
    """The company's queue on a day, one row per client to call; ``narrowed`` keeps some tasks (owner, kind)."""
    tasks = with_facts(tasks_due([company], on).filter(narrowed or Q()))
    by_client: dict[int, Call] = {}
    others = []
    for row in queue([company], on, now, tasks=tasks):
        if row.task.kind not in ANSWERED_BY_A_CALL:
            others.append(Call(row.client, [row], is_call=False))
        elif row.client.pk in by_client:
            by_client[row.client.pk].rows.append(row)
        else:
            by_client[row.client.pk] = Call(row.client, [row])
    calls = list(by_client.values())
    statuses = statuses_of([call.client for call in (*calls, *others)], on)
    for call in (*calls, *others):
        if call.client.pk in statuses:
            call.credit = statuses[call.client.pk].status
    return Queue([c for c in calls if not c.is_small], [c for c in calls if c.is_small], others)


def with_facts(tasks: QuerySet[Task]) -> QuerySet[Any]:
    """Tasks with the client's ``stage``, how often nobody was ``unreached`` since, the promise that was broken, and the
    latest ``proof`` of payment that the client sent."""
    stage = StageChange.objects.filter(client=OuterRef("client")).order_by("-pk").values("stage_to")[:1]
    tries = ContactLog.objects.standing().filter(
        client=OuterRef("client"), channel="call", outcome__in=UNREACHED, logged_at__gte=OuterRef("opened_at")
    )
    key = Concat(Value("promise_broken:"), Cast("pk", CharField()), output_field=CharField())
    promises = Promise.objects.filter(invoice=OuterRef("invoice")).annotate(task_key=key)
    promise = promises.filter(task_key=OuterRef("key"))
    proofs = Document.objects.filter(client=OuterRef("client"), kind="payment_proof", removed_at=None)
    return tasks.annotate(
        proof=Subquery(proofs.order_by("-pk").values("pk")[:1]),
        stage=Coalesce(Subquery(stage), Value(CURRENT)),
        tries=Coalesce(Subquery(tries.order_by().values("client").annotate(n=Count("pk")).values("n")), 0),
        promised=Subquery(promise.values("amount")[:1]), promised_for=Subquery(promise.values("promised_for")[:1]),
        promised_in=Subquery(promise.values("currency")[:1]),
    )  # fmt: skip


def why(row: QueueRow) -> Why:
    """Why a task is on the list."""
    task: Any = row.task
    if task.kind == "promise_broken" and task.promised is not None:
        facts = {"amount": money(task.promised, task.promised_in), "day": day(task.promised_for)}
        return Why(_("Promise broken"), _("%(amount)s promised for %(day)s") % facts, "bad", "calendar-event")
    if task.kind == "call":
        return Why(_tries(task), last_touch(row) or _("No contact yet"))
    label, tone, icon = LOOKS.get(task.kind, (task.get_kind_display(), "", "list-check"))
    return Why(str(label), task.because, tone, icon) if label else Why(task.because, last_touch(row), tone, icon)


def _tries(task: Any) -> str:
    if task.tries > 2:
        return _("No answer %(n)d times") % {"n": task.tries}
    if task.tries:
        return _("No answer, third try") if task.tries == 2 else _("No answer, second try")
    return _("First call") if task.stage in (CURRENT, "reminded") else _("Call again")


def last_touch(row: QueueRow) -> str:
    """The last contact, what and when."""
    touch = row.last_touch
    if touch is None:
        return ""
    on = touch.at.astimezone(row.client.company.zone).date()
    return f"{day(on)} · {capfirst(touch.what)}"


LOOKS = {
    "promise_broken": (gettext_lazy("Promise broken"), "bad", "calendar-event"),
    "matching": (gettext_lazy("Says it is paid"), "info", "wallet"),
    "plan_request": (gettext_lazy("Asks for a plan"), "info", "message"), "answer": ("", "info", "message"),
    "letter": (gettext_lazy("Post a letter"), "", "mail"),
    "review": (gettext_lazy("Decide what to do"), "warn", "scale"),
    "contact": (gettext_lazy("Find a contact"), "warn", "user-question"),
    "delivery": (gettext_lazy("Message not delivered"), "bad", "alert-circle"),
    "inform": (gettext_lazy("For your information"), "info", "message"),
}  # fmt: skip


def prepare(calls: Iterable[Call]) -> None:
    """Give the calls on the page the people who can be asked for, and the invoices that can be spoken about."""
    by_client = {call.client.pk: call for call in calls if call.is_call}
    people: dict[int, list[Contact]] = {}
    for person in Contact.objects.filter(client__in=by_client, is_active=True).order_by("pk"):
        people.setdefault(person.client_id, []).append(person)
    for pk, call in by_client.items():
        first = call.first.contact.pk if call.first and call.first.contact else 0
        call.people = sorted(people.get(pk, []), key=lambda person: person.pk != first)
    disputed = Dispute.objects.filter(closed_on=None).values("invoice")
    owed = Invoice.objects.open().filter(client__in=by_client).exclude(pk__in=disputed)
    for invoice in owed.order_by("due_on", "pk"):
        by_client[invoice.client_id].invoices.append(invoice)


@dataclass(frozen=True)
class Done:
    """What was done so far today: calls made, and what they brought as promises, per currency."""

    calls: int
    promised: dict[str, Decimal]


def done_on(company: Company, on: dt.date) -> Done:
    """The calls of a day and the promises staff took down on it."""
    begins = dt.datetime.combine(on, dt.time(), company.zone)
    calls = ContactLog.objects.standing().filter(client__company=company, channel="call", direction="out")
    made = calls.filter(happened_at__gte=begins, happened_at__lt=begins + dt.timedelta(days=1)).count()
    promises = Promise.objects.filter(client__company=company, made_on=on, by_client=False, withdrawn_on=None)
    sums = promises.order_by().values("currency").annotate(s=Sum("amount"))
    return Done(made, dict(sums.values_list("currency", "s")))
