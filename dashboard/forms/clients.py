"""What the desk asks about clients and the people there."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Contact
from core.models import DESIGNS, PAPERS, Company
from dashboard.forms_layout import HouseForm, Section
from dashboard.reports.policy_choice import choices, policy_here
from policies.models import Segment, Terms

from .choices import countries, currencies, time_zones


class ClientForm(HouseForm, forms.ModelForm[Client]):
    """Master data of a client; ``version`` says which state the person saw."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    country = forms.ChoiceField(label=_("Country"), choices=countries, required=False)
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, required=False, help_text=_("Empty: that of your company.")
    )
    policy_name = forms.ChoiceField(
        label=_("Policy"), required=False,
        help_text=_("By which reminders go to this client; an invoice may have its own."),
    )  # fmt: skip
    rows = (
        ("name", "legal_name"), ("number", "tax_number"),
        Section(_("Address"), ("street", ("postal_code", "city"), ("region", "country"))),
        Section(
            _("How they pay"),
            ("terms", ("currency", "language"), ("time_zone", "owner"), ("invoice_per", "po_required")),
        ),
        Section(_("How they are reminded"), (("segment", "policy_name"),)),
        Section(_("Their documents"), (("paper", "design"),)),
        Section(_("For us"), ("notes",)),
    )  # fmt: skip

    class Meta:
        model = Client
        fields = [
            "name", "legal_name", "number", "tax_number", "street", "postal_code", "city", "region", "country", "terms",
            "currency", "language", "time_zone", "owner", "po_required", "invoice_per", "segment", "policy_name",
            "paper", "design", "notes",
        ]  # fmt: skip
        help_texts = {"number": _("Unique in your company; a text, so leading zeros stay.")}

    def __init__(self, *args: Any, company: Company, on: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        segment, policy = self.fields["segment"], self.fields["policy_name"]
        assert isinstance(segment, forms.ModelChoiceField) and isinstance(policy, forms.ChoiceField)
        segment.queryset = Segment.objects.filter(company=company)
        segment.empty_label = _("none")
        policy.choices = choices(on, self.instance.policy_name, _("That of the segment or the company"))
        if self.instance.pk:
            here = policy_here(self.instance, on)
            policy.help_text = _("Today “%(policy)s” holds: %(because)s. Another one holds from today on; days that "
                                 "have passed keep theirs. An invoice may have its own.") % {
                "policy": here.title, "because": here.because
            }  # fmt: skip
        terms, owner = self.fields["terms"], self.fields["owner"]
        assert isinstance(terms, forms.ModelChoiceField) and isinstance(owner, forms.ModelChoiceField)
        terms.queryset = Terms.objects.filter(company=company)
        terms.empty_label = _("The company's default")
        owner.queryset = User.objects.filter(is_staff=True, is_active=True)
        owner.label_from_instance = lambda user: user.get_full_name() or user.get_username()  # type: ignore[method-assign, assignment]
        self.fields["version"].initial = self.instance.version
        self.fields["invoice_per"].required = False
        for name, named in (("paper", PAPERS), ("design", DESIGNS)):
            field, usual = self.fields[name], dict(named)[getattr(company, name)]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("as the company's: %(usual)s") % {"usual": usual}), *named]

    def clean_invoice_per(self) -> str:
        """Left out: as it was."""
        return self.cleaned_data["invoice_per"] or self.instance.invoice_per

    def facts(self) -> dict[str, Any]:
        """What the verb saves; a new client without terms of its own gets the company's."""
        facts = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        if self.instance.pk is None and facts["terms"] is None:
            del facts["terms"]
        return facts


class ContactForm(HouseForm, forms.ModelForm[Contact]):
    """A person at the client's."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, required=False, help_text=_("Empty: the client's.")
    )
    rows = (
        ("name", "role"), ("email", "phone"), ("department", "language"),
        Section(_("When to call"), ("time_zone", ("call_from", "call_until"))),
        Section(_("Greetings"), ("greetings_since",)),
    )  # fmt: skip

    class Meta:
        model = Contact
        fields = [
            "name", "role", "email", "phone", "department", "language", "time_zone", "call_from", "call_until",
            "greetings_since",
        ]  # fmt: skip
        help_texts = {
            "language": _("Empty: the client's."), "call_until": _("By the clock of the person."),
            "greetings_since": _("The day this person agreed to be greeted on occasions; empty: no greetings."),
        }  # fmt: skip
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "call_from": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
            "call_until": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
            "greetings_since": forms.DateInput(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version

    def facts(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class QuickContactForm(forms.ModelForm[Contact]):
    """Name and address in one row, for the list of clients nobody can write to."""

    class Meta:
        model = Contact
        fields = ["name", "email", "phone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True
        for field in self.fields.values():
            field.widget.attrs |= {"class": "form-control", "form": f"save-{self.prefix}"}
