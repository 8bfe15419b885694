"""In which one format the dates of a file are written: never guessed, and refused where there is no one format.

Pure. A person chooses among the formats that fit every date of every column; a column that mixes them is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from core.dates import parse_date

from .suggestions import suggest_date_formats

SHOWN = 3  # examples in a sentence
_LETTERS = {
    "%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%b": "Mon", "%B": "Month", "%H": "hh", "%M": "mm", "%S": "ss",
}  # fmt: skip

Cell = tuple[int, str]  # line and value


@dataclass(frozen=True)
class Formats:
    """``fitting``: the formats that fit every date. ``mixed``: why none does, a sentence per column. ``strange``:
    values that are a date in no format we know; ``sample`` is a value that tells the fitting formats apart."""

    fitting: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()
    strange: tuple[Cell, ...] = ()
    sample: str = ""


def formats_of(columns: Mapping[str, Sequence[Cell]]) -> Formats:
    """The formats in which all dates of all columns can be read; cells are line and value, empty ones are passed over.

    >>> formats_of({"due": [(2, "3/4/2013"), (3, "5/4/2013")]}).fitting
    ('%d/%m/%Y', '%m/%d/%Y')
    >>> formats_of({"due": [(2, "26/4/2013"), (3, "4/27/2013"), (4, "4/28/2013")]}).mixed[0]
    '«due»: 2 of 3 dates are MM/DD/YYYY, but not «26/4/2013» (line 2), which is DD/MM/YYYY.'
    >>> formats_of({"due": [(2, "26/4/2013"), (3, "soon")]})
    Formats(fitting=('%d/%m/%Y',), mixed=(), strange=((3, 'soon'),), sample='26/4/2013')
    """
    filled = {name: [cell for cell in cells if cell[1]] for name, cells in columns.items()}
    known = {value: suggest_date_formats([value]) for cells in filled.values() for _line, value in cells}
    strange = tuple(cell for cells in filled.values() for cell in cells if not known[cell[1]])
    dates = {name: [cell for cell in cells if known[cell[1]]] for name, cells in filled.items()}
    formats = [fits for fits in known.values() if fits]
    if not formats:
        return Formats(strange=strange)
    fitting = reduce(lambda left, right: [fmt for fmt in left if fmt in right], formats)
    if fitting:
        values = [value for value, fits in known.items() if fits]
        return Formats(tuple(fitting), strange=strange, sample=_telling(values, fitting))
    return Formats(mixed=tuple(_why_mixed(dates, known)), strange=strange)


def in_letters(fmt: str) -> str:
    """A format as people write it.

    >>> in_letters("%d.%m.%Y"), in_letters("%d %b %y")
    ('DD.MM.YYYY', 'DD Mon YY')
    """
    for code, letters in _LETTERS.items():
        fmt = fmt.replace(code, letters)
    return fmt


def read_as(value: str, fmt: str) -> date | None:
    """The date a value is in a format; nothing where it is none.

    >>> read_as("3/4/2013", "%d/%m/%Y"), read_as("soon", "%d/%m/%Y")
    (datetime.date(2013, 4, 3), None)
    """
    try:
        return parse_date(value, fmt)
    except ValueError:
        return None


def _telling(values: Sequence[str], fitting: Sequence[str]) -> str:
    """A value that is another day in each format, where there is one."""
    return max(values, key=lambda value: len({read_as(value, fmt) for fmt in fitting}))


def _why_mixed(dates: Mapping[str, Sequence[Cell]], known: Mapping[str, Sequence[str]]) -> list[str]:
    said, usual = [], {}
    for name, cells in dates.items():
        counted = Counter(fmt for _line, value in cells for fmt in known[value])
        if not counted:
            continue
        fmt, most = counted.most_common(1)[0]
        usual[name] = fmt
        if most == len(cells):
            continue
        others = [(line, value) for line, value in cells if fmt not in known[value]]
        examples = ", ".join(f"«{value[:40]}» (line {line})" for line, value in others[:SHOWN])
        theirs = " or ".join(in_letters(other) for other in known[others[0][1]])
        said.append(
            f"«{name}»: {most:,} of {len(cells):,} dates are {in_letters(fmt)}, but not {examples}, which "
            f"{'is' if len(others) == 1 else 'are'} {theirs}."
        )
    if not said:
        each = ", ".join(f"«{name}» as {in_letters(fmt)}" for name, fmt in usual.items())
        said.append(f"The date columns are written in different ways: {each}.")
    return said
