"""What the admin asks when a policy gets its next version."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.money import currency_codes

from .models import Policy, Step
from .services import STEP_FIELDS

VERSION_FIELDS = [
    "title", "spacing_days", "window_opens", "window_closes", "surge_floor", "surge_factor", "takeover_spacing_days",
    "promise_longest_days", "promise_most_open", "promise_least_percent", "promise_grace_days", "claim_pause_days",
    "invoice_within_days", "interest",
]


class SumsPerCurrency(forms.CharField):
    """Whole sums per currency in one line, such as «EUR 250, USD 300»; kept as {"EUR": "250", "USD": "300"}."""

    default_error_messages = {
        "unreadable": _("“%(part)s” is not a currency and a sum; write for example EUR 250, USD 300."),
    }

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(f"{code} {amount}" for code, amount in value.items()) if isinstance(value, dict) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or {}))
        except forms.ValidationError:
            return True

    def to_python(self, value: Any) -> Any:
        sums = {}
        for part in filter(None, (p.strip() for p in str(value or "").split(","))):
            found = re.fullmatch(r"([A-Za-z]{3})\s+(\d+(?:\.\d+)?)", part)
            if not found or found[1].upper() not in currency_codes():
                raise forms.ValidationError(self.error_messages["unreadable"], params={"part": part})
            sums[found[1].upper()] = found[2]
        return sums


class SampleForm(forms.Form):
    """The invoice by which a policy is shown in calendar dates."""

    issued_on = forms.DateField(label=_("Invoice issued on"), widget=forms.DateInput(attrs={"type": "date"}))
    net_days = forms.IntegerField(label=_("Due in days"), min_value=1, max_value=365)


class VersionForm(forms.ModelForm[Policy]):
    """The next version: from when, and what is different."""

    effective_from = forms.DateField(
        label=_("Effective from"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Tomorrow at the earliest: what happened until today stays explained by the version of its day."),
    )
    call_minimum = SumsPerCurrency(
        label=_("Smallest overdue sum for a call"), required=False, help_text=_("Per currency: EUR 250, USD 300.")
    )

    class Meta:
        model = Policy
        fields = VERSION_FIELDS

    field_order = ["effective_from", "title", "call_minimum"]

    @classmethod
    def following(cls, policy: Policy, on: dt.date, data: Any = None) -> VersionForm:
        initial = {name: getattr(policy, name) for name in [*VERSION_FIELDS, "call_minimum"]}
        return cls(data, initial={**initial, "effective_from": on + dt.timedelta(days=1)})


class StepForm(forms.ModelForm[Step]):
    """One step of the ladder."""

    minimum = SumsPerCurrency(label=_("Only from an overdue sum of"), required=False)
    fee = SumsPerCurrency(label=_("Charges a fee of"), required=False)

    class Meta:
        model = Step
        fields = STEP_FIELDS
        widgets = {"title": forms.TextInput(attrs={"size": 30}), "code": forms.TextInput(attrs={"size": 14})}


StepFormSet = forms.formset_factory(StepForm, extra=2, can_delete=True)


def steps_of(policy: Policy) -> list[dict[str, Any]]:
    """The ladder as a formset begins with it."""
    return [{name: getattr(step, name) for name in STEP_FIELDS} for step in policy.steps.all()]


def steps_from(formset: Any) -> list[dict[str, Any]]:
    """The ladder as written, without the rows taken out and the rows left empty."""
    return [
        {name: form.cleaned_data[name] for name in STEP_FIELDS}
        for form in formset.forms
        if form.cleaned_data.get("code") and not form.cleaned_data.get("DELETE")
    ]
