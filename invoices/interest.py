"""Late interest as arithmetic: what an unpaid claim has earned, piece by piece, with the derivation of every piece.

Pure: claims, payments and rates come in as data. Where rates come from is invoices.rates; what is charged, and
when, is decided by a verb. Interest is earned by the claim alone, never by interest or costs that were charged
(but for a rule that compounds), and never below zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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

__all__ = [
    "CONTRACT", "NONE", "RULES", "Claim", "Interest", "InterestLine", "Left", "Payment", "Quiet", "Rule",
    "late_interest",
]  # fmt: skip

_YEAR = {"act/365": 365, "act/360": 360, "30/360": 360}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Payment:
    """Money that reduced the claim on a day; below zero for one that was taken back."""

    on: date
    amount: Decimal


@dataclass(frozen=True)
class Quiet:
    """Days, first and last included, on which part of the claim (all of it without `amount`) bears no interest.

    Without `until_on` it lasts. What is `disputed` bears none only by a rule under which interest rests in a dispute.
    """

    from_on: date
    until_on: date | None
    amount: Decimal | None = None
    disputed: bool = False
    because: str = ""

    def covers(self, day: date) -> bool:
        """Whether it lasts on a day.

        >>> Quiet(date(2026, 1, 5), None).covers(date(2026, 1, 4)), Quiet(date(2026, 1, 5), None).covers(date.max)
        (False, True)
        """
        return self.from_on <= day and (self.until_on is None or day <= self.until_on)

    @property
    def says(self) -> str:
        return self.because or ("disputed" if self.disputed else "no interest agreed")


@dataclass(frozen=True)
class Claim:
    """What is owed and since when. With `interest_from` (the date of a notice) no earlier day bears interest.

    `quiet` are disputes and agreed extensions, `cuts` days on which a line of the derivation begins anew (a month
    that is charged), `costs` what pursuing it cost, by day: they bear no interest. `whole` is the size of the claim
    where it falls due in parts, and `principal` is less.
    """

    principal: Decimal
    currency: str
    due_on: date
    payments: tuple[Payment, ...] = ()
    interest_from: date | None = None
    quiet: tuple[Quiet, ...] = ()
    cuts: tuple[date, ...] = ()
    costs: tuple[Payment, ...] = ()
    whole: Decimal | None = None

    @property
    def first_day(self) -> date:
        """The first day that bears interest: the day after the due date, or the later day a notice named."""
        return max(self.due_on + _DAY, self.interest_from or date.min)

    def starts_on(self, rule: Rule) -> date:
        """The first day that bears interest by a rule: some let it start so many days after the due date.

        >>> Claim(Decimal(1), "EUR", date(2026, 1, 1)).starts_on(Rule("X", starts="days", starts_days=30))
        datetime.date(2026, 1, 31)
        """
        days = rule.starts_days if rule.starts == "days" else 1
        return max(self.first_day, self.due_on + timedelta(max(days, 1)))

    def owed_until(self, until: date, rule: Rule) -> date:
        """The last day, up to one, that may bear interest: a claim paid in full bears none, and needs no rate.

        >>> paid = Claim(Decimal(9), "EUR", date(2026, 1, 1), (Payment(date(2026, 2, 1), Decimal(9)),))
        >>> paid.owed_until(date(2026, 9, 1), CONTRACT), paid.owed_until(date(2026, 1, 15), CONTRACT)
        (datetime.date(2026, 2, 1), datetime.date(2026, 1, 15))
        """
        if rule.first == "interest" or rule.compound_monthly:
            return until
        paid = sorted((payment for payment in self.payments if payment.on <= until), key=lambda payment: payment.on)
        if sum((payment.amount for payment in paid), Decimal(0)) < self.principal:
            return until
        return max((payment.on for payment in paid), default=self.due_on)


@dataclass(frozen=True)
class InterestLine:
    """Days at one balance and one rate, first and last day included; `exact` is unrounded.

    What `is_noted` is earned by the rule, but charged to nobody: the policy of those days says so.
    """

    from_on: date
    to_on: date
    days: int
    balance: Decimal
    percent: Decimal
    source: str
    exact: Fraction
    is_noted: bool = False

    def only_noted(self) -> InterestLine:
        """The same, said to be no more than noted."""
        return replace(self, source=f"{self.source}; only noted, not charged", is_noted=True)

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
class Left:
    """What is still owed at the end of the last day, after every payment was put where the rule says."""

    principal: Decimal
    interest: Decimal
    costs: Decimal


@dataclass(frozen=True)
class Interest:
    """The answer: interest in the currency's own places, compensation beside it, and how it came about."""

    currency: str
    total: Decimal
    days: int
    compensation: Decimal
    lines: tuple[InterestLine, ...] = ()
    left: Left | None = None

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
    old balance; a new rate applies from its first day. Payments after `until` do not count. Nothing is earned where
    all was paid within the rule's days of grace; never more than its cap, never at more than the legal maximum.
    Refused: a payment larger than what is owed, an amount finer than the currency; MissingRate where no rate
    covers a day.

    >>> claim = Claim(Decimal(1000), "EUR", date(2026, 1, 1), (Payment(date(2026, 1, 31), Decimal(400)),))
    >>> answer = late_interest(claim, date(2026, 3, 1), [RateStep(date.min, Decimal(12), "contract")])
    >>> answer.total, [(line.days, str(line.balance)) for line in answer.lines]
    (Decimal('15.58'), [(30, '1000.00'), (29, '600.00')])
    """
    _check(claim)
    starts_on, days = claim.starts_on(rule), max((until - claim.due_on).days, 0)
    if not rule.charges or until < starts_on:
        return Interest(claim.currency, rounded(Fraction(0), places(claim.currency)), days, Decimal(0))
    account = _Account(claim, rule)
    moves = _moves(claim, until)
    account.receive(move for move in moves if move.on < starts_on)
    compensation = rule.compensation_for(account.principal, claim.currency)
    begins = {move.on + _DAY for move in moves} | {step.from_on for step in rates} | set(claim.cuts)
    begins |= {quiet.from_on for quiet in claim.quiet}
    begins |= {q.until_on + _DAY for q in claim.quiet if q.until_on and q.until_on < until}
    for spell in _spells(starts_on, until, rule.compound_monthly):
        for first, last in _pieces(spell, begins):
            account.accrue(spell, first, last, rates)
            account.receive(move for move in moves if move.on == last)
        if spell.is_whole_month:
            account.compound()
    account.close(until)
    digits = places(claim.currency)
    total = rounded(sum((line.exact for line in account.lines), Fraction()), digits)
    left = Left(account.principal, rounded(account.interest, digits), account.costs)
    return Interest(
        claim.currency, total, days, compensation if account.was_late else Decimal(0), tuple(account.lines), left
    )


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


class _Move(NamedTuple):
    """What happens at the end of a day: money that came (or went back), and costs that arose before it."""

    on: date
    paid: Decimal
    costs: Decimal


def _moves(claim: Claim, until: date) -> list[_Move]:
    """Payments and costs until a day in their order; of one day, costs first, then what was taken back."""
    costs = [_Move(cost.on, Decimal(0), cost.amount) for cost in claim.costs if cost.on <= until]
    paid = [_Move(payment.on, payment.amount, Decimal(0)) for payment in claim.payments if payment.on <= until]
    return sorted([*costs, *paid], key=lambda move: (move.on, -move.costs, move.paid))


class _Account:
    """A claim on its walk through time: the principal, interest added to it, and interest not (yet) added."""

    def __init__(self, claim: Claim, rule: Rule) -> None:
        self.claim = claim
        self.currency = claim.currency
        self.rule = rule
        self.principal = claim.principal
        self.costs = Decimal(0)
        self.compounded = Fraction(0)
        self.accrued = Fraction(0)
        self.lines: list[InterestLine] = []
        self.was_late = False
        self._owed_since = claim.due_on + _DAY  # of the spell that may yet end within the days of grace
        self._before = (0, Fraction(0), Fraction(0))  # lines, compounded and accrued when that spell began
        self._quiet = [q for q in claim.quiet if not (q.disputed and rule.runs_in_dispute)]
        whole = claim.principal if claim.whole is None else claim.whole
        self._cap = None if rule.cap_percent is None else _floored(whole * rule.cap_percent / 100, claim.currency)

    @property
    def interest(self) -> Fraction:
        return self.compounded + self.accrued

    def accrue(self, spell: _Spell, first: date, last: date, rates: Sequence[RateStep]) -> None:
        if Fraction(self.principal) + self.compounded <= 0:
            return
        percent, source = self._rate(rate_on(rates, first))
        base, notes = self._base(first)
        a_year = base * Fraction(percent) / 100
        days = days_between(first - _DAY, last, self.rule.day_count)
        if self.rule.rounding == "daily":
            exact = Fraction(rounded(a_year / _YEAR[self.rule.day_count], places(self.currency))) * days
        else:
            exact = a_year * spell.share_of_year(first, last, self.rule.day_count)
        room = exact if self._cap is None else self._cap - sum((line.exact for line in self.lines), Fraction())
        if exact > room:
            exact = max(room, Fraction(0))
            notes.append(f"no more than {self.rule.cap_percent:f} % of the claim")
        self.accrued += exact
        balance = rounded(base, places(self.currency))
        self.lines.append(InterestLine(first, last, days, balance, percent, "; ".join([source, *notes]), exact))

    def compound(self) -> None:
        self.compounded, self.accrued = self.compounded + self.accrued, Fraction(0)

    def receive(self, moves: Iterable[_Move]) -> None:
        """Put payments to costs, interest and principal in the rule's order; interest is paid in whole minor units."""
        for move in moves:
            self.costs += move.costs
            owed_before = self.principal
            if move.paid:
                self._appropriate(move)
            if owed_before > 0 >= self.principal:
                self._settle(move.on)
            elif owed_before <= 0 < self.principal:
                self._owed_since = max(move.on + _DAY, self.claim.due_on + _DAY)
                self._before = (len(self.lines), self.compounded, self.accrued)

    def close(self, until: date) -> None:
        """The end of the last day asked about: within the days of grace nothing is earned yet."""
        if self.principal > 0:
            self._settle(until)

    def _rate(self, step: RateStep) -> tuple[Decimal, str]:
        most = self.rule.legal_maximum
        if most is None or step.percent <= most:
            return step.percent, step.source
        return most, f"{step.source}; legal maximum of {most:f} % instead of {step.percent:f} %"

    def _base(self, day: date) -> tuple[Fraction, list[str]]:
        """What bears interest on a day, and what is said of the part that does not."""
        base, notes = Fraction(self.principal) + self.compounded, []
        for quiet in (q for q in self._quiet if q.covers(day)):
            amount = base if quiet.amount is None else min(base, Fraction(quiet.amount))
            base -= amount
            notes.append(f"{quiet.says}: {plain(rounded(amount, places(self.currency)), self.currency)} bears none")
        return base, notes

    def _in_grace(self, day: date) -> bool:
        return (day - self._owed_since).days < self.rule.grace_days

    def _settle(self, on: date) -> None:
        """Paid (or asked about) on a day: what a spell within the days of grace earned is forgotten."""
        if on < self._owed_since:
            return
        if not self._in_grace(on):
            self.was_late = True
            return
        lines, self.compounded, self.accrued = self._before
        del self.lines[lines:]

    def _appropriate(self, move: _Move) -> None:
        paid = move.paid
        lines, compounded, accrued = self._before
        earned = compounded + accrued if self._in_grace(move.on) else self.interest
        interest = rounded(earned, places(self.currency))
        owed = self.principal + interest + self.costs
        if paid > owed:
            raise Refused(
                f"The payment of {plain(paid, self.currency)} on {move.on} is more than the "
                f"{plain(owed, self.currency)} owed on that day. Check its amount and its day.",
                code="overpaid",
                where=f"payment {move.on}",
            )
        rest = max(paid, Decimal(0))
        if self.rule.first == "interest":
            to_costs = min(rest, self.costs)
            to_interest = min(rest - to_costs, interest)
        else:
            beyond = max(rest - self.principal, Decimal(0))
            to_interest = min(beyond, interest)
            to_costs = beyond - to_interest
        self.costs -= to_costs
        self.principal -= paid - to_interest - to_costs
        self.compounded, self.accrued = _less(Fraction(to_interest), self.compounded, self.accrued)
        self._before = (lines, *_less(Fraction(to_interest), compounded, accrued))


def _less(paid: Fraction, compounded: Fraction, accrued: Fraction) -> tuple[Fraction, Fraction]:
    """Interest after so much of it was paid, what was added to the claim first."""
    from_compounded = min(paid, compounded)
    return compounded - from_compounded, accrued - (paid - from_compounded)


def _floored(amount: Decimal, currency: str) -> Fraction:
    return Fraction(floor(Fraction(amount) * 10 ** places(currency)), 10 ** places(currency))


def _thirty(day: date) -> int:
    return day.year * 360 + day.month * 30 + min(day.day, 30)


def _check(claim: Claim) -> None:
    amounts = [("principal", claim.principal), *((f"payment {p.on}", p.amount) for p in claim.payments)]
    amounts += [(f"cost {cost.on}", cost.amount) for cost in claim.costs]
    amounts += [(f"quiet {q.from_on}", q.amount) for q in claim.quiet if q.amount is not None]
    for what, amount in amounts:
        if not is_exact(amount, claim.currency):
            message = f"{amount} is finer than {claim.currency} allows. Correct the amount."
            raise Refused(message, code="too_fine", where=what)
        if amount < 0 and not what.startswith("payment"):
            message = "A claim below zero bears no interest. Give the amount owed."
            raise Refused(message, code="negative", where=what)
