"""What waits for approval, and why or why not, in a browser: on a desk, in the dark and on a telephone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ar_collections.services.pausing import pause_chasing
from ar_collections.services.planning import plan
from clients.models import Client
from core.dates import next_business_day
from core.services import today
from outbox.models import Message
from tests.browser import signed_in
from tests.cast import CLERK, invoice_due, make_manager
from tests.collecting import DAY, a_step, policy_named
from tests.looking import check

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(page: Any, live_server: Any, client: Any, company: Any) -> Any:
    return signed_in(page, live_server, client, make_manager())


@pytest.fixture
def waiting(late_client: Any, company: Any) -> Message:
    policy_named("looked_at", steps=[a_step("firm", 8, needs_approval=True, title="A firm word")])
    Client.objects.filter(pk=late_client.pk).update(policy_name="looked_at")
    on = next_business_day(today(company) + DAY)
    invoice_due(late_client, on - 8 * DAY, "300")
    (pk,) = plan(company, on, by="test", now=dt.datetime.combine(on, dt.time(11), tzinfo=dt.UTC)).planned
    resting = invoice_due(late_client, today(company) - 8 * DAY, "700")
    pause_chasing(
        late_client, invoice=resting, reason="the parcel is being traced", until=today(company) + 9 * DAY,
        on=today(company), by=CLERK,
    )
    return Message.objects.get(pk=pk)


def test_the_pages_are_accessible_and_fit(desk, waiting, late_client):
    places = ["/outbox/approvals/", f"/clients/{late_client.pk}/why/", f"/clients/{late_client.pk}/"]
    found = [line for place in places for line in check(desk, place)]
    assert not found, "\n".join(found)


def test_a_message_is_ticked_and_approved_by_keyboard(desk, waiting):
    desk.goto("/outbox/approvals/")
    box = desk.get_by_role("checkbox", name="The message to Harbour Lane Coffee")
    box.focus()
    desk.keyboard.press("Space")
    desk.get_by_role("button", name="Approve", exact=True).press("Enter")
    desk.get_by_text("1 message approved").wait_for()
    waiting.refresh_from_db()
    assert waiting.state == "pending"


def test_every_check_unfolds_by_keyboard(desk, waiting, late_client):
    desk.goto(f"/clients/{late_client.pk}/why/")
    summary = desk.locator(".judged summary").first
    summary.focus()
    desk.keyboard.press("Enter")
    desk.locator(".judged dl").first.get_by_text("no bank data").first.wait_for()


