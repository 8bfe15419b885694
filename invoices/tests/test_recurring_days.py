"""Days that come again, as arithmetic: the first day is the anchor, whatever the months are like."""

from __future__ import annotations

import datetime as dt
import os
from calendar import monthrange

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Refused
from invoices.recurring import Period, Rule, check_places, check_rule, days_between, occurrences, period_of, said_for

DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2199, 12, 31))
RULES = st.builds(Rule, st.integers(1, 25), st.sampled_from(["week", "month", "year"]), DAYS)


def examples(n):
    return settings(max_examples=n * (50 if os.environ.get("AR_NIGHTLY") else 1), deadline=None)


def iso(days):
    return [day.isoformat() for day in days]


def test_the_thirty_first_stays_the_thirty_first():
    rule = Rule(1, "month", dt.date(2027, 10, 31))
    assert iso(occurrences(rule, rule.starts_on, 6)) == [
        "2027-10-31", "2027-11-30", "2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31",
    ]


def test_asked_from_the_middle_it_answers_as_if_counted_from_the_first_day():
    rule = Rule(1, "month", dt.date(2026, 1, 31))
    assert iso(occurrences(rule, dt.date(2026, 2, 28), 2)) == ["2026-02-28", "2026-03-31"]
    assert iso(occurrences(rule, dt.date(2026, 3, 1), 2)) == ["2026-03-31", "2026-04-30"]


@given(rule=RULES, first=DAYS, n=st.integers(0, 14))
@examples(60)
def test_days_follow_each_other_by_the_rule_and_none_is_left_out(rule, first, n):
    days = occurrences(rule, first, n)
    assert len(days) == n and days == sorted(set(days)) and all(day >= max(first, rule.starts_on) for day in days)
    for day in days:
        if rule.unit == "week":
            assert (day - rule.starts_on).days % (7 * rule.every) == 0
            continue
        months = (day.year - rule.starts_on.year) * 12 + day.month - rule.starts_on.month
        assert months % (rule.every * {"month": 1, "year": 12}[rule.unit]) == 0
        assert day.day == min(rule.starts_on.day, monthrange(day.year, day.month)[1])
    if days:
        assert days_between(rule, first, days[-1]) == days, "neither more nor fewer lie between"


@given(rule=RULES, n=st.integers(1, 30), covers=st.sampled_from(["ahead", "behind"]))
@examples(60)
def test_the_times_of_invoices_touch_and_do_not_overlap(rule, n, covers):
    *_, day, after = occurrences(rule, rule.starts_on, n + 1)
    time, following = period_of(rule, day, covers), period_of(rule, after, covers)
    assert time.first <= time.last and following.first == time.last + dt.timedelta(days=1)


@given(rule=RULES, n=st.integers(1, 20))
@examples(30)
def test_the_last_day_is_included_and_nothing_comes_after_it(rule, n):
    days = occurrences(rule, rule.starts_on, n)
    ended = Rule(rule.every, rule.unit, rule.starts_on, ends_on=days[-1])
    assert occurrences(ended, rule.starts_on, n + 5) == days


def test_days_end_with_the_calendar():
    rule = Rule(1, "year", dt.date(9997, 1, 1))
    assert iso(occurrences(rule, rule.starts_on, 12)) == ["9997-01-01", "9998-01-01", "9999-01-01"]


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        (Rule(0, "month", dt.date(2026, 1, 1)), "every"), (Rule(121, "week", dt.date(2026, 1, 1)), "every"),
        (Rule(1, "day", dt.date(2026, 1, 1)), "unit"),
        (Rule(1, "month", dt.date(2026, 1, 2), dt.date(2026, 1, 1)), "ends_on"),
    ],
)  # fmt: skip
def test_a_rule_that_names_no_day_is_refused(rule, where):
    with pytest.raises(Refused) as refused:
        check_rule(rule)
    assert refused.value.where == where


def test_places_in_a_text_are_said_in_the_language_of_the_client():
    new_year = Period(dt.date(2026, 12, 15), dt.date(2027, 1, 14))
    assert said_for("{period}", new_year, "en") == "15 December 2026 – 14 January 2027"
    assert said_for("Loyer {month}, {quarter}", new_year, "fr") == "Loyer décembre 2026, 4e trimestre 2026"
    assert said_for("{quarter} {year} { Month }", new_year, "de") == "4. Quartal 2026 2026 Dezember 2026"
    assert said_for("{quarter}", new_year, "en") == "Q4 2026" and said_for("plain", new_year, "xx") == "plain"
    with pytest.raises(Refused, match=r"\{Monat\} stands for nothing here"):
        check_places("Hosting {Monat}", "line 1")
