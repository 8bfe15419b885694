"""Rates as data: what percentage applies from which day, and where it was published. No rate is written in code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from core.dates import add_months, half_year, half_year_start
from core.errors import Refused
from policies.interest import percent_at, up_to


class MissingRate(Refused):
    """A rate is not in our tables. It is never carried forward from the half-year before."""

    def __init__(self, series: str, period: str) -> None:
        super().__init__(
            f"There is no rate of «{series}» for {period}. Enter it with its source before interest is worked out.",
            code="missing_rate",
            where=f"{series} {period}",
        )
        self.series = series
        self.period = period


@dataclass(frozen=True)
class RateStep:
    """From this day on (the day included) so many percent a year, as published by the source."""

    from_on: date
    percent: Decimal
    source: str


@dataclass(frozen=True)
class RateSeries:
    """A reference rate published per half-year, such as the ECB's or the Basiszinssatz.

    `values` is keyed «2026-H1». A series published only when it changes is `persistent`: a value holds until the
    next, but no further than `valid_through`, the last half-year somebody has checked. `sources` says by half-year
    where the value was published.
    """

    code: str
    values: Mapping[str, Decimal]
    persistent: bool = False
    valid_through: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)

    def percent_on(self, day: date) -> Decimal:
        """The reference rate of a day's half-year; MissingRate where it is not known.

        >>> RateSeries("ecb", {"2026-H1": Decimal("2.15")}).percent_on(date(2026, 7, 1))
        Traceback (most recent call last):
        ...
        invoices.rates.MissingRate: There is no rate of «ecb» for 2026-H2. Enter it with its source before ...
        """
        period = half_year(day)
        if period in self.values:
            return self.values[period]
        if self.persistent and period <= self.valid_through:
            earlier = [known for known in self.values if known < period]
            if earlier:
                return self.values[max(earlier)]
        raise MissingRate(self.code, period)


def contract_rate(percent: Decimal, source: str = "contract") -> tuple[RateStep, ...]:
    """One percentage for the whole time, as the contract names it.

    >>> contract_rate(Decimal(12))[0].percent
    Decimal('12')
    """
    return (RateStep(date.min, percent, source),)


def rates_of_series(
    series: RateSeries,
    margin: Decimal,
    start: date,
    until: date,
    *,
    which: Literal["split", "fixed"] = "split",
    reference_up_to: Decimal | None = None,
) -> tuple[RateStep, ...]:
    """Reference rate plus margin over a time: anew at each half-year, or fixed by the day interest starts to run.

    `reference_up_to`: the reference is first rounded up to the next multiple (FI and BE: 0.5). Never below zero,
    however far below zero the reference is. MissingRate where one of the half-years is not known.

    >>> ecb = RateSeries("ecb", {"2025-H1": Decimal("3.15"), "2025-H2": Decimal("2.15")})
    >>> steps = rates_of_series(ecb, Decimal(8), date(2025, 6, 1), date(2025, 7, 5))
    >>> [(str(step.from_on), str(step.percent)) for step in steps]
    [('2025-01-01', '11.15'), ('2025-07-01', '10.15')]
    >>> rates_of_series(ecb, Decimal(8), date(2025, 6, 1), date(2025, 6, 2), reference_up_to=Decimal("0.5"))[0].percent
    Decimal('11.5')
    """
    steps = []
    day = half_year_start(start)
    while day <= (until if which == "split" else start):
        reference = up_to(series.percent_on(day), reference_up_to)
        said = f"{series.code} {half_year(day)} {reference:f} + {margin:f}"
        if published := series.sources.get(half_year(day)):
            said += f" ({published})"
        steps.append(RateStep(day, percent_at(reference, margin), said))
        day = add_months(day, 6)
    return tuple(steps)


def rate_on(rates: Iterable[RateStep], day: date) -> RateStep:
    """The rate of a day: the latest that began on or before it; MissingRate where none had begun.

    >>> rate_on(contract_rate(Decimal(9)), date(2026, 1, 1)).source
    'contract'
    """
    begun = [step for step in rates if step.from_on <= day]
    if not begun:
        raise MissingRate("the rates given", half_year(day))
    return max(begun, key=lambda step: step.from_on)
