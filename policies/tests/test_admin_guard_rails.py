"""Guard-rails and segments in the admin: rows with a source, a newer one in place of an older, every act recorded."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse

from audit.models import Event
from policies.models import CompanyPolicy, GuardRail, Policy, Segment
from policies.services.guard_rails import rails_for, seed_guard_rails
from tests.cast import TODAY, make_client

pytestmark = pytest.mark.django_db
FACTS = {
    "country": "no", "code": "highest-fee", "kind": "highest_fee", "value": "NOK 37", "for_consumers": "unknown",
    "name": "Highest fee", "says": "NOK 37 a notice", "source": "altinn.no", "as_of": TODAY.isoformat(),
}


@pytest.fixture
def admin(client: Any, company: Any) -> Any:
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        seed_guard_rails("test")
        client.force_login(User.objects.create_superuser("root", "", "correct horse battery"))
        yield client


def text(answer: Any) -> str:
    return answer.content.decode()


def highest() -> list[Any]:
    return [rail.value for rail in rails_for(["NO"]) if rail.kind == "highest_fee"]


def test_the_list_shows_each_rule_with_its_value_and_its_source(admin):
    page = text(admin.get(reverse("admin:policies_guardrail_changelist")))
    assert "inkassoloven § 9" in page and "NOK 35" in page and "08:00 to 21:00" in page


def test_a_newer_row_takes_the_place_of_an_older_one(admin):
    old = GuardRail.objects.get(country="NO", code="highest-fee")
    page = text(admin.get(reverse("admin:policies_guardrail_change", args=[old.pk])))
    assert "A newer row in its place" in page and "NOK 35" in page
    assert admin.post(reverse("admin:policies_guardrail_add"), FACTS).status_code == 302
    assert highest() == [{"NOK": "37"}]
    new = GuardRail.objects.get(source="altinn.no", code="highest-fee")
    assert (new.country, new.made_by, new.as_of) == ("NO", "root", TODAY)
    assert Event.objects.filter(action="guard_rail_added", object_id=str(new.pk), actor="root").exists()
    assert "A newer row" not in text(admin.get(reverse("admin:policies_guardrail_change", args=[old.pk])))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"source": ""}, "This field is required"), ({"value": "much"}, "Write a sum per currency, such as NOK 35."),
        ({"country": "N1"}, "Write the country as two letters"), ({"as_of": "2027-01-01"}, "lies ahead"),
        ({"kind": "notice_days", "value": "soon"}, "Write a whole number of days, such as 14."),
        ({"kind": "contact_hours", "value": "21:00 to 08:00"}, "Write two times, the earlier first"),
    ],
)  # fmt: skip
def test_a_row_that_says_nothing_or_has_no_source_is_refused(admin, facts, said):
    before = GuardRail.objects.count()
    assert said in text(admin.post(reverse("admin:policies_guardrail_add"), FACTS | facts))
    assert GuardRail.objects.count() == before


def test_a_rule_is_taken_out_of_force_by_a_row_that_says_why(admin):
    row = GuardRail.objects.get(country="NO", code="highest-fee")
    url = reverse("admin:policies_guardrail_end", args=[row.pk])
    assert "This field is required" in text(admin.post(url, {"because": ""}))
    assert highest() == [{"NOK": "35"}]
    assert admin.post(url, {"because": "Lovtidend 2026"}).status_code == 302
    assert highest() == [] and GuardRail.objects.filter(country="NO", code="highest-fee").count() == 2
    assert "does not hold any more" in text(admin.post(url, {"because": "again"}))
    assert admin.post(reverse("admin:policies_guardrail_delete", args=[row.pk])).status_code == 403


def test_who_may_not_enter_rules_only_reads_them(admin, client):
    from core.roles import CLERK, give_role

    clerk = User.objects.create_user("cleo", password="correct horse battery", is_staff=True)
    give_role(clerk, CLERK)
    client.force_login(clerk)
    assert client.get(reverse("admin:policies_guardrail_add")).status_code == 403
    row = GuardRail.objects.first()
    assert client.post(reverse("admin:policies_guardrail_end", args=[row.pk]), {"because": "x"}).status_code == 403


def test_a_segment_gets_a_policy_of_those_in_force(admin, company):
    Policy.objects.create(name="gentle", title="Gentle", effective_from=TODAY)
    Policy.objects.create(name="later", effective_from=TODAY + dt.timedelta(days=9))
    url = reverse("admin:policies_segment_add")
    page = text(admin.get(url))
    assert "Gentle" in page and "later" not in page
    answer = admin.post(url, {"company": company.pk, "name": "Public bodies", "policy_name": "later"})
    assert "later is not one of the available choices" in text(answer)
    admin.post(url, {"company": company.pk, "name": "Public bodies", "policy_name": "gentle"})
    segment = Segment.objects.get()
    make_client(company).__class__.objects.update(segment=segment)
    assert Event.objects.filter(action="segment_added", summary="Public bodies").exists()
    page = text(admin.get(reverse("admin:policies_segment_changelist")))
    assert "Public bodies" in page and "gentle" in page
    used = text(admin.get(reverse("admin:policies_policy_change", args=[Policy.objects.get(name="gentle").pk])))
    assert "Public bodies (segment of Lumen &amp; Oak Studio)" in used


def test_a_company_chooses_from_the_policies_in_force(admin, company):
    choice = CompanyPolicy.objects.get(company=company)
    url = reverse("admin:policies_companypolicy_change", args=[choice.pk])
    assert "is not one of the available choices" in text(admin.post(url, {"company": company.pk, "name": "ghost"}))
    Policy.objects.create(name="gentle", effective_from=TODAY)
    assert admin.post(url, {"company": company.pk, "name": "gentle"}).status_code == 302
    assert CompanyPolicy.objects.get().name == "gentle"
