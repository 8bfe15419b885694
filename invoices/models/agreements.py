"""What was agreed about an invoice after it was issued."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.guards import Frozen

from .invoice import Invoice


class ExtensionQuerySet(models.QuerySet["Extension"]):
    def running_on(self, on: dt.date) -> ExtensionQuerySet:
        """Agreed on or before the day, its pay-by date not passed, not withdrawn by then."""
        return self.filter(agreed_on__lte=on, until_on__gte=on).filter(Q(withdrawn_on=None) | Q(withdrawn_on__gt=on))

    def standing(self) -> ExtensionQuerySet:
        return self.filter(withdrawn_on=None)


class Extension(models.Model):
    """More time to pay an invoice: a later pay-by date, and what that does to late interest."""

    INTEREST = [
        ("runs", _("interest runs on as before")),
        ("pauses", _("no interest from the agreement to the new date")),
        ("moves", _("interest starts after the new date only")),
    ]

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="extensions")
    until_on = models.DateField(_("pay by"))
    interest = models.CharField(_("late interest"), max_length=8, choices=INTEREST, default="runs")
    reason = models.CharField(_("reason"), max_length=300)
    agreed_on = models.DateField()
    agreed_by = models.CharField(max_length=150)
    agreed_at = models.DateTimeField(auto_now_add=True)
    withdrawn_on = models.DateField(null=True)
    withdrawn_by = models.CharField(max_length=150, blank=True)

    guards = [Frozen(when="1 = 1", but=("withdrawn_on", "withdrawn_by"))]
    objects = ExtensionQuerySet.as_manager()

    class Meta:
        ordering = ["-until_on", "-id"]

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.until_on}"
