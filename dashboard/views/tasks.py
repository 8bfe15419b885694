"""What is done with a task besides calling: put off, skipped, handed over, done; each for a reason or with a day."""

from __future__ import annotations

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from ar_collections.models import Task
from ar_collections.services.desk import assign_task, close_task, skip_task, snooze_task
from dashboard.desk import StaffRequest, back, refusals_on
from dashboard.forms.calls import DoneForm
from dashboard.forms.desk import AssignForm, SkipForm, SnoozeForm
from dashboard.pages import form_page
from dashboard.templatetags.ledger import day


def task_snooze(request: StaffRequest, pk: int) -> HttpResponse:
    """Put a task off until a day."""
    task = _task(request, pk)
    form = SnoozeForm(request.POST or None, cancel_url=_queue(request))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            snooze_task(task, **form.cleaned_data, on=request.desk.on, by=request.user)
            messages.success(request, _("Put off until %(day)s.") % {"day": day(form.cleaned_data["until"])})
            return back(request, "dashboard:collections")
    return _ask(request, form, task, _("Put off"))


def task_skip(request: StaffRequest, pk: int) -> HttpResponse:
    """Leave a task undone, for a reason."""
    task = _task(request, pk)
    form = SkipForm(request.POST or None, cancel_url=_queue(request))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            skip_task(task, **form.cleaned_data, on=request.desk.on, by=request.user)
            messages.success(request, _("Skipped; the reason stays on the file."))
            return back(request, "dashboard:collections")
    return _ask(request, form, task, _("Skip"))


def task_done(request: StaffRequest, pk: int) -> HttpResponse:
    """A task is done, with what came of it."""
    task = _task(request, pk)
    form = DoneForm(request.POST or None, cancel_url=_queue(request))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            close_task(task, **form.cleaned_data, on=request.desk.on, by=request.user)
            messages.success(request, _("Done."))
            return back(request, "dashboard:collections")
    return _ask(request, form, task, _("Done"))


def task_assign(request: StaffRequest, pk: int) -> HttpResponse:
    """Hand a task to a colleague, or to nobody."""
    task = _task(request, pk)
    form = AssignForm(request.POST or None, initial={"owner": task.owner}, cancel_url=_queue(request))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            assign_task(task, **form.cleaned_data, by=request.user)
            messages.success(request, _("Handed over."))
            return back(request, "dashboard:collections")
    return _ask(request, form, task, _("Hand over"))


def _task(request: StaffRequest, pk: int) -> Task:
    mine = Task.objects.filter(company__in=request.desk.companies)
    return get_object_or_404(mine.select_related("client", "owner"), pk=pk)


def _ask(request: StaffRequest, form: BaseForm, task: Task, heading: str) -> HttpResponse:
    crumbs = [(_("Collections"), reverse("dashboard:collections"))]
    heading = f"{heading}: {task.client}"
    return form_page(request, form, heading, crumbs=crumbs, lead=task.because)


def _queue(request: StaffRequest) -> str:
    return back(request, "dashboard:collections").url
