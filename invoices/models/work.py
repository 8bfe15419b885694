"""Work that is done and not yet invoiced, and what is invoiced again and again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Contact
from core.fields import MoneyField
from core.models import Company
from policies.models import Terms

from .invoice import Invoice


class CompletedWorkQuerySet(models.QuerySet["CompletedWork"]):
    def waiting(self) -> CompletedWorkQuerySet:
        """Done and not invoiced yet; what was taken off the list is not among it."""
        return self.filter(invoice=None, removed_at=None)


class CompletedWork(models.Model):
    """Work that is done and not yet invoiced: what, for whom, when, and the price; later, its invoice."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="works")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="works")
    key = models.CharField(max_length=120, help_text="Twice the same key is one piece of work.")
    description = models.CharField(_("what was done"), max_length=300)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=4, default=1)
    unit = models.CharField(_("unit"), max_length=12, blank=True)
    unit_price = models.DecimalField(_("unit price"), max_digits=19, decimal_places=6)
    tax_percent = models.DecimalField(_("tax, percent"), max_digits=6, decimal_places=3, default=0)
    tax_category = models.CharField(_("tax category"), max_length=2, default="S")
    exemption_reason = models.CharField(_("reason for no tax"), max_length=200, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    net = MoneyField(_("net amount"), editable=False)
    gross = MoneyField(_("amount with tax"), editable=False)
    done_on = models.DateField(_("done on"))
    po_number = models.CharField(_("your order"), max_length=80, blank=True)
    invoice = models.ForeignKey(Invoice, null=True, editable=False, on_delete=models.SET_NULL, related_name="works")
    refused_because = models.CharField(_("not invoiced because"), max_length=300, blank=True, editable=False)
    refused_on = models.DateField(null=True, editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)
    recorded_by = models.CharField(max_length=150)
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = CompletedWorkQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("completed work")
        ordering = ["done_on", "id"]
        constraints = [models.UniqueConstraint(fields=["company", "key"], name="work_once")]
        indexes = [
            models.Index(
                fields=["client", "currency"], condition=Q(invoice=None, removed_at=None), name="work_not_invoiced"
            )
        ]

    def __str__(self) -> str:
        return self.description


class RecurringInvoice(models.Model):
    """The same invoice again and again: what, for whom, from which day, how often, until when."""

    UNITS = [("week", _("weeks")), ("month", _("months")), ("year", _("years"))]

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="recurring_invoices")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="recurring_invoices")
    name = models.CharField(_("called"), max_length=120)
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL)
    currency = models.CharField(_("currency"), max_length=3)
    terms = models.ForeignKey(Terms, null=True, blank=True, on_delete=models.PROTECT, verbose_name=_("payment terms"))
    po_number = models.CharField(_("your order"), max_length=80, blank=True)
    note = models.TextField(_("note on the invoice"), blank=True)
    every = models.PositiveSmallIntegerField(_("every"), default=1)
    unit = models.CharField(_("weeks, months or years"), max_length=5, choices=UNITS, default="month")
    starts_on = models.DateField(_("first on"))
    ends_on = models.DateField(_("last on"), null=True, blank=True)
    sends = models.BooleanField(_("sent by itself"), default=True)
    paused_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["client", "id"]
        constraints = [models.CheckConstraint(condition=Q(every__gte=1), name="recurring_every_at_least_one")]

    def __str__(self) -> str:
        return self.name


class RecurringLine(models.Model):
    """A line of an invoice that comes again and again."""

    recurring = models.ForeignKey(RecurringInvoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField(default=1)
    description = models.CharField(_("description"), max_length=300)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=4, default=1)
    unit = models.CharField(_("unit"), max_length=12, blank=True)
    unit_price = models.DecimalField(_("unit price"), max_digits=19, decimal_places=6)
    tax_percent = models.DecimalField(_("tax, percent"), max_digits=6, decimal_places=3, default=0)
    tax_category = models.CharField(_("tax category"), max_length=2, default="S")
    exemption_reason = models.CharField(_("reason for no tax"), max_length=200, blank=True)

    class Meta:
        ordering = ["recurring", "position"]

    def __str__(self) -> str:
        return self.description


class RecurringRun(models.Model):
    """A day of a recurring invoice: the invoice it became, or why it did not; once per day."""

    recurring = models.ForeignKey(RecurringInvoice, on_delete=models.PROTECT, related_name="runs")
    on = models.DateField()
    invoice = models.OneToOneField(Invoice, null=True, on_delete=models.PROTECT, related_name="recurring_run")
    refused_because = models.CharField(max_length=300, blank=True)
    skipped_by = models.CharField(max_length=150, blank=True)
    ran_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-on"]
        constraints = [models.UniqueConstraint(fields=["recurring", "on"], name="recurring_run_once")]

    def __str__(self) -> str:
        return f"{self.recurring_id} {self.on}"
