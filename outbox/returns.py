"""A mail came back: who keeps clients and who chases says here that they want to know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Message


@dataclass(frozen=True)
class Return:
    """What is known of a mail that did not arrive: which address, whether only the copy to it, when, and the words.

    ``is_address``: the words speak of the address (nobody there, suppressed); otherwise of the mail or of us.
    ``event`` is «bounced», or «complained» where it arrived and was marked as unwanted. ``heard_at`` is when we heard.
    """

    event: str
    address: str
    said: str
    at: dt.datetime
    heard_at: dt.datetime
    is_copy: bool = False
    is_address: bool = True


Listener = Callable[["Message", Return], None]
_listeners: dict[str, Listener] = {}


def register(name: str, listener: Listener) -> None:
    """Call it, in the transaction that keeps it, for every mail that came back; a second one of a name replaces it."""
    _listeners[name] = listener


def tell(message: Message, what: Return) -> None:
    """Everybody who wants to know hears it."""
    for listener in _listeners.values():
        listener(message, what)
