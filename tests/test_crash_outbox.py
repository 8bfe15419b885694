"""Workers that are killed while they drain the outbox: nothing twice, nothing lost, what is not known is shown.

Real processes, a real mail server on loopback, the database the suite runs on.
"""

import datetime as dt
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from urllib.parse import quote

import pytest
from django.conf import settings as configured
from django.db import connection
from django.utils import timezone

from core.models import Job
from outbox import services
from outbox.models import Message
from outbox.services import NewMessage
from outbox.tests.conftest import use
from outbox.tests.sink import Sink

from . import crash_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sink(settings):
    """A server that takes its time before it answers, so that a kill meets every moment of a letter."""
    moment = random.Random(7)

    def think():
        time.sleep(moment.uniform(0, 0.01))

    with Sink(data=think, body=think) as server:
        use(server, settings)
        crash_worker.register()
        yield server


class Workers:
    """start() gives the process id of a worker that drains; kill() ends it; at the end none is left."""

    def __init__(self, port):
        keys = {name: secrets.token_urlsafe(64) for name in ("SECRET_KEY", "LINK_KEY")}
        self.environment = {
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "arledger.settings",
            "DATA_DIR": str(configured.DATA_DIR),
            "DATABASE_URL": database_url(),
            "MAIL_FROM": "ar@us.test",
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "PUBLIC_URL": "https://ar.us.test",
            "LOG_LEVEL": "CRITICAL",
            **keys,
        }
        self.alive = set()

    def __enter__(self):
        self.forks = subprocess.Popen(
            [sys.executable, "-m", "tests.crash_worker"], cwd=configured.BASE_DIR, env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        assert self.forks.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *why):
        for worker in list(self.alive):
            self.kill(worker)
        self.forks.communicate()

    def start(self, mode="drain"):
        self.forks.stdin.write(f"{mode}\n")
        said, worker = self.forks.stdout.readline().split()
        assert said == "started"
        self.alive.add(int(worker))
        return int(worker)

    def kill(self, worker, how=signal.SIGKILL):
        """End a worker; it must have died of that and of nothing else."""
        os.kill(worker, how)
        assert self.forks.stdout.readline().split() == ["ended", str(worker), str(-how)]
        self.alive.remove(worker)


@pytest.fixture
def workers(sink):
    with Workers(sink.port) as workers:
        yield workers


def database_url():
    """The test database, for a process of its own."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    who = quote(database["USER"], safe="") + (
        f":{quote(database['PASSWORD'], safe='')}" if database["PASSWORD"] else ""
    )
    return f"postgres://{who}@{quote(database['HOST'], safe='')}:{database['PORT'] or 5432}/{database['NAME']}"


def put(count):
    on, since = dt.date(2026, 11, 18), timezone.now()
    services.enqueue_many(NewMessage(f"crash:{n}", "crash", f"client:{n}", on, since) for n in range(count))


def waiting():
    return Message.objects.filter(state="pending").count()


def at_work(sink, since):
    """The worker has sent one letter more: however busy the machine is, what comes next meets it in its work."""
    deadline = time.monotonic() + 60
    while len(sink.letters) <= since and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(sink.letters) > since, "the worker sends nothing"


def drain_to_the_end():
    """Six minutes on, when every lease has run out: a person resumes sending if it paused, and the rest goes."""
    for day in range(1, 10):
        as_of = timezone.now() + dt.timedelta(days=day)
        services.deliver(as_of, clock=lambda: timezone.now() + dt.timedelta(minutes=6))
        if not Message.objects.filter(state__in=["pending", "claimed", "handing"]).exists():
            return
        services.resume_sending("Ada")


def account(sink, messages):
    """What became of every message: (sent, unknown); fails where one came twice, got lost or was not told of."""
    came = sink.message_ids
    assert {key: n for key, n in came.items() if n > 1} == {}, "came twice"
    states = dict(Message.objects.values_list("message_id", "state"))
    assert len(states) == messages
    counted = Counter(states.values())
    assert set(counted) <= {"sent", "unknown"}, counted
    lost = [message for message, state in states.items() if state == "sent" and message not in came]
    assert lost == [], "said to be sent and never came"
    assert set(came) <= set(states)
    assert services.health(timezone.now())["unknown"] == counted["unknown"], "not shown"
    traces = Counter(Job.objects.values_list("step", flat=True))
    assert set(traces.values()) == {1} and len(traces) == messages, "the hook did not run exactly once per end"
    return counted["sent"], counted["unknown"]


def kill_workers(workers, sink, kills, seed):
    """Kill that many workers in the middle of the drain; afterwards everything is accounted for."""
    moment = random.Random(seed)
    messages = kills * 25
    put(messages)
    for _ in range(kills):
        before = len(sink.letters)
        worker = workers.start()
        at_work(sink, before)
        time.sleep(moment.uniform(0, 0.15))
        assert waiting(), "the workers were quicker than the kills; nothing was proved"
        workers.kill(worker)
    half_done = Message.objects.filter(state__in=["claimed", "handing"]).count()
    drain_to_the_end()
    sent, unknown = account(sink, messages)
    print(
        f"\n{connection.vendor}: {kills} kill -9, {messages} messages: {half_done} in the middle of a letter, "
        f"{sent} sent once, {unknown} unknown, 0 twice, 0 lost"
    )
    assert half_done, "no kill met a letter; nothing was proved"
    assert unknown <= kills


def test_twenty_kills_of_a_worker_send_nothing_twice_and_lose_nothing(workers, sink):
    kill_workers(workers, sink, 20, seed=20)


@pytest.mark.nightly
def test_a_hundred_kills_of_a_worker_send_nothing_twice_and_lose_nothing(workers, sink):
    kill_workers(workers, sink, 100, seed=100)


def test_two_workers_at_once_send_each_message_once(workers, sink):
    put(100)
    for _ in range(2):
        workers.start()
    deadline = time.monotonic() + 60
    while Message.objects.exclude(state="sent").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert account(sink, 100) == (100, 0)
    assert sink.connections >= 2
    assert set(Message.objects.values_list("attempts", flat=True)) == {1}


def test_a_worker_that_is_asked_to_stop_leaves_nothing_unknown(workers, sink):
    put(200)
    for _ in range(5):
        before = len(sink.letters)
        worker = workers.start("tick")
        at_work(sink, before)
        workers.kill(worker, signal.SIGTERM)
        assert not Message.objects.filter(state__in=["claimed", "handing", "unknown"]).exists()
    assert 0 < waiting() < 200, "the signals met no drain; nothing was proved"
    drain_to_the_end()
    assert account(sink, 200) == (200, 0)


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL alone has connections to end")
def test_a_database_that_hangs_up_sends_nothing_twice_and_loses_nothing(workers, sink):
    put(300)
    worker = workers.start()
    ended = 0
    with connection.cursor() as cursor:
        deadline = time.monotonic() + 60
        while ended < 40 and waiting() and time.monotonic() < deadline:
            time.sleep(0.05)
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            ended += cursor.fetchone()[0]
    workers.kill(worker)
    drain_to_the_end()
    sent, unknown = account(sink, 300)
    print(f"\npostgresql: {ended} connections ended, {sent} sent once, {unknown} unknown, 0 twice, 0 lost")
    assert ended >= 10 and unknown <= ended
