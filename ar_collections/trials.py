"""A dry run that a person waits for: the work of a job, its answer in the job, every step of each invoice in a file."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q

from core.commands import as_json
from core.housekeeping import Chore, register
from core.jobs import Progress, start_job
from core.jobs import register as register_work
from core.models import Job
from core.services import company_named
from policies.models import Policy
from policies.services.drafts import open_draft

from .services.dry_run import Question, dry_run

KIND = "dry_run"
KEPT = dt.timedelta(days=7)
FRESH = dt.timedelta(minutes=2)  # as long as that nobody asks the same again and means another answer


def ask_for_dry_run(asked: Question, *, now: dt.datetime, by: Any) -> Job:
    """Have a policy tried by the worker; asked again while that waits, runs or is fresh, it is the same job.

    Fresh is what ended in the last two minutes, of the same draft as it is now, or of the same versions. One click
    more costs nothing, however long the book is. Refused as ``start_job``.
    """
    told = {
        "policy": asked.name, "on": asked.on.isoformat(), "days": asked.days, "past": asked.past,
        "against": asked.against, "company": asked.company.code if asked.company else "",
    }  # fmt: skip
    with transaction.atomic():
        newest = Policy.objects.select_for_update().filter(name=asked.name).order_by("-effective_from").first()
        draft = open_draft(asked.name)
        told["of"] = [
            draft.pk if draft else None, draft.version if draft else None, newest.pk if newest else None,
            Policy.objects.aggregate(Max("pk"))["pk__max"],
        ]
        still_good = Q(state__in=["waiting", "running"]) | Q(state="done", ended_at__gt=now - FRESH)
        for job in Job.objects.filter(still_good, kind=KIND, arguments__policy=asked.name).order_by("-pk"):
            if {name: job.arguments.get(name) for name in told} == told:
                return job
        return start_job(KIND, told | {"token": secrets.token_hex(16)}, by=by)


def work(arguments: dict[str, Any], by: Any, progress: Progress) -> dict[str, Any]:
    """Try the policy the job names; the file lies where ``trial_file`` says."""
    company = company_named(arguments["company"]) if arguments.get("company") else None
    asked = Question(
        arguments["policy"], dt.date.fromisoformat(arguments["on"]), int(arguments["days"]),
        int(arguments.get("past", 0)), arguments.get("against", ""), company,
    )
    path = trial_file(arguments["token"])
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w", encoding="utf-8", newline="") as file:
        told = dry_run(asked, progress=progress, file=file)
    answer: dict[str, Any] = json.loads(as_json(told))
    return answer


def trial_file(token: str) -> Path:
    """Where the file of a trial lies; ValueError for what cannot be the token of one."""
    if not re.fullmatch(r"[0-9a-f]{32}", token):
        raise ValueError(token)
    return Path(settings.DATA_DIR) / "trials" / f"{token}.csv"


def sweep_trials(now: dt.datetime) -> dict[str, int]:
    """Remove the files of trials that are a week old."""
    gone = 0
    for path in (Path(settings.DATA_DIR) / "trials").glob("*.csv"):
        if now.timestamp() - path.stat().st_mtime > KEPT.total_seconds():
            path.unlink(missing_ok=True)
            gone += 1
    return {"removed": gone}


def register_dry_runs() -> None:
    register_work(KIND, work)
    register(Chore("remove trials", dt.timedelta(hours=6), sweep_trials))
