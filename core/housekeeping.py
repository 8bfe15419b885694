"""What is tidied up from time to time: each app registers its chores in AppConfig.ready, one tick does what is due."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .models import Tick
from .services import tick

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    """A name, how often, and the function; it takes the instant and answers what it did."""

    name: str
    every: dt.timedelta
    work: Callable[[dt.datetime], dict[str, Any]]


_chores: dict[str, Chore] = {}


def register(chore: Chore) -> None:
    """Make a chore known; the same name again replaces it."""
    _chores[chore.name] = chore


def chores() -> list[Chore]:
    """Every chore, in the order of the apps."""
    return list(_chores.values())


def do_chores(now: dt.datetime) -> dict[str, Any]:
    """Do every chore whose time has come; one that fails is recorded and keeps no other from being done."""
    begun = dict(Tick.objects.filter(name__in=[_tick(c) for c in chores()]).values_list("name", "started_at"))
    answers: dict[str, Any] = {}
    for chore in chores():
        last = begun.get(_tick(chore))
        if last is not None and last <= now < last + chore.every:
            continue
        try:
            with tick(_tick(chore)) as result:
                result.update(chore.work(now))
            answers[chore.name] = result
        except Exception:
            log.exception("chore %s failed", chore.name)
            answers[chore.name] = "failed"
    return answers


def _tick(chore: Chore) -> str:
    return f"housekeeping:{chore.name}"
