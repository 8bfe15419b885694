"""The ladder as calendar dates: on which day each step of an invoice would go, were nothing paid or said meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from core.dates import next_business_day

SHORT_TERM_DAYS = 14
LEAST_DAYS_BEFORE = 2


def step_day(offset_days: int, issued_on: date, due_on: date, holidays: Collection[date] = frozenset()) -> date | None:
    """The business day a step falls on; None where it is left out because the term is too short for it.

    A step before the due date comes after half the term where the term is under 14 days; it moves to the next
    business day only while that is at least 2 days before the due date, and is never late.

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
    term = (due_on - issued_on).days
    before = -offset_days if term >= SHORT_TERM_DAYS else max(term // 2, LEAST_DAYS_BEFORE)
    day = next_business_day(due_on - timedelta(days=before), holidays)
    if day <= issued_on or (due_on - day).days < LEAST_DAYS_BEFORE:
        return None
    return day
