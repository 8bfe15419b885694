"""Greetings as arithmetic: on which day an occasion falls, between which days its greeting leaves, and its words.

Pure. Who agreed to be greeted, and what speaks against it on the day, is asked elsewhere.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from dateutil.easter import easter

from core.dates import is_business_day, next_business_day

OWN_DAY = "key_date"
GRACE_DAYS = 3  # by which the greeting of a person's own day may come later, where something kept it back


class Rule(NamedTuple):
    """When an occasion falls: a fixed day, the nth weekday of a month (5: the last), or days from Easter Sunday."""

    kind: str
    month: int | None = None
    day: int | None = None
    nth: int | None = None
    weekday: int | None = None


class Span(NamedTuple):
    """The greeting of an occasion that falls on a day leaves on ``first``; until ``last`` it is not too late."""

    falls_on: date
    first: date
    last: date


def falls_on(rule: Rule, year: int) -> date:
    """The day of an occasion in a year; 29 February is kept on the 28th in a common year.

    >>> falls_on(Rule("fixed", 2, 29), 2027), falls_on(Rule("easter", day=-2), 2027)
    (datetime.date(2027, 2, 28), datetime.date(2027, 3, 26))
    >>> falls_on(Rule("nth_weekday", 11, nth=4, weekday=3), 2026)
    datetime.date(2026, 11, 26)
    >>> falls_on(Rule("nth_weekday", 5, nth=5, weekday=0), 2026)
    datetime.date(2026, 5, 25)
    """
    if rule.kind == "easter":
        sunday: date = easter(year)
        return sunday + timedelta(days=rule.day or 0)
    assert rule.month is not None
    length = monthrange(year, rule.month)[1]
    if rule.kind == "nth_weekday":
        assert rule.nth is not None and rule.weekday is not None
        first = 1 + (rule.weekday - date(year, rule.month, 1).weekday()) % 7
        days = range(first, length + 1, 7)
        return date(year, rule.month, days[min(rule.nth, len(days)) - 1])
    assert rule.day is not None
    return date(year, rule.month, min(rule.day, length))


def span_of(day: date, days_before: int, *, own_day: bool, closed: Collection[date] = frozenset()) -> Span:
    """Between which days a greeting leaves: on business days only, a person's own day never early, a feast never late.

    A greeting for a feast leaves so many days before it, earlier where that is no business day, and never after it.
    On a person's own day it leaves on the day, on the next business day after it where that is none, and at most
    three days later.

    >>> span_of(date(2027, 1, 1), 3, own_day=False).first  # a Tuesday
    datetime.date(2026, 12, 29)
    >>> span_of(date(2026, 12, 25), 5, own_day=False).first  # five days before is a Sunday
    datetime.date(2026, 12, 18)
    >>> span_of(date(2026, 11, 21), 0, own_day=True)[1:]  # a Saturday
    (datetime.date(2026, 11, 23), datetime.date(2026, 11, 26))
    """
    wanted = day - timedelta(days=days_before)
    if own_day:
        first = next_business_day(wanted, closed)
        return Span(day, first, first + timedelta(days=GRACE_DAYS))
    while not is_business_day(wanted, closed):
        wanted -= timedelta(days=1)
    return Span(day, wanted, max(day, wanted))


def days_between(rule: Rule, first: date, last: date) -> Iterator[date]:
    """The days of an occasion from one day to another, both included.

    >>> list(days_between(Rule("fixed", 1, 1), date(2026, 11, 1), date(2027, 3, 1)))
    [datetime.date(2027, 1, 1)]
    """
    for year in range(first.year, last.year + 1):
        day = falls_on(rule, year)
        if first <= day <= last:
            yield day


_WORD = re.compile(r"\{(\w+)\}")


def fill(text: str, words: Mapping[str, object]) -> str:
    """The text with its words put in; what is not known stays as it was written.

    >>> fill("Dear {name}, {nobody}", {"name": "Mara"})
    'Dear Mara, {nobody}'
    """
    return _WORD.sub(lambda found: str(words.get(found[1], found[0])), text)


def paragraphs_of(text: str, words: Mapping[str, object]) -> list[str]:
    """The paragraphs of a greeting, filled; one that needs a word we do not have is left out.

    >>> paragraphs_of("Thank you.\\n\\nIt has been {years} years.", {"years": ""})
    ['Thank you.']
    >>> paragraphs_of("It has been {years} years.", {"years": 5})
    ['It has been 5 years.']
    """
    blocks = (block.strip() for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    return [
        fill(block, words) for block in blocks
        if block and not any(words.get(word, word) in ("", None) for word in _WORD.findall(block))
    ]
