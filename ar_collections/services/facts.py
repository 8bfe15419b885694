"""The facts of the decision: open invoices that may have reached a step of a ladder, and all that guards ask about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import (
    Case,
    DateField,
    Exists,
    F,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
    prefetch_related_objects,
)
from django.db.models.functions import Cast, Coalesce, Concat

from ar_collections.models import Pause, Served, Task
from ar_collections.reminders import KINDS, Kind, Rung
from clients.models import Client, Contact
from core.bulk import within
from core.models import Company
from invoices.models import Intake
from outbox.models import Message
from policies.models import Policy
from policies.services.precedence import own_name, own_name_of_invoice

from .asking import Book, chased_in, may_be_asked, what_there_is
from .choosing import InUse
from .expressions import ROUND, SCALE, Behind, Reached, ScoreOf

NOTICE = "notice"
CHANNELS: dict[Kind, tuple[str, ...]] = {"message": ("mail", "letter"), "call": ("call",), "review": ("review",)}
Ladders = tuple[tuple[str, tuple[Rung, ...]], ...]  # of the policies in use, by their names; the company's first


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


def facts(company: Company, on: dt.date, policies: InUse, clients: Collection[int] | None) -> list[dict[str, Any]]:
    """Open invoices that may have reached a step they were not served with, with all that the guards ask about.

    Client by client, the oldest first. ``clients`` are those asked about (a range of ids or some); without, all.
    """
    there = _there_is(company, on)
    rows = _reached(company.pk, on, *there, _ladders(policies), policies.is_single)
    asked = rows.all() if clients is None else rows.filter(within("client", clients))
    return _with_the_client(asked.order_by("client_id", "due_day", "pk"), on, there[1], policies.is_single, clients)


def stands_of(
    company: Company, on: dt.date, policies: InUse, client: int
) -> list[tuple[Policy, dict[str, Any]]]:
    """Every invoice that a client may be asked for on a day, with where it stands, whether a step is reached or not."""
    book, people = _there_is(company, on)
    rows = _standing(company.pk, on, book, people, _ladders(policies), policies.is_single)
    asked = may_be_asked(rows).filter(client=client, owed__gt=F("disputed"))
    found = _with_the_client(asked.order_by("due_day", "pk"), on, people, policies.is_single)
    return [(policies.named(row["own_policy"]), row) for row in found]


class _People(NamedTuple):
    """What there is about clients that only the decision asks about."""

    has_bounced: bool  # addresses from which mail came back
    has_claims: bool  # pauses of single invoices, which may be claims that they are paid
    has_intakes: bool  # invoices taken over from elsewhere


def _there_is(company: Company, on: dt.date) -> tuple[Book, _People]:
    bounced = Contact.objects.filter(client__company=company, is_active=True, bounced_at__isnull=False)
    claims = Pause.objects.running_on(on).filter(invoice__isnull=False)
    intakes = Intake.objects.filter(company=company)
    found = what_there_is(company, on, Exists(bounced.exclude(email="")), Exists(claims), Exists(intakes))
    return Book(*found[: len(Book._fields)]), _People(*found[len(Book._fields) :])


def _ladders(policies: InUse) -> Ladders:
    return tuple((policy.name, ladder_of(policy)) for policy in policies)


# Kept, because in a night that goes window by window writing the question takes longer than the answer.
@lru_cache(maxsize=32)
def _reached(
    company: int, on: dt.date, book: Book, people: _People, ladders: Ladders, is_single: bool
) -> QuerySet[Any]:
    """Those whose age speaks for a step they were not served with; terms and notices are judged row by row."""
    longest = max([0, *(-rung.offset_days for _name, ladder in ladders for rung in ladder)])
    rows = _standing(company, on, book, people, ladders, is_single)
    rows = rows.filter(due_day__lte=on + dt.timedelta(days=longest))
    reached = {name: [_scores(ladder, kind, on) for kind in KINDS] for name, ladder in ladders}
    found: QuerySet[Any] = rows.filter(Behind(_so_far(ladders), "ladder_day", "own_policy", reached=reached))
    return found


@lru_cache(maxsize=32)
def _standing(
    company: int, on: dt.date, book: Book, people: _People, ladders: Ladders, is_single: bool
) -> QuerySet[Any]:
    """What is chased, by which policy each climbs, and how far it has come (see ``_so_far``)."""
    rows: QuerySet[Any] = chased_in(company, on, book)
    rows = rows.annotate(own_policy=Value("") if is_single else own_name_of_invoice())
    rows = rows.annotate(so_far=_so_far(ladders), claimed=Value(False), paused_otherwise=F("paused"))
    first_planned_on: Any = Value(None, DateField())
    last_on: Any = Value(None, DateField())
    if people.has_intakes:
        served = Served.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
        first_planned_on, last_on = F("intake__first_planned_on"), Subquery(served.annotate(m=Max("on")).values("m"))
    rows = rows.annotate(first_planned_on=first_planned_on, last_on=last_on)
    if people.has_claims:
        pauses = Pause.objects.running_on(on).filter(client=OuterRef("client"))
        task = Task.objects.filter(kind="matching", invoice=OuterRef("invoice"), due_on=OuterRef("from_on"))
        claims = pauses.filter(Exists(task), invoice=OuterRef("pk"))
        others = pauses.filter(Q(invoice=None) | Q(~Exists(task), invoice=OuterRef("pk")))
        rows = rows.annotate(claimed=Exists(claims), paused_otherwise=Exists(others))
    return rows


_COLUMNS = (
    "pk", "client_id", "currency", "due_day", "ladder_day", "terms_days", "owed", "disputed", "promised", "claimed",
    "paused_otherwise", "in_flight", "extended", "handed_over", "in_parts", "issued_on", "part_now",
    "first_planned_on", "last_on", "so_far", "own_policy",
)


def _with_the_client(
    asked: QuerySet[Any], on: dt.date, people: _People, is_single: bool, clients: Collection[int] | None = None
) -> list[dict[str, Any]]:
    """The rows with what there is to know about the client of each; asked once per client."""
    rows = [dict(zip(_COLUMNS, row, strict=True)) for row in asked.values_list(*_COLUMNS)]
    if not rows:
        return []
    theirs = clients if isinstance(clients, range) else {row["client_id"] for row in rows}
    about = _about_clients(on, people, is_single).filter(within("pk", theirs)).values_list("pk", *_OF_CLIENT)
    known = {pk: dict(zip(_OF_CLIENT, answers, strict=True)) for pk, *answers in about}
    return [row | known[row["client_id"]] for row in rows]


_OF_CLIENT = (
    "client_policy", "client__time_zone", "client__country", "owner_id", "has_address", "bounced", "has_today",
    "last_notice_on",
)


@lru_cache(maxsize=32)
def _about_clients(on: dt.date, people: _People, is_single: bool) -> QuerySet[Any]:
    client = OuterRef("pk")
    notices = Message.objects.filter(kind=NOTICE, party=OuterRef("party"))
    arrived = notices.exclude(state__in=["cancelled", "failed"]).exclude(delivery="bounced")  # spacing is for readers
    bounced = Contact.objects.filter(client=client, is_active=True, bounced_at__isnull=False).exclude(email="")
    found: QuerySet[Any] = Client.objects.order_by().annotate(
        client_policy=Value("") if is_single else own_name(),
        client__time_zone=F("time_zone"), client__country=F("country"),
        party=Concat(Value("client:"), Cast("pk", TextField()), output_field=TextField()),
        has_address=Exists(Contact.objects.reachable().filter(client=client)),
        bounced=Exists(bounced) if people.has_bounced else Value(False),
        has_today=Exists(notices.filter(on=on)),
        last_notice_on=Subquery(arrived.filter(on__lt=on).order_by("-on").values("on")[:1]),
    )
    return found


def _so_far(ladders: Ladders) -> Subquery:
    """How far an invoice has come, as one number: per kind the furthest place served and its round; 0 for none.

    Each part has its own ladder. The channel is asked only where a code is a message and a call at once: a step that
    changed its channel with a version is not served again.
    """
    served = Served.objects.filter(invoice=OuterRef("pk"), part=OuterRef("part_now"))
    top: Any = Value(0)
    for kind in KINDS:
        places = {
            name: {rung.code: n for n, rung in enumerate(ladder) if rung.kind == kind} for name, ladder in ladders
        }
        codes = {code for found in places.values() for code in found}
        others = {rung.code for _name, ladder in ladders for rung in ladder if rung.kind != kind}
        score: Any = ScoreOf("step", "cycle", OuterRef("own_policy"), places=places)
        if codes & others:
            score = Case(When(channel__in=CHANNELS[kind], then=score))
        top = top * SCALE + Coalesce(Func(score, function="MAX", output_field=IntegerField()), 0)  # of all: no group
    return Subquery(served.order_by().annotate(top=top).values("top"), output_field=IntegerField())


def _scores(ladder: Sequence[Rung], kind: Kind, on: dt.date) -> list[Reached]:
    """By age alone, from the latest due date back: the steps of a kind and how they score.

    It narrows down whom to look at; terms and mandatory notices are judged row by row by ``reminders``.
    """
    found = [
        Reached(on - dt.timedelta(days=rung.offset_days), (place + 1) * ROUND + 1, rung.repeats_every_days)
        for place, rung in enumerate(ladder) if rung.kind == kind
    ]
    return sorted(found, key=lambda step: (-step.since.toordinal(), step.score))
