"""How words for a step are looked at before they are kept. Who writes reminders stands above and registers itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol

from core.models import Company
from outbox.kinds import Composed
from outbox.models import Message

from .models import Policy, StepText


@dataclass(frozen=True)
class Reader:
    """A client whom the words may be tried on: its id and name, and whether the step goes to it today."""

    pk: int
    name: str
    goes_today: bool


class Previews(Protocol):
    """What the writer of reminders does for the admin. Nothing of it is kept but the order for a test."""

    def readers(self, policy: Policy, text: StepText, on: dt.date) -> list[Reader]:
        """Clients the step goes to today, then others who owe something overdue."""

    def shipped(self, policy: Policy, text: StepText) -> tuple[str, str]:
        """Subject and text as shipped for a step, with the names where the facts will stand."""

    def written(
        self, policy: Policy, text: StepText, company: Company, client: int | None, now: dt.datetime
    ) -> Composed:
        """The mail, for made-up facts or for a client; Refused where there is nothing to say."""

    def letter(self, policy: Policy, text: StepText, company: Company, client: int | None, now: dt.datetime) -> bytes:
        """The same on paper."""

    def send_test(
        self, policy: Policy, text: StepText, company: Company, client: int | None, *, to: str, key: str,
        now: dt.datetime, by: Any,
    ) -> Message:
        """Mail it to a member of staff, marked as a test."""


_registered: list[Previews] = []


def register(previews: Previews) -> None:
    """Make the writer of reminders known; a second one replaces the first."""
    _registered[:] = [previews]


def previews() -> Previews:
    """The writer of reminders."""
    return _registered[0]
