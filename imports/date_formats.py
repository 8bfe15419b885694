"""In which one format the dates of a file are written: never guessed, and refused where there is no one format.

Pure. A person chooses among the formats that fit every date of every column; a column that mixes them is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.dates import parse_date

from .suggestions import fits, suggest_date_formats

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
    '«due»: 2 of 3 dates are MM/DD/YYYY, but not «26/4/2013» (line 2: DD/MM/YYYY).'
    >>> formats_of({"due": [(2, "26/4/2013"), (3, "soon")]})
    Formats(fitting=('%d/%m/%Y',), mixed=(), strange=((3, 'soon'),), sample='26/4/2013')
    """
    filled = {name: [cell for cell in cells if cell[1]] for name, cells in columns.items()}
    values = list(dict.fromkeys(value for cells in filled.values() for _line, value in cells))
    fitting, no_dates, is_mixed = _fitting(values)
    strange = tuple(cell for cells in filled.values() for cell in cells if cell[1] in no_dates)
    if is_mixed:
        return Formats(mixed=tuple(_why_mixed(filled)), strange=strange)
    dates = [value for value in values if value not in no_dates]
    return Formats(tuple(fitting), strange=strange, sample=_telling(dates, fitting) if dates else "")


def _fitting(values: Iterable[str]) -> tuple[list[str], set[str], bool]:
    """The formats all dates have in common, the values that are none, and whether there is no such format."""
    common: list[str] = []
    no_dates: set[str] = set()
    for value in values:
        still = [fmt for fmt in common if fits(value, fmt)]
        if still:
            common = still
        elif own := suggest_date_formats([value]):
            if common:
                return [], no_dates, True
            common = own
        else:
            no_dates.add(value)
    return common, no_dates, False


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
    if len(fitting) == 1:
        return values[0]
    return max(values, key=lambda value: len({read_as(value, fmt) for fmt in fitting}))


def _why_mixed(columns: Mapping[str, Sequence[Cell]]) -> list[str]:
    """A sentence for each column that mixes formats, or one for columns that differ from each other."""
    said, usual = [], {}
    for name, cells in columns.items():
        known = {value: suggest_date_formats([value]) for value in dict.fromkeys(value for _line, value in cells)}
        dates = [(line, value) for line, value in cells if known[value]]
        counted = Counter(fmt for _line, value in dates for fmt in known[value])
        if not counted:
            continue
        fmt, most = counted.most_common(1)[0]
        usual[name] = fmt
        others = [(line, value) for line, value in dates if fmt not in known[value]]
        if not others:
            continue
        examples = ", ".join(
            f"«{value[:40]}» (line {line}: {' or '.join(in_letters(other) for other in known[value])})"
            for line, value in others[:SHOWN]
        )
        said.append(f"«{name}»: {most:,} of {len(dates):,} dates are {in_letters(fmt)}, but not {examples}.")
    if not said:
        each = ", ".join(f"«{name}» as {in_letters(fmt)}" for name, fmt in usual.items())
        said.append(f"The date columns are written in different ways: {each}.")
    return said
