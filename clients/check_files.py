"""Credit checks as a file carries them: JSON or CSV read into facts, every cell that is wrong named. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from core.dates import parse_date
from core.errors import Refused

DAYS = ("checked_on", "valid_until")
NUMBERS = ("score", "scale_low", "scale_high", "recommended_limit")
TEXTS = {"client": 60, "provider": 60, "reference": 80, "rating": 20, "currency": 3, "findings": 20_000}
KEYS = (*TEXTS, *DAYS, *NUMBERS, "flags")
MOST_ROWS = 10_000
# Control characters, and marks that turn the direction of writing: both can make a name look like another.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True)
class Trouble:
    """What is wrong with one cell: its line (of JSON: which check), its key, what stands there, and why not."""

    line: int
    field: str
    value: str
    message: str


@dataclass(frozen=True)
class CheckRow:
    """One check of a file: the number of its client (may be empty) and what it says; ``raw`` is the row as it came."""

    line: int
    client: str
    facts: Mapping[str, Any]
    raw: Mapping[str, Any]


def read_checks(content: bytes, media: str) -> tuple[list[CheckRow], list[Trouble]]:
    """The checks of a file (``media`` json or csv) and all that is wrong with the others.

    Refused where it is no such file, has no row, more than 10,000, or a heading nobody knows. Days are YYYY-MM-DD,
    numbers have a decimal point, flags in CSV are separated by blanks or semicolons.

    >>> rows, wrong = read_checks(b"client,provider,checked_on,score\\n007,Agency,2026-03-02,81\\n", "csv")
    >>> rows[0].client, rows[0].facts["score"], wrong
    ('007', Decimal('81'), [])
    >>> read_checks(b'[{"provider": "Agency", "score": "good"}]', "json")[1][0].message
    '«good» is not a number; write it like 81 or 12500.50.'
    """
    records = list(_from_json(content) if media == "json" else _from_csv(content))
    if not records:
        raise Refused("The file has no credit check in it.", code="empty", where="file")
    if len(records) > MOST_ROWS:
        raise Refused(f"The file has {len(records):,} checks; {MOST_ROWS:,} at a time are the most.", where="file")
    rows, troubles = [], []
    for line, record in records:
        facts: dict[str, Any] = {}
        for key, value in record.items():
            try:
                read = _value(key, value)
            except ValueError as error:
                troubles.append(Trouble(line, key, str(value)[:80], str(error)))
            else:
                if read not in ("", None):
                    facts[key] = read
        rows.append(CheckRow(line, str(facts.pop("client", "")), facts, record))
    return rows, troubles


def _from_json(content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        # A number stays as it was written: no amount passes through a float.
        said = json.loads(
            content.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object
        )
        json.dumps(said, ensure_ascii=False).encode()  # half a character, such as \ud800, can be kept nowhere
    except (ValueError, RecursionError) as error:
        at = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(f"This is not JSON{at}; save it anew, or use CSV.", code="not_json", where="file") from None
    if isinstance(said, dict):
        said = said.get("checks", [said])
    if not isinstance(said, list) or not all(isinstance(record, dict) for record in said):
        raise Refused("Give one check as an object, or a list of them.", code="not_checks", where="file")
    for line, record in enumerate(said, 1):
        for key in record:
            if key not in KEYS:
                _unknown(key, f"{line}: {key}")
        yield line, record


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the file: its texts as data, every key once."""
    record: dict[str, Any] = {}
    for key, value in pairs:
        if key in record:
            shown = key[:40].encode(errors="replace").decode()
            raise Refused(f"“{shown}” stands twice in one check; which is right?", code="twice", where=shown)
        record[key] = _INVISIBLE.sub("", value) if isinstance(value, str) else value
    return record


def _from_csv(content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = _INVISIBLE.sub("", content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        message = "This is not a CSV file in UTF-8; save it as “CSV UTF-8”."
        raise Refused(message, code="not_csv", where="file") from None
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        header = [name.strip().lower().replace(" ", "_") for name in next(reader, [])]
        for name in header:
            if name not in KEYS:
                _unknown(name, f"1: {name}")
        if len(set(header)) < len(header):
            raise Refused("A heading stands twice; name every column once.", where="file")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise Refused(
                    f"Line {reader.line_num} has {len(cells)} cells, the first line {len(header)}.",
                    code="not_csv", where=f"{reader.line_num}",
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise Refused(f"Line {reader.line_num} cannot be read: {error}.", code="not_csv", where="file") from None


def _unknown(name: str, where: str) -> None:
    raise Refused(f"“{name[:40]}” is not known; a check has {', '.join(KEYS)}.", code="unknown_key", where=where)


def _value(key: str, value: Any) -> Any:
    if value is None:
        return None
    if key == "flags":
        parts = value if isinstance(value, list) else str(value).replace(";", " ").split()
        if not all(isinstance(part, str) for part in parts):
            raise ValueError("Flags are a list of words, such as young_company.")
        return [part.strip() for part in parts]
    if isinstance(value, (bool, dict, list)):
        raise ValueError("This is not a single value; write a text or a number.")
    text = str(value).strip()
    if not text:
        return None
    if key in TEXTS:
        if len(text) > TEXTS[key]:
            raise ValueError(f"This is longer than {TEXTS[key]:,} characters; shorten it.")
        return text
    return _day(text) if key in DAYS else _number(text)


def _day(text: str) -> date:
    try:
        if len(text) != 10:
            raise ValueError
        return parse_date(text, "%Y-%m-%d")
    except ValueError:
        raise ValueError(f"«{text[:40]}» is not a date; write it as YYYY-MM-DD, for example 2026-04-15.") from None


def _number(text: str) -> Decimal:
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", text):
        raise ValueError(f"«{text[:40]}» is not a number; write it like 81 or 12500.50.")
    return Decimal(text)
