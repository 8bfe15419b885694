"""Quiet periods: days of every year on which nobody is reminded, such as 24 December to 1 January.

Pure. A period is written «12-24 to 01-01», month and day, both days included; a policy keeps a list of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from core.errors import Refused

MonthDay = tuple[int, int]
_PERIOD = re.compile(r"(\d{1,2})-(\d{1,2})(?:\s*(?:to|–|\.\.)\s*(\d{1,2})-(\d{1,2}))?")
_ANY_LEAP_YEAR = 2028


def read_period(written: str) -> tuple[MonthDay, MonthDay]:
    """The first and the last day of a period, each month and day; one day alone is both. Refused where it is none.

    >>> read_period("12-24 to 01-01"), read_period("05-01")
    (((12, 24), (1, 1)), ((5, 1), (5, 1)))
    >>> read_period("02-30")
    Traceback (most recent call last):
    ...
    core.errors.Refused: “02-30” is no quiet period: write month and day, such as 12-24 to 01-01.
    """
    found = _PERIOD.fullmatch(written.strip())
    if found:
        first = (int(found[1]), int(found[2]))
        last = (int(found[3]), int(found[4])) if found[3] else first
        if _exists(first) and _exists(last):
            return first, last
    raise Refused(
        f"“{written}” is no quiet period: write month and day, such as 12-24 to 01-01.", where="quiet_periods"
    )


def as_written(written: str) -> str:
    """A period as it is kept, whatever way it was typed.

    >>> as_written("8-1 .. 8-15"), as_written("05-01")
    ('08-01 to 08-15', '05-01')
    """
    first, last = read_period(written)
    shown = "{:02d}-{:02d}".format
    return shown(*first) if first == last else f"{shown(*first)} to {shown(*last)}"


def is_quiet(day: date, periods: Iterable[str]) -> bool:
    """Whether a day lies in one of the periods; one may run over the new year.

    >>> [is_quiet(date(2026, *day), ["12-24 to 01-01"]) for day in ((12, 23), (12, 24), (1, 1), (1, 2))]
    [False, True, True, False]
    """
    at = (day.month, day.day)
    for first, last in map(read_period, periods):
        if first <= at <= last if first <= last else at >= first or at <= last:
            return True
    return False


def _exists(day: MonthDay) -> bool:
    try:
        date(_ANY_LEAP_YEAR, *day)
    except ValueError:
        return False
    return True
