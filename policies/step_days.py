"""The ladder as calendar dates: on which day each step of an invoice would go, were nothing paid or said meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from core.dates import next_business_day

LAST_DAYS_BEFORE_DUE = 2  # a reminder before the due date that comes later than this helps nobody


def days_before(offset_days: int, terms_days: int | None) -> int | None:
    """How many days before the due date a step with a negative offset falls; None where the terms are too short.

    With terms under twice the offset it falls after half the term, at least two days before the due date, and
    never on the day of issue or earlier.

    >>> [days_before(-7, terms) for terms in (30, 14, 10, 5, 3, 2, 0, None)]
    [7, 7, 5, 2, 2, None, None, None]
    """
    if terms_days is None or terms_days <= LAST_DAYS_BEFORE_DUE:
        return None
    wanted = -offset_days
    days = wanted if terms_days >= 2 * wanted else max(LAST_DAYS_BEFORE_DUE, terms_days // 2)
    return days if days < terms_days else None


def step_day(offset_days: int, issued_on: date, due_on: date, holidays: Collection[date] = frozenset()) -> date | None:
    """The business day a step falls on; None where it is left out because the terms are too short for it.

    A step before the due date moves to the next business day only while that is early enough to help.

    >>> step_day(-7, date(2026, 11, 2), date(2026, 12, 2))
    datetime.date(2026, 11, 25)
    >>> step_day(-7, date(2026, 11, 2), date(2026, 11, 12))
    datetime.date(2026, 11, 9)
    >>> step_day(-7, date(2026, 11, 2), date(2026, 11, 4)) is None
    True
    >>> step_day(1, date(2026, 11, 2), date(2026, 12, 4))
    datetime.date(2026, 12, 7)
    """
    if offset_days >= 0:
        return next_business_day(due_on + timedelta(days=offset_days), holidays)
    before = days_before(offset_days, (due_on - issued_on).days)
    if before is None:
        return None
    day = next_business_day(due_on - timedelta(days=before), holidays)
    return day if (due_on - day).days >= LAST_DAYS_BEFORE_DUE else None
