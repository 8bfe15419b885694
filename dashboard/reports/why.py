"""Why a client is reminded on a day, or is not, in words for whoever is on the telephone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from ar_collections.reports import Upcoming, next_step
from ar_collections.services.choosing import InUse, in_use
from ar_collections.services.explaining import Judged, explained
from clients.models import Client
from core.errors import Refused
from policies.models import Step

GUARDS = {
    "paid": _("Open"), "handed_over": _("Handed over"), "dispute": _("Dispute"), "extension": _("More time agreed"),
    "promise": _("Promise"), "claim": _("Says it is paid"), "pause": _("Pause"),
    "payment_in_flight": _("Payment on its way"), "taken_over": _("Taken over from elsewhere"),
    "only_for": _("Only for some clients"), "step_minimum": _("Smallest sum of this step"),
    "time_to_pay": _("Time to pay"), "credit": _("Unapplied cash"), "bank_data": _("Bank data"),
    "unmatched": _("Unmatched payment"),
    "quiet": _("Quiet period"), "bounced": _("Mail came back"), "address": _("Somebody to write to"),
    "today": _("One message a day"), "minimum": _("Smallest sum"), "spacing": _("Days between messages"),
    "window": _("Window"), "approval": _("Approval"),
}  # fmt: skip
STATES = {
    "would be planned": _("goes today"), "would be held": _("waits behind the held batch"),
    "would wait for approval": _("waits for your approval"),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One step an invoice has reached: whether it goes, why not, when next, and every guard."""

    judged: Judged
    title: str
    channel: str

    @property
    def goes(self) -> bool:
        return self.judged.decision.verdict == "serve"

    @property
    def is_passed_over(self) -> bool:
        return self.judged.decision.is_passed_over

    @property
    def verdict(self) -> Any:
        """The guard that stops it, as a word."""
        return GUARDS.get(self.judged.decision.verdict, self.judged.decision.verdict)

    @property
    def guards(self) -> list[tuple[Any, bool, str]]:
        return [(GUARDS.get(guard, guard), passes, because) for guard, passes, because in self.judged.guards]


@dataclass(frozen=True)
class Why:
    """The panel: every step reached, the message of the day, or why nothing can be said."""

    on: dt.date
    lines: list[Line]
    message: dict[str, Any] | None = None
    refused: str = ""

    @property
    def message_state(self) -> Any:
        return STATES.get(self.message["state"], self.message["state"]) if self.message else ""


def ahead_of(client: Client, on: dt.date) -> tuple[Upcoming | None, Why]:
    """What comes next by itself, and why or why not today; nothing comes where no policy is in force."""
    try:
        policies = in_use(client.company, on, client)
    except Refused as refused:
        return None, Why(on, [], refused=refused.message)
    return next_step(client, on, policies), why_of(client, on, policies)


def why_of(client: Client, on: dt.date, policies: InUse | None = None) -> Why:
    """Why or why not, on a day; where no policy is in force it says what to do about that."""
    try:
        found = explained(client, on, policies)
    except Refused as refused:
        return Why(on, [], refused=refused.message)
    channels = dict(Step.CHANNELS)
    lines = []
    for one in found.steps:
        rung = one.decision.rung
        title = next((s.title for s in one.decision.policy.steps.all() if s.code == rung.code), rung.code)
        lines.append(Line(one, title, str(channels.get(rung.channel, rung.channel))))
    return Why(on, lines, found.message)
