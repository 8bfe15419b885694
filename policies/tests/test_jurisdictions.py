"""Rules here: what is shown where a client is, every one with its source."""

import datetime as dt

import pytest

from policies.jurisdictions import EU, REGIONS, TOPICS, rules_for

EVERYWHERE = [(country, "") for country in sorted(EU | {"CH", "GB", "US"})]
EVERYWHERE += [("US", state) for state in REGIONS["US"].values()] + [("GB", "Scotland")]


def said(country, topic, region=""):
    return " ".join(rule.says for rule in rules_for(country, region) if rule.topic == topic)


@pytest.mark.parametrize(("country", "region"), EVERYWHERE)
def test_every_rule_says_something_and_where_it_stands(country, region):
    rules = rules_for(country, region)
    assert {"interest", "limitation"} & {rule.topic for rule in rules}
    for rule in rules:
        assert rule.topic in TOPICS and rule.source and "|" not in rule.says
        assert rule.says.endswith(".") and dt.date(2020, 1, 1) <= rule.as_of
    assert [list(TOPICS).index(rule.topic) for rule in rules] == sorted(list(TOPICS).index(r.topic) for r in rules)


@pytest.mark.parametrize("country", sorted(EU))
def test_a_member_of_the_eu_has_interest_compensation_and_the_european_courts(country):
    assert "40" in said(country, "compensation")
    assert said(country, "interest").count("above") >= 1
    assert "Across a border" in said(country, "small_claims")


def test_a_rule_of_its_own_takes_the_place_of_the_european_one():
    assert "9 percentage points" in said("DE", "interest") and "At least 8" not in said("DE", "interest")
    assert "At least 8" in said("PL", "interest")
    assert len([rule for rule in rules_for("IE") if rule.topic == "interest"]) == 1


def test_the_steps_of_the_british_compensation_are_those_of_the_act():
    assert "GBP 40 below 1,000, GBP 70 below 10,000, GBP 100 from 10,000" in said("GB", "compensation")


def test_a_region_has_courts_and_periods_of_its_own():
    assert "5,000" in said("GB", "small_claims", "Scotland") and "10,000" in said("GB", "small_claims", "Kent")
    assert said("GB", "small_claims", "Northern Ireland") == ""
    assert said("US", "small_claims", "California") == said("US", "small_claims", "ca") != ""
    assert "USD 6,250" in said("US", "small_claims", "CA") and said("US", "small_claims", "Utah") == ""
    both = said("US", "limitation", "CA")
    assert "Sale of goods" in both and "4 years on a written" in both


def test_of_a_place_nobody_knows_nothing_is_claimed():
    assert rules_for("ZZ") == rules_for("") == []
