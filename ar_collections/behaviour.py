"""How a client has paid, as arithmetic: share on time, days late weighted by amount, trend, months of history.

What is looked at is the last year up to a day, and whatever is still open. Nothing after the day counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

LOOK_BACK_DAYS = 365
RECENT_DAYS = 182
SIGNAL_DAYS = 180  # how long a broken promise or a returned payment is held against a client
FEWEST = 3  # invoices from which a share or a trend says anything
TREND_DAYS = 3  # a difference below it is no trend
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Bill:
    """An invoice as a client paid it up to the day: the parts with their days, and what is left open."""

    due_on: date
    paid: tuple[tuple[date, Decimal], ...] = ()
    left: Decimal = NOTHING

    @property
    def amount(self) -> Decimal:
        """All that was paid or is still to pay; a correction is neither."""
        return sum((amount for _on, amount in self.paid), self.left)

    @property
    def on_time(self) -> bool:
        """Paid in full, and no part of it after the due date."""
        return not self.left and all(on <= self.due_on for on, _amount in self.paid)

    def late_days(self, as_of: date) -> Decimal:
        """Days late times amount; a part paid early counts as on time, what is open is late up to the day.

        >>> bill = Bill(date(2026, 1, 10), ((date(2026, 1, 5), Decimal(40)), (date(2026, 1, 14), Decimal(60))))
        >>> bill.late_days(date(2026, 2, 1))
        Decimal('240')
        """
        parts = [*self.paid, (as_of, self.left)]
        return sum((max(0, (on - self.due_on).days) * amount for on, amount in parts), NOTHING)


@dataclass(frozen=True)
class Behaviour:
    """What the books say about one client in one currency on a day; None where there is nothing to say it from.

    ``on_time_percent`` counts invoices, ``days_late`` is weighted by amount, ``trend`` is better, steady, worse or
    empty; ``peak`` is the most that was owed at the end of any day of the last year; ``last_sign_on`` is the latest
    day on which an invoice became overdue, a promise was broken or a payment came back.
    """

    as_of: date
    months: int = 0
    judged: int = 0
    on_time: int = 0
    on_time_percent: Decimal | None = None
    days_late: Decimal | None = None
    trend: str = ""
    days_late_recently: Decimal | None = None
    days_late_before: Decimal | None = None
    overdue: Decimal = NOTHING
    overdue_days: int = 0
    broken_promises: int = 0
    returned: int = 0
    disputed: int = 0
    peak: Decimal = NOTHING
    last_sign_on: date | None = None


def behaviour_of(
    bills: Iterable[Bill], as_of: date, *, first_on: date | None, peak: Decimal = NOTHING,
    broken_on: Sequence[date] = (), returned_on: Sequence[date] = (), disputed: int = 0,
) -> Behaviour:
    """How a client paid, judged on a day: what fell due in the last year, what was paid ahead, and all that is open.

    ``first_on`` is the day of its first invoice; ``broken_on`` and ``returned_on`` are days of the last 180.
    Disputed invoices are no reproach: they are only counted.

    >>> day = date(2026, 6, 30)
    >>> late = Bill(date(2026, 3, 1), ((date(2026, 3, 11), Decimal(300)),))
    >>> good = [Bill(date(2026, month, 1), ((date(2026, month, 1), Decimal(100)),)) for month in (1, 2, 4)]
    >>> found = behaviour_of([late, *good], day, first_on=date(2025, 12, 1))
    >>> found.months, found.judged, found.on_time_percent, found.days_late, found.last_sign_on
    (6, 4, Decimal('75.0'), Decimal('5.0'), datetime.date(2026, 3, 2))
    """
    counted = [bill for bill in bills if bill.amount and _is_judged(bill, as_of)]
    half = as_of - timedelta(days=RECENT_DAYS)
    recent = [bill for bill in counted if bill.due_on > half]
    before = [bill for bill in counted if bill.due_on <= half]
    overdue = [bill for bill in counted if bill.left]
    on_time = sum(bill.on_time for bill in counted)
    signs = [bill.due_on + timedelta(days=1) for bill in counted if not bill.on_time]
    lately, earlier = average_days_late(recent, as_of), average_days_late(before, as_of)
    return Behaviour(
        as_of=as_of,
        months=full_months(first_on, as_of) if first_on else 0,
        judged=len(counted),
        on_time=on_time,
        on_time_percent=_rounded(Decimal(on_time * 100) / len(counted)) if counted else None,
        days_late=average_days_late(counted, as_of),
        trend=_trend(lately, earlier, min(len(recent), len(before))),
        days_late_recently=lately,
        days_late_before=earlier,
        overdue=sum((bill.left for bill in overdue), NOTHING),
        overdue_days=max(((as_of - bill.due_on).days for bill in overdue), default=0),
        broken_promises=len(broken_on),
        returned=len(returned_on),
        disputed=disputed,
        peak=peak,
        last_sign_on=max([*signs, *broken_on, *returned_on], default=None),
    )


def average_days_late(bills: Collection[Bill], as_of: date) -> Decimal | None:
    """Days late weighted by amount, to a tenth of a day; None where there is nothing to weigh.

    >>> small = Bill(date(2026, 1, 1), ((date(2026, 1, 31), Decimal(100)),))
    >>> large = Bill(date(2026, 1, 1), ((date(2026, 1, 1), Decimal(900)),))
    >>> average_days_late([small, large], date(2026, 2, 1))
    Decimal('3.0')
    """
    weight = sum((bill.amount for bill in bills), NOTHING)
    if not weight:
        return None
    return _rounded(sum((bill.late_days(as_of) for bill in bills), NOTHING) / weight)


def full_months(since: date, until: date) -> int:
    """Whole months between two days, zero where the second is not later.

    >>> full_months(date(2026, 1, 31), date(2026, 7, 30)), full_months(date(2026, 1, 30), date(2026, 7, 30))
    (5, 6)
    """
    months = (until.year - since.year) * 12 + until.month - since.month
    return max(0, months - (until.day < since.day))


def peak_of(moves: Iterable[tuple[date, Decimal]], since: date, until: date) -> Decimal:
    """The most that was owed at the end of any day from ``since`` to ``until``; ``moves`` are signed, per day.

    >>> jan = lambda day: date(2026, 1, day)
    >>> moves = [(jan(1), Decimal(500)), (jan(2), Decimal(-400)), (jan(5), Decimal(50)), (jan(9), Decimal(900))]
    >>> peak_of(moves, jan(2), jan(8)), peak_of(moves, jan(1), jan(8))
    (Decimal('150'), Decimal('500'))
    """
    owed, peak = NOTHING, NOTHING
    per_day: dict[date, Decimal] = {}
    for day, amount in moves:
        if day < since:
            owed += amount
        elif day <= until:
            per_day[day] = per_day.get(day, NOTHING) + amount
    if since not in per_day:
        peak = owed
    for day in sorted(per_day):
        owed += per_day[day]
        peak = max(peak, owed)
    return max(peak, NOTHING)


def _is_judged(bill: Bill, as_of: date) -> bool:
    """It fell due before the day and within a year, or was paid ahead of its day; what is open counts at any age."""
    if bill.left:
        return bill.due_on < as_of
    return bill.due_on > as_of - timedelta(days=LOOK_BACK_DAYS)


def _trend(recently: Decimal | None, before: Decimal | None, fewest: int) -> str:
    if recently is None or before is None or fewest < FEWEST:
        return ""
    if recently - before >= TREND_DAYS:
        return "worse"
    return "better" if before - recently >= TREND_DAYS else "steady"


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
