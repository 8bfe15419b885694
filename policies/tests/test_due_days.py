"""On which days an invoice falls due, for every way of counting; what terms are refused, and what they say."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.dates import is_business_day, month_end
from core.errors import Refused
from policies.terms import (
    Instalment,
    TermsRule,
    check_rule,
    due_days,
    due_words,
    early_words,
    later_words,
    longest_days,
    part_words,
    terms_words,
)

EXAMPLES = settings(
    max_examples=500 if os.environ.get("AR_NIGHTLY") else 50, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2040, 12, 31))
HOLIDAYS = frozenset(dt.date(y, month, day) for y in range(2020, 2043) for month, day in [(1, 1), (5, 1), (12, 25)])
HALVES = (Instalment(Decimal(50), 14), Instalment(Decimal(50), 30))
RULES = st.builds(
    TermsRule, net_days=st.integers(1, 120), rule=st.sampled_from(["net", "month_end", "day_of_month"]),
    day_of_month=st.integers(1, 31), shift=st.sampled_from(["", "next", "previous"]),
)


@EXAMPLES
@given(RULES, DAYS)
def test_an_invoice_falls_due_after_its_day_and_on_a_business_day_where_the_terms_say_so(rule, issued_on):
    (part,) = due_days(rule, issued_on, HOLIDAYS).parts
    plain = due_days(replace(rule, shift=""), issued_on).last
    assert part.due_on > issued_on and part.percent == 100
    assert longest_days(rule, issued_on) == (plain - issued_on).days
    if rule.shift:
        assert is_business_day(part.due_on, HOLIDAYS)
        assert abs(part.due_on - plain) <= dt.timedelta(days=6)
        between = sorted([plain, part.due_on])
        skipped = [plain + dt.timedelta(days=n) for n in range(-6, 7)]
        passed = [day for day in skipped if between[0] <= day <= between[1] and day not in (plain, part.due_on)]
        assert not any(is_business_day(day, HOLIDAYS) for day in passed)


@EXAMPLES
@given(st.integers(1, 90), st.integers(1, 31), DAYS)
def test_a_fixed_day_is_the_first_such_day_that_leaves_the_days_given(net_days, day_of_month, issued_on):
    due_on = due_days(TermsRule(net_days, "day_of_month", day_of_month), issued_on).last
    assert due_on.day == min(day_of_month, month_end(due_on).day)
    earliest = issued_on + dt.timedelta(days=net_days)
    before = [earliest + dt.timedelta(days=n) for n in range((due_on - earliest).days)]
    assert due_on >= earliest and not any(day.day == min(day_of_month, month_end(day).day) for day in before)


@EXAMPLES
@given(st.integers(1, 90), DAYS)
def test_days_after_the_end_of_the_month_are_the_same_for_every_day_of_it(net_days, issued_on):
    rule = TermsRule(net_days, "month_end")
    assert due_days(rule, issued_on).last == due_days(rule, issued_on.replace(day=1)).last
    assert due_days(rule, issued_on).last - month_end(issued_on) == dt.timedelta(days=net_days)


@EXAMPLES
@given(
    st.lists(st.integers(1, 60), min_size=2, max_size=5, unique=True),
    st.sampled_from(["", "next", "previous"]), DAYS, st.integers(0, 40),
)
def test_instalments_come_in_order_after_the_deposit_and_to_the_whole(days, shift, issued_on, deposit):
    days = sorted(day + 7 for day in days)
    share = Decimal(100 - deposit) / len(days)
    shares = [share.quantize(Decimal("0.001"))] * (len(days) - 1)
    parts = tuple(Instalment(*one) for one in zip([*shares, 100 - deposit - sum(shares)], days, strict=True))
    rule = TermsRule(
        days[-1], shift=shift, parts=parts, deposit_percent=Decimal(deposit), deposit_days=5 if deposit else None
    )
    due = due_days(rule, issued_on, HOLIDAYS)
    assert [part.kind for part in due.parts] == ["deposit"] * bool(deposit) + ["part"] * len(parts)
    assert sum(part.percent for part in due.parts) == 100
    assert sorted(due.parts, key=lambda part: part.due_on) == list(due.parts)
    assert issued_on < due.first <= due.last and longest_days(rule, issued_on) == days[-1]


def test_the_business_day_before_never_reaches_the_day_of_issue():
    friday = dt.date(2026, 11, 20)
    assert due_days(TermsRule(1, shift="previous"), friday).last == dt.date(2026, 11, 23)
    assert due_days(TermsRule(2, shift="previous"), friday - dt.timedelta(days=1)).last == friday


def test_a_deposit_comes_first_and_the_rest_as_the_terms_say():
    rule = TermsRule(10, "month_end", deposit_percent=Decimal(30), deposit_days=7)
    due = due_days(rule, dt.date(2026, 11, 21))
    assert due.parts == (("deposit", dt.date(2026, 11, 28), 30), ("part", dt.date(2026, 12, 10), 70))
    late = due_days(replace(rule, net_days=1), dt.date(2026, 11, 30))
    assert late.first == late.last == dt.date(2026, 12, 1)


def test_a_discount_ends_no_later_than_the_invoice_is_due():
    rule = TermsRule(1, "month_end", discount_percent=Decimal(2), discount_days=10)
    assert due_days(rule, dt.date(2026, 11, 2)).discount_until == dt.date(2026, 11, 12)
    assert due_days(rule, dt.date(2026, 11, 28)).discount_until == dt.date(2026, 12, 1)


@pytest.mark.parametrize(
    ("rule", "where", "says"),
    [
        (TermsRule(0), "terms", "at least one day"),
        (TermsRule(366), "net_days", "at most 365"),
        (TermsRule(5, "day_of_month"), "day_of_month", "which day of the month"),
        (TermsRule(5, "day_of_month", 32), "day_of_month", "which day of the month"),
        (TermsRule(30, "month_end", parts=HALVES), "rule", "count from the day of the invoice"),
        (TermsRule(30, parts=(*HALVES, Instalment(Decimal(1), 40))), "parts", "come to 101 %"),
        (TermsRule(30, parts=HALVES, deposit_percent=Decimal(10), deposit_days=7), "parts", "come to 110 %"),
        (TermsRule(30, parts=tuple(reversed(HALVES))), "parts", "later than the one before"),
        (TermsRule(30, parts=(HALVES[0], HALVES[0])), "parts", "later than the one before"),
        (TermsRule(30, parts=(Instalment(Decimal(100), 0),)), "parts", "at least one day"),
        (TermsRule(14, deposit_percent=Decimal(30)), "deposit_days", "within how many days"),
        (TermsRule(14, deposit_percent=Decimal(30), deposit_days=14), "deposit_days", "fewer than 14"),
        (TermsRule(14, deposit_percent=Decimal(100), deposit_days=2), "deposit_percent", "between 0 and 99"),
        (TermsRule(14, discount_percent=Decimal(2)), "discount_days", "and the days"),
        (TermsRule(14, discount_days=7), "discount_percent", "and the days"),
        (TermsRule(14, discount_percent=Decimal(2), discount_days=14), "discount_days", "fewer than 14"),
        (TermsRule(14, discount_percent=Decimal(51), discount_days=7), "discount_percent", "at most 50"),
        (TermsRule(30, parts=HALVES, discount_percent=Decimal(2), discount_days=7), "discount_percent", "single due"),
    ],
)
def test_terms_that_name_no_day_or_do_not_add_up_are_refused_at_their_field(rule, where, says):
    with pytest.raises(Refused, match=says) as refused:
        check_rule(rule)
    assert refused.value.where == where


def test_what_a_client_reads_on_screen_and_on_paper_is_in_every_language():
    issued, due = dt.date(2026, 11, 21), dt.date(2026, 12, 5)
    assert due_words(due, issued, "en") == "Due in 14 days — by 5 December 2026"
    assert terms_words(issued, due, "en") == "14 days from 21 November — by 5 December 2026"
    says = {
        language: (
            part_words("deposit", 0, 2, language), part_words("part", 2, 2, language),
            part_words("part", 1, 1, language), later_words(Decimal(500), "EUR", due, language),
            early_words(Decimal("2.500"), Decimal(24), "EUR", due, language),
        )
        for language in ("en", "de", "fr")
    }
    plain = {
        language: [words.replace("\u00a0", " ").replace("\u202f", " ") for words in all_]
        for language, all_ in says.items()
    }
    assert plain["en"] == [
        "Deposit", "Instalment 2 of 2", "Balance", "Not yet due: €500.00, by 5 December 2026",
        "2.5 % discount, €24.00, if paid by 5 December 2026",
    ]
    assert plain["de"] == [
        "Anzahlung", "2. Rate von 2", "Restbetrag", "Noch nicht fällig: 500,00 €, bis zum 5. Dezember 2026",
        "2,5 % Skonto, 24,00 €, bei Zahlung bis zum 5. Dezember 2026",
    ]
    assert plain["fr"] == [
        "Acompte", "Échéance 2 sur 2", "Solde", "Pas encore dû : 500,00 €, au plus tard le 5 décembre 2026",
        "2,5 % d’escompte, 24,00 €, pour un paiement au plus tard le 5 décembre 2026",
    ]
