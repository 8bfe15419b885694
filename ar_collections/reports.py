"""What the desk looks at: the call queue by money at risk, and what happens next by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Concat

from clients.models import Client, Contact
from core.models import Company
from invoices.models import Invoice
from outbox.models import Message
from policies.models import Step

from .models import ContactLog, Task
from .services.choosing import InUse
from .services.coming import coming
from .services.deciding import NOTICE, chased


@dataclass(frozen=True)
class Touch:
    """The last time we and the client were in touch: when, and by what."""

    at: dt.datetime
    what: str
    who: str = ""


@dataclass(frozen=True)
class QueueRow:
    """One task with all that a clerk needs before picking up the telephone."""

    task: Task
    contact: Contact | None
    local_time: dt.datetime
    overdue: dict[str, Decimal] = field(default_factory=dict)
    days_overdue: int = 0
    last_touch: Touch | None = None

    @property
    def client(self) -> Client:
        return self.task.client

    @property
    def reason(self) -> str:
        return self.task.because

    @property
    def phone(self) -> str:
        return self.contact.phone if self.contact else ""

    @property
    def at_risk(self) -> Decimal:
        """The largest overdue sum in one currency; sums of different currencies are never added."""
        return max(self.overdue.values(), default=Decimal(0))


def tasks_due(companies: Collection[Company], on: dt.date) -> QuerySet[Task]:
    """Open tasks whose day has come and that nobody put off to a later one."""
    put_off = Q(snoozed_until__isnull=False, snoozed_until__gt=on)
    return Task.objects.filter(company__in=companies, closed_on=None, due_on__lte=on).exclude(put_off)


def queue(
    companies: Sequence[Company], on: dt.date, now: dt.datetime, *, tasks: QuerySet[Task] | None = None
) -> list[QueueRow]:
    """The tasks of the day by money at risk, small calls last; ``tasks`` narrows them (owner, kind, search).

    Six queries and two per company, however many tasks there are.
    """
    due: QuerySet[Any] = tasks_due(companies, on) if tasks is None else tasks
    rows = list(
        due.select_related("client__company", "invoice", "owner").annotate(
            last_log=Subquery(_logs_of(OuterRef("client")).values("pk")[:1]),
            party=Concat(Value("client:"), Cast("client_id", TextField()), output_field=TextField()),
        ).annotate(last_message=Subquery(_sent_to(OuterRef("party")).values("pk")[:1]))
    )
    clients = {row.client_id for row in rows}
    contacts = _contacts(clients)
    overdue = _overdue(companies, on, clients)
    logs = ContactLog.objects.in_bulk({row.last_log for row in rows if row.last_log})
    messages = Message.objects.in_bulk({row.last_message for row in rows if row.last_message})
    found = [
        QueueRow(
            task=row,
            contact=contacts.get(row.client_id),
            local_time=now.astimezone((contacts.get(row.client_id) or row.client).zone),
            overdue=overdue.get(row.client_id, ({}, 0))[0],
            days_overdue=overdue.get(row.client_id, ({}, 0))[1],
            last_touch=_latest(logs.get(row.last_log), messages.get(row.last_message)),
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: (row.task.low_priority, -row.at_risk, row.task.due_on, row.task.pk))


@dataclass(frozen=True)
class Upcoming:
    """A step that comes by itself if nothing changes: the day, the step, the invoice."""

    on: dt.date
    step: Step
    invoice: Invoice


def next_step(client: Client, on: dt.date, policies: InUse | None = None) -> Upcoming | None:
    """The next step that one of the client's open invoices is served with by itself, on the day or after it.

    None where nothing comes: nothing is open, or it is promised, paused, disputed in full or covered by cash.
    """
    for first in coming(client, on, policies):
        step = next(step for step in first.policy.steps.all() if step.code == first.rung.code)
        return Upcoming(first.on, step, Invoice.objects.get(pk=first.invoice))
    return None


def _logs_of(client: Any) -> QuerySet[ContactLog]:
    return ContactLog.objects.standing().filter(client=client).order_by("-happened_at", "-pk")


def _sent_to(party: Any) -> QuerySet[Message]:
    return Message.objects.filter(kind=NOTICE, party=party, state="sent").order_by("-sent_at", "-pk")


def _contacts(clients: Collection[int]) -> dict[int, Contact]:
    """Whom to call: somebody with a telephone, accounts payable before others."""
    found: dict[int, Contact] = {}
    people = Contact.objects.filter(client__in=clients, is_active=True).select_related("client__company").order_by("pk")
    for contact in sorted(people, key=lambda c: (not c.phone, c.role != "accounts_payable", c.pk)):
        found.setdefault(contact.client_id, contact)
    return found


def _overdue(
    companies: Collection[Company], on: dt.date, clients: Collection[int]
) -> dict[int, tuple[dict[str, Decimal], int]]:
    """Overdue and undisputed, per client: the sums by currency and the age of the oldest."""
    found: dict[int, tuple[dict[str, Decimal], int]] = {}
    for company in companies:
        rows = chased(company, on).filter(client__in=clients, due_day__lt=on, owed__gt=F("disputed"))
        for client, currency, due_on, owed, disputed in rows.values_list(
            "client_id", "currency", "due_day", "owed", "disputed"
        ):
            sums, days = found.get(client, ({}, 0))
            sums[currency] = sums.get(currency, Decimal(0)) + owed - disputed
            found[client] = (sums, max(days, (on - due_on).days))
    return found


def _latest(log: ContactLog | None, message: Message | None) -> Touch | None:
    touches = []
    if log is not None:
        touches.append(Touch(log.happened_at, str(log.get_channel_display()), log.with_whom))
    if message is not None and message.sent_at is not None:
        touches.append(Touch(message.sent_at, message.subject, message.to_name))
    return max(touches, key=lambda touch: touch.at, default=None)
