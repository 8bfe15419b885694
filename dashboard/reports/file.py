"""What the page of a client's file reads: documents, profiles, dates, terms accepted, greetings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from ar_collections.models import Greeting
from clients.models import Acceptance, Client, Document, KeyDate, Profile
from policies.credit_terms import latest_terms, terms_in_force
from policies.models import CreditTerms

MOST = 30
OLD_LOOK = dt.timedelta(days=180)


@dataclass(frozen=True)
class Terms:
    """The version in force, whether the client accepted it, and all it ever accepted."""

    in_force: CreditTerms | None
    coming: CreditTerms | None
    accepted: Acceptance | None
    earlier: list[Acceptance]


@dataclass(frozen=True)
class About:
    """A client's file at one glance."""

    documents: list[Document]
    profiles: list[tuple[Profile, bool]]
    key_dates: list[tuple[KeyDate, dt.date]]
    terms: Terms
    greetings: list[Greeting]


def about_client(client: Client, on: dt.date) -> About:
    """All that is kept on file. Beside each profile whether nobody has looked for half a year; beside each date the
    next day it comes round."""
    documents = Document.objects.filter(client=client, removed_at=None).select_related("file", "credit_check")
    profiles = Profile.objects.filter(client=client)
    dates = KeyDate.objects.filter(client=client).select_related("contact")
    coming = [(date, next_time(date, on)) for date in dates]
    return About(
        documents=list(documents),
        profiles=[(one, one.last_looked_on is None or on - one.last_looked_on > OLD_LOOK) for one in profiles],
        key_dates=sorted(coming, key=lambda pair: pair[1]),
        terms=terms_of(client, on),
        greetings=list(Greeting.objects.filter(client=client).select_related("occasion", "contact", "message")[:MOST]),
    )


def terms_of(client: Client, on: dt.date) -> Terms:
    """Which credit terms hold for a client, and which it accepted."""
    in_force, latest = terms_in_force(client.company, on), latest_terms(client.company)
    rows = list(Acceptance.objects.filter(client=client).select_related("terms", "contact"))
    accepted = next((row for row in rows if row.terms_id == in_force.pk), None) if in_force else None
    return Terms(
        in_force, latest if latest != in_force else None, accepted, [row for row in rows if row is not accepted]
    )


def next_time(date: KeyDate, on: dt.date) -> dt.date:
    """The next day on which it comes round, today included; 29 February is kept on the 28th in a common year."""
    for year in (on.year, on.year + 1):
        try:
            day = dt.date(year, date.month, date.day)
        except ValueError:
            day = dt.date(year, 2, 28)
        if day >= on:
            return day
    raise AssertionError("a day of every year comes within a year")
