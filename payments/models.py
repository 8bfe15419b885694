"""What came in, and where it went."""

from __future__ import annotations

from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from core.fields import MoneyField
from core.guards import AppendOnly
from core.models import Company
from invoices.models import Charge, Entry, Invoice, ProForma


class PaymentQuerySet(models.QuerySet["Payment"]):
    def standing(self) -> PaymentQuerySet:
        """Not taken back: the entry with which it came in has not been reversed."""
        return self.exclude(Exists(Payment.reversals()))

    def taken_back(self) -> PaymentQuerySet:
        return self.filter(Exists(Payment.reversals()))


class Payment(models.Model):
    """Money received from a client; what is not allocated is unapplied cash."""

    METHODS = [
        ("transfer", _("bank transfer")),
        ("cheque", _("cheque")),
        ("cash", _("cash")),
        ("opening", _("taken over")),
    ]

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="payments")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="payments")
    key = models.CharField(max_length=160, unique=True)
    amount = MoneyField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    received_on = models.DateField(_("received"))
    method = models.CharField(_("method"), max_length=10, choices=METHODS, default="transfer")
    reference = models.CharField(_("reference"), max_length=140, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    pro_forma = models.ForeignKey(ProForma, null=True, on_delete=models.PROTECT, related_name="payments")
    recorded_by = models.CharField(max_length=150)
    recorded_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]
    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["-received_on", "-id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive")]
        indexes = [models.Index(fields=["company", "received_on"], name="payment_company_received")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.received_on}"

    @staticmethod
    def reversals() -> models.QuerySet[Entry]:
        """The entries that took a payment back, as a subquery of payments."""
        return Entry.objects.filter(reverses__key=Concat(Value("payment:"), OuterRef("key")))

    def reversal(self) -> Entry | None:
        """The entry that took it back, with its day and its reason; None while it stands."""
        return Entry.objects.filter(reverses__key=f"payment:{self.key}").first()


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def standing(self) -> AllocationQuerySet:
        """Not taken back: the entry has not been reversed."""
        return self.filter(entry__reversed_by=None)


class Allocation(models.Model):
    """So much of a payment was put to an invoice or a charge; taken back by reversing its entry."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="allocations")
    charge = models.ForeignKey(Charge, null=True, on_delete=models.PROTECT, related_name="allocations")
    amount = MoneyField()
    allocated_on = models.DateField()
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="allocation")

    guards = [AppendOnly()]
    objects = AllocationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="allocation_amount_positive"),
            models.CheckConstraint(
                condition=Q(invoice=None, charge__isnull=False) | Q(invoice__isnull=False, charge=None),
                name="allocation_to_one_claim",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.payment_id}"
