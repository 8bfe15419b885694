"""From which day to which a late invoice bears interest, and by which rule, where the policy changes meanwhile.

Pure. What was charged stays as it was charged; this says what holds for the days that were not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from policies.choices import Since
from policies.interest import Rule

_DAY = timedelta(days=1)

Choice = Literal["activation", "due_date", "chosen"]


@dataclass(frozen=True)
class Held:
    """A rule that holds from a day on, and the first day on which it lets the invoice bear interest (None: never).

    ``already_overdue`` says from when it holds for an invoice that was overdue when it began; ``posts``, whether what
    its days earn is charged at all, or only noted; ``by_choice``, that another policy was chosen on that day.
    """

    from_on: date
    rule: Rule
    starts_on: date | None
    already_overdue: Choice = "activation"
    chosen_on: date | None = None
    version: int | None = None
    posts: bool = True
    by_choice: Since | None = None

    def holds_from(self, due_on: date) -> date:
        """The first day that is judged by it, for an invoice due on a day: what held before ends on the day before.

        >>> held = Held(date(2027, 1, 1), Rule("LAW"), None, "due_date")
        >>> [str(held.holds_from(due)) for due in (date(2026, 11, 30), date(2027, 2, 1))]
        ['2026-12-01', '2027-01-01']
        """
        if due_on >= self.from_on:
            return self.from_on
        if self.already_overdue == "due_date":
            return due_on + _DAY
        chosen = self.chosen_on if self.already_overdue == "chosen" else None
        return self.from_on if chosen is None else min(chosen, self.from_on)

    def begins(self, due_on: date) -> date | None:
        """The first day that bears interest by this rule; None where none does."""
        if self.starts_on is None or not self.rule.charges:
            return None
        if self.already_overdue == "chosen" and self.chosen_on is not None and due_on < self.from_on:
            return max(self.starts_on, self.chosen_on)
        return max(self.starts_on, self.holds_from(due_on))


@dataclass(frozen=True)
class Span:
    """Days on which one rule holds, first and last included; without a last day it goes on.

    ``since`` is the day from which the rule has held without a break (None: from its first day), ``posts`` whether
    these days are charged. ``version`` lets its first days bear interest, ``later`` those from their days on.
    """

    rule: Rule
    starts_on: date
    ends_on: date | None = None
    version: int | None = None
    posts: bool = True
    since: date | None = None
    by_choice: Since | None = None
    later: tuple[Held, ...] = ()

    def held_on(self, day: date) -> tuple[int | None, Since | None]:
        """The version by which a day bears interest, and the choice by which that policy holds, where it was chosen.

        >>> span = Span(Rule("LAW"), date(2027, 1, 1), version=1, later=(Held(date(2027, 3, 1), Rule("LAW"), None),))
        >>> span.held_on(date(2027, 2, 28)), span.held_on(date(2027, 3, 1))
        ((1, None), (None, None))
        """
        for one in reversed(self.later):
            if one.from_on <= day:
                return one.version, one.by_choice
        return self.version, self.by_choice

    @property
    def runs_from(self) -> date:
        """The day on which interest by its rule began to run, also where its first days were only noted."""
        return self.since or self.starts_on

    def until(self, day: date) -> date:
        """The last of its days by a day."""
        return day if self.ends_on is None else min(day, self.ends_on)


def spans(due_on: date, held: Iterable[Held]) -> list[Span]:
    """Which rule an invoice bears interest by, day after day; the same rule held by a later version goes on.

    What a version says of invoices overdue when it begins holds whatever the rule before: from their due date, or from
    a chosen day, it takes the place of what held. Days that are only noted are a span of their own, and go on counting
    for the rule.

    >>> law, contract = Rule("LAW", series="ecb"), Rule("CONTRACT")
    >>> due, new_year = date(2026, 11, 30), date(2027, 1, 1)
    >>> before = Held(date(2020, 1, 1), contract, date(2026, 12, 8))
    >>> for already in ("activation", "due_date"):
    ...     found = spans(due, [before, Held(new_year, law, date(2026, 12, 1), already)])
    ...     print([(span.rule.code, str(span.starts_on), str(span.ends_on)) for span in found])
    [('CONTRACT', '2026-12-08', '2026-12-31'), ('LAW', '2027-01-01', 'None')]
    [('LAW', '2026-12-01', 'None')]
    >>> noted = Held(new_year, contract, date(2026, 12, 8), posts=False)
    >>> [(span.posts, str(span.starts_on), str(span.runs_from)) for span in spans(due, [before, noted])]
    [(True, '2026-12-08', '2026-12-08'), (False, '2027-01-01', '2026-12-08')]
    """
    found: list[Span] = []
    for one in sorted(held, key=lambda one: one.from_on):
        begins, cut = one.begins(due_on), one.holds_from(due_on)
        if begins is not None and _goes_on(found, one, begins, cut):
            found[-1] = replace(found[-1], later=(*found[-1].later, one))
            continue
        found = [
            replace(span, ends_on=min(span.ends_on or cut - _DAY, cut - _DAY)) for span in found if span.starts_on < cut
        ]
        if begins is not None:
            since = _since(found, one.rule, begins)
            found.append(Span(one.rule, begins, None, one.version, one.posts, since, one.by_choice))
    return found


def running(found: Sequence[Span]) -> Span | None:
    """The span that goes on; None where nothing is earned any more.

    >>> law = Span(Rule("LAW"), date(2026, 12, 1))
    >>> running([law]) == law, running([replace(law, ends_on=date(2026, 12, 31))])
    (True, None)
    """
    return found[-1] if found and found[-1].ends_on is None else None


def _goes_on(found: Sequence[Span], one: Held, begins: date, cut: date) -> bool:
    """It changes nothing: as before from the same day or a later one, and no other rule held in days it asks for."""
    last = running(found)
    if last is None or (last.rule, last.posts) != (one.rule, one.posts):
        return False
    return begins >= last.starts_on and all(span.until(cut) < cut for span in found[:-1])


def _since(found: Sequence[Span], rule: Rule, begins: date) -> date:
    """Where the same rule held up to the day before, it has held since that began."""
    last = found[-1] if found else None
    return last.runs_from if last is not None and last.rule == rule and last.ends_on == begins - _DAY else begins
