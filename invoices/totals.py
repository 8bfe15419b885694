"""Totals of an invoice as arithmetic: each line's net and each tax group are rounded once, to the currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.errors import Refused
from core.money import round_money

CATEGORIES = ("S", "Z", "E")  # standard, zero rated, exempt


@dataclass(frozen=True)
class Line:
    """One line: quantity times unit price in the invoice's currency, tax in percent under a category (EN 16931)."""

    quantity: Decimal
    unit_price: Decimal
    tax_percent: Decimal = Decimal(0)
    tax_category: str = "S"


@dataclass(frozen=True)
class TaxGroup:
    """The lines of one category and rate: what they come to, and the tax on it."""

    category: str
    percent: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Totals:
    """Net, tax and total, with the tax groups they are made of, highest rate first."""

    net: Decimal
    tax: Decimal
    total: Decimal
    groups: tuple[TaxGroup, ...]


def line_net(quantity: Decimal, unit_price: Decimal, currency: str) -> Decimal:
    """What a line comes to before tax, rounded half up to the currency.

    >>> line_net(Decimal("2"), Decimal("14.455"), "EUR")
    Decimal('28.91')
    """
    return round_money(quantity * unit_price, currency)


def total_of(lines: Sequence[Line], currency: str) -> Totals:
    """Add up lines; tax is worked out and rounded once per group, never per line (EN 16931 BR-CO-17).

    >>> made = total_of([
    ...     Line(Decimal(24), Decimal(120), Decimal(19)), Line(Decimal(1), Decimal(1450), Decimal(19)),
    ...     Line(Decimal(5), Decimal(95), Decimal(19)), Line(Decimal(2), Decimal("14.46"), Decimal(7)),
    ... ], "EUR")
    >>> made.net, made.tax, made.total
    (Decimal('4833.92'), Decimal('914.97'), Decimal('5748.89'))

    Refused: tax on a zero-rated or exempt line, a percentage below zero, an unknown category.
    """
    nets: dict[tuple[str, Decimal], Decimal] = {}
    for position, line in enumerate(lines, 1):
        _check(line, f"line {position}")
        group = (line.tax_category, Decimal(line.tax_percent).normalize())
        nets[group] = nets.get(group, Decimal(0)) + line_net(line.quantity, line.unit_price, currency)
    groups = tuple(
        TaxGroup(category, percent, net, round_money(net * percent / 100, currency))
        for (category, percent), net in sorted(nets.items(), key=lambda item: (-item[0][1], item[0][0]))
    )
    net = sum((g.net for g in groups), Decimal(0))
    tax = sum((g.tax for g in groups), Decimal(0))
    return Totals(net=net, tax=tax, total=net + tax, groups=groups)


def _check(line: Line, where: str) -> None:
    if line.tax_category not in CATEGORIES:
        raise Refused(f"Tax category «{line.tax_category}» is unknown; choose S, Z or E.", code="tax", where=where)
    if line.tax_percent < 0:
        raise Refused("Tax below zero percent does not exist; give the percentage.", code="tax", where=where)
    if line.tax_category != "S" and line.tax_percent:
        raise Refused("A zero-rated or exempt line carries no tax; set its percentage to 0.", code="tax", where=where)
