"""How long it took from the work to its invoice, month by month, as arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from statistics import median


@dataclass(frozen=True)
class Month:
    """The work invoiced in a month (its first day): how many pieces, and the days from done to issued."""

    month: date
    count: int
    median: Decimal
    mean: Decimal
    longest: int


def by_month(pairs: Iterable[tuple[date, date]]) -> list[Month]:
    """Days to invoice per month of issue, the latest month first; each pair is (done on, issued on).

    Median and mean in days, rounded half up to one place.

    >>> day = lambda d: date(2026, 3, d)
    >>> month, = by_month([(day(1), day(2)), (day(1), day(3)), (day(1), day(11))])
    >>> month.count, str(month.median), str(month.mean), month.longest
    (3, '2.0', '4.3', 10)
    """
    days: dict[date, list[int]] = defaultdict(list)
    for done_on, issued_on in pairs:
        days[issued_on.replace(day=1)].append((issued_on - done_on).days)
    return [
        Month(month, len(each), _shown(median(map(Decimal, each))), _shown(Decimal(sum(each)) / len(each)), max(each))
        for month, each in sorted(days.items(), reverse=True)
    ]


def _shown(days: Decimal) -> Decimal:
    return days.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
