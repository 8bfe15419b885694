"""Invoices that come again and again, as arithmetic: on which days, for which time, and what their lines then say.

Every day is counted from the first one, so that the 31st stays the 31st: 31 January, 28 February, 31 March.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from babel.dates import format_date

from core.dates import add_months, show_day
from core.errors import Refused

Unit = Literal["week", "month", "year"]
Covers = Literal["ahead", "behind", ""]
MOST = 120  # weeks, months or years between two invoices
_MONTHS = {"month": 1, "year": 12}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """Every so many weeks, months or years from a first day on, until a last one where there is one (both included)."""

    every: int
    unit: Unit
    starts_on: date
    ends_on: date | None = None


class Period(NamedTuple):
    """The time an invoice is for, its first and its last day."""

    first: date
    last: date


def check_rule(rule: Rule) -> None:
    """Refused where the rule names no day: every 0 months, or an end before the beginning.

    >>> check_rule(Rule(1, "month", date(2026, 1, 31), date(2026, 1, 30)))
    Traceback (most recent call last):
    ...
    core.errors.Refused: It would end before the first invoice: the last day is before the first one.
    """
    if rule.unit not in ("week", "month", "year"):
        raise Refused("Choose weeks, months or years.", code="unit", where="unit")
    if not 1 <= rule.every <= MOST:
        raise Refused(f"Give a number from 1 to {MOST}; a quarter is every 3 months.", code="every", where="every")
    if rule.ends_on is not None and rule.ends_on < rule.starts_on:
        raise Refused(
            "It would end before the first invoice: the last day is before the first one.", code="ends", where="ends_on"
        )


def occurrences(rule: Rule, first: date, n: int) -> list[date]:
    """The next ``n`` days of the rule on or after ``first``; fewer where it ends.

    A month that has no such day gives its last one, and the next month the day itself again.

    >>> [day.isoformat() for day in occurrences(Rule(1, "month", date(2026, 1, 31)), date(2026, 1, 1), 3)]
    ['2026-01-31', '2026-02-28', '2026-03-31']
    >>> [day.isoformat() for day in occurrences(Rule(1, "year", date(2028, 2, 29)), date(2029, 1, 1), 4)]
    ['2029-02-28', '2030-02-28', '2031-02-28', '2032-02-29']
    >>> quarterly = Rule(3, "month", date(2026, 1, 15), ends_on=date(2026, 10, 15))
    >>> [day.isoformat() for day in occurrences(quarterly, date(2026, 5, 1), 12)]
    ['2026-07-15', '2026-10-15']
    >>> occurrences(Rule(2, "week", date(2026, 11, 2)), date(2026, 11, 17), 1)
    [datetime.date(2026, 11, 30)]
    """
    return [day for day, _n in zip(_days_from(rule, first), range(n), strict=False)]


def days_between(rule: Rule, first: date, last: date) -> list[date]:
    """Every day of the rule from ``first`` to ``last``, both included.

    >>> days_between(Rule(1, "week", date(2026, 11, 2)), date(2026, 11, 3), date(2026, 11, 16))
    [datetime.date(2026, 11, 9), datetime.date(2026, 11, 16)]
    """
    found = []
    for day in _days_from(rule, first):
        if day > last:
            break
        found.append(day)
    return found


def period_of(rule: Rule, on: date, covers: Covers) -> Period | None:
    """The time for which the invoice of a day is: ahead of it, behind it, or none.

    Ahead begins with the day, behind ends the day before it. Who counts from a 31st means ends of months, and
    the time is whole months: billed on 31 January, behind is January and ahead is February.

    >>> period_of(Rule(1, "month", date(2026, 1, 1)), date(2026, 11, 1), "ahead")
    Period(first=datetime.date(2026, 11, 1), last=datetime.date(2026, 11, 30))
    >>> period_of(Rule(3, "month", date(2026, 1, 1)), date(2026, 10, 1), "behind")
    Period(first=datetime.date(2026, 7, 1), last=datetime.date(2026, 9, 30))
    >>> period_of(Rule(1, "month", date(2026, 1, 31)), date(2026, 2, 28), "behind")
    Period(first=datetime.date(2026, 2, 1), last=datetime.date(2026, 2, 28))
    """
    if not covers:
        return None
    index = _index(rule, on)
    other = _nth(rule, index + (1 if covers == "ahead" else -1))
    begins, next_begins = (on, other) if covers == "ahead" else (other, on)
    # Counted from a 31st every day is the end of a month; the next time begins the day after.
    late = _DAY if rule.unit != "week" and rule.starts_on.day == 31 else timedelta()
    return Period(begins + late, next_begins - _DAY + late)


PLACES = ("month", "quarter", "year", "period")
_PLACE = re.compile(r"\{([^{}]*)\}")


def check_places(text: str, where: str) -> None:
    """Refuse a name in braces that stands for nothing, before it is printed on somebody's invoice.

    >>> check_places("Hosting {month}", "description")
    >>> check_places("Hosting {mnth}", "description")
    Traceback (most recent call last):
    ...
    core.errors.Refused: {mnth} stands for nothing here. There are {month}, {quarter}, {year} and {period}.
    """
    for name in _PLACE.findall(text):
        if name.strip().lower() not in PLACES:
            listed = ", ".join(f"{{{place}}}" for place in PLACES[:-1])
            raise Refused(
                f"{{{name}}} stands for nothing here. There are {listed} and {{{PLACES[-1]}}}.", code="place",
                where=where,
            )


def said_for(text: str, period: Period, language: str) -> str:
    """A text with the time it is for, in the client's language; month, quarter and year are those it begins in.

    >>> november = Period(date(2026, 11, 1), date(2026, 11, 30))
    >>> said_for("Hosting {month}", november, "en"), said_for("Miete {Month}", november, "de")
    ('Hosting November 2026', 'Miete November 2026')
    >>> said_for("{quarter} · {year}", november, "fr"), said_for("{period}", november, "de")
    ('4e trimestre 2026 · 2026', '1. November – 30. November 2026')
    """
    return _PLACE.sub(lambda found: _word(found[1].strip().lower(), period, language) or found[0], text)


def _word(place: str, period: Period, language: str) -> str:
    first, last = period
    locale = language[:2] if language[:2] in ("en", "de", "fr") else "en"
    if place == "period":
        begins = show_day(first, locale, "yearless" if first.year == last.year else "long")
        return f"{begins} – {show_day(last, locale)}"
    if place == "quarter" and locale == "en":
        return f"Q{(first.month + 2) // 3} {first.year}"
    patterns = {"month": "LLLL y", "quarter": "QQQQ y", "year": "y"}
    return format_date(first, patterns[place], locale=locale) if place in patterns else ""


def _days_from(rule: Rule, first: date) -> Iterator[date]:
    index = _index(rule, max(first, rule.starts_on))
    while True:
        try:
            day = _nth(rule, index)
        except (ValueError, OverflowError):  # after the year 9999
            return
        if rule.ends_on is not None and day > rule.ends_on:
            return
        if day >= first:
            yield day
        index += 1


def _index(rule: Rule, on: date) -> int:
    """Which day of the rule a day is, counted from 0; where it is none, one from which the next is not far."""
    start = rule.starts_on
    if rule.unit == "week":
        return (on - start).days // (7 * rule.every)
    months = (on.year - start.year) * 12 + on.month - start.month
    return months // (rule.every * _MONTHS[rule.unit])


def _nth(rule: Rule, index: int) -> date:
    if rule.unit == "week":
        return rule.starts_on + timedelta(weeks=index * rule.every)
    return add_months(rule.starts_on, index * rule.every * _MONTHS[rule.unit])
