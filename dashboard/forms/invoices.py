"""What the desk asks when an invoice is written: its heading and its lines."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Contact
from core.models import LANGUAGES, Company
from dashboard.forms_layout import HouseForm
from invoices.models import Invoice, InvoiceLine
from invoices.paying import offered
from invoices.services.drafting import (
    LONGEST_LABEL,
    LONGEST_VALUE,
    PRICE_PLACES,
    QUANTITY_PLACES,
    TAX_PLACES,
    ExtraField,
    Heading,
    LineDraft,
    wished_fields,
)
from invoices.tax_proposal import Proposal
from invoices.totals import stated
from policies.models import Terms

from .choices import currencies
from .fields import AmountField, OnceField

MOST_LINES = 200  # rows of one form, whatever number it says it has


class HeadingForm(forms.Form):
    """Whom, on which terms, for which order."""

    client = forms.ModelChoiceField(label=_("Client"), queryset=Client.objects.none(), empty_label=_("Choose a client"))
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    key = OnceField(required=False)
    contact = forms.ModelChoiceField(
        label=_("To the attention of"),
        queryset=Contact.objects.none(),
        required=False,
        empty_label=_("accounts payable"),
    )
    terms = forms.ModelChoiceField(
        label=_("Payment terms"), queryset=Terms.objects.none(), required=False, empty_label=_("The client's")
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies)
    po_number = forms.CharField(label=_("Their order number"), required=False, max_length=80)
    service_from = forms.DateField(
        label=_("Service from"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    service_to = forms.DateField(
        label=_("to"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    note = forms.CharField(
        label=_("Note on the invoice"), required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=2000
    )
    ways = forms.MultipleChoiceField(
        label=_("Ways to pay"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: the usual ones. Tick some, and only those stand on this invoice."),
    )  # fmt: skip

    def __init__(self, *args: Any, company: Company, client: Client | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clients, contacts, terms = (self.fields[name] for name in ("client", "contact", "terms"))
        assert isinstance(clients, forms.ModelChoiceField) and isinstance(contacts, forms.ModelChoiceField)
        assert isinstance(terms, forms.ModelChoiceField)
        clients.queryset = Client.objects.filter(company=company)
        terms.queryset = Terms.objects.filter(company=company)
        people = Contact.objects.filter(is_active=True, client__company=company)
        contacts.queryset = people.filter(client=client) if client else people.select_related("client")
        if client is None:
            contacts.label_from_instance = lambda person: f"{person.client} · {person}"  # type: ignore[method-assign, assignment]
        self.fields["ways"].choices = ways_of(company, client)  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            if not field.widget.is_hidden and name != "ways":
                field.widget.attrs["class"] = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"

    def heading(self, extra: Sequence[ExtraField] = ()) -> Heading:
        """What stands above the lines; a field its client wishes for, and that nobody was asked about, is on it too."""
        given = self.cleaned_data
        asked = {field["label"].casefold() for field in extra}
        fields = [*extra, *(f for f in wished_fields(given["client"]) if f["label"].casefold() not in asked)]
        return Heading(
            terms=given["terms"], contact=given["contact"], currency=given["currency"], po_number=given["po_number"],
            service_from=given["service_from"], service_to=given["service_to"], note=given["note"],
            extra_fields=fields, ways=given["ways"],
        )  # fmt: skip


def ways_of(company: Company, client: Client | None) -> list[tuple[str, Any]]:
    """The ways to pay to choose from: those a client is offered in its currency, or all of the company's."""
    if client is not None:
        return [(method.kind, method.get_kind_display()) for method in offered(company, client, client.currency)]
    return [(method.kind, method.get_kind_display()) for method in company.payment_methods.filter(is_active=True)]


class ExtraForm(forms.Form):
    """One thing the client wants to read: what it is called, and what stands beside it."""

    label = forms.CharField(label=_("Field"), required=False, max_length=LONGEST_LABEL)
    value = forms.CharField(label=_("What it says"), required=False, max_length=LONGEST_VALUE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control"


class BaseExtras(forms.BaseFormSet[ExtraForm]):
    """The extra fields as written."""

    def extras(self) -> list[ExtraField]:
        """Each with a label; one left without a value is not printed."""
        told = [form.cleaned_data for form in self.forms if form.is_valid() and form.cleaned_data]
        return [
            ExtraField(label=row["label"], value=row["value"]) for row in told if row["label"] or row["value"]
        ]  # fmt: skip


ExtraFormSet = forms.formset_factory(
    ExtraForm, formset=BaseExtras, extra=0, max_num=MOST_LINES, absolute_max=MOST_LINES
)


class LineForm(forms.Form):
    """One line: so much of something at a price, with its tax."""

    description = forms.CharField(label=_("What"), max_length=300)
    detail = forms.CharField(label=_("Detail"), required=False, max_length=500)
    quantity = AmountField(label=_("Quantity"), digits=QUANTITY_PLACES, initial=Decimal(1))
    unit = forms.CharField(label=_("Unit"), required=False, max_length=12)
    unit_price = AmountField(label=_("Price"), digits=PRICE_PLACES)
    tax_percent = AmountField(label=_("Tax, %"), digits=TAX_PLACES, initial=Decimal(0))
    tax_category = forms.ChoiceField(
        label=_("Tax category"), choices=[("", _("by the percentage")), *InvoiceLine.CATEGORIES], required=False
    )
    exemption_reason = forms.CharField(label=_("Reason for no tax"), required=False, max_length=200)

    def __init__(self, *args: Any, tax: Proposal | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if tax is not None:
            self.fields["tax_percent"].initial, self.fields["tax_category"].initial = tax.percent, tax.category
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-select" if name == "tax_category" else "form-control"
        for name in ("quantity", "unit_price", "tax_percent"):
            self.fields[name].widget.attrs["class"] += " n"
        self.fields["description"].widget.attrs["placeholder"] = _("What was delivered")
        self.fields["detail"].widget.attrs["placeholder"] = _("Detail, if any")
        self.fields["exemption_reason"].widget.attrs["placeholder"] = _("Why no tax")

    @property
    def without_tax(self) -> str:
        """When the page asks for a reason: data-when of the field."""
        return f"{self.add_prefix('tax_category')}:E AE K G O"

    def has_changed(self) -> bool:
        """A row in which neither a thing nor a price stands is no line."""
        if not self.is_bound:
            return super().has_changed()
        return any(
            str(self.data.get(self.add_prefix(name), "")).strip() for name in ("description", "detail", "unit_price")
        )

    def line(self) -> LineDraft:
        return LineDraft(**{name: self.cleaned_data[name] for name in self.fields if name != "DELETE"})


class BaseLines(forms.BaseFormSet[LineForm]):
    """The lines as written; rows left empty are passed over."""

    deletion_widget = forms.HiddenInput

    def _construct_form(self, i: int, **kwargs: Any) -> LineForm:
        return super()._construct_form(i, empty_permitted=True, **kwargs)  # type: ignore[misc, no-any-return]

    def lines(self) -> list[LineDraft]:
        return [
            form.line()
            for form in self.forms
            if form.has_changed() and form.is_valid() and form not in self.deleted_forms
        ]


LineFormSet = forms.formset_factory(
    LineForm, formset=BaseLines, extra=1, can_delete=True, max_num=MOST_LINES, absolute_max=MOST_LINES
)


def lines_of(invoice: Invoice) -> list[dict[str, Any]]:
    """A draft's lines as the form begins with them."""
    fields = (
        "description", "detail", "quantity", "unit", "unit_price", "tax_percent", "tax_category", "exemption_reason",
    )  # fmt: skip
    return [
        {name: getattr(line, name) for name in fields} | {"tax_category": stated(line.tax_category, line.tax_percent)}
        for line in invoice.lines.all()
    ]


class VoidForm(HouseForm, forms.Form):
    """Why an invoice is taken back."""

    reason = forms.CharField(label=_("Why"), max_length=300)
    save_label = _("Void it")


class PolicyForm(HouseForm, forms.Form):
    """By which policy an invoice is reminded."""

    policy_name = forms.ChoiceField(label=_("Policy"), required=False)
    save_label = _("Choose it")


class WaiveForm(HouseForm, forms.Form):
    """Why interest or a fee is given up."""

    reason = forms.CharField(label=_("Why"), max_length=300)
    save_label = _("Waive it")


class MoreTimeForm(HouseForm, forms.Form):
    """Until when an invoice may be paid, and what that does to late interest: a sentence each, read before saving."""

    until_on = forms.DateField(label=_("Pay by"), widget=forms.DateInput)
    interest = forms.ChoiceField(
        label=_("Late interest"), widget=forms.RadioSelect, initial="runs",
        choices=[
            ("runs", _("runs on as before: paying by that day stops the reminders, not the interest")),
            ("pauses", _("is not earned from today to that day; what was earned before stays")),
            ("moves", _("starts after that day only; what was charged for earlier days is taken back")),
        ],
    )  # fmt: skip
    reason = forms.CharField(label=_("Why"), max_length=300)
    save_label = _("Agree to it")


class SendForm(HouseForm, forms.Form):
    """To whom an invoice goes."""

    contact = forms.ModelChoiceField(label=_("To"), queryset=Contact.objects.none(), empty_label=None)
    language = forms.ChoiceField(
        label=_("Look at it in"), choices=[("", _("their language")), *LANGUAGES], required=False,
        help_text=_("For the preview and the test; the client gets it in their own."),
    )  # fmt: skip
    key = OnceField(required=False)
    save_label = _("Send")

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contact"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Contact.objects.reachable().filter(client=client)
        field.label_from_instance = lambda person: f"{person.name} <{person.email}>"  # type: ignore[method-assign, assignment]
        field.widget.attrs["class"] = "form-select"
        self.fields["language"].widget.attrs["class"] = "form-select"
