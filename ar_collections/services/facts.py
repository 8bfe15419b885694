"""The facts of the decision: open invoices that may have reached a step of a ladder, and all that guards ask about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery, TextField, Value, prefetch_related_objects
from django.db.models.functions import Cast, Coalesce, Concat

from ar_collections.models import Pause, Served, Task
from ar_collections.reminders import KINDS, Kind, Rung
from clients.models import Contact
from core.models import Company
from outbox.models import Message
from policies.models import Policy
from policies.services.precedence import own_name, own_name_of_invoice

from .asking import Book, chased_in, may_be_asked, what_there_is
from .choosing import InUse
from .expressions import ROUND, PlaceOf, ReachedBy

NOTICE = "notice"
ROUNDS = 120  # of a step that repeats; ten years of a monthly statement
CHANNELS: dict[Kind, tuple[str, ...]] = {"message": ("mail", "letter"), "call": ("call",), "review": ("review",)}


def ladder_of(policy: Policy) -> tuple[Rung, ...]:
    """The steps of a policy as the arithmetic sees them, in their order; read once per policy object.

    A step with a call on the same day is two rungs of one code: its own, and the call.
    """
    prefetch_related_objects([policy], "steps")
    found = []
    for s in policy.steps.all():
        least = tuple((currency, Decimal(str(sum_))) for currency, sum_ in sorted(s.minimum.items()))
        rung = Rung(
            s.code, s.offset_days, s.channel, s.mandatory, s.repeats_every_days, s.spacing_exempt,
            () if s.mandatory else least, "" if s.mandatory else s.only_for, s.needs_approval,
        )
        found.append(rung)
        if s.also_call and s.sends_mail:
            found.append(rung._replace(channel="call", mandatory=False, spacing_exempt=False, needs_approval=False))
    return tuple(found)


def facts(company: Company, on: dt.date, policies: InUse) -> Iterator[tuple[Policy, QuerySet[Any]]]:
    """Open invoices that may have reached a step they were not served with, with all that the guards ask about.

    One question for every policy: the invoices that climb its ladder.
    """
    there = _there_is(company, on)
    for policy in policies:
        yield policy, _facts(company.pk, on, *there, ladder_of(policy), _mine(policy, policies)).all()


class _People(NamedTuple):
    """What there is about clients that only the decision asks about."""

    has_bounced: bool  # addresses from which mail came back
    has_claims: bool  # pauses of single invoices, which may be claims that they are paid


def _there_is(company: Company, on: dt.date) -> tuple[Book, _People]:
    bounced = Contact.objects.filter(client__company=company, is_active=True, bounced_at__isnull=False)
    claims = Pause.objects.running_on(on).filter(invoice__isnull=False)
    found = what_there_is(company, on, Exists(bounced.exclude(email="")), Exists(claims))
    return Book(*found[: len(Book._fields)]), _People(*found[len(Book._fields) :])


class _Mine(NamedTuple):
    """Which invoices climb a ladder, where a company has several: those of a policy, or those of none of the others."""

    name: str = ""
    others: tuple[str, ...] = ()


def _mine(policy: Policy, policies: InUse) -> _Mine:
    if policies.is_single:
        return _Mine()
    return _Mine("", tuple(policies.others)) if policy is policies.usual else _Mine(policy.name)


# Kept, because in a night that goes window by window writing the question takes longer than the answer.
@lru_cache(maxsize=32)
def _facts(
    company: int, on: dt.date, book: Book, people: _People, ladder: Sequence[Rung], mine: _Mine
) -> QuerySet[Any]:
    longest = max([0, *(-rung.offset_days for rung in ladder)])
    may_be_due = chased_in(company, on, book).filter(due_day__lte=on + dt.timedelta(days=longest))
    rows = _with_stands(_of_policy(may_be_due, mine), ladder)
    climbs = Q()
    for kind in KINDS:
        climbs |= Q(**{f"{kind}_so_far__lt": ReachedBy(_scores(ladder, kind, on))})
    return _with_the_client(rows.filter(climbs), on, people)


def _of_policy(rows: QuerySet[Any], mine: _Mine) -> QuerySet[Any]:
    """Nothing is asked of the rows where the company has one policy."""
    if not any(mine):
        found: QuerySet[Any] = rows.annotate(client_policy=Value(""))
        return found
    rows = rows.annotate(own_policy=own_name_of_invoice(), client_policy=own_name("client__"))
    return rows.filter(own_policy=mine.name) if mine.name else rows.exclude(own_policy__in=mine.others)


def _with_stands(rows: QuerySet[Any], ladder: Sequence[Rung]) -> QuerySet[Any]:
    found: QuerySet[Any] = rows.annotate(**{f"{kind}_so_far": _so_far(ladder, kind) for kind in KINDS})
    return found


def _with_the_client(rows: QuerySet[Any], on: dt.date, people: _People) -> QuerySet[Any]:
    client = OuterRef("client")
    notices = Message.objects.filter(kind=NOTICE, party=OuterRef("party"))
    arrived = notices.exclude(state__in=["cancelled", "failed"]).exclude(delivery="bounced")  # spacing is for readers
    before = arrived.filter(on__lt=on).order_by("-on")
    served = Served.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    found: QuerySet[Any] = rows.annotate(
        last_on=Subquery(served.annotate(m=Max("on")).values("m")),
        has_address=Exists(Contact.objects.reachable().filter(client=client)),
        party=Concat(Value("client:"), Cast("client_id", TextField()), output_field=TextField()),
        has_today=Exists(notices.filter(on=on)),
        last_notice_on=Subquery(before.values("on")[:1]),
        bounced=Value(False), claimed=Value(False), paused_otherwise=F("paused"),
    )
    if people.has_bounced:
        active = Contact.objects.filter(client=client, is_active=True, bounced_at__isnull=False)
        found = found.annotate(bounced=Exists(active.exclude(email="")))
    if people.has_claims:
        pauses = Pause.objects.running_on(on).filter(client=client)
        task = Task.objects.filter(kind="matching", invoice=OuterRef("invoice"), due_on=OuterRef("from_on"))
        claims = pauses.filter(Exists(task), invoice=OuterRef("pk"))
        others = pauses.filter(Q(invoice=None) | Q(~Exists(task), invoice=OuterRef("pk")))
        found = found.annotate(claimed=Exists(claims), paused_otherwise=Exists(others))
    return found


COLUMNS = (
    "pk", "client_id", "currency", "due_day", "ladder_day", "terms_days", "owed", "disputed", "promised", "claimed",
    "paused_otherwise", "in_flight", "extended", "handed_over", "in_parts", "issued_on", "part_now",
    "intake__first_planned_on", "last_on", "message_so_far", "call_so_far", "review_so_far", "has_address", "bounced",
    "has_today", "last_notice_on", "client_policy", "client__time_zone", "client__country",
)


def stands_of(
    company: Company, on: dt.date, policies: InUse, client: int
) -> list[tuple[Policy, dict[str, Any]]]:
    """Every invoice that a client may be asked for on a day, with where it stands, whether a step is reached or not."""
    book, people = _there_is(company, on)
    found = []
    for policy in policies:
        asked = may_be_asked(chased_in(company.pk, on, book)).filter(client=client)
        rows = _with_stands(_of_policy(asked, _mine(policy, policies)), ladder_of(policy))
        standing = _with_the_client(rows, on, people).order_by("due_day", "pk").values(*COLUMNS)
        found += [(policy, row) for row in standing if row["owed"] > row["disputed"]]
    return found


def _so_far(ladder: Sequence[Rung], kind: Kind) -> Coalesce:
    """The furthest place by steps of a kind and its round, as one number; 0 for none. Each part has its own ladder.

    The channel is asked only where a code is a message and a call at once: a step that changed its channel with a
    version is not served again.
    """
    places = {rung.code: place for place, rung in enumerate(ladder) if rung.kind == kind}
    served = Served.objects.filter(invoice=OuterRef("pk"), part=OuterRef("part_now"), step__in=places)
    if not places.keys().isdisjoint(rung.code for rung in ladder if rung.kind != kind):
        served = served.filter(channel__in=CHANNELS[kind])
    rows = served.order_by().values("invoice")
    return Coalesce(Subquery(rows.annotate(top=Max(PlaceOf("step", places) + F("cycle"))).values("top")), Value(0))


def _scores(ladder: Sequence[Rung], kind: Kind, on: dt.date) -> list[tuple[dt.date, int]]:
    """By age alone, from the latest due date back: the steps of a kind and their rounds, and how they score.

    It narrows down whom to look at; terms and mandatory notices are judged row by row by ``reminders``.
    """
    found = []
    for place, rung in enumerate(ladder):
        if rung.kind == kind:
            reached, score = on - dt.timedelta(days=rung.offset_days), (place + 1) * ROUND + 1
            found.append((reached, score))
            every = rung.repeats_every_days
            found += [(reached - dt.timedelta(days=every * n), score + n) for n in range(1, ROUNDS)] if every else []
    return sorted(found, key=lambda step: (-step[0].toordinal(), step[1]))
