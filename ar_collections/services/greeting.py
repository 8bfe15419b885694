"""Greeting clients on their occasions: planned on its day, once per person, occasion and year; and leaving one out."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ar_collections.models import Greeting
from audit.services import record
from clients.models import Contact
from clients.services import lock_client
from core.errors import Refused
from core.models import Company, as_text
from outbox.models import Message
from outbox.services import cancel, enqueue
from policies.models import Occasion
from policies.services import policy_of

from .business_days import openings, start_of_day
from .greeting_choice import KIND, NextGreeting, next_greetings

WAITS = ("held", "pending")


def plan_greetings(company: Company, on: dt.date, by: Any, *, now: dt.datetime | None = None) -> list[Message]:
    """Put the greetings of a business date into the outbox; running it again plans nothing twice.

    Only once the client's window has opened, so that a reminder of the same day was planned before and keeps it
    back; without ``now`` the date is taken as a whole. What nobody sent in time is not made up for. Refused where no
    policy is in force.
    """
    due = [row for row in next_greetings(company, on, days=0) if row.state == "goes" and row.span.first <= on]
    if not due:
        return []
    places = openings(company, on, policy_of(company, on), now)
    planned = []
    for row in due:
        opens = places.get((row.client.time_zone, row.client.country))
        if opens is None or (now is not None and opens > now):
            continue
        message = _plan(row, on, opens)
        if message is not None:
            planned.append(message)
    if planned:
        record(by, "greetings_planned", company, summary=f"{on}: {len(planned)}")
    return planned


def leave_out(
    contact: Contact, occasion: Occasion, year: int, *, because: str, on: dt.date, by: Any
) -> Greeting:
    """Do not greet a person on an occasion of a year, for a reason; one that waits to be sent is taken back.

    Refused without a reason, and once the greeting has left.
    """
    if not because.strip():
        raise Refused(_("Write why this greeting is left out."), code="reason", where="because")
    if abs(year - on.year) > 1:
        raise Refused(_("A greeting of this year or the next is left out."), code="year", where="year")
    with transaction.atomic():
        lock_client(contact.client_id)
        key: dict[str, Any] = {"contact": contact, "occasion": occasion, "year": year}
        greeting = Greeting.objects.filter(**key).select_related("message").first()
        if greeting is not None and greeting.message is not None and greeting.message.state != "cancelled":
            if greeting.message.state not in WAITS:
                raise Refused(_("This greeting has left already."), code="gone")
            cancel(greeting.message, by=by, reason=because.strip())
        greeting, _made = Greeting.objects.update_or_create(
            **key,
            defaults={
                "client_id": contact.client_id, "on": on, "left_out_because": because.strip()[:200],
                "left_out_by": as_text(by)[:150],
            },
        )
        record(by, "greeting_left_out", greeting, client_id=contact.client_id, summary=f"{occasion} {year}: {because}")
    return greeting


def greet_after_all(greeting: Greeting, *, by: Any) -> None:
    """Take back that a greeting is left out; it is planned again if its day is not over. Refused where it was sent."""
    with transaction.atomic():
        lock_client(greeting.client_id)
        standing = Greeting.objects.filter(pk=greeting.pk).select_related("message").first()
        if standing is None:
            return
        if not standing.left_out_because:
            raise Refused(_("This greeting was not left out."), code="not_left_out")
        record(by, "greeting_put_back", standing, client_id=standing.client_id, summary=str(standing))
        standing.delete()


def _plan(row: NextGreeting, on: dt.date, opens: dt.datetime) -> Message | None:
    """The claim is the row of the person, occasion and year: whoever makes it, sends."""
    assert row.contact is not None
    company, client = row.client.company, row.client
    stem = f"{KIND}:{row.contact.pk}:{row.occasion.pk}:{row.year}"
    until = start_of_day(company, row.span.last + dt.timedelta(days=1)).isoformat()
    with transaction.atomic():
        lock_client(client.pk)
        greeting, is_new = Greeting.objects.get_or_create(
            contact=row.contact, occasion=row.occasion, year=row.year, defaults={"client": client, "on": on}
        )
        if not is_new:
            return None
        before = Message.objects.filter(key__startswith=stem + ":").count()
        greeting.message = enqueue(
            f"{stem}:{before + 1}", KIND, f"client:{client.pk}", on,
            {
                "company": company.pk, "client": client.pk, "contact": row.contact.pk, "occasion": row.occasion.pk,
                "label": row.label, "years": row.years or "", "until": until,
            },
            opens,
        )
        greeting.save(update_fields=["message"])
    return greeting.message
