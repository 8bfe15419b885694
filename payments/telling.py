"""What a person has to know of money: told to whoever keeps the desk, who registers in AppConfig.ready."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from clients.models import Client

Listener = Callable[[Client, str, str, str, dt.date], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Hear what is told from now on; the same listener is registered once."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(client: Client, key: str, because: str, detail: str, on: dt.date) -> None:
    """Tell a person, once per key, in the transaction of what happened."""
    for listener in _listeners:
        listener(client, key, because, detail, on)
