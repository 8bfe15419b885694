"""Where a payment goes, as arithmetic: exact, oldest first, or by hand. What fits nowhere stays unapplied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.errors import Refused

_MOST = 12  # open claims among which a set that adds up is still looked for


@dataclass(frozen=True)
class Claim:
    """Something open that a payment may settle; a charge (interest, fee) comes after every invoice.

    Where the rule of late interest says so, a charge comes right before its invoice instead (``goes_first``), and has
    the due day of it.
    """

    key: str
    due_on: date
    balance: Decimal
    issued_on: date
    number: str = ""
    is_charge: bool = False
    discount: Decimal = Decimal(0)  # need not be paid where the money came in time
    goes_first: bool = False

    @property
    def early(self) -> Decimal:
        """What settles it by the day its discount is given."""
        return self.balance - self.discount


@dataclass(frozen=True)
class Part:
    """So much of the payment goes to that claim."""

    claim: Claim
    amount: Decimal


def oldest_first(
    amount: Decimal, claims: Iterable[Claim], first: Mapping[str, Decimal] | None = None
) -> list[Part]:
    """Settle the invoice that has been due longest, then the next; charges only after all principal.

    A charge that goes first is settled before its invoice.

    Equal due dates: the earlier issued, then the lower number. ``first`` is what claims get before any other, by key.
    Where a discount is given for paying early, as much as settles the invoice; the rest only of what is left over.

    >>> day = date(2026, 1, 1)
    >>> a, b = Claim("A", day, Decimal(60), day), Claim("B", date(2026, 2, 1), Decimal(60), day)
    >>> [(part.claim.key, str(part.amount)) for part in oldest_first(Decimal(100), [b, a])]
    [('A', '60'), ('B', '40')]
    >>> [(part.claim.key, str(part.amount)) for part in oldest_first(Decimal(100), [b, a], {"B": Decimal(50)})]
    [('A', '50'), ('B', '50')]
    """
    _check_positive(amount)
    ordered, shares = sorted(claims, key=_seniority), dict[str, Decimal]()
    by_turn = ({claim.key: claim.early for claim in ordered}, {claim.key: claim.balance for claim in ordered})
    for most in (first or {}, *by_turn):
        for claim in ordered:
            had = shares.get(claim.key, Decimal(0))
            share = min(amount, most.get(claim.key, Decimal(0)), claim.balance - had)
            shares[claim.key] = had + share
            amount -= share
    return [Part(claim, shares[claim.key]) for claim in ordered if shares[claim.key] > 0]


def exact(amount: Decimal, claims: Sequence[Claim]) -> list[Part]:
    """Settle in full what the amount fits without doubt, otherwise nothing.

    The one claim whose balance is the amount; where there is none, the only set of claims that adds up to it; then the
    same for what settles them early. Several candidates are no match: the payment stays unapplied for a person.

    >>> day = date(2026, 1, 1)
    >>> claims = [Claim(key, day, Decimal(n), day, key) for key, n in (("A", 60), ("B", 40), ("C", 40))]
    >>> [[part.claim.key for part in exact(Decimal(n), claims)] for n in (60, 40, 80, 100, 140)]
    [['A'], [], ['B', 'C'], [], ['A', 'B', 'C']]
    """
    _check_positive(amount)
    owing = sorted((claim for claim in claims if claim.balance > 0), key=_seniority)
    values = [{claim.key: claim.balance for claim in owing}]
    if any(claim.discount for claim in owing):
        values.append({claim.key: claim.early for claim in owing})
    for value in values:
        found = [[claim] for claim in owing if value[claim.key] == amount]
        if not found:
            found = _sets_adding_up(amount, owing, value) if len(owing) <= _MOST else [owing]
        found = [claims for claims in found if sum(value[claim.key] for claim in claims) == amount]
        if found:
            return [Part(claim, value[claim.key]) for claim in found[0]] if len(found) == 1 else []
    return []


def by_hand(amount: Decimal, wanted: Mapping[str, Decimal], claims: Iterable[Claim]) -> list[Part]:
    """Put the payment where a person says, by the claims' keys; the rest stays unapplied.

    Refused: more than a claim's balance, more than the payment, a claim that is not open.

    >>> day = date(2026, 1, 1)
    >>> by_hand(Decimal(100), {"A": Decimal(70)}, [Claim("A", day, Decimal("60.0000"), day, "INV-7")])
    Traceback (most recent call last):
    ...
    core.errors.Refused: INV-7 has 60 open, and 70 is more. Lower the amount; the rest stays unapplied.
    """
    _check_positive(amount)
    open_claims = {claim.key: claim for claim in claims if claim.balance > 0}
    parts = []
    for key, share in wanted.items():
        if key not in open_claims:
            raise Refused(f"{key} is not open for this client. Choose an open item.", code="not_open", where=key)
        claim = open_claims[key]
        name = claim.number or key
        if share <= 0:
            raise Refused(f"The amount for {name} is not above zero. Leave it out.", code="not_positive", where=key)
        if share > claim.balance:
            raise Refused(
                f"{name} has {_said(claim.balance)} open, and {_said(share)} is more. "
                "Lower the amount; the rest stays unapplied.",
                code="over_allocation",
                where=key,
            )
        parts.append(Part(claim, share))
    total = sum((part.amount for part in parts), Decimal(0))
    if total > amount:
        raise Refused(
            f"{_said(total)} in all is more than the {_said(amount)} there is to allocate. "
            f"Lower the amounts by {_said(total - amount)}.",
            code="over_allocation",
            where="amount",
        )
    return parts


def first_day(amount: Decimal, moved: Mapping[date, Decimal], not_before: date) -> date:
    """The first day from which a claim has the amount open without a break, by what moved it on each day.

    An allocation taken back opens its claim again on that day: another payment cannot take the same debt before.

    >>> jan = lambda day: date(2026, 1, day)
    >>> moved = {jan(1): Decimal(50), jan(5): Decimal(-50), jan(9): Decimal(50)}
    >>> [first_day(Decimal(50), moved, jan(day)).day for day in (6, 10)]
    [9, 10]
    """
    balance, since = Decimal(0), not_before
    was_open = False
    for day in sorted(moved):
        balance += moved[day]
        if balance >= amount and not was_open:
            since = day
        was_open = balance >= amount
    return max(since, not_before)


def _seniority(claim: Claim) -> tuple[bool, date, bool, date, str]:
    late = claim.is_charge and not claim.goes_first
    return (late, claim.due_on, not claim.goes_first, claim.issued_on, claim.number)


def _sets_adding_up(amount: Decimal, claims: Sequence[Claim], value: Mapping[str, Decimal]) -> list[list[Claim]]:
    """The sets of claims whose values add up to the amount."""
    if amount == 0:
        return [[]]
    if not claims or sum(value[claim.key] for claim in claims) < amount:
        return []
    first, others = claims[0], claims[1:]
    worth = value[first.key]
    with_first = _sets_adding_up(amount - worth, others, value) if worth <= amount else []
    return [[first, *rest] for rest in with_first] + _sets_adding_up(amount, others, value)


def _said(amount: Decimal) -> str:
    """An amount in a sentence, without the places only the database needs."""
    return f"{amount.normalize():f}"


def _check_positive(amount: Decimal) -> None:
    if amount <= 0:
        raise Refused("A payment is above zero. Give the amount received.", code="not_positive", where="amount")
