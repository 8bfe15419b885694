"""«Why / why not» on the client's file: what the night decides, in words, and on which day it goes by itself."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse

from ar_collections.services.explaining import explained
from ar_collections.services.pausing import pause_chasing
from clients.models import Client
from outbox.models import Message
from policies.models import CompanyPolicy
from tests.cast import CLERK, TODAY, invoice_due
from tests.collecting import DAY, a_day

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 18, 11, tzinfo=dt.UTC)


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        yield client


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def page_of(client: Client, name: str = "client", **asked: str) -> str:
    query = "&".join(f"{key}={value}" for key, value in asked.items())
    return reverse(f"dashboard:{name}", args=[client.pk]) + (f"?{query}" if query else "")


def test_the_file_says_what_goes_what_does_not_and_when(desk, company, late_client):
    first, second = invoice_due(late_client, TODAY - 8 * DAY), invoice_due(late_client, TODAY - 21 * DAY)
    pause_chasing(late_client, invoice=second, reason="ask Mara first", until=TODAY + 3 * DAY, on=TODAY, by=CLERK)
    page = words(desk.get(page_of(late_client)))
    assert "Paused until 2026-11-21: ask Mara first" in page
    assert "Does not go by itself as long as this stands" in page and str(first) in page and "no bank data" in page
    assert not Message.objects.exists(), "looking changes nothing"


def test_what_waits_for_its_day_names_the_day(desk, company, late_client):
    invoice_due(late_client, TODAY - DAY)
    a_day(company, TODAY)
    invoice_due(late_client, TODAY - 8 * DAY)
    page = words(desk.get(page_of(late_client, "client_why", on=(TODAY + DAY).isoformat())))
    assert "Days between messages" in page and "Less than 5 days after the last message" in page
    (step,) = explained(late_client, TODAY + DAY).steps
    assert step.goes_on == TODAY + 5 * DAY, "Monday"
    assert "Goes by itself on Monday 23 November 2026" in page


def test_any_day_is_shown_and_what_is_none_is_said(desk, late_client):
    invoice_due(late_client, TODAY + 10 * DAY)
    assert "has reached a step" in words(desk.get(page_of(late_client, "client_why")))
    assert "reached on" in words(desk.get(page_of(late_client, "client_why", on=(TODAY + 18 * DAY).isoformat())))
    for nonsense in ("soon", "2026-13-40"):
        answer = desk.get(page_of(late_client, "client_why", on=nonsense))
        assert answer.status_code == 422 and "Choose a day of the calendar" in words(answer)


def test_a_book_without_a_policy_in_force_says_what_to_do(desk, company, late_client):
    invoice_due(late_client, TODAY - DAY)
    Client.objects.filter(pk=late_client.pk).update(policy_name="nowhere")
    page = words(desk.get(page_of(late_client)))
    assert "“nowhere” has no version in force" in page and "Harbour Lane Coffee" in page
    Client.objects.filter(pk=late_client.pk).update(policy_name="")
    CompanyPolicy.objects.all().delete()
    assert "uses no policy" in words(desk.get(page_of(late_client)))


def test_the_command_names_every_guard_with_its_reason(late_client, capsys):
    invoice = invoice_due(late_client, TODAY - 8 * DAY)
    call_command("why", late_client.number, "--on", TODAY.isoformat(), "--json")
    answer = json.loads(capsys.readouterr().out)
    (step,) = answer["steps"]
    assert set(answer) == {"client", "on", "steps", "message"}
    assert set(step) == {"invoice", "step", "reached_on", "verdict", "guards"}
    assert (step["invoice"], step["step"], step["verdict"]) == (str(invoice), "reminder_1", "serve")
    assert [guard["guard"] for guard in step["guards"]] == [
        "paid", "handed_over", "dispute", "extension", "promise", "claim", "pause", "payment_in_flight", "taken_over",
        "credit", "bank_data", "unmatched", "quiet", "bounced", "address", "today", "minimum", "spacing", "window",
        "approval",
    ]
    assert all(guard["passes"] for guard in step["guards"])
    assert {guard["because"] for guard in step["guards"] if guard["guard"] in ("bank_data", "unmatched")} == {
        "no bank data"
    }
