"""The cells of one row, read one by one as what they should be; what cannot be read is noted with line and column.

Pure. Identifiers are text and stay as they are; dates and amounts are never guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from core.dates import check_date_format, parse_date
from core.errors import Refused
from core.money import parse_amount, places
from policies.terms import refuse_vague

from .sheet import Row, Sheet, clean, locate
from .suggestions import fits, suggest_date_formats

# How long a text may be. An identifier that is longer is refused, other texts are cut, with a warning.
_IDENTIFIERS = {"number": 80, "client": 60, "company": 20, "email": 254, "vat_id": 40, "currency": 3, "key": 100}
_TEXTS = {
    "client_name": 200, "name": 200, "contact_name": 120, "phone": 40, "po": 80, "what": 300, "unit": 12,
    "tax_category": 20, "no_tax_because": 200,
}  # fmt: skip
_YES = frozenset({"yes", "y", "true", "t", "1", "x", "ja", "j", "oui", "o"})
_NO = frozenset({"", "no", "n", "false", "f", "0", "-", "nein", "non"})
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_PHONE = re.compile(r"\+?[0-9 ()./\-\u00a0]*(?:(?:ext|x)\.? ?[0-9]+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """How a file is to be read: the mapping of our words to its columns, and what its dates and amounts look like."""

    mapping: Mapping[str, str]
    date_format: str = ""
    currency: str = ""
    decimal: str = "."
    round_half_up: bool = False


@dataclass(frozen=True)
class Trouble:
    """What is wrong with one cell, or worth a look."""

    line: int
    column: str
    value: str
    message: str

    def as_json(self) -> dict[str, object]:
        return {"line": self.line, "column": self.column, "value": self.value, "message": self.message}


class Cells:
    """The mapped cells of the row at hand, read one by one; what cannot be read is noted and breaks the row."""

    def __init__(self, sheet: Sheet, reading: Reading) -> None:
        self.sheet, self.reading = sheet, reading
        self.at = locate(sheet, reading.mapping)
        self.rounding = ROUND_HALF_UP if reading.round_half_up else None
        self.errors: list[Trouble] = []
        self.warnings = [Trouble(1, "", "", warning) for warning in sheet.warnings]
        self.no_dates: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.dates: dict[str, date | str] = {}
        self.broken = False

    def begin(self, row: Row) -> bool:
        """Turn to the next row; one with too few or too many cells is broken and is not read."""
        self.row, self.broken = row, False
        have, want = len(row.cells), len(self.sheet.header)
        if have == want or (have > want and not any(cell.strip() for cell in row.cells[want:])):
            return True
        self._note(
            "", row.cells[-1],
            f"The row has {have} cells where the heading has {want}. Look for a separator that is missing or not in "
            "quotes.",
        )
        return False

    def raw(self, key: str) -> str:
        return clean(self.row.cells[self.at[key]]) if key in self.at else ""

    def wrong(self, key: str, message: str) -> None:
        self._note(self.column(key), self.raw(key), message)

    def remark(self, key: str, message: str) -> None:
        self.warnings.append(Trouble(self.row.line, self.column(key), self.raw(key)[:100], message))

    def identifier(self, key: str) -> str:
        """A text that tells things apart, exactly as it stands; never empty."""
        value = self.raw(key)
        if not value:
            self.wrong(key, "The cell is empty.")
        elif len(value) > _IDENTIFIERS[key]:
            self.wrong(key, f"Longer than {_IDENTIFIERS[key]} characters.")
        return value

    def text(self, key: str) -> str:
        value = self.raw(key)
        if key in _IDENTIFIERS:
            if len(value) > _IDENTIFIERS[key]:
                self.wrong(key, f"Longer than {_IDENTIFIERS[key]} characters.")
            return value
        value = " ".join(value.split())
        if len(value) > _TEXTS[key]:
            self.remark(key, f"Cut to {_TEXTS[key]} characters.")
        return value[: _TEXTS[key]]

    def check_format(self) -> None:
        try:
            check_date_format(self.reading.date_format)
        except ValueError as error:
            raise Refused(str(error), code="date_format", where="date_format") from None

    def check_currency(self) -> None:
        try:
            places(self.reading.currency or "EUR")
        except ValueError as error:
            raise Refused(str(error), code="currency", where="currency") from None

    def date(self, key: str, needed: bool = True) -> date | None:
        value = self.raw(key)
        if not value:
            if needed:
                self.wrong(key, "The cell is empty.")
            return None
        if value not in self.dates:
            try:
                self.dates[value] = parse_date(value, self.reading.date_format)
            except ValueError as error:
                self.dates[value] = str(error)
        found = self.dates[value]
        if isinstance(found, date):
            return found
        self.no_dates[key].append((self.row.line, value))
        self.wrong(key, found)
        return None

    def currency(self, needed: bool = True) -> str:
        value = self.raw("currency").upper() or (self.reading.currency if needed else "")
        if not value and not needed:
            return ""
        try:
            places(value)
        except ValueError as error:
            self.wrong("currency", str(error))
            return ""
        return value

    def amount(self, key: str, currency: str, needed: bool = True) -> Decimal | None:
        value = self.raw(key)
        if not currency or (not value and not needed):
            return None
        try:
            return parse_amount(value, currency, self.reading.decimal, self.rounding)
        except ValueError as error:
            self.wrong(key, str(error) if value else "The cell is empty.")
            return None

    def email(self) -> str:
        value = self.raw("email")
        if value and (not _EMAIL.fullmatch(value) or len(value) > _IDENTIFIERS["email"]):
            self.wrong("email", "This is not one e-mail address. Write it as name@company.example.")
        return value

    def phone(self) -> str:
        value = self.text("phone")
        if value and (not _PHONE.fullmatch(value) or sum(c.isdigit() for c in value) < 5):
            self.remark("phone", "This is not a telephone number; left out.")
            return ""
        return value

    def yes_or_no(self, key: str) -> bool:
        value = self.raw(key).casefold()
        if value not in _YES and value not in _NO:
            self.wrong(key, "Write yes or no.")
        return value in _YES

    def one_of(self, key: str, known: Mapping[str, str], what: str) -> str:
        """One of the known words, whose keys are in small letters; empty where the cell is."""
        value = self.raw(key)
        found = known.get(value.casefold().replace(" ", "_"), "")
        if value and not found:
            self.wrong(key, f"«{value[:40]}» is not {what}.")
        return found

    def days(self, key: str) -> int | None:
        value = self.raw(key)
        if not value:
            return None
        if re.fullmatch("[0-9]{1,3}", value) and 1 <= int(value) <= 365:
            return int(value)
        try:
            refuse_vague(value)
            self.wrong(key, "Payment terms are a number of days from 1 to 365, for example 14.")
        except Refused as refused:
            self.wrong(key, refused.message)
        return None

    def mixed_dates(self) -> tuple[tuple[str, ...], bool]:
        """What is to be said of each column with values that are no dates in the format given."""
        said, ambiguous = [], False
        for key, bad in self.no_dates.items():
            fmt, values = self.reading.date_format, [value for _, value in bad]
            swapped = re.sub("%[dm]", lambda found: "%m" if found[0] == "%d" else "%d", fmt)
            confused = swapped != fmt and any(fits(value, swapped) for value in values)
            ambiguous = ambiguous or confused
            examples = ", ".join(f"«{value[:40]}» (line {line})" for line, value in bad[:3])
            filled = sum(1 for value in self.sheet.column(self.at[key]) if value)
            likely = suggest_date_formats(values)
            sentences = [
                f"«{self.column(key)}»: {len(bad):,} of {filled:,} values are not dates in the format {fmt}, such as "
                f"{examples}."
            ]
            if likely:
                sentences.append(f"These could be {' or '.join(likely)}.")
            if confused:
                sentences.append("Day and month change places in this column, so none of its dates can be trusted.")
            said.append(" ".join(sentences))
        return tuple(said), ambiguous

    def column(self, key: str) -> str:
        return self.sheet.name(self.at[key]) if key in self.at else key

    def _note(self, column: str, value: str, message: str) -> None:
        self.broken = True
        self.errors.append(Trouble(self.row.line, column, clean(value)[:100], message))
