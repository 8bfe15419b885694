"""The documents beside an invoice: the pro forma before it, the credit note after it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from core.fields import MoneyField
from core.guards import Frozen
from core.models import Company, StoredFile

from .invoice import Invoice, InvoiceLine, Series


class ProFormaQuerySet(models.QuerySet["ProForma"]):
    def standing(self) -> ProFormaQuerySet:
        """Waiting for its money: not cancelled, and its draft not issued."""
        return self.filter(cancelled_at=None, invoice__issued_at=None)


class ProForma(models.Model):
    """A draft shown to the client to be paid in advance: it owes nothing, and becomes the invoice once it is paid.

    Its number and its facts stay when the draft of a cancelled one is thrown away.
    """

    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.SET_NULL, related_name="pro_formas")
    series = models.ForeignKey(Series, editable=False, on_delete=models.PROTECT)
    seq = models.PositiveIntegerField(editable=False)
    number = models.CharField(_("number"), max_length=80)
    made_on = models.DateField(_("date"))
    pay_by = models.DateField(_("pay by"))
    total = MoneyField()
    currency = models.CharField(max_length=3)
    frozen = models.JSONField(default=dict, editable=False)
    pdf = models.ForeignKey(StoredFile, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    cancelled_because = models.CharField(max_length=300, blank=True, editable=False)

    guards = [Frozen(when="1 = 1", but=("invoice_id", "pdf_id", "cancelled_at", "cancelled_because"))]
    objects = ProFormaQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("pro formas")
        ordering = ["-made_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "seq"], name="pro_forma_number_once_per_series"),
            models.UniqueConstraint(
                fields=["invoice"], condition=Q(cancelled_at=None), name="one_standing_pro_forma_per_draft"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class CreditNote(models.Model):
    """What takes an issued invoice back, whole or by line; a document under a number of its own, never changed."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="credit_notes")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="credit_notes")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    series = models.ForeignKey(Series, on_delete=models.PROTECT)
    seq = models.PositiveIntegerField()
    number = models.CharField(_("number"), max_length=80)
    key = models.CharField(max_length=80, unique=True)
    issued_on = models.DateField(_("issued"))
    reason = models.CharField(_("reason"), max_length=300)
    currency = models.CharField(max_length=3)
    net = MoneyField(default=0)
    tax = MoneyField(default=0)
    total = MoneyField()
    frozen = models.JSONField(default=dict)
    pdf = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    xml = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    issued_by = models.CharField(max_length=150)
    issued_at = models.DateTimeField(auto_now_add=True)

    guards = [Frozen(when="1 = 1", but=("pdf_id", "xml_id"))]

    class Meta:
        verbose_name_plural = _("credit notes")
        ordering = ["-issued_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "seq"], name="credit_note_number_once_per_series"),
            models.CheckConstraint(condition=Q(total__gt=0), name="credit_note_positive"),
        ]

    def __str__(self) -> str:
        return self.number


class CreditNoteLine(models.Model):
    """So much of a line of the invoice is taken back, at its price and its tax."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(InvoiceLine, null=True, on_delete=models.PROTECT, related_name="credited")
    position = models.PositiveSmallIntegerField(default=1)
    description = models.CharField(max_length=300)
    quantity = models.DecimalField(max_digits=14, decimal_places=4)
    unit = models.CharField(max_length=12, blank=True)
    unit_price = models.DecimalField(max_digits=19, decimal_places=6)
    tax_percent = models.DecimalField(max_digits=6, decimal_places=3, default=0)
    tax_category = models.CharField(max_length=2, default="S", choices=InvoiceLine.CATEGORIES)
    exemption_reason = models.CharField(max_length=200, blank=True)
    net = MoneyField()

    guards = [Frozen(when="1 = 1")]

    class Meta:
        ordering = ["credit_note", "position"]

    def __str__(self) -> str:
        return self.description
