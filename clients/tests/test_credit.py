"""The credit policy applied to what was found out: the strictest rule decides, and every rule says what it saw."""

import datetime as dt
import os
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.credit import MILDEST_FIRST, CheckFacts, Finding, History, PolicyFacts, decide, score_percent

ON = dt.date(2026, 11, 18)
EXAMPLES = 500 if os.environ.get("AR_NIGHTLY") else 60
POLICY = PolicyFacts(
    accept_score=70, stricter_score=45, prepayment_score=25, starting_limit=Decimal(5000), stricter_days=14,
    stricter_limit_percent=50, deposit_percent=20,
    flag_outcomes={"insolvency": "decline", "court_record": "prepayment", "young_company": "stricter"},
)  # fmt: skip


def check(score="80", *, flags=(), until=None, **facts):
    findings = [Finding(flag, "Agency", ON) for flag in flags]
    score = None if score is None else Decimal(score)
    return CheckFacts("Agency", ON - dt.timedelta(days=30), until or ON, score, findings=findings, **facts)


def decided(facts, **history):
    return decide(facts, POLICY, History(**history), currency="EUR", on=ON)


@pytest.mark.parametrize(
    ("score", "outcome"),
    [("100", "accept"), ("70", "accept"), ("69.99", "stricter"), ("45", "stricter"), ("44.9", "prepayment"),
     ("25", "prepayment"), ("24.9", "decline"), ("0", "decline"), (None, "stricter")],
)  # fmt: skip
def test_the_score_decides_at_its_edges(score, outcome):
    answer = decided(check(score))
    assert answer.outcome == outcome
    assert [rule.code for rule in answer.decisive() if rule.code == "score"] == ["score"]


def test_a_scale_that_runs_downwards_is_read_from_its_worst_end():
    assert score_percent(Decimal(100), Decimal(600), Decimal(100)) == 100
    good = decided(check("220", scale_low=Decimal(600), scale_high=Decimal(100)))
    poor = decided(check("520", scale_low=Decimal(600), scale_high=Decimal(100)))
    assert (good.outcome, poor.outcome) == ("accept", "decline")
    assert "220 on 600 to 100: 76.0 %" in [rule.saw for rule in good.rules if rule.code == "score"]


def test_without_a_valid_check_nothing_better_than_stricter_terms():
    expired = check("99", until=ON - dt.timedelta(days=1))
    for facts in (None, expired):
        answer = decided(facts)
        assert answer.outcome == "stricter"
        assert [rule.code for rule in answer.decisive()] == ["valid_check"]


def test_a_flag_counts_even_where_its_check_is_no_longer_valid():
    assert decided(check("99", flags=["insolvency"], until=ON - dt.timedelta(days=9))).outcome == "decline"


def test_the_strictest_rule_decides_and_is_named():
    answer = decided(check("60", flags=["young_company", "court_record"]))
    assert answer.outcome == "prepayment"
    assert [rule.code for rule in answer.decisive()] == ["flag_court_record"]
    assert {rule.code for rule in answer.rules} == {"valid_check", "score", "flag_young_company", "flag_court_record"}


def test_who_recommends_no_limit_advises_against_credit():
    answer = decided(check("90", recommended_limit=Decimal(0)))
    assert (answer.outcome, answer.decisive()[0].code) == ("prepayment", "no_limit_recommended")


def test_a_check_alone_never_lifts_the_limit():
    generous = check("90", recommended_limit=Decimal(40000))
    assert decided(generous).limit == 5000
    assert decided(generous, current_limit=Decimal(12000)).limit == 12000
    assert decided(generous, current_limit=Decimal(100)).limit == 100  # a review, or a person, had cut it
    assert decided(check("90", recommended_limit=Decimal(3000)), current_limit=Decimal(12000)).limit == 3000
    assert decided(check("90"), current_limit=Decimal(12000)).limit == 12000
    assert decided(check("90")).limit == 5000


def test_stricter_terms_shorten_the_days_halve_the_limit_and_ask_a_deposit():
    answer = decided(check("50", recommended_limit=Decimal("4000.01")), usual_days=30)
    assert (answer.terms_days, answer.limit, answer.deposit_percent) == (14, Decimal("2000.00"), 20)
    assert decided(check("50"), usual_days=7).terms_days == 7
    sums = {rule.code: (rule.saw, rule.needs) for rule in answer.rules}
    assert sums["stricter_limit"] == ("50 % of 4000.01", "2000.00 EUR")


def test_what_a_person_decides_otherwise_leaves_the_words_of_the_policy():
    answer = decide(check("10"), POLICY, History(), currency="EUR", on=ON, instead="accept")
    assert (answer.outcome, answer.limit) == ("accept", 5000)
    assert [rule.saw for rule in answer.decisive()] == ["by policy: decline"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    better=st.integers(0, 100), worse=st.integers(0, 100), flags=st.sets(st.sampled_from(list(POLICY.flag_outcomes))),
    current=st.none() | st.integers(0, 10**6), recommended=st.none() | st.integers(1, 10**6),
)  # fmt: skip
def test_a_worse_score_or_one_more_flag_is_never_answered_more_mildly(better, worse, flags, current, recommended):
    better, worse = max(better, worse), min(better, worse)
    history = {"current_limit": None if current is None else Decimal(current)}
    advice = None if recommended is None else Decimal(recommended)
    good = decided(check(better, recommended_limit=advice), **history)
    bad = decided(check(worse, flags=flags, recommended_limit=advice), **history)
    assert MILDEST_FIRST.index(bad.outcome) >= MILDEST_FIRST.index(good.outcome)
    if bad.limit is not None and good.limit is not None:
        assert bad.limit <= good.limit <= (5000 if current is None else current)
