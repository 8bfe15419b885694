"""Policies in versions: read as a ladder of calendar dates, never edited, followed by a new version."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from audit.admin import ReadOnlyAdmin
from core.errors import Refused
from core.services import latest_today

from . import (  # noqa: F401  register their own pages
    admin_credit,
    admin_draft,
    admin_guard_rails,
    admin_interest,
    admin_payment_terms,
    admin_segments,
    admin_step_texts,
    admin_terms,
)
from .admin_new_policy import new_policy_page
from .editor import Editor, sample_days
from .forms import SampleForm
from .guard_rails import countries_of
from .models import Policy, PolicyDraft
from .sentences import policy_sentences, step_sentences, used_by
from .services import new_version
from .services.guard_rails import rails_for
from .services.versions import steps_of, values_of
from .step_days import step_day


@admin.register(Policy)
class PolicyAdmin(ReadOnlyAdmin):
    list_display = ["name", "title", "effective_from", "used_by", "made_by", "made_at"]
    list_filter = ["name"]

    @admin.display(description=_("used by"))
    def used_by(self, policy: Policy) -> str:
        return ", ".join(used_by(policy)) or "—"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.new_version_view)
        beside = self.admin_site.admin_view(self.new_policy_view)
        return [
            path("<int:pk>/new-version/", view, name="policies_policy_new_version"),
            path("<int:pk>/new-policy/", beside, name="policies_policy_new_policy"), *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A version as people read it: what holds in sentences, and the ladder on the calendar of a sample invoice."""
        policy = self._policy(request, object_id)
        asked = SampleForm(request.GET or None, initial={"issued_on": latest_today(), "net_days": 30})
        issued_on, due_on = sample_days(asked)
        ladder = []
        for step, values in zip(policy.steps.all(), steps_of(policy), strict=True):
            day = step_day(step.offset_days, issued_on, due_on)
            ladder.append((step, day, step_sentences(values, day)))
        return TemplateResponse(request, "admin/policies/policy/read.html", {
            **self._frame(request, policy), "title": str(policy.title or policy.name), "sample": asked,
            "issued_on": issued_on, "due_on": due_on, "ladder": ladder, "parts": policy_sentences(policy),
            "users": used_by(policy), "rails": rails_for(countries_of(policy.jurisdictions)),
            "versions": Policy.objects.filter(name=policy.name), "in_force": _in_force(policy),
            "may_follow": request.user.has_perm("policies.add_policy"),
        })  # fmt: skip

    def new_version_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what is different, show the days beside it, and make the version that follows."""
        if not request.user.has_perm("policies.add_policy"):
            raise PermissionDenied
        policy = self._policy(request, str(pk))
        on = latest_today()
        editor = Editor(policy.name, values_of(policy), steps_of(policy), on=on, data=request.POST or None)
        if request.POST.get("look") == "live":
            return editor.seen(request)
        refused = False
        if request.POST.get("keep") == "draft":
            draft = self._kept(editor, policy, request.user)
            if draft is not None:
                messages.success(request, _("Kept as a draft; nobody is reminded by it until it is activated."))
                return redirect("dashboard:policy_try", policy.name)
            refused = True
        elif request.method == "POST" and "look" not in request.POST:
            made = self._made(editor, policy, on, request.user)
            if made is not None:
                messages.success(request, _("“%(name)s” has a version from %(day)s.") % {
                    "name": made.name, "day": made.effective_from.isoformat()
                })
                return redirect(reverse("admin:policies_policy_change", args=[made.pk]))
            refused = True
        return TemplateResponse(request, "admin/policies/policy/new_version.html", {
            **self._frame(request, policy), "title": _("New version of %(name)s") % {"name": policy.name},
            **editor.context(), "refused": refused,
        }, status=422 if refused else 200)  # fmt: skip

    def new_policy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A second policy that begins with what this version says."""
        if not request.user.has_perm("policies.add_policy"):
            raise PermissionDenied
        policy = self._policy(request, str(pk))
        return new_policy_page(request, policy, self._frame(request, policy))

    def _kept(self, editor: Editor, policy: Policy, by: Any) -> PolicyDraft | None:
        """What is written, as a draft to be tried; None where it cannot be read, or there is a draft already."""
        try:
            return admin_draft.kept_as_draft(editor, policy, by)
        except Refused as refused:
            editor.form.add_error(None, refused.message)
            return None

    def _made(self, editor: Editor, policy: Policy, on: dt.date, by: Any) -> Policy | None:
        """The version as it is written; None where something was refused and marked."""
        if not editor.is_valid() or editor.troubles():
            return None
        try:
            return new_version(
                policy, effective_from=editor.effective_from(), changes=editor.values(), steps=editor.ladder(), on=on,
                by=by,
            )
        except Refused as refused:
            editor.form.add_error(refused.where if refused.where in editor.form.fields else None, refused.message)
            return None

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


def _in_force(policy: Policy) -> bool:
    return Policy.objects.in_force(policy.name, latest_today()) == policy
