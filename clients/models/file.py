"""What is kept on a client's file: documents, public profiles, dates to remember, and which terms were accepted."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.guards import AppendOnly
from core.models import StoredFile
from policies.models import CreditTerms

from .credit import CreditCheck
from .people import Client, Contact


class Document(models.Model):
    """A file about the client; taken off the file it is kept, because somebody once relied on it."""

    KINDS = [
        ("credit_check", _("credit check")),
        ("contract", _("contract or order")),
        ("registration", _("registration or tax form")),
        ("identity", _("identity")),
        ("payment_proof", _("proof of payment")),
        ("other", _("other")),
    ]

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(_("kind"), max_length=14, choices=KINDS, default="other")
    name = models.CharField(_("name"), max_length=150)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    credit_check = models.ForeignKey(CreditCheck, null=True, on_delete=models.PROTECT, related_name="documents")
    added_by = models.CharField(max_length=150)
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, editable=False)
    removed_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["-added_at", "-id"]

    def __str__(self) -> str:
        return self.name


class Address(models.Model):
    """Where else a client is, for its post, for deliveries or for visits; the seat stands on the client."""

    KINDS = [("post", _("post and invoices")), ("delivery", _("deliveries")), ("visit", _("visits"))]

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="addresses")
    kind = models.CharField(_("what for"), max_length=8, choices=KINDS, default="delivery")
    name = models.CharField(_("addressed to"), max_length=200, blank=True)
    street = models.CharField(_("street or post box"), max_length=200)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100)
    region = models.CharField(_("state or region"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, help_text=_("Two letters, such as DE or US."))

    class Meta:
        verbose_name_plural = _("addresses")
        ordering = ["client", "kind", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(kind="post"), name="one_address_for_post",
                violation_error_message=_("The client has an address for post already; change that one."),
            )
        ]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.street, f"{self.postal_code} {self.city}".strip()) if part)


class Profile(models.Model):
    """A website or a social profile of the client, when somebody last looked, and what was new."""

    KINDS = [
        ("website", _("website")),
        ("linkedin", "LinkedIn"),
        ("xing", "XING"),
        ("facebook", "Facebook"),
        ("instagram", "Instagram"),
        ("x", "X"),
        ("register", _("company register")),
        ("other", _("other")),
    ]

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="profiles")
    kind = models.CharField(_("kind"), max_length=10, choices=KINDS, default="website")
    url = models.URLField(_("address"), max_length=300)
    last_looked_on = models.DateField(_("last looked"), null=True, blank=True)
    news = models.CharField(_("news"), max_length=500, blank=True)
    looked_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["client", "id"]
        constraints = [models.UniqueConstraint(fields=["client", "url"], name="profile_once_per_client")]

    def __str__(self) -> str:
        return self.url


class KeyDate(models.Model):
    """A day that comes back every year: a birthday, the founding of the business, the start of working together."""

    KINDS = [
        ("birthday", _("birthday")),
        ("founded", _("founding of the business")),
        ("together", _("start of working together")),
        ("other", _("other")),
    ]

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="key_dates")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="key_dates")
    kind = models.CharField(_("occasion"), max_length=10, choices=KINDS)
    label = models.CharField(_("called"), max_length=80, blank=True)
    month = models.PositiveSmallIntegerField(_("month"))
    day = models.PositiveSmallIntegerField(_("day"))
    year = models.PositiveSmallIntegerField(_("since"), null=True, blank=True)

    class Meta:
        ordering = ["month", "day", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(month__gte=1, month__lte=12, day__gte=1, day__lte=31), name="key_date_is_a_day"
            )
        ]

    def __str__(self) -> str:
        return self.label or str(self.get_kind_display())


class Acceptance(models.Model):
    """The client accepted a version of our credit terms: who, when, which, and by what way."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="acceptances")
    terms = models.ForeignKey(CreditTerms, on_delete=models.PROTECT, related_name="acceptances")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL)
    accepted_by = models.CharField(_("accepted by"), max_length=150)
    accepted_at = models.DateTimeField(_("accepted at"))
    way = models.CharField(
        max_length=10, default="link", choices=[("link", _("signed link")), ("paper", _("on paper"))]
    )
    recorded_by = models.CharField(max_length=150, default="client")

    guards = [AppendOnly()]

    class Meta:
        ordering = ["-accepted_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["client", "terms"], name="terms_accepted_once_per_client")]

    def __str__(self) -> str:
        return f"{self.client}: {self.terms}"
