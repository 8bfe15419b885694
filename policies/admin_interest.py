"""Late interest in the admin: rules read in words and followed by versions, reference rates entered with a source."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.admin import ReadOnlyAdmin
from core.errors import Refused
from core.models import as_text
from core.services import latest_today, today

from .interest import RULES, Rule
from .interest_words import rule_words
from .models import InterestRule, ReferenceRate
from .services.rates import (
    RULE_FIELDS,
    add_interest_rule,
    add_rate,
    check_rate,
    rate_today,
    rule_codes,
    rule_from,
    rule_of,
    warning_about,
    withdraw_rate,
)

_DAY = {"type": "date"}
_SERIES = {"list": "known-series", "size": 40}


def known_series() -> list[str]:
    """The reference rates that are entered or that a shipped rule works with, by name."""
    entered = ReferenceRate.objects.order_by().values_list("series", flat=True).distinct()
    return sorted({*entered, *(rule.series for rule in RULES.values() if rule.series)})


class _Grouped:
    """A form shown in groups; a refusal goes beside the field it speaks of."""

    GROUPS: list[tuple[Any, list[str]]] = []

    def groups(self: Any) -> list[tuple[Any, list[forms.BoundField]]]:
        return [(heading, [self[name] for name in names]) for heading, names in self.GROUPS]

    def refuse(self: Any, refused: Refused) -> None:
        self.add_error(refused.where if refused.where in self.fields else None, refused.message)


class RateForm(_Grouped, forms.Form):
    """A published rate."""

    series = forms.CharField(
        label=gettext_lazy("Reference rate"), max_length=40, widget=forms.TextInput(attrs=_SERIES),
        help_text=gettext_lazy("By the name the rules use, such as ecb_mro_reference."),
    )
    from_on = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput(attrs=_DAY))
    valid_through = forms.DateField(
        label=gettext_lazy("Valid through"), widget=forms.DateInput(attrs=_DAY),
        help_text=gettext_lazy("The last day the source speaks of: usually the end of the half-year."),
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Percent a year"), help_text=gettext_lazy("The reference rate alone, without any margin.")
    )
    source = forms.CharField(
        label=gettext_lazy("Source"), max_length=300, widget=forms.TextInput(attrs={"size": 80}),
        help_text=gettext_lazy("Where it was published, so that a second person finds it."),
    )

    GROUPS = [(gettext_lazy("The rate"), ["series", "from_on", "valid_through", "percent", "source"])]


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, required=False, widget=forms.TextInput(attrs={"size": 60}),
        help_text=gettext_lazy("The right rate is then entered anew. Interest already charged is not touched."),
    )


class TiersField(forms.CharField):
    """Lump sums by the size of the claim in one line: «40 from 0, 70 from 1000»; kept as [["0", "40"], …]."""

    default_error_messages = {
        "unreadable": gettext_lazy("“%(part)s” is not a sum and a size; write for example 40 from 0, 70 from 1000."),
    }

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return ", ".join(f"{lump} from {least}" for least, lump in value)

    def to_python(self, value: Any) -> Any:
        tiers = []
        for part in filter(None, (p.strip() for p in str(value or "").split(","))):
            found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:\s+from\s+(\d+(?:\.\d+)?))?", part, re.I)
            if found is None:
                raise forms.ValidationError(self.error_messages["unreadable"], params={"part": part})
            tiers.append([found[2] or "0", found[1]])
        return tiers


class RuleForm(_Grouped, forms.ModelForm[InterestRule]):
    """A rule, or the next version of one."""

    code = forms.CharField(
        label=gettext_lazy("Code"), max_length=20,
        help_text=gettext_lazy("Stays the same across versions; capitals, such as NO-B2B."),
    )
    effective_from = forms.DateField(
        label=gettext_lazy("Effective from"), widget=forms.DateInput(attrs=_DAY),
        help_text=gettext_lazy("Of a rule that exists: tomorrow at the earliest, so that today stays explained."),
    )
    for_consumers = forms.TypedChoiceField(
        label=gettext_lazy("For"), required=False, empty_value=None, coerce=lambda said: said == "yes",
        choices=[
            ("", gettext_lazy("businesses and consumers")), ("no", gettext_lazy("businesses only")),
            ("yes", gettext_lazy("consumers only")),
        ],
    )
    compensation = TiersField(
        label=gettext_lazy("Fixed compensation"), required=False,
        help_text=gettext_lazy("For each late invoice, by the size of the claim: 40 from 0, 70 from 1000."),
    )

    class Meta:
        model = InterestRule
        fields = [name for name in RULE_FIELDS if name not in ("for_consumers", "compensation")]
        widgets = {
            "series": forms.TextInput(attrs=_SERIES), "source": forms.TextInput(attrs={"size": 80}),
            "title": forms.TextInput(attrs={"size": 60}),
        }

    GROUPS = [
        (gettext_lazy("The rule"), ["code", "effective_from", "title", "country", "for_consumers", "source"]),
        (
            gettext_lazy("The rate"),
            ["charges", "percent", "series", "margin", "which_half_year", "reference_up_to", "legal_maximum"],
        ),
        (gettext_lazy("When it starts"), ["starts", "starts_days", "grace_days"]),
        (gettext_lazy("How it is counted"), ["day_count", "rounding", "compound_monthly", "cap_percent"]),
        (gettext_lazy("Payments and disputes"), ["first", "runs_in_dispute"]),
        (gettext_lazy("Compensation"), ["compensation", "compensation_currency"]),
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["compensation_currency"].required = False
        self.fields["country"].help_text = _("Two capitals, such as NO; for whoever looks for it.")

    @classmethod
    def following(cls, rule: Rule | None, on: dt.date, data: Any = None) -> RuleForm:
        initial: dict[str, Any] = {"effective_from": on + dt.timedelta(days=1)}
        if rule is not None:
            initial |= {name: getattr(rule, name) for name in RULE_FIELDS if hasattr(rule, name)}
            initial["code"] = rule.code
            initial["for_consumers"] = {True: "yes", False: "no", None: ""}[rule.for_consumers]
            initial["compensation"] = [[f"{least:f}", f"{lump:f}"] for least, lump in rule.compensation]
            row = InterestRule.objects.filter(code=rule.code, effective_from__lte=on).first()
            initial["country"] = row.country if row else ""
        return cls(data, initial=initial)


class _InterestAdmin(ReadOnlyAdmin):
    """Pages of its own for reading and adding; nothing is edited or deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(f"policies.add_{self.opts.model_name}"))

    def _row(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def _frame(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, **more}

    def _form_page(self, request: HttpRequest, form: Any, title: str, button: str) -> HttpResponse:
        return TemplateResponse(request, "admin/policies/interest_form.html", self._frame(
            request, title=title, form=form, button=button, known=known_series(),
            back=reverse(f"admin:policies_{self.opts.model_name}_changelist"),
        ))  # fmt: skip


class StateFilter(admin.SimpleListFilter):
    """Rates by what became of them."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("unchecked", _("to be checked by a second person")), ("checked", _("checked")),
            ("withdrawn", _("withdrawn")),
        ]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "withdrawn":
            return queryset.exclude(withdrawn_at=None)
        if self.value() == "checked":
            return queryset.filter(withdrawn_at=None).exclude(checked_by="")
        return queryset.filter(withdrawn_at=None, checked_by="") if self.value() == "unchecked" else queryset


@admin.register(ReferenceRate)
class ReferenceRateAdmin(_InterestAdmin):
    list_display = ["series", "from_on", "valid_through", "percent_a_year", "source", "entered_by", "state"]
    list_filter = ["series", StateFilter]
    search_fields = ["series", "source"]
    change_list_template = "admin/policies/referencerate/change_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "title": _("Reference rates")})

    @admin.display(description=gettext_lazy("percent a year"), ordering="percent")
    def percent_a_year(self, rate: ReferenceRate) -> str:
        return f"{rate.percent.normalize():f}"

    @admin.display(description=gettext_lazy("checked"))
    def state(self, rate: ReferenceRate) -> str:
        if rate.withdrawn_at:
            return _("withdrawn: %(why)s") % {"why": rate.withdrawn_because}
        return _("by %(who)s") % {"who": rate.checked_by} if rate.checked_by else _("not yet")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a rate; a link from where one is missing fills in what it knows."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RateForm(request.POST or None, initial={name: request.GET[name] for name in RateForm.base_fields
                                                       if name in request.GET})  # fmt: skip
        if request.method == "POST" and form.is_valid():
            try:
                rate = add_rate(**form.cleaned_data, by=request.user)
            except Refused as refused:
                form.refuse(refused)
            else:
                messages.success(request, _("“%(rate)s” is entered. A second person compares it with its source.") % {
                    "rate": rate
                })  # fmt: skip
                return redirect(reverse("admin:policies_referencerate_changelist"))
        return self._form_page(request, form, _("Enter a reference rate"), _("Enter this rate"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A rate as it was entered; checked by a second person, or withdrawn."""
        rate = self._row(request, object_id)
        may_change = request.user.has_perm("policies.change_referencerate")
        form = WithdrawForm(request.POST if "withdraw" in request.POST else None)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            try:
                if "check" in request.POST:
                    check_rate(rate, by=request.user)
                    messages.success(request, _("Checked: %(rate)s.") % {"rate": rate})
                elif form.is_valid():
                    withdraw_rate(rate, reason=form.cleaned_data["reason"], by=request.user)
                    messages.success(request, _("Withdrawn: %(rate)s. Enter the right one.") % {"rate": rate})
            except Refused as refused:
                if refused.where == "reason":
                    form.add_error("reason", refused.message)
                else:
                    messages.error(request, refused.message)
            if not form.errors:
                return redirect(reverse("admin:policies_referencerate_change", args=[rate.pk]))
        names = ["series", "from_on", "valid_through", "source", "entered_by", "entered_at"]
        facts = [(ReferenceRate._meta.get_field(name).verbose_name, getattr(rate, name)) for name in names]  # type: ignore[union-attr]
        facts[3:3] = [(_("percent a year"), self.percent_a_year(rate))]
        facts += [(_("checked"), self.state(rate))]
        return TemplateResponse(request, "admin/policies/referencerate/read.html", self._frame(
            request, title=str(rate), rate=rate, original=rate, facts=facts, form=form, may_change=may_change,
            may_check=rate.entered_by != as_text(request.user),
        ))  # fmt: skip


@admin.register(InterestRule)
class InterestRuleAdmin(_InterestAdmin):
    list_display = ["code", "title", "effective_from", "rate", "country", "made_by", "made_at"]
    list_filter = ["code"]
    change_list_template = "admin/policies/interestrule/change_list.html"

    @admin.display(description=gettext_lazy("rate a year, today"))
    def rate(self, row: InterestRule) -> str:
        return rate_today(rule_from(row), today(None))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.shipped_view)
        return [path("shipped/<str:code>/", view, name="policies_interestrule_shipped"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown = {"title": _("Rules of late interest"), "in_force": _in_force(today(None))}
        return super().changelist_view(request, {**(extra_context or {}), **shown})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A version as people read it."""
        row = self._row(request, object_id)
        origin = _("From %(day)s, made by %(by)s.") % {"day": row.effective_from.isoformat(), "by": row.made_by}
        return self._read(request, rule_from(row), origin, row.effective_from)

    def shipped_view(self, request: HttpRequest, code: str) -> HttpResponse:
        """A rule that came with AR Ledger, as people read it."""
        if code not in RULES:
            raise Http404
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._read(request, RULES[code], _("It comes with AR Ledger."), dt.date.min)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a new rule, or for the next version of one (``?follow=CODE``)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        on, followed = latest_today(), None
        if request.GET.get("follow") in rule_codes():
            followed = rule_of(request.GET["follow"], on)
        form = RuleForm.following(followed, on, request.POST or None)
        if request.method == "POST" and form.is_valid():
            values = dict(form.cleaned_data)
            try:
                row = add_interest_rule(
                    values.pop("code"), effective_from=values.pop("effective_from"), values=values, on=on,
                    by=request.user,
                )
            except Refused as refused:
                form.refuse(refused)
            else:
                messages.success(request, _("The rule “%(code)s” has a version from %(day)s.") % {
                    "code": row.code, "day": row.effective_from.isoformat()
                })  # fmt: skip
                if warning := warning_about(rule_from(row)):
                    messages.warning(request, warning)
                return redirect(reverse("admin:policies_interestrule_change", args=[row.pk]))
        title = _("New version of %(code)s") % {"code": followed.code} if followed else _("A rule of late interest")
        return self._form_page(request, form, title, _("Make this version") if followed else _("Make this rule"))

    def _read(self, request: HttpRequest, rule: Rule, origin: str, begins: dt.date) -> HttpResponse:
        later = InterestRule.objects.filter(code=rule.code, effective_from__gt=begins).last()  # the next one
        replaced = _("Replaced from %(day)s on.") % {"day": later.effective_from.isoformat()} if later else ""
        facts = [(_("Rate a year, today"), rate_today(rule, today(None))), *rule_words(rule)]
        return TemplateResponse(request, "admin/policies/interestrule/read.html", self._frame(
            request, title=rule.title, rule=rule, origin=origin, replaced=replaced, facts=facts,
            warning=warning_about(rule), may_follow=self.has_add_permission(request),
        ))  # fmt: skip


def _in_force(on: dt.date) -> list[tuple[Rule, str, str, str]]:
    """Every rule that holds on a day: the rule, its rate, where it comes from, and its page."""
    found = []
    for code in rule_codes():
        row = InterestRule.objects.filter(code=code, effective_from__lte=on).first()
        if row is None and code not in RULES:
            continue  # begins on a day to come; its version stands below
        rule = rule_from(row) if row else RULES[code]
        origin = _("version from %(day)s") % {"day": row.effective_from} if row else _("comes with AR Ledger")
        link = (
            reverse("admin:policies_interestrule_change", args=[row.pk])
            if row else reverse("admin:policies_interestrule_shipped", args=[code])
        )  # fmt: skip
        found.append((rule, rate_today(rule, on), origin, link))
    return found
