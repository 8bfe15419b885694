"""What the desk asks about a pro forma."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms_layout import HouseForm


class ProFormaForm(HouseForm, forms.Form):
    """Until when a draft is to be paid in advance."""

    pay_by = forms.DateField(label=_("Please pay by"))
    save_label = _("Make the pro forma")


class CancelForm(HouseForm, forms.Form):
    """Why a pro forma is taken back."""

    reason = forms.CharField(label=_("Why"), max_length=300)
    save_label = _("Cancel it")
