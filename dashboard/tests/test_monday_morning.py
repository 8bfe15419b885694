"""Monday morning: the call queue is worked to its end without touching the mouse."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.models import ContactLog, Promise, Task
from ar_collections.services.desk import open_task
from ar_collections.services.promising import promise_payment
from core.services import today
from disputes.services import open_dispute
from tests.browser import signed_in
from tests.cast import invoice_due, make_client
from tests.looking import wrong

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def queue(page: Any, live_server: Any, client: Any, clerk: Any, company: Any) -> Any:
    """Three clients to call, the largest sum first, before a clerk who is signed in."""
    on = today(company, timezone.now())
    for number, amount in (("C-1", "9000"), ("C-2", "4000"), ("C-3", "700")):
        one = make_client(company, number, name=f"{number} Ltd")
        invoice_due(one, on - dt.timedelta(days=20), amount)
        open_task(one, "call", because="20 days overdue", due_on=on, on=on, by="system")
    return signed_in(page, live_server, client, clerk)


def answer(page: Any, arrows: int) -> None:
    """Choose an answer from the keyboard: the focus stands on the first one."""
    page.locator("[name=outcome]:focus").wait_for(state="attached")
    page.keyboard.press("Space")
    for _n in range(arrows):
        page.keyboard.press("ArrowRight")


def test_the_queue_is_worked_to_zero_from_the_keyboard(queue: Any) -> None:
    page, keys = queue, queue.keyboard
    page.goto("/collections/")
    assert wrong(page, "call queue") == []

    keys.press("j")
    assert "C-1 Ltd" in page.evaluate("document.activeElement.innerText")
    with page.expect_navigation():
        keys.press("n")  # no answer

    answer(page, 1)
    assert page.evaluate("document.activeElement.value") == "promised"
    keys.press("Tab")
    keys.press("Control+a")
    keys.type("1,500")
    assert wrong(page, "call queue") == []
    with page.expect_navigation():
        keys.press("Control+Enter")

    answer(page, 4)
    assert page.evaluate("document.activeElement.value") == "wrong_person"
    for text in ("Jonas Petersen", "+49 40 66969 900", "jonas@client.example"):
        keys.press("Tab")
        keys.type(text)
    with page.expect_navigation():
        keys.press("Meta+Enter")

    assert "+49 40 66969 900 · Jonas Petersen" in page.inner_text("[data-row]")
    answer(page, 0)
    with page.expect_navigation():
        keys.press("Control+Enter")

    assert "Queue done: 4 calls, €1,500 promised." in page.inner_text("main")
    assert wrong(page, "call queue") == []
    outcomes = ContactLog.objects.order_by("pk").values_list("client__number", "outcome")
    assert list(outcomes) == [("C-1", "no_answer"), ("C-2", "promised"), ("C-3", "wrong_person"), ("C-3", "spoke")]
    assert Promise.objects.get().amount == 1500
    assert list(Task.objects.filter(closed_on=None).values_list("client__number", flat=True)) == ["C-1"]


def test_l_opens_the_form_of_the_row_and_its_sentence_follows_the_day(queue: Any) -> None:
    page = queue
    page.goto("/")
    assert wrong(page, "call queue") == []
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("l")
    row = page.locator("[data-row]").nth(1)
    assert row.locator("form.log").is_visible()
    assert page.locator("form.log:visible").count() == 1
    row.get_by_text("Promised to pay").click()
    row.get_by_label("On", exact=True).first.fill("2030-05-31")
    assert "pause until 1 June. If nothing arrives" in row.locator(".foot").inner_text()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert wrong(page, "call queue") == []


def test_without_script_a_link_opens_the_form(queue: Any, browser: Any, live_server: Any) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies(queue.context.cookies())
    page = context.new_page()
    page.goto("/collections/")
    assert page.locator("form.log:visible").count() == 0
    page.get_by_role("link", name="Log call: C-2 Ltd").click()
    form = page.get_by_role("form", name="Log a call with C-2 Ltd")
    form.get_by_role("button", name="Save and call next").click()
    assert "Say what happened" in page.get_by_role("alert").inner_text()
    form.get_by_text("Spoke").click()
    form.get_by_role("button", name="Save and call next").click()
    assert ContactLog.objects.get().client.number == "C-2"
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light")])
def test_promises_and_disputes_are_read_by_everybody(queue: Any, company: Any, width: int, scheme: str) -> None:
    on = today(company, timezone.now())
    first, second = (task.client.invoices.get() for task in Task.objects.order_by("pk")[:2])
    promise_payment(first, first.balance, on + dt.timedelta(days=3), on=on, by="Ada")
    dispute = open_dispute(second, reason="price", text="Two hours too many", on=on, by="client")
    queue.set_viewport_size({"width": width, "height": 900})
    queue.emulate_media(color_scheme=scheme)
    for address in ("/promises/", f"/disputes/?close={dispute.pk}"):
        queue.goto(address)
        assert wrong(queue, address) == []
        assert queue.evaluate("document.documentElement.scrollWidth") == width
    assert queue.evaluate("document.activeElement.name") == "outcome"
    queue.keyboard.type("Explained on the telephone")
    with queue.expect_navigation():
        queue.keyboard.press("Control+Enter")
    assert "No open disputes" in queue.inner_text("main")
