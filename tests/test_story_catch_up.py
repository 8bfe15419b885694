"""Case 3: a missed day is lost for ever (invoiceninja#637, akaunting, dolibarr#25197).

Eligible is what has reached its day and was not yet served; after an outage each client gets one message, the
highest stage, held by the breaker and sent on release.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from ar_collections.models import Hold, Served
from ar_collections.services import holding
from ar_collections.services.holding import database_now, discard_hold, release_hold
from ar_collections.services.planning import plan
from core.models import Tick
from core.services import tick
from outbox.models import Message
from outbox.services import deliver
from tests.cast import CLERK, invoice_due, make_client
from tests.collecting import a_day, sent_to, served

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 11, 6)  # a Friday


def noon(on: dt.date) -> dt.datetime:
    return dt.datetime.combine(on, dt.time(11), tzinfo=dt.UTC)


def test_the_day_after_the_due_date_was_missed_and_is_made_up_for(late_client):
    invoice = invoice_due(late_client, DUE)
    a_day(late_client.company, DUE + dt.timedelta(days=4))
    assert served(invoice) == [("first_overdue", DUE + dt.timedelta(days=4))]


def test_after_an_outage_one_message_of_the_highest_stage(late_client):
    """No tick from before the first step until after the third: three were missed, by each of three clients."""
    company, invoice = late_client.company, invoice_due(late_client, DUE)
    others = [make_client(late_client.company, f"C-9{n}") for n in range(2)]
    for other in others:
        invoice_due(other, DUE)
    Tick.objects.create(name="collections.plan", started_at=noon(DUE - dt.timedelta(days=8)))
    on = DUE + dt.timedelta(days=10)
    done = plan(company, on, by="system", now=noon(on))
    assert done.held_by is not None and done.held_by.reason == "surge"
    deliver(noon(on))
    assert sent_to(late_client) == []
    assert release_hold(done.held_by, by=CLERK) == 3
    deliver(noon(on))
    assert [[m.on for m in sent_to(client)] for client in (late_client, *others)] == [[on]] * 3
    assert served(invoice) == [("reminder_1", on)]
    passed = Served.objects.filter(invoice=invoice, outcome="skipped").values_list("step", "because")
    assert set(passed) == {("pre_due", "reminder_1"), ("first_overdue", "reminder_1")}


@pytest.mark.parametrize(("seconds", "held"), [(-6, True), (-4, False), (4, False), (6, True)])
def test_where_the_databases_clock_tells_another_time_a_person_looks_first(late_client, monkeypatch, seconds, held):
    invoice_due(late_client, DUE)
    with time_machine.travel(noon(DUE), tick=False):
        monkeypatch.setattr(holding, "database_now", lambda: timezone.now() + dt.timedelta(seconds=seconds))
        done = plan(late_client.company, DUE + dt.timedelta(days=3), by="system", now=noon(DUE + dt.timedelta(days=3)))
    assert bool(done.held_by) is held
    assert not done.held_by or "6 seconds apart" in done.held_by.detail


def test_the_database_and_we_agree_on_the_time():
    assert abs(database_now() - timezone.now()) < holding.CLOCKS_APART


def test_what_was_held_over_night_is_planned_afresh_and_stays_held(late_client):
    company, invoice = late_client.company, invoice_due(late_client, DUE)
    Hold.objects.create(company=company, reason="new")
    monday, tuesday = dt.date(2026, 11, 9), dt.date(2026, 11, 10)
    plan(company, monday, by="system", now=noon(monday))
    done = plan(company, tuesday, by="system", now=noon(tuesday))
    assert done.cancelled == 1 and len(done.planned) == 1
    assert list(Message.objects.order_by("on").values_list("on", "state")) == [(monday, "cancelled"), (tuesday, "held")]
    assert Served.objects.filter(invoice=invoice, step="first_overdue").count() == 1


def test_discarded_messages_do_not_come_back(late_client):
    company, invoice = late_client.company, invoice_due(late_client, DUE)
    hold = Hold.objects.create(company=company, reason="import")
    monday = dt.date(2026, 11, 9)
    plan(company, monday, by="system", now=noon(monday))
    assert discard_hold(hold, by=CLERK) == 1
    for n in (0, 1, 2):
        plan(company, monday + dt.timedelta(days=n), by="system", now=noon(monday + dt.timedelta(days=n)))
    assert Message.objects.exclude(state="cancelled").count() == 0
    assert Served.objects.get(invoice=invoice, step="first_overdue").because == "discarded"


def test_more_messages_than_on_any_usual_day_are_held(company):
    for n in range(52):
        invoice_due(make_client(company, f"S-{n:03d}"), DUE)
    monday = dt.date(2026, 11, 9)
    done = plan(company, monday, by="system", now=noon(monday))
    assert done.held_by is not None and "52 messages" in done.held_by.detail
    assert Message.objects.filter(state="held").count() == 52
    assert a_day(company, monday).counts["sent"] == 52, "a person's run is not held"


def test_fifty_messages_are_no_surge_and_a_clock_that_went_back_is(company):
    invoice_due(make_client(company, "S-1"), DUE)
    monday = dt.date(2026, 11, 9)
    Tick.objects.create(name="collections.plan", started_at=noon(monday) + dt.timedelta(hours=1))
    done = plan(company, monday, by="system", now=noon(monday))
    assert done.held_by is not None and "clock" in done.held_by.detail


def test_the_tick_keeps_when_it_ran(late_client):
    with tick("collections.plan") as result:
        result["messages"] = 1
    assert Tick.objects.get(name="collections.plan").result == {"messages": 1}
