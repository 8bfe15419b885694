"""A policy beside those there are: made from one that exists, under a name of its own."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from audit.models import Event
from core.errors import Refused
from policies.models import Policy, StepText
from policies.services import default_policy, save_step_text
from policies.services.new_policies import new_policy
from policies.services.versions import steps_of
from policies.tests.test_admin import admin, as_posted, text  # noqa: F401  a fixture
from tests.cast import TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def standard() -> Policy:
    return default_policy("test")


def made(old: Policy, **more: Any) -> Policy:
    asked = {"name": "gentle", "effective_from": TODAY, "changes": {}, "steps": None, "on": TODAY, "by": "Ada"}
    return new_policy(old, **asked | more)


def test_it_says_what_the_other_says_but_for_what_is_changed(standard: Policy) -> None:
    steps = [step | {"offset_days": 9} if step["code"] == "reminder_1" else step for step in steps_of(standard)]
    policy = made(standard, changes={"spacing_days": 9, "title": "Gentle"}, steps=steps)
    assert (policy.name, policy.effective_from, policy.spacing_days, policy.title) == ("gentle", TODAY, 9, "Gentle")
    assert policy.call_minimum == standard.call_minimum and steps_of(policy) == steps
    assert Policy.objects.in_force("standard", TODAY) == standard and standard.spacing_days == 5
    assert Event.objects.get(action="policy_made", actor="Ada").diff["changed"] == ["spacing_days", "title"]


def test_our_own_words_go_with_it_as_they_stand(standard: Policy) -> None:
    for words in ("Old words.", "Please look at {{ numbers }}."):
        save_step_text("standard", "reminder_1", "plain", "en", "", words, on=TODAY, by="test")
    save_step_text("standard", "", "firm", "en", "", "Firm words.", on=TODAY, by="test")
    save_step_text("standard", "", "firm", "en", "", "", on=TODAY, by="test")  # given back
    made(standard)
    theirs = StepText.objects.filter(policy_name="gentle")
    assert list(theirs.values_list("step", "text", "made_by")) == [
        ("reminder_1", "Please look at {{ numbers }}.", "Ada")
    ]


def test_a_name_that_somebody_takes_in_the_same_moment_is_not_made_a_second_time(
    standard: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_at(*_asked: Any, **_named: Any) -> list[Any]:
        if not Policy.objects.filter(name="gentle").exists():
            Policy.objects.create(name="gentle", effective_from=TODAY + DAY, made_by="Zoe")
        return []

    monkeypatch.setattr("policies.services.new_policies.what_is_wrong", looked_at)
    with pytest.raises(Refused) as refused:
        made(standard)
    assert refused.value.code == "name_taken" and Policy.objects.get(name="gentle").made_by == "Zoe"


@pytest.mark.parametrize("name", ["", "Gentle", "for all", "a" * 41, "ü", "../x", "for_all", "-", "a\n"])
def test_a_name_that_is_none_is_refused(standard: Policy, name: str) -> None:
    with pytest.raises(Refused, match="small letters, digits and hyphens") as refused:
        made(standard, name=name)
    assert refused.value.where == "name" and Policy.objects.count() == 1


def test_a_name_is_taken_once_and_a_first_day_is_not_gone_by(standard: Policy) -> None:
    with pytest.raises(Refused, match="There is a policy “standard” already"):
        made(standard, name="standard", effective_from=TODAY + DAY)
    with pytest.raises(Refused, match="today at the earliest"):
        made(standard, effective_from=TODAY - DAY)
    made(standard)
    with pytest.raises(Refused, match="already"):
        made(standard, effective_from=TODAY + DAY)
    assert Policy.objects.count() == 2


def test_what_contradicts_itself_is_refused_and_nothing_is_kept(standard: Policy) -> None:
    save_step_text("standard", "reminder_1", "plain", "en", "", "Hello.", on=TODAY, by="test")
    steps = steps_of(standard)
    steps[2]["offset_days"] = 1
    with pytest.raises(Refused, match="Two steps fall on day"):
        made(standard, steps=steps)
    assert Policy.objects.count() == 1 and not StepText.objects.filter(policy_name="gentle").exists()


def test_the_page_makes_one_and_says_where_it_is_chosen(admin: Any) -> None:  # noqa: F811
    standard = Policy.objects.get()
    url = reverse("admin:policies_policy_new_policy", args=[standard.pk])
    assert url in text(admin.get(reverse("admin:policies_policy_change", args=[standard.pk])))
    assert url in text(admin.get(reverse("dashboard:policies")))
    page = admin.get(url)
    data = as_posted(page) | {"title": "Gentle", "spacing_days": "9"}
    assert data["effective_from"] == TODAY
    for wrong, says in (("standard", "There is a policy “standard” already"), ("Ge ntle", "small letters")):
        answer = admin.post(url, data | {"name": wrong})
        assert answer.status_code == 422 and says in text(answer)
    answer = admin.post(url, data | {"name": "gentle"}, follow=True)
    policy = Policy.objects.get(name="gentle")
    assert answer.redirect_chain[-1][0] == reverse("admin:policies_policy_change", args=[policy.pk])
    assert (policy.spacing_days, policy.steps.count(), policy.made_by) == (9, standard.steps.count(), "root")
    assert "Nobody uses it yet." in text(answer) and reverse("admin:policies_segment_changelist") in text(answer)


def test_looking_at_the_days_keeps_the_name_and_makes_nothing(admin: Any) -> None:  # noqa: F811
    url = reverse("admin:policies_policy_new_policy", args=[Policy.objects.get().pk])
    data = as_posted(admin.get(url)) | {"name": "gentle", "look": "days"}
    answer = admin.post(url, data)
    assert answer.status_code == 200 and 'value="gentle"' in text(answer) and Policy.objects.count() == 1


def test_who_may_not_change_policies_makes_none(client: Any, company: Any, clerk: Any) -> None:
    client.force_login(clerk)
    assert client.get(reverse("admin:policies_policy_new_policy", args=[Policy.objects.get().pk])).status_code == 403
