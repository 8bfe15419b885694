"""What a credit note comes to, as arithmetic: so much of each line, at the line's price and tax.

Every note is right by itself (EN 16931 BR-CO-10 to -17). Cents that rounding left between several notes and their
invoice are its rounding amount (BT-114): together they never pass the invoice, and all of it comes to it exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from core.errors import Refused

from .totals import Line, TaxGroup, Totals, line_net, total_of

QUANTITY_PLACES = 4


@dataclass(frozen=True)
class Invoiced:
    """A line as it was invoiced; ``position`` is what a person calls it by."""

    position: int
    quantity: Decimal
    unit_price: Decimal
    tax_percent: Decimal = Decimal(0)
    tax_category: str = "S"


@dataclass(frozen=True)
class CreditedLine:
    """So much of a line, and what that comes to before tax."""

    position: int
    quantity: Decimal
    net: Decimal


@dataclass(frozen=True)
class Credited:
    """What a credit note comes to: its lines, its tax groups, their sums, and the cents by which it is rounded."""

    lines: tuple[CreditedLine, ...]
    groups: tuple[TaxGroup, ...]
    net: Decimal
    tax: Decimal
    rounding: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return self.net + self.tax + self.rounding


def left_of(lines: Sequence[Invoiced], earlier: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """How much of each line can still be credited, by position.

    >>> left_of([Invoiced(1, Decimal(5), Decimal(10))], {1: Decimal(2)})
    {1: Decimal('3')}
    """
    return {line.position: line.quantity - earlier.get(line.position, Decimal(0)) for line in lines}


def credit_of(
    lines: Sequence[Invoiced], earlier: Mapping[int, Decimal], wanted: Mapping[int, Decimal] | None, *,
    total_left: Decimal, currency: str,
) -> Credited:
    """What crediting the quantities ``wanted`` by line comes to (None: all that is left), after ``earlier`` ones.

    ``total_left`` is what earlier credit notes left of the invoice's total. Refused: no line, a line that is not there,
    nothing or more than is left of one, a quantity that is too fine, and lines that come to nothing or to more than is
    left of the whole.

    >>> lines = [Invoiced(1, Decimal(10), Decimal("0.03"), Decimal(19))]
    >>> once = credit_of(lines, {}, {1: Decimal(1)}, total_left=Decimal("0.36"), currency="EUR")
    >>> once.net, once.tax, once.total
    (Decimal('0.03'), Decimal('0.01'), Decimal('0.04'))
    >>> rest = credit_of(lines, {1: Decimal(1)}, None, total_left=Decimal("0.32"), currency="EUR")
    >>> rest.net, rest.tax, rest.rounding, rest.total
    (Decimal('0.27'), Decimal('0.05'), Decimal('0.00'), Decimal('0.32'))
    """
    left = left_of(lines, earlier)
    if total_left <= 0 or not any(left.values()):
        raise Refused("All of this invoice is credited already; nothing is left.", code="nothing_left")
    if wanted is None:
        wanted = {position: quantity for position, quantity in left.items() if quantity}
    _check(lines, left, wanted)
    of_lines = [line for line in lines if line.position in wanted]
    totals = _totals(of_lines, wanted, currency)
    credited = tuple(
        CreditedLine(line.position, wanted[line.position], line_net(wanted[line.position], line.unit_price, currency))
        for line in of_lines
    )
    made = Credited(credited, totals.groups, totals.net, totals.tax)
    if made.total <= 0:
        raise Refused(
            "These lines come to nothing, and a credit note gives something back; choose others.", code="nothing",
            where="lines",
        )
    so_far = {position: earlier.get(position, Decimal(0)) + wanted.get(position, Decimal(0)) for position in left}
    whole = {line.position: line.quantity for line in lines}
    if so_far == whole or made.total > total_left:
        if _totals(lines, so_far, currency).total > _totals(lines, whole, currency).total:
            raise Refused(
                f"These lines come to {made.total:f} {currency}, and {total_left:f} of the invoice is left to credit: "
                "credit the reduction that belongs to them as well.", code="over_credit", where="lines",
            )  # fmt: skip
        made = replace(made, rounding=total_left - made.total)
    return made


def _totals(lines: Sequence[Invoiced], quantities: Mapping[int, Decimal], currency: str) -> Totals:
    """What so much of each line comes to on one document."""
    return total_of(
        [Line(quantities[x.position], x.unit_price, x.tax_percent, x.tax_category) for x in lines], currency
    )


def _check(lines: Sequence[Invoiced], left: Mapping[int, Decimal], wanted: Mapping[int, Decimal]) -> None:
    if not wanted:
        raise Refused("Say which lines are credited, and how much of each.", code="no_lines", where="lines")
    by_position = {line.position: line for line in lines}
    for position, quantity in wanted.items():
        where, line = f"line {position}", by_position.get(position)
        if line is None:
            raise Refused(f"This invoice has no line {position}.", code="no_line", where=where)
        if not quantity.is_finite() or quantity != quantity.quantize(Decimal(1).scaleb(-QUANTITY_PLACES)):
            raise Refused(
                f"Line {position}: write the quantity with at most {QUANTITY_PLACES} decimals.", code="too_fine",
                where=where,
            )
        if quantity == 0 or (quantity > 0) != (line.quantity > 0):
            raise Refused(
                f"Line {position}: write how much of {_said(line.quantity)} is credited; leave the line out where it "
                "is nothing.", code="quantity", where=where,
            )  # fmt: skip
        if abs(quantity) > abs(left[position]):
            raise Refused(
                f"Line {position}: {_said(left[position])} of {_said(line.quantity)} can still be credited; "
                f"{_said(quantity)} is more.", code="over_credit", where=where,
            )  # fmt: skip


def _said(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
