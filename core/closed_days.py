"""Days on which banks and offices are closed: the public holidays of a country, and a company's own."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import holidays

from .models import Company, Holiday


@lru_cache(maxsize=512)
def public_holidays(country: str, year: int) -> frozenset[dt.date]:
    """The public holidays of a country; none where the library does not know the country."""
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def closed_for(company: Company, since: dt.date, years: int = 2) -> frozenset[dt.date]:
    """The days on which a company's banks are closed, from a day on through so many more years; one query."""
    own = frozenset(Holiday.objects.filter(company=company, on__gte=since).values_list("on", flat=True))
    return own.union(*(public_holidays(company.country, since.year + n) for n in range(years + 1)))
