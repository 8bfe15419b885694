"""What is owed: invoices, the ledger's entries, charges for late payment, and the signed links to them."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Contact
from core.fields import MoneyField
from core.guards import AppendOnly, Frozen
from core.models import Company, StoredFile
from policies.models import CreditTerms, Policy, Terms

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
]


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

    series = models.ForeignKey(Series, null=True, editable=False, on_delete=models.PROTECT)
    seq = models.PositiveIntegerField(null=True, editable=False)
    number = models.CharField(_("number"), max_length=80, null=True, editable=False)
    intake = models.ForeignKey(Intake, null=True, editable=False, on_delete=models.PROTECT, related_name="invoices")
    issued_on = models.DateField(_("issued"), null=True, editable=False)
    issued_at = models.DateTimeField(null=True, editable=False)
    due_on = models.DateField(_("due"), null=True, editable=False)
    terms_days = models.SmallIntegerField(null=True, editable=False)
    late_percent = models.DecimalField(max_digits=6, decimal_places=3, default=0, editable=False)
    net = MoneyField(default=0, editable=False)
    tax = MoneyField(default=0, editable=False)
    total = MoneyField(default=0, editable=False)
    balance = MoneyField(default=0, editable=False)
    reference = models.CharField(_("payment reference"), max_length=35, blank=True, editable=False)
    frozen = models.JSONField(default=dict, editable=False)
    pdf = models.ForeignKey(StoredFile, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
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
            but=("balance", "pdf_id", "voided_at", "voided_on", "voided_because", "contact_id", "version"),
        ),
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

    CATEGORIES = [("S", _("standard")), ("Z", _("zero rated")), ("E", _("exempt"))]

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField(default=1)
    description = models.CharField(_("description"), max_length=300)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=4, default=1)
    unit = models.CharField(_("unit"), max_length=12, blank=True)
    unit_price = models.DecimalField(_("unit price"), max_digits=19, decimal_places=6)
    tax_percent = models.DecimalField(_("tax, percent"), max_digits=6, decimal_places=3, default=0)
    tax_category = models.CharField(_("tax category"), max_length=2, default="S", choices=CATEGORIES)
    net = MoneyField(default=0, editable=False)
    is_issued = models.BooleanField(default=False, editable=False)

    guards = [Frozen(when='OLD."is_issued"')]

    class Meta:
        ordering = ["invoice", "position", "id"]

    def __str__(self) -> str:
        return self.description


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

    class Meta:
        ordering = ["invoice", "from_on", "revision"]
        constraints = [
            models.CheckConstraint(condition=Q(balance__gte=0), name="charge_balance_not_negative"),
            models.CheckConstraint(condition=Q(balance__lte=F("amount")), name="charge_balance_not_above_amount"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="charge_amount_positive"),
        ]

    def __str__(self) -> str:
        return self.key


class InterestNotice(models.Model):
    """We told the client from when interest is charged on this invoice; without one, nothing is charged."""

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="interest_notice")
    interest_from = models.DateField()
    given_on = models.DateField()
    given_by = models.CharField(max_length=150)
    message_key = models.CharField(max_length=200, blank=True)

    guards = [AppendOnly()]

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


class ShareLink(models.Model):
    """A private link to one invoice, pro forma or version of the credit terms.

    Nothing secret is stored: the token is an HMAC of this row.
    """

    KINDS = [(kind, kind) for kind in ("invoice", "statement", "pro_forma", "terms")]

    kind = models.CharField(max_length=12, default="invoice", choices=KINDS)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="links")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.CASCADE, related_name="links")
    terms = models.ForeignKey(CreditTerms, null=True, on_delete=models.CASCADE, related_name="links")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL)
    version = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True)
    handed_out_by = models.CharField(max_length=150, blank=True, help_text="Who made it at the desk to pass it on.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "contact"],
                condition=Q(revoked_at=None, kind="invoice"),
                name="one_live_link_per_invoice_and_contact",
            ),
            models.UniqueConstraint(
                fields=["client", "terms", "contact"],
                condition=Q(revoked_at=None, kind="terms"),
                name="one_live_link_per_terms_and_contact",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LinkView(models.Model):
    """The client opened the page in a browser (a beacon said so); scanners and staff never count."""

    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="views")
    seen_at = models.DateTimeField()

    guards = [AppendOnly()]

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.link_id} {self.seen_at:%Y-%m-%d %H:%M}"
