"""What is kept of a mail: without what would open a door; whoever makes private links says how to leave them out."""

from __future__ import annotations

from collections.abc import Callable

Rewrite = Callable[[str], str]


def as_it_is(text: str) -> str:
    return text


_without_secrets: Rewrite = as_it_is
_as_sent: Rewrite = as_it_is


def register(without_secrets: Rewrite, as_sent: Rewrite) -> None:
    """``without_secrets`` takes out what must not lie in the database, ``as_sent`` puts exactly that back."""
    global _without_secrets, _as_sent
    _without_secrets, _as_sent = without_secrets, as_sent


def without_secrets(text: str) -> str:
    """A text as it is kept."""
    return _without_secrets(text)


def as_sent(text: str) -> str:
    """A kept text as it was sent, to the byte."""
    return _as_sent(text)
