"""What the desk asks when work is done."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from core.models import Company
from dashboard.forms_layout import HouseForm, Rows
from invoices.models import CompletedWork, InvoiceLine
from invoices.services.work import Done

from .choices import currencies
from .fields import AmountField, OnceField

KEPT = (
    "key", "client", "description", "done_on", "quantity", "unit", "unit_price", "tax_percent", "tax_category",
    "exemption_reason", "po_number",
)  # fmt: skip


class WorkForm(HouseForm, forms.Form):
    """A piece of completed work."""

    key = OnceField()
    client = forms.ModelChoiceField(label=_("Client"), queryset=Client.objects.none(), empty_label=_("Choose a client"))
    description = forms.CharField(label=_("What was done"), max_length=300, help_text=_("Stands on the invoice."))
    done_on = forms.DateField(label=_("Done on"))
    quantity = AmountField(label=_("Quantity"), initial=Decimal(1))
    unit = forms.CharField(label=_("Unit"), max_length=12, required=False)
    unit_price = AmountField(label=_("Price of one"))
    tax_percent = AmountField(label=_("Tax, %"), initial=Decimal(0))
    tax_category = forms.ChoiceField(
        label=_("Tax category"), choices=[("", _("by the percentage")), *InvoiceLine.CATEGORIES], required=False
    )
    exemption_reason = forms.CharField(
        label=_("Reason for no tax"), max_length=200, required=False,
        help_text=_("Needed where it is exempt; otherwise the words of the law are printed."),
    )
    currency = forms.ChoiceField(label=_("Currency"), required=False)
    po_number = forms.CharField(label=_("Their order number"), max_length=80, required=False)
    save_label = _("Put it on the list")
    rows: ClassVar[Rows] = (
        "key", ("client", "done_on"), "description", ("quantity", "unit"), ("unit_price", "currency"),
        ("tax_percent", "tax_category"), "exemption_reason", "po_number",
    )  # fmt: skip

    def __init__(self, *args: Any, company: Company, work: CompletedWork | None = None, **kwargs: Any) -> None:
        if work is not None:
            told = {name: getattr(work, name) for name in KEPT}
            kwargs["initial"] = told | {"currency": work.currency if work.currency != work.client.currency else ""}
        super().__init__(*args, **kwargs)
        if work is not None:
            self.fields["client"].disabled = True
            self.save_label = _("Save")
        client, currency = self.fields["client"], self.fields["currency"]
        assert isinstance(client, forms.ModelChoiceField) and isinstance(currency, forms.ChoiceField)
        client.queryset = Client.objects.filter(company=company)
        client.label_from_instance = lambda one: f"{one.name} · {one.number}"  # type: ignore[method-assign, assignment]
        currency.choices = [("", _("the client's")), *currencies()]
        for name in ("quantity", "unit_price", "tax_percent"):
            self.fields[name].widget.attrs["inputmode"] = "decimal"

    def done(self) -> Done:
        given = self.cleaned_data
        return Done(
            given["description"], given["done_on"], given["unit_price"], quantity=given["quantity"],
            tax_percent=given["tax_percent"], currency=given["currency"], po_number=given["po_number"],
            unit=given["unit"], key=given["key"], tax_category=given["tax_category"],
            exemption_reason=given["exemption_reason"],
        )  # fmt: skip
