"""Messages with a step that wants a person's approval: each is looked at before it leaves, on its day only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ar_collections.models import Served
from ar_collections.subjects import about
from audit.services import record
from core.errors import Refused
from core.models import Company
from outbox.models import Message
from outbox.services import discard, release

from .waiting import wait_for_windows

APPROVAL = "approval:"


def approval_key(client: int, on: dt.date) -> str:
    """What a message that waits for approval carries in ``held_for``."""
    return f"{APPROVAL}{client}:{on.isoformat()}"


def waiting_for_approval(company: Company) -> list[Message]:
    """The company's messages that wait for approval, client by client; what is not approved is planned afresh."""
    held = Message.objects.filter(state="held", held_for__startswith=APPROVAL, payload__company=company.pk)
    return list(held.order_by("on", "party"))


def approve(messages: Iterable[Message], *, by: Any, now: dt.datetime | None = None) -> int:
    """Let messages go, each in its client's window; answers how many. Refused where one does not wait any more.

    Where that is shut at the moment (``now``) they wait for the next one.
    """
    chosen = list(messages)
    with transaction.atomic():
        for message in chosen:
            _check(message)
            record(by, "reminder_approved", message, client_id=message.payload["client"], summary=_steps_of(message))
        if now is not None:
            held = Message.objects.filter(pk__in=[message.pk for message in chosen])
            for company in Company.objects.filter(pk__in={message.payload["company"] for message in chosen}):
                wait_for_windows(held.filter(payload__company=company.pk), company, now)
        return sum(release(message.held_for, by) for message in chosen)


def refuse(messages: Iterable[Message], *, by: Any) -> int:
    """Throw messages away; answers how many. Refused where one does not wait any more.

    Their steps count as passed over, so that the same message does not come back tomorrow; a mandatory notice does
    come back, because it is never skipped.
    """
    with transaction.atomic():
        done = 0
        for message in messages:
            _check(message)
            pass_over([message])
            record(by, "reminder_refused", message, client_id=message.payload["client"], summary=_steps_of(message))
            done += discard(message.held_for, by)
        return done


def pass_over(messages: Iterable[Message]) -> None:
    """What messages were to serve counts as passed over, but for mandatory notices, which come back."""
    for message in messages:
        subject = about(message)
        for row in Served.objects.filter(message=message, outcome="served"):
            step = subject.step_of(row.invoice_id, row.step)
            if step is None or not step.mandatory:
                Served.objects.filter(pk=row.pk).update(outcome="skipped", because="discarded", message=None)


def _check(message: Message) -> None:
    now = Message.objects.select_for_update().get(pk=message.pk)
    if now.state != "held" or not now.held_for.startswith(APPROVAL):
        raise Refused(_("This message was already decided on; load the page again."), code="approval_ended")


def _steps_of(message: Message) -> str:
    return ", ".join(sorted({code for _pk, code, _cycle in message.payload["items"]}))
