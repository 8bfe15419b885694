"""An invoice paid in parts, as arithmetic: how the total is split, what of it is open, what is due on a day.

Pure. Money fills the parts in their order; an ordinary invoice is one part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from core.money import round_money
from core.money import split as share_out

Kind = Literal["deposit", "part"]
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Part:
    """So much of an invoice by that day; ``open`` is what is unpaid of it."""

    position: int
    kind: Kind
    due_on: date
    amount: Decimal
    open: Decimal = NOTHING

    @property
    def paid(self) -> Decimal:
        return self.amount - self.open


@dataclass(frozen=True)
class Moved:
    """What changed the sum that is due and unpaid on a day: below zero where it grew."""

    on: date
    amount: Decimal


def split(total: Decimal, percents: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The total by percentages, in whole minor units by the largest remainder, so that the parts add up.

    >>> [str(amount) for amount in split(Decimal("100.01"), [Decimal(30), Decimal(35), Decimal(35)], "EUR")]
    ['30.00', '35.01', '35.00']
    """
    return share_out(total, list(percents), currency)


def open_parts(parts: Iterable[Part], paid: Decimal) -> list[Part]:
    """The parts in their order with what is open of each, once money has filled them from the first.

    >>> day = date(2026, 12, 5)
    >>> halves = [Part(1, "part", day, Decimal(500)), Part(2, "part", day.replace(day=21), Decimal(500))]
    >>> [str(part.open) for part in open_parts(halves, Decimal(600))]
    ['0', '400']
    """
    filled, left = [], paid
    for part in sorted(parts, key=lambda part: part.position):
        takes = min(part.amount, left)
        filled.append(replace(part, open=part.amount - takes))
        left -= takes
    return filled


def due_amount(parts: Iterable[Part], paid: Decimal, on: date) -> Decimal:
    """What is unpaid of the parts that are due on a day or were before.

    >>> day = date(2026, 12, 5)
    >>> halves = [Part(1, "part", day, Decimal(500)), Part(2, "part", day.replace(day=21), Decimal(500))]
    >>> [str(due_amount(halves, Decimal(100), day.replace(day=n))) for n in (4, 5, 21)]
    ['0', '400', '900']
    """
    return sum((part.open for part in open_parts(parts, paid) if part.due_on <= on), NOTHING)


def next_due(parts: Sequence[Part], paid: Decimal) -> Part:
    """The earliest part that money has not covered; where all is paid, the last.

    >>> day = date(2026, 12, 5)
    >>> halves = [Part(1, "part", day, Decimal(500)), Part(2, "part", day.replace(day=21), Decimal(500))]
    >>> [next_due(halves, Decimal(paid)).position for paid in (0, 499, 500, 1000)]
    [1, 1, 2, 2]
    """
    filled = open_parts(parts, paid)
    return next((part for part in filled if part.open), filled[-1])


def moves_of_what_is_due(parts: Iterable[Part], payments: Iterable[tuple[date, Decimal]]) -> list[Moved]:
    """How the sum that is due and unpaid changed, day by day, from nothing: a part falls due, money comes in.

    What is paid ahead of its day lowers nothing until that part falls due. A payment taken back counts below zero.

    >>> day = lambda n: date(2026, 12, n)
    >>> halves = [Part(1, "part", day(5), Decimal(500)), Part(2, "part", day(21), Decimal(500))]
    >>> [(m.on.day, str(m.amount)) for m in moves_of_what_is_due(halves, [(day(10), Decimal(600))])]
    [(5, '-500'), (10, '500'), (21, '-400')]
    """
    due: dict[date, Decimal] = {}
    paid: dict[date, Decimal] = {}
    for part in parts:
        due[part.due_on] = due.get(part.due_on, NOTHING) + part.amount
    for on, amount in payments:
        paid[on] = paid.get(on, NOTHING) + amount
    found, owed_so_far, paid_so_far, before = [], NOTHING, NOTHING, NOTHING
    for on in sorted(due.keys() | paid.keys()):
        owed_so_far += due.get(on, NOTHING)
        paid_so_far += paid.get(on, NOTHING)
        now = max(owed_so_far - paid_so_far, NOTHING)
        if now != before:
            found.append(Moved(on, before - now))
        before = now
    return found


def discount_left(discount: Decimal, total: Decimal, credited: Decimal, currency: str) -> Decimal:
    """The early-payment discount on what a credit note left of an invoice, in the currency's minor unit.

    >>> discount_left(Decimal("24.00"), Decimal(1200), Decimal(300), "EUR")
    Decimal('18.00')
    """
    if total <= 0 or credited <= 0:
        return discount if total > 0 else NOTHING
    left = Fraction(discount) * Fraction(total - credited) / Fraction(total)
    exact = Decimal(left.numerator) / Decimal(left.denominator)
    return max(round_money(exact, currency), NOTHING)
