"""How the suite runs: what runs where, the long forms on request only, and an orderly end when it is told to stop."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """SIGTERM ends the suite as Ctrl-C does, so that fixtures stop the servers they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


PAGES = ("dashboard/tests/", "portal/tests/")  # they write HTML; what they ask of a database is tried on both elsewhere
OF_A_SERVER = ("browser", "postgres", "redis", "once")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Pages are tried beside SQLite by day and on both databases by night; the long forms by night."""
    for item in items:
        if item.nodeid.startswith(PAGES) and not any(item.get_closest_marker(name) for name in OF_A_SERVER):
            item.add_marker("on_sqlite")
    if os.environ.get("AR_NIGHTLY"):
        return
    long = [item for item in items if item.get_closest_marker("nightly")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(autouse=True)
def a_worker_that_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs beside a test: this one prints what a request orders, as soon as it is ordered."""

    def hears(task: str, *ids: Any) -> None:
        with printing.request_going_on(False):
            {printing.PRINT_ORDER: printing.print_order, printing.PRINT_ROW: printing.print_row}[task](*ids)

    from invoices import printing

    monkeypatch.setattr(printing, "ring", hears)
