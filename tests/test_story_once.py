"""Case 2: duplicates because a job ran hourly (invoiceninja#2330, #9312).

Running the job 24 times a day equals running it once: unique keys (invoice, step, cycle, channel) and (client, day,
channel).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from django.db import IntegrityError, transaction

from ar_collections.models import Served, Task
from ar_collections.services.planning import plan
from audit.models import Event
from invoices.models import Charge, Entry
from outbox.models import Message
from outbox.services import deliver
from tests.cast import invoice_due
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
