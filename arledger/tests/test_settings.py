"""What the settings promise, read back from where it takes effect."""

import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.db import connection

from arledger.checks import data_folder_is_writable, requests_hold_no_transaction, sqlite_writes_one_at_a_time
from arledger.logs import MaskLinkTokens


def test_every_sqlite_connection_is_durable_and_guarded(tmp_path):
    asked = (
        "from django.db import connection as c\n"
        "names = 'journal_mode', 'synchronous', 'foreign_keys', 'recursive_triggers', 'busy_timeout'\n"
        "cursor = c.cursor()\n"
        "print(*[cursor.execute('PRAGMA ' + name).fetchone()[0] for name in names], c.transaction_mode)"
    )
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(tmp_path)}
    answer = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", asked],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["wal", "2", "1", "1", "20000", "IMMEDIATE"]


@pytest.mark.postgres
@pytest.mark.django_db
def test_no_statement_and_no_idle_transaction_outlives_a_minute_on_postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: set TEST_DATABASE_URL, or run bin/test")
    with connection.cursor() as cursor:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == ("1min",)
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


@pytest.mark.once
def test_static_files_collect_under_hashed_names_with_nothing_missing(settings, tmp_path):
    """As in production: a stylesheet or a source map that names a missing file would stop the start."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    assert (tmp_path / "staticfiles.json").exists()


@pytest.mark.django_db
def test_every_answer_carries_the_strict_policy(client):
    answer = client.get("/account/login/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_log_line_never_holds_a_token_that_opens_an_invoice():
    token = "Zk9sV2x1bGVyLXRva2VuLWZvci1hLWxpbmstb2YtNDM"
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, "Not Found: %s", (f"/i/17/{token}/",), None)
    assert MaskLinkTokens().filter(record)
    assert record.getMessage() == "Not Found: /i/17/***/"


def test_a_traceback_in_the_log_never_holds_such_a_token():
    token = "Zk9sV2x1bGVyLXRva2VuLWZvci1hLWxpbmstb2YtNDM"
    try:
        raise ValueError(f"/i/17/{token}/")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed", None, sys.exc_info())
    MaskLinkTokens().filter(record)
    assert token not in logging.Formatter().format(record)


def with_database(monkeypatch, **database):
    monkeypatch.setattr("arledger.checks.settings", SimpleNamespace(DATABASES={"default": database}))


def test_a_sqlite_that_would_lose_requests_is_an_error(monkeypatch):
    with_database(monkeypatch, ENGINE="django.db.backends.sqlite3", OPTIONS=settings.SQLITE_OPTIONS)
    assert sqlite_writes_one_at_a_time(None) == []
    with_database(monkeypatch, ENGINE="django.db.backends.sqlite3", OPTIONS={"timeout": 20})
    assert [error.id for error in sqlite_writes_one_at_a_time(None)] == ["arledger.E002"]


def test_a_request_in_one_transaction_is_an_error(monkeypatch):
    assert requests_hold_no_transaction(None) == []
    with_database(monkeypatch, ATOMIC_REQUESTS=True)
    assert [error.id for error in requests_hold_no_transaction(None)] == ["arledger.E003"]


def test_a_data_folder_that_cannot_be_written_is_an_error(settings, tmp_path):
    assert data_folder_is_writable(None) == []
    settings.DATA_DIR = tmp_path / "missing"
    assert [error.id for error in data_folder_is_writable(None)] == ["arledger.E001"]


def test_the_checks_run_with_the_others():
    assert {data_folder_is_writable, sqlite_writes_one_at_a_time, requests_hold_no_transaction} <= set(
        checks.registry.registry.get_checks()
    )
