"""By which rule, and at which percentages, late interest is worked out; what the pure arithmetic is handed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from core.dates import add_months, half_year, half_year_start
from invoices.interest import Rule
from invoices.rates import MissingRate, RateSeries, RateStep, contract_rate, rates_of_series
from policies.models import ReferenceRate
from policies.services.rates import rule_of

__all__ = ["rates_for", "rule_of", "series_between"]


def rates_for(
    rule: Rule, *, invoice_percent: Decimal | None, start: dt.date, until: dt.date, source: str = "contract"
) -> tuple[RateStep, ...]:
    """The percentages a year of a rule from the day interest starts to run to a later day, each with its source.

    The rule's own percentage, or its reference rate plus margin as published for every half-year (or for that of
    ``start`` alone, where the rule fixes it then), or what the terms of the invoice say (``invoice_percent``, with
    ``source``). MissingRate, naming series and half-year, where no rate is entered: none is carried forward.
    """
    if not rule.charges:
        return contract_rate(Decimal(0), rule.title)
    if rule.percent is not None:
        return contract_rate(rule.percent, f"{rule.code}: {rule.source}" if rule.source else rule.code)
    if rule.series:
        last = start if rule.which_half_year == "fixed" else max(until, start)
        series = series_between(rule.series, start, last)
        return rates_of_series(
            series, rule.margin, start, last, which=rule.which_half_year, reference_up_to=rule.reference_up_to
        )
    if invoice_percent is None:
        raise MissingRate("contract", half_year(start))
    return contract_rate(invoice_percent, source)


def series_between(code: str, start: dt.date, until: dt.date) -> RateSeries:
    """A reference rate as entered, by the half-years from one day to another; those not entered are left out.

    The rate of a half-year is the one in force on its first day.
    """
    first = half_year_start(start)
    rows = list(ReferenceRate.objects.standing().filter(series=code, from_on__lte=until, valid_through__gte=first))
    values, sources, day = {}, {}, first
    while day <= until:
        row = next((row for row in rows if row.covers(day)), None)
        if row is not None:
            values[half_year(day)] = Decimal(f"{row.percent.normalize():f}")
            sources[half_year(day)] = row.source
        day = add_months(day, 6)
    return RateSeries(code, values, sources=sources)
