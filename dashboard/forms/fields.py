"""Fields the desk's forms share: an amount as people write it, a day, a hidden key that makes a form count once."""

from __future__ import annotations

import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class AmountField(forms.Field):
    """An amount with the reader's decimal sign; group signs and blanks are passed over, anything else is refused."""

    default_error_messages = {"invalid": _("Write an amount such as %(sample)s.")}

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(**{"widget": widget, **kwargs})

    def to_python(self, value: Any) -> Decimal | None:
        if value in self.empty_values or isinstance(value, Decimal):
            return value or None
        decimal, groups = (",", ".’'  ") if (get_language() or "en")[:2] in ("de", "fr") else (".", ",’'  ")
        text = str(value).strip().translate({ord(sign): None for sign in groups}).replace(decimal, ".")
        try:
            amount = Decimal(text)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite():
            sample = "1.234,50" if decimal == "," else "1,234.50"
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid", params={"sample": sample})
        return amount

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Decimal):
            return value
        text = f"{value.normalize():f}" if value != value.to_integral() else f"{value.quantize(Decimal(1)):f}"
        return text.replace(".", ",") if (get_language() or "en")[:2] in ("de", "fr") else text


class OnceField(forms.CharField):
    """A hidden key made with the form: what is sent twice under one key happens once."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput, initial=lambda: f"form:{uuid.uuid4()}", max_length=80)
