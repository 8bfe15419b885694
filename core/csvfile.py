"""CSV that is safe to open in a spreadsheet: no text of ours ever becomes a formula, and numbers stay numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import chain

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
# What makes a cell a formula (OWASP, CVE-2021-41270): at the beginning of the text, and where a program that splits
# at another separator, or loses a quote, would begin a cell.
_FORMULA = re.compile(r"""(^|[,;|\t\r\n"'])(?=[=+\-@\t\r\n])""")


def cell(value: object) -> str:
    """One cell as text: amounts and counts as they are, dates in ISO, a text that would be a formula behind a «'».

    >>> [cell(v) for v in ("=1+1", "+49 40 5550", "Smith;=cmd", "-12.50", Decimal("-12.50"), date(2026, 4, 15), None)]
    ["'=1+1", "'+49 40 5550", "Smith;'=cmd", '-12.50', '-12.50', '2026-04-15', '']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = str(value)
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub(r"\1'", text)


def lines(header: Iterable[object], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The file line by line, so that a long list can be streamed.

    >>> list(lines(["client", "total"], [["@Home", Decimal("5.00")]]))
    ['client,total\\r\\n', "'@Home,5.00\\r\\n"]
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in chain([header], rows):
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([cell(value) for value in row])
        yield buffer.getvalue()
