"""A policy tried at the desk in a browser: accessible, on a telephone and in the dark, from the draft to activation."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from ar_collections.tests.test_dry_run import draft_with
from ar_collections.trials import KIND
from core.jobs import run_job
from core.models import Job
from core.services import today
from policies.models import Policy
from tests.browser import signed_in
from tests.cast import invoice_due, make_client, make_manager
from tests.looking import check

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
DAY = dt.timedelta(days=1)


@pytest.fixture
def desk(page: Any, live_server: Any, client: Any, company: Any) -> Any:
    return signed_in(page, live_server, client, make_manager())


def test_a_draft_is_tried_looked_at_and_activated(desk: Any, company: Any) -> None:
    on = today(company)
    for n, age in enumerate((-3, 1, 8, 14, 25, 44)):
        client = make_client(company, f"T-{n}", name=f"Tried & Co {n}")
        invoice_due(client, on - age * DAY, "1200")
    draft_with(
        {"surge_floor": 1}, reminder_1={"offset_days": 10, "fee": {"EUR": "5"}}, call_1=None,
        reissue={"sets_cash_only": True},
    )
    desk.goto(reverse("dashboard:policy_try", args=["standard"]))
    desk.get_by_label("For the next days").fill("12")
    desk.get_by_role("button", name="Try it on today's book").click()
    desk.get_by_text("Nothing is written by this.").wait_for()
    job = Job.objects.latest("pk")
    run_job(job.pk, timezone.now)  # the worker; the page that follows it goes to the result by itself
    desk.get_by_role("heading", name="What is different").wait_for()
    assert desk.locator("svg.trial rect").count() > 0
    places = [
        reverse("dashboard:policies"), reverse("dashboard:policy_try", args=["standard"]),
        reverse("dashboard:policy_trial", args=[job.pk]), reverse("dashboard:policy_activate", args=["standard"]),
    ]
    found = [line for place in places for line in check(desk, place)]
    assert not found, "\n".join(found)
    desk.goto(places[2])
    desk.get_by_role("link", name="Activate it").click()
    desk.get_by_label("from its due date").check()
    desk.get_by_role("button", name="Activate").click()
    desk.get_by_text("No draft is open").wait_for()
    made = Policy.objects.latest("effective_from")
    assert made.already_overdue == "due_date" and made.effective_from == on + DAY


def test_a_page_that_follows_work_does_not_stand_in_the_way_of_who_leaves_it(desk: Any, company: Any) -> None:
    job = Job.objects.create(
        kind=KIND, state="running", started_at=timezone.now(),
        arguments={"policy": "standard", "on": today(company).isoformat(), "days": 1, "past": 0, "token": "0"},
    )  # fmt: skip
    desk.goto(reverse("dashboard:policy_trial", args=[job.pk]))
    held: list[Any] = []
    desk.route("**" + reverse("dashboard:policies"), lambda route: held.append(route))  # a slow page
    with desk.expect_request("**" + reverse("dashboard:policies")):
        desk.evaluate("location.assign('" + reverse("dashboard:policies") + "')")
    Job.objects.filter(pk=job.pk).update(state="failed", error="No rate.", ended_at=timezone.now())
    for _ in range(3):  # it is told of the end, and asks again instead of going there
        with desk.expect_request("**/progress/"):
            pass
    held.pop().continue_()
    desk.get_by_role("heading", name="Policies").wait_for()
    assert desk.url.endswith(reverse("dashboard:policies"))
