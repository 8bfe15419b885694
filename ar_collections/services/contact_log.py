"""What was said, to whom and when: kept as it was written; a correction is a new entry that names the old one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ar_collections.models import ContactLog, Task
from audit.services import record
from clients.models import Client, Contact
from clients.services import retire_contact, save_contact
from core.errors import Refused
from core.models import as_text

from .desk import close_task, open_task
from .stages import escalate

REACHED = ("spoke", "promised", "disputes", "claims_paid", "wants_plan")  # somebody who could answer did


def log_contact(
    client: Client, *, key: str, channel: str, direction: str, outcome: str, happened_at: dt.datetime, on: dt.date,
    by: Any, contact: Contact | None = None, with_whom: str = "", said: str = "", next_step: str = "",
    next_on: dt.date | None = None, invoices: Sequence[int] = (), task: Task | None = None,
    right_person: Mapping[str, Any] | None = None,
) -> ContactLog:
    """Keep a contact: whom, when, by which channel, what was said, what came of it and what comes next.

    ``key`` makes it happen once. ``task`` is the call it answers: a conversation closes it, no answer puts it off
    to the next step's day (tomorrow, where none is given). «Wrong person» takes ``right_person`` (name, e-mail,
    telephone, role), who becomes a contact in place of the one called; without it somebody has to be found.
    Refused for an unknown outcome, a contact of another client, and a next step in the past.
    """
    _check(client, channel, direction, outcome, contact, next_on, on)
    with transaction.atomic():
        Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
        standing = ContactLog.objects.filter(key=key).first()
        if standing:
            return standing
        entry = ContactLog.objects.create(
            client=client, contact=contact, with_whom=with_whom.strip()[:150] or (contact.name if contact else ""),
            happened_at=happened_at, channel=channel, direction=direction, outcome=outcome, said=said.strip(),
            next_step=next_step.strip()[:200], next_on=next_on, invoices=list(invoices), key=key,
            logged_by=as_text(by)[:150],
        )
        record(by, "contact_logged", entry, client_id=client.pk, summary=f"{channel} {outcome}")
        if outcome == "wrong_person":
            _find_the_right_one(client, contact, right_person, on, by)
        if task is not None and task.closed_on is None:
            answer_task(task, entry, on=on, by=by)
        if next_step.strip() and next_on:
            open_task(
                client, "answer", because=next_step.strip(), due_on=next_on, on=on, by=by, key=f"next_step:{entry.pk}"
            )
        if channel == "call" and outcome in REACHED:
            escalate(client, "called", because=_("Spoke on the telephone"), on=on, by=by)
    return entry


def correct_contact_log(
    entry: ContactLog, *, key: str, said: str, on: dt.date, by: Any, outcome: str = ""
) -> ContactLog:
    """Say what was really said: a new entry that names the old one, which stays as it was written.

    Refused where the entry was already corrected by another: then correct that one.
    """
    if not said.strip():
        raise Refused(_("Write what was really said."), where="said")
    with transaction.atomic():
        Client.objects.select_for_update(of=("self",)).get(pk=entry.client_id)
        standing = ContactLog.objects.filter(key=key).first()
        if standing:
            return standing
        if entry.corrections.exists():
            raise Refused(_("This entry was already corrected; correct the newer one."), code="corrected")
        corrected = ContactLog.objects.create(
            client=entry.client, contact=entry.contact, with_whom=entry.with_whom, happened_at=entry.happened_at,
            channel=entry.channel, direction=entry.direction, outcome=outcome or entry.outcome, said=said.strip(),
            next_step=entry.next_step, next_on=entry.next_on, invoices=entry.invoices, corrects=entry, key=key,
            logged_by=as_text(by)[:150],
        )
        record(by, "contact_log_corrected", corrected, client_id=entry.client.pk)
    return corrected


def _check(
    client: Client, channel: str, direction: str, outcome: str, contact: Contact | None, next_on: dt.date | None,
    on: dt.date,
) -> None:
    for field, value, allowed in (
        ("channel", channel, ContactLog.CHANNELS), ("direction", direction, ContactLog.DIRECTIONS),
        ("outcome", outcome, ContactLog.OUTCOMES),
    ):
        if value not in dict(allowed):
            raise Refused(_("Choose one of the list."), code=field, where=field)
    if contact is not None and contact.client_id != client.pk:
        raise Refused(_("This contact belongs to another client."), code="foreign_contact", where="contact")
    if next_on is not None and next_on < on:
        raise Refused(_("The next step is today or later."), code="past", where="next_on")


def _find_the_right_one(
    client: Client, wrong: Contact | None, right: Mapping[str, Any] | None, on: dt.date, by: Any
) -> None:
    if right and str(right.get("name", "")).strip():
        role = right.get("role") or (wrong.role if wrong else "accounts_payable")
        save_contact(client, None, {**right, "role": role}, by=by)
        if wrong is not None:
            retire_contact(wrong, by=by)
        return
    who = wrong.name if wrong else _("The person called")
    open_task(
        client, "contact", because=_("%(who)s is the wrong person: find out who is responsible") % {"who": who},
        due_on=on, on=on, by=by, key=f"wrong_person:{client.pk}:{wrong.pk if wrong else on}",
    )


def answer_task(task: Task, entry: ContactLog, *, on: dt.date, by: Any) -> None:
    """What a contact does to a task it was for: a conversation closes it, no answer puts it off."""
    if entry.outcome in (*REACHED, "wrong_person"):
        close_task(task, because=entry.get_outcome_display(), on=on, by=by)
        return
    later = max(entry.next_on or on + dt.timedelta(days=1), on + dt.timedelta(days=1))
    Task.objects.filter(pk=task.pk, closed_on=None).update(snoozed_until=later)
