"""What an invoice has earned in late interest, worked out anew from the ledger each time it is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

from django.db.models import Q, QuerySet, Sum

from core.money import places
from invoices.interest import CONTRACT, Claim, Interest, InterestLine, Payment, Quiet, Rule, late_interest, rounded
from invoices.models import RECEIVABLE, Charge, Entry, Extension, Invoice
from invoices.parts import moves_of_what_is_due
from invoices.rates import MissingRate, RateStep, contract_rate
from invoices.services.parts import plans_of
from invoices.spans import Span, running

from .bearing import DAY, Policies, disputed_days, first_due, spans_of
from .derivation import rule_kept

OPENING = "alloc:opening:"  # what was paid before the item was taken over


@dataclass(frozen=True)
class Accrual:
    """Interest on an invoice by the end of a day: all it has earned, what of it is charged already or only noted."""

    starts_on: dt.date | None
    interest: Interest
    charged: Decimal
    noted: Decimal = Decimal(0)

    @property
    def uncharged(self) -> Decimal:
        """What may still be charged; noted days never are."""
        return max(self.interest.total - self.noted - self.charged, Decimal(0))


@dataclass(frozen=True)
class Entitled:
    """What we may ask for on a late invoice: interest since a day, what of it is open, and compensation not charged.

    ``is_noted``: the policy only notes it. ``noted``: what of ``interest`` was earned on days that are only noted, and
    is asked of nobody. ``missing`` says which rate is not entered yet; the sums are then what is charged already.
    """

    since: dt.date | None
    rule: Rule
    interest: Decimal
    open: Decimal
    compensation: Decimal
    is_noted: bool
    lines: tuple[InterestLine, ...] = ()
    missing: str = ""
    noted: Decimal = Decimal(0)

    @property
    def claimed_lines(self) -> tuple[InterestLine, ...]:
        """How what we ask for came about: without the days that are only noted."""
        return tuple(line for line in self.lines if not line.is_noted)


class Basis(NamedTuple):
    """A rule, and the day on which interest by it began to run."""

    rule: Rule
    starts_on: dt.date


class Charged(Protocol):
    """Something that stands charged for days, first and last included."""

    @property
    def from_on(self) -> dt.date | None: ...
    @property
    def to_on(self) -> dt.date | None: ...


class Slice(NamedTuple):
    """What was earned from one day to another: rounded so that all slices add up, with the lines it is made of."""

    amount: Decimal
    lines: tuple[InterestLine, ...]
    days: int


class Reckoning:
    """One invoice with all that moves its interest, read once."""

    def __init__(self, invoice: Invoice, policies: Policies | None = None) -> None:
        self.invoice = invoice
        self.policies = policies or Policies()
        self.due = first_due(invoice)
        quarrels = disputed_days(invoice)
        self.quiet: tuple[Quiet, ...] = (*_agreed(invoice, self.due), *quarrels)
        self.principal, self.payments = _moves(invoice, quarrels)
        if invoice.in_parts:
            # From nothing: that a part falls due counts as so much less paid.
            moved = [(paid.on, paid.amount) for paid in self.payments]
            if self.principal < invoice.total:
                moved.append((self.due, invoice.total - self.principal))
            moves = moves_of_what_is_due(plans_of([invoice.pk])[invoice.pk], moved)
            self.principal, self.payments = Decimal(0), tuple(Payment(m.on, m.amount) for m in moves)
        self._known: dict[tuple[Basis, dt.date, dt.date | None], Interest] = {}

    @classmethod
    def of(
        cls, invoice: Invoice, due: dt.date, principal: Decimal, payments: tuple[Payment, ...],
        quiet: tuple[Quiet, ...], policies: Policies,
    ) -> Reckoning:
        """One of facts that are known; nothing is read but rates."""
        found = cls.__new__(cls)
        found.invoice, found.policies, found.due, found.quiet = invoice, policies, due, quiet
        found.principal, found.payments, found._known = principal, payments, {}
        return found

    def interest(self, basis: Basis, until: dt.date, cut: dt.date | None = None) -> Interest:
        """All that was earned by a rule by the end of a day; a line begins anew on the day of a ``cut``."""
        key = (basis, until, cut)
        if key not in self._known:
            self._known[key] = self._ask(basis, until, cut)
        return self._known[key]

    def slice(self, basis: Basis, first: dt.date, last: dt.date) -> Slice:
        """What was earned from one day to another, both included."""
        before = self.interest(basis, first - DAY).total if first > basis.starts_on else Decimal(0)
        whole = self.interest(basis, last, first)
        return Slice(whole.total - before, tuple(li for li in whole.lines if li.from_on >= first), whole.days)

    def compensation(self, basis: Basis, until: dt.date) -> Decimal:
        """The lump sum the rule grants for the claim, seen from a day; it depends on no rate."""
        return self._ask(basis, until, None, contract_rate(Decimal(0))).compensation

    def claim_at(self, day: dt.date) -> Decimal:
        """What was owed and due before a day."""
        return self.principal - sum((paid.amount for paid in self.payments if paid.on < day), Decimal(0))

    def _ask(
        self, basis: Basis, until: dt.date, cut: dt.date | None, rates: Sequence[RateStep] | None = None
    ) -> Interest:
        invoice, rule = self.invoice, replace(basis.rule, first="principal")  # what went where, the ledger says
        nothing = self.principal <= 0 and not invoice.in_parts
        if nothing or until < basis.starts_on:
            return Interest(invoice.currency, Decimal(0), 0, Decimal(0))
        claim = Claim(
            self.principal, invoice.currency, self.due, self.payments, basis.starts_on, quiet=self.quiet,
            cuts=(cut,) if cut else (), whole=invoice.total,
        )
        if rates is None:
            source = f"terms of {invoice}"
            rates = self.policies.rates(rule, invoice.late_percent, basis.starts_on, until, source)
        return late_interest(claim, until, rates, rule)


def interest_starts_on(invoice: Invoice, on: dt.date | None = None) -> dt.date | None:
    """The first day whose interest is charged, seen from a day (None: with every version there is); None without one.

    Days that are only noted are not charged.
    """
    found = spans_of(invoice, on or dt.date.max - DAY)
    return next((span.starts_on for span in found if span.posts), None)


def accrued(invoice: Invoice, on: dt.date, policies: Policies | None = None) -> Accrual:
    """What an invoice has earned in interest by the end of a day, worked out anew from the ledger.

    Days charged already by the rule of their charge, the others by the rule that holds for them; those whose version
    only notes interest are told apart. MissingRate where a rate is not entered.
    """
    reckoning = Reckoning(invoice, policies)
    charges = list(standing_interest(invoice))
    found = spans_of(invoice, on, reckoning.policies)
    slices = [reckoning.slice(basis_of(c), c.from_on, c.to_on) for c in charges if c.from_on and c.to_on]
    noted = Decimal(0)
    for span, basis, first, last in open_days(found, charges, on):
        one = reckoning.slice(basis, first, last)
        if not span.posts:
            noted += one.amount
            one = one._replace(lines=tuple(line.only_noted() for line in one.lines))
        slices.append(one)
    slices.sort(key=lambda one: one.lines[0].from_on if one.lines else dt.date.max)
    starts_on = min([span.starts_on for span in found] + [c.from_on for c in charges if c.from_on], default=None)
    total = sum((one.amount for one in slices), Decimal(0))
    lines = _joined(line for one in slices for line in one.lines)
    days = max((on - reckoning.due).days, 0)
    charged = sum((c.amount for c in charges), Decimal(0))
    interest = Interest(invoice.currency, rounded(Fraction(total), places(invoice.currency)), days, Decimal(0), lines)
    return Accrual(starts_on, interest, charged, noted)


def entitled(invoice: Invoice, on: dt.date) -> Entitled:
    """Since when, and to how much, we are entitled on a late invoice by the end of a day; it never refuses.

    For the words of letters: «entitled since …, claimed unless paid by …».
    """
    from .fees import compensation_due

    policies = Policies()
    policy = policies.in_force(invoice, on)
    found = spans_of(invoice, on, policies)
    runs = running(found)
    rule = runs.rule if runs else policies.rule(invoice, on)
    since = found[0].starts_on if found else None
    charged = list(standing_interest(invoice).filter(charged_on__lte=on))
    balance = sum((c.balance for c in charged), Decimal(0))
    noted = policy is not None and policy.interest_posted == "noted"
    try:
        said = accrued(invoice, on, policies)
        compensation = compensation_due(invoice, on, policies)
    except MissingRate as missing:
        paid_for = sum((c.amount for c in charged), Decimal(0))
        return Entitled(since, rule, paid_for, balance, Decimal(0), noted, (), missing.message)
    return Entitled(
        since, rule, said.interest.total, balance + said.uncharged, compensation, noted, said.interest.lines,
        noted=said.noted,
    )


def derivation_lines(invoice: Invoice, on: dt.date) -> tuple[InterestLine, ...]:
    """How the interest on an invoice came about by the end of a day, line by line: for screens, letters, the portal."""
    return entitled(invoice, on).lines


def standing_interest(invoice: Invoice) -> QuerySet[Charge]:
    """The interest charged on an invoice, by period; what was replaced by a revision or taken back is left out."""
    return Charge.objects.standing().filter(invoice=invoice, kind="interest").order_by("from_on")


def basis_of(charge: Charge) -> Basis:
    """By which rule, and from which day, a charge was worked out: as it keeps them itself."""
    assert charge.from_on is not None
    starts_on = charge.derivation.get("starts_on")
    return Basis(
        rule_kept(charge.derivation) or CONTRACT, dt.date.fromisoformat(starts_on) if starts_on else charge.from_on
    )


def open_days(
    found: Sequence[Span], charges: Iterable[Charged], until: dt.date
) -> Iterable[tuple[Span, Basis, dt.date, dt.date]]:
    """The days that no charge stands for, by the spans in which they lie."""
    taken = sorted((charge.from_on, charge.to_on) for charge in charges if charge.from_on and charge.to_on)
    for span in found:
        first, last_of_all = span.starts_on, span.until(until)
        for from_on, to_on in [*taken, (last_of_all + DAY, last_of_all)]:
            last = min(from_on - DAY, last_of_all)
            if first <= last:
                yield span, Basis(span.rule, span.runs_from), first, last
            first = max(first, to_on + DAY)


def _joined(lines: Iterable[InterestLine]) -> tuple[InterestLine, ...]:
    """Lines that go on at the same balance and rate as one."""
    found: list[InterestLine] = []
    for line in lines:
        last = found[-1] if found else None
        same = last is not None and last.to_on + DAY == line.from_on
        if last is not None and same and (last.balance, last.percent, last.source) == (
            line.balance, line.percent, line.source
        ):  # fmt: skip
            found[-1] = replace(last, to_on=line.to_on, days=last.days + line.days, exact=last.exact + line.exact)
        else:
            found.append(line)
    return tuple(found)


def _agreed(invoice: Invoice, due: dt.date) -> list[Quiet]:
    """Days on which more time was agreed without interest; what is withdrawn holds up to the day before."""
    found = []
    for agreed in Extension.objects.filter(invoice=invoice).exclude(interest="runs").order_by("agreed_on", "pk"):
        first = agreed.agreed_on if agreed.interest == "pauses" else due + DAY
        last = min(agreed.until_on, agreed.withdrawn_on - DAY) if agreed.withdrawn_on else agreed.until_on
        if agreed.withdrawn_on and agreed.withdrawn_on <= agreed.agreed_on:
            continue
        if first <= last:
            found.append(Quiet(first, last, because=f"more time agreed until {agreed.until_on.isoformat()}"))
    return found


def _moves(invoice: Invoice, quarrels: Sequence[Quiet]) -> tuple[Decimal, tuple[Payment, ...]]:
    """The principal, and what reduced it day by day; what was taken back counts against it.

    What was paid on an item before it was taken over is no part of it. Nor is what was credited because of a dispute
    that was right: it was never owed, so it never bore interest.
    """
    opening = Entry.objects.filter(invoice=invoice, cr=RECEIVABLE, key__startswith=OPENING)
    principal = invoice.total
    if invoice.is_taken_over:
        principal -= opening.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    moved: dict[dt.date, Decimal] = {}
    entries = Entry.objects.filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), invoice=invoice).exclude(kind="issue")
    rows: Any = entries.exclude(key__startswith=OPENING).order_by("effective_on", "id")
    for kind, account, amount, day in rows.values_list("kind", "cr", "amount", "effective_on"):
        if kind == "credit" and any(_ended_by(quarrel, day) for quarrel in quarrels):
            principal -= amount if account == RECEIVABLE else -amount
        else:
            moved[day] = moved.get(day, Decimal(0)) + (amount if account == RECEIVABLE else -amount)
    found, wanted, paid = [], Decimal(0), Decimal(0)
    for day, amount in moved.items():
        wanted += amount
        now = min(max(wanted, Decimal(0)), principal)  # dated back twice, a day may look paid twice
        if now != paid:
            found.append(Payment(day, now - paid))
            paid = now
    return principal, tuple(found)


def _ended_by(quarrel: Quiet, credited_on: dt.date) -> bool:
    """A credit note while a dispute was open, or on the day it was closed, says that the client was right."""
    return quarrel.from_on <= credited_on and (quarrel.until_on is None or credited_on <= quarrel.until_on + DAY)
