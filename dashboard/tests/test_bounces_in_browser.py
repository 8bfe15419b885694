"""What came back, on a desk, in the dark and on a telephone; and put right without a mouse."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import Contact
from core.services import today
from invoices.services.sending import send_invoice
from outbox.hearing import hear_delivery
from outbox.models import Message
from outbox.services import deliver
from tests.cast import CLERK, make_invoice
from tests.looking import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]


@pytest.fixture
def came_back(company: Any, late_client: Any, monkeypatch: Any) -> Message:
    """An invoice whose mail came back to the only person there."""
    monkeypatch.setattr("invoices.pdf.print_html", lambda html, **_look: b"%PDF-1.7 printed elsewhere")
    message = send_invoice(make_invoice(late_client), on=today(company, timezone.now()), by=CLERK)
    deliver(message.not_before + dt.timedelta(minutes=1))
    now = timezone.now()
    hear_delivery("bounced", at=now, now=now, said="550 5.1.1 <ap@client.example>: no such user", key=message.key)
    message.refresh_from_db()
    assert (message.state, message.delivery) == ("sent", "bounced")
    return message


def test_bounces_are_accessible_everywhere(desk: Any, came_back: Message, late_client: Any) -> None:
    pages = [
        reverse("dashboard:bounced"), reverse("dashboard:outbox_message", args=[came_back.pk]),
        reverse("dashboard:outbox") + "?state=bounced", reverse("dashboard:client", args=[late_client.pk]),
    ]  # fmt: skip
    found = []
    for page in pages:
        found += check(desk, page)
    words = desk.get_by_text("no such user").first.bounding_box()
    assert words is not None and words["width"] > 200, "on a telephone what was said is read in lines, not letters"
    assert "\n".join(found) == ""


def test_an_address_is_written_to_again_with_the_keyboard_alone(desk: Any, came_back: Message) -> None:
    desk.goto(reverse("dashboard:bounced"))
    button = desk.get_by_role("button", name="ap@client.example is right: write again")
    button.focus()
    desk.keyboard.press("Enter")
    desk.get_by_text("is written to again").wait_for()
    desk.get_by_text("No mail came back").wait_for()
    assert Contact.objects.get().bounced_at is None
