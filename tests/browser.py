"""A browser for the tests."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core import jobs

CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 15_000  # milliseconds a test waits for anything on a page, on a machine that is busy with others


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's chromium, driven by playwright; skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (requirements-dev.txt)")
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright's loop runs in this thread
    playwright.expect.set_options(timeout=PATIENCE)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, live_server: Any) -> Iterator[Any]:
    """A fresh page on the live server; the test fails on a script error and on whatever the CSP had to refuse."""
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert not wrong, wrong


@pytest.fixture
def desk(page: Any, live_server: Any, client: Any, clerk: Any, company: Any) -> Any:
    """The page of a clerk who has signed in."""
    return signed_in(page, live_server, client, clerk)


def signed_in(page: Any, live_server: Any, client: Any, user: Any) -> Any:
    """The page with the session of a person."""
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return page


class Worker:
    """Does what waits, each job in a thread of its own: none before ``begin``, from then on every one at once."""

    def __init__(self) -> None:
        self._begun = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        self._begun.set()

    def ring(self, task: str, pk: int) -> None:
        self._threads.append(threading.Thread(target=self._work, args=[pk]))
        transaction.on_commit(self._threads[-1].start)

    def end(self) -> None:
        self.begin()
        for thread in self._threads:
            thread.join()

    def _work(self, pk: int) -> None:
        self._begun.wait()
        try:
            jobs.run_job(pk, timezone.now)
        finally:
            connection.close()


@pytest.fixture
def worker(monkeypatch: Any) -> Iterator[Worker]:
    """The worker, asleep until the test says ``worker.begin()``: no test races against it."""
    worker = Worker()
    monkeypatch.setattr(jobs, "ring", worker.ring)
    yield worker
    worker.end()
