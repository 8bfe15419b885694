"""Which tax a sale probably bears, from where both sides are: proposed and explained, never decided. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from einvoicing.codes import EU

Why = Literal["home", "eu_business", "eu_no_number", "abroad", "unknown"]


@dataclass(frozen=True)
class Proposal:
    """A tax category (EN 16931) and its percentage for the lines of a sale, and which rule says so.

    Without a category the percentage says which: standard, and zero rated at 0 percent.
    ``why``: sold at home, to a business in another member state, to somebody there without a valid VAT number, out of
    the European Union, or where no rule of ours is known. ``sure`` is False where nothing is proposed.
    """

    why: Why
    category: str = ""
    percent: Decimal = Decimal(0)

    @property
    def sure(self) -> bool:
        return self.why != "unknown"


def propose_tax(home: str, country: str, vat_number: str, usual: Decimal) -> Proposal:
    """The tax of services sold from ``home`` to ``country`` (two letters each) at the usual rate, in percent.

    ``vat_number`` is the buyer's, country in front, empty where it has no valid one. A business in another member
    state of the European Union owes the tax itself (article 196 of Directive 2006/112/EC, place by article 44);
    without its number it is taxed as at home; a sale out of the Union lies outside its tax.

    >>> propose_tax("DE", "FR", "FR40303265045", Decimal(19))
    Proposal(why='eu_business', category='AE', percent=Decimal('0'))
    >>> propose_tax("DE", "FR", "", Decimal(19)).percent, propose_tax("DE", "DE", "", Decimal(19)).why
    (Decimal('19'), 'home')
    >>> propose_tax("DE", "US", "", Decimal(19)).category, propose_tax("US", "DE", "", Decimal(0)).sure
    ('O', False)
    """
    home, country = home.upper(), country.upper()
    if home not in EU or not country:
        return Proposal("unknown", "", usual)
    if country == home:
        return Proposal("home", "", usual)
    if country not in EU:
        return Proposal("abroad", "O")
    prefix = {"EL": "GR"}.get(vat_number[:2], vat_number[:2])
    if prefix in EU and prefix != home:
        return Proposal("eu_business", "AE")
    return Proposal("eu_no_number", "", usual)
