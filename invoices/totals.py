"""Totals of an invoice as arithmetic: each line's net and each tax group are rounded once, to the currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.errors import Refused
from core.money import round_money

# Standard, zero rated, exempt, reverse charge, delivery within the EU, export, outside the scope of tax (UNCL 5305).
CATEGORIES = ("S", "Z", "E", "AE", "K", "G", "O")
_WORDS = {
    "Z": "a zero-rated line", "E": "an exempt line", "AE": "a line under reverse charge",
    "K": "a delivery within the EU", "G": "an export", "O": "what is outside the scope of tax",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line: quantity times unit price in the invoice's currency, tax in percent under a category (EN 16931).

    Without a category the percentage says which: see ``category_of``.
    """

    quantity: Decimal
    unit_price: Decimal
    tax_percent: Decimal = Decimal(0)
    tax_category: str = ""


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


def category_of(category: str, percent: Decimal) -> str:
    """The tax category of a line that names none, or names the standard one at no rate: zero rated at 0 percent.

    Zero rated is the one category without tax that claims no exemption and needs no reason.

    >>> none = Decimal(0)
    >>> category_of("", Decimal(19)), category_of("", none), category_of("S", none), category_of("AE", none)
    ('S', 'Z', 'Z', 'AE')
    """
    if category not in ("", "S"):
        return category
    return "S" if percent else "Z"


def stated(category: str, percent: Decimal) -> str:
    """The category a person stated; none where a row says «standard» at no rate because nobody chose.

    >>> stated("S", Decimal(0)), stated("S", Decimal(7)), stated("E", Decimal(0))
    ('', 'S', 'E')
    """
    return "" if category == "S" and not percent else category


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
        percent = Decimal(line.tax_percent).normalize() + 0
        group = (category_of(line.tax_category, percent), percent)
        nets[group] = nets.get(group, Decimal(0)) + line_net(line.quantity, line.unit_price, currency)
    groups = tuple(
        TaxGroup(category, percent, net, round_money(net * percent / 100, currency))
        for (category, percent), net in sorted(nets.items(), key=lambda item: (-item[0][1], item[0][0]))
    )
    net = sum((g.net for g in groups), Decimal(0))
    tax = sum((g.tax for g in groups), Decimal(0))
    return Totals(net=net, tax=tax, total=net + tax, groups=groups)


def _check(line: Line, where: str) -> None:
    """Tax as a line may bear it; ``where`` names the line."""
    named = where.capitalize()
    if line.tax_category and line.tax_category not in CATEGORIES:
        raise Refused(
            f"{named}: tax category «{line.tax_category}» is unknown; choose {', '.join(CATEGORIES[:-1])} or "
            f"{CATEGORIES[-1]}.", code="tax", where=where,
        )  # fmt: skip
    if line.tax_percent < 0:
        raise Refused(f"{named}: tax below zero percent does not exist; give the percentage.", code="tax", where=where)
    if category_of(line.tax_category, line.tax_percent) != "S" and line.tax_percent:
        raise Refused(
            f"{named}: {_WORDS[line.tax_category]} carries no tax; set its percentage to 0 or choose the standard "
            "category.", code="tax", where=where,
        )  # fmt: skip
