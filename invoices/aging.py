"""How old a claim is: the buckets of the aging report, counted from the due date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Bucket = Literal["current", "1-30", "31-60", "61-90", "90+"]
BUCKETS: tuple[Bucket, ...] = ("current", "1-30", "31-60", "61-90", "90+")

# The last day past due of each bucket, for queries that sort into buckets themselves.
LAST_DAY: dict[Bucket, int] = {"current": 0, "1-30": 30, "31-60": 60, "61-90": 90}


@dataclass(frozen=True)
class OpenItem:
    """What is still owed of one invoice on the day asked about."""

    due_on: date
    balance: Decimal


def in_buckets(parts: Iterable[tuple[date, Decimal]], open_sum: Decimal, on: date) -> list[tuple[Bucket, Decimal]]:
    """What is open of an invoice in parts, part by part: money has filled the earliest first. Its oldest comes first.

    >>> halves = [(date(2026, 1, 1), Decimal(500)), (date(2026, 2, 1), Decimal(500))]
    >>> [(place, str(amount)) for place, amount in in_buckets(halves, Decimal(600), date(2026, 1, 9))]
    [('1-30', '100'), ('current', '500')]
    """
    found, left = [], open_sum
    for due_on, amount in sorted(parts, reverse=True):
        found.append((bucket(due_on, on), min(amount, left)))
        left -= min(amount, left)
    return [(place, amount) for place, amount in reversed(found) if amount]


def days_late(due_on: date, on: date) -> int:
    """Days past due on a day; 0 on the due date itself and before.

    >>> days_late(date(2026, 4, 15), date(2026, 4, 15)), days_late(date(2026, 4, 15), date(2026, 4, 16))
    (0, 1)
    """
    return max((on - due_on).days, 0)


def bucket(due_on: date, on: date) -> Bucket:
    """The bucket of a due date on a day: current (not past due), then 30 days each, then all that is older.

    >>> [bucket(date(2026, 1, 1), date(2026, 1, day)) for day in (1, 2, 31)]
    ['current', '1-30', '1-30']
    >>> bucket(date(2026, 1, 1), date(2026, 4, 1)), bucket(date(2026, 1, 1), date(2026, 4, 2))
    ('61-90', '90+')
    """
    late = days_late(due_on, on)
    return next((name for name, last in LAST_DAY.items() if late <= last), "90+")


def age(items: Iterable[OpenItem], on: date) -> dict[Bucket, Decimal]:
    """The balances of one currency by bucket, every bucket present; their sum is what is open.

    >>> aged = age([OpenItem(date(2026, 1, 1), Decimal(8)), OpenItem(date(2026, 3, 1), Decimal(4))], date(2026, 2, 9))
    >>> aged["31-60"], aged["current"], aged["90+"]
    (Decimal('8'), Decimal('4'), Decimal('0'))
    """
    sums = dict.fromkeys(BUCKETS, Decimal(0))
    for item in items:
        sums[bucket(item.due_on, on)] += item.balance
    return sums
