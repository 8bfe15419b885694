"""A second policy, made from one that exists: its name, its first day, and what it says otherwise."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Refused
from core.services import latest_today

from .editor import Editor
from .models import Policy
from .services.new_policies import check_new_name, new_policy
from .services.versions import steps_of, values_of


class NameForm(forms.Form):
    """How the new policy is called by whatever chooses it."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=40,
        help_text=gettext_lazy("Small letters, digits and hyphens, such as public-bodies. It stays as it is."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "size": 30}),
    )  # fmt: skip

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        try:
            check_new_name(name)
        except Refused as refused:
            raise forms.ValidationError(refused.message) from None
        return name


def new_policy_page(request: HttpRequest, policy: Policy, frame: dict[str, Any]) -> HttpResponse:
    """Ask for its name and for what it says otherwise than ``policy``, show the days beside it, and make it."""
    on, data = latest_today(), request.POST or None
    editor = Editor(
        policy.name, values_of(policy) | {"title": "", "effective_from": on}, steps_of(policy), on=on, data=data
    )
    editor.form.fields["effective_from"].help_text = _("Today at the earliest; from that day on it can be chosen.")
    editor.form.fields["title"].help_text = _("How people call it; empty: by its name.")
    if request.POST.get("look") == "live":
        return editor.seen(request)
    makes = request.method == "POST" and "look" not in request.POST
    naming = NameForm(data if makes else None, initial={"name": request.POST.get("name", "")}, label_suffix="")
    refused = False
    if makes:
        made = _made(editor, naming, policy, request.user)
        if made is not None:
            said = _(
                "There is a policy “%(name)s” from %(day)s. Choose it for a company, a segment, a client or an "
                "invoice; until then nobody is reminded by it."
            )
            messages.success(request, said % {"name": made.name, "day": made.effective_from.isoformat()})
            return redirect(reverse("admin:policies_policy_change", args=[made.pk]))
        refused = True
    return TemplateResponse(request, "admin/policies/policy/new_policy.html", {
        **frame, "title": _("New policy from %(name)s") % {"name": policy.name}, **editor.context(),
        "naming": naming, "refused": refused,
    }, status=422 if refused else 200)  # fmt: skip


def _made(editor: Editor, naming: NameForm, policy: Policy, by: Any) -> Policy | None:
    """The policy as it is written; None where something was refused and marked."""
    if not all([naming.is_valid(), editor.is_valid()]) or editor.troubles():
        return None
    try:
        return new_policy(
            policy, name=naming.cleaned_data["name"], effective_from=editor.effective_from(), changes=editor.values(),
            steps=editor.ladder(), on=editor.on, by=by,
        )
    except Refused as refused:
        form: forms.BaseForm = naming if refused.where == "name" else editor.form
        form.add_error(refused.where if refused.where in form.fields else None, refused.message)
        return None
