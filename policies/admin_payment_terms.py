"""Payment terms in the admin: written as a person says them, and shown on the calendar of sample invoices."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from audit.admin import AuditedAdmin
from core.closed_days import closed_for
from core.dates import month_end, show_day
from core.errors import Refused
from core.services import today

from .models import Terms
from .terms import DueDays, due_days, part_words

_PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*%?\s*(?:in|within|nach|sous|:|/)\s*(\d+)(?:\s*(?:days?|Tagen?|jours?))?", re.I)


class InstalmentsField(forms.Field):
    """Instalments in one line, such as «50 in 14, 50 in 30»; kept as [{"percent": "50", "days": 14}, …]."""

    default_error_messages = {
        "unreadable": gettext_lazy("“%(part)s” is not an instalment; write for example 50 in 14, 50 in 30."),
    }

    widget = forms.TextInput(attrs={"size": 60})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return ", ".join(f"{part['percent']} in {part['days']}" for part in value)

    def to_python(self, value: Any) -> list[dict[str, Any]]:
        parts = []
        for said in filter(None, (part.strip() for part in re.split(r"[;\n]|,\s", str(value or "")))):
            found = _PART.fullmatch(said)
            try:
                percent = Decimal(found[1].replace(",", ".")) if found else Decimal("NaN")
            except InvalidOperation:
                percent = Decimal("NaN")
            if found is None or not percent.is_finite():
                raise forms.ValidationError(self.error_messages["unreadable"], params={"part": said})
            parts.append({"percent": f"{percent.normalize():f}", "days": int(found[2])})
        return parts

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or []) != self.to_python(data))
        except forms.ValidationError:
            return True


class TermsForm(forms.ModelForm[Terms]):
    """Terms as a person writes them; what is left empty keeps what is usual: net days, no parts, no discount."""

    parts = InstalmentsField(
        label=gettext_lazy("Instalments"), required=False,
        help_text=gettext_lazy(
            "Percent of the total in days after the invoice: 50 in 14, 50 in 30. Empty: paid in one sum."
        ),
    )

    class Meta:
        model = Terms
        fields = [
            "company", "name", "net_days", "rule", "day_of_month", "shift", "parts", "deposit_percent", "deposit_days",
            "discount_percent", "discount_days", "late_percent", "is_default",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("rule", "deposit_percent", "discount_percent", "late_percent"):
            if name in self.fields:
                self.fields[name].required = False

    def clean_rule(self) -> str:
        return str(self.cleaned_data["rule"] or "net")

    def clean_deposit_percent(self) -> Decimal:
        return self.cleaned_data["deposit_percent"] or Decimal(0)

    def clean_discount_percent(self) -> Decimal:
        return self.cleaned_data["discount_percent"] or Decimal(0)

    def clean_late_percent(self) -> Decimal:
        return self.cleaned_data["late_percent"] or Decimal(0)


@admin.register(Terms)
class TermsAdmin(AuditedAdmin):
    form = TermsForm
    list_display = ["name", "company", "net_days", "due_of_today", "late_percent", "is_default"]
    list_filter = ["company"]
    readonly_fields = ["dates"]
    fieldsets = [
        (None, {"fields": ["company", "name", "is_default"]}),
        (
            gettext_lazy("When an invoice is due"),
            {
                "fields": ["rule", "net_days", "day_of_month", "shift"],
                "description": gettext_lazy(
                    "The end of the next month: 1 day after the end of the month, and the fixed day 31, which is the "
                    "last of every month. 30 days and then the end of that month: a fixed day of the month, 31, and "
                    "30 days, which are the least before it. With instalments the days are those of the last one."
                ),
            },
        ),
        (
            gettext_lazy("In several sums"),
            {"fields": ["parts", "deposit_percent", "deposit_days"]},
        ),
        (gettext_lazy("Paying early, paying late"), {"fields": ["discount_percent", "discount_days", "late_percent"]}),
        (gettext_lazy("On the calendar"), {"fields": ["dates"]}),
    ]

    @admin.display(description=gettext_lazy("an invoice of today is due"))
    def due_of_today(self, terms: Terms) -> str:
        return _in_words(terms, today(terms.company))

    @admin.display(description=gettext_lazy("what falls due when"))
    def dates(self, terms: Terms) -> str:
        """The days on which invoices of today, and of awkward days to come, would fall due."""
        if terms.pk is None:
            return _("Save, and the dates of sample invoices stand here.")
        language = get_language() or "en"
        rows = format_html_join(
            "", "<tr><th scope=row>{}</th><td>{}</td></tr>",
            ((show_day(day, language), _in_words(terms, day)) for day in sample_days(today(terms.company))),
        )
        head = format_html("<tr><th scope=col>{}</th><th scope=col>{}</th></tr>", _("Issued"), _("Due"))
        return format_html("<table><thead>{}</thead><tbody>{}</tbody></table>", head, rows)


def sample_days(on: dt.date) -> list[dt.date]:
    """Days to look at terms by: today, the last of this month, and the month ends that trip calendars up."""
    awkward = [month_end(dt.date(on.year + 1, month, 1)) for month in (1, 2, 6)]
    return [on, *(day for day in [month_end(on), *awkward] if day != on)]


def _in_words(terms: Terms, issued_on: dt.date) -> str:
    """The due days of an invoice issued on a day, each with its share; the refusal where the terms name none."""
    try:
        days = due_days(terms.as_rule(), issued_on, closed_for(terms.company, issued_on) if terms.shift else ())
    except Refused as refused:
        return refused.message
    return " · ".join(_said(days, get_language() or "en"))


def _said(days: DueDays, language: str) -> list[str]:
    said = []
    instalments = [part for part in days.parts if part.kind == "part"]
    for part in days.parts:
        day = show_day(part.due_on, language, "full")
        number = instalments.index(part) + 1 if part.kind == "part" else 0
        label = part_words(part.kind, number, len(instalments), language)
        said.append(day if len(days.parts) == 1 else f"{label}, {part.percent.normalize():f} %: {day}")
    if days.discount_until:
        said.append(_("discount until %(day)s") % {"day": show_day(days.discount_until, language)})
    return said
