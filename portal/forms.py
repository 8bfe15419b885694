"""What a client can answer, as plain forms: every field says what is missing and what to write."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clients.file_types import checked_type
from core.errors import Refused
from core.forms import WrittenNumber, decimal_sign
from core.money import plain
from core.uploads import LARGEST_UPLOAD
from disputes.models import Dispute

LONGEST_TEXT = 2000
PAPERS = (".pdf", ".png", ".jpg", ".jpeg")


class AmountField(WrittenNumber):
    """An amount above zero, written as the reader's language writes it; nothing ambiguous is guessed at."""

    def __init__(self, *, currency: str, most: Decimal, **options: Any) -> None:
        super().__init__(currency=currency, **options)
        self.most = most

    def prepare_value(self, value: Any) -> Any:
        return plain(value, self.currency).replace(".", decimal_sign()) if isinstance(value, Decimal) else value

    def unreadable(self, *, too_fine: bool) -> forms.ValidationError:
        example = plain(self.most, self.currency).replace(".", decimal_sign())
        return forms.ValidationError(_("Write an amount, for example %(example)s."), params={"example": example})

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and value <= 0:
            raise forms.ValidationError(_("Write an amount above zero."))


class DayField(forms.DateField):
    """A day within bounds; browsers show a calendar, and a typed day is read as YYYY-MM-DD."""

    def __init__(self, *, first: dt.date, last: dt.date | None = None, **options: Any) -> None:
        bounds = {"min": first.isoformat()} | ({"max": last.isoformat()} if last else {})
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **bounds})
        super().__init__(input_formats=["%Y-%m-%d"], widget=widget, **options)


class UploadField(forms.FileField):
    """A file of one of the types asked for, of at most 10 MB, whose bytes are what its name says."""

    too_large = False

    def __init__(self, *, types: tuple[str, ...] = PAPERS, **options: Any) -> None:
        self.types = types
        super().__init__(
            widget=forms.FileInput(attrs={"accept": ",".join(types)}), required=False, max_length=200, **options
        )

    def clean(self, data: Any, initial: Any = None) -> Any:
        if self.too_large:
            raise forms.ValidationError(_("This file has more than 10 MB. Choose a smaller one."))
        return super().clean(data, initial)

    def to_python(self, data: Any) -> Any:
        file = super().to_python(data)
        if file is None:
            return None
        if file.size > LARGEST_UPLOAD:
            raise forms.ValidationError(_("This file has more than 10 MB. Choose a smaller one."))
        try:
            if not str(file.name).lower().endswith(self.types):
                raise Refused("type", code="type")
            checked_type(str(file.name), file.read())
        except Refused:
            raise forms.ValidationError(
                _("We cannot keep this file. Choose one of these: %(types)s."),
                params={"types": ", ".join(sorted({ending[1:].upper() for ending in self.types}))},
            ) from None
        file.seek(0)
        return file


class AnswerForm(forms.Form):
    """One answer; its key is made with the form, so that sending it twice says it once."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, answer: str, **options: Any) -> None:
        options["initial"] = {"key": uuid.uuid4(), **options.get("initial", {})}
        options["auto_id"] = f"{answer}_%s"
        super().__init__(*args, **options)


class PaidForm(AnswerForm):
    """I have already paid: when, how much, under which reference."""

    note = forms.CharField(
        label=_("Anything that helps us find it"), required=False, max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, owed: Decimal, currency: str, today: dt.date, **options: Any) -> None:
        super().__init__(*args, answer="paid", initial={"amount": owed, "paid_on": today}, **options)
        self.fields = {
            "key": self.fields["key"],
            "paid_on": DayField(label=_("Paid on"), first=today - dt.timedelta(days=365), last=today),
            "amount": AmountField(label=_("Amount"), currency=currency, most=owed),
            "reference": forms.CharField(label=_("Reference you used"), required=False, max_length=140),
            "proof": UploadField(label=_("Proof: PDF or picture"), help_text=_("at most 10 MB")),
            "note": self.fields["note"],
        }


class PromiseForm(AnswerForm):
    """I will pay on …: a day and an amount; what is allowed is the verb's to say."""

    def __init__(
        self, *args: Any, owed: Decimal, currency: str, today: dt.date, latest: dt.date | None, least: int,
        **options: Any,
    ) -> None:
        super().__init__(*args, answer="promise", initial={"amount": owed}, **options)
        self.fields["promised_for"] = DayField(label=_("I will pay on"), first=today, last=latest)
        self.fields["amount"] = AmountField(label=_("Amount"), currency=currency, most=owed)
        if least:
            words = gettext("Reminders go on if it is less than %(percent)d%% of what is open.")
            self.fields["amount"].help_text = words % {"percent": least}


class QueryForm(AnswerForm):
    """Something is wrong: what, and in the client's own words."""

    reason = forms.ChoiceField(label=_("What is wrong?"), choices=Dispute.REASONS, widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("Tell us in a sentence or two"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, answer="query", **options)


class PlanForm(AnswerForm):
    """I need a plan: what the client can pay, and when."""

    text = forms.CharField(
        label=_("What could you pay, and when?"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, answer="plan", **options)


class ForwardForm(AnswerForm):
    """Forward to a colleague: the address."""

    address = forms.CharField(
        label=_("E-mail address of your colleague"), max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, answer="forward", **options)
