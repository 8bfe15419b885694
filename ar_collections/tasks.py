"""The ticks of collections: remind before and after the due date, and apply late interest."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from core.errors import Refused
from core.models import Company
from core.services import tick, today

from .services.holding import PLAN_TICK
from .services.interest import apply_late_interest
from .services.planning import plan
from .services.promising import judge_promises

log = logging.getLogger(__name__)

INTEREST_TICK = "collections.apply_late_interest"


@shared_task(name=PLAN_TICK)
def plan_reminders() -> None:
    """Send pre-due and overdue reminders: plan, for every company, what is due on its own today."""
    now = timezone.now()
    with tick(PLAN_TICK) as result:
        for company in Company.objects.all():
            on = today(company, now)
            try:
                judge_promises(company, on, by="system")
                done = plan(company, on, by="system", now=now)
            except Refused as refused:
                _cannot(company, refused, result)
                continue
            if done.did_something:
                result[company.code] = {"messages": len(done.planned), "cancelled": done.cancelled, "tasks": done.tasks}


@shared_task(name=INTEREST_TICK)
def charge_late_interest() -> None:
    """Charge the late interest that is due to be charged, for every company."""
    now = timezone.now()
    with tick(INTEREST_TICK) as result:
        for company in Company.objects.all():
            try:
                posted = apply_late_interest(company, today(company, now), by="system")
            except Refused as refused:
                _cannot(company, refused, result)
                continue
            if posted:
                result[company.code] = {currency: str(total) for currency, total in posted.items()}


def _cannot(company: Company, refused: Refused, result: dict[str, Any]) -> None:
    """One company that cannot be planned (no policy yet) does not keep the others from it."""
    log.warning("%s: %s", company.code, refused)
    result[company.code] = {"refused": refused.message}
