"""A CSV file as somebody else wrote it: encoding, separator, headings and rows, with the line each row stands on.

Pure: bytes in, text out. What the columns mean is imports.rows.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from core.errors import Refused

LARGEST = 50 * 2**20  # bytes
_SEPARATORS = (",", ";", "\t", "|")
_LOOKED_AT = 20  # rows from which the separator is told
_NO_TEXT_FILES = {
    b"PK\x03\x04": "a workbook (XLSX, ODS) or another ZIP file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (XLS)",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a compressed file",
}
# Control characters, and marks that turn the direction of writing: both can make a name look like another.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]+")


@dataclass(frozen=True)
class Row:
    """One row and the line of the file on which it begins; the heading stands on line 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """The headings as they stand, the rows below them, and how the file was read."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str
    separator: str
    warnings: tuple[str, ...] = field(default=())

    def column(self, position: int) -> list[str]:
        """All values of a column, cleaned."""
        return [clean(row.cells[position]) for row in self.rows if position < len(row.cells)]

    def name(self, position: int) -> str:
        """What a column is called in a message: its heading, or its number where it has none."""
        return self.header[position] or f"#{position + 1}"


def read_sheet(content: bytes) -> Sheet:
    """Read a CSV file: UTF-8 or what a spreadsheet writes, separated by comma, semicolon, tab or bar.

    Empty rows are passed over. Refused: not a text file, too large, empty, or quotes that do not close.

    >>> sheet = read_sheet("Nr;Betrag\\r\\n007;12,50\\r\\n".encode("cp1252"))
    >>> sheet.header, sheet.rows, sheet.separator
    (('Nr', 'Betrag'), (Row(line=2, cells=('007', '12,50')),), ';')
    """
    if len(content) > LARGEST:
        raise Refused(f"The file is larger than {LARGEST // 2**20} MB. Split it into several files.", code="too_large")
    for magic, what in _NO_TEXT_FILES.items():
        if content.startswith(magic):
            raise Refused(f"This is {what}, not a CSV file. Save it as CSV and try again.", code="not_csv")
    text, encoding = _decode(content)
    if not text.strip():
        raise Refused("The file is empty.", code="empty")
    separator = _separator(text)
    header: tuple[str, ...] | None = None
    rows: list[Row] = []
    for line, cells in _records(text, separator):
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = tuple(clean(cell) for cell in cells)
        else:
            rows.append(Row(line, tuple(cells)))
    assert header is not None
    return Sheet(header, tuple(rows), encoding, separator, tuple(_remarks(header, encoding)))


def locate(sheet: Sheet, mapping: Mapping[str, str]) -> dict[str, int]:
    """Where each mapped column stands: by its heading, or by its number as #3.

    Refused where a heading is not there (with the nearest one), stands twice, or the number is beyond the last.

    >>> sheet = read_sheet(b"Invoice No,Total\\n1,2\\n")
    >>> locate(sheet, {"number": "invoice no", "total": "#2"})
    {'number': 0, 'total': 1}
    >>> locate(sheet, {"number": "InvoiceNo"})
    Traceback (most recent call last):
    ...
    core.errors.Refused: The file has no column «InvoiceNo». Did you mean «Invoice No»? It has: Invoice No, Total.
    """
    return {key: _position(sheet, key, wanted) for key, wanted in mapping.items()}


def clean(text: str) -> str:
    """Text as data: composed letters, no control characters, no invisible marks, nothing before or after it.

    >>> clean("\\ufeff 007\\x00\\n7 ")
    '007 7'
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    return unicodedata.normalize("NFC", _INVISIBLE.sub(" ", text.replace("\x00", ""))).strip()


def _decode(content: bytes) -> tuple[str, str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        tries: Sequence[str] = ("utf-16",)
    else:
        tries = ("utf-8-sig", "cp1252")
    for encoding in tries:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise Refused(
        "The file is neither UTF-8 nor Windows-1252, so its letters cannot be told. Save it as CSV (UTF-8).",
        code="encoding",
    )


def _separator(text: str) -> str:
    """The sign that splits the heading into the most columns, where the rows below it have as many."""

    def columns(separator: str) -> tuple[int, int]:
        widths: list[int] = []
        try:
            for _, cells in _records(text, separator):
                if any(cells):
                    widths.append(len(cells))
                if len(widths) == _LOOKED_AT:
                    break
        except Refused:
            pass
        alike = sum(width == widths[0] for width in widths) if widths else 0
        return (alike, widths[0]) if widths and widths[0] > 1 else (0, 0)

    return max(_SEPARATORS, key=columns)


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins: a quoted cell may run over several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Refused(
                f"Line {begins} cannot be read as CSV ({error}). Look at its quotes and separators.",
                code="csv", where=f"line {begins}",
            ) from None
        if cells is None:
            return
        yield begins, cells
        begins = reader.line_num + 1


def _remarks(header: Sequence[str], encoding: str) -> list[str]:
    found = []
    if encoding == "cp1252":
        found.append("The file is not UTF-8; it was read as Windows-1252. Check names with accents.")
    unnamed = [f"#{n}" for n, name in enumerate(header, 1) if not name]
    if unnamed:
        found.append(f"Columns without a heading: {', '.join(unnamed)}. Map one by its number if it is needed.")
    twice = [f"«{name}»" for name, count in Counter(name for name in header if name).items() if count > 1]
    if twice:
        found.append(f"Headings that stand more than once: {', '.join(twice)}. Map such a column by its number, as #3.")
    return found


def _position(sheet: Sheet, key: str, wanted: str) -> int:
    if re.fullmatch(r"#[0-9]{1,4}", wanted) and wanted not in sheet.header:
        position = int(wanted[1:]) - 1
        if not 0 <= position < len(sheet.header):
            raise Refused(f"There is no column {wanted}; the file has {len(sheet.header)}.", code="column", where=key)
        return position
    found = [n for n, name in enumerate(sheet.header) if name == wanted]
    if not found:
        found = [n for n, name in enumerate(sheet.header) if name.casefold() == wanted.strip().casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = ", ".join(f"#{n + 1}" for n in found)
        raise Refused(
            f"«{wanted}» stands over {len(found)} columns: {numbers}. Map it by its number.", code="column", where=key
        )
    near = get_close_matches(wanted, [name for name in sheet.header if name], n=1)
    hint = f" Did you mean «{near[0]}»?" if near else ""
    has = ", ".join(sheet.name(n) for n in range(len(sheet.header)))
    raise Refused(f"The file has no column «{wanted}».{hint} It has: {has}.", code="column", where=key)
