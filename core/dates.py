"""Dates as arithmetic: business days, months, half-years, sending windows, reading a written date.

Pure: nothing here knows what day it is. Holidays are a set of dates handed in.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

from babel.dates import format_date

_NO_HOLIDAYS: frozenset[date] = frozenset()


def is_business_day(day: date, holidays: Collection[date] = _NO_HOLIDAYS) -> bool:
    """Monday to Friday, and no holiday.

    >>> is_business_day(date(2026, 12, 25)), is_business_day(date(2026, 12, 25), {date(2026, 12, 25)})
    (True, False)
    """
    return day.weekday() < 5 and day not in holidays


def next_business_day(day: date, holidays: Collection[date] = _NO_HOLIDAYS) -> date:
    """The day itself where it is a business day, otherwise the first one after it.

    >>> next_business_day(date(2026, 4, 3), {date(2026, 4, 3), date(2026, 4, 6)})
    datetime.date(2026, 4, 7)
    """
    while not is_business_day(day, holidays):
        day += timedelta(days=1)
    return day


def add_business_days(day: date, count: int, holidays: Collection[date] = _NO_HOLIDAYS) -> date:
    """The business day that lies `count` business days after a day (zero or more).

    >>> add_business_days(date(2026, 4, 2), 1, {date(2026, 4, 3), date(2026, 4, 6)})
    datetime.date(2026, 4, 7)
    """
    for _ in range(count):
        day = next_business_day(day + timedelta(days=1), holidays)
    return day


def add_months(day: date, months: int) -> date:
    """The same day of a later (or earlier) month, or that month's last day where it is shorter.

    Count from the first date each time: 31 January, then 28 February, then 31 March.

    >>> [add_months(date(2026, 1, 31), n).isoformat() for n in (1, 2, 25)]
    ['2026-02-28', '2026-03-31', '2028-02-29']
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def month_end(day: date) -> date:
    """The last day of a date's month.

    >>> month_end(date(2028, 2, 3))
    datetime.date(2028, 2, 29)
    """
    return day.replace(day=monthrange(day.year, day.month)[1])


def half_year(day: date) -> str:
    """The half-year a day lies in, as reference rates are published.

    >>> half_year(date(2026, 6, 30)), half_year(date(2026, 7, 1))
    ('2026-H1', '2026-H2')
    """
    return f"{day.year}-H{1 if day.month <= 6 else 2}"


def half_year_start(day: date) -> date:
    """The first day of a date's half-year: 1 January or 1 July.

    >>> half_year_start(date(2026, 12, 31))
    datetime.date(2026, 7, 1)
    """
    return date(day.year, 1 if day.month <= 6 else 7, 1)


def in_window(local: datetime, opens: time, closes: time, holidays: Collection[date] = _NO_HOLIDAYS) -> bool:
    """Whether a local moment lies on a business day, from the opening time up to but not at the closing time.

    >>> [in_window(datetime(2026, 4, 15, hour), time(9), time(17)) for hour in (8, 9, 17)]
    [False, True, False]
    """
    return is_business_day(local.date(), holidays) and opens <= local.time() < closes


def window_opening(day: date, opens: time, zone: tzinfo) -> datetime:
    """The instant, in UTC, at which the window of a local day opens; an hour that a clock change skips opens after it.

    >>> from zoneinfo import ZoneInfo
    >>> [window_opening(date(2026, 3, d), time(9), ZoneInfo("Europe/Berlin")).hour for d in (28, 29)]
    [8, 7]
    """
    return datetime.combine(day, opens, tzinfo=zone).astimezone(UTC)


DayStyle = Literal["short", "long", "full", "yearless"]
_LONG = {"short": "d MMM y", "long": "d MMMM y", "full": "EEEE d MMMM y", "yearless": "d MMMM"}
_DAY_PATTERNS: dict[str, dict[str, str]] = {
    "en": _LONG,
    "de": {"short": "d. MMM y", "long": "d. MMMM y", "full": "EEEE, d. MMMM y", "yearless": "d. MMMM"},
    "fr": _LONG,
}


@lru_cache(maxsize=4096)  # a list says the same days again and again
def show_day(day: date, language: str, style: DayStyle = "long") -> str:
    """The day as a reader of that language writes it, the month always a word, so that nobody can misread it.

    >>> show_day(date(2026, 12, 5), "en"), show_day(date(2026, 12, 5), "de"), show_day(date(2026, 12, 1), "fr")
    ('5 December 2026', '5. Dezember 2026', '1er décembre 2026')
    >>> show_day(date(2026, 12, 5), "en", "short"), show_day(date(2026, 12, 5), "de", "full")
    ('5 Dec 2026', 'Samstag, 5. Dezember 2026')
    """
    locale = language[:2] if language[:2] in _DAY_PATTERNS else "en"
    words: str = format_date(day, _DAY_PATTERNS[locale][style], locale=locale)
    return re.sub(r"\b1 ", "1er ", words, count=1) if locale == "fr" and day.day == 1 else words


def check_date_format(fmt: str) -> str:
    """The format itself, if it says day, month and year once each; otherwise ValueError.

    >>> check_date_format("%m/%d/%Y")
    '%m/%d/%Y'
    >>> check_date_format("%d/%m")
    Traceback (most recent call last):
    ...
    ValueError: «%d/%m» does not give day, month and year. Write for example %d.%m.%Y, %m/%d/%Y or %Y-%m-%d.
    """
    if not _says_a_date(fmt):
        raise ValueError(
            f"«{fmt}» does not give day, month and year. Write for example %d.%m.%Y, %m/%d/%Y or %Y-%m-%d."
        )
    return fmt


def parse_date(text: str, fmt: str) -> date:
    """Read a date in the one format given, matched against the whole text; never guessed. Raises ValueError.

    The format is strptime's and may spell out what is constant in the column.

    >>> parse_date("2020-03-30 00:00:00.000000000", "%Y-%m-%d 00:00:00.000000000")
    datetime.date(2020, 3, 30)
    >>> parse_date("26/04/2011", "%m/%d/%Y")
    Traceback (most recent call last):
    ...
    ValueError: «26/04/2011» is not a date in the format %m/%d/%Y.
    """
    check_date_format(fmt)
    refusal = f"«{text if len(text) <= 40 else text[:40] + '…'}» is not a date in the format {fmt}."
    # strptime also takes the digits of other scripts, and any run of white space where the format has one blank.
    if not text.isascii() or text != text.strip() or text.count(" ") != fmt.count(" "):
        raise ValueError(refusal)
    try:
        day = _strptime(text, fmt)
    except ValueError:
        raise ValueError(refusal) from None
    # Without signs between the numbers «2020125» would do for %Y%m%d, as 5 December.
    if _RUN_TOGETHER.search(fmt) and day.strftime(fmt) != text:
        raise ValueError(refusal)
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise ValueError(f"«{text}» lies in the year {day.year}; dates from {_YEARS[0]} to {_YEARS[1]} are accepted.")
    return day


_YEARS = (1900, 2199)
_RUN_TOGETHER = re.compile("%[A-Za-z]%[A-Za-z]")


@lru_cache
def _says_a_date(fmt: str) -> bool:
    probe = date(2017, 11, 23)
    try:
        return _strptime(probe.strftime(fmt), fmt) == probe
    except (ValueError, re.error):  # a directive that does not exist, or one that stands twice
        return False


def _strptime(text: str, fmt: str) -> date:
    return datetime.strptime(text, fmt).date()  # noqa: DTZ007 - a calendar date has no time zone
