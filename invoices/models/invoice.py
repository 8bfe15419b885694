"""What is owed: number series, invoices with their lines and parts, and what was taken over from elsewhere."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Contact
from core.fields import MoneyField
from core.guards import Frozen
from core.models import Company, StoredFile
from policies.models import Terms


class Series(models.Model):
    """A row of numbers without gaps; a year's series is a row of its own."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="series")
    kind = models.CharField(max_length=12, default="invoice")
    prefix = models.CharField(_("prefix"), max_length=20, help_text=_("Such as LO-2026-"))
    year = models.PositiveSmallIntegerField(_("year"))
    width = models.PositiveSmallIntegerField(_("digits"), default=4)
    last = models.PositiveIntegerField(_("last number taken"), default=0)

    class Meta:
        verbose_name_plural = _("number series")
        constraints = [models.UniqueConstraint(fields=["company", "kind", "year"], name="series_once_per_year")]

    def __str__(self) -> str:
        return f"{self.prefix}{self.last:0{self.width}d}"


class Intake(models.Model):
    """A batch of open items taken over from elsewhere; old ones start the ladder at its friendly step."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="intakes")
    source = models.CharField(max_length=200)
    source_sha256 = models.CharField(max_length=64, blank=True)
    taken_at = models.DateTimeField(auto_now_add=True)
    taken_by = models.CharField(max_length=150)
    interest_from = models.DateField(null=True)
    first_planned_on = models.DateField(null=True)

    def __str__(self) -> str:
        return f"{self.source} ({self.taken_at:%Y-%m-%d})"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def drafts(self) -> InvoiceQuerySet:
        return self.filter(issued_at=None)

    def issued(self) -> InvoiceQuerySet:
        """Issued and not void."""
        return self.filter(issued_at__isnull=False, voided_at=None)

    def open(self) -> InvoiceQuerySet:
        """Something is still owed, by the ledger as it stands."""
        return self.issued().filter(balance__gt=0)

    def overdue(self, on: dt.date) -> InvoiceQuerySet:
        """Open, and due before the day."""
        return self.open().filter(due_on__lt=on)

    def of(self, client: Client) -> InvoiceQuerySet:
        return self.filter(client=client)

    def visible_to(self, user: object) -> InvoiceQuerySet:
        """What a member of staff may see: everything, until roles narrow it."""
        return self


class Invoice(models.Model):
    """A claim for money: a draft, then issued under a number and never changed again."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="invoices")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="invoices")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL)
    currency = models.CharField(_("currency"), max_length=3)
    terms = models.ForeignKey(Terms, null=True, blank=True, on_delete=models.PROTECT, verbose_name=_("payment terms"))
    po_number = models.CharField(_("your order"), max_length=80, blank=True)
    service_from = models.DateField(_("service from"), null=True, blank=True)
    service_to = models.DateField(_("service to"), null=True, blank=True)
    note = models.TextField(_("note on the invoice"), blank=True)
    extra_fields = models.JSONField(default=list, blank=True, help_text="What the client wants to read: label, value.")
    ways = models.JSONField(default=list, blank=True, help_text="Ways to pay offered on this one; empty: the usual.")
    policy_name = models.SlugField(
        _("policy"), max_length=40, blank=True, help_text="By which it is reminded; empty: that of the client."
    )
    replaces = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by")

    series = models.ForeignKey(Series, null=True, editable=False, on_delete=models.PROTECT)
    seq = models.PositiveIntegerField(null=True, editable=False)
    number = models.CharField(_("number"), max_length=80, null=True, editable=False)
    intake = models.ForeignKey(Intake, null=True, editable=False, on_delete=models.PROTECT, related_name="invoices")
    issued_on = models.DateField(_("issued"), null=True, editable=False)
    issued_at = models.DateTimeField(null=True, editable=False)
    due_on = models.DateField(_("due"), null=True, editable=False)
    terms_days = models.SmallIntegerField(null=True, editable=False)
    in_parts = models.BooleanField(default=False, editable=False)
    discount = MoneyField(_("early-payment discount"), default=0, editable=False)
    discount_until = models.DateField(null=True, editable=False)
    late_percent = models.DecimalField(max_digits=6, decimal_places=3, default=0, editable=False)
    net = MoneyField(default=0, editable=False)
    tax = MoneyField(default=0, editable=False)
    total = MoneyField(default=0, editable=False)
    balance = MoneyField(default=0, editable=False)
    reference = models.CharField(_("payment reference"), max_length=35, blank=True, editable=False)
    frozen = models.JSONField(default=dict, editable=False)
    pdf = models.ForeignKey(StoredFile, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    xml = models.ForeignKey(StoredFile, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    voided_at = models.DateTimeField(null=True, editable=False)
    voided_on = models.DateField(null=True, editable=False)
    voided_because = models.CharField(max_length=300, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    form_key = models.CharField(max_length=80, null=True, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150, blank=True, editable=False)

    guards = [
        Frozen(
            when='OLD."issued_at" IS NOT NULL',
            but=(
                "balance", "due_on", "pdf_id", "xml_id", "voided_at", "voided_on", "voided_because", "contact_id",
                "policy_name", "version",
            ),
        ),
        # Paid in parts, an invoice is due when its next part is: the ledger moves the day with the balance.
        Frozen(when='OLD."issued_at" IS NOT NULL AND NOT OLD."in_parts"', only=("due_on",), name="due_day_frozen"),
    ]
    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "seq"], name="invoice_number_once_per_series"),
            models.UniqueConstraint(
                fields=["client", "number"], condition=Q(intake__isnull=False), name="taken_over_number_once_per_client"
            ),
            models.CheckConstraint(
                condition=Q(issued_at=None, number=None) | Q(issued_at__isnull=False, number__isnull=False),
                name="issued_exactly_when_numbered",
            ),
            models.CheckConstraint(condition=Q(balance__gte=0), name="invoice_balance_not_negative"),
            models.CheckConstraint(condition=Q(balance__lte=F("total")), name="invoice_balance_not_above_total"),
        ]
        indexes = [
            models.Index(fields=["company", "due_on"], condition=Q(balance__gt=0), name="invoice_open_by_due"),
            models.Index(fields=["client", "due_on"], name="invoice_client_due"),
            models.Index(fields=["company", "issued_on"], name="invoice_company_issued"),
            models.Index(
                fields=["company", "policy_name"], condition=~Q(policy_name=""), name="invoice_with_own_policy"
            ),
        ]

    def __str__(self) -> str:
        return self.number or str(_("Draft"))

    @property
    def is_taken_over(self) -> bool:
        """Imported from elsewhere: keeps its own number and has no document of ours."""
        return self.intake_id is not None

    def state(self, on: dt.date) -> str:
        """draft, void, settled, overdue, part_paid or open: a function of the facts and a day."""
        if self.issued_at is None:
            return "draft"
        if self.voided_at is not None:
            return "void"
        if self.balance == 0:
            return "settled"
        if self.due_on is not None and self.due_on < on:
            return "overdue"
        return "part_paid" if self.balance < self.total else "open"


class InvoiceLine(models.Model):
    """What was sold: quantity times price, with the tax category and rate."""

    CATEGORIES = [
        ("S", _("standard")),
        ("Z", _("zero rated")),
        ("E", _("exempt")),
        ("AE", _("reverse charge")),
        ("K", _("delivery within the EU")),
        ("G", _("export")),
        ("O", _("outside the scope of tax")),
    ]

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField(default=1)
    description = models.CharField(_("description"), max_length=300)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=4, default=1)
    unit = models.CharField(_("unit"), max_length=12, blank=True)
    unit_price = models.DecimalField(_("unit price"), max_digits=19, decimal_places=6)
    tax_percent = models.DecimalField(_("tax, percent"), max_digits=6, decimal_places=3, default=0)
    tax_category = models.CharField(_("tax category"), max_length=2, default="S", choices=CATEGORIES)
    exemption_reason = models.CharField(_("reason for no tax"), max_length=200, blank=True)
    net = MoneyField(default=0, editable=False)
    is_issued = models.BooleanField(default=False, editable=False)

    guards = [Frozen(when='OLD."is_issued"')]

    class Meta:
        ordering = ["invoice", "position", "id"]

    def __str__(self) -> str:
        return self.description


class InvoicePart(models.Model):
    """An instalment of an invoice: so much by that day. The parts add up to the total; money fills them in order."""

    KINDS = [("deposit", _("deposit")), ("part", _("instalment"))]

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="parts")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=KINDS, default="part")
    due_on = models.DateField()
    amount = MoneyField()

    guards = [Frozen(when="1 = 1")]

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_part_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="invoice_part_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.position}"
