"""The tick: it records that it ran, and a SIGTERM lets the current letter end."""

import os
import signal
import threading

import pytest
from django.utils import timezone

from core.models import Tick
from outbox import tasks
from outbox.models import Message

pytestmark = pytest.mark.django_db


def test_the_tick_sends_what_is_due_and_records_that_it_ran(put, sink):
    put(not_before=timezone.now())
    tasks.deliver_messages()
    tick = Tick.objects.get(name="outbox.deliver")
    assert tick.result["sent"] == 1 and tick.ended_at and not tick.error


def test_the_beat_table_names_this_tick():
    from arledger.celery import BEAT, app

    assert BEAT["deliver-messages"]["task"] == tasks.deliver_messages.name == "outbox.deliver"
    assert "outbox.deliver" in app.tasks


def test_a_drain_ends_after_its_seconds(put, sink, monkeypatch):
    monkeypatch.setattr(tasks, "SECONDS", 0)
    put(not_before=timezone.now())
    tasks.deliver_messages()
    assert Message.objects.get().state == "pending"


def test_sigterm_ends_the_drain_after_the_current_letter_and_then_takes_its_course(put, sink):
    took_its_course = []
    before = signal.signal(signal.SIGTERM, lambda *_: took_its_course.append(len(sink.letters)))
    sink.answers["data"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    for n in range(3):
        put(f"note:{n}", not_before=timezone.now())
    try:
        tasks.deliver_messages()
    finally:
        signal.signal(signal.SIGTERM, before)
    states = sorted(Message.objects.values_list("state", flat=True))
    assert states == ["pending", "pending", "sent"]
    assert took_its_course == [1]
    assert Tick.objects.get(name="outbox.deliver").result["sent"] == 1


def test_in_a_thread_the_seconds_alone_end_it():
    said = []

    def run():
        with tasks.finishing_the_current_one(60) as stop:
            said.append(stop())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert said == [False]
