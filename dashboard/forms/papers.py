"""What the desk asks about corrections and papers: credit notes, an invoice once more, money back, our documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Contact
from core.models import CompanyDocument
from dashboard.forms_layout import HouseForm
from payments.services.crediting import Creditable

from .fields import AmountField, OnceField
from .file import FileField


class CreditNoteForm(forms.Form):
    """So much of each line, and why."""

    key = OnceField()
    reason = forms.CharField(
        label=_("Why"), max_length=300, required=False, help_text=_("The client reads it on the credit note.")
    )

    def __init__(self, *args: Any, rows: list[Creditable], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.creditable = rows
        for row in rows:
            field = AmountField(required=False, label=row.line.description)
            field.widget.attrs |= {"class": "form-control n", "inputmode": "decimal"}
            self.fields[f"line-{row.line.position}"] = field
        self.fields["reason"].widget.attrs["class"] = "form-control"

    def lines(self) -> list[tuple[Creditable, Any]]:
        """Each line with its field."""
        return [(row, self[f"line-{row.line.position}"]) for row in self.creditable]

    def wanted(self) -> dict[int, Decimal]:
        """The quantities written, by the line's position."""
        given = {row.line.position: self.cleaned_data.get(f"line-{row.line.position}") for row in self.creditable}
        return {position: quantity for position, quantity in given.items() if quantity}


class ReaderForm(HouseForm, forms.Form):
    """To whom a paper goes."""

    contact = forms.ModelChoiceField(label=_("To"), queryset=Contact.objects.none(), empty_label=None)
    save_label = _("Send")

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contact"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Contact.objects.reachable().filter(client=client)
        field.label_from_instance = lambda person: f"{person.name} <{person.email}>"  # type: ignore[method-assign, assignment]


class PageLinkForm(ReaderForm):
    """To whom the private link to a page of theirs goes."""

    key = OnceField()
    save_label = _("Send the link")


class AgainForm(ReaderForm):
    """To whom an invoice goes once more, and what its cover letter says besides."""

    words = forms.CharField(
        label=_("Your words on the cover letter"), required=False, max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}), help_text=_("In their language; may be left empty."),
    )  # fmt: skip
    save_label = _("Send it again")


class PayBackForm(HouseForm, forms.Form):
    """How much was transferred back, and why."""

    key = OnceField()
    amount = AmountField(label=_("Amount"))
    currency = forms.ChoiceField(label=_("Currency"))
    reason = forms.CharField(label=_("Why"), max_length=300)
    save_label = _("It was transferred back")
    rows = (("amount", "currency"), "reason")

    def __init__(self, *args: Any, currencies: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["currency"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(currency, currency) for currency in currencies]


class CompanyDocumentForm(HouseForm, forms.Form):
    """A document clients ask for."""

    file = FileField(label=_("File"), help_text=_("PDF, PNG or JPEG; at most 10 MB."))
    kind = forms.ChoiceField(
        label=_("What it is"), choices=[(key, capfirst(label)) for key, label in CompanyDocument.KINDS]
    )
    name = forms.CharField(label=_("Called"), max_length=150, required=False, help_text=_("Empty: the file's name."))
    valid_until = forms.DateField(
        label=_("Valid until"), required=False, help_text=_("After that day clients no longer see it.")
    )
    save_label = _("Show it to clients")
    rows = ("file", ("kind", "valid_until"), "name")

    def __init__(self, *args: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].too_large = too_large  # type: ignore[attr-defined]
