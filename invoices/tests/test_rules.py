"""Which rule holds on a day, and at which percentages: shipped by code, added as rows, never carried forward."""

import datetime as dt
from decimal import Decimal

import pytest

from core.errors import Refused
from invoices.interest import Rule
from invoices.rates import MissingRate
from invoices.services.rules import rates_for, rule_of
from policies.interest import RULES
from policies.models import InterestRule, ReferenceRate

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 2, 1)


def rate(series: str, period: str, percent: str) -> ReferenceRate:
    year, half = int(period[:4]), period[-1]
    begins, ends = (dt.date(year, 1, 1), dt.date(year, 6, 30)) if half == "1" else (
        dt.date(year, 7, 1), dt.date(year, 12, 31)
    )  # fmt: skip
    return ReferenceRate.objects.create(
        series=series, from_on=begins, valid_through=ends, percent=Decimal(percent), source="the bank", entered_by="x"
    )


def version(code: str, since: dt.date, **facts) -> InterestRule:
    return InterestRule.objects.create(code=code, effective_from=since, title=f"{code} of {since}", source="x", **facts)


def percents(rule: Rule, start: dt.date, until: dt.date) -> list[tuple[str, str]]:
    steps = rates_for(rule, invoice_percent=None, start=start, until=until)
    return [(step.from_on.isoformat(), f"{step.percent:f}") for step in steps]


def test_a_rule_shipped_by_code_needs_no_row():
    assert [rule_of(code, DAY) for code in RULES] == list(RULES.values())
    assert list(RULES) == ["EU", "DE-B2B", "DE-B2C", "FR", "FI", "UK", "CONTRACT", "NONE"]
    assert all(rule.title and rule.source for rule in RULES.values())


def test_a_row_of_its_code_takes_its_place_from_its_day_on_and_the_latest_begun_holds():
    version("DE-B2B", DAY, series="de_basiszins", margin=Decimal("9.5"), compensation=[["0", "40"], ["1000", "60"]],
            compensation_currency="EUR", first="interest")  # fmt: skip
    version("DE-B2B", DAY + dt.timedelta(30), percent=Decimal("11.25"))
    assert rule_of("DE-B2B", DAY - dt.timedelta(1)) == RULES["DE-B2B"]
    first = rule_of("DE-B2B", DAY + dt.timedelta(29))
    assert (f"{first.margin:f}", first.first, first.title) == ("9.5", "interest", f"DE-B2B of {DAY}")
    assert first.compensation_for(Decimal(1000), "EUR") == 60
    later = rule_of("DE-B2B", DAY + dt.timedelta(30))
    assert percents(later, DAY, DAY) == [("0001-01-01", "11.25")]


def test_a_code_without_a_rule_is_refused_by_its_name():
    with pytest.raises(Refused, match="no rule of late interest «NO»") as refused:
        rule_of("NO", DAY)
    assert refused.value.code == "no_rule"
    version("NO", DAY, percent=Decimal(12))
    with pytest.raises(Refused, match="«NO» begins on 2026-02-01, after 2026-01-31"):
        rule_of("NO", DAY - dt.timedelta(1))
    assert rule_of("NO", DAY).percent == 12


def test_the_reference_rate_of_every_half_year_and_the_margin():
    rate("ecb_mro_reference", "2025-H1", "3.15")
    rate("ecb_mro_reference", "2025-H2", "2.15")
    over = dt.date(2025, 6, 30), dt.date(2025, 7, 1)
    assert percents(RULES["EU"], *over) == [("2025-01-01", "11.15"), ("2025-07-01", "10.15")]
    assert percents(RULES["FR"], *over) == [("2025-01-01", "13.15"), ("2025-07-01", "12.15")]
    assert percents(RULES["FI"], *over) == [("2025-01-01", "11.5"), ("2025-07-01", "10.5")]
    steps = rates_for(RULES["EU"], invoice_percent=None, start=over[0], until=over[0])
    assert [step.source for step in steps] == ["ecb_mro_reference 2025-H1 3.15 + 8 (the bank)"]


def test_beyond_the_last_row_the_series_and_the_half_year_are_named():
    rate("de_basiszins", "2025-H2", "1.27")
    assert percents(RULES["DE-B2C"], dt.date(2025, 12, 31), dt.date(2025, 12, 31)) == [("2025-07-01", "6.27")]
    with pytest.raises(MissingRate, match="«de_basiszins» for 2026-H1") as missing:
        percents(RULES["DE-B2B"], dt.date(2025, 12, 31), dt.date(2026, 1, 1))
    assert missing.value.where == "de_basiszins 2026-H1"
    with pytest.raises(MissingRate, match="2025-H1"):
        percents(RULES["DE-B2B"], dt.date(2025, 6, 30), dt.date(2025, 7, 1))


def test_a_rate_fixed_when_interest_starts_needs_no_later_row():
    rate("boe_reference", "2025-H1", "4.75")
    assert percents(RULES["UK"], dt.date(2025, 6, 30), dt.date(2027, 1, 1)) == [("2025-01-01", "12.75")]
    with pytest.raises(MissingRate, match="«boe_reference» for 2025-H2"):
        percents(RULES["UK"], dt.date(2025, 7, 1), dt.date(2027, 1, 1))


def test_a_row_that_begins_within_a_half_year_does_not_hold_for_it():
    ReferenceRate.objects.create(series="ecb_mro_reference", from_on=dt.date(2026, 2, 1), valid_through=dt.date(
        2026, 12, 31), percent=Decimal(3), source="x", entered_by="x")  # fmt: skip
    with pytest.raises(MissingRate, match="2026-H1"):
        percents(RULES["EU"], dt.date(2026, 3, 1), dt.date(2026, 7, 1))
    assert percents(RULES["EU"], dt.date(2026, 7, 1), dt.date(2026, 7, 1)) == [("2026-07-01", "11")]


def test_a_withdrawn_row_is_none():
    row = rate("de_basiszins", "2026-H1", "1.27")
    ReferenceRate.objects.filter(pk=row.pk).update(withdrawn_at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    with pytest.raises(MissingRate):
        percents(RULES["DE-B2B"], DAY, DAY)


def test_the_terms_speak_where_the_rule_names_no_rate():
    steps = rates_for(RULES["CONTRACT"], invoice_percent=Decimal(9), start=DAY, until=DAY, source="terms of 2026-1")
    assert [(step.percent, step.source) for step in steps] == [(9, "terms of 2026-1")]
    with pytest.raises(MissingRate, match="«contract» for 2026-H1"):
        rates_for(RULES["CONTRACT"], invoice_percent=None, start=DAY, until=DAY)
    assert [step.percent for step in rates_for(RULES["NONE"], invoice_percent=None, start=DAY, until=DAY)] == [0]


def test_a_reference_far_below_zero_leaves_a_rate_of_zero():
    rate("x", "2026-H1", "-9.5")
    assert percents(Rule("X", series="x", margin=Decimal(9)), DAY, DAY) == [("2026-01-01", "0")]
