"""What came in, and where it went."""

from __future__ import annotations

from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from core.fields import MoneyField
from core.guards import AppendOnly, Frozen
from core.models import Company, StoredFile
from invoices.models import Charge, Entry, Invoice, ProForma, Series, ShareLink


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
        ("card", _("card or wallet")),
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


class Receipt(models.Model):
    """What a client gets for money received: a document under a number of its own."""

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="receipt")
    series = models.ForeignKey(Series, on_delete=models.PROTECT)
    seq = models.PositiveIntegerField()
    number = models.CharField(_("number"), max_length=80)
    made_on = models.DateField(_("date"))
    frozen = models.JSONField(default=dict)
    pdf = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    guards = [Frozen(when="1 = 1", but=("pdf_id",))]

    class Meta:
        ordering = ["-made_on", "-id"]
        constraints = [models.UniqueConstraint(fields=["series", "seq"], name="receipt_number_once_per_series")]

    def __str__(self) -> str:
        return self.number


class CheckoutQuerySet(models.QuerySet["Checkout"]):
    def in_flight(self) -> CheckoutQuerySet:
        """The client has paid as far as they can and the provider has not said the last word."""
        return self.filter(state="pending")


class Checkout(models.Model):
    """A payment a client began at a provider: for which invoices, how much, and how far it came."""

    STATES = [
        ("started", _("begun")),
        ("pending", _("on its way")),
        ("succeeded", _("paid")),
        ("failed", _("failed")),
        ("abandoned", _("given up")),
    ]

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="checkouts")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="checkouts")
    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=80, unique=True)
    provider_ref = models.CharField(max_length=120, blank=True)
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    split = models.JSONField(default=dict, help_text="Amount by claim key, such as invoice:12.")
    link = models.ForeignKey(ShareLink, null=True, on_delete=models.SET_NULL, related_name="checkouts")
    state = models.CharField(max_length=10, default="started", choices=STATES)
    failed_because = models.CharField(max_length=300, blank=True)
    payment = models.OneToOneField(Payment, null=True, on_delete=models.PROTECT, related_name="checkout")
    started_at = models.DateTimeField()
    started_on = models.DateField()
    changed_at = models.DateTimeField()

    objects = CheckoutQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_ref"], condition=~Q(provider_ref=""), name="checkout_once_at_provider"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="checkout_positive"),
        ]
        indexes = [models.Index(fields=["client"], condition=Q(state="pending"), name="checkout_in_flight")]

    def __str__(self) -> str:
        return self.key


class ProviderEvent(models.Model):
    """One word of a provider, kept once by its own id, with what followed from it or why nothing did."""

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=60)
    happened_at = models.DateTimeField(null=True)
    facts = models.JSONField(default=dict)
    checkout = models.ForeignKey(Checkout, null=True, on_delete=models.PROTECT, related_name="events")
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=300, blank=True)
    needs_person = models.BooleanField(default=False)
    settled_by = models.CharField(max_length=150, blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once")]
        indexes = [  # every page of the desk asks how many wait
            models.Index(
                fields=["received_at"], condition=Q(needs_person=True, settled_at=None), name="provider_event_waits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class RefundQuerySet(models.QuerySet["Refund"]):
    def standing(self) -> RefundQuerySet:
        """The money is gone, or asked back and set aside for that."""
        return self.filter(state__in=("asked", "done"))


class Refund(models.Model):
    """Money of a payment given back, or taken back by the payer's bank (a chargeback, which may be won again)."""

    KINDS = [("refund", _("refund")), ("chargeback", _("chargeback"))]
    STATES = [("asked", _("asked for")), ("done", _("done")), ("failed", _("failed")), ("won", _("won back"))]

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    kind = models.CharField(max_length=10, choices=KINDS, default="refund")
    key = models.CharField(max_length=120, unique=True)
    provider_ref = models.CharField(max_length=120, blank=True)
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=6, default="asked", choices=STATES)
    failed_because = models.CharField(max_length=300, blank=True)
    asked_on = models.DateField()
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField(auto_now_add=True)
    done_on = models.DateField(null=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="refund_positive")]

    def __str__(self) -> str:
        return self.key
