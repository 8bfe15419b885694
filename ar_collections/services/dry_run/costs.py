"""What a version would add to what clients owe: interest over the days of a trial, compensation, fees.

Arithmetic over the balances as they stand: nobody is assumed to pay.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, NamedTuple, cast

from django.db.models import OuterRef, Subquery, Sum

from core.money import places
from disputes.models import Dispute
from invoices.interest import Claim, Quiet, Rule, late_interest, rounded
from invoices.models import Charge, Extension, InterestNotice, Invoice, InvoicePart
from invoices.rates import MissingRate, RateStep
from invoices.services.charging.bearing import starts_by
from invoices.services.charging.fees import fee_of
from invoices.services.rules import rates_for, rule_of
from invoices.spans import Held
from policies.models import Policy
from policies.services.precedence import governed

from .running import Side

_PROBE = Decimal(1_000_000)  # the interest on it says what every unit earns


class Chosen(NamedTuple):
    """The day from which interest was chosen to run when the item was taken over."""

    interest_from: dt.date | None


class Owed(NamedTuple):
    """What is open of an invoice, or of one of its parts, with what ``starts_by`` asks about an invoice."""

    invoice: int
    currency: str
    balance: Decimal
    due_on: dt.date
    late_percent: Decimal
    told: dt.date | None  # the day an earlier notice named
    intake: Chosen | None
    whole: Decimal  # of the invoice, where this is a part of it
    is_first: bool = True
    quiet: tuple[Quiet, ...] = ()

    @property
    def is_taken_over(self) -> bool:
        return self.intake is not None

    def starts_on(self, rule: Rule, told: dt.date | None) -> dt.date | None:
        """The first day that bears interest by a rule, as charging has it."""
        return starts_by(rule, cast(Invoice, self), self.due_on, told)


@dataclass
class Costs:
    """Per currency: interest, fees, and the lump sums of what is claimed; which rates are missing for the rest."""

    interest: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    compensation: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    fees: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    bearing: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    missing: set[str] = field(default_factory=set)


def owed_now(name: str, users: Iterable[int], companies: Iterable[int], on: dt.date) -> Iterator[Owed]:
    """All that is open by a policy on a day, an invoice in parts by its parts."""
    rows = Invoice.objects.issued().filter(governed(name, users), company__in=list(companies), balance__gt=0)
    rows = rows.filter(issued_on__lte=on).order_by()
    parts = _parts(rows)
    quiet = _quiet(rows)
    columns = (
        "pk", "currency", "balance", "due_on", "late_percent", "told_from", "intake", "intake__interest_from",
        "in_parts",
    )  # fmt: skip
    notices = InterestNotice.objects.standing().filter(invoice=OuterRef("pk")).order_by("interest_from")
    rows = rows.annotate(told_from=Subquery(notices.values("interest_from")[:1]))
    for pk, currency, balance, due_on, percent, told, taken_over, chosen, in_parts in rows.values_list(
        *columns
    ).iterator(chunk_size=5000):
        intake = Chosen(chosen) if taken_over else None
        left = _left(parts.get(pk, []), balance) if in_parts else [(due_on, balance)]
        for n, (part_due, part) in enumerate(left):
            yield Owed(pk, currency, part, part_due, percent, told, intake, balance, n == 0, quiet.get(pk, ()))


def _parts(rows: Any) -> dict[int, list[tuple[dt.date, Decimal]]]:
    found: dict[int, list[tuple[dt.date, Decimal]]] = defaultdict(list)
    parts = InvoicePart.objects.filter(invoice__in=rows.filter(in_parts=True)).order_by("invoice", "position")
    for pk, due_on, amount in parts.values_list("invoice_id", "due_on", "amount"):
        found[pk].append((due_on, amount))
    return found


def _left(parts: list[tuple[dt.date, Decimal]], balance: Decimal) -> list[tuple[dt.date, Decimal]]:
    """What is open of each part; money fills them in their order, so what is open lies at the end."""
    found = []
    for due_on, amount in reversed(parts):
        left = min(amount, balance)
        balance -= left
        if left > 0:
            found.append((due_on, left))
    return found


def _quiet(rows: Any) -> dict[int, tuple[Quiet, ...]]:
    """Days on which part of an invoice earns nothing: a dispute that is open, time to pay that was agreed."""
    found: dict[int, tuple[Quiet, ...]] = defaultdict(tuple)
    disputes = Dispute.objects.filter(invoice__in=rows, closed_on=None)
    for pk, opened_on, amount in disputes.values_list("invoice_id", "opened_on", "amount"):
        found[pk] += (Quiet(opened_on, None, amount, disputed=True),)
    agreed = Extension.objects.standing().filter(invoice__in=rows).exclude(interest="runs")
    for pk, since, until, what, due_on in agreed.values_list(
        "invoice_id", "agreed_on", "until_on", "interest", "invoice__due_on"
    ):
        begins = since if what == "pauses" or due_on is None else min(since, due_on)
        found[pk] += (Quiet(begins, until),)
    return found


def costs(owed: Iterable[Owed], side: Side, policy: Policy, *, on: dt.date, until: dt.date) -> Costs:
    """What would arise by a version's rule from a day through another, and by what its steps did on the way.

    Where a rate is missing it is named, and no interest is counted for those invoices. Days before the trial do not
    count.
    """
    found, rule = Costs(), rule_of(policy.interest, on)
    earns = _Earner(rule, on, until)
    fees = {step.code: step for step in side.version.ladder if step.fee}
    claims = policy.interest_posted != "noted" and not policy.for_consumers and not rule.for_consumers
    for one in owed:
        if one.is_first:
            for code in side.fees.get(one.invoice, ()):
                fee = fee_of(fees[code], one.currency)
                if fee:
                    found.fees[one.currency] += fee
            if claims and one.invoice in side.claimed:
                lump = rule.compensation_for(one.whole, one.currency)
                if lump:
                    found.compensation[one.currency] += lump
        given = [day for day in (one.told, side.notices.get(one.invoice)) if day is not None]
        first = one.starts_on(rule, min(given, default=None))
        if first is None:
            continue
        try:
            interest = earns(one, max(first, on), first)
        except MissingRate as missing:
            found.missing.add(f"{missing.series} {missing.period}")
            continue
        if interest > 0:
            found.interest[one.currency] += interest
            found.bearing[one.currency] += 1
    return found


class _Earner:
    """Interest on many claims by one rule up to one day; what a unit earns is worked out once for all alike."""

    def __init__(self, rule: Rule, on: dt.date, until: dt.date) -> None:
        self.rule, self.on, self.until = rule, on, until
        self.is_linear = rule.rounding == "once" and rule.cap_percent is None
        self._known: dict[tuple[dt.date, dt.date, dt.date, Decimal], Fraction] = {}
        self._rates: dict[tuple[dt.date, Decimal], tuple[RateStep, ...]] = {}

    def __call__(self, one: Owed, begins: dt.date, starts: dt.date) -> Decimal:
        """``begins`` is the first day that counts here, ``starts`` the one interest ever starts to run on."""
        rule = self.rule
        if begins > self.until:
            return Decimal(0)
        if self.is_linear and not one.quiet:
            key = (one.due_on, begins, starts, one.late_percent)
            if key not in self._known:
                claim = Claim(_PROBE, "EUR", one.due_on, interest_from=begins)
                earned = late_interest(claim, self.until, self._rates_for(begins, starts, one.late_percent), rule)
                exact = sum((line.exact for line in earned.lines), Fraction())
                self._known[key] = exact / int(_PROBE)
            return rounded(Fraction(one.balance) * self._known[key], places(one.currency))
        claim = Claim(one.balance, one.currency, one.due_on, interest_from=begins, quiet=one.quiet)
        return late_interest(claim, self.until, self._rates_for(begins, starts, one.late_percent), rule).total

    def _rates_for(self, begins: dt.date, starts: dt.date, percent: Decimal) -> tuple[RateStep, ...]:
        run_from = starts if self.rule.which_half_year == "fixed" else begins
        key = (run_from, percent)
        if key not in self._rates:
            self._rates[key] = rates_for(self.rule, invoice_percent=percent, start=run_from, until=self.until)
        return self._rates[key]


def already_overdue(
    owed: Iterable[Owed], policy: Policy, effective_from: dt.date,
    choice: Literal["activation", "due_date", "chosen"], chosen_on: dt.date | None = None,
) -> dict[str, Any]:
    """What a choice for what is overdue when a version begins would do: how many invoices, and the sum by that day.

    Per currency: invoices that bear interest, what is open on them, and the interest they have earned by the end of
    the day the version begins, less what was charged before.
    """
    rule = rule_of(policy.interest, effective_from)
    earns = _Earner(rule, effective_from, effective_from)
    found: dict[str, list[Any]] = {}
    missing: set[str] = set()
    counted: set[int] = set()
    charged = _charged()
    for one in owed:
        if one.due_on >= effective_from:
            continue
        held = Held(effective_from, rule, one.starts_on(rule, one.told), choice, chosen_on)
        begins = held.begins(one.due_on)
        if begins is None or begins > effective_from:
            continue
        try:
            earned = earns(one, begins, begins)
        except MissingRate as gap:
            missing.add(f"{gap.series} {gap.period}")
            continue
        less = min(charged.pop(one.invoice, Decimal(0)), earned)
        sums = found.setdefault(one.currency, [0, Decimal(0), Decimal(0)])
        if earned > 0:
            sums[0] += one.invoice not in counted
            counted.add(one.invoice)
            sums[1], sums[2] = sums[1] + one.balance, sums[2] + earned - less
    bearing = {currency: tuple(sums) for currency, sums in sorted(found.items()) if sums[0]}
    return {"per_currency": bearing, "missing": sorted(missing)}


def _charged() -> dict[int, Decimal]:
    """Interest that stands charged on what is open, by invoice; what was taken back does not."""
    rows = Charge.objects.filter(kind="interest", invoice__balance__gt=0).exclude(entries__reverses__kind="charge")
    return dict(rows.order_by().values("invoice").annotate(s=Sum("amount")).values_list("invoice", "s"))
