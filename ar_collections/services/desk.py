"""The tasks of the desk: opened, put off, handed on, skipped and closed; some close themselves."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from ar_collections.models import Served, Task
from audit.services import record
from clients.models import Client, Contact
from core.errors import Refused
from core.models import Company, as_text
from invoices.models import Invoice

from .deciding import owing

# Done once what they are about is paid.
ABOUT_MONEY = ("call", "letter", "review", "matching", "promise_broken", "inform")


def open_task(
    client: Client, kind: str, *, because: str, due_on: dt.date, on: dt.date, by: Any, detail: str = "",
    invoice: Invoice | None = None, key: str = "",
) -> Task:
    """Put something to do on the desk of the client's owner; with a ``key`` it is there once however often asked."""
    with transaction.atomic():
        task, made = Task.objects.get_or_create(
            key=key or f"{kind}:{client.pk}:{uuid.uuid4().hex}",
            defaults={
                "company": client.company, "client": client, "invoice": invoice, "kind": kind, "because": because[:300],
                "detail": detail, "due_on": max(due_on, on), "owner": client.owner,
            },
        )
        if made:
            record(by, "task_opened", task, client_id=client.pk, summary=because)
    return task


def delivery_key(message_key: str, event: str = "") -> str:
    """The key of the task of a message that did not arrive: once per message, and per event where it did after all."""
    return f"delivery:{message_key}" + (f":{event}" if event else "")


def add_to_task(task: Task, words: str, *, by: Any) -> Task:
    """What was said again stands on the task that is open for it, each once; it is put off no longer.

    Refused once it is done.
    """
    if not words or words in task.detail:
        return task
    detail = "\n".join(filter(None, [task.detail, words]))
    return _change(task, "task_added_to", by, words, detail=detail, snoozed_until=None)


def snooze_task(task: Task, until: dt.date, *, on: dt.date, by: Any) -> Task:
    """Put a task off until a later day. Refused for today or the past, and once it is done."""
    if until <= on:
        raise Refused(_("Choose a later day than today."), code="past", where="until")
    return _change(task, "task_snoozed", by, f"until {until}", snoozed_until=until)


def assign_task(task: Task, owner: Any, *, by: Any) -> Task:
    """Hand a task to a colleague, or to nobody. Refused once it is done."""
    return _change(task, "task_assigned", by, as_text(owner) if owner else "nobody", owner=owner)


def skip_task(task: Task, *, reason: str, on: dt.date, by: Any) -> Task:
    """Leave a task undone, for a reason that stays on the client's file. Refused without one."""
    if not reason.strip():
        raise Refused(_("Write why this is skipped."), where="reason")
    return close_task(task, because=_("Skipped: %(reason)s") % {"reason": reason.strip()}, on=on, by=by)


def close_task(task: Task, *, because: str, on: dt.date, by: Any) -> Task:
    """The task is done, with what came of it. Refused once it is done already."""
    return _change(
        task, "task_closed", by, because, closed_on=on, closed_by=as_text(by)[:150], closed_because=because[:300]
    )


def request_plan(invoice: Invoice, *, text: str = "", on: dt.date, by: Any) -> Task:
    """The client asks for a payment plan: a task for its owner, one per invoice until it is answered.

    Asking again adds to the one that is open.
    """
    if invoice.issued_at is None or invoice.voided_at is not None or invoice.balance == 0:
        raise Refused(_("Nothing is owed on this invoice."), code="settled")
    standing = Task.objects.filter(invoice=invoice, kind="plan_request", closed_on=None).first()
    if standing:
        return add_to_task(standing, text.strip(), by=by)
    return open_task(
        invoice.client, "plan_request", because=_("Asks for a plan for %(invoice)s") % {"invoice": invoice},
        detail=text.strip(), invoice=invoice, due_on=on, on=on, by=by,
    )


def close_settled_tasks(company: Company, on: dt.date) -> int:
    """Tasks about money close themselves once it is paid, and the search for a contact once there is one."""
    tasks = Task.objects.filter(company=company, closed_on=None, kind__in=[*ABOUT_MONEY, "contact"])
    if not tasks.exists():
        return 0
    owed, about = owing(company, on), Q(invoice__isnull=False) | Exists(Served.objects.filter(task=OuterRef("pk")))
    # Looked up task by task: gathered for all of them at once, a database reads every night there ever was.
    still_owed = Coalesce(
        Subquery(owed.filter(pk=OuterRef("invoice")).values("pk")[:1]),
        Subquery(owed.filter(served__task=OuterRef("pk")).values("pk")[:1]),
    )
    paid = tasks.exclude(kind="contact").filter(about).annotate(still_owed=still_owed).filter(still_owed=None)
    reachable = Contact.objects.reachable().filter(client=OuterRef("client"))
    reached = tasks.filter(Exists(reachable), kind="contact")
    return _close_all(paid, _("Paid"), on) + _close_all(reached, _("There is a contact now"), on)


def _close_all(tasks: QuerySet[Task], because: str, on: dt.date) -> int:
    found = list(tasks.order_by().values_list("pk", flat=True))
    return sum(
        Task.objects.filter(pk__in=found[start : start + 500], closed_on=None).update(
            closed_on=on, closed_by="system", closed_because=because
        )
        for start in range(0, len(found), 500)
    )


def _change(task: Task, action: str, by: Any, summary: str, **changes: Any) -> Task:
    with transaction.atomic():
        if not Task.objects.filter(Q(pk=task.pk), closed_on=None).update(**changes):
            raise Refused(_("This task is done already; load the page again."), code="task_closed")
        record(by, action, task, client_id=task.client_id, summary=summary)
    task.refresh_from_db()
    return task
