"""The next version while it is thought over: begun once, written by one at a time, thrown away or activated."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from core.errors import Refused
from policies.models import Policy, PolicyDraft
from policies.services import default_policy
from policies.services.drafts import (
    activate_draft,
    begin_draft,
    discard_draft,
    draft_troubles,
    keep_as_draft,
    save_draft,
    version_of,
)
from policies.services.versions import steps_of

pytestmark = pytest.mark.django_db
ON = dt.date(2026, 11, 18)
TOMORROW = dt.date(2026, 11, 19)


@pytest.fixture
def draft() -> PolicyDraft:
    return begin_draft(default_policy("test"), "Ada")


def activated(draft: PolicyDraft, **more: Any) -> Policy:
    asked = {"effective_from": TOMORROW, "already_overdue": "activation", "version": draft.version, "on": ON}
    return activate_draft(draft, by="Ada", **asked | more)


def test_it_begins_with_what_the_version_says_and_there_is_one(draft: PolicyDraft) -> None:
    old = Policy.objects.get()
    policy, steps = version_of(draft, TOMORROW)
    assert policy.pk is None and policy.window_opens == dt.time(9) and policy.call_minimum == old.call_minimum
    assert [step.code for step in steps] == [step.code for step in old.steps.all()]
    assert begin_draft(old, "Bo") == draft


def test_what_two_people_keep_in_one_moment_is_not_written_over(draft: PolicyDraft, monkeypatch: Any) -> None:
    """The second looked before the first had begun: the row itself is what refuses."""
    old = Policy.objects.get()
    monkeypatch.setattr("policies.services.drafts.open_draft", lambda _name: None)
    with pytest.raises(Refused, match="open already"):
        keep_as_draft(old, values={"spacing_days": 9}, steps=steps_of(old), begins=TOMORROW, by="Bo")
    assert begin_draft(old, "Bo") == draft
    draft.refresh_from_db()
    assert (draft.made_by, draft.version, draft.values["spacing_days"]) == ("Ada", 1, old.spacing_days)


def test_it_becomes_a_version_with_everything_that_was_written(draft: PolicyDraft) -> None:
    steps = [step | {"offset_days": 9} if step["code"] == "reminder_1" else step for step in draft.steps]
    values = {"window_closes": dt.time(16, 30), "spacing_days": 6}
    draft = save_draft(draft, values=values, steps=steps, version=draft.version, by="Ada")
    made = activated(draft, already_overdue="chosen", already_overdue_from=dt.date(2026, 11, 1))
    made.refresh_from_db()
    assert (made.window_closes, made.spacing_days, made.effective_from) == (dt.time(16, 30), 6, TOMORROW)
    assert (made.already_overdue, made.already_overdue_from) == ("chosen", dt.date(2026, 11, 1))
    assert made.steps.get(code="reminder_1").offset_days == 9
    draft.refresh_from_db()
    assert draft.activated == made
    with pytest.raises(Refused, match="no longer open"):
        save_draft(draft, values={}, steps=[], version=draft.version, by="Ada")


def test_who_looked_at_an_older_one_is_refused(draft: PolicyDraft) -> None:
    seen = draft.version
    save_draft(draft, values={"spacing_days": 6}, steps=draft.steps, version=seen, by="Ada")
    for act in (
        lambda: save_draft(draft, values={}, steps=[], version=seen, by="Bo"),
        lambda: discard_draft(draft, version=seen, by="Bo"), lambda: activated(draft, version=seen),
    ):  # fmt: skip
        with pytest.raises(Refused, match="changed this draft"):
            act()
    assert Policy.objects.count() == 1


def test_what_would_be_refused_is_kept_and_said_and_not_activated(draft: PolicyDraft) -> None:
    assert draft_troubles(draft, TOMORROW) == []
    steps = [step | {"offset_days": 8, "channel": "mail"} if step["code"] == "call_1" else step for step in draft.steps]
    draft = save_draft(draft, values={}, steps=steps, version=draft.version, by="Ada")
    assert draft_troubles(draft, TOMORROW)
    with pytest.raises(Refused):
        activated(draft)
    draft.refresh_from_db()
    assert draft.activated is None and Policy.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"already_overdue": ""}, {"already_overdue": "chosen"}, {"effective_from": ON},
        {"already_overdue": "chosen", "already_overdue_from": dt.date(2026, 11, 20)},
    ],
)
def test_activating_asks_for_a_day_to_come_and_for_the_choice(draft: PolicyDraft, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        activated(draft, **wrong)
    assert Policy.objects.count() == 1


def test_thrown_away_it_is_gone(draft: PolicyDraft) -> None:
    discard_draft(draft, version=draft.version, by="Ada")
    assert not PolicyDraft.objects.exists()
