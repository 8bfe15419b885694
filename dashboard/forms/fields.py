"""Fields the desk's forms share: an amount as people write it, a day, a hidden key that makes a form count once."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.forms import WrittenNumber, decimal_sign


class AmountField(WrittenNumber):
    """An amount, a quantity or a percentage with the reader's decimal sign; what is not written so is refused."""

    def unreadable(self, *, too_fine: bool) -> forms.ValidationError:
        if too_fine:
            said = _("At most %(digits)d decimals can be kept here; write it shorter.")
            return forms.ValidationError(said, code="too_fine", params={"digits": self.digits})
        sample = "1234.50" if decimal_sign() == "." else "1234,50"
        said = _("Write an amount such as %(sample)s.")
        return forms.ValidationError(said, code="invalid", params={"sample": sample})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Decimal):
            return value
        text = f"{value.normalize():f}" if value != value.to_integral() else f"{value.quantize(Decimal(1)):f}"
        return text.replace(".", decimal_sign())


class OnceField(forms.CharField):
    """A hidden key made with the form: what is sent twice under one key happens once."""

    def __init__(self, *, required: bool = True) -> None:
        fresh = {"widget": forms.HiddenInput, "initial": lambda: f"form:{uuid.uuid4()}", "max_length": 80}
        super().__init__(required=required, **fresh)  # type: ignore[arg-type]
