"""What the admin asks when a policy gets its next version."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Refused
from core.money import currency_codes

from .ladder_checks import DAYS, MOST_DAYS, STEP_DAYS, Wrong
from .models import Policy, Step
from .quiet_periods import as_written
from .sentences import roles, stages
from .services import STEP_FIELDS, rule_codes, rule_of
from .services.guard_rails import known_countries

# The page in the order in which people think about it; the ladder stands between the first part and the others.
GROUPS: list[tuple[Any, Any, list[str]]] = [
    (gettext_lazy("When it begins"), "", [
        "effective_from", "title", "already_overdue", "already_overdue_from",
    ]),
    (gettext_lazy("Whose invoices"), "", ["jurisdictions", "for_consumers"]),
    (gettext_lazy("When messages leave"), gettext_lazy("On business days, by the clock of the client."), [
        "window_opens", "window_closes", "spacing_days", "takeover_spacing_days", "quiet_periods",
    ]),
    (gettext_lazy("From which sum"), "", ["minimum", "call_minimum"]),
    (gettext_lazy("Late interest"), "", ["interest", "interest_posted", "interest_dropped_under"]),
    (gettext_lazy("Promises and claims to have paid"), "", [
        "promise_longest_days", "promise_most_open", "promise_least_percent", "promise_grace_days", "claim_pause_days",
    ]),
    (gettext_lazy("Brakes, and finished work"), "", [
        "surge_floor", "surge_factor", "bank_data_days", "invoice_within_days",
    ]),
]  # fmt: skip
STEP_GROUPS: list[tuple[Any, list[str]]] = [
    (gettext_lazy("When"), ["title", "offset_days", "repeats_every_days", "code", "spacing_exempt"]),
    (gettext_lazy("How"), ["channel", "tone", "also_call", "needs_approval"]),
    (gettext_lazy("To whom"), ["addressee", "cc_role", "recipients", "cc_next_contact"]),
    (gettext_lazy("What it asks"), ["pay_within_days", "fee", "interest_notice_days", "claims_interest"]),
    (gettext_lazy("What goes with it"), ["attach_invoice", "attach_statement"]),
    (gettext_lazy("Only if"), ["minimum", "only_for", "mandatory"]),
    (gettext_lazy("What follows"), ["moves_stage_to", "sets_cash_only"]),
]  # fmt: skip
VERSION_FIELDS = [name for _heading, _note, names in GROUPS for name in names if name != "effective_from"]
SUMS = ("minimum", "call_minimum", "interest_dropped_under")


class SumsPerCurrency(forms.CharField):
    """Whole sums per currency in one line, such as «EUR 250, USD 300»; kept as {"EUR": "250", "USD": "300"}."""

    default_error_messages = {
        "unreadable": gettext_lazy("“%(part)s” is not a currency and a sum; write for example EUR 250, USD 300."),
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


class QuietPeriods(forms.CharField):
    """Days of every year, such as «12-24 to 01-01, 08-01 to 08-15»; kept as a list."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != data)

    def to_python(self, value: Any) -> Any:
        try:
            return [as_written(part) for part in filter(None, (p.strip() for p in str(value or "").split(",")))]
        except Refused as refused:
            raise forms.ValidationError(refused.message) from None


class DaysFromDueWidget(forms.MultiWidget):
    """So many days, and on which side of the due date: nobody has to know what a minus means."""

    template_name = "admin/policies/policy/days_from_due.html"

    def __init__(self, attrs: Any = None) -> None:
        days = forms.NumberInput(attrs={"min": 0, "max": MOST_DAYS, "aria-label": gettext_lazy("days")})
        side = forms.Select(choices=SIDES, attrs={"aria-label": gettext_lazy("before or after the due date")})
        super().__init__([days, side], attrs)

    def decompress(self, value: Any) -> list[Any]:
        if value in (None, ""):
            return [None, "after"]
        days = int(value)
        return [abs(days), "before" if days < 0 else "after" if days else "on"]


SIDES = [
    ("before", gettext_lazy("days before it is due")), ("on", gettext_lazy("on the day it is due")),
    ("after", gettext_lazy("days after it is due")),
]  # fmt: skip


class DaysFromDue(forms.MultiValueField):
    """A step's day as people say it; kept as days after the due date, negative before it."""

    widget = DaysFromDueWidget

    def __init__(self, **kwargs: Any) -> None:
        days = forms.IntegerField(min_value=0, max_value=MOST_DAYS, required=False)
        super().__init__((days, forms.ChoiceField(choices=SIDES)), require_all_fields=False, **kwargs)

    def compress(self, values: list[Any]) -> int | None:
        days, side = [*values, None, None][:2]
        if side == "on":
            return 0
        if days is None:
            raise forms.ValidationError(_("Write how many days before or after the due date."))
        return -int(days) if side == "before" else int(days)


class SampleForm(forms.Form):
    """The invoice by which a policy is shown in calendar dates."""

    issued_on = forms.DateField(
        label=gettext_lazy("Invoice issued on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[MaxValueValidator(dt.date(2199, 12, 31))],
    )
    net_days = forms.IntegerField(label=gettext_lazy("Due in days"), min_value=1, max_value=365)


def _within_the_calendar(fields: Mapping[str, forms.Field], names: Iterable[str]) -> None:
    """The page shows days on the calendar, also while a number is typed: at most ten years of them."""
    for field in (fields[name] for name in names if isinstance(fields[name], forms.IntegerField)):
        field.validators.append(MaxValueValidator(MOST_DAYS))
        field.widget.attrs["max"] = MOST_DAYS


class VersionForm(forms.ModelForm[Policy]):
    """The next version: from when, and what is different."""

    effective_from = forms.DateField(
        label=gettext_lazy("Effective from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy(
            "Tomorrow at the earliest: what happened until today stays explained by the version of its day."
        ),
    )  # fmt: skip
    interest = forms.ChoiceField(label=gettext_lazy("Late interest, by the rule"))
    quiet_periods = QuietPeriods(
        label=gettext_lazy("Quiet periods"), required=False,
        help_text=gettext_lazy("Every year, first and last day, month first: 12-24 to 01-01, 08-01 to 08-15."),
    )  # fmt: skip
    minimum = SumsPerCurrency(
        label=gettext_lazy("Smallest sum for a message"), required=False,
        help_text=gettext_lazy("Per currency: EUR 5, USD 5. In other currencies every sum counts."),
    )  # fmt: skip
    call_minimum = SumsPerCurrency(
        label=gettext_lazy("Smallest overdue sum for a call"), required=False,
        help_text=gettext_lazy("Per currency: EUR 250, USD 300. What is below is on the list of small sums."),
    )  # fmt: skip
    interest_dropped_under = SumsPerCurrency(
        label=gettext_lazy("Dropped when the invoice is paid, below"), required=False,
        help_text=gettext_lazy("Per currency: EUR 1. Empty: never dropped."),
    )  # fmt: skip

    class Meta:
        model = Policy
        fields = [name for name in VERSION_FIELDS if name not in SUMS]
        widgets = {
            "window_opens": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "window_closes": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "already_overdue_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "jurisdictions": forms.TextInput(attrs={"autocapitalize": "characters", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _within_the_calendar(self.fields, DAYS)
        on = dt.date.max
        interest = self.fields["interest"]
        assert isinstance(interest, forms.ChoiceField)
        interest.choices = [(code, f"{code} — {rule_of(code, on).title}") for code in rule_codes()]
        known = ", ".join(known_countries()) or "—"
        self.fields["jurisdictions"].help_text = _(
            "Two letters each, such as NO SE: a step that breaks one of their rules is refused. Rules are known of "
            "%(known)s (EU: every member state). Empty: no step is refused; fees and days to pay are kept to the rules "
            "of each client's country."
        ) % {"known": known}

    def groups(self) -> list[tuple[Any, Any, list[forms.BoundField]]]:
        return [(heading, note, [self[name] for name in names]) for heading, note, names in GROUPS]


class StepForm(forms.ModelForm[Step]):
    """One step of the ladder; a code of a new one is made of its title."""

    offset_days = DaysFromDue(label=gettext_lazy("Goes"))
    code = forms.SlugField(
        label=gettext_lazy("Code"), required=False, max_length=30,
        help_text=gettext_lazy("Stays the same across versions; empty: made of the title."),
    )  # fmt: skip
    addressee = forms.ChoiceField(label=gettext_lazy("Addressed to"))
    cc_role = forms.ChoiceField(label=gettext_lazy("Copy to"), required=False)
    moves_stage_to = forms.ChoiceField(label=gettext_lazy("Moves the client to"), required=False)
    minimum = SumsPerCurrency(
        label=gettext_lazy("Only from an overdue sum of"), required=False, help_text=gettext_lazy("EUR 50, USD 50")
    )
    fee = SumsPerCurrency(
        label=gettext_lazy("Charges a fee of"), required=False, help_text=gettext_lazy("EUR 5, NOK 35; empty: none")
    )

    class Meta:
        model = Step
        fields = STEP_FIELDS
        labels = {
            "cc_next_contact": gettext_lazy("Copy to the next contact too"),
            "recipients": gettext_lazy("Copy to these addresses"),
            "needs_approval": gettext_lazy("Waits for a person's approval"),
            "mandatory": gettext_lazy("Mandatory: never skipped, nothing goes before it"),
            "spacing_exempt": gettext_lazy("Goes on its day, whatever was sent before"),
            "also_call": gettext_lazy("And a call on the same day"),
            "sets_cash_only": gettext_lazy("Makes the client cash-only"),
            "interest_notice_days": gettext_lazy("Interest runs from so many days later"),
        }
        widgets = {"recipients": forms.TextInput(attrs={"spellcheck": "false"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _within_the_calendar(self.fields, STEP_DAYS)
        for name, choices in (
            ("addressee", list(roles().items())), ("cc_role", [("", _("nobody")), *roles().items()]),
            ("moves_stage_to", [("", _("nowhere")), *stages().items()]),
        ):  # fmt: skip
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices

    def has_changed(self) -> bool:
        """A card on which neither a title nor a day stands is empty, whatever its lists propose."""
        return any(self.data.get(self.add_prefix(name)) for name in ("title", "code", "offset_days_0"))

    def _post_clean(self) -> None:
        """The whole ladder is looked at together, in sentences that name the step."""

    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [(heading, [self[name] for name in names]) for heading, names in STEP_GROUPS]


MOST_STEPS = 30  # far above any ladder; what is sent beyond is not even read
StepFormSet = forms.formset_factory(
    StepForm, extra=0, can_delete=True, max_num=MOST_STEPS, absolute_max=MOST_STEPS, validate_max=True
)


def steps_from(formset: Any) -> list[dict[str, Any]]:
    """The ladder as written, without the cards taken out and those left empty; a new step gets its code."""
    written = [
        form for form in formset.forms if form.cleaned_data.get("title") and not form.cleaned_data.get("DELETE")
    ]
    taken = {form.cleaned_data["code"] for form in written if form.cleaned_data.get("code")}
    for form in written:
        if not form.cleaned_data.get("code"):
            form.cleaned_data["code"] = _new_code(form.cleaned_data["title"], taken)
            taken.add(form.cleaned_data["code"])
    return [{name: form.cleaned_data[name] for name in STEP_FIELDS} for form in written]


def mark(wrong: Iterable[Wrong], form: VersionForm, formset: Any) -> None:
    """Put each sentence beside the field it speaks of; one that speaks of no field stands on top."""
    by_code: dict[str, StepForm] = {}
    for step in formset.forms:
        if step.cleaned_data.get("title") and not step.cleaned_data.get("DELETE"):
            by_code[step.cleaned_data["code"]] = step
    for one in wrong:
        where: Any = by_code.get(one.step, form) if one.step else form
        where.add_error(one.where if one.where in where.fields else None, one.sentence)


def _new_code(title: str, taken: set[str]) -> str:
    begun = slugify(title).replace("-", "_")[:24] or "step"
    code, number = begun, 2
    while code in taken:
        code, number = f"{begun}_{number}", number + 1
    return code
