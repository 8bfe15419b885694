"""What the page of a client's file reads: documents, profiles, dates, terms accepted, greetings."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from ar_collections.models import Greeting
from clients.models import Acceptance, Address, Client, Document, KeyDate, Profile
from policies.credit_terms import latest_terms, terms_in_force
from policies.jurisdictions import TOPICS, rules_for
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

    addresses: list[Address]
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
        addresses=list(Address.objects.filter(client=client)),
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


@dataclass(frozen=True)
class RuleHere:
    """A rule of the place where the client is, with the page on which its source can be read, where we know one."""

    topic: str
    says: str
    named: str
    link: str
    as_of: dt.date


# Where the text of a law stands at its publisher: a pattern of the citation, its country, and the address.
PUBLISHED = (
    (r"Directive 2011/7/EU", "", "https://eur-lex.europa.eu/eli/dir/2011/7/oj"),
    (r"(?:No )?861/2007", "", "https://eur-lex.europa.eu/eli/reg/2007/861/oj"),
    (r"\bBGB §§? (\d+[a-z]?)", "DE", "https://www.gesetze-im-internet.de/bgb/__{}.html"),
    (r"\bHGB §§? (\d+[a-z]?)", "DE", "https://www.gesetze-im-internet.de/hgb/__{}.html"),
    (r"\bZPO §§? (\d+[a-z]?)", "DE", "https://www.gesetze-im-internet.de/zpo/__{}.html"),
    (r"Late Payment of Commercial Debts \(Interest\) Act 1998", "GB", "https://www.legislation.gov.uk/ukpga/1998/20"),
    (r"Limitation Act 1980", "GB", "https://www.legislation.gov.uk/ukpga/1980/58"),
)


def rules_here(client: Client) -> list[RuleHere]:
    """What interest, fees, notices and courts there are where the client is, each with its source."""
    return [
        RuleHere(TOPICS[rule.topic], rule.says, rule.source, published_at(rule.source, client.country), rule.as_of)
        for rule in rules_for(client.country, client.region)
    ]


def published_at(source: str, country: str) -> str:
    """The address at which the first source of a citation is published; empty where none is known to us.

    >>> published_at("BGB § 288(2)", "DE"), published_at("UGB § 456", "AT")
    ('https://www.gesetze-im-internet.de/bgb/__288.html', '')
    """
    for pattern, where, address in PUBLISHED:
        found = re.search(pattern, source)
        if found and where in ("", country.upper()):
            return address.format(*found.groups())
    return ""
