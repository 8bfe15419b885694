"""What the desk asks about an invoice that comes again and again: how often, for which time, and its lines."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Contact
from core.models import Company
from dashboard.forms_layout import HouseForm
from invoices.models import InvoiceLine, RecurringInvoice
from invoices.recurring import MOST
from invoices.services.recurring import Schedule
from policies.models import Terms

from .choices import currencies
from .invoices import MOST_LINES, BaseLines, LineForm

FACTS = (
    "client", "version", "name", "contact", "terms", "currency", "po_number", "note", "every", "unit", "starts_on",
    "ends_on", "covers", "sends",
)  # fmt: skip


class RecurringForm(forms.Form):
    """Whom, how often, from when until when, for which time."""

    client = forms.ModelChoiceField(label=_("Client"), queryset=Client.objects.none(), empty_label=_("Choose a client"))
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=_("Called"), max_length=120, help_text=_("For ourselves; it stands on no invoice."))
    every = forms.IntegerField(label=_("Every"), min_value=1, max_value=MOST, initial=1)
    unit = forms.ChoiceField(label=_("Weeks, months or years"), choices=RecurringInvoice.UNITS, initial="month")
    starts_on = forms.DateField(
        label=_("First on"), help_text=_("Its day is the day of every invoice; the 31st is the last day of a month."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    ends_on = forms.DateField(
        label=_("Last on"), required=False, help_text=_("Empty: until it is ended."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    covers = forms.ChoiceField(
        label=_("Each invoice is for"), choices=RecurringInvoice.COVERS, required=False, initial="ahead"
    )
    sends = forms.BooleanField(label=_("Sent by itself in the morning"), required=False, initial=True)
    contact = forms.ModelChoiceField(
        label=_("To the attention of"), queryset=Contact.objects.none(), required=False,
        empty_label=_("accounts payable"),
    )
    terms = forms.ModelChoiceField(
        label=_("Payment terms"), queryset=Terms.objects.none(), required=False, empty_label=_("The client's")
    )
    currency = forms.ChoiceField(label=_("Currency"), required=False)
    po_number = forms.CharField(label=_("Their order number"), required=False, max_length=80)
    note = forms.CharField(
        label=_("Note on the invoice"), required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=2000
    )

    def __init__(self, *args: Any, company: Company, client: Client | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clients, contacts, terms = (self.fields[name] for name in ("client", "contact", "terms"))
        assert isinstance(clients, forms.ModelChoiceField) and isinstance(contacts, forms.ModelChoiceField)
        assert isinstance(terms, forms.ModelChoiceField) and isinstance(self.fields["currency"], forms.ChoiceField)
        clients.queryset = Client.objects.filter(company=company)
        clients.label_from_instance = lambda one: f"{one.name} · {one.number}"  # type: ignore[method-assign, assignment]
        terms.queryset = Terms.objects.filter(company=company)
        people = Contact.objects.filter(is_active=True, client__company=company)
        contacts.queryset = people.filter(client=client) if client else people.select_related("client")
        if client is None:
            contacts.label_from_instance = lambda person: f"{person.client} · {person}"  # type: ignore[method-assign, assignment]
        self.fields["currency"].choices = [("", _("the client's")), *currencies()]
        for field in self.fields.values():
            if isinstance(field, forms.BooleanField):
                field.widget.attrs["class"] = "form-check-input"
            elif not field.widget.is_hidden:
                field.widget.attrs["class"] = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"

    def schedule(self) -> Schedule:
        given = self.cleaned_data
        return Schedule(**{name: given[name] for name in FACTS if name not in ("client", "version")})


class RecurringLineForm(LineForm):
    """A line, with the reason where no tax is due."""

    tax_category = forms.ChoiceField(
        label=_("Tax category"), choices=[("", _("by the percentage")), *InvoiceLine.CATEGORIES], required=False
    )
    exemption_reason = forms.CharField(label=_("Reason for no tax"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["description"].widget.attrs["placeholder"] = _("Such as Hosting {month}")
        self.fields["exemption_reason"].widget.attrs["placeholder"] = _("Reason; empty: the words of the law")
        self.fields["exemption_reason"].widget.attrs["class"] = "form-control"

    @property
    def without_tax(self) -> str:
        """When the page asks for a reason: data-when of the field."""
        return f"{self.add_prefix('tax_category')}:E AE K G O"


RecurringLines = forms.formset_factory(
    RecurringLineForm, formset=BaseLines, extra=1, can_delete=True, max_num=MOST_LINES, absolute_max=MOST_LINES
)


class EndForm(HouseForm, forms.Form):
    """The last day on which an invoice still comes."""

    last_on = forms.DateField(
        label=_("Last day"), help_text=_("An invoice of this day, or of an earlier one, is still issued.")
    )
    save_label = _("End it")
