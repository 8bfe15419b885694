"""The decision, written once: which step every open invoice is to be served with on a day, and why not.

``facts`` is one query with what every guard needs to know; ``decide`` gives each row its verdicts. The night takes
those that say «serve»; ``why`` shows them all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import groupby, islice
from typing import Any, NamedTuple

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    prefetch_related_objects,
)
from django.db.models.functions import Cast, Coalesce, Concat

from ar_collections.models import Pause, Promise, Served
from ar_collections.reminders import (
    KINDS,
    Due,
    Kind,
    Rung,
    Stand,
    barrier,
    due_step,
    next_in_turn,
    still_to_climb,
)
from clients.models import Contact
from core.fields import MoneyField
from core.models import Company
from disputes.models import Dispute
from invoices.due import DueDay, DueNow, PartNow
from invoices.models import CUSTOMER_CREDIT, RECEIVABLE, Entry, Invoice, InvoicePart
from outbox.models import Message
from payments.models import Checkout
from policies.models import Policy

from .business_days import Place
from .expressions import NO_AMOUNT, ROUND, PlaceOf, ReachedBy, ShareOf, SignedFor, balance_of, of_account

NOTICE = "notice"
SERVE = "serve"
AT_ONCE = 200  # clients whose unapplied cash is asked for together
ROUNDS = 120  # of a step that repeats; ten years of a monthly statement


@dataclass
class Decision:
    """One invoice, the step it has reached, and every guard: true where it lets the invoice pass."""

    invoice: int
    client: int
    kind: Kind
    due: Due
    rung: Rung
    currency: str
    due_on: dt.date
    asked: Decimal
    part: int
    of_client: Mapping[str, Any]
    guards: dict[str, bool] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """«serve», or the first guard that does not let it pass."""
        return next((guard for guard, passes in self.guards.items() if not passes), SERVE)


def ladder_of(policy: Policy) -> tuple[Rung, ...]:
    """The steps of a policy as the arithmetic sees them, in their order; read once per policy object."""
    prefetch_related_objects([policy], "steps")
    return tuple(
        Rung(s.code, s.offset_days, s.channel, s.mandatory, s.repeats_every_days, s.spacing_exempt)
        for s in policy.steps.all()
    )


def owing(company: Company, on: dt.date) -> QuerySet[Any]:
    """Invoices of the company issued on or before the day, with ``owed``: what is due of their balance at its end.

    ``owed`` leaves out the parts of an invoice that fall due after its next one and after the day; ``whole`` does not.
    ``due_day`` is the day of the earliest part not covered, ``part_now`` its place; both as of the day. The cached
    balance is taken where nothing is dated later; otherwise what came later is taken off it again.
    """
    return _owing(company.pk, on, _book_of(company, on)).all()


def chased(company: Company, on: dt.date) -> QuerySet[Any]:
    """What the company may ask for on a day: ``owed`` less ``disputed``; and whether a promise or a pause runs."""
    return _chased(company.pk, on, _book_of(company, on)).all()


def facts(company: Company, on: dt.date, policy: Policy) -> QuerySet[Any]:
    """Open invoices that may have reached a step they were not served with, with all that the guards ask about."""
    return _facts(company.pk, on, _book_of(company, on), ladder_of(policy), policy.spacing_days).all()


class _Book(NamedTuple):
    """What there is in a book that a question has to go into; what there is not costs it nothing."""

    has_later: bool  # entries dated after the day
    has_parts: bool  # invoices in parts
    has_flying: bool  # payments on their way


def _book_of(company: Company, on: dt.date) -> _Book:
    later = Entry.objects.filter(company=company, effective_on__gt=on)
    asked = Company.objects.filter(pk=company.pk).order_by()
    return _Book(*asked.values_list(
        Exists(later), Exists(InvoicePart.objects.all()), Exists(Checkout.objects.in_flight())
    ).get())  # fmt: skip


# The three below only write questions down. They are kept, because in a night that goes window by window, and for
# every message on its way, writing the question takes longer than the answer.
@lru_cache(maxsize=8)
def _owing(company: int, on: dt.date, book: _Book) -> QuerySet[Any]:
    issued = Invoice.objects.issued().filter(company=company, issued_on__lte=on).order_by()
    whole: Any = F("balance")
    if book.has_later:
        later = Entry.objects.filter(invoice=OuterRef("pk"), effective_on__gt=on)
        whole = ExpressionWrapper(whole - balance_of(later, RECEIVABLE, "invoice"), output_field=MoneyField())
    open_then = issued.annotate(whole=whole).filter(whole__gt=0)
    rows: QuerySet[Any]
    if not book.has_parts:
        rows = open_then.annotate(due_day=F("due_on"), owed=F("whole"), part_now=Value(1))
        return rows
    due_day = DueDay(F("whole")) if book.has_later else F("due_on")
    rows = open_then.annotate(due_day=due_day).annotate(
        owed=DueNow(on, F("whole"), F("due_day")), part_now=PartNow(F("due_day"))
    )
    return rows


@lru_cache(maxsize=8)
def _chased(company: int, on: dt.date, book: _Book) -> QuerySet[Any]:
    disputes = Dispute.objects.open_on(on).filter(invoice=OuterRef("pk")).order_by().values("invoice")
    pauses = Pause.objects.running_on(on).filter(client=OuterRef("client"))
    rows: QuerySet[Any] = _owing(company, on, book).annotate(
        disputed=Coalesce(
            Subquery(disputes.annotate(s=Sum(Coalesce("amount", "invoice__total"))).values("s")), NO_AMOUNT
        ),
        promised=Exists(Promise.objects.pausing_on(on).filter(invoice=OuterRef("pk"))),
        paused=Exists(pauses.filter(Q(invoice=None) | Q(invoice=OuterRef("pk")))),
    )
    covered: Any = Value(False)
    if book.has_flying:
        rows = rows.annotate(flying=Coalesce(Subquery(_flying(on)), NO_AMOUNT))
        covered = Q(flying__gt=0, flying__gte=F("owed") - F("disputed"))
    rows = rows.annotate(in_flight=ExpressionWrapper(covered, output_field=BooleanField()))
    return rows


def _flying(on: dt.date) -> QuerySet[Any]:
    """What of the invoice outside is on its way by a payment provider: paid by the client, not yet arrived."""
    begun = Checkout.objects.in_flight().filter(client=OuterRef("client"), started_on__lte=on)
    shares = begun.annotate(share=ShareOf(OuterRef("pk"))).filter(share__gt=0)
    return shares.order_by("-share").values("share")[:1]


@lru_cache(maxsize=8)
def _facts(
    company: int, on: dt.date, book: _Book, ladder: Sequence[Rung], spacing_days: int
) -> QuerySet[Any]:
    longest = max([0, *(-rung.offset_days for rung in ladder)])
    may_be_due = _chased(company, on, book).filter(due_day__lte=on + dt.timedelta(days=longest))
    rows = _with_stands(may_be_due, ladder)
    climbs = Q()
    for kind in KINDS:
        climbs |= Q(**{f"{kind}_so_far__lt": ReachedBy(_scores(ladder, kind, on))})
    return _with_the_client(rows.filter(climbs), on, spacing_days)


def _with_stands(rows: QuerySet[Any], ladder: Sequence[Rung]) -> QuerySet[Any]:
    found: QuerySet[Any] = rows.annotate(**{f"{kind}_so_far": _so_far(ladder, kind) for kind in KINDS})
    return found


def _with_the_client(rows: QuerySet[Any], on: dt.date, spacing_days: int) -> QuerySet[Any]:
    client = OuterRef("client")
    notices = Message.objects.filter(kind=NOTICE, party=OuterRef("party"))
    recent = notices.exclude(state="cancelled").filter(on__gt=on - dt.timedelta(days=spacing_days), on__lt=on)
    served = Served.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    found: QuerySet[Any] = rows.annotate(
        last_on=Subquery(served.annotate(m=Max("on")).values("m")),
        has_address=Exists(Contact.objects.reachable().filter(client=client)),
        party=Concat(Value("client:"), Cast("client_id", TextField()), output_field=TextField()),
        has_today=Exists(notices.filter(on=on)),
        has_recent=Exists(recent),
    )
    return found


COLUMNS = (
    "pk", "client_id", "currency", "due_day", "terms_days", "owed", "disputed", "promised", "paused", "in_flight",
    "in_parts", "issued_on", "part_now", "intake__first_planned_on", "last_on", "message_so_far", "call_so_far",
    "review_so_far", "has_address", "has_today", "has_recent", "client__time_zone", "client__country",
)


def stands_of(company: Company, on: dt.date, policy: Policy, client: int) -> list[dict[str, Any]]:
    """Every invoice that a client may be asked for on a day, with where it stands, whether a step is reached or not."""
    asked = _chased(company.pk, on, _book_of(company, on))
    rows = asked.filter(client=client, promised=False, paused=False, in_flight=False)
    standing = _with_the_client(_with_stands(rows, ladder_of(policy)), on, policy.spacing_days)
    return [row for row in standing.order_by("due_day", "pk").values(*COLUMNS) if row["owed"] > row["disputed"]]


def decide(
    company: Company, on: dt.date, policy: Policy, openings: Mapping[Place, Any], clients: Collection[int] | None = None
) -> Iterator[list[Decision]]:
    """Client by client: every step its invoices have reached and were not served with, with the verdicts.

    ``openings`` are the places where a message may leave on that date. A message's guards count for the client
    as a whole: where one item goes on its day whatever was sent before, everything else that is due rides along.
    """
    rows, ladder = facts(company, on, policy), ladder_of(policy)
    if clients is not None:
        rows = rows.filter(client__in=clients)
    found = rows.order_by("client_id", "due_day", "pk").values(*COLUMNS).iterator(chunk_size=2000)
    by_client = (list(group) for _client, group in groupby(found, key=lambda row: row["client_id"]))
    while some := list(islice(by_client, AT_ONCE)):
        cash = cash_of_clients([group[0]["client_id"] for group in some], on)
        for group in some:
            decisions = [d for row in group for d in _of_an_invoice(row, on, policy, ladder)]
            if decisions:
                _credit(company, on, decisions, cash.get(decisions[0].client, {}))
                _of_the_message([d for d in decisions if d.kind == "message"], openings)
                yield decisions


def _of_an_invoice(
    row: Mapping[str, Any], on: dt.date, policy: Policy, ladder: Sequence[Rung]
) -> Iterator[Decision]:
    for kind, due in dues(row, on, ladder):
        asked = row["owed"] - row["disputed"]
        last = row["last_on"] if _was_old(row) else None
        yield Decision(
            row["pk"], row["client_id"], kind, due, ladder[due.place], row["currency"], row["due_day"], asked,
            row["part_now"], row,
            {
                "paid": row["owed"] > 0,
                "dispute": asked > 0,
                "promise": not row["promised"],
                "pause": not row["paused"],
                "payment_in_flight": not row["in_flight"],
                "taken_over": last is None or (on - last).days >= policy.takeover_spacing_days,
                "credit": True,
            },
        )


def dues(row: Mapping[str, Any], on: dt.date, ladder: Sequence[Rung]) -> Iterator[tuple[Kind, Due]]:
    """The steps that an invoice has reached by a day and was not served with; at most one of a kind."""
    stands = _stands(row)
    turns = in_turn(row, ladder)
    for turn in turns:
        first = next_in_turn(ladder, turn, due_on=row["due_day"], on=on)
        if first:
            yield ladder[first.place].kind, first
    if turns:
        return
    notices = barrier(ladder, stands["message"])
    for kind in KINDS:
        # Where nobody can be written to no notice will ever be given, and the telephone does not wait for one.
        limit = notices if kind == "message" or row["has_address"] else len(ladder)
        due = due_step(
            ladder, kind, stands[kind], limit=limit, due_on=row["due_day"], terms_days=terms_days_of(row), on=on
        )
        if due:
            yield kind, due


def terms_days_of(row: Mapping[str, Any]) -> int | None:
    """How many days the client has: by the terms, or from the day of issue to that of the part that is due next."""
    if not row["in_parts"]:
        days: int | None = row["terms_days"]
        return days
    return int((row["due_day"] - row["issued_on"]).days)


def in_turn(row: Mapping[str, Any], ladder: Sequence[Rung]) -> list[list[int]]:
    """The steps, by their places, that an item taken over when it was overdue still climbs one by one; none else.

    Where nobody can be written to, calls and decisions climb beside the messages and do not wait for them.
    """
    if not _was_old(row):
        return []
    stands = _stands(row)
    furthest, messages = max(stand.place for stand in stands.values()), stands["message"].place
    groups: list[tuple[Kind, ...]] = [KINDS] if row["has_address"] else [("message",), ("call", "review")]
    turns = [still_to_climb(ladder, furthest, messages=messages, kinds=kinds) for kinds in groups]
    return [turn for turn in turns if turn]


def _was_old(row: Mapping[str, Any]) -> bool:
    """Taken over from elsewhere, and overdue already on the first day the planner ran after that."""
    first_planned_on = row["intake__first_planned_on"]
    return first_planned_on is not None and bool(row["due_day"] < first_planned_on)


def _credit(company: Company, on: dt.date, decisions: Sequence[Decision], cash: Mapping[str, Decimal]) -> None:
    """Unapplied cash covers an item where it reaches for all that is asked for up to its due date, overdue first."""
    doubtful = [d for d in decisions if cash.get(d.currency, Decimal(0)) > 0]
    items = askable(company, on, doubtful[0].client) if doubtful else []
    for decision in doubtful:
        before = sum(
            asked for currency, due_on, asked in items
            if currency == decision.currency and (due_on < on or due_on <= decision.due_on)
        )
        decision.guards["credit"] = cash[decision.currency] < before


def _of_the_message(decisions: Sequence[Decision], openings: Mapping[Place, Any]) -> None:
    goes_anyway = any(d.rung.spacing_exempt and d.verdict == SERVE for d in decisions)
    for decision in decisions:
        row = decision.of_client
        decision.guards |= {
            "address": row["has_address"],
            "today": not row["has_today"],
            "spacing": goes_anyway or not row["has_recent"],
            "window": place_of(row) in openings,
        }


def place_of(row: Mapping[str, Any]) -> Place:
    """Where the client is, as its file says."""
    return row["client__time_zone"], row["client__country"]


def askable(company: Company, on: dt.date, client: int) -> list[tuple[str, dt.date, Decimal]]:
    """Currency, due date and amount of all a client may be asked for on a day, due or not."""
    rows = chased(company, on).filter(client=client, promised=False, paused=False, in_flight=False)
    rows = rows.filter(owed__gt=F("disputed"))
    return [
        (currency, due_on, owed - disputed)
        for currency, due_on, owed, disputed in rows.values_list("currency", "due_day", "owed", "disputed")
    ]


def overdue_of(company: Company, on: dt.date, clients: Collection[int]) -> dict[int, dict[str, Decimal]]:
    """What clients are asked for that was due before the day; per client and currency."""
    found: dict[int, dict[str, Decimal]] = {}
    rows = chased(company, on).filter(client__in=clients, due_day__lt=on, promised=False, paused=False, in_flight=False)
    for client, currency, owed, disputed in rows.values_list("client_id", "currency", "owed", "disputed"):
        if owed > disputed:
            sums = found.setdefault(client, {})
            sums[currency] = sums.get(currency, Decimal(0)) + owed - disputed
    return found


def cash_of(client: int, on: dt.date) -> dict[str, Decimal]:
    """Unapplied cash of a client at the end of a day, per currency."""
    return cash_of_clients([client], on).get(client, {})


def cash_of_clients(clients: Collection[int], on: dt.date) -> dict[int, dict[str, Decimal]]:
    """Unapplied cash of clients at the end of a day, per client and currency; asked once for many, not per invoice."""
    entries = of_account(Entry.objects.filter(client__in=clients, effective_on__lte=on), CUSTOMER_CREDIT)
    rows = entries.order_by().values("client_id", "currency").annotate(s=Sum(SignedFor(CUSTOMER_CREDIT)))
    found: dict[int, dict[str, Decimal]] = {}
    for client, currency, total in rows.values_list("client_id", "currency", "s"):
        if total:
            found.setdefault(client, {})[currency] = -total
    return found


def _stands(row: Mapping[str, Any]) -> dict[Kind, Stand]:
    return {kind: _stand(row[f"{kind}_so_far"]) for kind in KINDS}


def _stand(number: int) -> Stand:
    return Stand(number // ROUND - 1, number % ROUND)


def _so_far(ladder: Sequence[Rung], kind: Kind) -> Coalesce:
    """The furthest place by steps of a kind and its round, as one number; 0 for none. Each part has its own ladder."""
    places = {rung.code: place for place, rung in enumerate(ladder) if rung.kind == kind}
    served = Served.objects.filter(invoice=OuterRef("pk"), part=OuterRef("part_now"), step__in=places)
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
