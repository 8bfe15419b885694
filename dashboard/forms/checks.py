"""What the desk asks about a credit check and the decision that follows from it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import PurePath
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clients.models import CreditDecision
from dashboard.forms_layout import HouseForm, Section
from policies.flags import FLAGS

from .choices import currencies
from .fields import AmountField
from .file import FileField

FILES = {".csv": "csv", ".txt": "csv", ".json": "json"}


class CheckForm(HouseForm, forms.Form):
    """What somebody found out about a client, on which day, and until when it counts."""

    provider = forms.CharField(label=_("Who checked"), max_length=60, help_text=_("An agency, a bank, or ourselves."))
    reference = forms.CharField(label=_("Their reference"), required=False, max_length=80)
    checked_on = forms.DateField(label=_("Checked on"), widget=forms.DateInput)
    valid_until = forms.DateField(
        label=_("Valid until"), required=False, widget=forms.DateInput, help_text=_("Empty: as our policy says.")
    )
    score = AmountField(label=_("Score"), required=False)
    scale_low = AmountField(label=_("Worst score of the scale"), required=False, initial=Decimal(0))
    scale_high = AmountField(label=_("Best score of the scale"), required=False, initial=Decimal(100))
    rating = forms.CharField(label=_("Rating"), required=False, max_length=20)
    recommended_limit = AmountField(label=_("Recommended limit"), required=False)
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies)
    flags = forms.MultipleChoiceField(
        label=_("Flags"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(key, capfirst(label)) for key, label in FLAGS],
    )  # fmt: skip
    findings = forms.CharField(label=_("Findings"), required=False, widget=forms.Textarea)
    document = FileField(label=_("Their report"), required=False, help_text=_("Goes on file; at most 10 MB."))
    again = forms.BooleanField(
        label=_("Enter it although a check by the same provider is still valid"), required=False,
        widget=forms.HiddenInput,
    )
    save_label = _("Enter the check")
    rows = (
        ("provider", "reference"), ("checked_on", "valid_until"),
        Section(_("How far"), (("score", "scale_low", "scale_high"), ("rating", "recommended_limit", "currency"))),
        Section(_("What was found"), ("flags", "findings", "document")),
    )  # fmt: skip

    def __init__(self, *args: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["document"].too_large = too_large  # type: ignore[attr-defined]

    def ask_again(self) -> None:
        """From now on the form shows the tick by which a second check beside a valid one is entered on purpose."""
        self.fields["again"].widget = forms.CheckboxInput()

    def facts(self) -> dict[str, Any]:
        """What the verb keeps; what is empty it fills or leaves."""
        left_out = ("document", "again")
        return {name: value for name, value in self.cleaned_data.items() if name not in left_out and value != ""}


class UploadChecksForm(HouseForm, forms.Form):
    """A file of checks, JSON or CSV."""

    file = FileField(label=_("File"), help_text=_("CSV or JSON, at most 10 MB. All rows are entered, or none."))
    save_label = _("Enter the checks")

    def __init__(self, *args: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].too_large = too_large  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        self.written_as = FILES.get(PurePath(file.name).suffix.lower(), "")
        if not self.written_as:
            raise forms.ValidationError(_("This is neither CSV nor JSON; save it as one of the two."))
        return file


class OtherwiseForm(HouseForm, forms.Form):
    """A decision other than the policy's: which, why, and until when."""

    outcome = forms.ChoiceField(
        label=_("Decision"), choices=[(key, capfirst(label)) for key, label in CreditDecision.OUTCOMES]
    )
    limit = AmountField(label=_("Limit"), required=False, help_text=_("Empty: what the policy says for this decision."))
    reason = forms.CharField(label=_("Why otherwise than the policy"), max_length=300)
    expires_on = forms.DateField(
        label=_("Holds until"), widget=forms.DateInput, help_text=_("After that day the policy decides again.")
    )
    save_label = _("Decide otherwise")
    rows = (("outcome", "limit"), "reason", "expires_on")


class RejectForm(HouseForm, forms.Form):
    """Why a proposed limit is not set."""

    reason = forms.CharField(label=_("Why the limit stays as it is"), max_length=300)
    save_label = _("Reject the proposal")
