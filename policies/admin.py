"""Policies in versions: read as a ladder of calendar dates, never edited, followed by a new version."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from audit.admin import AuditedAdmin, ReadOnlyAdmin
from core.errors import Refused
from core.models import Company
from core.services import today

from . import admin_credit, admin_interest, admin_payment_terms, admin_terms  # noqa: F401  register their own pages
from .forms import VERSION_FIELDS, SampleForm, StepFormSet, VersionForm, steps_from, steps_of
from .models import CompanyPolicy, Policy
from .services import new_version
from .step_days import step_day

SAMPLE_TERMS = dt.timedelta(days=30)


@admin.register(CompanyPolicy)
class CompanyPolicyAdmin(AuditedAdmin):
    list_display = ["company", "name"]


@admin.register(Policy)
class PolicyAdmin(ReadOnlyAdmin):
    list_display = ["name", "title", "effective_from", "used_by", "made_by", "made_at"]
    list_filter = ["name"]

    @admin.display(description=_("used by"))
    def used_by(self, policy: Policy) -> str:
        return ", ".join(CompanyPolicy.objects.filter(name=policy.name).values_list("company__name", flat=True)) or "—"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.new_version_view)
        mine = path("<int:pk>/new-version/", view, name="policies_policy_new_version")
        return [mine, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A version as people read it: the ladder on the calendar of a sample invoice."""
        policy = self._policy(request, object_id)
        asked = SampleForm(request.GET or None, initial={"issued_on": today(None), "net_days": 30})
        given = asked.cleaned_data if asked.is_valid() else asked.initial
        issued_on, due_on = given["issued_on"], given["issued_on"] + dt.timedelta(days=given["net_days"])
        return TemplateResponse(request, "admin/policies/policy/read.html", {
            **self._frame(request, policy), "title": str(policy.title or policy.name), "sample": asked,
            "issued_on": issued_on, "due_on": due_on,
            "ladder": [(step, step_day(step.offset_days, issued_on, due_on)) for step in policy.steps.all()],
            "facts": [(label_for_field(name, Policy), _shown(policy, name)) for name in VERSION_FIELDS],
        })  # fmt: skip

    def new_version_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what is different, and make the version that follows."""
        if not request.user.has_perm("policies.add_policy"):
            raise PermissionDenied
        policy = self._policy(request, str(pk))
        on = max((today(company) for company in Company.objects.all()), default=today(None))  # wherever it is latest
        form = VersionForm.following(policy, on, request.POST or None)
        steps = StepFormSet(request.POST or None, initial=steps_of(policy), prefix="steps")
        if request.method == "POST" and form.is_valid() and steps.is_valid():
            changes = dict(form.cleaned_data)
            try:
                made = new_version(
                    policy, effective_from=changes.pop("effective_from"), changes=changes, steps=steps_from(steps),
                    on=on, by=request.user,
                )
            except Refused as refused:
                form.add_error(refused.where if refused.where in form.fields else None, refused.message)
            else:
                messages.success(request, _("“%(name)s” has a version from %(day)s.") % {
                    "name": made.name, "day": made.effective_from.isoformat()
                })
                return redirect(reverse("admin:policies_policy_change", args=[made.pk]))
        return TemplateResponse(request, "admin/policies/policy/new_version.html", {
            **self._frame(request, policy), "title": _("New version of %(name)s") % {"name": policy.name},
            "form": form, "steps": steps, "issued_on": on, "due_on": on + SAMPLE_TERMS,
            "rows": [(row, _sample_day(row["offset_days"].value(), on)) for row in steps],
        })  # fmt: skip

    def _policy(self, request: HttpRequest, object_id: str) -> Policy:
        policy = self.get_object(request, object_id)
        if policy is None:
            raise Http404
        if not self.has_view_permission(request, policy):
            raise PermissionDenied
        assert isinstance(policy, Policy)
        return policy

    def _frame(self, request: HttpRequest, policy: Policy) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "policy": policy, "original": policy}


def _sample_day(offset: Any, issued_on: dt.date) -> dt.date | None:
    """On which day a step would go for an invoice of today, as its offset is written; None where none is."""
    try:
        return step_day(int(offset), issued_on, issued_on + SAMPLE_TERMS)
    except (TypeError, ValueError, OverflowError):
        return None


def _shown(policy: Policy, name: str) -> Any:
    display = getattr(policy, f"get_{name}_display", None)
    return display() if display else getattr(policy, name)
