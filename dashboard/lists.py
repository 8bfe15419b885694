"""What every list does: sort by a column, go page by page, hand out the filtered set as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from core.csvfile import lines

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
    """The rows as a CSV file that a spreadsheet opens, with a mark that says it is UTF-8."""
    body = lines([column.heading for column in columns], ([c.value(row) for c in columns] for row in rows))
    answer = StreamingHttpResponse(chain(["\ufeff"], body), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer
