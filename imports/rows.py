"""What the rows of a file mean: each mapped cell read as what it should be, or refused with line, column and value.

Pure: no clock, no database. Identifiers are text and stay as they are; dates and amounts are never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Generic, TypeVar
from zoneinfo import available_timezones

from babel import Locale

from core.errors import Refused
from core.money import plain

from .cells import Cells, Reading, Trouble
from .sheet import Row, Sheet

ITEM_NEEDED = ("number", "client", "issued_on", "due_on", "total")
ITEM_OPTIONAL = (
    "client_name", "contact_name", "email", "phone", "company", "currency", "balance", "settled_on", "po", "disputed",
)
CLIENT_NEEDED = ("client",)
CLIENT_OPTIONAL = (
    "name", "contact_name", "role", "email", "phone", "language", "time_zone", "country", "terms_days",
    "credit_limit", "currency", "vat_id", "company",
)

_LONGEST_TERM = 3660  # days between issue and due date that nobody has to explain
_LANGUAGES = {code: code for code in ("en", "de", "fr")}
_ROLES = {code: code for code in ("accounts_payable", "approver", "owner", "escalation")}


@dataclass(frozen=True)
class OpenItem:
    """One open item as the file states it; amounts in `currency`, exact to its minor unit."""

    line: int
    number: str
    client: str
    issued_on: date
    due_on: date
    total: Decimal
    currency: str
    client_name: str = ""
    contact_name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    balance: Decimal | None = None
    settled_on: date | None = None
    po: str = ""
    disputed: bool = False

    @property
    def paid(self) -> Decimal:
        """What had been paid when the item was taken over."""
        if self.settled_on is not None:
            return self.total
        return Decimal(0) if self.balance is None else self.total - self.balance

    @property
    def paid_on(self) -> date:
        """The day of that payment: the day of settlement, else the day of issue."""
        return self.settled_on or self.issued_on


@dataclass(frozen=True)
class ClientRow:
    """One row of a client list: what it says of the client and of one contact; empty cells say nothing."""

    line: int
    client: str
    company: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    contact: Mapping[str, str] = field(default_factory=dict)


T = TypeVar("T")


@dataclass(frozen=True)
class Read(Generic[T]):
    """All that a file says: the rows that can be taken, and what is wrong with the others.

    `repeated` counts rows that say again what an earlier row said. `mixed` names columns whose dates are written in
    more than one way; `ambiguous`, that no row of such a column can be trusted.
    """

    rows: int
    good: tuple[T, ...]
    errors: tuple[Trouble, ...]
    warnings: tuple[Trouble, ...]
    repeated: int = 0
    mixed: tuple[str, ...] = ()
    ambiguous: bool = False


def read_open_items(sheet: Sheet, reading: Reading) -> Read[OpenItem]:
    """Read open items. Refused where the mapping or the date format makes no sense; bad rows are listed as errors.

    >>> from imports.sheet import read_sheet
    >>> sheet = read_sheet(b"no,client,issued,due,sum\\n007,C1,4/26/2013,5/26/2013,12.50\\n")
    >>> words = {"number": "no", "client": "client", "issued_on": "issued", "due_on": "due", "total": "sum"}
    >>> item, = read_open_items(sheet, Reading(words, "%m/%d/%Y", "EUR")).good
    >>> item.number, item.due_on.isoformat(), item.total
    ('007', '2013-05-26', Decimal('12.50'))
    """
    check_mapping(reading.mapping, ITEM_NEEDED, ITEM_OPTIONAL)
    cells = Cells(sheet, reading)
    if "currency" not in reading.mapping and not reading.currency:
        raise Refused("Say in which currency the amounts are, or map a column to «currency».", where="currency")
    cells.check_currency()
    cells.check_format()
    read: list[OpenItem] = []
    for row in sheet.rows:
        item = _open_item(cells, row)
        if item is not None:
            read.append(item)
    good, repeated = _once(read, lambda item: (item.company, item.client, item.number), cells)
    return read_of(cells, good, repeated)


def read_clients(sheet: Sheet, reading: Reading) -> Read[ClientRow]:
    """Read a list of clients, one contact a row; a client with several contacts has several rows.

    >>> from imports.sheet import read_sheet
    >>> sheet = read_sheet(b"id,mail,lang\\n0042,ap@acme.example,de\\n")
    >>> row, = read_clients(sheet, Reading({"client": "id", "email": "mail", "language": "lang"})).good
    >>> row.client, row.facts, row.contact
    ('0042', {'language': 'de'}, {'email': 'ap@acme.example'})
    """
    check_mapping(reading.mapping, CLIENT_NEEDED, CLIENT_OPTIONAL)
    cells = Cells(sheet, reading)
    read: list[ClientRow] = []
    for row in sheet.rows:
        client = _client_row(cells, row)
        if client is not None:
            read.append(client)
    return read_of(cells, _without_contradiction(read, cells))


def check_mapping(mapping: Mapping[str, str], needed: Sequence[str], optional: Sequence[str]) -> None:
    """Refuse a mapping that uses words we do not know, or lacks one that is needed."""
    unknown = [key for key in mapping if key not in (*needed, *optional)]
    if unknown:
        raise Refused(
            f"«{unknown[0]}» cannot be mapped. Known are: {', '.join((*needed, *optional))}.", code="mapping",
            where=unknown[0],
        )
    missing = [key for key in needed if not mapping.get(key)]
    if missing:
        listed = ", ".join(f"«{key}»" for key in missing)
        raise Refused(f"Say which column holds {listed}: needed in every file.", code="mapping", where=missing[0])


def _open_item(cells: Cells, row: Row) -> OpenItem | None:
    if not cells.begin(row):
        return None
    number, client = cells.identifier("number"), cells.identifier("client")
    issued_on, due_on = cells.date("issued_on"), cells.date("due_on")
    currency = cells.currency()
    total = cells.amount("total", currency)
    balance = cells.amount("balance", currency, needed=False)
    settled_on = cells.date("settled_on", needed=False)
    email = cells.email()
    disputed = cells.yes_or_no("disputed")
    if total is not None and total <= 0:
        cells.wrong("total", "An open item is above zero. Take a credit over as a payment of the client.")
    if total is not None and balance is not None and not 0 <= balance <= total:
        cells.wrong("balance", f"The balance lies between 0 and the total of {plain(total, currency)}.")
    if issued_on and due_on and abs((due_on - issued_on).days) > _LONGEST_TERM:
        cells.wrong("due_on", f"The item would be due {(due_on - issued_on).days:,} days after it was issued; a slip?")
    if cells.broken:
        return None
    assert issued_on and due_on and total is not None
    if due_on < issued_on:
        cells.remark("due_on", f"Due {(issued_on - due_on).days} days before it was issued; taken as it stands.")
    if settled_on and settled_on < issued_on:
        cells.remark("settled_on", "Paid before it was issued: unapplied cash until that day.")
    return OpenItem(
        line=row.line, number=number, client=client, issued_on=issued_on, due_on=due_on, total=total,
        currency=currency, client_name=cells.text("client_name"), contact_name=cells.text("contact_name"),
        email=email, phone=cells.phone(), company=cells.text("company"), balance=balance, settled_on=settled_on,
        po=cells.text("po"), disputed=disputed,
    )


def _client_row(cells: Cells, row: Row) -> ClientRow | None:
    if not cells.begin(row):
        return None
    client = cells.identifier("client")
    currency = cells.currency(needed=False)
    facts: dict[str, object] = {
        "name": cells.text("name"),
        "language": cells.one_of("language", _LANGUAGES, "a language we write in: en, de, fr"),
        "time_zone": cells.one_of("time_zone", _time_zones(), "a time zone; write one such as Europe/Berlin"),
        "country": cells.one_of("country", _countries(), "a country: two letters, such as DE or US"),
        "terms_days": cells.days("terms_days"),
        "credit_limit": cells.amount("credit_limit", currency or cells.reading.currency or "EUR", needed=False),
        "currency": currency,
        "tax_number": cells.text("vat_id"),
    }
    contact = {
        "name": cells.text("contact_name"), "email": cells.email(), "phone": cells.phone(),
        "role": cells.one_of("role", _ROLES, f"a role: {', '.join(_ROLES)}"),
    }
    limit = facts["credit_limit"]
    if isinstance(limit, Decimal) and limit < 0:
        cells.wrong("credit_limit", "A credit limit is zero or more.")
    if cells.broken:
        return None
    return ClientRow(
        row.line, client, cells.text("company"),
        {key: value for key, value in facts.items() if value not in (None, "")},
        {key: value for key, value in contact.items() if value},
    )


def _once(
    read: Iterable[OpenItem], key: Callable[[OpenItem], tuple[str, ...]], cells: Cells
) -> tuple[list[OpenItem], int]:
    """Each item once: a row that says the same again is passed over, one that says otherwise is an error."""
    seen: dict[tuple[str, ...], OpenItem] = {}
    repeated = 0
    for item in read:
        first = seen.setdefault(key(item), item)
        if first is item:
            continue
        column = cells.column("number")
        if replace(item, line=first.line) == first:
            repeated += 1
            cells.warnings.append(
                Trouble(item.line, column, item.number, f"The same as line {first.line}; taken once.")
            )
        else:
            message = f"Stands on line {first.line} with other facts. Which is right?"
            cells.errors.append(Trouble(item.line, column, item.number, message))
    return list(seen.values()), repeated


def _without_contradiction(read: Iterable[ClientRow], cells: Cells) -> list[ClientRow]:
    """Several rows of a client may add contacts, but not say different things of the client."""
    said: dict[tuple[str, str, str], tuple[object, int]] = {}
    good = []
    for row in read:
        clash = ""
        for name, value in row.facts.items():
            first, line = said.setdefault((row.company, row.client, name), (value, row.line))
            if first != value:
                clash = f"On line {line} this client has «{first}» as {name}, here «{value}». Which is right?"
        if clash:
            cells.errors.append(Trouble(row.line, cells.column("client"), row.client, clash))
        else:
            good.append(row)
    return good


def read_of(cells: Cells, good: Iterable[T], repeated: int = 0) -> Read[T]:
    """The good rows, with all that the cells noted on the way."""
    mixed, ambiguous = cells.mixed_dates()
    errors = tuple(sorted(cells.errors, key=lambda trouble: trouble.line))
    return Read(len(cells.sheet.rows), tuple(good), errors, tuple(cells.warnings), repeated, mixed, ambiguous)


@lru_cache
def _time_zones() -> Mapping[str, str]:
    return {name.casefold(): name for name in available_timezones()}


@lru_cache
def _countries() -> Mapping[str, str]:
    codes = [str(code) for code in Locale("en").territories]
    return {code.casefold(): code for code in codes if len(code) == 2}
