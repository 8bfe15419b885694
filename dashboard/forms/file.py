"""What the desk asks about a client's file: documents, profiles, dates to remember, terms signed on paper."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.dates import MONTHS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clients.models import Address, Client, Contact, CreditCheck, Document, KeyDate, Profile
from core.uploads import LARGEST_UPLOAD
from dashboard.forms_layout import HouseForm

from .choices import countries


class FileField(forms.FileField):
    """A file of at most 10 MB; one that was larger never arrives, and the form says so."""

    too_large = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.FileInput(), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = None if self.too_large else super().clean(data, initial)
        if self.too_large or (file is not None and file.size > LARGEST_UPLOAD):
            raise forms.ValidationError(_("The file has more than 10 MB; make it smaller, or keep it elsewhere."))
        return file


class DocumentForm(HouseForm, forms.Form):
    """A file, what it is, and the check it belongs to."""

    file = FileField(label=_("File"), help_text=_("PDF, PNG, JPEG, Word (DOCX), TXT, CSV or JSON; at most 10 MB."))
    kind = forms.ChoiceField(label=_("What it is"), choices=[(k, capfirst(label)) for k, label in Document.KINDS])
    credit_check = forms.ModelChoiceField(
        label=_("Belongs to the check"), queryset=CreditCheck.objects.none(), required=False, empty_label=_("none")
    )
    save_label = _("Put on file")
    rows = ("file", ("kind", "credit_check"))

    def __init__(self, *args: Any, client: Client, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].too_large = too_large  # type: ignore[attr-defined]
        checks = self.fields["credit_check"]
        assert isinstance(checks, forms.ModelChoiceField)
        checks.queryset = CreditCheck.objects.filter(client=client)


class AddressForm(HouseForm, forms.ModelForm[Address]):
    """Where else the client is, and what for."""

    class Meta:
        model = Address
        fields = ["kind", "name", "street", "postal_code", "city", "region", "country"]

    country = forms.ChoiceField(label=_("Country"), choices=countries)
    rows = (("kind", "name"), "street", ("postal_code", "city"), ("region", "country"))

    def _post_clean(self) -> None:
        """The verb checks the row; the form only reads."""


class ProfileForm(HouseForm, forms.ModelForm[Profile]):
    """Where the client shows itself."""

    class Meta:
        model = Profile
        fields = ["kind", "url"]

    url = forms.CharField(label=_("Address"), max_length=300, help_text=_("Such as https://example.com."))
    rows = (("kind", "url"),)

    def _post_clean(self) -> None:
        """The verb checks the row; the form only reads."""


class LookForm(HouseForm, forms.Form):
    """What was new."""

    news = forms.CharField(
        label=_("What is new"), required=False, max_length=500, widget=forms.Textarea,
        help_text=_("Empty: nothing new. Today is kept as the day somebody last looked."),
    )
    save_label = _("Looked")


class KeyDateForm(HouseForm, forms.Form):
    """A day that comes back every year."""

    kind = forms.ChoiceField(label=_("Occasion"), choices=[(k, capfirst(label)) for k, label in KeyDate.KINDS])
    label = forms.CharField(label=_("Called"), required=False, max_length=80)
    day = forms.TypedChoiceField(label=_("Day"), coerce=int, choices=[(n, n) for n in range(1, 32)])
    month = forms.TypedChoiceField(label=_("Month"), coerce=int, choices=list(MONTHS.items()))
    year = forms.IntegerField(
        label=_("Since"), required=False, help_text=_("The year, where it is known."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    contact = forms.ModelChoiceField(
        label=_("Whose"), queryset=Contact.objects.none(), required=False, empty_label=_("the client's")
    )
    rows = (("kind", "label"), ("day", "month", "year"), "contact")

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = self.fields["contact"]
        assert isinstance(people, forms.ModelChoiceField)
        people.queryset = Contact.objects.filter(client=client, is_active=True)


class PaperForm(HouseForm, forms.Form):
    """Who signed the terms on paper, and when."""

    accepted_by = forms.CharField(label=_("Signed by"), max_length=150)
    accepted_on = forms.DateField(label=_("On"), widget=forms.DateInput)
    contact = forms.ModelChoiceField(
        label=_("Is one of our contacts"), queryset=Contact.objects.none(), required=False, empty_label=_("no")
    )
    save_label = _("Keep it")
    rows = (("accepted_by", "accepted_on"), "contact")

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = self.fields["contact"]
        assert isinstance(people, forms.ModelChoiceField)
        people.queryset = Contact.objects.filter(client=client)


class NotesForm(HouseForm, forms.Form):
    """What one should know about the client; the version is the state the person saw."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    notes = forms.CharField(label=_("Notes"), required=False, widget=forms.Textarea)
