"""The ticks of invoices: what was done, and what comes round, is invoiced in the night; marks of limits are kept."""

from __future__ import annotations

import datetime as dt
import logging
import time

from celery import shared_task
from django.utils import timezone

from core.dates import next_business_day, window_opening
from core.errors import Refused
from core.models import Company
from core.services import tick, today
from policies.services import policy_of

from . import printing
from .models import CompletedWork
from .services.exposure import note_credit
from .services.recurring_runs import due_days, run_recurring
from .services.work_invoicing import due_tonight, invoice_work

log = logging.getLogger(__name__)

WORK_TICK = "invoices.invoice_work"
RECURRING_TICK = "invoices.invoice_recurring"
PRINT_TICK = "invoices.print"
PRINT_SECONDS = 25
CREDIT_TICK = "invoices.note_credit"
OPENS = dt.time(9)


@shared_task(name=WORK_TICK)  # type: ignore[untyped-decorator]
def invoice_completed_work() -> None:
    """Invoice completed work once in every company's local night, and mail it when its window opens in the morning.

    Asked every minute: a night that was missed is made up for as soon as we run again.
    """
    now = timezone.now()
    with tick(WORK_TICK) as result:
        waiting = Company.objects.filter(pk__in=CompletedWork.objects.waiting().values("company").distinct())
        for company in waiting:
            on = today(company, now)
            midnight = dt.datetime.combine(on, dt.time(), tzinfo=company.zone)
            due = list(due_tonight(company, midnight, on))
            if not due:
                continue
            done = invoice_work(company, works=due, send_from=max(now, _opening(company, on)), on=on, by="system")
            result[company.code] = {"invoices": len(done.invoices), "left": len(done.left)}
            for left in done.left:
                log.info("%s: %s", left.client, left.sentence)


@shared_task(name=RECURRING_TICK)  # type: ignore[untyped-decorator]
def invoice_recurring() -> None:
    """Issue what comes again and again as soon as its day has begun where the company is, and mail it in the morning.

    Asked every minute: days on which nothing ran are made up for, each once, as soon as we run again.
    """
    now = timezone.now()
    with tick(RECURRING_TICK) as result:
        for company in Company.objects.filter(recurring_invoices__isnull=False).distinct():
            on = today(company, now)
            if not due_days(company, on):
                continue
            ran = run_recurring(company, send_from=max(now, _opening(company, on)), on=on, by="system")
            result[company.code] = {"invoices": len(ran.invoices), "refused": len(ran.refused)}
            for run in (*ran.refused, *ran.not_sent):
                log.info("%s, %s: %s", run.recurring, run.on, run.refused_because)


@shared_task(name=CREDIT_TICK)  # type: ignore[untyped-decorator]
def note_credit_of_all() -> None:
    """Keep which clients crossed 80, 90 or 100 % of their limit by work, drafts or charges, which no person posted."""
    now = timezone.now()
    with tick(CREDIT_TICK) as result:
        for company in Company.objects.all():
            if changed := note_credit(company, today(company, now)):
                result[company.code] = {"clients": changed}


@shared_task(name=printing.PRINT_ORDER)  # type: ignore[untyped-decorator]
def print_order(key: str) -> None:
    """Print what a request ordered."""
    printing.print_order(key)


@shared_task(name=printing.PRINT_ROW)  # type: ignore[untyped-decorator]
def print_row(label: str, pk: int) -> None:
    """Print the document of an invoice, a credit note, a pro forma or a receipt."""
    printing.print_row(label, pk)


@shared_task(name=PRINT_TICK)  # type: ignore[untyped-decorator]
def print_what_waits() -> None:
    """Print what was issued and what nobody heard of, for at most 25 seconds; the next tick goes on."""
    until = time.monotonic() + PRINT_SECONDS
    with tick(PRINT_TICK) as result:
        result.update(printing.print_what_waits(timezone.now().date(), lambda: time.monotonic() >= until))


def _opening(company: Company, on: dt.date) -> dt.datetime:
    """When mail may leave: as the company's policy opens its window, on the next business day."""
    try:
        opens = policy_of(company, on).window_opens
    except Refused:
        opens = OPENS
    holidays = set(company.holidays.filter(on__gte=on).values_list("on", flat=True))
    return window_opening(next_business_day(on, holidays), opens, company.zone)
