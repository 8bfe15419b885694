"""What every list does: sort by a column, go page by page, hand out the filtered set as CSV."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

PAGE = 50


class Column(NamedTuple):
    """A column of a CSV file: its heading, and what a row says in it."""

    heading: str
    value: Callable[[Any], object]


def in_order(
    request: HttpRequest, rows: QuerySet[Any], orders: Mapping[str, Sequence[str]], otherwise: str
) -> tuple[QuerySet[Any], str]:
    """The rows in the order the address asks for, and its name: «due_on», or «-due_on» for the other way round."""
    asked = request.GET.get("sort", "")
    order = asked if asked.removeprefix("-") in orders else otherwise
    fields = orders[order.removeprefix("-")]
    if order.startswith("-"):
        fields = [name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in fields]
    return rows.order_by(*fields, "pk"), order


def page_of(request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], size: int = PAGE) -> Page[Any]:
    """The page the address asks for; the nearest one where it asks for none there is."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


def wants_csv(request: HttpRequest) -> bool:
    """Whether the address asks for the list as a file."""
    return request.GET.get("format") == "csv"


def as_csv(name: str, columns: Sequence[Column], rows: Iterable[Any]) -> StreamingHttpResponse:
    """The rows as a CSV file that a spreadsheet opens and nobody can hide a formula in."""

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield "\ufeff" + writer.writerow([column.heading for column in columns])
        for row in rows:
            yield writer.writerow([cell(column.value(row)) for column in columns])

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def cell(value: object) -> str:
    """A value as a cell: amounts and dates plain, a text that a spreadsheet would compute made harmless.

    >>> cell("=1+1"), cell(-5), cell(None), cell(Decimal("15.5800"))
    ("'=1+1", '-5', '', '15.58')
    """
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, (int, dt.date)):
        return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> Any:
        return line
