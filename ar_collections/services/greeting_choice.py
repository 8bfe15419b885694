"""Who is greeted when, and who is not and why: one list, which the night acts on and the desk shows.

On it stand people who agreed to be greeted, and everybody whose own day somebody wrote down.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _

from ar_collections.greetings import OWN_DAY, Rule, Span, days_between, span_of
from ar_collections.models import Greeting, Pause, Promise, StageChange
from clients.models import Client, Contact, KeyDate, StatusChange
from core.models import Company
from disputes.models import Dispute
from outbox.models import Message
from policies.models import Occasion

from .business_days import closed_days, own_closed_days
from .deciding import NOTICE
from .promising import with_state

KIND = "greeting"
DAYS_AHEAD = 60
CHASED = (NOTICE, "credit_notice")  # mails on whose day nobody is greeted
FINAL = ("final_notice", "handed_over", "closed")
NO_CREDIT = ("cash_only", "closed")


class Reason(NamedTuple):
    """Why a greeting does not go: a code for the desk, and a sentence."""

    code: str
    says: str

    def __str__(self) -> str:
        return self.says


@dataclass(frozen=True)
class NextGreeting:
    """One greeting to come; ``state`` is goes, stays, left_out, planned, sent or failed.

    ``span`` says on which day the occasion falls, and between which days the greeting leaves. ``contact`` is None
    where an own day was written down and nobody is there to greet.
    """

    client: Client
    contact: Contact | None
    occasion: Occasion
    span: Span
    state: str
    reasons: tuple[Reason, ...] = ()
    key_date: KeyDate | None = None
    greeting: Greeting | None = None

    @property
    def year(self) -> int:
        """The year that counts for «once a year»: that of the occasion, not of the mail."""
        return self.span.falls_on.year

    @property
    def label(self) -> str:
        """What the day is called."""
        return str(self.key_date) if self.key_date else self.occasion.name

    @property
    def years(self) -> int | None:
        """How many years it has been; None where it is not known, and in the first."""
        since = self.key_date.year if self.key_date else None
        return self.year - since if since and self.year - since > 1 else None


def next_greetings(company: Company, on: dt.date, days: int = DAYS_AHEAD) -> list[NextGreeting]:
    """What goes out within so many days, in order, and what does not with every reason, as things stand on the day.

    A handful of queries, however many clients there are.
    """
    last = on + dt.timedelta(days=days)
    found = list(_candidates(company, on, last))
    against = guards(company, on)
    known = _known(company, found)
    seen: set[tuple[int, int, int]] = set()
    rows = []
    for row in sorted(found, key=lambda row: (row.span.first, row.client.name, row.occasion.code, row.client.pk)):
        key = (row.contact.pk, row.occasion.pk, row.year) if row.contact else None
        rows.append(_judged(row, on, against, known.get(key) if key else None, is_second=key in seen))
        if key:
            seen.add(key)
    return rows


def reasons_against(client: Client, on: dt.date) -> list[Reason]:
    """What speaks on a day against greeting anybody at a client."""
    found = guards(client.company, on, [client.pk])
    return [Reason(code, _SAYS[code]()) for code, clients in found.items() if client.pk in clients]


def guards(company: Company, on: dt.date, clients: Collection[int] | None = None) -> dict[str, set[int]]:
    """Per reason the clients it holds for on a day, one query each; of some clients, or of the whole company."""
    of_client = Q(client__company=company) if clients is None else Q(client__in=clients)
    of_invoice = Q(invoice__client__company=company) if clients is None else Q(invoice__client__in=clients)
    promised = Promise.objects.filter(of_client, pauses_until__lt=on, withdrawn_on=None, invoice__balance__gt=0)
    stages = StageChange.objects.filter(of_client, changed_on__lte=on)
    statuses = StatusChange.objects.filter(of_client, effective_on__lte=on).exclude(ends_on__lt=on)
    today = Message.objects.filter(kind__in=CHASED, on=on).exclude(state__in=["cancelled", "failed"])
    if clients is not None:
        today = today.filter(party__in=[f"client:{pk}" for pk in clients])
    return {
        "dispute": _ids(Dispute.objects.open_on(on).filter(of_invoice).values_list("invoice__client_id", flat=True)),
        "pause": _ids(Pause.objects.running_on(on).filter(of_client).values_list("client_id", flat=True)),
        "promise": _ids(
            with_state(promised, on).filter(state__in=["partly", "broken"]).values_list("client_id", flat=True)
        ),
        "final": _latest_is(stages.order_by("client_id", "-pk").values_list("client_id", "stage_to"), FINAL),
        "credit": _latest_is(
            statuses.order_by("client_id", "-effective_on", "-pk").values_list("client_id", "status"), NO_CREDIT
        ),
        "message": {int(party.partition(":")[2]) for party in today.values_list("party", flat=True)},
    }


# Sentences are made when they are read, in the language of the reader.
_SAYS = {
    "dispute": lambda: _("A dispute is open."),
    "pause": lambda: _("Somebody has paused contact."),
    "promise": lambda: _("A promise to pay was broken."),
    "final": lambda: _("A final notice was given, or the matter was handed over."),
    "credit": lambda: _("The client buys against payment in advance only, or no more."),
    "message": lambda: _("A reminder goes to the client on this day."),
    "consent": lambda: _("Nobody wrote down that this person agreed to greetings."),
    "address": lambda: _("Mail to this person cannot arrive."),
    "person": lambda: _("Nobody is named whose day it is."),
    "nobody": lambda: _("Nobody at the client agreed to greetings."),
    "second": lambda: _("One greeting per person, occasion and year."),
}


def _judged(
    row: NextGreeting, on: dt.date, against: dict[str, set[int]], known: Greeting | None, *, is_second: bool
) -> NextGreeting:
    reasons = list(row.reasons)
    contact = row.contact
    if contact is not None:
        if contact.greetings_since is None or contact.greetings_since > on:
            reasons.append(Reason("consent", _SAYS["consent"]()))
        if not contact.is_active or not contact.email or contact.bounced_at is not None:
            reasons.append(Reason("address", _SAYS["address"]()))
    for code, clients in against.items():
        if row.client.pk in clients and (code != "message" or row.span.first <= on):
            reasons.append(Reason(code, _SAYS[code]()))
    if is_second:
        reasons, known = [Reason("second", _SAYS["second"]())], None
    state = "stays" if reasons else "goes"
    if known is not None:
        state, reasons = _what_became_of(known)
    return NextGreeting(
        row.client, contact, row.occasion, row.span, state, tuple(reasons), row.key_date, known
    )


def _what_became_of(greeting: Greeting) -> tuple[str, list[Reason]]:
    if greeting.left_out_because:
        says = _("%(who)s left it out: %(because)s") % {
            "who": greeting.left_out_by, "because": greeting.left_out_because
        }
        return "left_out", [Reason("left_out", says)]
    state = greeting.message.state if greeting.message else "sent"
    if state == "failed":
        return "failed", [Reason("failed", greeting.message.reason if greeting.message else "")]
    return ("sent" if state in ("sent", "unknown") else "planned"), []


def _candidates(company: Company, on: dt.date, last: dt.date) -> Iterator[NextGreeting]:
    spans = _Spans(company, on, last)
    occasions = list(Occasion.objects.filter(company=company, is_active=True))
    people = Contact.objects.filter(client__company=company, is_active=True, greetings_since__isnull=False)
    agreed: dict[int, list[Contact]] = defaultdict(list)
    for contact in people.select_related("client__company", "client__owner").order_by("pk"):
        agreed[contact.client_id].append(contact)
    own = {occasion.code: occasion for occasion in occasions if occasion.rule == OWN_DAY}
    for occasion in occasions:
        if occasion.rule != OWN_DAY:
            for contacts in agreed.values():
                for contact in contacts if _is_kept_in(occasion, contacts[0].client) else ():
                    for span in spans.of_feast(occasion, contact.client):
                        yield NextGreeting(contact.client, contact, occasion, span, "goes")
    dates = KeyDate.objects.filter(client__company=company, kind__in=own)
    for key_date in dates.select_related("client__company", "client__owner", "contact__client").order_by("pk"):
        occasion, client = own[key_date.kind], key_date.client
        for span in spans.of_own_day(key_date, occasion) if _is_kept_in(occasion, client) else ():
            for person, reasons in _whose_day(key_date, agreed[client.pk]):
                yield NextGreeting(client, person, occasion, span, "goes", reasons, key_date)


def _whose_day(key_date: KeyDate, agreed: list[Contact]) -> list[tuple[Contact | None, tuple[Reason, ...]]]:
    """The person named; for a day of the business, everybody there who agreed."""
    if key_date.contact:
        return [(key_date.contact, ())]
    if key_date.kind == "birthday":
        return [(None, (Reason("person", _SAYS["person"]()),))]
    if not agreed:
        return [(None, (Reason("nobody", _SAYS["nobody"]()),))]
    return [(contact, ()) for contact in agreed]


def _is_kept_in(occasion: Occasion, client: Client) -> bool:
    countries = occasion.countries.split()
    return not countries or (client.country or client.company.country) in countries


class _Spans:
    """The days on which occasions fall and their greetings leave within a time, worked out once per country."""

    def __init__(self, company: Company, on: dt.date, last: dt.date) -> None:
        self.company, self.on, self.last = company, on, last
        self.own_closed = own_closed_days(company, on)
        self.closed: dict[str, frozenset[dt.date]] = {}
        self.feasts: dict[tuple[int, str], list[Span]] = {}

    def of_feast(self, occasion: Occasion, client: Client) -> list[Span]:
        key = (occasion.pk, client.country)
        if key not in self.feasts:
            rule = Rule(occasion.rule, occasion.month, occasion.day, occasion.nth, occasion.weekday)
            self.feasts[key] = self._spans(rule, occasion.days_before, client.country, own_day=False)
        return self.feasts[key]

    def of_own_day(self, key_date: KeyDate, occasion: Occasion) -> list[Span]:
        rule = Rule("fixed", key_date.month, key_date.day)
        return self._spans(rule, occasion.days_before, key_date.client.country, own_day=True)

    def _spans(self, rule: Rule, days_before: int, country: str, *, own_day: bool) -> list[Span]:
        if country not in self.closed:
            self.closed[country] = closed_days(self.company, country, self.on, self.own_closed)
        slack = dt.timedelta(days=days_before + 14)  # a row of holidays moves a greeting by no more
        spans = (
            span_of(day, days_before, own_day=own_day, closed=self.closed[country])
            for day in days_between(rule, self.on - slack, self.last + slack)
        )
        return [span for span in spans if span.first <= self.last and span.last >= self.on]


def _known(company: Company, rows: list[NextGreeting]) -> dict[tuple[int, int, int], Greeting]:
    years = {row.year for row in rows}
    greetings = Greeting.objects.filter(client__company=company, year__in=years).select_related("message")
    return {(greeting.contact_id, greeting.occasion_id, greeting.year): greeting for greeting in greetings}


def _ids(found: Collection[int]) -> set[int]:
    return set(found)


def _latest_is(rows: Collection[tuple[int, str]], wanted: Collection[str]) -> set[int]:
    """Clients whose first row, the latest, says one of the words wanted."""
    latest: dict[int, str] = {}
    for client, said in rows:
        latest.setdefault(client, said)
    return {client for client, said in latest.items() if said in wanted}
