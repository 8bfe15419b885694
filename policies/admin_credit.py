"""The credit policy: read as what it leads to, never edited, followed by a new version."""

from __future__ import annotations

import datetime as dt
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
from core.services import today

from .credit import RISK_CLASSES, SUMS, credit_policy_of, new_credit_version
from .flags import FLAGS, OUTCOMES
from .forms import SumsPerCurrency
from .models import CreditPolicy

RISKS = {
    "low": gettext_lazy("low risk"), "medium": gettext_lazy("medium risk"), "high": gettext_lazy("high risk"),
}  # fmt: skip
# The page in the order in which a client meets the policy; a tuple is a family of fields that the form spells out.
GROUPS: list[tuple[Any, list[str]]] = [
    (gettext_lazy("A new client"), ["starting_limit", "check_valid_days"]),
    (gettext_lazy("The decision by score"), ["accept_score", "stricter_score", "prepayment_score"]),
    (gettext_lazy("What a flag leads to at least"), [f"flag_{code}" for code, _name in FLAGS]),
    (gettext_lazy("Stricter terms"), ["stricter_days", "stricter_limit_percent", "deposit_percent"]),
    (gettext_lazy("Exposure"), ["counts_drafts"]),
    (
        gettext_lazy("Watch and cash-only"),
        ["watch_days", "cash_only_days", "cash_only_sum", "cash_only_promises", "cash_only_returned", "lifts"],
    ),
    (
        gettext_lazy("Limit review"),
        [
            *(f"review_{risk}" for risk in RISK_CLASSES), "raise_months", "raise_on_time", "raise_percent",
            "cuts", "cut_on_time", "cut_days_late", "cut_percent", "highest_limit",
        ],
    ),
]  # fmt: skip
FAMILIES = ("flag_", "review_")
PLAIN = [name for _heading, names in GROUPS for name in names if not name.startswith(FAMILIES) and name not in SUMS]


class CreditVersionForm(forms.ModelForm[CreditPolicy]):
    """The next version: from when, and what is different."""

    effective_from = forms.DateField(
        label=gettext_lazy("Effective from"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("Tomorrow at the earliest: what was decided until today stays explained."),
    )

    class Meta:
        model = CreditPolicy
        fields = PLAIN

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SUMS:
            self.fields[name] = SumsPerCurrency(
                label=_label(name).capitalize(), required=False,
                help_text=_("Per currency: EUR 5000, USD 5000; a currency that is not named has no such sum."),
            )  # fmt: skip
        for code, _name in FLAGS:
            label = _label(f"flag_{code}").capitalize()
            self.fields[f"flag_{code}"] = forms.ChoiceField(label=label, choices=OUTCOMES)
        for risk in RISK_CLASSES:
            label = _label(f"review_{risk}").capitalize()
            self.fields[f"review_{risk}"] = forms.IntegerField(label=label, min_value=1, max_value=3650)

    @classmethod
    def following(cls, policy: CreditPolicy, on: dt.date, data: Any = None) -> CreditVersionForm:
        initial: dict[str, Any] = {name: getattr(policy, name) for name in (*PLAIN, *SUMS)}
        initial |= {f"flag_{code}": policy.flag_outcomes.get(code, "accept") for code, _name in FLAGS}
        initial |= {f"review_{risk}": policy.review_days.get(risk) for risk in RISK_CLASSES}
        return cls(data, initial={**initial, "effective_from": on + dt.timedelta(days=1)})

    def changes(self) -> dict[str, Any]:
        """What is asked for, as ``new_credit_version`` takes it."""
        given = self.cleaned_data
        return {name: given[name] for name in (*PLAIN, *SUMS)} | {
            "flag_outcomes": {code: given[f"flag_{code}"] for code, _name in FLAGS},
            "review_days": {risk: given[f"review_{risk}"] for risk in RISK_CLASSES},
        }

    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [(heading, [self[name] for name in names]) for heading, names in GROUPS]

    def refuse(self, refused: Refused) -> None:
        """Put a refusal beside the field it speaks of."""
        families = {"flag_outcomes": f"flag_{FLAGS[0][0]}", "review_days": "review_low"}
        where = families.get(refused.where, refused.where)
        self.add_error(where if where in self.fields else None, refused.message)


@admin.register(CreditPolicy)
class CreditPolicyAdmin(ReadOnlyAdmin):
    list_display = ["company", "effective_from", "starting_limits", "is_in_force", "made_by", "made_at"]
    list_filter = ["company"]

    @admin.display(description=gettext_lazy("starting limit"))
    def starting_limits(self, policy: CreditPolicy) -> str:
        return _shown(policy, "starting_limit")

    @admin.display(description=gettext_lazy("in force today"), boolean=True)
    def is_in_force(self, policy: CreditPolicy) -> bool:
        on = today(policy.company)
        return policy.effective_from <= on and credit_policy_of(policy.company, on) == policy

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.new_version_view)
        mine = path("<int:pk>/new-version/", view, name="policies_creditpolicy_new_version")
        return [mine, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A version as people read it, group by group."""
        policy = self._policy(request, object_id)
        groups = [(heading, [(_label(name), _shown(policy, name)) for name in names]) for heading, names in GROUPS]
        return TemplateResponse(request, "admin/policies/creditpolicy/read.html", {
            **self._frame(request, policy), "title": str(policy), "groups": groups,
            "in_force": self.is_in_force(policy), "may_follow": request.user.has_perm("policies.add_creditpolicy"),
        })  # fmt: skip

    def new_version_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what is different, and make the version that follows."""
        if not request.user.has_perm("policies.add_creditpolicy"):
            raise PermissionDenied
        policy = self._policy(request, str(pk))
        on = today(policy.company)
        form = CreditVersionForm.following(policy, on, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                made = new_credit_version(
                    policy, effective_from=form.cleaned_data["effective_from"], changes=form.changes(), on=on,
                    by=request.user,
                )
            except Refused as refused:
                form.refuse(refused)
            else:
                messages.success(request, _("“%(company)s” has a credit policy from %(day)s.") % {
                    "company": made.company, "day": made.effective_from.isoformat()
                })
                return redirect(reverse("admin:policies_creditpolicy_change", args=[made.pk]))
        return TemplateResponse(request, "admin/policies/creditpolicy/new_version.html", {
            **self._frame(request, policy), "title": _("New credit policy of %(name)s") % {"name": policy.company},
            "form": form,
        })  # fmt: skip

    def _policy(self, request: HttpRequest, object_id: str) -> CreditPolicy:
        policy = self.get_object(request, object_id)
        if policy is None:
            raise Http404
        if not self.has_view_permission(request, policy):
            raise PermissionDenied
        assert isinstance(policy, CreditPolicy)
        return policy

    def _frame(self, request: HttpRequest, policy: CreditPolicy) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "policy": policy, "original": policy}


def _label(name: str) -> str:
    kind, _sep, code = name.partition("_")
    if kind == "flag":
        return str(dict(FLAGS)[code])
    if kind == "review":
        return _("days between two reviews: %(risk)s") % {"risk": RISKS[code]}
    return str(CreditPolicy._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _shown(policy: CreditPolicy, name: str) -> str:
    """One fact of a version in words."""
    kind, _sep, code = name.partition("_")
    if kind == "flag":
        return str(dict(OUTCOMES)[policy.flag_outcomes.get(code, "accept")])
    if kind == "review":
        return str(policy.review_days.get(code, "—"))
    if name in SUMS:
        return ", ".join(f"{currency} {amount}" for currency, amount in getattr(policy, name).items()) or "—"
    display = getattr(policy, f"get_{name}_display", None)
    value = display() if display else getattr(policy, name)
    return (_("yes") if value else _("no")) if isinstance(value, bool) else str(value)
