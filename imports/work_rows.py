"""What the rows of a list of completed work mean. Pure: no clock, no database; dates and amounts are never guessed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.errors import Refused
from core.money import parse_number, plain, round_money

from .cells import Cells, Reading
from .rows import Read, check_mapping, read_of
from .sheet import Row, Sheet

WORK_NEEDED = ("client", "what", "done_on")
WORK_OPTIONAL = (
    "amount", "quantity", "price", "unit", "tax", "tax_category", "no_tax_because", "currency", "po", "key", "company",
)  # fmt: skip

CurrencyOf = Callable[[str, str], str]


@dataclass(frozen=True)
class WorkRow:
    """One piece of work as the file states it: quantity times price before tax, in `currency`; tax in percent."""

    line: int
    client: str
    what: str
    done_on: date
    quantity: Decimal
    price: Decimal
    tax: Decimal
    currency: str
    unit: str = ""
    po: str = ""
    key: str = ""
    company: str = ""
    tax_category: str = ""
    no_tax_because: str = ""


def read_work(sheet: Sheet, reading: Reading, currency_of: CurrencyOf) -> Read[WorkRow]:
    """Read completed work; a row says an amount, or a price and, unless it is one, a quantity.

    `currency_of(company, client)` is the currency where neither a column nor the reading says one. A row without a key
    gets one made of what it says, so that the same file again is the same work. Refused where the mapping or the date
    format makes no sense; bad rows are listed as errors.

    >>> from imports.sheet import read_sheet
    >>> sheet = read_sheet(b"who,what,day,hours,rate\\n0042,Workshop,2026-11-18,1.5,80\\n")
    >>> words = {"client": "who", "what": "what", "done_on": "day", "quantity": "hours", "price": "rate"}
    >>> row, = read_work(sheet, Reading(words, "%Y-%m-%d"), lambda company, client: "EUR").good
    >>> row.client, row.done_on.isoformat(), row.quantity * row.price, row.currency
    ('0042', '2026-11-18', Decimal('120.00'), 'EUR')
    """
    check_mapping(reading.mapping, WORK_NEEDED, WORK_OPTIONAL)
    if "amount" not in reading.mapping and "price" not in reading.mapping:
        raise Refused(
            "Say which column holds the «amount», or the «price» of one.", code="mapping", where="amount",
        )
    cells = Cells(sheet, reading)
    if reading.currency:
        cells.check_currency()
    cells.check_format()
    seen: Counter[str] = Counter()
    read = [found for row in sheet.rows if (found := _work_row(cells, row, currency_of, seen)) is not None]
    return read_of(cells, read)


def _work_row(cells: Cells, row: Row, currency_of: CurrencyOf, seen: Counter[str]) -> WorkRow | None:
    if not cells.begin(row):
        return None
    client, company, what = cells.identifier("client"), cells.text("company"), cells.text("what")
    if not what:
        cells.wrong("what", "The cell is empty. It stands on the invoice.")
    done_on = cells.date("done_on")
    currency = cells.currency(needed=False) or cells.reading.currency or currency_of(company, client)
    amount = cells.amount("amount", currency, needed="price" not in cells.at)
    quantity, price = _number(cells, "quantity", 4), _number(cells, "price", 6)
    tax = _number(cells, "tax", 3)
    if not cells.broken:
        _agree(cells, amount, quantity, price, currency)
    if cells.broken:
        return None
    assert done_on is not None
    if price is None:
        assert amount is not None
        quantity, price = Decimal(1), amount
    key = cells.identifier("key") if cells.raw("key") else _key(seen, row)
    if cells.broken:
        return None
    return WorkRow(
        line=row.line, client=client, what=what, done_on=done_on, quantity=Decimal(1) if quantity is None else quantity,
        price=price, tax=tax or Decimal(0), currency=currency, unit=cells.text("unit"), po=cells.text("po"), key=key,
        company=company, tax_category=cells.text("tax_category").upper(),
        no_tax_because=cells.text("no_tax_because"),
    )  # fmt: skip


def _number(cells: Cells, key: str, digits: int) -> Decimal | None:
    text = cells.raw(key).removesuffix("%").strip()
    if not text:
        return None
    try:
        return parse_number(text, digits, cells.reading.decimal)
    except ValueError as error:
        cells.wrong(key, str(error))
        return None


def _agree(
    cells: Cells, amount: Decimal | None, quantity: Decimal | None, price: Decimal | None, currency: str
) -> None:
    """A row says an amount or a price; where it says both, they agree."""
    if price is None:
        if amount is None:
            cells.wrong("price", "The row has neither an amount nor a price.")
        elif quantity not in (None, Decimal(1)):
            cells.wrong("quantity", "A quantity needs the price of one.")
    elif amount is not None:
        product = round_money((Decimal(1) if quantity is None else quantity) * price, currency)
        if product != amount:
            cells.wrong(
                "amount", f"Quantity times price is {plain(product, currency)}, the amount says "
                f"{plain(amount, currency)}. Which is right?",
            )  # fmt: skip


def _key(seen: Counter[str], row: Row) -> str:
    """A key made of all the row says; the same row twice in one file is twice the work."""
    said = hashlib.sha256("\x1f".join(cell.strip() for cell in row.cells).encode()).hexdigest()[:32]
    seen[said] += 1
    return f"csv:{said}:{seen[said]}"
