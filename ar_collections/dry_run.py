"""Two ladders tried on the same book, compared: what comes sooner, later, new or not at all, and how the days add up.

Pure. A trial tells, day by day, what would be served; both are walked in the same order, so that a book of any size
is compared without holding it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from core.money import plain

How = Literal["same", "sooner", "later", "otherwise", "new", "left_out"]


class Serving(NamedTuple):
    """An invoice (by its client, part and the round of the step) is served with a step on a day, by a channel."""

    client: int
    invoice: int
    part: int
    step: str
    cycle: int
    channel: str
    on: date

    @property
    def key(self) -> tuple[int, int, int, str, int]:
        """What is served: the same step of the same invoice, whenever and however."""
        return self[:5]


class Pair(NamedTuple):
    """The same step of the same invoice in both trials; None where one of them does not serve it."""

    tried: Serving | None
    against: Serving | None

    @property
    def either(self) -> Serving:
        found = self.tried or self.against
        assert found is not None
        return found

    @property
    def how(self) -> How:
        """What the version tried does otherwise: sooner, later, by another channel, new or not at all."""
        if self.tried is None:
            return "left_out"
        if self.against is None:
            return "new"
        if self.tried.on != self.against.on:
            return "sooner" if self.tried.on < self.against.on else "later"
        return "same" if self.tried.channel == self.against.channel else "otherwise"


def paired(tried: Iterable[Serving], against: Iterable[Serving]) -> Iterator[Pair]:
    """Walk two trials together; both come ordered by ``Serving.key``.

    >>> day = date(2026, 5, 4)
    >>> a = [Serving(1, 7, 1, "first", 1, "mail", day), Serving(1, 7, 1, "second", 1, "mail", day)]
    >>> b = [Serving(1, 7, 1, "first", 1, "mail", day), Serving(1, 9, 1, "first", 1, "mail", day)]
    >>> [(pair.either.invoice, pair.either.step, pair.how) for pair in paired(a, b)]
    [(7, 'first', 'same'), (7, 'second', 'new'), (9, 'first', 'left_out')]
    """
    left, right = iter(tried), iter(against)
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one.key < other.key):
            yield Pair(one, None)
            one = next(left, None)
        elif one is None or other.key < one.key:
            yield Pair(None, other)
            other = next(right, None)
        else:
            yield Pair(one, other)
            one, other = next(left, None), next(right, None)


@dataclass
class Sums:
    """Messages and tasks of a day or a step, the invoices in them, and what is asked for, per currency."""

    messages: int = 0
    tasks: int = 0
    invoices: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)

    def add(self, currency: str, invoices: int, asked: Decimal) -> None:
        self.invoices += invoices
        self.sums[currency] = self.sums.get(currency, Decimal(0)) + asked

    def take_in(self, other: Sums) -> None:
        """Add up two that have no message and no task in common."""
        self.messages += other.messages
        self.tasks += other.tasks
        for currency, asked in other.sums.items():
            self.add(currency, 0, asked)
        self.invoices += other.invoices

    def to_json(self) -> dict[str, Any]:
        return {
            "messages": self.messages, "tasks": self.tasks, "invoices": self.invoices, "sums": in_words(self.sums),
        }


@dataclass
class DayOfTrial:
    """What one day would bring: in all, and by step. A message that covers two steps counts for each, and once in all.

    >>> day = DayOfTrial(date(2026, 5, 4))
    >>> day.step("first").add("EUR", 2, Decimal("120.00"))
    >>> day.step("first").messages = 1
    >>> day.to_json()["per_step"]
    {'first': {'messages': 1, 'tasks': 0, 'invoices': 2, 'sums': {'EUR': '120.00'}}}
    """

    on: date
    messages: int = 0
    tasks: int = 0
    invoices: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    steps: dict[str, Sums] = field(default_factory=dict)

    def step(self, code: str) -> Sums:
        return self.steps.setdefault(code, Sums())

    @property
    def is_empty(self) -> bool:
        return not self.steps

    def add(self, currency: str, invoices: int, asked: Decimal) -> None:
        """Take in invoices of the day, each once however many steps it reaches on it."""
        self.invoices += invoices
        self.sums[currency] = self.sums.get(currency, Decimal(0)) + asked

    def to_json(self) -> dict[str, Any]:
        return {
            "messages": self.messages, "tasks": self.tasks, "invoices": self.invoices, "sums": in_words(self.sums),
            "per_step": {code: self.steps[code].to_json() for code in sorted(self.steps)},
        }


def by_step(days: Iterable[DayOfTrial]) -> dict[str, Sums]:
    """The days added up by step."""
    found: dict[str, Sums] = {}
    for day in days:
        for code, step in day.steps.items():
            found.setdefault(code, Sums()).take_in(step)
    return found


def first_burst(days: Iterable[DayOfTrial]) -> DayOfTrial | None:
    """The first day on which something leaves, where what has piled up leaves at once; None where nothing ever does.

    >>> quiet, loud = DayOfTrial(date(2026, 5, 3)), DayOfTrial(date(2026, 5, 4), messages=3)
    >>> first_burst([quiet, loud]).on
    datetime.date(2026, 5, 4)
    """
    return next((day for day in days if day.messages), None)


def in_words(sums: dict[str, Decimal]) -> dict[str, str]:
    """Sums per currency in the currency's own places, as JSON has them."""
    return {currency: plain(sums[currency], currency) for currency in sorted(sums)}
