"""How the suite runs: what runs where, the long forms on request only, and an orderly end when it is told to stop."""

from __future__ import annotations

import os
import signal
import zlib
from typing import Any

import pytest

SUITES = ("sqlite", "postgresql")
PAGES = ("dashboard/tests/", "portal/tests/")  # they write HTML; what they ask of a database is tried on both elsewhere
WALKS = ("tests/test_story_", "tests/test_two_years", "tests/test_replay")  # many days, the same few questions
A_DATABASE = {"db", "transactional_db", "live_server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--beside", choices=SUITES, help="the other suite of bin/test: what it runs alone is left out")


def pytest_configure(config: pytest.Config) -> None:
    """SIGTERM ends the suite as Ctrl-C does, so that fixtures stop the servers they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def suites_of(item: pytest.Item, *, by_night: bool = False) -> tuple[str, ...]:
    """The suites of ``bin/test`` that run a test.

    What needs a server runs beside PostgreSQL. By night all else runs on both databases. By day only what a database
    could make a difference to does: rules, verbs, queries, commands. Pages and what starts its own installations run
    on SQLite, what asks no database on the other; stories that walk through days and browsers take turns.
    """
    has = {mark.name for mark in item.iter_markers()}
    if has & {"redis", "postgres"}:
        return ("postgresql",)
    if by_night:
        return SUITES
    if "browser" in has:
        return (_turn(item.nodeid.partition("::")[0]),)
    if has & {"on_sqlite", "once"} or item.nodeid.startswith(PAGES):
        return ("sqlite",)
    if "django_db" not in has and not A_DATABASE.intersection(getattr(item, "fixturenames", ())):
        return ("postgresql",)
    if item.nodeid.startswith(WALKS):
        return (_turn(item.nodeid.partition("[")[0]),)
    return SUITES


def _turn(name: str) -> str:
    """One of the two, by the name alone: a test stays where it is, whatever else is added."""
    return SUITES[zlib.crc32(name.encode()) % 2]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what the other suite runs, and by day the long forms."""
    by_night, other = bool(os.environ.get("AR_NIGHTLY")), config.getoption("--beside")

    def is_mine(item: pytest.Item) -> bool:
        if item.get_closest_marker("nightly") and not by_night:
            return False
        return not other or suites_of(item, by_night=by_night) != (other,)

    mine = [item for item in items if is_mine(item)]
    kept = set(map(id, mine))
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
    items[:] = mine


@pytest.fixture(autouse=True)
def a_worker_that_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs beside a test: this one prints what a request orders, as soon as it is ordered."""

    def hears(task: str, *ids: Any) -> None:
        with printing.request_going_on(False):
            {printing.PRINT_ORDER: printing.print_order, printing.PRINT_ROW: printing.print_row}[task](*ids)

    from invoices import printing

    monkeypatch.setattr(printing, "ring", hears)
