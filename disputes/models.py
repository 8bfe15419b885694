"""What the client says is wrong. First cut: an invoice is disputed (all of it or an amount) from a day until a day."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import MoneyField
from invoices.models import Invoice


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def open_on(self, on: dt.date) -> DisputeQuerySet:
        """Raised on or before the day and not closed on or before it."""
        return self.filter(opened_on__lte=on).filter(Q(closed_on=None) | Q(closed_on__gt=on))


class Dispute(models.Model):
    """The client says something is wrong with an invoice; the disputed amount leaves chasing until it is closed."""

    REASONS = [
        ("price", _("price or amount")),
        ("delivery", _("delivery or quality")),
        ("company", _("wrong company")),
        ("order", _("missing order number")),
        ("other", _("something else")),
    ]

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="disputes")
    amount = MoneyField(_("disputed amount"), null=True, blank=True, help_text=_("Empty: the whole invoice."))
    reason = models.CharField(_("reason"), max_length=12, choices=REASONS, default="other")
    text = models.TextField(_("in the client's words"), blank=True)
    opened_on = models.DateField()
    opened_by = models.CharField(max_length=150)
    opened_at = models.DateTimeField(auto_now_add=True)
    revisit_on = models.DateField(_("look again on"))
    closed_on = models.DateField(null=True, blank=True)
    closed_by = models.CharField(max_length=150, blank=True)
    outcome = models.TextField(_("outcome"), blank=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"], condition=Q(closed_on=None), name="one_open_dispute_per_invoice"
            )
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.reason}"
