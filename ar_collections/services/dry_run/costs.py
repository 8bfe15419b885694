"""What a version would add to what clients owe: interest over the days of a trial, compensation, fees.

Which days bear interest, by which rule, and which are charged at all is asked where charging asks it (``spans_by``).
A trial takes the balances as they stand: nobody is assumed to pay.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models.fields.json import KT

from core.money import places
from invoices.interest import Claim, Payment, late_interest, rounded
from invoices.models import Charge, Invoice
from invoices.parts import moves_of_what_is_due
from invoices.rates import MissingRate
from invoices.services.charging import Holding, Policies, spans_by, uses_terms
from invoices.services.charging.fees import fee_of
from invoices.services.charging.reckoning import Basis, Reckoning, open_days
from invoices.spans import Choice, Span, running
from policies.models import Policy

from .owed import Owed
from .running import Side

_PROBE = Decimal(1_000_000)  # the interest on it says what every unit earns
_DAY = dt.timedelta(days=1)
_AT_ONCE = 500


@dataclass
class Costs:
    """Per currency: interest, fees, and the lump sums of what is claimed; which rates are missing for the rest.

    ``noted``: what interest would come to that the version only notes. What is charged already is in none of them.
    """

    interest: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    noted: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    compensation: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    fees: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    bearing: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    missing: set[str] = field(default_factory=set)


def costs(owed: Iterable[Owed], side: Side, *, on: dt.date, until: dt.date) -> Costs:
    """What would arise by a version from a day through another, and by what its steps did on the way.

    Where a rate is missing it is named, and no interest is counted for those invoices. Days before the trial do not
    count, nor a fee or lump sum that stands charged.
    """
    found, policies = Costs(), Policies()
    policy, earns = side.version.policy, _Earner(policies)
    bears = _Bearing(_in_trial(side, policies, on, until), policies, policy.name, until)
    fees = {step.code: step for step in side.version.ladder if step.fee}
    claims = policy.interest_posted != "noted" and not policy.for_consumers
    charged, lumps = _fees_charged(fees), _lumps_charged()
    for one in owed:
        for code in side.fees.get(one.invoice, set()) - charged.get(one.invoice, set()):
            found.fees[one.currency] += fee_of(fees[code], one.currency)
        given = [day for day in (one.told, side.notices.get(one.invoice)) if day is not None]
        known = bears(one, min(given, default=None))
        runs = running(known)
        if claims and runs and not runs.rule.for_consumers and one.invoice in side.claimed - lumps:
            lump = runs.rule.compensation_for(one.owed_at(runs.runs_from), one.currency)
            if lump:
                found.compensation[one.currency] += lump
        try:
            interest, noted = earns.between(one, known, on, until)
        except MissingRate as missing:
            found.missing.add(f"{missing.series} {missing.period}")
            continue
        if interest > 0:
            found.interest[one.currency] += interest
            found.bearing[one.currency] += 1
        if noted > 0:
            found.noted[one.currency] += noted
    return found


def already_overdue(
    owed: Iterable[Owed], policy: Policy, effective_from: dt.date, choice: Choice, chosen_on: dt.date | None = None
) -> dict[str, Any]:
    """What a choice for what is overdue when a version begins would do: how many invoices, and the sum by that day.

    Per currency: invoices that bear interest, what is open on them, and the interest that charging them on the day
    the version begins would post; ``noted``, what would only be noted by then.
    """
    policies = Policies()
    held = _chosen(policies, policy, effective_from, choice, chosen_on)
    earns, bears = _Earner(policies), _Bearing(held, policies, policy.name, effective_from)
    found: dict[str, list[Any]] = {}
    noted: dict[str, Decimal] = defaultdict(Decimal)
    missing: set[str] = set()
    late = [one for one in owed if one.due_on < effective_from]
    for one, reckoning in _with_their_past(late, policies):
        known = bears(one, one.told)
        try:
            earned, only_noted = earns.between(one, known, dt.date.min, effective_from, reckoning)
        except MissingRate as gap:
            missing.add(f"{gap.series} {gap.period}")
            continue
        noted[one.currency] += only_noted
        if earned > 0:
            sums = found.setdefault(one.currency, [0, Decimal(0), Decimal(0)])
            sums[0], sums[1], sums[2] = sums[0] + 1, sums[1] + one.balance, sums[2] + earned
    bearing = {currency: tuple(sums) for currency, sums in sorted(found.items())}
    told = {currency: total for currency, total in sorted(noted.items()) if total > 0}
    return {"per_currency": bearing, "missing": sorted(missing), "noted": told}


def choice_matters(owed: Iterable[Owed], policy: Policy, effective_from: dt.date) -> bool:
    """Whether it makes a difference from when what is overdue bears the interest of a version.

    It makes none where each invoice has borne the same interest, charged alike, since it was late.
    """
    policies = Policies()
    first, second = (
        _Bearing(_chosen(policies, policy, effective_from, choice, None), policies, policy.name, effective_from)
        for choice in ("activation", "due_date")
    )
    late = (one for one in owed if one.due_on < effective_from)
    return any(_same(first(one, one.told)) != _same(second(one, one.told)) for one in late)


def _same(known: Sequence[Span]) -> list[Span]:
    return [replace(span, version=None, later=(), by_choice=None) for span in known]


def _chosen(
    policies: Policies, policy: Policy, effective_from: dt.date, choice: Choice, chosen_on: dt.date | None
) -> list[Holding]:
    """The versions of a policy by a day on which a new one begins, with a choice for what is overdue."""
    begins = copy(policy)
    begins.already_overdue, begins.already_overdue_from = choice, chosen_on
    return policies.with_version(begins, effective_from, effective_from)


def _in_trial(side: Side, policies: Policies, on: dt.date, until: dt.date) -> list[Holding]:
    """The versions of a side as the trial has them: the one that is tried takes the place of all later ones."""
    policy = side.version.policy
    if side.version.steps is None:
        return policies.versions(policy.name, until)
    today_s = policies.versions(policy.name, on)
    if today_s and policy.pk is not None and today_s[-1].policy.pk == policy.pk:
        return policies.with_version(policy, policy.effective_from, until)
    return policies.with_version(policy, on, until)


class _Bearing:
    """The spans of many invoices by one policy; those that are alike in what the rules ask have them once.

    Days before it was chosen for an invoice bear interest by the policy that held then.
    """

    def __init__(self, held: Sequence[Holding], policies: Policies, name: str, until: dt.date) -> None:
        self.held, self.policies, self.name, self.until = held, policies, name, until
        self._known: dict[tuple[Any, ...], list[Span]] = {}

    def __call__(self, one: Owed, told: dt.date | None) -> list[Span]:
        key = (one.due_on, told, one.intake, one.late_percent > 0, one.currency, one.line)
        if key not in self._known:
            held = self.policies.held(one.line, self.until, {self.name: self.held}) if one.line else self.held
            self._known[key] = spans_by(held, one.as_invoice(), one.due_on, told, lambda _day: True)
        return self._known[key]


class _Earner:
    """Interest on many invoices; what a unit earns by a rule is worked out once for all that are alike."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self._units: dict[tuple[Basis, dt.date, Decimal, dt.date], Fraction] = {}

    def between(
        self, one: Owed, known: Sequence[Span], first_day: dt.date, until: dt.date, reckoning: Reckoning | None = None
    ) -> tuple[Decimal, Decimal]:
        """What is earned from a day through another on days not charged yet: what is to be charged, and only noted.

        ``reckoning``, where what the invoice owed on earlier days was another sum than today.
        """
        sums = {True: Decimal(0), False: Decimal(0)}
        for span, basis, first, last in open_days(known, one.charged, until):
            first = max(first, first_day)
            if first <= last:
                sums[span.posts] += max(self._slice(one, basis, first, last, reckoning), Decimal(0))
        return sums[True], sums[False]

    def _slice(self, one: Owed, basis: Basis, first: dt.date, last: dt.date, reckoning: Reckoning | None) -> Decimal:
        rule = basis.rule
        if reckoning is None and (one.quiet or one.parts or rule.rounding != "once" or rule.cap_percent is not None):
            reckoning = as_it_stands(one, self.policies)
        if reckoning is not None:
            return reckoning.slice(basis, first, last).amount
        digits = places(one.currency)
        before = self._unit(one, basis, first - _DAY) if first > basis.starts_on else Fraction(0)
        whole = self._unit(one, basis, last)
        return rounded(Fraction(one.balance) * whole, digits) - rounded(Fraction(one.balance) * before, digits)

    def _unit(self, one: Owed, basis: Basis, until: dt.date) -> Fraction:
        """What one unit of money earns by the end of a day."""
        percent = one.late_percent if uses_terms(basis.rule) else Decimal(0)
        key = (basis, one.due_on, percent, until)
        if key not in self._units:
            claim = Claim(_PROBE, "EUR", one.due_on, interest_from=basis.starts_on)
            rates = self.policies.rates(basis.rule, one.late_percent, basis.starts_on, until, str(one))
            earned = late_interest(claim, until, rates, replace(basis.rule, first="principal"))
            self._units[key] = sum((line.exact for line in earned.lines), Fraction()) / int(_PROBE)
        return self._units[key]


def as_it_stands(one: Owed, policies: Policies) -> Reckoning:
    """An invoice that always owed what it owes today; what is open of it in parts falls due on their days."""
    payments: tuple[Payment, ...] = ()
    if one.parts:
        moves = moves_of_what_is_due(one.parts, [(dt.date.min, one.total - one.balance)])
        payments = tuple(Payment(move.on, move.amount) for move in moves)
    principal = Decimal(0) if one.parts else one.balance
    return Reckoning.of(one.as_invoice(), one.due_on, principal, payments, one.quiet, policies)


def _with_their_past(late: Sequence[Owed], policies: Policies) -> Iterator[tuple[Owed, Reckoning | None]]:
    """Each with what moved its interest until today, where anything did."""
    for start in range(0, len(late), _AT_ONCE):
        some = late[start : start + _AT_ONCE]
        moved = [one.invoice for one in some if not one.is_plain]
        rows = Invoice.objects.select_related("client__segment", "intake").in_bulk(moved)
        for one in some:
            yield one, Reckoning(rows[one.invoice], policies) if one.invoice in rows else None


def _fees_charged(fees: Iterable[str]) -> dict[int, set[str]]:
    """The steps whose fee stands charged, by invoice."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = Charge.objects.standing().filter(kind="fee", invoice__balance__gt=0).annotate(step=KT("derivation__step"))
    for pk, code in rows.order_by().values_list("invoice", "step") if fees else ():
        found[pk].add(code)
    return found


def _lumps_charged() -> set[int]:
    """The invoices whose lump sum was charged; it is charged once, also where it was taken back."""
    rows = Charge.objects.filter(kind="compensation", invoice__balance__gt=0)
    return set(rows.order_by().values_list("invoice", flat=True))
