"""The next version of a policy while it is thought over: written in the editor of versions, kept although refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from audit.admin import ReadOnlyAdmin
from core.errors import Refused
from core.services import latest_today

from .editor import Editor
from .models import Policy, PolicyDraft
from .services.drafts import discard_draft, draft_troubles, keep_as_draft, save_draft


@admin.register(PolicyDraft)
class PolicyDraftAdmin(ReadOnlyAdmin):
    list_display = ["name", "made_by", "changed_at"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[PolicyDraft]:
        """Only those still thought over; what was activated is read as a version."""
        return super().get_queryset(request).filter(activated=None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Write on; saving keeps it as it is written, with the sentences for which it would be refused."""
        if not request.user.has_perm("policies.add_policy"):
            raise PermissionDenied
        draft = self.get_object(request, object_id)
        if draft is None:
            raise Http404
        on = latest_today()
        editor = Editor(draft.name, _shown(draft, on), draft.steps, on=on, data=request.POST or None)
        if request.POST.get("look") == "live":
            return editor.seen(request)
        refused = False
        if request.method == "POST" and "look" not in request.POST:
            done = self._done(request, draft, editor)
            if done is not None:
                return done
            refused = True
        troubles = [] if editor.form.is_bound else kept_troubles(draft, on)
        return TemplateResponse(request, "admin/policies/policydraft/edit.html", {
            **self.admin_site.each_context(request), "opts": self.opts, "draft": draft, "original": draft,
            "title": _("Draft of %(name)s") % {"name": draft.name}, **editor.context(), "refused": refused,
            "version": request.POST.get("version", draft.version), "troubles": troubles,
        }, status=422 if refused else 200)  # fmt: skip

    def _done(self, request: HttpRequest, draft: PolicyDraft, editor: Editor) -> HttpResponse | None:
        """Where one goes after saving or throwing away; None where something cannot be read or was refused."""
        said = request.POST.get("version", "")
        version = int(said) if said.isdecimal() and len(said) < 9 else 0
        try:
            if request.POST.get("do") == "discard":
                discard_draft(draft, version=version, by=request.user)
                messages.success(request, _("The draft is thrown away."))
                return redirect("dashboard:policy_try", draft.name)
            if not editor.is_valid():
                return None
            save_draft(
                draft, values=editor.values(), steps=editor.ladder(), version=version, by=request.user,
                begins=editor.effective_from(),
            )
        except Refused as refused:
            editor.form.add_error(None, refused.message)
            return None
        if request.POST.get("do") == "try":
            return redirect("dashboard:policy_try", draft.name)
        messages.success(request, _("The draft is saved; nobody is reminded by it yet."))
        return redirect(reverse("admin:policies_policydraft_change", args=[draft.pk]))


def kept_as_draft(editor: Editor, policy: Policy, by: Any) -> PolicyDraft | None:
    """What stands in the editor of a new version, kept as the policy's draft; None where it cannot be read.

    Refused where somebody has a draft of it open already.
    """
    if not editor.is_valid():
        return None
    return keep_as_draft(
        policy, values=editor.values(), steps=editor.ladder(), begins=editor.effective_from(), by=by
    )


def kept_troubles(draft: PolicyDraft, on: dt.date) -> list[str]:
    """The sentences for which the draft would be refused, were it activated tomorrow."""
    return [one.sentence for one in draft_troubles(draft, on + dt.timedelta(days=1))]


def _shown(draft: PolicyDraft, on: dt.date) -> dict[str, Any]:
    """What the draft keeps, and the day it was to begin where that is still to come."""
    begins = draft.values.get("effective_from", "")
    return {**draft.values, "effective_from": max(begins, (on + dt.timedelta(days=1)).isoformat())}
