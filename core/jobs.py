"""Work a person waits for: a Job row that the worker does once, with progress that a page can follow.

An app registers what it can do in its AppConfig.ready. Progress lies in a small file and not in the row: the work
is one transaction, and SQLite lets nobody write beside it.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from .doorbell import ring
from .errors import Refused
from .models import Job

log = logging.getLogger(__name__)

Progress = Callable[[int, int, str], None]


def unheard(done: int, total: int, what: str) -> None:
    """Nobody asked how far it is."""


# Takes the arguments, who asked, and where to tell progress; answers JSON, with "error" where it was refused.
Work = Callable[[dict[str, Any], Any, Progress], dict[str, Any]]

TASK = "core.run_job"
DEAD_AFTER = dt.timedelta(minutes=5)  # the worker ends every task before that
RING_AGAIN_AFTER = dt.timedelta(seconds=15)
TELL_EVERY = 0.3  # seconds

_works: dict[str, Work] = {}


@dataclass(frozen=True)
class State:
    """How far a job is, as a page shows it: ``done`` of ``total``, and what is being counted."""

    state: str
    done: int
    total: int
    step: str


def register(kind: str, work: Work) -> None:
    """Make a kind of work known; registering it again replaces it."""
    _works[kind] = work


def start_job(kind: str, arguments: dict[str, Any], *, by: Any) -> Job:
    """Ask for work to be done; ``by`` is a user or a text. Refused for a kind nobody registered."""
    if kind not in _works:
        raise Refused(f"Nobody knows how to do «{kind}».", code="unknown_work", where="kind")
    asked_by = by if hasattr(by, "pk") else None
    job = Job.objects.create(kind=kind, arguments=arguments, asked_by=asked_by)
    ring(TASK, job.pk)
    return job


def run_job(pk: int, now: Callable[[], dt.datetime]) -> Job:
    """Do a job that waits; one that was begun, by whomever, is left alone. What goes wrong is said in the row."""
    begun = Job.objects.filter(pk=pk, state="waiting").update(state="running", started_at=now())
    job = Job.objects.select_related("asked_by").get(pk=pk)
    if not begun:
        return job
    told = _Told(pk)
    result: dict[str, Any] | None = None
    try:
        result = _works[job.kind](job.arguments, job.asked_by or "system", told)
        error = str(result["error"]["message"]) if result.get("error") else ""
    except Refused as refused:
        error = refused.message
    except Exception:
        log.exception("job %s (%s) failed", pk, job.kind)
        error = _("Something went wrong here, and nothing was saved. The log says what; try again.")
    Job.objects.filter(pk=pk, state="running").update(
        state="failed" if error else "done", error=error, result=result, ended_at=now(), done=told.done,
        total=told.total, step=told.step[:120],
    )
    told.forget()
    job.refresh_from_db()
    return job


def state_of(job: Job, now: dt.datetime) -> State:
    """How far a job is. One that waits long is rung for again: the first bell may have gone unheard."""
    if job.state == "waiting" and now - job.asked_at > RING_AGAIN_AFTER:
        ring(TASK, job.pk)
    if job.state != "running":
        return State(job.state, job.done, job.total, job.step)
    try:
        done, total, step = json.loads(_place(job.pk).read_text())
    except (OSError, ValueError):
        done, total, step = 0, 0, ""
    return State(job.state, done, total, step)


def sweep_jobs(now: dt.datetime) -> dict[str, int]:
    """Ring for jobs that nobody took, and give up those whose worker died: their transaction saved nothing."""
    waiting = Job.objects.filter(state="waiting", asked_at__lt=now - RING_AGAIN_AFTER)
    for job in waiting:
        ring(TASK, job.pk)
    died = _("The worker was stopped while it ran, and nothing was saved. Start it again.")
    lost = Job.objects.filter(state="running", started_at__lt=now - DEAD_AFTER).update(
        state="failed", ended_at=now, error=died
    )
    return {"rung": len(waiting), "given_up": lost}


class _Told:
    """Where a job tells how far it is."""

    def __init__(self, pk: int) -> None:
        self.place, self.done, self.total, self.step = _place(pk), 0, 0, ""
        self._written = 0.0

    def __call__(self, done: int, total: int, what: str) -> None:
        self.done, self.total, self.step = done, total, what
        moment = time.monotonic()
        if done < total and moment - self._written < TELL_EVERY:
            return
        self._written = moment
        self.place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=self.place.parent)
        with os.fdopen(handle, "w") as file:
            json.dump([done, total, what], file)
        os.replace(temporary, self.place)

    def forget(self) -> None:
        self.place.unlink(missing_ok=True)


def _place(pk: int) -> Path:
    return Path(settings.DATA_DIR) / "progress" / f"{pk}.json"
