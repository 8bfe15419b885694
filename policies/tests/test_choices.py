"""The day of each choice in the admin: of a segment, of a company, and of a segment that is given up."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from clients.services import save_client
from core.services import today
from policies.models import CompanyPolicy, Policy, PolicyChoice, Segment
from policies.services import use_policy
from policies.services.choices import keep_choice
from tests.cast import CLERK, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Any, django_user_model: Any) -> Any:
    client.force_login(django_user_model.objects.create_superuser("root", password="x"))
    return client


@pytest.fixture
def gentle(company: Any) -> Policy:
    return Policy.objects.create(name="gentle", title="Gentle", effective_from=dt.date(2026, 1, 1))


def kept() -> list[tuple[str, int, str, str, dt.date]]:
    return list(PolicyChoice.objects.values_list("where", "subject", "before", "name", "from_on"))


def test_another_policy_of_a_segment_holds_from_today(admin: Any, company: Any, gentle: Policy) -> None:
    admin.post(
        reverse("admin:policies_segment_add"), {"company": company.pk, "name": "Public", "policy_name": "standard"}
    )
    segment = Segment.objects.get()
    assert kept() == [], "a new one has had it since ever"
    url = reverse("admin:policies_segment_change", args=[segment.pk])
    assert "Another one holds from today on" in admin.get(url).content.decode()
    for _twice in range(2):
        assert admin.post(url, {"name": "Public", "policy_name": "gentle"}).status_code == 302
    assert kept() == [("segment", segment.pk, "standard", "gentle", today(company))]


def test_a_segment_that_is_given_up_leaves_its_clients_the_days_they_had(admin: Any, company: Any, gentle: Any) -> None:
    segment, day = Segment.objects.create(company=company, name="Public", policy_name="gentle"), today(company)
    client = make_client(company, segment=segment)
    url = reverse("admin:policies_segment_delete", args=[segment.pk])
    assert admin.post(url, {"post": "yes"}).status_code == 302
    client.refresh_from_db()
    assert client.segment is None
    assert kept() == [("client", client.pk, "", "", day), ("segment", segment.pk, "gentle", "", day)]
    assert PolicyChoice.objects.values_list("segment_before", "segment")[0] == (segment.pk, None)


def test_another_policy_of_a_company_holds_from_today_on_both_pages(admin: Any, company: Any, gentle: Policy) -> None:
    choice, day = CompanyPolicy.objects.get(company=company), today(company)
    assert kept() == [], "its first has held since ever"
    url = reverse("admin:policies_companypolicy_change", args=[choice.pk])
    assert admin.post(url, {"name": "gentle"}).status_code == 302
    page = admin.get(reverse("admin:core_company_change", args=[company.pk]))
    form = page.context["adminform"].form
    given = {name: form[name].value() for name in form.fields}
    for inline in page.context["inline_admin_formsets"]:
        formset = inline.formset
        for one in (formset.management_form, *formset.forms):
            given |= {one.add_prefix(name): one[name].value() for name in one.fields}
        if formset.model is CompanyPolicy:
            given[formset.forms[0].add_prefix("name")] = "standard"
    answer = admin.post(
        reverse("admin:core_company_change", args=[company.pk]),
        {name: value for name, value in given.items() if value is not None and value is not False},
    )
    assert answer.status_code == 302, [f.formset.errors for f in answer.context["inline_admin_formsets"]]
    of = ("company", company.pk)
    assert kept() == [(*of, "standard", "gentle", day), (*of, "gentle", "standard", day)]
    assert CompanyPolicy.objects.get().name == "standard"


def test_a_company_does_not_end_without_a_policy(admin: Any, company: Any) -> None:
    url = reverse("admin:policies_companypolicy_delete", args=[company.policy_choice.pk])
    assert admin.post(url, {"post": "yes"}).status_code == 403


def test_what_is_the_same_keeps_nothing_and_no_choice_goes_back_before_the_last(company: Any, gentle: Policy) -> None:
    client, march = make_client(company), dt.date(2026, 3, 1)
    save_client(client, {"notes": "rings twice"}, by=CLERK, on=march)
    save_client(client, {"policy_name": ""}, by=CLERK, on=march)
    assert use_policy(company, "standard", CLERK, march).name == "standard"
    assert kept() == []
    save_client(client, {"policy_name": "gentle"}, by=CLERK, on=march)
    save_client(client, {"policy_name": ""}, by=CLERK, on=march - dt.timedelta(days=5))
    assert [row[2:] for row in kept()] == [("", "gentle", march), ("gentle", "", march)]


def test_a_choice_is_a_fact(company: Any) -> None:
    choice = keep_choice(
        "company", company.pk, company.pk, before="standard", name="gentle", on=dt.date(2026, 3, 1), by=CLERK
    )
    assert choice is not None
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE policies_policychoice SET name = 'other'")
