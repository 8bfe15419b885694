"""What the desk asks about how a client's office wants to be invoiced, and by which ways it may pay."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Client, ClientWay, Wishes
from core.models import PaymentMethod
from dashboard.forms_layout import HouseForm, Section

from .file import FileField


class WishesForm(HouseForm, forms.Form):
    """What would help their team pay faster, as somebody there said it."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    po_required = forms.BooleanField(label=_("An order number on every invoice"), required=False)
    extra_fields = forms.CharField(
        label=_("What they want to read on it"), required=False, max_length=1600, strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "Cost centre: 4711"}),
        help_text=_("One a line, the name, a colon and what it says. Without anything behind the colon it is asked for "
                    "at each invoice."),
    )  # fmt: skip
    cover_page = forms.BooleanField(label=_("A cover page"), required=False)
    cover_text = forms.CharField(
        label=_("On the cover page"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    own_form = FileField(
        label=_("A form of theirs"), required=False,
        help_text=_("That has to come with the invoice; PDF, PNG, JPEG or DOCX, at most 10 MB."),
    )  # fmt: skip
    without_form = forms.BooleanField(label=_("They no longer ask for their form"), required=False)
    note = forms.CharField(
        label=_("What else helps"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    rows = (
        "po_required", "extra_fields",
        Section(_("Cover page"), ("cover_page", "cover_text")),
        Section(_("Their own form"), ("own_form", "without_form")),
        Section(_("Anything else"), ("note",)),
    )  # fmt: skip

    def __init__(self, *args: Any, wishes: Wishes | None, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["own_form"].too_large = too_large  # type: ignore[attr-defined]
        if wishes is None or wishes.own_form_id is None:
            del self.fields["without_form"]
            self.rows = (*self.rows[:3], Section(_("Their own form"), ("own_form",)), *self.rows[4:])  # type: ignore[misc]

    def clean_extra_fields(self) -> list[dict[str, str]]:
        """The lines as label and value."""
        told = []
        for line in self.cleaned_data["extra_fields"].splitlines():
            label, _colon, value = line.partition(":")
            if line.strip():
                told.append({"label": label.strip(), "value": value.strip()})
        return told


def written(fields: list[dict[str, str]]) -> str:
    """The fields as the form shows them, one a line.

    >>> written([{"label": "Cost centre", "value": "4711"}, {"label": "Buyer", "value": ""}])
    'Cost centre: 4711\\nBuyer:'
    """
    return "\n".join(f"{field['label']}: {field['value']}".rstrip() for field in fields)


class WaysForm(HouseForm, forms.Form):
    """For each way to pay of the company: as everybody, offered, or not offered to this client."""

    CHOICES = (("yes", _("offered")), ("no", _("not offered")))

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = dict(ClientWay.objects.filter(client=client).values_list("method", "is_offered"))
        self.methods = list(PaymentMethod.objects.filter(company=client.company_id))
        for method in self.methods:
            usual = _("as everybody: offered") if method.is_active else _("as everybody: not offered")
            self.fields[f"way-{method.pk}"] = forms.ChoiceField(
                label=str(method), choices=[("", usual), *self.CHOICES], required=False,
                initial="" if method.pk not in own else "yes" if own[method.pk] else "no",
                widget=forms.Select(attrs={"class": "form-select"}),
            )  # fmt: skip

    def offered(self) -> dict[int, bool | None]:
        """By payment method: True, False, or None for as everybody."""
        meant = {"yes": True, "no": False}
        return {method.pk: meant.get(self.cleaned_data[f"way-{method.pk}"]) for method in self.methods}
