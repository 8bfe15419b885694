"""The drain: claim a message, write it, hand it over, keep what the server said. One message at a time.

No transaction is open while a mail is written or a server is spoken to; every step is one compare-and-set (moves.py).
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Max, Q
from django.utils import timezone

from audit.services import record
from core.batches import a_batch
from core.errors import Refused
from core.models import Installation
from core.services import store_file

from . import transport
from .hearing import hear_delivery
from .kinds import Composed, NothingToSay, kind_of, never, registered
from .letter import Letter, letter
from .models import Message, Outage
from .moves import move
from .sealing import without_secrets

log = logging.getLogger(__name__)

LEASE = dt.timedelta(minutes=5)
BACKOFF = [dt.timedelta(minutes=m) for m in (1, 5, 30, 120, 360)]
MOST_ATTEMPTS = 8
MOST_UNKNOWN = 5
UNKNOWN_WITHIN = dt.timedelta(minutes=10)
FIRST_DAY_BEGINS_EARLY = dt.timedelta(hours=14)  # the easternmost time zone is UTC+14
AS_OF_NOW = dt.timedelta(minutes=5)  # further away from the clock, the sending acts as of another day
AT_ONCE = 50

Clock = Callable[[], dt.datetime]


class LeaseLost(Exception):
    """Somebody else took the message over; not a byte of it may leave here."""


def deliver(
    now: dt.datetime,
    *,
    limit: int | None = None,
    only: Q | None = None,
    clock: Clock = timezone.now,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Send every message that is due at ``now``; answers how many were sent, cancelled, failed, unknown, put back.

    ``now`` is the instant the sending acts as of (``run_day`` gives one long past); leases and the stamps
    ``handing_at`` and ``sent_at`` are read from ``clock``. ``limit`` counts messages claimed, ``only`` narrows to a
    filter on Message, ``stop`` is asked between two messages. While sending is paused nothing is claimed, and while
    the server cannot be reached messages wait without an attempt being counted.
    """
    drain = _Drain(now, clock, transport.current())
    drain.counts["cancelled"] += expire(now, only)
    drain.reclaim()
    taken = 0
    try:
        with a_batch():
            for message in _due(now, only):
                if stop() or (limit is not None and taken >= limit) or paused_because():
                    break
                taken += drain.take(message)
        if not taken:
            drain.look_whether_an_outage_is_over()
    except transport.Unreachable as error:
        _keep_outage(str(error), clock())
    finally:
        drain.way.close()
    return dict(drain.counts)


def expire(now: dt.datetime, only: Q | None = None) -> int:
    """Cancel what still waits or is held although its day is over, by the rule of its kind; answers how many.

    ``only`` as in ``deliver``: who acts for one company or one day ends nobody else's messages.
    """
    ended = 0
    for kind in registered():
        if kind.expires is never:
            continue
        waiting = Message.objects.filter(
            only or Q(), kind=kind.name, state__in=["pending", "held"], on__lt=(now + FIRST_DAY_BEGINS_EARLY).date()
        )
        for message in waiting.order_by("id"):
            with _one_by_one(message):
                if kind.expires(message, now):
                    ended += move(message, "cancelled", reason="Its day was over before it could be sent.")
    return ended


def paused_because() -> str:
    """Why nothing is sent, in words; empty where sending goes on."""
    paused = Installation.objects.filter(sending_paused_at__isnull=False).first()
    return (paused.sending_paused_because or "paused") if paused else ""


class OutOfDate(Exception):
    """What it says came to be untrue while it was written; not a byte of it may leave here."""


@dataclass
class _Drain:
    """One run over what is due: as of when, by which clock, by which way, and what became of it."""

    now: dt.datetime
    clock: Clock
    way: transport.Transport
    reached: bool = False
    counts: Counter[str] = field(
        default_factory=lambda: Counter(sent=0, cancelled=0, failed=0, unknown=0, put_back=0, stuck=0)
    )

    def reclaim(self) -> None:
        """Take back what a worker left when it died: claimed goes back to waiting, handing becomes unknown."""
        left = Message.objects.filter(state__in=["claimed", "handing"], lease_until__lt=self.clock())
        for message in left.order_by("id"):
            with _one_by_one(message, self.counts):
                if message.state == "claimed":
                    self._put_back(message, "The worker ended before it was handed over.", since=message.not_before)
                else:
                    self._lost(message, "The worker ended while it was handed over.")

    def take(self, message: Message) -> bool:
        """Claim one message and bring it to an end; False where somebody else was quicker."""
        self.way.open()  # before anything is claimed, so that a dead server costs no message an attempt
        lease = {"lease_token": uuid.uuid4(), "lease_until": self.clock() + LEASE}
        if not move(message, "claimed", attempts=message.attempts + 1, **lease):
            return False
        with _one_by_one(message, self.counts):
            if self._put_off(message):
                return True
            if written := self._write(message):
                self._hand_over(message, *written)
                self._answered()
        return True

    def look_whether_an_outage_is_over(self) -> None:
        """Nothing was due: if the server is reachable again, nobody needs a banner any more."""
        if Outage.objects.filter(transport="mail", ended_at=None).exists():
            self.way.open()
            self._answered()

    def _put_off(self, message: Message) -> bool:
        """Too soon after the last one of its kind to the same party: it waits until the time between them is over.

        By the instants at which they left, so only where the sending acts as of this very moment.
        """
        apart = kind_of(message.kind).apart
        if apart is None or ":r" in message.key or abs(self.now - self.clock()) > AS_OF_NOW:
            return False
        left = Message.objects.filter(state__in=["handing", "sent", "unknown"], handing_at__gt=self.now - apart)
        others = left.filter(party=message.party, kind=message.kind).exclude(pk=message.pk).exclude(delivery="bounced")
        last = others.aggregate(last=Max("handing_at"))["last"]
        if last is None:
            return False
        later = {"not_before": last + apart, "attempts": message.attempts - 1}
        if move(message, "pending", reason="Another one left less than a day ago.", **later):
            self.counts["put_back"] += 1
        return True

    def _write(self, message: Message) -> tuple[Letter, dict[str, object]] | None:
        """The letter and what is frozen of it; None where there is nothing to hand over."""
        kind = kind_of(message.kind)
        try:
            if why := kind.may_go(message, self.now):
                raise NothingToSay(why)
            composed = kind.compose(message, self.now)
            mail = letter(
                composed, mail_from=settings.MAIL_FROM, message_id=message.message_id, at=self.clock(), key=message.key
            )
            return mail, _content(message, composed)
        except NothingToSay as nothing:
            self._end(message, "cancelled", reason=str(nothing))
        except Refused as refused:
            self._end(message, "failed", reason=refused.message)
        except Exception as error:
            log.exception("%s could not be written", message.key)
            self._put_back(message, f"It could not be written: {error!r}")
        return None

    def _hand_over(self, message: Message, mail: Letter, content: dict[str, object]) -> None:
        def before_body() -> None:
            with transaction.atomic():
                if why := kind_of(message.kind).still(message, self.now):
                    raise OutOfDate(why)
                frozen()

        def frozen() -> None:
            at = self.clock()
            if not move(message, "handing", handing_at=at, lease_until=at + LEASE, reason="", reply="", **content):
                raise LeaseLost(message.key)

        try:
            taken = self.way.hand_over(mail, before_body)
        except OutOfDate as why:
            if move(message, "pending", reason=str(why)):
                self.counts["put_back"] += 1
        except LeaseLost:
            log.warning("%s was taken over by somebody else before it was handed over", message.key)
        except transport.Unreachable as error:
            self._put_back(message, str(error))
            raise
        except transport.Rejected as no:
            kept: dict[str, Any] = content if message.state == "claimed" else {}
            refusal, reply = no, str(no)
            if no.for_ever:
                _surely(lambda: self._refused(message, refusal, kept))
            else:
                _surely(lambda: self._put_back(message, "The mail server asked to try later.", reply=reply, **kept))
        except transport.Lost as error:
            words = str(error)
            _surely(lambda: self._lost(message, words))
        else:
            _surely(lambda: self._sent(message, taken))

    def _answered(self) -> None:
        """The server can be reached: an outage is over. Asked once a drain."""
        if not self.reached:
            self.reached = True
            Outage.objects.filter(transport="mail", ended_at=None).update(ended_at=self.clock())

    def _end(self, message: Message, state: str, **changes: object) -> None:
        if move(message, state, **changes):
            self.counts[state] += 1

    def _put_back(self, message: Message, why: str, *, since: dt.datetime | None = None, **changes: Any) -> None:
        """Later again, after 1 minute, 5, 30, 2 hours, 6 hours; after the eighth attempt it has failed.

        Counted from the instant acted as of; what another worker left may be of any day, and counts from its own time.
        """
        if message.attempts >= MOST_ATTEMPTS:
            return self._end(message, "failed", reason=f"{message.attempts} attempts, the last: {why}", **changes)
        later = (since or self.now) + BACKOFF[min(message.attempts, len(BACKOFF)) - 1]
        if move(message, "pending", reason=why, not_before=later, **changes):
            self.counts["put_back"] += 1

    def _refused(self, message: Message, no: transport.Rejected, kept: dict[str, Any]) -> None:
        """The server will not have it. Where it said so of the addressee, the address is no good for the next one."""
        with transaction.atomic():
            self._end(message, "failed", reason="The mail server refused it.", reply=str(no), **kept)
            if no.address:
                self._came_back(message, no.address, str(no))

    def _sent(self, message: Message, taken: transport.Taken) -> None:
        """The server took it. Where it was given up meanwhile (the lease ran out), this is the evidence."""
        facts = {"sent_at": self.clock(), "reply": taken.said, "provider_id": taken.provider_id[:200]}
        if move(message, "sent", **facts):
            self.counts["sent"] += 1
        else:
            found = Message.objects.get(pk=message.pk)
            if found.state == "unknown" and found.handing_at == message.handing_at:
                self._end(found, "sent", resolved_by="mail server", **facts)
        for address, words in taken.refused:
            self._came_back(message, address, words)

    def _came_back(self, message: Message, address: str, said: str) -> None:
        """An address was refused while the mail was handed over, which is as good as coming back."""
        at = self.clock()
        hear_delivery("bounced", at=at, now=at, said=said, address=address, key=message.key, by="mail server")

    def _lost(self, message: Message, why: str) -> None:
        """It may have arrived: no machine sends it again. More than five in ten minutes pause all sending."""
        at = self.clock()
        self._end(message, "unknown", unknown_at=at, reason=why)
        recent = Message.objects.filter(state="unknown", unknown_at__gt=at - UNKNOWN_WITHIN).count()
        if recent > MOST_UNKNOWN:
            pause_sending(f"{recent} messages within ten minutes may or may not have arrived. The last: {why}", at=at)


def _due(now: dt.datetime, only: Q | None) -> Iterator[Message]:
    """What waits and may go at ``now``, oldest first, each message once."""
    seen: set[int] = set()
    while True:
        due = Message.objects.filter(only or Q(), state="pending", transport="mail", not_before__lte=now)
        batch = [m for m in due.order_by("not_before", "id")[:AT_ONCE] if m.pk not in seen]
        if not batch:
            return
        for message in batch:
            seen.add(message.pk)
            yield message


@contextmanager
def _one_by_one(message: Message, counts: Counter[str] | None = None) -> Iterator[None]:
    """A message whose kind breaks down is logged and left where it is; the others behind it go on."""
    try:
        yield
    except transport.Unreachable:
        raise
    except Exception:
        log.exception("%s is stuck", message.key)
        if counts is not None:
            counts["stuck"] += 1


def pause_sending(because: str, *, at: dt.datetime, by: Any = "system") -> bool:
    """Nothing leaves until a person resumes; what is planned waits. False where it is paused already."""
    with transaction.atomic():
        installation, _ = Installation.objects.get_or_create(only=1)
        unpaused = Installation.objects.filter(only=1, sending_paused_at=None)
        paused = unpaused.update(sending_paused_at=at, sending_paused_because=because) == 1
        if paused:
            record(by, "pause_sending", installation, summary=because)
        return paused


def _content(message: Message, composed: Composed) -> dict[str, object]:
    """What is frozen when it is handed over; the bytes of attachments are kept by their SHA-256.

    So is what ``compose`` noted in the payload, which ``after`` asks for.
    """
    attachments = [
        {"name": name, "media_type": kind, "size": len(content), "sha256": store_file(content, kind).sha256}
        for name, kind, content in composed.attachments
    ]
    return {
        "payload": message.payload,
        "from_name": composed.from_name,
        "reply_to": composed.reply_to,
        "to_name": composed.to_name,
        "to_addr": composed.to_addr,
        "cc_addr": ", ".join(composed.copies),
        "subject": composed.subject,
        "text": without_secrets(composed.text),
        "html": without_secrets(composed.html),
        "attachments": attachments,
    }


def _keep_outage(said: str, at: dt.datetime) -> None:
    outage, _ = Outage.objects.get_or_create(transport="mail", ended_at=None, defaults={"since": at, "said": said})
    if outage.said != said:
        Outage.objects.filter(pk=outage.pk).update(said=said)


def _surely(write: Callable[[], None]) -> None:
    """Keep what the server answered even if the database connection was lost meanwhile: it is opened anew."""
    for pause in (0, 1, 5):
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:
                raise
            log.warning("the database did not answer; once more in %d s", pause)
            connection.close()
            time.sleep(pause)
    return write()
