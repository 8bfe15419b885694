"""Telling a client that cash-only begins and ends: a notice of its own, once per change, beside the day's reminder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from ar_collections.models import Hold, Task
from ar_collections.status_rules import CASH_ONLY
from audit.services import record
from clients.models import Client, Contact, StatusChange
from clients.services.status import NO_CREDIT, statuses_of
from core.models import Company
from outbox.models import Message
from outbox.moves import move
from outbox.services import NewMessage, enqueue_many
from policies.models import Policy
from policies.services import policy_of

from .business_days import openings
from .desk import delivery_key, open_task
from .holding import hold_for

KIND = "credit_notice"
BEGINS, ENDS = "begins", "ends"


@dataclass(frozen=True)
class _Telling:
    """What a client has to be told: that cash-only began or ended, by which change."""

    client: Client
    says: str
    key: str
    change: int | None


def tell_credit(
    company: Company, on: dt.date, *, by: Any, now: dt.datetime | None = None, hold_allowed: bool = True,
    policy: Policy | None = None,
) -> list[Message]:
    """Write to every client whose cash-only has begun or ended and who was not told yet, whoever moved it.

    It leaves in the client's window; where that does not open on the day, it is asked again on the next. With
    ``hold_allowed`` it waits behind an open hold, or a new one where far more than usual would leave. Who cannot be
    written to is a task. ``policy`` is the one in force on the day, where it is known already; refused where there is
    none.
    """
    tellings = _to_tell(company, on)
    if not tellings:
        return []
    policy = policy or policy_of(company, on)
    places = openings(company, on, policy, now)
    reachable = set(
        Contact.objects.reachable().filter(client__in=[t.client.pk for t in tellings]).values_list("client", flat=True)
    )
    for telling in tellings:
        if telling.client.pk not in reachable:
            _ask_for_contact(telling.client, on)
    leaving = [
        t for t in tellings if t.client.pk in reachable and (t.client.time_zone, t.client.country) in places
    ]
    held_by: Hold | None = None
    if hold_allowed and now is not None and leaving:
        held_by = hold_for(company, on, len(leaving), policy=policy, now=now)
    new = [_message(t, on, places[t.client.time_zone, t.client.country], held_by) for t in leaving]
    made = list(enqueue_many(new).values())
    if made:
        record(by, "credit_notices_planned", company, summary=f"{on}: {len(made)}")
    return made


def after(message: Message, state: str) -> None:
    """A notice that could not be delivered is somebody's task: the client does not know yet."""
    if state == "failed":
        client = Client.objects.select_related("company", "owner").get(pk=message.payload["client"])
        open_task(
            client, "delivery", because=_("A notice about the credit status could not be delivered"),
            detail=message.reply or message.reason, due_on=message.on, on=message.on, by="system",
            key=delivery_key(message.key),
        )


def standing_says(client: Client, on: dt.date) -> str:
    """What is true on a day: cash-only stands («begins»), or the client buys on credit («ends»), or neither."""
    standing = statuses_of([client], on).get(client.pk)
    return _says(standing)


def _to_tell(company: Company, on: dt.date) -> list[_Telling]:
    """Clients who ever were on cash-only and whose last notice says something else than what is true today.

    A notice that has not left and is true no longer is taken back instead.
    """
    ever = StatusChange.objects.filter(client__company=company, status=CASH_ONLY, effective_on__lte=on)
    clients = list(
        Client.objects.filter(pk__in=ever.values("client")).select_related("company", "owner").order_by("pk")
    )
    if not clients:
        return []
    standing, told = statuses_of(clients, on), _told(company)
    found = []
    for client in clients:
        change, last = standing.get(client.pk), told.get(client.pk)
        says, said = _says(change), last.payload["says"] if last else ""
        if says == BEGINS and said != BEGINS:
            assert change is not None
            found.append(_Telling(client, BEGINS, f"credit:{change.pk}", change.pk))
        elif says == ENDS and last is not None and said == BEGINS and not _taken_back(last):
            found.append(_Telling(client, ENDS, *_end_of(client, change, ever, on)))
    there = set(Message.objects.filter(key__in=[t.key for t in found]).values_list("key", flat=True))
    return [telling for telling in found if telling.key not in there]


def _says(change: StatusChange | None) -> str:
    if change is not None and change.status in NO_CREDIT:
        return BEGINS if change.status == CASH_ONLY else ""
    return ENDS


def _told(company: Company) -> dict[int, Message]:
    """The last notice to each client that left or still waits."""
    rows = Message.objects.filter(kind=KIND, payload__company=company.pk).exclude(state="cancelled").order_by("pk")
    return {message.payload["client"]: message for message in rows.defer("text", "html")}


def _taken_back(begins: Message) -> bool:
    """Cash-only was over before its notice left: it is cancelled, and there is nothing to tell."""
    waits = begins.state in ("held", "pending")
    return waits and move(begins, "cancelled", reason="the credit status has changed since")


def _end_of(
    client: Client, change: StatusChange | None, ever: Iterable[StatusChange], on: dt.date
) -> tuple[str, int | None]:
    """The key of the notice that it is over: of the change that ended it, or of the one whose last day has passed."""
    last = max((c for c in ever if c.client_id == client.pk), key=lambda c: (c.effective_on, c.pk))
    if change is not None and (change.effective_on, change.pk) > (last.effective_on, last.pk):
        return f"credit:{change.pk}", change.pk
    return f"credit:{last.pk}:over", last.pk


def _message(telling: _Telling, on: dt.date, opens: dt.datetime, held_by: Hold | None) -> NewMessage:
    client = telling.client
    payload = {"company": client.company_id, "client": client.pk, "says": telling.says, "change": telling.change}
    return NewMessage(
        telling.key, KIND, f"client:{client.pk}", on, opens, payload, held_by.key if held_by else ""
    )


def _ask_for_contact(client: Client, on: dt.date) -> None:
    if not Task.objects.filter(client=client, kind="contact", closed_on=None).exists():
        open_task(
            client, "contact", due_on=on, on=on, by="system", key=f"contact:{client.pk}:{on.isoformat()}",
            because=_("The client has to be told about its credit and nobody can be written to: add a contact"),
        )
