"""Reminders that wait for approval: everybody sees them, one or all are approved or discarded, on their day only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from ar_collections.models import Hold, Served
from ar_collections.services.explaining import explain
from ar_collections.services.planning import plan
from audit.models import Event
from clients.models import Client
from outbox.models import Message
from outbox.services import deliver
from tests.cast import TODAY, invoice_due
from tests.collecting import DAY, a_day, a_step, policy_named, sent_to, served

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 18, 11, tzinfo=dt.UTC)
PLACE = "/outbox/approvals/"


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        yield client


@pytest.fixture
def waiting(company: Any, late_client: Any, good_client: Any) -> list[Message]:
    """Two clients whose firm step wants approval; the second has another step that does not."""
    policy_named("looked_at", steps=[
        a_step("firm", 8, needs_approval=True, title="A firm word"), a_step("last", 20, mandatory=True),
    ])
    Client.objects.filter(pk__in=[late_client.pk, good_client.pk]).update(policy_name="looked_at")
    for client in (late_client, good_client):
        invoice_due(client, TODAY - 8 * DAY, "300")
    done = plan(company, TODAY, by="test", now=NOON)
    return list(Message.objects.filter(pk__in=done.planned).order_by("pk"))


def test_what_waits_is_held_counts_as_planned_and_is_said_to_wait(company, late_client, waiting):
    assert [m.held_for for m in waiting] == [f"approval:{m.payload['client']}:2026-11-18" for m in waiting]
    assert {m.state for m in waiting} == {"held"} and Served.objects.filter(outcome="served").count() == 2
    deliver(NOON)
    assert sent_to(late_client) == []
    message = explain(late_client, TODAY)["message"]
    assert (message["state"], message["because"]) == ("held", "it waits for a person's approval")
    assert plan(company, TODAY, by="test", now=NOON).planned == []


def test_run_day_approves_nothing(company, late_client, waiting):
    a_day(company, TODAY)
    assert sent_to(late_client) == []


def test_the_page_shows_everything_and_one_is_approved(desk, waiting, late_client, good_client):
    page = text(desk.get(PLACE))
    for words in ("2 messages wait for your approval", "Harbour Lane Coffee", "Osprey Logistics", "A firm word"):
        assert words in page
    assert "2 reminders wait for your approval" in text(desk.get("/"))
    mine = next(m for m in waiting if m.party == f"client:{late_client.pk}")
    assert "1 message approved" in text(desk.post(PLACE, {"pk": mine.pk, "do": "approve"}, follow=True))
    deliver(NOON)
    assert len(sent_to(late_client)) == 1 and sent_to(good_client) == []
    assert Event.objects.get(action="reminder_approved").client_id == late_client.pk
    lines = b"".join(desk.get(PLACE + "?format=csv").streaming_content).decode().splitlines()
    assert len(lines) == 2


def test_all_are_approved_only_as_they_were_seen(desk, waiting):
    everything = {"which": "all", "do": "approve", "seen": desk.get(PLACE).context["seen"], "looked": "yes"}
    assert f'name="seen" value="{everything["seen"]}"' in text(desk.get(PLACE))
    assert "Tick that you have looked" in text(desk.post(PLACE, everything | {"looked": ""}, follow=True))
    assert "Meanwhile 2 messages wait" in text(desk.post(PLACE, everything | {"seen": "1:"}, follow=True))
    as_many = "2:" + "0" * 16  # one was decided on meanwhile, and another came
    assert "Meanwhile 2 messages wait" in text(desk.post(PLACE, everything | {"seen": as_many}, follow=True))
    assert Message.objects.filter(state="held").count() == 2
    assert "2 messages approved" in text(desk.post(PLACE, everything, follow=True))
    assert Message.objects.filter(state="pending").count() == 2
    assert "already decided" in text(desk.post(PLACE, {"pk": waiting[0].pk, "do": "discard"}, follow=True))
    assert Message.objects.filter(state="pending").count() == 2


def test_nothing_ticked_is_nothing_done(desk, waiting):
    assert "Tick the messages you mean" in text(desk.post(PLACE, {"do": "approve"}, follow=True))
    assert Message.objects.filter(state="held").count() == 2


def test_what_is_discarded_does_not_come_back_and_a_mandatory_notice_does(desk, company, late_client, waiting):
    everything = {"which": "all", "do": "discard", "seen": desk.get(PLACE).context["seen"], "looked": "yes"}
    assert "2 messages discarded" in text(desk.post(PLACE, everything, follow=True))
    assert {m.state for m in Message.objects.all()} == {"cancelled"}
    assert set(Served.objects.values_list("outcome", "because")) == {("skipped", "discarded")}
    assert plan(company, TODAY + DAY, by="test", now=NOON + DAY).planned == []
    on = TODAY + 12 * DAY
    assert len(plan(company, on, by="test", hold_allowed=False).planned) == 2


def test_what_nobody_decided_is_planned_afresh_the_next_day_and_waits_again(company, late_client, waiting):
    done = plan(company, TODAY + DAY, by="test", now=NOON + DAY)
    assert done.cancelled == 2 and len(done.planned) == 2
    assert Message.objects.filter(state="held", on=TODAY + DAY).count() == 2


def test_approval_is_asked_for_even_behind_a_hold(desk, company, late_client, good_client):
    """Releasing a batch releases no message that wants to be looked at by itself."""
    policy_named("looked_at", steps=[a_step("firm", 8, needs_approval=True)])
    Client.objects.filter(pk=late_client.pk).update(policy_name="looked_at")
    hold = Hold.objects.create(company=company, reason="new")
    for client in (late_client, good_client):
        invoice_due(client, TODAY - 8 * DAY)
    plan(company, TODAY, by="test", now=NOON)
    desk.post(reverse("dashboard:outbox_release", args=[hold.pk]), {"count": "1", "looked": "yes"})
    assert dict(Message.objects.values_list("party", "state")) == {
        f"client:{late_client.pk}": "held", f"client:{good_client.pk}": "pending",
    }


def test_the_message_itself_can_be_decided_on_where_it_is_read(desk, late_client, waiting):
    mine = next(m for m in waiting if m.party == f"client:{late_client.pk}")
    place = reverse("dashboard:outbox_message", args=[mine.pk])
    assert "waits for your approval" in text(desk.get(place))
    desk.post(PLACE, {"pk": mine.pk, "do": "approve"})
    mine.refresh_from_db()
    assert mine.state == "pending"


def test_what_is_decided_by_two_people_at_once_is_decided_once(desk, waiting, late_client):
    mine = next(m for m in waiting if m.party == f"client:{late_client.pk}")
    desk.post(PLACE, {"pk": mine.pk, "do": "approve"})
    assert "already decided on" in text(desk.post(PLACE, {"pk": mine.pk, "do": "approve"}, follow=True))
    deliver(NOON)
    assert served(late_client.invoices.get()) == [("firm", TODAY)]
