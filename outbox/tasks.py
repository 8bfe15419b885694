"""The tick that drains the outbox."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from celery import shared_task
from django.utils import timezone

from core.services import tick

from .services import deliver

NAME = "outbox.deliver"
SECONDS = 25  # shorter than a soft shutdown waits


@shared_task(name=NAME)  # type: ignore[untyped-decorator]
def deliver_messages() -> None:
    """Send what is due, for at most 25 seconds; the next tick goes on."""
    with finishing_the_current_one(SECONDS) as stop, tick(NAME) as result:
        result.update(deliver(timezone.now(), stop=stop))


@contextmanager
def finishing_the_current_one(seconds: float) -> Iterator[Callable[[], bool]]:
    """Says when to stop: after so many seconds, or when SIGTERM came; the signal takes its course at the end.

    Without this, a SIGTERM between two bytes of a mail would leave it unknown.
    """
    until = time.monotonic() + seconds
    told = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield lambda: time.monotonic() >= until
        return

    def remember(signum: int, frame: FrameType | None) -> None:
        told.set()

    before = signal.signal(signal.SIGTERM, remember)
    try:
        yield lambda: told.is_set() or time.monotonic() >= until
    finally:
        signal.signal(signal.SIGTERM, before)
        if told.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
