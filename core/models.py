"""What every app shares: who we are (Company, BankAccount, PaymentMethod), stored files, jobs and ticks."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import MoneyField
from .guards import AppendOnly
from .money import currency_codes

LANGUAGES = [("en", _("English")), ("de", _("German")), ("fr", _("French"))]

PAPERS = [("A4", "A4"), ("Letter", "Letter")]
DESIGNS = [("ledger", _("ledger: coloured head, large sum")), ("plain", _("plain: black on white, one column"))]


def check_time_zone(value: str) -> None:
    """Refuse a time zone the tz database does not know."""
    if value not in available_timezones():
        raise ValidationError(_("“%(zone)s” is not a time zone; write one such as Europe/Berlin.") % {"zone": value})


class Installation(models.Model):
    """This installation: one row. How it is configured stands in the environment, not here."""

    only = models.PositiveSmallIntegerField(default=1, unique=True, editable=False)
    setup_token_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    setup_token_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    set_up_at = models.DateTimeField(null=True, blank=True, editable=False)
    sending_paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    sending_paused_because = models.TextField(blank=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(only=1), name="one_installation")]

    def __str__(self) -> str:
        return "installation"


class Company(models.Model):
    """A business that issues invoices; its time zone says what «today» is."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=120)
    legal_name = models.CharField(_("legal name"), max_length=200)
    tagline = models.CharField(_("line under the name"), max_length=120, blank=True)
    street = models.CharField(_("street"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    region = models.CharField(_("state or region"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, help_text=_("Two letters, such as DE or US."))
    tax_number = models.CharField(_("VAT or tax number"), max_length=40, blank=True)
    register_entry = models.CharField(_("register entry and directors"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, default="UTC", validators=[check_time_zone])
    language = models.CharField(_("language"), max_length=2, default="en", choices=LANGUAGES)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    paper = models.CharField(_("paper"), max_length=6, default="A4", choices=PAPERS)
    accent = models.CharField(_("brand colour"), max_length=7, default="#0f5f57")
    design = models.CharField(_("design of documents"), max_length=8, default="ledger", choices=DESIGNS)
    sends_receipts = models.BooleanField(_("receipts go out by themselves"), default=True)

    class Meta:
        verbose_name_plural = _("companies")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class BankAccount(models.Model):
    """Where a transfer goes, per company and currency; the first in use is printed first."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="bank_accounts")
    currency = models.CharField(_("currency"), max_length=3)
    holder = models.CharField(_("account holder"), max_length=200)
    bank_name = models.CharField(_("bank"), max_length=120, blank=True)
    iban = models.CharField("IBAN", max_length=34, blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)
    account_number = models.CharField(_("account number"), max_length=34, blank=True)
    routing_number = models.CharField(_("routing number (ACH)"), max_length=20, blank=True)
    position = models.PositiveSmallIntegerField(_("place"), default=1)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        ordering = ["company", "currency", "position", "id"]

    def __str__(self) -> str:
        return f"{self.iban or self.account_number} ({self.currency})"

    def clean(self) -> None:
        from stdnum import bic, iban
        from stdnum.exceptions import ValidationError as NotValid
        from stdnum.us import rtn

        if self.bic and not bic.is_valid(self.bic):
            raise ValidationError({"bic": _("This BIC is not valid; compare it with a bank statement.")})
        if self.routing_number and not rtn.is_valid(self.routing_number):
            raise ValidationError(
                {"routing_number": _("This is no ACH routing number: it has nine digits, the last of which checks.")}
            )
        if self.currency == "USD" and self.account_number and not self.iban and not self.routing_number:
            raise ValidationError({"routing_number": _("A transfer in dollars (ACH) needs the routing number too.")})
        if self.iban:
            try:
                self.iban = iban.compact(iban.validate(self.iban))
            except NotValid:
                raise ValidationError(
                    {"iban": _("This IBAN is not valid; compare it with a bank statement.")}
                ) from None
        elif not self.account_number:
            raise ValidationError(_("Give an IBAN, or an account number with its routing number."))


class PaymentMethod(models.Model):
    """A way to pay that a company offers, for which currency and sums; transfer takes its details from the accounts."""

    KINDS = [
        ("transfer", _("Bank transfer")),
        ("card", _("Card or wallet")),
        ("cheque", _("Cheque")),
        ("cash", _("Cash")),
    ]

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="payment_methods")
    kind = models.CharField(_("kind"), max_length=10, choices=KINDS)
    instructions = models.CharField(
        _("instructions"), max_length=300, blank=True, help_text=_("Shown to the client, such as whom a cheque names.")
    )
    provider = models.CharField(_("payment provider"), max_length=20, blank=True)
    currency = models.CharField(_("only for the currency"), max_length=3, blank=True)
    smallest = MoneyField(_("from the sum"), null=True, blank=True)
    largest = MoneyField(_("up to the sum"), null=True, blank=True)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        ordering = ["company", "id"]
        constraints = [models.UniqueConstraint(fields=["company", "kind"], name="payment_method_once_per_company")]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def clean(self) -> None:
        known = settings.PAYMENT_PROVIDERS
        if self.kind == "card" and self.provider not in known:
            raise ValidationError({
                "provider": _("A card is taken by a payment provider; set up here: %(known)s. See docs/operations.md.")
                % {"known": ", ".join(known) or _("none")}
            })
        if self.kind != "card" and self.provider:
            raise ValidationError({"provider": _("Only a card is taken by a provider; leave this empty.")})
        if self.currency and self.currency not in currency_codes():
            raise ValidationError({"currency": _("Write a currency in three capital letters, such as EUR.")})
        if (self.smallest is not None or self.largest is not None) and not self.currency:
            raise ValidationError({"currency": _("A sum needs its currency: name the one the limits are in.")})
        if self.smallest is not None and self.largest is not None and self.largest < self.smallest:
            raise ValidationError({"largest": _("The largest sum is below the smallest.")})


class CompanyDocument(models.Model):
    """A document clients ask us for, such as a tax form or a letter of our bank: uploaded once, shown to all."""

    KINDS = [
        ("tax_form", _("tax form")),
        ("bank_letter", _("bank-verification letter")),
        ("registration", _("registration")),
        ("insurance", _("insurance")),
        ("other", _("other")),
    ]

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(_("kind"), max_length=12, choices=KINDS, default="other")
    name = models.CharField(_("name"), max_length=150)
    file = models.ForeignKey("StoredFile", on_delete=models.PROTECT, related_name="+")
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    added_by = models.CharField(max_length=150)
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["company", "kind", "name"]

    def __str__(self) -> str:
        return self.name


class CompanyProfile(models.Model):
    """A public profile of ours, named in the foot of the mails we send."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="profiles")
    label = models.CharField(_("called"), max_length=40, help_text=_("Such as Website or LinkedIn."))
    url = models.URLField(_("address"), max_length=300)
    position = models.PositiveSmallIntegerField(_("place"), default=1)

    class Meta:
        ordering = ["company", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["company", "url"], name="profile_once_per_company")]

    def __str__(self) -> str:
        return self.label


class Holiday(models.Model):
    """A day on which nobody is chased; the rows of a country are known by the library, these are a company's own."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="holidays")
    on = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        ordering = ["on"]
        constraints = [models.UniqueConstraint(fields=["company", "on"], name="holiday_once")]

    def __str__(self) -> str:
        return f"{self.on} {self.name}"


class StoredFile(models.Model):
    """Bytes kept by their SHA-256; never changed, so a letter can be shown byte for byte years later."""

    sha256 = models.CharField(max_length=64, unique=True)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    stored_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    def __str__(self) -> str:
        return self.sha256[:12]


class Job(models.Model):
    """Work a person waits for: state, progress and result, so that a page can show them."""

    STATES = [("waiting", _("waiting")), ("running", _("running")), ("done", _("done")), ("failed", _("failed"))]

    kind = models.CharField(max_length=40)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=10, default="waiting", choices=STATES)
    step = models.CharField(max_length=120, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    asked_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.state})"


class Tick(models.Model):
    """When each scheduled sweep last ran; read by the health banner and by the surge breaker."""

    name = models.CharField(max_length=60, unique=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


def as_text(by: Any) -> str:
    """Who acted, as a text that outlives the account: a user's name, or the words given («client», «import»)."""
    if by is None:
        return "system"
    if isinstance(by, str):
        return by
    return str(by.get_full_name() or by.get_username())
