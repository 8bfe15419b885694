"""Figures as rows of a CSV file; what a cell may hold is core.csvfile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from core.csvfile import lines
from core.money import plain
from invoices.aging import BUCKETS

from .aging import Aging, ClientAging
from .figures import Today

AMOUNTS = (*BUCKETS, "unapplied", "total", "charges")


def aging_csv(by_client: Mapping[str, Sequence[ClientAging]]) -> Iterator[str]:
    """Aging with a row per client and currency, amounts with the currency's own places."""
    header = ("currency", "client", "name", *AMOUNTS, "open_count", "overdue_count")
    rows = (
        (currency, one.number, one.name, *_amounts(one), one.open_count, one.overdue_count)
        for currency, clients in by_client.items()
        for one in clients
    )
    return lines(header, rows)


def today_csv(figures: Today) -> Iterator[str]:
    """The key figures with a row per currency; an empty cell where a figure is not defined."""
    header = (
        "on", "currency", "overdue", "overdue_a_week_ago", "dso", "dso_last_month", "promised", "broken", "collected",
        "expected", *AMOUNTS,
    )  # fmt: skip
    rows = (
        (
            figures.on, one.currency, plain(one.aging.overdue, one.currency), plain(one.overdue_week_ago, one.currency),
            one.dso, one.dso_last_month, plain(one.promised, one.currency), plain(one.broken, one.currency),
            plain(one.collected, one.currency), plain(one.expected, one.currency), *_amounts(one.aging),
        )
        for one in figures.standings
    )
    return lines(header, rows)


def _amounts(one: Aging) -> list[str]:
    amounts = [*one.buckets.values(), one.unapplied, one.total, one.charges]
    return [plain(amount, one.currency) for amount in amounts]
