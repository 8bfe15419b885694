"""Many invoices at once: the preview, the batch and how far it is, what became of each; and their PDFs in one file."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from core.jobs import State, start_job, state_of
from core.models import Job
from dashboard.desk import StaffRequest, refusals_said, row_number
from dashboard.downloads import download
from dashboard.reports.bulk import outcome_of, plan_of
from invoices.bulk import BULK, ZIP, stop
from invoices.models import Invoice
from invoices.services.bulk import MOST, check_batch, plan_bulk, undo_bulk
from invoices.zips import prepare, prepared_path

from .invoices import listed

AT_ONCE = 20  # so many PDFs that are printed already are put together while one waits
ZIP_TYPE = "application/zip"
STEPS = {"invoices": gettext_lazy("Going through the invoices"), "documents": gettext_lazy("Printing the documents")}


@require_POST
def bulk(request: StaffRequest) -> HttpResponse:
    """What is to be done with the chosen invoices, before it is: how many, how much, to whom, and what would not."""
    do, pks = request.POST.get("do", ""), _chosen(request)
    if do == "zip":
        return _zip(request, pks)
    with refusals_said(request):
        desk = request.desk
        plan = plan_of(plan_bulk(desk.company, pks, do, on=desk.on, by=request.user))
        context = {"plan": plan, "do": do, "key": uuid.uuid4().hex, "back": _back(request), "asked": len(pks)}
        return render(request, "dashboard/bulk/preview.html", context)
    return redirect(_back(request))


def _chosen(request: StaffRequest) -> list[int]:
    """The ticked rows; or the whole list as it was filtered, when «all of them» is ticked."""
    if request.POST.get("all") == "yes":
        rows = listed(request, request.POST)
        return list(rows.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    return list(dict.fromkeys(pk for said in request.POST.getlist("pk") if (pk := row_number(said))))[: MOST + 1]


def _back(request: StaffRequest) -> str:
    """The list as it was filtered."""
    kept = {name: request.POST.get(name, "") for name in ("tab", "q", "due", "currency")}
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"{reverse('dashboard:invoices')}{'?' if query else ''}{query}"


@require_POST
def bulk_start(request: StaffRequest) -> HttpResponse:
    """Begin what the preview showed; pressed twice, it begins once."""
    key = request.POST.get("key", "")
    begun = _jobs(request, BULK).filter(arguments__key=key).first() if key else None
    if begun is not None:
        return redirect("dashboard:bulk_run", begun.pk)
    with refusals_said(request):
        do, pks = request.POST.get("do", ""), _chosen(request)
        check_batch(pks, do)
        job = _begin(request, {"do": do, "pks": pks, "key": key}, since=request.desk.now)
        return redirect("dashboard:bulk_run", job.pk)
    return redirect("dashboard:invoices")


def _begin(request: StaffRequest, told: dict[str, Any], *, since: dt.datetime) -> Job:
    more = {"company": request.desk.company.code, "since": since.isoformat(), "token": uuid.uuid4().hex}
    return start_job(BULK, told | more, by=request.user)


def bulk_run(request: StaffRequest, pk: int) -> HttpResponse:
    """A batch: how far it is, then what became of each invoice."""
    job = _job(request, pk, BULK)
    state = state_of(job, request.desk.now)
    if state.state in ("waiting", "running"):
        context = {"job": job, "state": state, "words": _words(job, state)}
        return render(request, "dashboard/bulk/running.html", context)
    outcome = outcome_of(job)
    context = {
        "job": job, "outcome": outcome, "undo": len(outcome.to_undo(request.desk.now)),
        "died": job.state == "failed" and job.result is None,
    }  # fmt: skip
    return render(request, "dashboard/bulk/result.html", context)


def bulk_progress(request: StaffRequest, pk: int) -> JsonResponse:
    """How far a batch is, for the bar that follows it."""
    job = get_object_or_404(_jobs(request, BULK) | _jobs(request, ZIP), pk=pk)
    state = state_of(job, request.desk.now)
    name = "dashboard:bulk_run" if job.kind == BULK else "dashboard:bulk_zip"
    return JsonResponse(
        {
            "done": state.done, "total": state.total, "message": _words(job, state), "next": reverse(name, args=[pk]),
            "state": state.state if state.state in ("waiting", "running") else "done",
        }
    )  # fmt: skip


@require_POST
def bulk_stop(request: StaffRequest, pk: int) -> HttpResponse:
    """End a batch after the invoice it is at."""
    stop(_job(request, pk, BULK))
    return redirect("dashboard:bulk_run", pk)


@require_POST
def bulk_undo(request: StaffRequest, pk: int) -> HttpResponse:
    """Take back the mails of a batch while they wait; what is issued stays issued."""
    outcome = outcome_of(_job(request, pk, BULK))
    undone, gone = undo_bulk(outcome.messages, now=request.desk.now, by=request.user)
    if undone:
        said = ngettext("Undone: %(n)d mail was not sent.", "Undone: %(n)d mails were not sent.", undone)
        messages.success(request, said % {"n": undone})
    if gone:
        said = ngettext(
            "%(n)d mail had left already.", "%(n)d mails had left already.", gone
        )  # fmt: skip
        messages.warning(request, said % {"n": gone})
    return redirect("dashboard:bulk_run", pk)


@require_POST
def bulk_go_on(request: StaffRequest, pk: int) -> HttpResponse:
    """Do what a batch left, because it was stopped or its worker died; once, however often it is pressed."""
    job = _job(request, pk, BULK)
    key = f"after:{job.pk}"
    begun = _jobs(request, BULK).filter(arguments__key=key).first()
    if begun is None:
        if state_of(job, request.desk.now).state in ("waiting", "running"):
            return redirect("dashboard:bulk_run", pk)
        left = outcome_of(job).left
        if not left:
            messages.warning(request, _("Nothing of this batch is left to do."))
            return redirect("dashboard:bulk_run", pk)
        told = {"do": job.arguments["do"], "pks": left, "key": key}
        begun = _begin(request, told, since=dt.datetime.fromisoformat(job.arguments["since"]))
    return redirect("dashboard:bulk_run", begun.pk)


def _zip(request: StaffRequest, pks: list[int]) -> HttpResponse:
    """The PDFs of the chosen invoices: at once where they are few and printed already, else prepared by the worker."""
    if not pks or len(pks) > MOST:
        said = _("Nothing is selected; tick the invoices first.") if not pks else _(
            "At most %(n)d invoices fit into one file; narrow the list."
        ) % {"n": MOST}  # fmt: skip
        messages.error(request, said)
        return redirect(_back(request))
    company = request.desk.company
    chosen = Invoice.objects.filter(company=company, pk__in=pks)
    waits = chosen.filter(issued_at__isnull=False, intake=None, pdf=None).exists()
    if len(pks) > AT_ONCE or waits:
        told = {"company": company.code, "pks": pks, "token": uuid.uuid4().hex}
        return redirect("dashboard:bulk_zip", start_job(ZIP, told, by=request.user).pk)
    together = prepare(chosen.select_related("client", "intake").order_by("issued_on", "pk"))
    return download(together.content, _zip_name(request.desk.on), ZIP_TYPE)


def bulk_zip(request: StaffRequest, pk: int) -> HttpResponse:
    """A ZIP file that is being prepared, or waits to be fetched."""
    job = _job(request, pk, ZIP)
    state = state_of(job, request.desk.now)
    is_there = job.state == "done" and prepared_path(job.arguments["token"]).is_file()
    context = {
        "job": job, "state": state, "words": _words(job, state), "is_there": is_there, "result": job.result or {},
    }  # fmt: skip
    return render(request, "dashboard/bulk/zip.html", context)


def bulk_zip_file(request: StaffRequest, pk: int) -> HttpResponse:
    """The prepared file; gone a day after it was made."""
    job = _job(request, pk, ZIP)
    path = prepared_path(job.arguments["token"])
    if job.state != "done" or not path.is_file():
        raise Http404(_("The file is no longer there; prepare it again from the list."))
    day = job.ended_at.astimezone(request.desk.company.zone).date() if job.ended_at else request.desk.on
    return download(path.read_bytes(), _zip_name(day), ZIP_TYPE)


def _zip_name(on: dt.date) -> str:
    return f"invoices-{on.isoformat()}.zip"


def _jobs(request: StaffRequest, kind: str) -> Any:
    return Job.objects.filter(kind=kind, arguments__company=request.desk.company.code)


def _job(request: StaffRequest, pk: int, kind: str) -> Job:
    job: Job = get_object_or_404(_jobs(request, kind).select_related("asked_by"), pk=pk)
    return job


def _words(job: Job, state: State) -> str:
    if job.arguments.get("stop") and state.state == "running":
        return _("Stopping after this one")
    if state.state == "waiting":
        return _("Waiting for the worker")
    return str(STEPS.get(state.step, _("Going through the invoices")))


