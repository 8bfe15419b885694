"""A dry run that a person waits for: the work of a job, its answer in the job, every step of each invoice in a file."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

from django.conf import settings

from core.commands import as_json
from core.housekeeping import Chore, register
from core.jobs import Progress
from core.jobs import register as register_work
from core.services import company_named

from .services.dry_run import Question, dry_run

KIND = "dry_run"
KEPT = dt.timedelta(days=7)


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
