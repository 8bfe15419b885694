"""Policies and terms in the admin: read on the calendar, never edited, followed by new versions; each act recorded."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.forms import MultiWidget
from django.urls import reverse

from audit.models import Event
from core.models import Company
from policies.editor import Editor
from policies.forms import MOST_STEPS
from policies.models import Policy, PolicyDraft, Step, Terms
from policies.services import policy_of
from policies.services.versions import steps_of, values_of
from policies.step_days import step_day
from tests.cast import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Any, company: Any) -> Any:
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        client.force_login(User.objects.create_superuser("root", "", "correct horse battery"))
        yield client


def text(answer: Any) -> str:
    return answer.content.decode()


def as_posted(page: Any) -> dict[str, Any]:
    """The new-version page as it stands, ready to be sent."""
    form, steps = page.context["form"], page.context["steps"]
    data = written(form)
    data |= {"steps-TOTAL_FORMS": len(steps.forms), "steps-INITIAL_FORMS": steps.initial_form_count()}
    for row in steps.forms:
        data |= written(row)
    return data


def written(form: Any) -> dict[str, Any]:
    """What a browser would send of a form."""
    data: dict[str, Any] = {}
    for name, field in form.fields.items():
        value, sent_as = form[name].value(), form.add_prefix(name)
        if isinstance(field.widget, MultiWidget):
            parts = enumerate(field.widget.decompress(value))
            data |= {f"{sent_as}_{n}": part for n, part in parts if part is not None}
        elif value not in (None, False, "", {}):
            data[sent_as] = value
    return data


def refused(editor: Editor) -> bool:
    return not editor.is_valid() or bool(editor.troubles())


def test_every_page_of_the_admin_opens(admin, company):
    from django.contrib import admin as site

    for model in site.site._registry:
        meta = model._meta
        answer = admin.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))
        assert answer.status_code == 200, meta.label
    assert admin.get(reverse("admin:core_company_change", args=[company.pk])).status_code == 200


def test_the_admin_has_the_same_door_as_the_desk(client, db):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/account/login/?next=%2Fadmin%2F")


def test_a_version_is_read_as_dates_of_a_sample_invoice(admin, company):
    policy = policy_of(company, TODAY)
    url = reverse("admin:policies_policy_change", args=[policy.pk])
    page = text(admin.get(url, {"issued_on": "2026-11-18", "net_days": "30"}))
    assert "Wed, 18 November 2026" not in page
    assert "Fri, 11 Dec 2026" in page  # seven days before 18 December
    assert "Sat, 19 Dec" not in page and "Mon, 21 Dec 2026" in page  # the day after, moved to a business day
    assert admin.get(url, {"issued_on": "9999-12-31", "net_days": "30"}).status_code == 200
    short = text(admin.get(url, {"issued_on": "2026-11-18", "net_days": "2"}))
    assert "left out: the term is too short" in short


def test_a_version_cannot_be_edited_or_deleted(admin, company):
    policy = policy_of(company, TODAY)
    url = reverse("admin:policies_policy_change", args=[policy.pk])
    admin.post(url, {"title": "Other"})
    policy.refresh_from_db()
    assert policy.title == "Standard"
    assert admin.get(reverse("admin:policies_policy_delete", args=[policy.pk])).status_code == 403


def test_a_new_version_takes_its_place_from_its_day_on(admin, company):
    policy = policy_of(company, TODAY)
    url = reverse("admin:policies_policy_new_version", args=[policy.pk])
    data = as_posted(admin.get(url)) | {"spacing_days": "9", "steps-2-title": "Plain words", "call_minimum": "EUR 250"}
    answer = admin.post(url, data)
    assert answer.status_code == 302
    assert policy_of(company, TODAY) == policy
    later = policy_of(company, TODAY + dt.timedelta(days=1))
    assert (later.spacing_days, later.steps.count(), later.call_minimum) == (9, 10, {"EUR": "250"})
    assert later.steps.get(code="reminder_1").title == "Plain words"
    assert Event.objects.filter(action="policy_version_made", actor="root").exists()


@pytest.mark.parametrize(
    "typed",
    [
        {"spacing_days": "99999999999"}, {"steps-2-pay_within_days": "99999999999"}, {"sample-issued_on": "9999-12-31"},
        {"steps-TOTAL_FORMS": "100000"}, {"steps-TOTAL_FORMS": "many"}, {"steps-2-fee": "JPY 5.5"},
    ],
)  # fmt: skip
def test_numbers_no_calendar_has_are_told_beside_their_field(company, typed):
    policy = policy_of(company, TODAY)
    steps = steps_of(policy)
    blank = Editor("standard", values_of(policy), steps, on=TODAY)
    data = written(blank.form) | {"steps-TOTAL_FORMS": len(steps), "steps-INITIAL_FORMS": len(steps)}
    for row in blank.steps.forms:
        data |= written(row)
    assert not refused(Editor("standard", {}, steps, on=TODAY, data=data))
    for look in ({}, {"look": "step"}):
        shown = Editor("standard", {}, steps, on=TODAY, data=data | typed | look)
        assert len(shown.calendar()) <= len(shown.cards()) <= MOST_STEPS
        assert "sample-issued_on" in typed or look or refused(shown)


def test_what_is_written_is_kept_as_a_draft_to_be_tried_first(admin, company):
    policy = policy_of(company, TODAY)
    url = reverse("admin:policies_policy_new_version", args=[policy.pk])
    data = as_posted(admin.get(url)) | {"keep": "draft", "spacing_days": "9"}
    assert admin.post(url, data)["Location"] == reverse("dashboard:policy_try", args=["standard"])
    draft = PolicyDraft.objects.get()
    assert (draft.values["spacing_days"], len(draft.steps), Policy.objects.count()) == (9, 10, 1)
    assert "A draft of this policy is open already" in text(admin.post(url, data))


def test_where_an_offset_is_typed_its_date_is_shown(admin, company):
    url = reverse("admin:policies_policy_new_version", args=[policy_of(company, TODAY).pk])
    due = TODAY + dt.timedelta(days=30)
    page = text(admin.get(url))
    assert f"{step_day(-7, TODAY, due):%Y-%m-%d}" in page and f"{step_day(8, TODAY, due):%Y-%m-%d}" in page
    moved = text(admin.post(url, as_posted(admin.get(url)) | {"steps-2-offset_days_0": "77", "steps-2-title": ""}))
    assert f"{step_day(77, TODAY, due):%Y-%m-%d}" in moved


def test_a_version_from_today_is_refused_and_none_is_made(admin, company):
    policy = policy_of(company, TODAY)
    url = reverse("admin:policies_policy_new_version", args=[policy.pk])
    answer = admin.post(url, as_posted(admin.get(url)) | {"effective_from": TODAY.isoformat()})
    assert "tomorrow at the earliest" in text(answer)
    assert Policy.objects.count() == 1


def test_two_steps_on_one_day_are_refused(admin, company):
    policy = policy_of(company, TODAY)
    url = reverse("admin:policies_policy_new_version", args=[policy.pk])
    data = as_posted(admin.get(url))
    data["steps-2-offset_days_0"] = data["steps-1-offset_days_0"]
    assert "Two steps fall on day +1" in text(admin.post(url, data))
    assert Step.objects.count() == 10


def test_due_on_receipt_is_refused_with_the_reason(admin, company):
    url = reverse("admin:policies_terms_add")
    answer = admin.post(url, {"company": company.pk, "name": "Due on receipt", "net_days": "1", "late_percent": "0"})
    assert "does not say which day" in text(answer)
    assert Terms.objects.count() == 1


def test_what_an_administrator_changes_is_recorded(admin, company):
    url = reverse("admin:policies_terms_add")
    admin.post(url, {"company": company.pk, "name": "Net 14", "net_days": "14", "late_percent": "9"})
    event = Event.objects.get(action="terms_added")
    assert (event.actor, event.summary) == ("root", "Net 14")
    admin.post(reverse("admin:policies_terms_delete", args=[Terms.objects.get(name="Net 14").pk]), {"post": "yes"})
    assert Event.objects.filter(action="terms_deleted", summary="Net 14").exists()


def test_a_bank_account_that_cannot_exist_is_refused(admin, company):
    page = admin.get(reverse("admin:core_company_change", args=[company.pk]))
    data: dict[str, Any] = {}
    for formset in page.context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    form = page.context["adminform"].form
    data |= {name: form[name].value() or "" for name in form.fields}
    data |= {
        "bank_accounts-TOTAL_FORMS": 1,
        "bank_accounts-0-currency": "EUR",
        "bank_accounts-0-holder": "Lumen",
        "bank_accounts-0-iban": "DE00",
        "bank_accounts-0-position": 1,
        "bank_accounts-0-is_active": "on",
        "bank_accounts-0-company": company.pk,
    }
    answer = admin.post(reverse("admin:core_company_change", args=[company.pk]), data)
    assert "This IBAN is not valid" in text(answer)
    data["bank_accounts-0-iban"] = "GB82 WEST 1234 5698 7654 32"
    assert admin.post(reverse("admin:core_company_change", args=[company.pk]), data).status_code == 302
    assert Company.objects.get().bank_accounts.filter(iban="GB82WEST12345698765432").exists()
    assert Event.objects.filter(action="company_changed").exists()


def test_a_password_never_appears_in_the_audit(admin, db):
    admin.post(
        reverse("admin:auth_user_add"),
        {
            "username": "bo",
            "password1": "seven calm herons",
            "password2": "seven calm herons",
            "usable_password": "true",
        },
    )
    assert User.objects.filter(username="bo").exists()
    assert "herons" not in str(list(Event.objects.values()))
