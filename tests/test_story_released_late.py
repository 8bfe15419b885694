"""A person lets held messages go in the evening: they leave when the window opens next, and nobody holds them again."""

from __future__ import annotations

import datetime as dt

import pytest

from ar_collections.models import Hold
from ar_collections.services import waiting
from ar_collections.services.approving import approve, waiting_for_approval
from ar_collections.services.choosing import in_use
from ar_collections.services.holding import hold_first_run, release_hold
from ar_collections.services.planning import plan
from outbox.models import Message
from outbox.services import deliver
from tests.cast import CLERK, invoice_due, make_client
from tests.collecting import DAY, a_step, policy_named, served

pytestmark = pytest.mark.django_db

WEDNESDAY = dt.date(2026, 11, 18)
FRIDAY = WEDNESDAY + 2 * DAY
MONDAY = FRIDAY + 3 * DAY


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """An instant by the clock of Berlin, where the client is."""
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=dt.UTC) - dt.timedelta(hours=1)


def held(client, on: dt.date):
    """An invoice late since yesterday, and its reminder behind a hold."""
    invoice = invoice_due(client, on - DAY)
    hold_first_run(client.company, by="test")
    plan(client.company, on, by="test", now=at(on, 10))
    return invoice, Message.objects.get(kind="notice", state="held")


@pytest.mark.parametrize(("day", "next_day"), [(WEDNESDAY, WEDNESDAY + DAY), (FRIDAY, MONDAY)])
def test_released_after_five_it_waits_for_the_next_window_and_leaves_then(late_client, day, next_day):
    invoice, message = held(late_client, day)
    assert release_hold(Hold.objects.get(), by=CLERK, now=at(day, 18)) == 1
    deliver(at(day, 18, 5))
    plan(late_client.company, next_day, by="test", now=at(next_day, 7))
    message.refresh_from_db()
    assert (message.state, message.on, message.not_before) == ("pending", next_day, at(next_day, 9))
    assert Message.objects.count() == 1, "nothing is planned beside it, and it is not held again"
    assert not Hold.objects.filter(ended_at=None).exists()
    assert deliver(at(next_day, 9, 1))["sent"] == 1
    assert served(invoice) == [("first_overdue", next_day)]


def test_released_at_noon_it_leaves_today(late_client):
    invoice, _message = held(late_client, WEDNESDAY)
    release_hold(Hold.objects.get(), by=CLERK, now=at(WEDNESDAY, 12))
    assert deliver(at(WEDNESDAY, 12, 1))["sent"] == 1
    assert served(invoice) == [("first_overdue", WEDNESDAY)]


def test_what_was_paid_until_the_window_opened_does_not_leave(late_client):
    from tests.cast import pay

    invoice, _message = held(late_client, WEDNESDAY)
    release_hold(Hold.objects.get(), by=CLERK, now=at(WEDNESDAY, 18))
    pay(late_client, "1000", on=WEDNESDAY + DAY)
    assert deliver(at(WEDNESDAY + DAY, 9, 1))["cancelled"] == 1
    assert served(invoice) == []


def test_approved_after_five_it_waits_too(late_client):
    policy_named("watched", steps=[a_step("first", 1, tone="friendly", needs_approval=True)])
    late_client.policy_name = "watched"
    late_client.save(update_fields=["policy_name"])
    invoice = invoice_due(late_client, WEDNESDAY - DAY)
    plan(late_client.company, WEDNESDAY, by="test", now=at(WEDNESDAY, 10))
    assert approve(waiting_for_approval(late_client.company), by=CLERK, now=at(WEDNESDAY, 17, 30)) == 1
    assert deliver(at(WEDNESDAY, 17, 35))["cancelled"] == 0
    assert deliver(at(WEDNESDAY + DAY, 9, 1))["sent"] == 1
    assert served(invoice) == [("first", WEDNESDAY + DAY)]


def test_when_many_are_approved_the_windows_are_looked_up_once(late_client, monkeypatch):
    policy_named("watched", steps=[a_step("first", 1, tone="friendly", needs_approval=True)])
    for n in range(3):
        client = make_client(late_client.company, f"C-{n}", email=f"ap{n}@client.example", policy_name="watched")
        invoice_due(client, FRIDAY - DAY)
    plan(late_client.company, FRIDAY, by="test", now=at(FRIDAY, 10))
    asked = []
    monkeypatch.setattr(waiting, "in_use", lambda company, on: asked.append(on) or in_use(company, on))
    assert approve(waiting_for_approval(late_client.company), by=CLERK, now=at(FRIDAY, 18)) == 3
    assert asked == [FRIDAY, *(FRIDAY + n * DAY for n in range(4))]
    assert set(Message.objects.values_list("on", "state")) == {(MONDAY, "pending")}
