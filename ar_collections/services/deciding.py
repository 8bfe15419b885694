"""The decision, written once: which step every open invoice is to be served with on a day, and why not.

``facts`` is one query with what every guard needs to know; ``decide`` gives each row its verdicts. The night takes
those that say «serve»; ``why`` shows them all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db.models import (
    Case,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
    prefetch_related_objects,
)
from django.db.models.functions import Cast, Coalesce, Concat

from ar_collections.models import Pause, Promise, Served
from ar_collections.reminders import (
    KINDS,
    LAST_DAYS_BEFORE_DUE,
    Due,
    Kind,
    Rung,
    Stand,
    barrier,
    days_before,
    due_step,
    next_in_turn,
)
from clients.models import Contact
from core.fields import MoneyField, Signed
from core.models import Company
from disputes.models import Dispute
from invoices.models import CUSTOMER_CREDIT, RECEIVABLE, Entry, Invoice
from outbox.models import Message
from policies.models import Policy

from .business_days import Place

NOTICE = "notice"
SERVE = "serve"
NO_AMOUNT = Value(Decimal(0), output_field=MoneyField())
ROUND = 1000  # so that place and round of a step are compared, and fetched, as one number


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
    of_client: Mapping[str, Any]
    guards: dict[str, bool] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """«serve», or the first guard that does not let it pass."""
        return next((guard for guard, passes in self.guards.items() if not passes), SERVE)


class DaysFrom(Func):
    """Whole days from a date column to a day."""

    output_field = IntegerField()

    def __init__(self, column: str, on: dt.date, **extra: Any) -> None:
        super().__init__(Value(on), F(column), **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "CAST(julianday(%(expressions)s) AS INTEGER)"
        return super().as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" - ", **extra)


def ladder_of(policy: Policy) -> tuple[Rung, ...]:
    """The steps of a policy as the arithmetic sees them, in their order; read once per policy object."""
    prefetch_related_objects([policy], "steps")
    return tuple(
        Rung(s.code, s.offset_days, s.channel, s.mandatory, s.repeats_every_days, s.spacing_exempt)
        for s in policy.steps.all()
    )


def owing(company: Company, on: dt.date) -> QuerySet[Any]:
    """Invoices of the company issued on or before the day, with ``owed``: their balance at the end of it.

    The cached balance is taken where nothing is dated later; otherwise what came later is taken off it again.
    """
    issued = Invoice.objects.issued().filter(company=company, issued_on__lte=on).order_by()
    if not Entry.objects.filter(company=company, effective_on__gt=on).exists():
        return issued.filter(balance__gt=0).annotate(owed=F("balance"))
    later = Entry.objects.filter(invoice=OuterRef("pk"), effective_on__gt=on)
    owed = ExpressionWrapper(F("balance") - balance_of(later, RECEIVABLE, "invoice"), output_field=MoneyField())
    open_then: QuerySet[Any] = issued.annotate(owed=owed).filter(owed__gt=0)
    return open_then


def chased(company: Company, on: dt.date) -> QuerySet[Any]:
    """What the company may ask for on a day: ``owed`` less ``disputed``; and whether a promise or a pause runs."""
    disputes = Dispute.objects.open_on(on).filter(invoice=OuterRef("pk")).order_by().values("invoice")
    pauses = Pause.objects.running_on(on).filter(client=OuterRef("client"))
    rows: QuerySet[Any] = owing(company, on).annotate(
        disputed=Coalesce(
            Subquery(disputes.annotate(s=Sum(Coalesce("amount", "invoice__total"))).values("s")), NO_AMOUNT
        ),
        promised=Exists(Promise.objects.running_on(on).filter(invoice=OuterRef("pk"))),
        paused=Exists(pauses.filter(Q(invoice=None) | Q(invoice=OuterRef("pk")))),
    )
    return rows


def facts(company: Company, on: dt.date, policy: Policy) -> QuerySet[Any]:
    """Open invoices that may have reached a step they were not served with, with all that the guards ask about."""
    ladder = ladder_of(policy)
    longest = max([0, *(-rung.offset_days for rung in ladder)])
    rows = chased(company, on).filter(due_on__lte=on + dt.timedelta(days=longest)).annotate(
        was_old=Case(
            When(intake__isnull=False, due_on__lt=F("intake__first_planned_on"), then=Value(True)), default=Value(False)
        ),
        **{f"{kind}_so_far": _so_far(ladder, (kind,)) for kind in KINDS},
    )
    climbs = Q()
    for kind in KINDS:
        climbs |= Q(**{f"{kind}_so_far__lt": _reached_at_most(ladder, kind, on)})
    client = OuterRef("client")
    cash = Entry.objects.filter(client=client, currency=OuterRef("currency"), effective_on__lte=on)
    notices = Message.objects.filter(kind=NOTICE, party=OuterRef("party"))
    recent = notices.exclude(state="cancelled").filter(on__gt=on - dt.timedelta(days=policy.spacing_days), on__lt=on)
    last_served = Served.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    found: QuerySet[Any] = rows.filter(climbs).annotate(
        furthest=Case(When(was_old=True, then=_so_far(ladder, KINDS)), default=Value(0)),
        last_on=Case(When(was_old=True, then=Subquery(last_served.annotate(m=Max("on")).values("m"))), default=None,
                     output_field=DateField()),
        cash=Signed(balance_of(cash, CUSTOMER_CREDIT, "client")),
        has_address=Exists(Contact.objects.reachable().filter(client=client)),
        party=Concat(Value("client:"), Cast("client_id", TextField()), output_field=TextField()),
        has_today=Exists(notices.filter(on=on)),
        has_recent=Exists(recent),
    )
    return found


COLUMNS = (
    "pk", "client_id", "currency", "due_on", "terms_days", "owed", "disputed", "promised", "paused", "was_old",
    "furthest", "last_on", "message_so_far", "call_so_far", "review_so_far", "cash", "has_address", "has_today",
    "has_recent", "client__time_zone", "client__country",
)


def decide(
    company: Company, on: dt.date, policy: Policy, openings: Mapping[Place, Any], clients: Collection[int] | None = None
) -> Iterator[list[Decision]]:
    """Client by client: every step its invoices have reached and were not served with, with the verdicts.

    ``openings`` are the places where a message may leave on that date. A message's guards count for the client
    as a whole: where one item goes on its day whatever was sent before, everything else that is due rides along.
    """
    rows = facts(company, on, policy)
    if clients is not None:
        rows = rows.filter(client__in=clients)
    found = rows.order_by("client_id", "due_on", "pk").values(*COLUMNS).iterator(chunk_size=2000)
    for _client, group in groupby(found, key=lambda row: row["client_id"]):
        decisions = [d for row in group for d in _of_an_invoice(row, on, policy)]
        if decisions:
            _credit(company, on, decisions)
            _of_the_message([d for d in decisions if d.kind == "message"], openings)
            yield decisions


def _of_an_invoice(row: Mapping[str, Any], on: dt.date, policy: Policy) -> Iterator[Decision]:
    ladder = ladder_of(policy)
    for kind, due in _dues(row, on, ladder):
        asked = row["owed"] - row["disputed"]
        last = row["last_on"]
        yield Decision(
            row["pk"], row["client_id"], kind, due, ladder[due.place], row["currency"], row["due_on"], asked, row,
            {
                "paid": row["owed"] > 0,
                "dispute": asked > 0,
                "promise": not row["promised"],
                "pause": not row["paused"],
                "taken_over": last is None or (on - last).days >= policy.takeover_spacing_days,
                "credit": row["cash"] <= 0,
            },
        )


def _dues(row: Mapping[str, Any], on: dt.date, ladder: Sequence[Rung]) -> Iterator[tuple[Kind, Due]]:
    furthest = _stand(row["furthest"]).place
    if row["was_old"] and furthest < len(ladder) - 1:
        turn = next_in_turn(ladder, furthest, due_on=row["due_on"], on=on)
        if turn:
            yield ladder[turn.place].kind, turn
        return
    notices = barrier(ladder, _stand(row["message_so_far"]))
    for kind in KINDS:
        # Where nobody can be written to no notice will ever be given, and the telephone does not wait for one.
        limit = notices if kind == "message" or row["has_address"] else len(ladder)
        due = due_step(
            ladder, kind, _stand(row[f"{kind}_so_far"]), limit=limit, due_on=row["due_on"],
            terms_days=row["terms_days"], on=on,
        )
        if due:
            yield kind, due


def _credit(company: Company, on: dt.date, decisions: Sequence[Decision]) -> None:
    """Unapplied cash covers an item where it reaches for all that is asked for up to its due date, overdue first."""
    doubtful = [d for d in decisions if not d.guards["credit"]]
    if not doubtful:
        return
    client = doubtful[0].client
    items = askable(company, on, client)
    cash = cash_of(client, on)
    for decision in doubtful:
        before = sum(
            asked for currency, due_on, asked in items
            if currency == decision.currency and (due_on < on or due_on <= decision.due_on)
        )
        decision.guards["credit"] = cash.get(decision.currency, Decimal(0)) < before


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
    rows = chased(company, on).filter(client=client, promised=False, paused=False, owed__gt=F("disputed"))
    return [
        (currency, due_on, owed - disputed)
        for currency, due_on, owed, disputed in rows.values_list("currency", "due_on", "owed", "disputed")
    ]


def overdue_of(company: Company, on: dt.date, clients: Collection[int]) -> dict[int, dict[str, Decimal]]:
    """What clients are asked for that was due before the day; per client and currency."""
    found: dict[int, dict[str, Decimal]] = {}
    rows = chased(company, on).filter(client__in=clients, due_on__lt=on, promised=False, paused=False)
    for client, currency, owed, disputed in rows.values_list("client_id", "currency", "owed", "disputed"):
        if owed > disputed:
            sums = found.setdefault(client, {})
            sums[currency] = sums.get(currency, Decimal(0)) + owed - disputed
    return found


def cash_of(client: int, on: dt.date) -> dict[str, Decimal]:
    """Unapplied cash of a client at the end of a day, per currency."""
    entries = Entry.objects.filter(client=client, effective_on__lte=on)
    rows = _of_account(entries, CUSTOMER_CREDIT).order_by().values("currency").annotate(s=Sum(_signed(CUSTOMER_CREDIT)))
    return {currency: -total for currency, total in rows.values_list("currency", "s") if total}


def balance_of(entries: QuerySet[Entry], account: str, per: str) -> Coalesce:
    """Debits less credits of an account over entries, as a subquery of the row outside."""
    rows = _of_account(entries, account).order_by().values(per).annotate(s=Sum(_signed(account))).values("s")
    return Coalesce(Subquery(rows, output_field=MoneyField()), NO_AMOUNT)


def _of_account(entries: QuerySet[Entry], account: str) -> QuerySet[Entry]:
    return entries.filter(Q(dr=account) | Q(cr=account))


def _signed(account: str) -> Case:
    return Case(When(dr=account, then=F("amount")), default=Signed(F("amount")), output_field=MoneyField())


def _stand(number: int) -> Stand:
    return Stand(number // ROUND - 1, number % ROUND)


def _so_far(ladder: Sequence[Rung], kinds: Collection[Kind]) -> Coalesce:
    """The furthest place by steps of these kinds and its round, as one number; 0 for none."""
    places = {rung.code: place for place, rung in enumerate(ladder) if rung.kind in kinds}
    place = Case(*(When(step=code, then=Value((n + 1) * ROUND)) for code, n in places.items()), default=Value(0))
    rows = Served.objects.filter(invoice=OuterRef("pk"), step__in=places).order_by().values("invoice")
    return Coalesce(Subquery(rows.annotate(top=Max(place + F("cycle"))).values("top")), Value(0))


def _reached_at_most(ladder: Sequence[Rung], kind: Kind, on: dt.date) -> Case:
    """The furthest place an invoice has reached by its age alone; what may go before it is judged row by row."""
    whens = []
    for place, rung in reversed(list(enumerate(ladder))):
        if rung.kind == kind:
            score: Any = Value((place + 1) * ROUND + 1)
            if rung.repeats_every_days:
                score += (DaysFrom("due_on", on) - Value(rung.offset_days)) / Value(rung.repeats_every_days)
            whens.append(When(_reached(rung, on), then=score))
    return Case(*whens, default=Value(0), output_field=IntegerField())


def _reached(rung: Rung, on: dt.date) -> Q:
    """The twin of ``reminders.is_reached``."""
    if rung.offset_days >= 0:
        return Q(due_on__lte=on - dt.timedelta(days=rung.offset_days))
    whole = 2 * -rung.offset_days
    reached = Q(terms_days__gte=whole, due_on__lte=on - dt.timedelta(days=rung.offset_days))
    by_days: dict[int, list[int]] = {}
    for terms in range(1, whole):
        before = days_before(rung.offset_days, terms)
        if before:
            by_days.setdefault(before, []).append(terms)
    for before, short_terms in by_days.items():
        reached |= Q(terms_days__in=short_terms, due_on__lte=on + dt.timedelta(days=before))
    return Q(due_on__gte=on + dt.timedelta(days=LAST_DAYS_BEFORE_DUE)) & reached
