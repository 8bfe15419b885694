"""The ledger: its accounts, charges for late payment, and the entries by which alone money moves."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from core.fields import MoneyField
from core.guards import AppendOnly, Frozen
from core.models import Company
from policies.models import Policy

from .invoice import Invoice

RECEIVABLE = "receivable"
RECEIVABLE_CHARGES = "receivable_charges"
CUSTOMER_CREDIT = "customer_credit"
BANK = "bank"
REVENUE = "revenue"
TAX = "tax"
INTEREST = "interest"
FEE = "fee"
DISCOUNT = "discount"
WRITE_OFF = "write_off"
COLLECTION_COST = "collection_cost"
ACCOUNTS = [
    (RECEIVABLE, _("receivables")),
    (RECEIVABLE_CHARGES, _("receivables: interest and fees")),
    (CUSTOMER_CREDIT, _("unapplied cash")),
    (BANK, _("bank and cash")),
    (REVENUE, _("revenue")),
    (TAX, _("tax")),
    (INTEREST, _("interest")),
    (FEE, _("fees and compensation")),
    (DISCOUNT, _("discounts")),
    (WRITE_OFF, _("write-offs")),
    (COLLECTION_COST, _("cost of collecting and of payment providers")),
]


def clearing(provider: str) -> str:
    """The account on which a payment provider holds our money until it pays it out.

    >>> clearing("stripe")
    'clearing:stripe'
    """
    return f"clearing:{provider}"


class ChargeQuerySet(models.QuerySet["Charge"]):
    def standing(self) -> ChargeQuerySet:
        """Claims that hold: not taken back by a reversal. One that was waived stands: it is not charged again."""
        undone = Entry.objects.filter(charge=models.OuterRef("pk"), reverses__kind="charge")
        return self.filter(~models.Exists(undone))

    def open(self) -> ChargeQuerySet:
        """Those of which something is still owed: neither paid, nor waived, nor taken back in full."""
        return self.filter(balance__gt=0)


def compensation_key(invoice: int) -> str:
    """The key of the lump sum of an invoice (by its id): once per invoice."""
    return f"compensation:{invoice}"


def fee_key(invoice: int, step: str) -> str:
    """The key of the fee of a step on an invoice (by its id): once per invoice and step."""
    return f"fee:{invoice}:{step}"


def interest_key(invoice: int, first: dt.date, last: dt.date, revision: int) -> str:
    """The key of the interest on an invoice (by its id) for some days: once per revision."""
    return f"interest:{invoice}:{first.isoformat()}:{last.isoformat()}:{revision}"


class Charge(models.Model):
    """Interest, a fee or compensation: a claim of its own beside the invoice, with the derivation of its amount."""

    KINDS = [("interest", _("interest")), ("fee", _("fee")), ("compensation", _("compensation"))]

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="charges")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="charges")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="charges")
    kind = models.CharField(max_length=14, choices=KINDS)
    key = models.CharField(max_length=120, unique=True)
    currency = models.CharField(max_length=3)
    amount = MoneyField()
    balance = MoneyField(default=0)
    from_on = models.DateField(null=True)
    to_on = models.DateField(null=True)
    charged_on = models.DateField()
    revision = models.PositiveSmallIntegerField(default=1)
    derivation = models.JSONField(default=dict)
    policy = models.ForeignKey(Policy, null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)

    guards = [Frozen(when="1 = 1", but=("balance",))]
    objects = ChargeQuerySet.as_manager()

    class Meta:
        ordering = ["invoice", "from_on", "revision"]
        permissions = [("waive_charge", _("Can waive interest, fees and compensation"))]
        constraints = [
            models.CheckConstraint(condition=Q(balance__gte=0), name="charge_balance_not_negative"),
            models.CheckConstraint(condition=Q(balance__lte=F("amount")), name="charge_balance_not_above_amount"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="charge_amount_positive"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def doc(self) -> str:
        """As the ledger, the audit trail and payments name it."""
        return f"charge:{self.pk}"

    @property
    def entry_key(self) -> str:
        """The key of the entry by which it was posted."""
        return f"charge:{self.key}"


class InterestNoticeQuerySet(models.QuerySet["InterestNotice"]):
    def standing(self) -> InterestNoticeQuerySet:
        """Those that reached the client, as far as anybody knows."""
        return self.filter(came_back_on=None)


class InterestNotice(models.Model):
    """We told the client from when interest is charged on this invoice, message by message; without one, none is.

    One whose message came back was never given: it has the day on which that was heard, and counts for nothing.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="interest_notices")
    interest_from = models.DateField()
    given_on = models.DateField()
    given_by = models.CharField(max_length=150)
    message_key = models.CharField(max_length=200, blank=True)
    came_back_on = models.DateField(null=True)

    guards = [Frozen(when="1 = 1", but=("came_back_on",), name="append_only")]
    objects = InterestNoticeQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "message_key"], name="notice_once_per_message")]

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.interest_from}"


class Entry(models.Model):
    """One balanced transfer between two accounts; the only thing that changes what anybody owes."""

    key = models.CharField(max_length=160, unique=True)
    doc = models.CharField(max_length=120, db_index=True)
    kind = models.CharField(max_length=24)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="entries")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="entries")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="entries")
    charge = models.ForeignKey(Charge, null=True, on_delete=models.PROTECT, related_name="entries")
    dr = models.CharField(max_length=32)
    cr = models.CharField(max_length=32)
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    effective_on = models.DateField()
    posted_at = models.DateTimeField()
    posted_by = models.CharField(max_length=150)
    memo = models.CharField(max_length=300, blank=True)
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")

    guards = [AppendOnly()]

    class Meta:
        verbose_name_plural = _("entries")
        ordering = ["effective_on", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="entry_amount_positive"),
            models.CheckConstraint(condition=~Q(dr=F("cr")), name="entry_accounts_differ"),
        ]
        indexes = [
            models.Index(fields=["invoice", "effective_on"], name="entry_invoice_on"),
            models.Index(fields=["client", "effective_on"], name="entry_client_on"),
            models.Index(fields=["company", "effective_on"], name="entry_company_on"),
        ]

    def __str__(self) -> str:
        return self.key
