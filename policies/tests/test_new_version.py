"""Policies are versions: the one in force on a day, the next one made from it, none of them ever edited."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from core.errors import Refused
from policies.models import Policy, Step
from policies.services import STEP_FIELDS, new_version, policy_of
from tests.cast import CLERK, TODAY

pytestmark = pytest.mark.django_db
TOMORROW = TODAY + dt.timedelta(days=1)


def steps_of(policy):
    return [{name: getattr(step, name) for name in STEP_FIELDS} for step in policy.steps.all()]


def test_the_default_ladder_is_the_one_of_the_book(company):
    policy = policy_of(company, TODAY)
    assert [(s.offset_days, s.channel, s.code) for s in policy.steps.all()] == [
        (-7, "mail", "pre_due"), (1, "mail", "first_overdue"), (8, "mail", "reminder_1"), (14, "call", "call_1"),
        (21, "letter", "reminder_2"), (30, "mail", "reissue"), (33, "call", "call_2"), (45, "letter", "final_notice"),
        (60, "review", "review"), (90, "mail", "statement"),
    ]  # fmt: skip
    assert {s.code for s in policy.steps.all() if s.mandatory} == {"reissue", "final_notice"}
    assert {s.code for s in policy.steps.all() if s.spacing_exempt} == {"pre_due", "first_overdue"}


def test_a_new_version_is_in_force_from_its_day_and_the_old_one_before(company):
    old = policy_of(company, TODAY)
    new = new_version(old, effective_from=TOMORROW, changes={"spacing_days": 7}, steps=None, on=TODAY, by=CLERK)
    assert policy_of(company, TODAY) == old
    assert policy_of(company, TOMORROW) == new
    assert (old.spacing_days, new.spacing_days) == (5, 7)
    assert steps_of(new) == steps_of(old)


def test_a_version_does_not_begin_in_the_past_nor_twice_on_a_day(company):
    policy = policy_of(company, TODAY)
    with pytest.raises(Refused, match="tomorrow at the earliest"):
        new_version(policy, effective_from=TODAY, changes={}, steps=None, on=TODAY, by=CLERK)
    new_version(policy, effective_from=TOMORROW, changes={}, steps=None, on=TODAY, by=CLERK)
    with pytest.raises(Refused, match="already has a version"):
        new_version(policy, effective_from=TOMORROW, changes={}, steps=None, on=TODAY, by=CLERK)


def test_two_steps_on_one_day_by_one_channel_are_refused(company):
    policy = policy_of(company, TODAY)
    steps = steps_of(policy)
    steps[2]["offset_days"] = 1
    with pytest.raises(Refused, match=r"Two steps fall on day \+1 by mail"):
        new_version(policy, effective_from=TOMORROW, changes={}, steps=steps, on=TODAY, by=CLERK)
    assert Policy.objects.count() == 1


@pytest.mark.parametrize("model", [Policy, Step])
def test_the_database_refuses_to_change_a_version(company, model):
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        model.objects.update(title="other")
