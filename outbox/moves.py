"""The states of a message and the one way from one to the next: compare with what was read, set, tell the kind."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from .kinds import kind_of
from .models import Message

MOVES = frozenset(
    {
        ("held", "pending"),  # released
        ("held", "cancelled"),  # discarded, or its day is over
        ("pending", "claimed"),
        ("pending", "cancelled"),  # undone, or its day is over
        ("claimed", "cancelled"),  # paid, disputed, paused meanwhile
        ("claimed", "pending"),  # crash, no connection, 4xx: later again
        ("claimed", "failed"),  # 5xx, or attempts used up
        ("claimed", "handing"),  # the server said 354
        ("handing", "sent"),  # 250
        ("handing", "pending"),  # 4xx to the last dot
        ("handing", "failed"),  # 5xx to the last dot
        ("handing", "unknown"),  # connection lost, crash
        ("unknown", "sent"),  # evidence, or a person says so
        ("unknown", "failed"),  # a person says it did not arrive
    }
)
LEASED = ("claimed", "handing")
ENDS = ("sent", "unknown", "failed", "cancelled")


def move(message: Message, state: str, **changes: Any) -> bool:
    """Move the message on if it still is as we read it; False where somebody else was quicker.

    State, lease and attempts are compared in the very statement that sets them, so that of two workers one wins.
    The kind hears of an end in the same transaction. ValueError for a move that no rule allows.
    """
    if (message.state, state) not in MOVES:
        raise ValueError(f"A message never goes from {message.state} to {state}.")
    changes = {"state": state, **({} if state in LEASED else {"lease_token": None, "lease_until": None}), **changes}
    as_read = {name: getattr(message, name) for name in changes}
    still = Message.objects.filter(
        pk=message.pk, state=message.state, lease_token=message.lease_token, attempts=message.attempts
    )
    try:
        with transaction.atomic():
            if still.update(**changes) != 1:
                return False
            _set(message, changes)
            if state in ENDS:
                kind_of(message.kind).after(message, state)
    except BaseException:
        _set(message, as_read)
        raise
    return True


def _set(message: Message, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(message, name, value)
