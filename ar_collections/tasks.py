"""The ticks of collections: remind before and after the due date, apply late interest, look after credit, greet."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.utils import timezone

from core.errors import Refused
from core.models import Company
from core.services import tick, today

from .services.credit_days import look_after_credit
from .services.credit_letters import tell_credit
from .services.greeting import plan_greetings
from .services.holding import PLAN_TICK
from .services.interest import apply_late_interest
from .services.planning import plan
from .services.promising import judge_promises
from .services.trust import lift_cleared

log = logging.getLogger(__name__)

INTEREST_TICK = "collections.apply_late_interest"
GREET_TICK = "collections.greet"
CREDIT_TICK = "collections.look_after_credit"
LIFT_TICK = "collections.lift_cash_only"


@shared_task(name=PLAN_TICK)
def plan_reminders() -> None:
    """Send pre-due and overdue reminders: plan, for every company, what is due on its own today."""
    now = timezone.now()

    def do(company: Company) -> dict[str, Any]:
        on = today(company, now)
        judge_promises(company, on, by="system")
        done = plan(company, on, by="system", now=now)
        if not done.did_something:
            return {}
        return {"messages": len(done.planned), "cancelled": done.cancelled, "tasks": done.tasks}

    _for_each_company(PLAN_TICK, do)


@shared_task(name=INTEREST_TICK)
def charge_late_interest() -> None:
    """Charge the late interest that is due to be charged, for every company."""
    now = timezone.now()

    def do(company: Company) -> dict[str, Any]:
        posted = apply_late_interest(company, today(company, now), by="system")
        return {currency: str(total) for currency, total in posted.items()}

    _for_each_company(INTEREST_TICK, do)


@shared_task(name=CREDIT_TICK)
def credit_of_the_day() -> None:
    """Look after credit, for every company: status by policy, limit reviews, notices."""
    now = timezone.now()

    def do(company: Company) -> dict[str, Any]:
        return look_after_credit(company, today(company, now), by="system", now=now).to_json()

    _for_each_company(CREDIT_TICK, do)


@shared_task(name=LIFT_TICK)
def lift_cash_only() -> None:
    """Give credit back, for every company, to whoever has cleared everything overdue, and tell them."""
    now = timezone.now()

    def do(company: Company) -> dict[str, Any]:
        on = today(company, now)
        done = lift_cleared(company, on, by="system")
        told = tell_credit(company, on, by="system", now=now)
        counts = {"lifted": len(done.lifted), "to_review": done.to_review, "told": len(told)}
        return {name: count for name, count in counts.items() if count}

    _for_each_company(LIFT_TICK, do)


@shared_task(name=GREET_TICK)
def greet_clients() -> None:
    """Greet, for every company, those whose occasion it is and who agreed to it."""
    now = timezone.now()

    def do(company: Company) -> dict[str, Any]:
        planned = plan_greetings(company, today(company, now), by="system", now=now)
        return {"greetings": len(planned)} if planned else {}

    _for_each_company(GREET_TICK, do)


def _for_each_company(name: str, do: Callable[[Company], dict[str, Any]]) -> None:
    """Do it for one company after the other: one that cannot be done does not keep the others from it.

    What a rule refuses (no policy yet) is an answer; anything else fails the tick, once all had their turn.
    """
    failed: list[str] = []
    with tick(name) as result:
        for company in Company.objects.all():
            try:
                done = do(company)
            except Refused as refused:
                log.warning("%s: %s", company.code, refused)
                done = {"refused": refused.message}
            except Exception as error:
                log.exception("%s: %s", name, company.code)
                failed.append(f"{company.code}: {error!r}")
                continue
            if done:
                result[company.code] = done
        if failed:
            raise CompaniesFailed("; ".join(failed))


class CompaniesFailed(Exception):
    """A sweep went wrong for some companies; the others are done."""
