"""From which day to which a late invoice bears interest, and by which rule, where the policy changes meanwhile.

Pure. What was charged stays as it was charged; this says what holds for the days that were not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from policies.interest import Rule

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Held:
    """A rule that holds from a day on, and the first day on which it lets the invoice bear interest (None: never).

    ``already_overdue`` says from when it holds for an invoice that was overdue when it began.
    """

    from_on: date
    rule: Rule
    starts_on: date | None
    already_overdue: Literal["activation", "due_date", "chosen"] = "activation"
    chosen_on: date | None = None
    version: int | None = None

    def begins(self, due_on: date) -> date | None:
        """The first day that bears interest by this rule; None where none does."""
        if self.starts_on is None or not self.rule.charges:
            return None
        if due_on >= self.from_on or self.already_overdue == "due_date":
            return self.starts_on
        chosen = self.chosen_on if self.already_overdue == "chosen" else None
        return max(self.starts_on, chosen or self.from_on)


@dataclass(frozen=True)
class Span:
    """Days on which one rule holds, first and last included; without a last day it goes on."""

    rule: Rule
    starts_on: date
    ends_on: date | None = None
    version: int | None = None

    def until(self, day: date) -> date:
        """The last of its days by a day."""
        return day if self.ends_on is None else min(day, self.ends_on)


def spans(due_on: date, held: Iterable[Held]) -> list[Span]:
    """Which rule an invoice bears interest by, day after day; the same rule held by a later version goes on.

    >>> law, contract = Rule("LAW", series="ecb"), Rule("CONTRACT")
    >>> due, new_year = date(2026, 11, 30), date(2027, 1, 1)
    >>> before = Held(date(2020, 1, 1), contract, date(2026, 12, 8))
    >>> for already in ("activation", "due_date"):
    ...     found = spans(due, [before, Held(new_year, law, date(2026, 12, 1), already)])
    ...     print([(span.rule.code, str(span.starts_on), str(span.ends_on)) for span in found])
    [('CONTRACT', '2026-12-08', '2026-12-31'), ('LAW', '2027-01-01', 'None')]
    [('LAW', '2026-12-01', 'None')]
    """
    found: list[Span] = []
    for one in sorted(held, key=lambda one: one.from_on):
        last = found[-1] if found else None
        if last is not None and last.ends_on is None and last.rule == one.rule:
            found[-1] = replace(last, version=one.version)
            continue
        begins = one.begins(due_on)
        cut = one.from_on if begins is None else min(begins, one.from_on)
        found = [
            replace(span, ends_on=min(span.ends_on or cut - _DAY, cut - _DAY)) for span in found if span.starts_on < cut
        ]
        if begins is not None:
            found.append(Span(one.rule, begins, None, one.version))
    return found
