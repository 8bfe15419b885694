"""The verbs of the outbox: put in, hold and release, take back, send again, resolve, resume. Sending is delivery.py."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypedDict

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from audit.services import record
from core.bulk import insert_columns
from core.doorbell import ring
from core.errors import Refused
from core.models import Installation, as_text

from .delivery import deliver, expire, pause_sending, paused_because
from .letter import message_id_of
from .models import Message, Outage
from .moves import move

__all__ = [
    "Health", "NewMessage", "cancel", "deliver", "discard", "enqueue", "enqueue_many", "enqueue_numbers", "expire",
    "health", "let_go", "pause_sending", "paused_because", "release", "resolve_unknown", "resume_sending",
    "send_again", "undo",
]  # fmt: skip

BELL = "outbox.deliver"
AT_ONCE = 200  # rows of one statement; SQLite has one writer at a time
_SENT_AGAIN = re.compile(r":r(\d+)$")


@dataclass(frozen=True)
class NewMessage:
    """A message to put in: what for (``key``), to whom (``party``), on which business day, not before which instant."""

    key: str
    kind: str
    party: str
    on: dt.date
    not_before: dt.datetime
    payload: dict[str, Any] = field(default_factory=dict)
    held_for: str = ""


class Health(TypedDict):
    """How the outbox is; ``since`` and ``last_error`` speak of the mail server while it cannot be reached."""

    waiting: int
    held: int
    failed: int
    unknown: int
    since: dt.datetime | None
    last_error: str
    paused_at: dt.datetime | None
    paused_because: str


def enqueue(
    key: str,
    kind: str,
    party: str,
    on: dt.date,
    payload: dict[str, Any],
    not_before: dt.datetime,
    held_for: str = "",
) -> Message:
    """Put one message in, to be written and sent from ``not_before`` on; the same key again answers with the first.

    With ``held_for`` it waits until a person releases everything held for that reason.
    """
    with transaction.atomic():
        ring(BELL)
        return enqueue_many([NewMessage(key, kind, party, on, not_before, payload, held_for)])[key]


def enqueue_many(messages: Iterable[NewMessage]) -> dict[str, Message]:
    """Put many in at once; a key that is there already changes nothing. Answers with the message of every key."""
    rows = [
        Message(
            key=new.key,
            kind=new.kind,
            party=new.party,
            on=new.on,
            not_before=new.not_before,
            payload=new.payload,
            held_for=new.held_for,
            state="held" if new.held_for else "pending",
            message_id=message_id_of(new.key, settings.MAIL_DOMAIN),
        )
        for new in messages
    ]
    with transaction.atomic():
        Message.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
        return Message.objects.in_bulk([row.key for row in rows], field_name="key")


def enqueue_numbers(messages: Iterable[NewMessage]) -> dict[str, int]:
    """Put very many in at once, as ``enqueue_many`` does, and answer with the number of the message of every key."""
    new = list(messages)
    if not new:
        return {}
    columns: dict[str, Any] = {
        name: [getattr(one, name) for one in new]
        for name in ("key", "kind", "party", "on", "not_before", "payload", "held_for")
    }
    columns["state"] = ["held" if one.held_for else "pending" for one in new]
    columns["message_id"] = [message_id_of(one.key, settings.MAIL_DOMAIN) for one in new]
    found: dict[str, int] = dict(insert_columns(Message, columns, returning=("key", "id")))
    there = [one.key for one in new if one.key not in found]
    return found | dict(Message.objects.filter(key__in=there).values_list("key", "pk") if there else ())


def release(held_for: str, by: Any) -> int:
    """Let everything held for this reason go; answers how many messages now wait to be sent."""
    with transaction.atomic():
        held = Message.objects.filter(held_for=held_for, state="held").order_by("id")
        first = held.first()
        released = held.update(state="pending")
        if first is not None:
            record(by, "release_messages", first, summary=f"{held_for}: {released} released", diff={"count": released})
        ring(BELL)
        return released


def discard(held_for: str, by: Any) -> int:
    """Cancel everything held for this reason; answers how many. What it was about can be planned afresh."""
    with transaction.atomic():
        ended = [
            message
            for message in Message.objects.filter(held_for=held_for, state="held").order_by("id")
            if move(message, "cancelled", reason="Discarded while it was held.", resolved_by=as_text(by)[:150])
        ]
        if ended:
            record(by, "discard_messages", ended[0], summary=f"{held_for}: {len(ended)} discarded")
        return len(ended)


def cancel(message: Message, *, by: Any, reason: str = "Cancelled.") -> Message:
    """Take back a message that waits or is held; Refused once a worker has it or it has gone."""
    with transaction.atomic():
        message = _as_it_is(message)
        if message.state not in ("pending", "held"):
            raise Refused(
                f"This message is {message.get_state_display()}; only one that still waits can be cancelled.",
                code="not_waiting",
            )
        _must(move(message, "cancelled", reason=reason, resolved_by=as_text(by)[:150]))
        record(by, "cancel_message", message, summary=reason)
        return message


def undo(message: Message, *, now: dt.datetime, by: Any) -> Message:
    """Take back a message before the instant from which it may go; Refused after it."""
    with transaction.atomic():
        message = _as_it_is(message)
        if message.state == "pending" and message.not_before <= now:
            raise Refused("It is too late to undo this: the message is on its way.", code="too_late")
        return cancel(message, by=by, reason="Undone.")


def send_again(message: Message, *, on: dt.date, now: dt.datetime, by: Any) -> Message:
    """Send deliberately once more: a new message with the key's next suffix (:r1, :r2 …) and a Message-ID of its own.

    Refused while the first one still waits or is on its way, and for one that was held and not let go: a copy is no
    way around whoever was to look at it. The old message stays as it is.
    """
    with transaction.atomic():
        message = _as_it_is(message)
        if message.state in ("held", "pending", "claimed", "handing"):
            raise Refused("This message has not gone yet; there is nothing to send again.", code="still_waiting")
        if message.state == "cancelled" and message.held_for:
            raise Refused(
                "This message was held for a person and never left, so it is not sent again. What is still due is "
                "planned afresh on the next business day.", code="never_released",
            )
        again = enqueue(_next_key(message.key), message.kind, message.party, on, message.payload, now)
        record(by, "send_again", again, summary=f"again: {message.key}")
        return again


def let_go(messages: Iterable[int], *, not_before: dt.datetime) -> int:
    """Messages of one batch that wait for their first attempt leave from this instant on; answers how many."""
    waiting = Message.objects.filter(pk__in=list(messages), state="pending", attempts=0)
    return waiting.update(not_before=not_before)


def resolve_unknown(message: Message, as_sent: bool, by: Any) -> Message:
    """A person says what became of a message that may have arrived: it did, or it did not."""
    with transaction.atomic():
        message = _as_it_is(message)
        if message.state != "unknown":
            raise Refused(
                f"This message is {message.get_state_display()}; there is nothing to resolve.", code="not_unknown"
            )
        who = as_text(by)[:150]
        if as_sent:
            _must(move(message, "sent", sent_at=message.handing_at, resolved_by=who))
        else:
            _must(move(message, "failed", reason="It did not arrive.", resolved_by=who))
        record(by, "resolve_message", message, summary="it arrived" if as_sent else "it did not arrive")
        return message


def resume_sending(by: Any) -> bool:
    """Send again after a pause; False where nothing was paused."""
    with transaction.atomic():
        paused = Installation.objects.filter(sending_paused_at__isnull=False).first()
        if paused is None:
            return False
        record(by, "resume_sending", paused, summary=paused.sending_paused_because)
        paused.sending_paused_at, paused.sending_paused_because = None, ""
        paused.save(update_fields=["sending_paused_at", "sending_paused_because"])
        ring(BELL)
        return True


def health(now: dt.datetime) -> Health:
    """What a banner has to say: what waits (due now, or put back to be tried later), is held, failed or unknown.

    ``since`` is when the mail server was last reached, if it cannot be reached; ``last_error`` are its words, or
    those to the last message that was put back.
    """
    waiting = Q(state="pending") & (Q(not_before__lte=now) | Q(attempts__gt=0))
    counted = {name: Message.objects.filter(state=name).count() for name in ("held", "failed", "unknown")}
    outage = Outage.objects.filter(ended_at=None).order_by("since").first()
    put_back = Message.objects.filter(state="pending", attempts__gt=0).order_by("-not_before").first()
    paused = Installation.objects.filter(sending_paused_at__isnull=False).first()
    return Health(
        waiting=Message.objects.filter(waiting).count(),
        held=counted["held"],
        failed=counted["failed"],
        unknown=counted["unknown"],
        since=outage.since if outage else None,
        last_error=outage.said if outage else (put_back.reply or put_back.reason) if put_back else "",
        paused_at=paused.sending_paused_at if paused else None,
        paused_because=paused.sending_paused_because if paused else "",
    )


def _as_it_is(message: Message) -> Message:
    """The row as it stands now, locked where the database locks rows."""
    return Message.objects.select_for_update().get(pk=message.pk)


def _must(moved: bool) -> None:
    if not moved:
        raise Refused("A worker has just taken this message; look again in a minute.", code="taken")


def _next_key(key: str) -> str:
    """The first key of the row :r1, :r2 … that no message has."""
    stem = _SENT_AGAIN.sub("", key)
    used = Message.objects.filter(key__startswith=f"{stem}:r").values_list("key", flat=True)
    turns = [int(found[1]) for other in used if (found := _SENT_AGAIN.search(other))]
    return f"{stem}:r{max(turns, default=0) + 1}"
