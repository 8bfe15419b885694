"""What became of a mail after it left, as a mail provider tells it: kept once, whatever the order it is heard in."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.db import transaction
from django.db.models import Q

from audit.services import record
from core.errors import Refused

from .letter import mailbox
from .models import Message
from .moves import move
from .returns import Return, tell

EVENTS = ("deferred", "delivered", "complained", "bounced")  # a later one is never overwritten by an earlier one
LONGEST_WORDS = 1000


class TooEarly(Exception):
    """The message is being handed over at this moment; ask again, so that the two do not cross."""


def hear_delivery(
    event: str,
    *,
    at: dt.datetime,
    now: dt.datetime,
    said: str = "",
    address: str = "",
    key: str = "",
    provider_id: str = "",
    message_id: str = "",
    is_address: bool = True,
    by: str = "mail provider",
) -> Message | None:
    """Keep what became of a mail: «deferred», «delivered», «complained» or «bounced»; None where it is not one of ours.

    It is found by ``key`` (ours, sent along), the provider's id or our Message-ID; ``address`` says which of its
    readers is meant, where it has more than one. Heard twice or in another order it ends the same. A message of
    which nobody knew whether it arrived is resolved by it. What came back is told to whoever registered for it
    (``returns``), once. ValueError for another event; TooEarly while the message is being handed over.
    """
    if event not in EVENTS:
        raise ValueError(f"{event!r} is not known; it is one of {', '.join(EVENTS)}.")
    found = _found(key, provider_id, message_id)
    if found is None:
        return None
    said = _printable(said)[:LONGEST_WORDS]
    with transaction.atomic():
        message = Message.objects.select_for_update().get(pk=found)
        if message.state == "handing":
            raise TooEarly(message.key)
        if message.state not in ("sent", "unknown", "failed"):
            return None
        what = Return(event, message.to_addr, said, min(at, now), now, is_address=is_address)
        if address and message.cc_addr and not same_mailbox(address, message.to_addr):
            return _of_the_copy(message, replace(what, address=address))
        _resolve(message, event, by)
        if _rank(event) > _rank(message.delivery):
            _keep(message, what, provider_id, by)
            if event in ("bounced", "complained"):
                tell(message, what)
    return message


def _printable(said: str) -> str:
    """A stranger's words on one line: what is no character, or none to be seen, cannot be kept.

    >>> _printable("550 no\\x00 such\\ud800\\n user")
    '550 no such user'
    """
    return "".join(sign for sign in " ".join(said.split()) if sign.isprintable())


def same_mailbox(one: str, other: str) -> bool:
    """Whether two addresses are one, however they are capitalised.

    >>> same_mailbox("Ada@Firm.test", "ada@firm.test"), same_mailbox("ada@firm.test", "bob@firm.test")
    (True, False)
    """
    return _as_it_travels(one) == _as_it_travels(other)


def _found(key: str, provider_id: str, message_id: str) -> int | None:
    """The message meant; what names it surest is asked first."""
    asked = []
    if key:
        asked.append(Q(key=key))
    if provider_id:
        asked.append(Q(provider_id=provider_id))
    for said in filter(None, (message_id, provider_id)):
        asked.append(Q(message_id=f"<{said.strip('<> ')}>"))
    for question in asked:
        pk = Message.objects.filter(question).order_by("-pk").values_list("pk", flat=True).first()
        if pk is not None:
            return int(pk)
    return None


def _resolve(message: Message, event: str, by: str) -> None:
    """Evidence for a message of which nobody knew whether it arrived: it left; or it came back, and did not."""
    if message.state != "unknown":
        return
    if event == "bounced":
        move(message, "failed", reason="It came back.", resolved_by=by)
    else:
        move(message, "sent", sent_at=message.handing_at, resolved_by=by)


def _keep(message: Message, what: Return, provider_id: str, by: str) -> None:
    message.delivery, message.delivery_at, message.delivery_said = what.event, what.at, what.said
    message.provider_id = message.provider_id or provider_id[:200]
    message.save(update_fields=["delivery", "delivery_at", "delivery_said", "provider_id"])
    if what.event in ("bounced", "complained"):
        record(by, f"message_{what.event}", message, summary=f"{what.address}: {what.said}"[:300])


def _of_the_copy(message: Message, what: Return) -> Message | None:
    """What became of the copy says nothing of the message itself; that the copy's address is dead is told, once."""
    meant = next((addr for addr in _addresses(message.cc_addr) if same_mailbox(what.address, addr)), "")
    if not meant:
        return None
    back = _addresses(message.copies_back)
    if what.event == "bounced" and meant not in back:
        message.copies_back = ", ".join([*back, meant])
        message.save(update_fields=["copies_back"])
        tell(message, replace(what, is_copy=True))
    return message


def _addresses(written: str) -> list[str]:
    return [part.strip() for part in written.split(",") if part.strip()]


def _rank(event: str) -> int:
    return EVENTS.index(event) if event else -1


def _as_it_travels(addr: str) -> str:
    try:
        return mailbox("", addr.strip()).addr_spec.lower()
    except Refused:  # what a provider says may be anything
        return addr.strip().lower()
