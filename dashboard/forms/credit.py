"""What the desk asks about a client's credit: a limit, a status, an exception, and why."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clients.models import Client, CreditOverride, StatusChange
from dashboard.forms_layout import HouseForm

from .choices import currencies
from .fields import AmountField


class LimitForm(HouseForm, forms.Form):
    """How much, and why."""

    amount = AmountField(label=_("Limit"), help_text=_("Zero: nothing is sold on credit."))
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies)
    because = forms.CharField(label=_("Why"), max_length=300)
    save_label = _("Set the limit")
    rows = (("amount", "currency"), "because")


class StatusForm(HouseForm, forms.Form):
    """Which status, why, and until when."""

    status = forms.ChoiceField(
        label=_("Credit status"), choices=[(key, capfirst(label)) for key, label in StatusChange.STATUSES]
    )
    because = forms.CharField(label=_("Why"), max_length=300)
    ends_on = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput,
        help_text=_("Empty: until it is changed. What a person set is not changed by the policy before that day."),
    )
    terms_days = forms.IntegerField(
        label=_("Stricter terms: days to pay"), required=False, min_value=1, max_value=365,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    deposit_percent = AmountField(label=_("Stricter terms: deposit, percent"), required=False)
    save_label = _("Set the status")
    rows = (("status", "ends_on"), "because", ("terms_days", "deposit_percent"))

    def clean_deposit_percent(self) -> Any:
        percent = self.cleaned_data["deposit_percent"]
        if percent is not None and not 0 <= percent <= 100:
            raise forms.ValidationError(_("A deposit is between 0 and 100 percent."))
        return percent

    def facts(self) -> dict[str, Any]:
        """What the verb takes; days and a deposit belong to stricter terms only."""
        given = dict(self.cleaned_data)
        stricter = given["status"] == "stricter"
        given["terms_days"] = given["terms_days"] if stricter else None
        given["deposit_percent"] = (given["deposit_percent"] if stricter else None) or 0
        return given


class AgainForm(HouseForm, forms.Form):
    """Why credit is given again."""

    because = forms.CharField(label=_("Why"), max_length=300)
    save_label = _("Give credit again")


class OverrideForm(HouseForm, forms.Form):
    """What is allowed in spite of a rule, why, and until when."""

    allows = forms.ChoiceField(
        label=_("Allows"), choices=[(key, capfirst(label)) for key, label in CreditOverride.ALLOWS]
    )
    reason = forms.CharField(label=_("Why"), max_length=300)
    expires_on = forms.DateField(label=_("Last day"), widget=forms.DateInput)
    save_label = _("Grant the exception")
    rows = (("allows", "expires_on"), "reason")


def begun_limit(client: Client, amount: Any) -> dict[str, Any]:
    """What the form for a limit begins with."""
    return {"currency": client.currency, "amount": amount}
