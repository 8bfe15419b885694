"""A kind of message for the tests, and the two ways it can leave."""

import datetime as dt

import pytest
from django.utils import timezone

from outbox import kinds, services
from outbox.kinds import Composed, Kind
from outbox.models import Message

from .sink import Sink

NOW = dt.datetime(2026, 11, 18, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def heard():
    """What the kind was told: (key, state) in the order it happened."""
    return []


@pytest.fixture
def note(monkeypatch, heard):
    """A kind «note» that says hello to the address in its payload; replaced by ``note(compose=…)`` and the like."""
    monkeypatch.setattr(kinds, "_kinds", {})

    def compose(message, now):
        return Composed(
            "Ada", message.payload.get("to", "ada@firm.test"), "Hello", "Hello there\n", "<p>Hello there</p>"
        )

    def register(**changes):
        given = {"compose": compose, "after": lambda message, state: heard.append((message.key, state)), **changes}
        kinds.register(Kind("note", **given))

    register()
    return register


@pytest.fixture
def put(note):
    """Put messages in: put("a") waits since NOW; other fields as given."""

    def enqueue(key="note:1", **fields):
        given = {"kind": "note", "party": "client:1", "on": NOW.date(), "payload": {}, "not_before": NOW, **fields}
        return services.enqueue(key, **given)

    return enqueue


@pytest.fixture
def sink(settings):
    with Sink() as server:
        use(server, settings)
        yield server


def use(server, settings):
    """Send by SMTP to this server."""
    settings.MAIL_TRANSPORT = "smtp"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 5
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.MAIL_FROM, settings.MAIL_DOMAIN = "ar@us.test", "us.test"


@pytest.fixture
def mail_folder(settings, tmp_path):
    settings.MAIL_TRANSPORT, settings.MAIL_DIR = "file", tmp_path / "mail"
    return settings.MAIL_DIR


def deliver(now=NOW, **given):
    return services.deliver(now, **given)


def after(**time):
    return NOW + dt.timedelta(**time)


def later(**time):
    """A clock that is ahead of the real one."""
    return lambda: timezone.now() + dt.timedelta(**time)


def only() -> Message:
    return Message.objects.get()
