"""Late interest as arithmetic: what an unpaid claim has earned, piece by piece, with the derivation of every piece.

Pure: claims, payments and rates come in as data. Where rates come from is invoices.rates; what is charged, and
when, is decided by a verb.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

from core.dates import add_months
from core.errors import Refused
from core.money import is_exact, places, plain
from invoices.rates import RateStep, rate_on
from policies.interest import CONTRACT, NONE, RULES, DayCount, Rule

__all__ = ["CONTRACT", "NONE", "RULES", "Claim", "Interest", "InterestLine", "Payment", "Rule", "late_interest"]

_YEAR = {"act/365": 365, "act/360": 360, "30/360": 360}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Payment:
    """Money that reduced the claim on a day; below zero for one that was taken back."""

    on: date
    amount: Decimal


@dataclass(frozen=True)
class Claim:
    """What is owed and since when. With `interest_from` (the date of a notice) no earlier day bears interest."""

    principal: Decimal
    currency: str
    due_on: date
    payments: tuple[Payment, ...] = ()
    interest_from: date | None = None

    @property
    def first_day(self) -> date:
        """The first day that bears interest: the day after the due date, or the later day a notice named."""
        return max(self.due_on + _DAY, self.interest_from or date.min)


@dataclass(frozen=True)
class InterestLine:
    """Days at one balance and one rate, first and last day included; `exact` is unrounded."""

    from_on: date
    to_on: date
    days: int
    balance: Decimal
    percent: Decimal
    source: str
    exact: Fraction

    def to_json(self, currency: str) -> dict[str, Any]:
        return {
            "from": self.from_on.isoformat(),
            "to": self.to_on.isoformat(),
            "days": self.days,
            "balance": plain(self.balance, currency),
            "rate": f"{self.percent:f}",
            "source": self.source,
            "amount": f"{rounded(self.exact, 6):f}",
        }


@dataclass(frozen=True)
class Interest:
    """The answer: interest in the currency's own places, compensation beside it, and how it came about."""

    currency: str
    total: Decimal
    days: int
    compensation: Decimal
    lines: tuple[InterestLine, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The answer as `manage.py interest --json` prints it and as a charge keeps it."""
        return {
            "total": plain(self.total, self.currency),
            "days": self.days,
            "compensation": plain(self.compensation, self.currency),
            "lines": [line.to_json(self.currency) for line in self.lines],
        }


def late_interest(claim: Claim, until: date, rates: Sequence[RateStep], rule: Rule = CONTRACT) -> Interest:
    """What a claim has earned by the end of a day: each day at that day's balance and rate, rounded once at the end.

    The first day after the due date bears interest and so does `until`; a payment's own day still bears it on the
    old balance; a new rate applies from its first day. Payments after `until` do not count. Refused: a payment
    larger than what is owed, an amount finer than the currency; MissingRate where no rate covers a day.

    >>> claim = Claim(Decimal(1000), "EUR", date(2026, 1, 1), (Payment(date(2026, 1, 31), Decimal(400)),))
    >>> answer = late_interest(claim, date(2026, 3, 1), [RateStep(date.min, Decimal(12), "contract")])
    >>> answer.total, [(line.days, str(line.balance)) for line in answer.lines]
    (Decimal('15.58'), [(30, '1000.00'), (29, '600.00')])
    """
    _check(claim)
    days = max((until - claim.due_on).days, 0)
    if not rule.charges or until < claim.first_day:
        return Interest(claim.currency, rounded(Fraction(0), places(claim.currency)), days, Decimal(0))
    payments = sorted((payment for payment in claim.payments if payment.on <= until), key=lambda payment: payment.on)
    account = _Account(claim, rule)
    account.receive(payment for payment in payments if payment.on < claim.first_day)
    compensation = rule.compensation_for(account.principal, claim.currency)
    begins = {payment.on + _DAY for payment in payments} | {step.from_on for step in rates}
    for spell in _spells(claim.first_day, until, rule.compound_monthly):
        for first, last in _pieces(spell, begins):
            account.accrue(spell, first, last, rate_on(rates, first))
            account.receive(payment for payment in payments if payment.on == last)
        if spell.is_whole_month:
            account.compound()
    total = rounded(sum((line.exact for line in account.lines), Fraction()), places(claim.currency))
    return Interest(claim.currency, total, days, compensation, tuple(account.lines))


def days_between(start: date, end: date, day_count: DayCount) -> int:
    """Days from one date to a later one by a convention; 30/360 counts every month as thirty (30E/360).

    >>> [days_between(date(2016, 8, 2), date(2016, 9, 2), convention) for convention in ("act/365", "30/360")]
    [31, 30]
    """
    if day_count == "30/360":
        return _thirty(end) - _thirty(start)
    return (end - start).days


def rounded(exact: Fraction, digits: int) -> Decimal:
    """An exact amount in so many decimals, half a unit away from zero.

    >>> rounded(Fraction(1, 8), 2), rounded(Fraction(-1, 8), 2), rounded(Fraction(11), 0)
    (Decimal('0.13'), Decimal('-0.13'), Decimal('11'))
    """
    units = floor(abs(exact) * 10**digits + Fraction(1, 2))
    return Decimal(units if exact >= 0 else -units).scaleb(-digits)


class _Spell(NamedTuple):
    """Days, first and last included, after which interest may be added to the claim: a whole month, or what is left."""

    first: date
    last: date
    is_whole_month: bool

    def share_of_year(self, first: date, last: date, day_count: DayCount) -> Fraction:
        """How much of a year a piece of the spell is; a whole month is a twelfth however many days it has."""
        if self.is_whole_month:
            return Fraction((last - first).days + 1, (self.last - self.first).days + 1) / 12
        return Fraction(days_between(first - _DAY, last, day_count), _YEAR[day_count])


def _spells(first: date, until: date, by_month: bool) -> Iterator[_Spell]:
    """The time by whole months counted from the day before it starts, and the days left; one spell if not by month."""
    origin, start, months = first - _DAY, first, 1
    while by_month and (end := add_months(origin, months)) <= until:
        yield _Spell(start, end, True)
        start, months = end + _DAY, months + 1
    if start <= until:
        yield _Spell(start, until, False)


def _pieces(spell: _Spell, begins: Iterable[date]) -> Iterator[tuple[date, date]]:
    """The spell cut before each day on which a balance or a rate is new."""
    starts = sorted({spell.first} | {day for day in begins if spell.first < day <= spell.last})
    ends = [start - _DAY for start in starts[1:]] + [spell.last]
    yield from zip(starts, ends, strict=True)


class _Account:
    """A claim on its walk through time: the principal, interest added to it, and interest not (yet) added."""

    def __init__(self, claim: Claim, rule: Rule) -> None:
        self.currency = claim.currency
        self.rule = rule
        self.principal = claim.principal
        self.compounded = Fraction(0)
        self.accrued = Fraction(0)
        self.lines: list[InterestLine] = []

    def accrue(self, spell: _Spell, first: date, last: date, rate: RateStep) -> None:
        base = Fraction(self.principal) + self.compounded
        if base <= 0:
            return
        a_year = base * Fraction(rate.percent) / 100
        days = days_between(first - _DAY, last, self.rule.day_count)
        if self.rule.rounding == "daily":
            exact = Fraction(rounded(a_year / _YEAR[self.rule.day_count], places(self.currency))) * days
        else:
            exact = a_year * spell.share_of_year(first, last, self.rule.day_count)
        self.accrued += exact
        balance = rounded(base, places(self.currency))
        self.lines.append(InterestLine(first, last, days, balance, rate.percent, rate.source, exact))

    def compound(self) -> None:
        self.compounded, self.accrued = self.compounded + self.accrued, Fraction(0)

    def receive(self, payments: Iterable[Payment]) -> None:
        """Put payments to principal and interest in the rule's order; interest is paid in whole minor units."""
        for payment in payments:
            interest = rounded(self.compounded + self.accrued, places(self.currency))
            paid, owed = payment.amount, self.principal + interest
            if paid > owed:
                raise Refused(
                    f"The payment of {plain(paid, self.currency)} on {payment.on} is more than the "
                    f"{plain(owed, self.currency)} owed on that day. Check its amount and its day.",
                    code="overpaid",
                    where=f"payment {payment.on}",
                )
            to_interest = min(paid, interest) if self.rule.first == "interest" else paid - self.principal
            to_interest = max(to_interest, Decimal(0))
            self.principal -= paid - to_interest
            from_compounded = min(Fraction(to_interest), self.compounded)
            self.compounded -= from_compounded
            self.accrued -= Fraction(to_interest) - from_compounded


def _thirty(day: date) -> int:
    return day.year * 360 + day.month * 30 + min(day.day, 30)


def _check(claim: Claim) -> None:
    for what, amount in [("principal", claim.principal), *((f"payment {p.on}", p.amount) for p in claim.payments)]:
        if not is_exact(amount, claim.currency):
            message = f"{amount} is finer than {claim.currency} allows. Correct the amount."
            raise Refused(message, code="too_fine", where=what)
    if claim.principal < 0:
        raise Refused("A claim below zero bears no interest. Give the amount owed.", code="negative", where="principal")
