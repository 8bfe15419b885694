"""The editor of a policy: days follow what is typed, what would be refused is said before, and it fits a telephone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from policies.models import Policy
from policies.services import policy_of
from policies.services.guard_rails import seed_guard_rails
from tests.cast import TODAY
from tests.looking import seen

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def admin_page(page, live_server, client, company):
    seed_guard_rails("test")
    client.force_login(User.objects.create_superuser("root", "", "correct horse battery"))
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return page


def test_the_days_follow_what_is_typed_and_a_refusal_is_said_before(admin_page, company):
    page, policy = admin_page, policy_of(company, TODAY)
    page.goto(reverse("admin:policies_policy_new_version", args=[policy.pk]))
    assert seen(page, "policy-editor", context="#content-main") == []
    page.fill("[name=sample-issued_on]", "2027-03-01")
    card = page.locator("#step-3")
    card.locator("summary").click()
    assert page.locator("#step-3[open]").count() == 1
    card.locator("[name=steps-2-offset_days_0]").fill("9")
    expect(card.locator("time")).to_have_attribute("datetime", "2027-04-09")  # due on 31 March
    assert "+9" in card.locator("summary").inner_text()
    card.locator("[name=steps-2-offset_days_1]").select_option("before")
    expect(card.locator("time")).to_have_attribute("datetime", "2027-03-22")
    expect(page.locator(".wrong")).to_contain_text("cannot move the stage")
    assert seen(page, "policy-editor-open", context="#content-main") == []
    card.locator("[name=steps-2-offset_days_1]").select_option("after")
    expect(page.locator(".beside .right")).to_be_visible()
    page.fill("[name=jurisdictions]", "NO")
    expect(page.locator(".wrong")).to_contain_text("Fourteen days to pay")
    assert Policy.objects.count() == 1, "looking keeps nothing"


def test_a_step_is_added_and_a_version_made_with_the_keyboard_alone(admin_page, company):
    page, policy = admin_page, policy_of(company, TODAY)
    page.goto(reverse("admin:policies_policy_new_version", args=[policy.pk]))
    page.focus("text=Another step")
    page.keyboard.press("Enter")
    page.wait_for_selector("#step-11")
    card = page.locator("#step-11")
    card.locator("[name=steps-10-title]").focus()
    page.keyboard.type("A word before the review")
    card.locator("[name=steps-10-offset_days_0]").focus()
    page.keyboard.type("52")
    page.keyboard.press("Enter")  # shows the days and leaves the page as it is
    expect(page.locator(".calendar")).to_contain_text("A word before the review")
    page.focus("input[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".errornote")
    said = card.locator(".errorlist").first.inner_text()
    assert "before day +59, by which “Final notice” asks to pay" in said
    card.locator("[name=steps-10-offset_days_0]").fill("59")
    page.focus("input[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".messagelist .success")
    assert seen(page, "policy-read", context="#content-main") == []
    made = Policy.objects.latest("effective_from")
    step = made.steps.get(offset_days=59)
    assert (step.code, step.channel, step.tone) == ("a_word_before_the_review", "mail", "plain")
    assert made.effective_from > dt.date(2026, 1, 1)


def test_a_second_policy_is_made_from_one_that_exists(admin_page, company):
    page = admin_page
    page.goto(reverse("dashboard:policies"))
    page.get_by_role("link", name="New policy from Standard").click()
    page.get_by_label("Name").fill("Public Bodies")
    page.get_by_role("button", name="Make this policy").click()
    page.get_by_text("Write a name of small letters").wait_for()
    assert seen(page, "policy-new", context="form > fieldset:first-of-type") == []
    page.get_by_label("Name").fill("public-bodies")
    page.get_by_role("button", name="Make this policy").click()
    page.get_by_text("until then nobody is reminded by it").wait_for()
    assert seen(page, "policy-unused", context="p.actions") == []
    assert Policy.objects.get(name="public-bodies").steps.count() == 10


def test_without_a_script_the_days_are_shown_by_their_button(browser: Any, live_server, client, company):
    client.force_login(User.objects.create_superuser("root", "", "correct horse battery"))
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies([
        {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    ])  # fmt: skip
    page = context.new_page()
    try:
        page.goto(reverse("admin:policies_policy_new_version", args=[policy_of(company, TODAY).pk]))
        page.fill("[name=sample-issued_on]", "2027-03-01")
        page.click("text=Show days")
        assert page.locator("#step-3 time").get_attribute("datetime") == "2027-04-08"
        assert Policy.objects.count() == 1
    finally:
        context.close()
