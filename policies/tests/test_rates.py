"""Reference rates and rules: entered with their source, checked by a second person, withdrawn, never edited."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from audit.models import Event
from core.errors import Refused
from policies.interest import RULES, Rule, check_rule
from policies.models import InterestRule, Policy, ReferenceRate
from policies.services import (
    add_interest_rule,
    add_rate,
    check_rate,
    missing_rows,
    rule_of,
    withdraw_rate,
)
from policies.services.rates import warning_about
from tests.cast import TODAY

pytestmark = pytest.mark.django_db
H1 = (dt.date(2026, 1, 1), dt.date(2026, 6, 30))
H2 = (dt.date(2026, 7, 1), dt.date(2026, 12, 31))
DAY = dt.timedelta(1)


def enter(percent="2.15", begins=H1[0], ends=H1[1], *, series="ecb_mro_reference", source="ECB, 11 June", by="ada"):
    return add_rate(
        series, from_on=begins, valid_through=ends, percent=Decimal(percent), source=source, by=by
    )  # fmt: skip


def test_a_rate_is_entered_with_its_days_its_source_and_who_entered_it():
    rate = enter("-0.88")
    rate.refresh_from_db()
    assert (rate.percent, rate.source, rate.entered_by, rate.checked_by) == (
        Decimal("-0.88"),
        "ECB, 11 June",
        "ada",
        "",
    )
    assert Event.objects.filter(action="rate_entered", actor="ada", object_id=str(rate.pk)).exists()
    assert enter(begins=H2[0], ends=H2[1]).pk != rate.pk
    assert enter(series="boe_reference").pk != rate.pk


@pytest.mark.parametrize(
    ("facts", "code", "where", "words"),
    [
        ({}, "overlap", "from_on", "is 2.15 % from 2026-01-01 through 2026-06-30 already"),
        ({"begins": H1[1], "ends": H2[1]}, "overlap", "from_on", "Withdraw that row first"),
        ({"begins": H1[0] - DAY, "ends": H1[0]}, "overlap", "from_on", "choose other days"),
        ({"begins": H2[1], "ends": H2[0]}, "refused", "valid_through", "before it begins"),
        ({"begins": H2[0], "ends": H2[1], "source": "  "}, "no_source", "source", "where the rate was published"),
        ({"begins": H2[0], "ends": H2[1], "percent": "NaN"}, "percent", "percent", "not a percentage"),
        ({"begins": H2[0], "ends": H2[1], "percent": "1000"}, "percent", "percent", "not a percentage"),
        ({"begins": H2[0], "ends": H2[1], "percent": "2.12345"}, "percent", "percent", "four decimals"),
        ({"begins": H2[0], "ends": H2[1], "percent": "-100.5"}, "percent", "percent", "from -100"),
        ({"series": "ECB main rate"}, "series", "series", "small letters"),
        ({"begins": H2[0], "ends": H2[1], "source": "x" * 301}, "source", "source", "shorten"),
    ],
)
def test_a_row_nobody_could_stand_by_is_refused(facts, code, where, words):
    enter()
    with pytest.raises(Refused, match=words) as refused:
        enter(**facts)
    assert (refused.value.code, refused.value.where) == (code, where)
    assert ReferenceRate.objects.count() == 1


def test_a_wrong_row_is_withdrawn_for_a_reason_and_entered_anew():
    wrong = enter("21.5")
    with pytest.raises(Refused, match="Write why"):
        withdraw_rate(wrong, reason=" ", by="ada")
    gone = withdraw_rate(wrong, reason="a slip of the point", by="ben")
    assert (gone.withdrawn_by, gone.withdrawn_because) == ("ben", "a slip of the point")
    with pytest.raises(Refused, match="withdrawn already"):
        withdraw_rate(wrong, reason="again", by="ben")
    enter("2.15")
    assert [rate.percent for rate in ReferenceRate.objects.standing()] == [Decimal("2.15")]
    assert Event.objects.filter(action="rate_withdrawn", summary__contains="a slip of the point").exists()


def test_a_second_person_checks_a_row_and_nobody_edits_it():
    rate = enter()
    with pytest.raises(Refused, match="a second person"):
        check_rate(rate, by="ada")
    assert check_rate(rate, by="ben").checked_by == "ben"
    with pytest.raises(Refused, match="ben has checked"):
        check_rate(rate, by="cleo")
    with pytest.raises(DatabaseError), transaction.atomic():
        ReferenceRate.objects.filter(pk=rate.pk).update(percent=Decimal(3))
    withdraw_rate(rate, reason="wrong", by="ben")
    with pytest.raises(Refused, match="nothing to check"):
        check_rate(rate, by="cleo")


# ── What is missing ─────────────────────────────────────────────────────


def test_a_series_a_policy_in_force_works_with_is_missed_in_the_half_year_of_today(company):
    assert missing_rows(TODAY) == []
    for name, rule, since in (
        ("german", "DE-B2B", TODAY), ("french", "FR", TODAY), ("later", "UK", TODAY + DAY), ("gone", "NOBODY", TODAY),
    ):  # fmt: skip
        Policy.objects.create(name=name, effective_from=since, interest=rule)
    Policy.objects.create(name="euro", effective_from=TODAY - DAY, interest="EU")
    Policy.objects.create(name="french", effective_from=TODAY - DAY, interest="UK")  # replaced today
    found = missing_rows(TODAY)
    assert [(row.series, row.period, row.policies) for row in found] == [
        ("de_basiszins", "2026-H2", ("german",)), ("ecb_mro_reference", "2026-H2", ("euro", "french")),
    ]  # fmt: skip
    assert (found[0].from_on, found[0].valid_through) == H2
    assert [row.series for row in missing_rows(TODAY, "german")] == ["de_basiszins"]
    rate = enter("1.27", *H2, series="de_basiszins")
    assert missing_rows(TODAY, "german") == []
    withdraw_rate(rate, reason="wrong", by="ben")
    assert len(missing_rows(TODAY)) == 2


# ── Rules ───────────────────────────────────────────────────────────────

NORWAY = {
    "title": "Norway: policy rate + 8 points", "country": "NO", "series": "norges_bank", "margin": Decimal(8),
    "source": "Forsinkelsesrenteloven § 3", "compensation": [["0", "430"]], "compensation_currency": "NOK",
}  # fmt: skip


def test_a_rule_of_another_country_is_a_row_and_works_like_a_shipped_one():
    row = add_interest_rule("no", effective_from=dt.date(2015, 1, 1), values=NORWAY, on=TODAY, by="ada")
    rule = rule_of("NO", TODAY)
    assert (row.code, row.made_by, rule.series, rule.margin) == ("NO", "ada", "norges_bank", 8)
    assert rule.compensation_for(Decimal(100), "NOK") == 430
    assert "No rate of «norges_bank» is entered yet" in warning_about(rule)
    enter("4.5", series="norges_bank")
    assert warning_about(rule) == ""
    assert Event.objects.filter(action="interest_rule_made", actor="ada").exists()


def test_a_version_of_a_known_rule_begins_tomorrow_at_the_earliest_and_once_a_day():
    values = {"title": "As agreed", "percent": Decimal(9), "source": "our terms"}
    for begins in (TODAY, TODAY - DAY):
        with pytest.raises(Refused, match="tomorrow at the earliest"):
            add_interest_rule("DE-B2B", effective_from=begins, values=values, on=TODAY, by="ada")
    add_interest_rule("DE-B2B", effective_from=TODAY + DAY, values=values, on=TODAY, by="ada")
    assert (rule_of("DE-B2B", TODAY), rule_of("DE-B2B", TODAY + DAY).percent) == (RULES["DE-B2B"], 9)
    with pytest.raises(Refused, match="already has a version from 2026-11-19"):
        add_interest_rule("DE-B2B", effective_from=TODAY + DAY, values=values, on=TODAY, by="ada")
    with pytest.raises(DatabaseError), transaction.atomic():
        InterestRule.objects.update(percent=Decimal(99))


GOOD = Rule("NO", series="norges_bank", margin=Decimal(8), title="Norway", source="the law")


@pytest.mark.parametrize(
    ("wrong", "where", "words"),
    [
        ({"code": "no way"}, "code", "two to twenty capitals"),
        ({"title": " "}, "title", "Write the title"),
        ({"source": ""}, "source", "Write the source"),
        ({"percent": Decimal(8)}, "percent", "not both"),
        ({"percent": Decimal(-1), "series": "", "margin": Decimal(0)}, "percent", "between 0 and 1000"),
        ({"series": ""}, "series", "name the reference rate"),
        ({"series": "", "margin": Decimal(0), "which_half_year": "fixed"}, "series", "speak of a reference rate"),
        ({"reference_up_to": Decimal(0)}, "reference_up_to", "above zero"),
        ({"cap_percent": Decimal(-5)}, "cap_percent", "above zero"),
        ({"legal_maximum": Decimal(0)}, "legal_maximum", "above zero"),
        ({"starts": "days"}, "starts_days", "number of days"),
        ({"starts_days": 5}, "starts", "number of days"),
        ({"compensation": ((Decimal(0), Decimal(40)),)}, "compensation_currency", "both its sums and their currency"),
        ({"compensation_currency": "EUR"}, "compensation", "both its sums and their currency"),
        ({"compensation": ((Decimal(1000), Decimal(70)), (Decimal(0), Decimal(40))), "compensation_currency": "GBP"},
         "compensation", "tiers must ascend"),
        ({"compensation": ((Decimal(0), Decimal(40)), (Decimal(0), Decimal(70))), "compensation_currency": "GBP"},
         "compensation", "tiers must ascend"),
        ({"compensation": ((Decimal(0), Decimal(-40)),), "compensation_currency": "GBP"}, "compensation", "below zero"),
        ({"compensation": ((Decimal(0), Decimal(40)),), "compensation_currency": "QQQ"}, "compensation_currency",
         "not a currency"),
    ],
)  # fmt: skip
def test_a_rule_that_contradicts_itself_is_refused_where_it_does(wrong, where, words):
    check_rule(GOOD)
    with pytest.raises(Refused, match=words) as refused:
        check_rule(replace(GOOD, **wrong))
    assert refused.value.where == where


def test_every_shipped_rule_holds_what_is_asked_of_a_new_one():
    for rule in RULES.values():
        check_rule(rule)
