"""The call logged inside the queue: what happened, and what belongs to that answer alone."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from ar_collections.models import ContactLog
from disputes.models import Dispute

from .fields import AmountField, OnceField

OUTCOMES = [pair for pair in ContactLog.OUTCOMES if pair[0] != "note"]
PROMISED_IN_DAYS = 7
OVERDUE = "overdue"


class CallForm(forms.Form):
    """One call. Whom it can be with and which invoices it can be about is given, so that fifty forms ask nothing."""

    use_required_attribute = False  # the server's sentences say more than the browser's

    key = OnceField()
    client = forms.IntegerField(widget=forms.HiddenInput)
    outcome = forms.ChoiceField(
        label=_("What happened?"),
        choices=OUTCOMES,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say what happened: choose one of the answers.")},
    )
    contact = forms.TypedChoiceField(label=_("With"), required=False, coerce=int, empty_value=None)
    with_whom = forms.CharField(label=_("Name"), required=False, max_length=150)
    amount = AmountField(label=_("Will pay"), required=False)
    promised_for = forms.DateField(label=_("On"), required=False)
    covers = forms.ChoiceField(label=_("For"), required=False)
    about = forms.TypedChoiceField(label=_("Which invoice"), required=False, coerce=int, empty_value=None)
    reason = forms.ChoiceField(label=_("What is wrong"), choices=Dispute.REASONS, required=False)
    revisit_on = forms.DateField(label=_("Look again on"), required=False)
    paid_on = forms.DateField(label=_("Paid on"), required=False)
    right_name = forms.CharField(label=_("The right person"), required=False, max_length=120)
    right_phone = forms.CharField(label=_("Telephone"), required=False, max_length=40)
    right_email = forms.EmailField(label=_("E-mail"), required=False)
    said = forms.CharField(label=_("Note"), required=False)
    next_step = forms.CharField(label=_("Next step"), required=False, max_length=200)
    next_on = forms.DateField(label=_("On"), required=False)
