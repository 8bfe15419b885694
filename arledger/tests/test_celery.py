"""The beat table, the broker of files and the doorbell."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty

import pytest
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu import Connection

from arledger.celery import BEAT, app, broker
from core import doorbell


def test_the_beat_table_names_the_sweeps_and_each_is_a_task():
    app.loader.import_default_modules()
    assert {name: entry["task"] for name, entry in BEAT.items()} == {
        "send-pre-due-and-overdue-reminders": "collections.plan",
        "deliver-messages": "outbox.deliver",
        "apply-late-interest": "collections.apply_late_interest",
        "invoice-completed-work": "invoices.invoice_work",
        "invoice-what-recurs": "invoices.invoice_recurring",
        "send-receipts": "payments.send_receipts",
        "print-documents": "invoices.print",
        "note-who-crosses-a-limit": "invoices.note_credit",
        "look-after-credit": "collections.look_after_credit",
        "lift-cash-only": "collections.lift_cash_only",
        "greet-clients": "collections.greet",
        "housekeeping": "core.housekeeping",
    }
    assert not {entry["task"] for entry in BEAT.values()} - set(app.tasks)


def test_a_tick_that_nobody_took_expires_before_the_next():
    assert all(0 < entry["options"]["expires"] < entry["schedule"] for entry in BEAT.values())


def test_redis_delivers_again_only_after_the_longest_task_is_over(tmp_path):
    options = broker("redis://127.0.0.1/0", tmp_path)["broker_transport_options"]
    assert app.conf.task_time_limit < options["visibility_timeout"]


WRITER = """
import json, sys, time
from kombu import Connection
from arledger.celery import broker
from pathlib import Path
made = broker("", Path(sys.argv[1]))
options = made["broker_transport_options"]
with Connection(made["broker_url"], transport=made["broker_transport"], transport_options=options) as connection:
    channel = connection.channel()
    for number in range(int(sys.argv[2])):
        channel._put("q", {"number": number, "padding": "x" * 2000})
        time.sleep(0.0005)
"""


def test_the_broker_of_files_never_shows_half_a_message(tmp_path):
    """Kombu's own transport does, about once in seventy under this load: its reader then dies on an empty file."""
    made = broker("", tmp_path)
    options, sent = made["broker_transport_options"], 1000
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(sent)], cwd=settings.BASE_DIR)
    got = []
    with Connection(made["broker_url"], transport=made["broker_transport"], transport_options=options) as connection:
        channel = connection.channel()
        while len(got) < sent:
            try:
                got.append(channel._get("q")["number"])
            except Empty:
                if writer.poll() is not None and not list(Path(options["data_folder_in"]).iterdir()):
                    break
    assert writer.wait(10) == 0
    assert sorted(got) == list(range(sent))


@pytest.fixture
def fresh_bell(monkeypatch):
    monkeypatch.setattr(doorbell, "_quiet_until", 0.0)
    monkeypatch.setattr(doorbell, "unheard", 0)


@pytest.fixture
def letterbox(fresh_bell, tmp_path, monkeypatch):
    """A broker of files of our own; the messages in it are the bells that were rung."""
    for name, value in broker("", tmp_path).items():
        monkeypatch.setitem(current_app.conf.changes, name, value)
    return tmp_path / "queue"


def rung(letterbox: Path) -> list[str]:
    import json

    messages = sorted(letterbox.glob("*.celery.msg"))
    return [json.loads(message.read_text())["headers"]["task"] for message in messages]


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_after_the_commit_and_not_before(letterbox):
    with transaction.atomic():
        doorbell.ring("outbox.deliver")
        assert rung(letterbox) == []
    assert rung(letterbox) == ["outbox.deliver"]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_rings_no_bell(letterbox):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        doorbell.ring("outbox.deliver")
        1 / 0  # noqa: B018
    assert rung(letterbox) == []


@pytest.fixture
def black_hole(fresh_bell, monkeypatch):
    """A Redis that takes connections and never answers."""
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    address = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    app = current_app._get_current_object()
    monkeypatch.setattr(app, "connection_for_write", lambda **asked: Connection(address, **asked))
    listener.settimeout(0.05)

    def visits():
        """How often it was tried since the last question."""
        found = 0
        with contextlib.suppress(TimeoutError):
            while True:
                listener.accept()[0].close()
                found += 1
        return found

    yield visits
    listener.close()


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_never_answers_is_left_alone_after_one_try(black_hole):
    assert all(seconds <= 0.5 for name, seconds in doorbell.IMPATIENT.items() if name.endswith("timeout"))
    doorbell.ring("outbox.deliver")
    assert black_hole() >= 1
    doorbell.ring("outbox.deliver")
    assert black_hole() == 0
    assert doorbell.unheard == 2


@pytest.mark.redis
def test_with_redis_the_documented_worker_and_beat_record_a_tick(tmp_path):
    """`celery -A arledger worker` and `celery -A arledger beat`, as the README has them."""
    if not settings.REDIS_URL:
        pytest.skip("no Redis: set TEST_REDIS_URL, or run bin/test, which starts one")
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(tmp_path),
        "REDIS_URL": settings.REDIS_URL.rpartition("/")[0] + "/7",
    }
    python = [sys.executable, "-m"]
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, cwd=settings.BASE_DIR, check=True)
    log = tmp_path / "celery.log"
    with log.open("w") as out:
        started = [
            subprocess.Popen(
                [*python, "celery", "-A", "arledger", *arguments],
                env=environment,
                cwd=settings.BASE_DIR,
                stdout=out,
                stderr=out,
            )
            for arguments in (["worker", "--loglevel", "INFO"], ["beat", "--loglevel", "INFO"])
        ]
        try:
            assert "outbox.deliver" in wait_for_a_tick(environment, log)
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(60)


def wait_for_a_tick(environment: dict[str, str], log: Path) -> str:
    import sqlite3

    end = time.monotonic() + 90
    while time.monotonic() < end:
        book = sqlite3.connect(Path(environment["DATA_DIR"]) / "arledger.sqlite3", timeout=20)
        names = [name for (name,) in book.execute("SELECT name FROM core_tick WHERE ended_at IS NOT NULL")]
        book.close()
        if names:
            return " ".join(names)
        time.sleep(0.5)
    raise AssertionError(log.read_text())
