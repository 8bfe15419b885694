"""What is asked before a policy is tried, and before its draft is activated."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ar_collections.services.dry_run import MOST_DAYS
from dashboard.forms_layout import HouseForm
from policies.models import Policy

DATE = forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d")


class TrialForm(HouseForm, forms.Form):
    """For how long, and beside what."""

    days = forms.IntegerField(label=_("For the next days"), min_value=1, max_value=MOST_DAYS, initial=30)
    past = forms.IntegerField(
        label=_("And the past days"), min_value=0, max_value=MOST_DAYS, initial=0, required=False,
        help_text=_("What it would have sent then, beside what was sent. 0: not asked."),
    )
    against = forms.ChoiceField(label=_("Compared with"), required=False)

    rows = (("days", "past", "against"),)
    save_label = _("Try it on today's book")

    def __init__(self, *args: Any, policy: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        against = self.fields["against"]
        assert isinstance(against, forms.ChoiceField)
        versions = Policy.objects.filter(name=policy).order_by("-effective_from")
        against.choices = [
            ("", _("what is in force, day by day")),
            *((v.effective_from.isoformat(), _("the version from %(day)s") % {"day": v.effective_from.isoformat()})
              for v in versions),
        ]  # fmt: skip


class ActivateForm(HouseForm, forms.Form):
    """From when, and what becomes of what is overdue by then; nothing is chosen for anybody."""

    CHOICES = Policy._meta.get_field("already_overdue").choices

    effective_from = forms.DateField(label=_("Activate from"), widget=DATE)
    already_overdue = forms.ChoiceField(
        label=_("What is already overdue on that day bears interest"), choices=CHOICES, widget=forms.RadioSelect
    )
    already_overdue_from = forms.DateField(
        label=_("the chosen date"), required=False,
        widget=forms.DateInput(
            attrs={"type": "date", "class": "form-control", "aria-label": _("the chosen date")}, format="%Y-%m-%d"
        ),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)
