"""The kinds of message we send. The outbox knows none of them: each app registers its own in ``AppConfig.ready``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Message


class NothingToSay(Exception):
    """Raised by ``compose``: since the message was planned its reason has gone. It is cancelled, with these words."""


@dataclass(frozen=True)
class Composed:
    """A message as it will be read, written from the facts of the moment it is claimed.

    One addressee, a copy to ``cc_addr`` and one to each of ``more_copies``, every one of them a single address;
    ``attachments`` are (file name, media type, bytes).
    ``from_name`` stands before our own address (the company's name), ``reply_to`` is an address answers go to.
    """

    to_name: str
    to_addr: str
    subject: str
    text: str
    html: str = ""
    cc_addr: str = ""
    attachments: list[tuple[str, str, bytes]] = field(default_factory=list)
    from_name: str = ""
    reply_to: str = ""
    more_copies: tuple[str, ...] = ()

    @property
    def copies(self) -> list[str]:
        return [address for address in (self.cc_addr, *self.more_copies) if address]


def always(message: Message, now: dt.datetime) -> str:
    """It may go; what was written is still true."""
    return ""


def never(message: Message, now: dt.datetime) -> bool:
    """It does not expire."""
    return False


def nothing(message: Message, state: str) -> None:
    """Nobody needs to know how it ended."""


@dataclass(frozen=True)
class Kind:
    """What the outbox has to know about one kind of message; ``now`` is the instant the sending acts as of.

    ``compose(message, now)`` writes it, or raises NothingToSay. Called outside any transaction: it may render a PDF.
    ``still(message, now)`` is asked at the last moment, in the transaction that hands it over: why what was written
    is true no longer, or "". Then nothing leaves, and it is written anew. It may lock what must not change meanwhile.
    ``may_go(message, now)`` says why it may not go any more, or "" where it may.
    ``after(message, state)`` hears how it ended: «sent», «unknown», «failed» or «cancelled», in that transaction.
    ``expires(message, now)`` says whether its day is over while it still waits; asked from the day after ``on``.
    ``apart``: so much time lies between two of this kind to one party, but for what a person sends again.
    """

    name: str
    compose: Callable[[Message, dt.datetime], Composed]
    may_go: Callable[[Message, dt.datetime], str] = always
    still: Callable[[Message, dt.datetime], str] = always
    after: Callable[[Message, str], None] = nothing
    expires: Callable[[Message, dt.datetime], bool] = never
    apart: dt.timedelta | None = None


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known; a second registration of one name replaces the first."""
    _kinds[kind.name] = kind


def kind_of(name: str) -> Kind:
    """The kind of that name; for a name nobody registered, one that cannot be written."""
    return _kinds.get(name) or Kind(name, compose=_cannot)


def registered() -> list[Kind]:
    """Every kind, by name."""
    return [_kinds[name] for name in sorted(_kinds)]


def _cannot(message: Message, now: dt.datetime) -> Composed:
    raise LookupError(f"Nobody registered how to write a message of the kind «{message.kind}».")
