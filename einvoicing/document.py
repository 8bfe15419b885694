"""An invoice or a credit note as EN 16931 sees it: frozen facts beside their business terms (BT-…). No arithmetic."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

INVOICE, CREDIT_NOTE = "380", "381"  # BT-3, UNTDID 1001


@dataclass(frozen=True)
class Address:
    """A postal address (BG-5, BG-8); the country is two letters."""

    country: str
    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""


@dataclass(frozen=True)
class Party:
    """Seller (BG-4) or buyer (BG-7).

    ``vat_number`` begins with the two letters of its country (BT-31, BT-48); ``tax_number`` is any other number of a
    tax office (BT-32, sellers only); ``number`` is how the other side knows the party (BT-29, BT-46).
    """

    name: str
    address: Address
    trading_name: str = ""
    vat_number: str = ""
    tax_number: str = ""
    number: str = ""
    contact: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True)
class Line:
    """What was sold (BG-25): ``net`` is quantity times price, rounded to the currency. The price is never negative."""

    number: str
    name: str
    quantity: Decimal
    unit: str  # UN/ECE recommendation 20
    price: Decimal
    net: Decimal
    category: str
    percent: Decimal
    detail: str = ""


@dataclass(frozen=True)
class Adjustment:
    """An allowance (BG-20) or a charge (BG-21) on the whole document, under its own tax category and rate."""

    amount: Decimal
    category: str
    percent: Decimal
    reason: str
    is_charge: bool = False


@dataclass(frozen=True)
class TaxGroup:
    """What one category and rate comes to (BG-23); ``reason`` says why no tax is charged."""

    category: str
    percent: Decimal
    net: Decimal
    tax: Decimal
    reason: str = ""
    reason_code: str = ""


@dataclass(frozen=True)
class Account:
    """Where a transfer goes (BG-17): an IBAN, or another number of an account."""

    holder: str
    iban: str = ""
    number: str = ""
    bic: str = ""


@dataclass(frozen=True)
class Payment:
    """How to pay (BG-16): the code of UNTDID 4461, the same in words, and the accounts of a transfer."""

    code: str
    words: str = ""
    accounts: tuple[Account, ...] = ()
    reference: str = ""


@dataclass(frozen=True)
class Totals:
    """The sums of the document (BG-22)."""

    lines: Decimal  # BT-106
    net: Decimal  # BT-109
    tax: Decimal  # BT-110
    total: Decimal  # BT-112
    due: Decimal  # BT-115
    allowances: Decimal = Decimal(0)  # BT-107
    charges: Decimal = Decimal(0)  # BT-108
    paid: Decimal = Decimal(0)  # BT-113
    rounding: Decimal = Decimal(0)  # BT-114


@dataclass(frozen=True)
class Preceding:
    """The invoice that a credit note takes back (BG-3)."""

    number: str
    issued_on: dt.date | None = None


@dataclass(frozen=True)
class Document:
    """An invoice or credit note, complete; amounts in ``currency``."""

    kind: str
    number: str
    issued_on: dt.date
    currency: str
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    groups: tuple[TaxGroup, ...]
    totals: Totals
    delivered_on: dt.date | None = None
    period_from: dt.date | None = None
    period_to: dt.date | None = None
    due_on: dt.date | None = None
    terms: str = ""
    payment: Payment | None = None
    buyer_reference: str = ""
    order: str = ""
    notes: tuple[str, ...] = ()
    preceding: tuple[Preceding, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    places: int = 2  # decimals of the currency
