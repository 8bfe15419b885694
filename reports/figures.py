"""How the book stands today: what is overdue, how long money takes, what is promised, what came and what will come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Count

from ar_collections.models import Promise
from ar_collections.services.promising import with_state
from core.dates import add_months, month_end
from core.models import Company
from invoices.models import Invoice

from .aging import Aging, aging
from .cash import Expected, Flow, expected, flows

DSO_DAYS = 90
DSO_MONTHS = 6  # month ends shown before today
WEEKS_BACK, WEEKS_AHEAD = 8, 4  # the running week is the last of those that were
BROKEN_DAYS = 7  # how long a broken promise is news
_DAY = dt.timedelta(days=1)


@dataclass
class Week:
    """Money of one week, from a Monday on: what came (None for weeks to come), what will (None for weeks gone)."""

    begins_on: dt.date
    collected: Decimal | None
    expected: Decimal | None


@dataclass
class Standing:
    """The figures of one currency."""

    currency: str
    aging: Aging
    overdue_week_ago: Decimal = Decimal(0)
    dso: Decimal | None = None
    dso_last_month: Decimal | None = None
    dso_points: list[Decimal] = field(default_factory=list)
    promised: Decimal = Decimal(0)
    broken: Decimal = Decimal(0)
    collected: Decimal = Decimal(0)
    still_expected: Decimal = Decimal(0)
    later_than_expected: Decimal = Decimal(0)
    weeks: list[Week] = field(default_factory=list)

    @property
    def overdue_change(self) -> Decimal:
        """How much more is overdue than a week ago; below zero where it is less."""
        return self.aging.overdue - self.overdue_week_ago

    @property
    def dso_change(self) -> Decimal | None:
        """How many days longer money takes than at the end of last month."""
        return None if self.dso is None or self.dso_last_month is None else self.dso - self.dso_last_month

    @property
    def expected(self) -> Decimal:
        """What this month will probably bring in all: what came, and what is expected before its end."""
        return self.collected + self.still_expected


@dataclass
class Today:
    """The first page's figures: counts over all currencies, sums per currency, the company's own first."""

    on: dt.date
    standings: list[Standing]
    overdue_invoices: int = 0
    overdue_clients: int = 0
    promises: int = 0
    promises_due_today: int = 0
    promises_broken: int = 0


def today_figures(company: Company, on: dt.date) -> Today:
    """How a company's book stands on its day, from a dozen queries however large the book is."""
    aged, week_ago = aging(on, company), aging(on - 7 * _DAY, company)
    months = _month_ends(on)
    moves = flows(company, months[0] - DSO_DAYS * _DAY, on)
    coming = expected(company, on)
    standings = []
    for currency, now in aged.items():
        days, due = moves.get(currency, []), [e for e in coming if e.currency == currency]
        before = week_ago.get(currency)
        standing = Standing(currency, now, before.overdue if before else Decimal(0))
        points = [dso(_receivable_on(day, now.total, days), days, day) for day in [*months, on]]
        standing.dso, standing.dso_last_month = points[-1], points[-2]
        standing.dso_points = [point for point in points if point is not None]
        standing.collected = _received(days, on.replace(day=1), on)
        standing.still_expected = _due(due, on, month_end(on))
        standing.later_than_expected = sum((e.amount for e in due if e.on < on), Decimal(0))
        standing.weeks = _weeks(days, due, on)
        standings.append(standing)
    standings.sort(key=lambda one: (one.currency != company.currency, -one.aging.open, one.currency))
    answer = Today(on, standings)
    _count_overdue(answer, company)
    _count_promises(answer, company)
    return answer


def dso(receivable: Decimal, days: Iterable[Flow], on: dt.date) -> Decimal | None:
    """Days sales outstanding: receivable ÷ sales of the last 90 days × 90, to a tenth; None without sales.

    Gross of tax on both sides, unapplied cash taken off. Source: creditguru.com, 15,000 / 10,000 × 30 = 45.

    >>> week = [Flow(dt.date(2026, 4, 1), Decimal(0), Decimal(10000), Decimal(0))]
    >>> dso(Decimal(5000), week, dt.date(2026, 4, 30)), dso(Decimal(5000), week, dt.date(2026, 6, 30))
    (Decimal('45.0'), None)
    """
    sales = sum((flow.sales for flow in days if on - DSO_DAYS * _DAY < flow.on <= on), Decimal(0))
    if sales <= 0:
        return None
    return (receivable * DSO_DAYS / sales).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)


def _month_ends(on: dt.date) -> list[dt.date]:
    """The last days of the months before this one, the oldest first."""
    first = on.replace(day=1)
    return [add_months(first, -back) - _DAY for back in range(DSO_MONTHS - 1, -1, -1)]


def _receivable_on(day: dt.date, now: Decimal, days: Iterable[Flow]) -> Decimal:
    """What was receivable at the end of an earlier day: what is now, less what moved since."""
    return now - sum((flow.receivable for flow in days if flow.on > day), Decimal(0))


def _received(days: Iterable[Flow], first: dt.date, last: dt.date) -> Decimal:
    return sum((flow.received for flow in days if first <= flow.on <= last), Decimal(0))


def _due(coming: Iterable[Expected], first: dt.date, last: dt.date) -> Decimal:
    return sum((e.amount for e in coming if first <= e.on <= last), Decimal(0))


def _weeks(days: Sequence[Flow], coming: Sequence[Expected], on: dt.date) -> list[Week]:
    this_monday = on - dt.timedelta(days=on.weekday())
    weeks = []
    for n in range(1 - WEEKS_BACK, WEEKS_AHEAD + 1):
        monday = this_monday + dt.timedelta(weeks=n)
        sunday = monday + 6 * _DAY
        weeks.append(
            Week(
                monday,
                _received(days, monday, min(sunday, on)) if monday <= on else None,
                _due(coming, max(monday, on), sunday) if sunday >= on else None,
            )
        )
    return weeks


def _count_overdue(answer: Today, company: Company) -> None:
    late = Invoice.objects.overdue(on=answer.on).filter(company=company, issued_on__lte=answer.on)
    counted = late.order_by().aggregate(invoices=Count("pk"), clients=Count("client", distinct=True))
    answer.overdue_invoices, answer.overdue_clients = counted["invoices"], counted["clients"]


def _count_promises(answer: Today, company: Company) -> None:
    """Open promises, and those that were broken within the last days."""
    on = answer.on
    recent = Promise.objects.filter(
        client__company=company, made_on__lte=on, pauses_until__gte=on - BROKEN_DAYS * _DAY
    )
    by_currency = {standing.currency: standing for standing in answer.standings}
    for promise in with_state(recent, on).order_by():
        standing = by_currency.get(promise.currency)
        if standing is None:
            continue
        if promise.state == "open":
            answer.promises += 1
            answer.promises_due_today += promise.promised_for == on
            standing.promised += promise.amount - promise.paid
        elif promise.state in ("broken", "partly"):
            answer.promises_broken += 1
            standing.broken += promise.amount - promise.paid
