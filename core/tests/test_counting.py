"""Attempts are counted once for all processes of a machine."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.cache import caches

from core.counting import SharedFileCache


def count(folder: str, times: int) -> None:
    cache = SharedFileCache(folder, {})
    for _n in range(times):
        cache.add("tries", 0, 600)
        cache.incr("tries")


def test_no_attempt_of_any_process_is_lost(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    workers = [spawn.Process(target=count, args=(str(tmp_path), 50)) for _n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert SharedFileCache(str(tmp_path), {}).get("tries") == 200


def test_counting_on_does_not_put_the_end_off(tmp_path: Path) -> None:
    cache = SharedFileCache(str(tmp_path), {})
    with time_machine.travel("2026-11-18 12:00Z", tick=False) as clock:
        cache.add("tries", 0, 600)
        for _minute in range(9):
            clock.shift(60)
            cache.incr("tries")
        assert cache.get("tries") == 9
        clock.shift(61)
        with pytest.raises(ValueError, match="not found"):
            cache.incr("tries")


def test_the_processes_of_an_installation_share_their_cache() -> None:
    assert "LocMem" not in settings.CACHES["default"]["BACKEND"]
    assert caches["default"] is not None
