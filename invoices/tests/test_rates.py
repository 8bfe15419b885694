from datetime import date
from decimal import Decimal

import pytest

from invoices.interest import Claim, Rule, late_interest
from invoices.rates import MissingRate, RateSeries, RateStep, contract_rate, rate_on, rates_of_series

ECB = RateSeries(
    "ecb",
    {"2020-H1": Decimal(0), "2024-H2": Decimal("4.25"), "2025-H1": Decimal("3.15"), "2025-H2": Decimal("2.15"),
     "2026-H1": Decimal("2.15")},
)
BASE = RateSeries(
    "base", {"2023-H1": Decimal("1.62"), "2024-H1": Decimal("3.62")}, persistent=True, valid_through="2025-H1"
)


@pytest.mark.parametrize(
    ("series", "margin", "day", "up_to", "percent"),
    [
        (ECB, "8", date(2024, 7, 1), None, "12.25"),  # NL-01 and IT-01: 2024-H2
        (ECB, "8", date(2020, 3, 1), None, "8.0"),  # ES-01: 2020-H1
        (ECB, "8", date(2025, 2, 1), "0.5", "11.5"),  # FI-02: 3.15 is first rounded up to 3.5
        (RateSeries("ppa", {"2026-H1": Decimal("4.125")}), "0", date(2026, 1, 31), None, "4.125"),  # US-03
    ],
)
def test_a_statutory_rate_is_the_reference_of_the_half_year_plus_the_margin(
    series: RateSeries, margin: str, day: date, up_to: str | None, percent: str
) -> None:
    steps = rates_of_series(series, Decimal(margin), day, day, reference_up_to=Decimal(up_to) if up_to else None)
    assert [step.percent for step in steps] == [Decimal(percent)]


def test_the_rate_changes_with_the_half_year_where_the_law_splits() -> None:
    steps = rates_of_series(ECB, Decimal(8), date(2025, 6, 30), date(2026, 1, 1))
    assert [(step.from_on, step.percent) for step in steps] == [
        (date(2025, 1, 1), Decimal("11.15")),
        (date(2025, 7, 1), Decimal("10.15")),
        (date(2026, 1, 1), Decimal("10.15")),
    ]
    assert steps[0].source == "ecb 2025-H1 3.15 + 8"


def test_the_rate_stays_where_the_law_fixes_it_on_the_first_day() -> None:
    steps = rates_of_series(ECB, Decimal(8), date(2025, 6, 30), date(2027, 1, 1), which="fixed")
    assert [step.percent for step in steps] == [Decimal("11.15")]


def test_a_missing_half_year_is_named_and_the_one_before_is_not_carried_forward() -> None:
    with pytest.raises(MissingRate, match="«ecb» for 2026-H2") as missing:
        rates_of_series(ECB, Decimal(8), date(2026, 6, 1), date(2026, 7, 1))
    assert (missing.value.code, missing.value.where) == ("missing_rate", "ecb 2026-H2")
    assert (missing.value.series, missing.value.period) == ("ecb", "2026-H2")


def test_a_series_published_on_change_holds_until_the_last_half_year_that_was_checked() -> None:
    assert BASE.percent_on(date(2023, 12, 31)) == Decimal("1.62")
    assert BASE.percent_on(date(2025, 6, 30)) == Decimal("3.62")
    for unknown in (date(2025, 7, 1), date(2022, 12, 31)):
        with pytest.raises(MissingRate):
            BASE.percent_on(unknown)


def test_the_latest_rate_that_has_begun_applies() -> None:
    steps = (RateStep(date(2026, 7, 1), Decimal(2), "b"), *contract_rate(Decimal(1)))
    assert rate_on(steps, date(2026, 6, 30)).percent == 1
    assert rate_on(steps, date(2026, 7, 1)).percent == 2


def test_a_debt_over_a_change_of_the_year_bears_both_rates() -> None:
    """10,000 due 15 April, paid 20 August: 76 days at the one rate and 51 at the other."""
    series = RateSeries("x", {"2026-H1": Decimal("2.15"), "2026-H2": Decimal("2.40")})
    rates = rates_of_series(series, Decimal(8), date(2026, 4, 16), date(2026, 8, 20))
    claim = Claim(Decimal(10000), "EUR", date(2026, 4, 15))
    assert late_interest(claim, date(2026, 8, 20), rates, Rule("X", series="x")).total == Decimal("356.66")
