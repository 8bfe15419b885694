"""What a happening is, and whose are read: the words that every source of the timeline shares."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import get_language

from clients.models import Client
from core.dates import show_day
from core.models import Company
from core.money import show


@dataclass(frozen=True)
class Happening:
    """One thing that happened: a sentence about a client, the words that were said, a note on how and by whom.

    ``on`` is its business date, ``at`` the instant it was written down; ``kind`` chooses the icon and the filter;
    ``target`` is the page to open, as its kind and its id.
    """

    kind: str
    on: dt.date
    at: dt.datetime
    client: int
    client_name: str
    text: str
    quote: str = ""
    note: str = ""
    tone: str = ""
    target: tuple[str, int] | None = None


@dataclass(frozen=True)
class Scope:
    """Whose happenings are read, how many of each kind, and which of them first: the latest written, or dated."""

    company: Company
    client: Client | None
    most: int
    language: str = field(default_factory=lambda: get_language() or "en")

    def rows(self, model: Any, *related: str, via: str = "", dated: str, written: str = "-pk") -> QuerySet[Any]:
        """The rows in scope; ``via`` is the way from the row to its client."""
        way = f"{via}__client" if via else "client"
        mine = Q(**{way: self.client}) if self.client else Q(**{f"{way}__company": self.company})
        order = (f"-{dated}", "-pk") if self.client else (written,)
        rows: QuerySet[Any] = model.objects.filter(mine).select_related(way, *related).order_by(*order)
        return rows

    def money(self, amount: Decimal, currency: str) -> str:
        return show(amount, currency, self.language)

    def day(self, day: dt.date) -> str:
        return show_day(day, self.language)


def about(kind: str, client: Client, on: dt.date | None, at: dt.datetime, text: str, **more: Any) -> Happening:
    return Happening(kind, on or local_day(at, client), at, client.pk, client.name, text, **more)


def local_day(at: dt.datetime, client: Client) -> dt.date:
    return at.astimezone(client.company.zone).date()
