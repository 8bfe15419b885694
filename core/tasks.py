"""The tasks of core: work a person waits for, and housekeeping."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from core import housekeeping, jobs
from core.services import tick


@shared_task(name=jobs.TASK)  # type: ignore[untyped-decorator]
def run_job(pk: int) -> None:
    """Do one job."""
    jobs.run_job(pk, timezone.now)


@shared_task(name="core.housekeeping")  # type: ignore[untyped-decorator]
def keep_house() -> None:
    """Do every chore whose time has come."""
    with tick("core.housekeeping") as result:
        result.update(housekeeping.do_chores(timezone.now()))
