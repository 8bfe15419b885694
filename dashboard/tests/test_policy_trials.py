"""The pages on which a policy is thought over, tried on today's book and activated."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from core.jobs import run_job
from core.models import Job
from dashboard.reports.policies import Outcome
from policies.models import Policy, PolicyDraft
from policies.services.drafts import begin_draft, save_draft
from tests.cast import CLERK, TODAY, invoice_due, make_client, make_company, make_manager

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]
DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 11, 18, 9, tzinfo=dt.UTC)


@pytest.fixture
def manager(client: Any) -> Any:
    with time_machine.travel(NOW, tick=False):
        company = make_company()
        invoice_due(make_client(company, "C-1", name="Alder & Co"), TODAY - 8 * DAY, "1200")
        client.force_login(make_manager())
        yield client


def later_reminder(**values: Any) -> PolicyDraft:
    draft = begin_draft(Policy.objects.get(), CLERK)
    steps = [
        step | ({"offset_days": 10, "sets_cash_only": True} if step["code"] == "reminder_1" else {})
        for step in draft.steps
    ]
    return save_draft(draft, values=values, steps=steps, version=draft.version, by=CLERK)


def try_it(client: Any, **more: Any) -> tuple[str, Job]:
    answer = client.post(reverse("dashboard:policy_try", args=["standard"]), {"days": 9, "past": 0, **more})
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"], Job.objects.latest("pk")


def test_a_draft_is_begun_tried_and_told_client_by_client(manager: Any) -> None:
    assert "Begin a draft" in manager.get(reverse("dashboard:policy_try", args=["standard"])).content.decode()
    begin = reverse("dashboard:policy_draft_begin", args=["standard"])
    begun = manager.post(begin)
    assert begun["Location"] == reverse("admin:policies_policydraft_change", args=[PolicyDraft.objects.get().pk])
    later_reminder()
    page, job = try_it(manager)
    assert "progress" in manager.get(page).content.decode()
    run_job(job.pk, timezone.now)
    told = manager.get(page).content.decode()
    assert "Alder &amp; Co" in told and "gets “First reminder”" in told and "2026" in told
    assert "<rect" in told and " style=" not in told
    file = manager.get(reverse("dashboard:policy_trial_csv", args=[job.pk]))
    assert b"".join(file.streaming_content).startswith(b"client,client name,invoice,")
    assert "standard" in manager.get(reverse("dashboard:policies")).content.decode()


def test_an_answer_kept_from_before_an_update_can_still_be_read() -> None:
    told = {"interest": {"EUR": {"tried": "12.50", "against": "0"}}, "fees": {}, "compensation": {}}
    assert Outcome(told, TODAY, {}).money == [("interest", "EUR", Decimal("12.50"), Decimal(0))]


def test_a_draft_changed_since_says_that_it_is_to_be_tried_again(manager: Any) -> None:
    later_reminder()
    page, job = try_it(manager)
    run_job(job.pk, timezone.now)
    assert "changed since" not in manager.get(page).content.decode()
    PolicyDraft.objects.update(changed_at=NOW + dt.timedelta(minutes=5))
    assert "changed since" in manager.get(page).content.decode()


def test_one_click_more_is_the_same_dry_run_until_something_else_is_asked(manager: Any) -> None:
    draft = later_reminder()
    page, job = try_it(manager)
    assert try_it(manager) == (page, job), "it waits"
    Job.objects.update(state="done", ended_at=NOW)
    assert try_it(manager)[1] == job, "it is fresh"
    other = try_it(manager, days=10)[1]
    assert other != job
    save_draft(draft, values={"spacing_days": 8}, steps=draft.steps, version=draft.version, by=CLERK)
    changed = try_it(manager)[1]
    assert changed not in (job, other)
    Job.objects.filter(pk=changed.pk).update(state="done", ended_at=NOW - dt.timedelta(minutes=3))
    assert try_it(manager)[1] != changed, "it is old"


def test_a_version_begins_after_every_company_s_today(manager: Any) -> None:
    """At nine in London it is already tomorrow on Kiritimati: what is tried and activated is dated by that."""
    make_company("zz", time_zone="Pacific/Kiritimati")
    there = TODAY + DAY
    with time_machine.travel(NOW + dt.timedelta(hours=2), tick=False):
        draft = later_reminder()
        assert try_it(manager)[1].arguments["on"] == there.isoformat()
        url = reverse("dashboard:policy_activate", args=["standard"])
        assert f'value="{there + DAY}"' in manager.get(url).content.decode()
        told = {"already_overdue": "activation", "version": draft.version}
        refused = manager.post(url, told | {"effective_from": there.isoformat()})
        assert refused.status_code == 422 and "tomorrow at the earliest" in refused.content.decode()
        assert manager.post(url, told | {"effective_from": (there + DAY).isoformat()}).status_code == 302


def test_days_out_of_reason_are_refused_in_words(manager: Any) -> None:
    answer = manager.post(reverse("dashboard:policy_try", args=["standard"]), {"days": 0, "past": 0})
    assert answer.status_code == 422 and not Job.objects.exists()


def test_days_gone_by_stand_beside_what_was_sent(manager: Any) -> None:
    page, job = try_it(manager, past=4)
    run_job(job.pk, timezone.now)
    assert "Days gone by" in manager.get(page).content.decode()


def test_activating_asks_for_the_choice_and_shows_what_each_would_do(manager: Any) -> None:
    draft = later_reminder(interest="CONTRACT")
    url = reverse("dashboard:policy_activate", args=["standard"])
    page = manager.get(url).content.decode()
    assert "from its due date" in page and "checked" not in page  # nobody has chosen for the person
    assert "makes no difference which of them" in page, "the rule is the same before and after"
    day = (TODAY + DAY).isoformat()
    nothing_chosen = {"effective_from": day, "version": draft.version}
    assert manager.post(url, nothing_chosen).status_code == 422
    assert manager.post(url, nothing_chosen | {"look": "preview", "already_overdue": "chosen"}).status_code == 200
    assert Policy.objects.count() == 1
    done = manager.post(url, nothing_chosen | {"already_overdue": "due_date"})
    assert done.status_code == 302
    made = Policy.objects.latest("effective_from")
    assert (made.effective_from, made.already_overdue) == (TODAY + DAY, "due_date")
    assert made.steps.get(code="reminder_1").offset_days == 10
    assert PolicyDraft.objects.get().activated == made


def test_who_may_not_change_policies_neither_begins_nor_activates(manager: Any) -> None:
    later_reminder()
    manager.force_login(User.objects.create_user("clerk", password="correct horse battery", is_staff=True))
    for name in ("policy_draft_begin", "policy_activate"):
        assert manager.post(reverse(f"dashboard:{name}", args=["standard"])).status_code == 403
    assert manager.get(reverse("dashboard:policies")).status_code == 403


def test_a_draft_is_kept_although_it_would_be_refused(manager: Any) -> None:
    draft = later_reminder()
    url = reverse("admin:policies_policydraft_change", args=[draft.pk])
    form = form_of(manager.get(url))
    code = next(name for name, value in form.items() if value == "call_1" and name.endswith("-code"))
    place = code.removesuffix("-code")
    form[f"{place}-channel"] = "mail"
    form[f"{place}-offset_days_0"] = "10"  # now two mails on one day
    assert manager.post(url, form).status_code == 302
    page = manager.get(url).content.decode()
    assert "would be refused" in page
    draft.refresh_from_db()
    assert [s["channel"] for s in draft.steps if s["code"] == "call_1"] == ["mail"]
    assert "would be refused" in manager.get(reverse("dashboard:policy_try", args=["standard"])).content.decode()


def test_two_people_do_not_write_over_each_other(manager: Any) -> None:
    draft = later_reminder()
    url = reverse("admin:policies_policydraft_change", args=[draft.pk])
    form = form_of(manager.get(url))
    save_draft(draft, values={"title": "By somebody else"}, steps=draft.steps, version=draft.version, by="Bo")
    assert manager.post(url, form | {"title": "Mine"}).status_code == 422
    draft.refresh_from_db()
    assert draft.values["title"] == "By somebody else"
    thrown = form_of(manager.get(url)) | {"do": "discard"}
    assert manager.post(url, thrown).status_code == 302
    assert not PolicyDraft.objects.exists()


def form_of(answer: Any) -> dict[str, str]:
    """What a browser would send of the page's editor."""
    editor = answer.context["editor"]
    told = {"version": str(answer.context["version"])}
    forms = [editor.form, editor.steps.management_form, *editor.steps.forms, editor.sample]
    for form in forms:
        for field in form:
            value = field.value()
            widget = field.field.widget
            if hasattr(widget, "decompress"):
                for n, part in enumerate(widget.decompress(value)):
                    told[f"{field.html_name}_{n}"] = "" if part is None else str(part)
            elif isinstance(value, bool):
                if value:
                    told[field.html_name] = "on"
            else:
                shown = widget.format_value(field.field.prepare_value(value))
                told[field.html_name] = ", ".join(shown) if isinstance(shown, list) else str(shown or "")
    return told
