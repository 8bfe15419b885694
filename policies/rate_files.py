"""Reference rates as files bring them: our collection of published rates (JSON by half-year), or a plain CSV.

Pure: a file becomes rows, each with its source, or sentences about what it cannot be. Nothing is carried further than
a source says.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from core.dates import add_months, half_year, half_year_start, parse_date
from core.errors import Refused

COLUMNS = ("series", "from", "valid_through", "percent", "source")
_YEAR = "((?:19|20|21)[0-9]{2})"
_PERIOD = re.compile(f"{_YEAR}-H([12])")
_RANGE = re.compile(rf"{_YEAR}(?:-H([12]))?(?:\.\.{_YEAR}(?:-H([12]))?)?")
_DOUBT = re.compile(r"\b(unverified|confirm|expected|derived|secondary)\b", re.I)


@dataclass(frozen=True)
class NewRate:
    """A row to enter: the percentage of a series from a day through a day, and where it was published."""

    series: str
    from_on: date
    valid_through: date
    percent: Decimal
    source: str
    where: str = ""

    @property
    def is_doubtful(self) -> bool:
        """Whether the source itself says that somebody should look again.

        >>> NewRate("x", date.min, date.max, Decimal(1), "secondary source - CONFIRM").is_doubtful
        True
        """
        return bool(_DOUBT.search(self.source))


@dataclass
class RateFile:
    """What a file says: rows, what is wrong with it (where, sentence), and what in it is no rate."""

    rates: list[NewRate] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def read_rates(content: bytes, name: str) -> RateFile:
    """The rates in a file, JSON or CSV by its name. Refused where it can be read as neither.

    >>> text = b"series,from,valid_through,percent,source\\nx,2026-01-01,2026-06-30,4.125,the bank\\n"
    >>> [(rate.series, rate.percent, rate.valid_through.isoformat()) for rate in read_rates(text, "a.csv").rates]
    [('x', Decimal('4.125'), '2026-06-30')]
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("The file is not UTF-8. Save it as UTF-8 and try again.", code="encoding") from None
    return _of_json(text) if name.lower().endswith(".json") else _of_csv(text)


def _of_json(text: str) -> RateFile:
    try:
        said = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=Decimal)
    except (json.JSONDecodeError, InvalidOperation) as error:
        raise Refused(f"The file is not JSON: {error}.", code="not_json") from None
    found = RateFile()
    for code, entry in said.items() if isinstance(said, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("values"), dict):
            _read_series(str(code), entry, found)
        else:
            found.ignored.append(str(code))
    if not found.rates and not found.errors:
        raise Refused(
            'The file has no series of rates, such as {"name": {"values": {"2026-H1": 2.15}, "sources": {…}}}.',
            code="no_rates",
        )
    return found


def _read_series(code: str, entry: Mapping[str, Any], found: RateFile) -> None:
    """Every half-year of a series with its value and its source; where it says so, a value holds until the next."""
    values: dict[date, Any] = {}
    for period, value in entry["values"].items():
        if match := _PERIOD.fullmatch(period):
            values[_start(match[1], match[2])] = value
        else:
            found.errors.append((f"{code} {period}", f"«{period}» is not a half-year, such as 2026-H1."))
    sources = dict(_sources(entry.get("sources") or {}))
    if not values:
        return
    persistent = "persists" in str(entry.get("note", ""))
    last = max([*values, *(sources if persistent else ())])
    day, value = min(values), None
    while day <= last:
        value = values.get(day, value if persistent else None)
        where = f"{code} {half_year(day)}"
        if value is not None and (day in values or day in sources):
            if not isinstance(value, Decimal):
                found.errors.append((where, f"«{value}» is not a percentage."))
            elif day not in sources:
                found.errors.append((where, "The file names no source for this half-year. Add one under «sources»."))
            else:
                ends = add_months(day, 6) - timedelta(1)
                found.rates.append(NewRate(code, day, ends, value, sources[day], where))
        day = add_months(day, 6)


def _sources(sources: Any) -> Iterator[tuple[date, str]]:
    """The source of every half-year: «2013-H1..2024-H2», «2002..2025-H2», «2025-H1»; «NOT FOUND» is none."""
    for period, text in sources.items() if isinstance(sources, dict) else ():
        match = _RANGE.fullmatch(period)
        if match is None or re.match(r"\s*(not found\b|$)", str(text), re.I):
            continue
        day = _start(match[1], match[2] or "1")
        last = _start(match[3], match[4] or "2") if match[3] else _start(match[1], match[2] or "2")
        while day <= last:
            yield day, str(text).strip()
            day = add_months(day, 6)


def _start(year: str, half: str) -> date:
    return half_year_start(date(int(year), 1 if half == "1" else 7, 1))


def _of_csv(text: str) -> RateFile:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        names = reader.fieldnames or ()
    except csv.Error as error:
        raise Refused(f"The file is not CSV: {error}.", code="not_csv") from None
    if missing := [name for name in COLUMNS if name not in names]:
        raise Refused(
            f"The file has no column {', '.join(f'«{name}»' for name in missing)}. It needs: {', '.join(COLUMNS)}.",
            code="column", where=missing[0],
        )  # fmt: skip
    found = RateFile()
    for row in _rows(reader):
        cells = {name: (row[name] or "").strip() for name in COLUMNS}
        where = f"line {reader.line_num}"
        if not any(cells.values()):
            continue
        try:
            days = [parse_date(cells[name], "%Y-%m-%d") for name in ("from", "valid_through")]
            percent = percent_of(cells["percent"])
        except ValueError as wrong:
            found.errors.append((where, str(wrong)))
        else:
            found.rates.append(NewRate(cells["series"], days[0], days[1], percent, cells["source"], where))
    return found


def _rows(reader: csv.DictReader[str]) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise Refused(f"The file is not CSV: {error}.", code="not_csv", where=f"line {reader.line_num}") from None


def percent_of(text: str) -> Decimal:
    """A percentage as written, with a point and at most four decimals; ValueError otherwise.

    >>> percent_of("-0.88")
    Decimal('-0.88')
    >>> percent_of("4,125")
    Traceback (most recent call last):
    ...
    ValueError: «4,125» is not a percentage. Write percent a year with a point, for example 10.15.
    """
    if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,4})?", text):
        raise ValueError(f"«{text}» is not a percentage. Write percent a year with a point, for example 10.15.")
    return Decimal(text)
