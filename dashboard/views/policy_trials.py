"""Trying a policy on today's book before it is in force: the question, how far it is, what came of it, activation."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from ar_collections.services.dry_run import Question
from ar_collections.trials import KIND, ask_for_dry_run, trial_file
from core.jobs import State, state_of
from core.models import Job, as_text
from core.permissions import may
from core.services import latest_today
from dashboard.desk import StaffRequest, refusals_on, refusals_said
from dashboard.forms.policies import ActivateForm, TrialForm
from dashboard.reports.policies import Choice, by_client, choices_of, outcome_of, policies_of, titles_of
from policies.models import Policy
from policies.services.drafts import activate_draft, begin_draft, draft_troubles, open_draft

STEPS = {"days": gettext_lazy("Day after day, by the planner of the night")}


def policies(request: StaffRequest) -> HttpResponse:
    """Every policy, what is in force, what is being thought over, and the way to try it."""
    _demand(request, "policies.view_policy")
    return render(request, "dashboard/policies/list.html", {
        "rows": policies_of(request.desk.on), "may_change": may(request.user, "policies.add_policy"),
        "trials": _jobs()[:10],
    })  # fmt: skip


def policy_try(request: StaffRequest, name: str) -> HttpResponse:
    """What is to be tried: the draft, or the latest version where none is open; and earlier trials."""
    _demand(request, "policies.view_policy")
    latest = _latest(name)
    draft = open_draft(name)
    form = TrialForm(request.POST or None, policy=name, action=reverse("dashboard:policy_try", args=[name]))
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        with refusals_on(form):
            on = latest_today(request.desk.now)
            question = Question(name, on, asked["days"], asked["past"] or 0, asked["against"])
            job = ask_for_dry_run(question, now=request.desk.now, by=request.user)
            return redirect("dashboard:policy_trial", job.pk)
    context = {
        "name": name, "latest": latest, "draft": draft, "form": form,
        "trials": _jobs().filter(arguments__policy=name)[:10],
        "troubles": draft_troubles(draft, _tomorrow(request)) if draft else [],
        "may_change": may(request.user, "policies.add_policy"),
    }  # fmt: skip
    return render(request, "dashboard/policies/try.html", context, status=422 if form.errors else 200)


@require_POST
def draft_begin(request: StaffRequest, name: str) -> HttpResponse:
    """Begin to think the next version over; its editor opens."""
    _demand(request, "policies.add_policy")
    draft = begin_draft(_latest(name), request.user)
    if draft.made_by != as_text(request.user)[:150]:
        messages.info(request, _("%(by)s has begun a draft of it; this is that one.") % {"by": draft.made_by})
    return redirect("admin:policies_policydraft_change", draft.pk)


def trial_run(request: StaffRequest, pk: int) -> HttpResponse:
    """A trial: how far it is, then what it found."""
    _demand(request, "policies.view_policy")
    job = get_object_or_404(_jobs(), pk=pk)
    state = state_of(job, request.desk.now)
    if state.state in ("waiting", "running"):
        return render(request, "dashboard/policies/running.html", {"job": job, "state": state, "words": _words(state)})
    told = job.result if job.state == "done" else None
    context: dict[str, Any] = {"job": job, "name": job.arguments["policy"], "told": told}
    if told and "per_day" in told:
        context["outcome"] = outcome_of(job)
    if told and "past" in told:
        past = told["past"]
        context["past"] = past
        context["past_clients"] = by_client(past["differences"]["rows"], titles_of(job.arguments["policy"]))
    draft = open_draft(job.arguments["policy"])
    context |= {
        "draft": draft, "has_file": told is not None and trial_file(job.arguments["token"]).is_file(),
        "stale": bool(draft and told and told["tried"] == "draft" and draft.changed_at > job.asked_at),
        "may_change": may(request.user, "policies.add_policy"),
    }  # fmt: skip
    return render(request, "dashboard/policies/result.html", context)


def trial_progress(request: StaffRequest, pk: int) -> JsonResponse:
    """How far a trial is, for the bar that follows it."""
    _demand(request, "policies.view_policy")
    state = state_of(get_object_or_404(_jobs(), pk=pk), request.desk.now)
    return JsonResponse({
        "done": state.done, "total": state.total, "message": _words(state),
        "state": state.state if state.state in ("waiting", "running") else "done",
        "next": reverse("dashboard:policy_trial", args=[pk]),
    })  # fmt: skip


def trial_csv(request: StaffRequest, pk: int) -> HttpResponseBase:
    """Every step of every invoice that the trial served, as a file; gone after a week."""
    _demand(request, "policies.view_policy")
    job = get_object_or_404(_jobs(), pk=pk)
    path = trial_file(job.arguments["token"])
    if not path.is_file():
        raise Http404(_("The file is no longer there; try the policy again."))
    name = f"dry-run-{job.arguments['policy']}-{job.arguments['on']}.csv"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


def activate(request: StaffRequest, name: str) -> HttpResponse:
    """From when the draft is in force, and what becomes of what is overdue by then: each choice with its sums."""
    _demand(request, "policies.add_policy")
    draft = open_draft(name)
    if draft is None:
        messages.warning(request, _("“%(name)s” has no open draft.") % {"name": name})
        return redirect("dashboard:policy_try", name)
    looks = request.POST.get("look") == "preview"
    data = request.POST or None
    form = ActivateForm(
        data, initial={"effective_from": _tomorrow(request), "version": draft.version},
        action=reverse("dashboard:policy_activate", args=[name]),
    )
    if request.method == "POST" and not looks and form.is_valid():
        said = form.cleaned_data
        with refusals_on(form):
            policy = activate_draft(
                draft, effective_from=said["effective_from"], already_overdue=said["already_overdue"],
                already_overdue_from=said["already_overdue_from"], version=said["version"],
                on=latest_today(request.desk.now), by=request.user,
            )
            messages.success(request, _("“%(name)s” has a version from %(day)s.") % {
                "name": name, "day": policy.effective_from.isoformat(),
            })  # fmt: skip
            return redirect("dashboard:policy_try", name)
    begins = _written_day(form, "effective_from") or _tomorrow(request)
    context: dict[str, Any] = {
        "name": name, "draft": draft, "form": form, "begins": begins,
        "chosen_on": _written_day(form, "already_overdue_from"), "troubles": draft_troubles(draft, begins),
    }
    choices: dict[str, Choice] = {}
    context["matters"] = True
    with refusals_said(request):
        on = latest_today(request.desk.now)
        three, context["matters"] = choices_of(name, begins, context["chosen_on"], on)
        choices = {one.code: one for one in three}
    context["rows"] = [
        {"code": code, "label": label, "choice": choices.get(code)} for code, label in ActivateForm.CHOICES or ()
    ]
    refused = bool(data) and not looks
    return render(request, "dashboard/policies/activate.html", context, status=422 if refused else 200)


def _written_day(form: ActivateForm, name: str) -> dt.date | None:
    """The day that stands in a field, where it can be read."""
    try:
        day = form.fields[name].clean(form[name].value())
    except ValidationError:  # said at the field
        return None
    return day if isinstance(day, dt.date) else None


def _tomorrow(request: StaffRequest) -> dt.date:
    """The first day a version can begin: it is still to come for every company."""
    return latest_today(request.desk.now) + dt.timedelta(days=1)


def _latest(name: str) -> Policy:
    latest = Policy.objects.filter(name=name).order_by("-effective_from").first()
    if latest is None:
        raise Http404(_("There is no policy “%(name)s”.") % {"name": name})
    return latest


def _jobs() -> QuerySet[Job]:
    return Job.objects.filter(kind=KIND).select_related("asked_by").order_by("-pk")


def _words(state: State) -> str:
    return str(STEPS.get(state.step, _("It begins")))


def _demand(request: StaffRequest, permission: str) -> None:
    if not may(request.user, permission):
        raise PermissionDenied
