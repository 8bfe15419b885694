"""Numbers without gaps: taken from a counter's row in the transaction that uses them."""

from __future__ import annotations

import datetime as dt

from django.db.models import F

from core.models import Company
from invoices.models import Series

MARKS = {"invoice": "", "pro_forma": "PF-", "credit_note": "CN-", "receipt": "R-"}


def next_number(company: Company, on: dt.date, kind: str = "invoice") -> tuple[Series, int]:
    """The next number of a company's series of that kind for the year, as its row and the number itself.

    Take it last: its row stays locked until the transaction ends, and a transaction that fails gives it back.
    """
    series, _ = Series.objects.get_or_create(
        company=company, kind=kind, year=on.year,
        defaults={"prefix": f"{company.code.upper()}-{MARKS[kind]}{on.year}-"},
    )
    Series.objects.filter(pk=series.pk).update(last=F("last") + 1)
    series.refresh_from_db()
    return series, series.last


def as_number(series: Series, seq: int) -> str:
    """A number as it is printed, such as LO-2026-0147."""
    return f"{series.prefix}{seq:0{series.width}d}"
