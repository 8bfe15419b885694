"""Work that is done and not yet invoiced, and what is invoiced again and again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Contact
from core.fields import MoneyField
from core.models import Company
from policies.models import Terms

from .invoice import Invoice, InvoiceLine


class CompletedWorkQuerySet(models.QuerySet["CompletedWork"]):
    def waiting(self) -> CompletedWorkQuerySet:
        """Done and not invoiced yet; what was taken off the list is not among it."""
        return self.filter(invoice=None, removed_at=None)

    def held(self) -> CompletedWorkQuerySet:
        """Back from an invoice that was voided: it waits until a person says that it is to be invoiced again."""
        return self.waiting().filter(held_from__isnull=False)

    def stuck(self) -> CompletedWorkQuerySet:
        """What a person has to look at before it becomes an invoice: held, or refused by a rule."""
        return self.waiting().exclude(refused_because="", held_from=None)


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
    tax_category = models.CharField(
        _("tax category"), max_length=2, default="S", choices=InvoiceLine.CATEGORIES
    )
    exemption_reason = models.CharField(_("reason for no tax"), max_length=200, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    net = MoneyField(_("net amount"), editable=False)
    gross = MoneyField(_("amount with tax"), editable=False)
    done_on = models.DateField(_("done on"))
    po_number = models.CharField(_("your order"), max_length=80, blank=True)
    invoice = models.ForeignKey(Invoice, null=True, editable=False, on_delete=models.SET_NULL, related_name="works")
    refused_because = models.CharField(_("not invoiced because"), max_length=300, blank=True, editable=False)
    refused_on = models.DateField(null=True, editable=False)
    held_from = models.ForeignKey(
        Invoice, null=True, editable=False, on_delete=models.PROTECT, related_name="works_given_back",
        help_text="The voided invoice it stood on; kept until somebody releases the work.",
    )
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
            ),
            models.Index(
                fields=["company"], name="work_stuck",
                condition=Q(invoice=None, removed_at=None) & ~Q(refused_because="", held_from=None),
            ),
        ]

    def __str__(self) -> str:
        return self.description


class RecurringInvoice(models.Model):
    """The same invoice again and again: what, for whom, from which day, how often, until when."""

    UNITS = [("week", _("weeks")), ("month", _("months")), ("year", _("years"))]
    COVERS = [
        ("ahead", _("the time that begins with the day")),
        ("behind", _("the time up to the day")),
        ("", _("no time at all")),
    ]

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
    covers = models.CharField(_("for"), max_length=6, choices=COVERS, blank=True, default="ahead")
    counts_from = models.DateField(editable=False, help_text="No day before it is made up for.")
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
    tax_category = models.CharField(
        _("tax category"), max_length=2, default="S", choices=InvoiceLine.CATEGORIES
    )
    exemption_reason = models.CharField(_("reason for no tax"), max_length=200, blank=True)

    class Meta:
        ordering = ["recurring", "position"]

    def __str__(self) -> str:
        return self.description


class RecurringRunQuerySet(models.QuerySet["RecurringRun"]):
    def stuck(self) -> RecurringRunQuerySet:
        """What a person has to look at: not issued, or issued and not mailed, and nobody said that it may stay so."""
        return self.exclude(refused_because="").filter(skipped_by="")


class RecurringRun(models.Model):
    """A day of a recurring invoice: the invoice it became, or who left it out; once per day.

    ``refused_because`` says why it became none, or, beside an invoice, why that could not be mailed.
    """

    recurring = models.ForeignKey(RecurringInvoice, on_delete=models.PROTECT, related_name="runs")
    on = models.DateField()
    invoice = models.OneToOneField(Invoice, null=True, on_delete=models.PROTECT, related_name="recurring_run")
    refused_because = models.CharField(max_length=300, blank=True)
    tried_on = models.DateField(null=True)
    skipped_by = models.CharField(max_length=150, blank=True)
    ran_at = models.DateTimeField(auto_now_add=True)

    objects = RecurringRunQuerySet.as_manager()

    class Meta:
        ordering = ["-on"]
        constraints = [models.UniqueConstraint(fields=["recurring", "on"], name="recurring_run_once")]
        indexes = [
            models.Index(fields=["recurring"], condition=~Q(refused_because="") & Q(skipped_by=""), name="run_stuck")
        ]

    def __str__(self) -> str:
        return f"{self.recurring_id} {self.on}"
