"""What the set-up page asks, step by step."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from crispy_forms.helper import FormHelper
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from arledger.configuration import Configuration, is_loopback, refusals
from core.models import BankAccount, Company
from dashboard.forms.choices import countries, currencies, time_zones
from dashboard.forms_layout import HouseForm, Section

from .mail_test import MailServer

NEXT = _("Continue")


class CompanyForm(HouseForm, forms.ModelForm[Company]):
    """Who sends the invoices."""

    country = forms.ChoiceField(label=_("Country"), choices=countries)
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies, initial="EUR")
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, help_text=_("Says when a day begins for you.")
    )
    save_label = NEXT
    rows = (
        ("name", "legal_name"),
        ("code", "tax_number"),
        Section(_("Where you are"), ("street", ("postal_code", "city"), ("country", "time_zone"), ("email", "phone"))),
        Section(_("How you invoice"), (("currency", "language", "paper"),)),
    )

    class Meta:
        model = Company
        fields = [
            "name",
            "legal_name",
            "code",
            "tax_number",
            "street",
            "postal_code",
            "city",
            "country",
            "time_zone",
            "email",
            "phone",
            "currency",
            "language",
            "paper",
        ]
        help_texts = {"code": _("Begins your invoice numbers: LO gives LO-2026-0001.")}


class BankForm(HouseForm, forms.ModelForm[BankAccount]):
    """Where a transfer goes; printed on every invoice."""

    save_label = NEXT
    rows = (("holder", "bank_name"), ("iban", "bic"), ("account_number", "routing_number"))

    class Meta:
        model = BankAccount
        fields = ["holder", "bank_name", "iban", "bic", "account_number", "routing_number"]


class MailForm(HouseForm, forms.Form):
    """Under which address clients reach this installation, and how its mail leaves."""

    public_url = forms.URLField(
        label=_("Address that your clients open"),
        assume_scheme="https",
        help_text=_("It stands in every mail. While it is this machine's own, only you can open it."),
    )
    way = forms.ChoiceField(
        label=_("Mail"),
        widget=forms.RadioSelect,
        initial="files",
        choices=[
            ("files", _("Write it to files for now; I read it in the outbox")),
            ("smtp", _("Send it by this server")),
        ],
    )
    host = forms.CharField(label=_("Mail server"), required=False)
    port = forms.IntegerField(label=_("Port"), required=False, min_value=1, max_value=65535, initial=587)
    security = forms.ChoiceField(
        label=_("Encryption"),
        choices=[("starttls", "STARTTLS"), ("tls", "TLS"), ("none", _("none"))],
        initial="starttls",
    )
    user = forms.CharField(label=_("User name"), required=False)
    password = forms.CharField(
        label=_("Password"),
        required=False,
        widget=forms.PasswordInput(render_value=True, attrs={"autocomplete": "off"}),
    )
    sender = forms.EmailField(label=_("Sender's address"), required=False)
    test_to = forms.EmailField(label=_("Send a test to"), required=False)
    save_label = NEXT
    rows = (
        "public_url",
        "way",
        Section(_("Mail server"), (("host", "port", "security"), ("user", "password"), ("sender", "test_to"))),
    )

    @property
    def helper(self) -> FormHelper:
        helper = super().helper
        helper.form_id = "mail-form"
        return helper

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        if given["way"] == "smtp":
            for name in ("host", "port", "sender"):
                if not given.get(name):
                    self.add_error(name, _("The mail server needs this."))
        if not self.errors:
            for sentence in refusals(self._configuration(given)):
                self.add_error("public_url" if "PUBLIC_URL" in sentence else "host", sentence)
        return given

    def server(self) -> MailServer:
        given = self.cleaned_data
        return MailServer(given["host"], given["port"], given["security"], given["user"], given["password"])

    def to_install(self) -> dict[str, str]:
        """The settings to write down; none where everything stays as it is."""
        given = self._configuration(self.cleaned_data)
        if given.public_url == settings.PUBLIC_URL and not given.email_url:
            return {}
        kept = {"PUBLIC_URL": given.public_url, "EMAIL_URL": given.email_url, "MAIL_FROM": given.mail_from}
        if not is_loopback(given.public_url):
            kept |= {"SECRET_KEY": given.secret_key, "LINK_KEY": given.link_key}
        return kept

    def _configuration(self, given: dict[str, Any]) -> Configuration:
        by_smtp = given["way"] == "smtp"
        return Configuration(
            public_url=given["public_url"].rstrip("/"),
            secret_key=settings.SECRET_KEY,
            link_key=settings.LINK_KEY,
            debug=settings.DEBUG,
            allowed_hosts=(given["public_url"].split("/")[2].rsplit(":", 1)[0],),
            database_url=settings.DATABASE_URL,
            redis_url=settings.REDIS_URL,
            email_url=_email_url(given) if by_smtp else "",
            mail_from=given["sender"] if by_smtp else "",
        )


class TermsForm(HouseForm, forms.Form):
    """The terms every client begins with; the ladder shown beside them is counted from these."""

    net_days = forms.IntegerField(
        label=_("Invoices are due in days"),
        min_value=1,
        max_value=365,
        initial=30,
        help_text=_("A number, never «due on receipt»: nobody can tell when such an invoice is late."),
    )
    late_percent = forms.DecimalField(
        label=_("Late interest, percent a year"),
        min_value=0,
        max_value=100,
        max_digits=6,
        decimal_places=3,
        initial=9,
        help_text=_("Printed on the invoice; charged only after a notice that names the day. 0: none."),
    )
    publish_terms = forms.BooleanField(
        label=_("I have read the credit terms below; publish them as ours"),
        required=False,
        help_text=_("Invoices then name them, and clients can accept them. You can publish others later."),
    )
    save_label = NEXT
    rows = (("net_days", "late_percent"), "publish_terms")

    @property
    def helper(self) -> FormHelper:
        helper = super().helper
        helper.form_id = "policy-form"
        return helper


class AccountForm(HouseForm, forms.Form):
    """The first person who may sign in."""

    full_name = forms.CharField(label=_("Your name"), max_length=150)
    username = forms.CharField(
        label=_("Name to sign in with"),
        max_length=150,
        validators=[User.username_validator],
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )
    email = forms.EmailField(label=_("E-mail"), required=False)
    password = forms.CharField(
        label=_("Password"),
        help_text=_("At least 12 characters; a sentence is good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("Password, once more"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    save_label = _("Set up")
    rows = ("full_name", ("username", "email"), ("password", "again"))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("password") and given.get("again") and given["password"] != given["again"]:
            self.add_error("again", _("The two passwords differ."))
        if given.get("password"):
            try:
                validate_password(given["password"], User(username=given.get("username", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return given


def _email_url(given: dict[str, Any]) -> str:
    scheme = {"starttls": "smtp+tls", "tls": "smtp+ssl", "none": "smtp"}[given["security"]]
    user = f"{quote(given['user'], safe='')}:{quote(given['password'], safe='')}@" if given["user"] else ""
    return f"{scheme}://{user}{given['host']}:{given['port']}"
