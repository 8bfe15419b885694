"""Clients and the people to talk to."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import DESIGNS, LANGUAGES, PAPERS, Company, check_time_zone
from policies.models import Segment, Terms


class ClientQuerySet(models.QuerySet["Client"]):
    def without_contact(self) -> ClientQuerySet:
        """Clients nobody can write to: no active contact with an address that has not bounced."""
        return self.exclude(
            models.Exists(
                Contact.objects.filter(client=models.OuterRef("pk"), is_active=True, bounced_at=None).exclude(email="")
            )
        )


class Client(models.Model):
    """A business that buys on credit from one of our companies; its number is a text, unique in the company."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="clients")
    number = models.CharField(_("client number"), max_length=60)
    name = models.CharField(_("name"), max_length=200)
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    tax_number = models.CharField(_("VAT or tax number"), max_length=40, blank=True)
    street = models.CharField(_("street"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    region = models.CharField(_("state or region"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("Two letters, such as DE or US."))
    language = models.CharField(_("language"), max_length=2, default="en", choices=LANGUAGES)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True, validators=[check_time_zone])
    currency = models.CharField(_("currency"), max_length=3)
    terms = models.ForeignKey(Terms, null=True, blank=True, on_delete=models.PROTECT, verbose_name=_("payment terms"))
    segment = models.ForeignKey(
        Segment, null=True, blank=True, on_delete=models.SET_NULL, related_name="clients", verbose_name=_("segment")
    )
    policy_name = models.SlugField(
        _("policy"), max_length=40, blank=True, help_text=_("Empty: that of the segment or the company.")
    )
    paper = models.CharField(_("paper"), max_length=6, blank=True, choices=PAPERS)
    design = models.CharField(_("design of documents"), max_length=8, blank=True, choices=DESIGNS)
    po_required = models.BooleanField(_("needs a purchase order number"), default=False)
    invoice_per = models.CharField(
        _("completed work is invoiced"), max_length=6, default="client",
        choices=[("client", _("on one invoice")), ("order", _("on one invoice per order"))],
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, verbose_name=_("account owner")
    )
    notes = models.TextField(_("notes"), blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ClientQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["company", "number"], name="client_number_once_per_company")]
        indexes = [models.Index(fields=["company", "name", "id"], name="client_by_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The client's local time; the company's where the client's is not known."""
        return ZoneInfo(self.time_zone or self.company.time_zone)


class ContactQuerySet(models.QuerySet["Contact"]):
    def reachable(self) -> ContactQuerySet:
        """Contacts a mail can go to."""
        return self.filter(is_active=True, bounced_at=None).exclude(email="")


class Contact(models.Model):
    """A person at the client's, by role; reminders name one, escalation goes to the next."""

    ROLES = [
        ("accounts_payable", _("accounts payable")),
        ("approver", _("approver")),
        ("owner", _("owner")),
        ("escalation", _("escalation")),
    ]

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=20, choices=ROLES, default="accounts_payable")
    department = models.CharField(_("department"), max_length=80, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    language = models.CharField(_("language"), max_length=2, blank=True, choices=LANGUAGES)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True, validators=[check_time_zone])
    is_active = models.BooleanField(_("still there"), default=True)
    bounced_at = models.DateTimeField(_("mail came back"), null=True, blank=True)
    bounced_because = models.CharField(_("why mail came back"), max_length=300, blank=True)
    call_from = models.TimeField(_("prefers calls from"), null=True, blank=True)
    call_until = models.TimeField(_("prefers calls until"), null=True, blank=True)
    greetings_since = models.DateField(
        _("agreed to greetings on"), null=True, blank=True, help_text=_("Empty: nobody congratulates this person.")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["client", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone) if self.time_zone else self.client.zone

    def speaks(self) -> str:
        """The language to write in."""
        return self.language or self.client.language

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "role": self.role, "email": self.email, "phone": self.phone}
