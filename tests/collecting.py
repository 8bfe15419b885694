"""Short ways to let days pass at the desk, for the stories of reminding and collecting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from ar_collections.models import Served
from ar_collections.services.days import Day, run_day
from clients.models import Client
from core.models import Company
from outbox.models import Message
from policies.models import Policy, Step
from policies.services import COPIED, STEP_FIELDS

DAY = dt.timedelta(days=1)


def a_day(company: Company, on: dt.date, *, send: bool = True) -> Day:
    """What the desk does by itself on a date."""
    return run_day([company], on, send=send, by="test")


def days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    while first <= last:
        yield first
        first += DAY


def days_pass(company: Company, first: dt.date, last: dt.date) -> None:
    for on in days(first, last):
        a_day(company, on)


def sent_to(client: Client) -> list[Message]:
    """The reminders a client got, oldest first."""
    return list(Message.objects.filter(party=f"client:{client.pk}", kind="notice", state="sent").order_by("on"))


def served(invoice: Any) -> list[tuple[str, dt.date]]:
    """The steps an invoice was served with, in order."""
    rows = Served.objects.filter(invoice=invoice, outcome="served").order_by("on", "pk")
    return list(rows.values_list("step", "on"))


def policy_named(name: str, *, steps: Iterable[dict[str, Any]] | None = None, **changes: Any) -> Policy:
    """A policy of its own, in force for ever: the standard one with changes; ``steps`` in place of its ladder."""
    standard = Policy.objects.get(name="standard")
    values = {field: getattr(standard, field) for field in COPIED} | changes
    policy = Policy.objects.create(name=name, effective_from=dt.date(2000, 1, 1), **values)
    kept = [{field: getattr(step, field) for field in STEP_FIELDS} for step in standard.steps.all()]
    Step.objects.bulk_create(Step(policy=policy, **step) for step in (kept if steps is None else steps))
    return policy


def a_step(code: str, day: int, channel: str = "mail", **more: Any) -> dict[str, Any]:
    """A step of a ladder, plain unless told otherwise."""
    return {
        "code": code, "title": code.replace("_", " "), "offset_days": day, "channel": channel, "tone": "plain",
    } | more  # fmt: skip


def on_days(company: Company, first: dt.date, *later: int) -> None:
    """Only the days on which something is to happen, counted from a first one; the others change nothing."""
    for n in later:
        a_day(company, first + n * DAY)
