"""Guard-rails: each kind of rule holds a step back; rows have sources, a newer row takes the place of an older one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from core.errors import Refused
from policies.guard_rails import Rail, broken, check_value, shipped
from policies.interest import RULES
from policies.models import GuardRail
from policies.services.guard_rails import (
    add_rail,
    end_rail,
    known_countries,
    rails_for,
    seed_guard_rails,
    standing_rails,
    unknown_among,
)
from tests.cast import TODAY, make_manager

HERE = {"jurisdictions": "XX", "window_opens": dt.time(9), "window_closes": dt.time(17)}


def rail(kind: str, value: dict[str, Any] | None = None, consumers: bool | None = None) -> Rail:
    return Rail("XX", "x", kind, value or {}, consumers, "The rule", "", "§ 1")


def step(code: str, days: int, channel: str = "mail", **facts: Any) -> dict[str, Any]:
    return {"code": code, "title": code.title(), "offset_days": days, "channel": channel, "tone": "plain"} | facts


def hit(kind: str, value: Any, *steps: Any, policy: Any = HERE, **more: Any) -> list[str]:
    return [one.step or one.where for one in broken(steps, policy, [rail(kind, value)], **more)]


FEE = {"fee": {"NOK": "35"}}
CASES = {
    "a fee too early": ("fee_not_before", {"days": 14}, [step("a", 13, **FEE), step("b", 14, **FEE)], ["a"]),
    "too many fees": (
        "most_fees", {"count": 2}, [step("a", 14, **FEE), step("b", 28, **FEE), step("c", 42, **FEE)], ["c"]
    ),
    "a fee that repeats": ("most_fees", {"count": 2}, [step("a", 14, repeats_every_days=14, **FEE)], ["a"]),
    "too high": ("highest_fee", {"NOK": "34.50"}, [step("a", 14, **FEE), step("b", 20, fee={"SEK": "60"})], ["a", "b"]),
    "too little time": (
        "notice_days", {"days": 14},
        [step("a", 8, pay_within_days=13), step("b", 30, pay_within_days=14), step("c", 60, **FEE), step("d", 9),
         step("e", -7, pay_within_days=1)],
        ["a", "c"],
    ),
    "the first is free": ("first_is_free", {}, [step("a", -7), step("b", 1, **FEE), step("c", 9, **FEE)], ["b"]),
    "no notice before": (
        "notice_before_handover", {"days": 14},
        [step("a", 30, mandatory=True, pay_within_days=14), step("early", 43, "review"), step("late", 44, "review")],
        ["early"],
    ),
    "a notice too short": (
        "notice_before_handover", {"days": 14},
        [step("a", 30, mandatory=True, pay_within_days=13), step("b", 60, moves_stage_to="handed_over")], ["b"],
    ),
    "words": (
        "words", {"on": "notice", "words": ["inkasso"]}, [step("a", 30, mandatory=True), step("b", 8)], ["a"]
    ),
    "words on the invoice are for people": (
        "words", {"on": "invoice", "words": ["40"]}, [step("a", 30, mandatory=True)], []
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_step_that_breaks_a_rule_is_named_with_it(case):
    kind, value, steps, expected = CASES[case]
    found = broken(steps, HERE, [rail(kind, value)])
    assert [one.step for one in found] == expected
    assert all("“The rule” (XX)" in one.sentence and "; " in one.sentence for one in found)
    assert broken(steps, HERE | {"jurisdictions": "NO"}, [rail(kind, value)]) == [], "clients elsewhere"
    consumers = [rail(kind, value, consumers=True)]
    assert broken(steps, HERE, consumers) == [], "a rule for consumers does not hold between businesses"
    assert [one.step for one in broken(steps, HERE | {"for_consumers": True}, consumers)] == expected


def test_own_words_that_say_it_are_enough_in_every_language():
    notice = step("a", 30, mandatory=True)
    words = {"on": "notice", "words": ["inkasso", "collection"]}
    assert hit("words", words, notice, texts={"a": ["We go to Collection.", "Vi sender saken til inkasso."]}) == []
    assert hit("words", words, notice, texts={"a": ["We go to collection.", "Wir gehen zum Gericht."]}) == ["a"]


def test_the_window_lies_inside_the_hours():
    hours = {"from": "08:00", "until": "21:00"}
    assert hit("contact_hours", hours) == []
    late = HERE | {"window_opens": dt.time(7), "window_closes": dt.time(22)}
    assert hit("contact_hours", hours, policy=late) == ["window_opens", "window_closes"]


def test_fixed_compensation_and_a_rate_above_the_highest_are_the_rule_s():
    assert hit("no_compensation", {}, rule=RULES["DE-B2B"]) == ["interest"]
    assert hit("no_compensation", {}, rule=RULES["DE-B2C"]) == []
    fixed = RULES["CONTRACT"].__class__("X", percent=13)
    assert hit("highest_percent", {"percent": "12.5"}, rule=fixed) == ["interest"]
    assert hit("highest_percent", {"percent": "13"}, rule=fixed) == []


def test_every_rule_shipped_has_a_source_a_day_and_a_value_its_kind_takes():
    kinds = dict(GuardRail.KINDS)
    rails = shipped()
    assert len({(one.country, one.code) for one in rails}) == len(rails)
    for one in rails:
        assert one.source and one.name and one.says and one.kind in kinds, one
        assert len(one.says) <= 300 and one.as_of > dt.date(2020, 1, 1)
        assert check_value(one.kind, one.value) == "", one
    assert {"NO", "DE", "FR", "GB", "EU", "US"} <= {one.country for one in rails}


@pytest.fixture
def manager(db):
    return make_manager()


def added(by: Any, **facts: Any) -> GuardRail:
    row = {
        "country": "no", "code": "highest-fee", "kind": "highest_fee", "value": {"NOK": "37"}, "for_consumers": None,
        "name": "Highest fee", "says": "NOK 37", "source": "altinn.no", "as_of": TODAY,
    } | facts
    return add_rail(**row, on=TODAY, by=by)


@pytest.mark.django_db
def test_what_is_shipped_is_entered_once_and_what_people_entered_stays(manager):
    mine = added(manager)
    assert seed_guard_rails("system") == len(shipped()) - 1
    assert seed_guard_rails("system") == 0
    assert [row for row in standing_rails() if row.code == "highest-fee" and row.country == "NO"] == [mine]


@pytest.mark.django_db
def test_a_newer_row_takes_the_place_and_another_ends_the_rule(manager):
    seed_guard_rails("system")
    newer = added(manager)
    assert GuardRail.objects.filter(country="NO", code="highest-fee").count() == 2
    assert [one.value for one in rails_for(["NO"]) if one.kind == "highest_fee"] == [{"NOK": "37"}]
    end_rail(newer, because="Repealed, Lovtidend 2026", on=TODAY, by=manager)
    assert not [one for one in rails_for(["NO"]) if one.kind == "highest_fee"]
    assert set(Event.objects.filter(actor="Vera").values_list("action", flat=True)) == {
        "guard_rail_added", "guard_rail_ended"
    }
    with pytest.raises(Refused, match="does not hold any more"):
        end_rail(newer, because="again", on=TODAY, by=manager)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"source": " "}, "source"), ({"name": ""}, "name"), ({"country": "Norway"}, "country"),
        ({"value": {"NOK": "much"}}, "value"), ({"as_of": TODAY + dt.timedelta(days=1)}, "as_of"),
        ({"kind": "notice_days", "value": {"days": "14.5"}}, "value"),
    ],
)  # fmt: skip
def test_a_row_without_a_source_or_a_value_is_refused(manager, facts, where):
    with pytest.raises(Refused) as caught:
        added(manager, **facts)
    assert caught.value.where == where and not GuardRail.objects.exists()


@pytest.mark.django_db
def test_only_who_may_enters_and_ends_rules(manager, clerk):
    with pytest.raises(Refused, match="You may not enter guard-rails"):
        added(clerk)
    row = added(manager)
    with pytest.raises(Refused, match="You may not"):
        end_rail(row, because="why", on=TODAY, by=clerk)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        GuardRail.objects.update(name="other")


@pytest.mark.django_db
def test_a_member_of_the_union_is_known_by_its_rules():
    seed_guard_rails("system")
    assert "EU" in known_countries() and unknown_among(["AT", "NO", "CH", "ZZ"]) == ["CH", "ZZ"]
    assert [one.kind for one in rails_for(["AT"])] == ["no_compensation"]


@pytest.mark.django_db(transaction=True)
def test_an_installation_that_was_here_before_gets_them_once(company):
    import importlib

    from django.apps import apps

    seed = importlib.import_module("policies.migrations.0010_guard_rails_of_companies_here_before").seed
    seed(apps, None)
    seed(apps, None)
    assert GuardRail.objects.count() == len(shipped())
