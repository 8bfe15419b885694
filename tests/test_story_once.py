"""Case 2: duplicates because a job ran hourly (invoiceninja#2330, #9312).

Running the job 24 times a day equals running it once: unique keys (invoice, step, cycle, channel) and (client, day,
channel), a fee once per invoice and step; and no reminder the morning after a person sent one.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
import time_machine
from django.db import IntegrityError, transaction

from ar_collections.models import Served, Task
from ar_collections.services.planning import plan
from ar_collections.tasks import plan_reminders
from audit.models import Event
from invoices.models import Charge, Entry
from invoices.services.charging import charge_fee
from outbox.models import Message
from outbox.services import deliver, send_again
from outbox.tasks import deliver_messages
from policies.services import policy_of
from tests.cast import CLERK, invoice_due
from tests.collecting import days, days_pass, sent_to

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 11, 9)


def test_twenty_four_runs_a_day_equal_one(late_client):
    company, invoice = late_client.company, invoice_due(late_client, DUE)
    for on in (day for step in (-7, 1, 8, 15) for day in days(*(DUE + dt.timedelta(days=step + n) for n in (-1, 1)))):
        for hour in range(24):
            now = dt.datetime.combine(on, dt.time(hour), tzinfo=dt.UTC)
            if now.astimezone(company.zone).date() == on:
                plan(company, on, by="system", now=now)
                deliver(now)
    rows = Served.objects.filter(invoice=invoice, outcome="served").order_by("on")
    assert list(rows.values_list("step", flat=True)) == ["pre_due", "first_overdue", "reminder_1", "call_1"]
    assert Counter(Message.objects.values_list("state", flat=True)) == {"sent": 3}
    assert Task.objects.filter(kind="call").count() == 1


def test_a_second_run_of_a_day_changes_nothing(late_client):
    invoice_due(late_client, DUE)
    for on in days(DUE, DUE + dt.timedelta(days=50)):
        days_pass(late_client.company, on, on)
        before = [model.objects.count() for model in (Served, Message, Task, Entry, Charge, Event)]
        days_pass(late_client.company, on, on)
        assert [model.objects.count() for model in (Served, Message, Task, Entry, Charge, Event)] == before


def test_the_database_itself_refuses_a_second_serving(late_client):
    invoice = invoice_due(late_client, DUE)
    days_pass(late_client.company, DUE + dt.timedelta(days=1), DUE + dt.timedelta(days=1))
    first = Served.objects.get(invoice=invoice, outcome="served")
    with pytest.raises(IntegrityError), transaction.atomic():
        Served.objects.create(invoice=invoice, step=first.step, cycle=1, channel="mail", on=DUE)
    message = sent_to(late_client)[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(key=message.key, message_id="<other@x>", on=DUE, not_before=message.not_before)


def test_a_fee_is_charged_once_however_often_its_step_is_served(late_client):
    invoice = invoice_due(late_client, DUE)
    step = policy_of(late_client.company, DUE).steps.get(code="reminder_1")
    step.fee = {"EUR": "10"}
    for hour in range(24):
        charge_fee(invoice, step, on=DUE + dt.timedelta(days=8 + hour // 12), by="system")
    assert [charge.amount for charge in Charge.objects.filter(invoice=invoice)] == [10]
    invoice.refresh_from_db()
    assert invoice.balance == 1000, "a fee is a claim of its own"


def at(hour: int, days: int) -> time_machine.travel:
    """An hour in Berlin, so many days after the due date."""
    moment = dt.datetime(2026, 11, 9, hour - 1, 30, tzinfo=dt.UTC) + dt.timedelta(days=days)
    return time_machine.travel(moment, tick=False)


def ticks() -> None:
    plan_reminders()
    deliver_messages()


@pytest.mark.parametrize("resent", [False, True])
def test_no_reminder_the_morning_after_a_person_sent_one(late_client, resent):
    """invoiceninja#9312. The invoice that is late on that morning is told of in the afternoon, a day after the last."""
    invoice_due(late_client, DUE)
    second = invoice_due(late_client, DUE + dt.timedelta(days=1))
    with at(10, 0):
        ticks()
    with at(10, 1):
        ticks()
        (first,) = sent_to(late_client)
    if resent:
        with at(16, 1):
            send_again(first, on=DUE + dt.timedelta(days=1), now=first.not_before, by=CLERK)
            ticks()
    sent = len(sent_to(late_client))
    with at(9, 2):
        ticks()
    assert len(sent_to(late_client)) == sent, "less than a day ago"
    with at(15, 2):
        ticks()
    assert len(sent_to(late_client)) == sent + (not resent)
    with at(16, 2):
        ticks()
    last = sent_to(late_client)[-1]
    assert len(sent_to(late_client)) == sent + 1 and last.attempts == 1
    assert str(second) in last.text and last.on == DUE + dt.timedelta(days=2)
