"""The ticks of payments: who has paid gets a receipt."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from core.models import Company
from core.services import tick, today

from .services.receipts import send_receipts

RECEIPT_TICK = "payments.send_receipts"


@shared_task(name=RECEIPT_TICK)  # type: ignore[untyped-decorator]
def send_receipts_of_all() -> None:
    """Make and mail the receipts that are due, in every company that sends them by itself."""
    now = timezone.now()
    with tick(RECEIPT_TICK) as result:
        for company in Company.objects.filter(sends_receipts=True):
            if made := send_receipts(company, now=now, on=today(company, now), by="system"):
                result[company.code] = {"receipts": made}
