"""Taking over open items and clients from somebody else's file: upload, columns, check, import, result."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from ar_collections.models import Hold
from core.csvfile import lines
from core.jobs import start_job, state_of
from core.models import Company, Job, StoredFile
from core.permissions import may
from core.services import read_file, store_file
from dashboard.desk import StaffRequest, refusals_on, row_number
from dashboard.forms.imports import DATES, KINDS, ColumnsForm, UploadForm
from dashboard.lists import Column, as_csv, page_of, wants_csv
from dashboard.reports.imports import Finding, finding_of, first_rows
from imports.cells import Reading
from imports.models import ImportProfile
from imports.services.profiles import reading_of, save_profile
from imports.sheet import Sheet, clean, read_sheet

WORKS = {"import_open_items": "open_items", "import_clients": "clients", "import_work": "work"}
CSV = "text/csv"
STEPS = {"items": gettext_lazy("Taking over items"), "rows": gettext_lazy("Taking over rows")}


COLUMNS = [
    Column("asked", lambda row: row.job.asked_at.isoformat(timespec="seconds")),
    Column("by", lambda row: row.job.asked_by), Column("kind", lambda row: row.kind),
    Column("file", lambda row: row.source), Column("state", lambda row: row.job.state),
    Column("new", lambda row: row.new), Column("already here", lambda row: row.result.get("unchanged", 0)),
    Column("left out", lambda row: row.bad_rows),
]  # fmt: skip


def imports(request: StaffRequest) -> HttpResponseBase:
    """Earlier imports, and the way to a new one."""
    form = UploadForm(
        request.POST or None, request.FILES or None, too_large="TOO_LARGE" in request.META,
        action=reverse("dashboard:imports"),
        initial={"kind": request.GET.get("kind", "open_items"), "profile": request.GET.get("profile")},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        stored = store_file(form.content, CSV)
        asked = {"name": clean(form.cleaned_data["file"].name)[:120]}
        if form.cleaned_data.get("profile"):
            asked["profile"] = form.cleaned_data["profile"].name
        columns = reverse("dashboard:import_columns", args=[form.cleaned_data["kind"], stored.sha256])
        return redirect(f"{columns}?{urlencode(asked)}")
    done = Job.objects.filter(kind__in=WORKS, arguments__dry_run=False).select_related("asked_by").order_by("-id")
    if wants_csv(request):
        return as_csv("imports", COLUMNS, (finding_of(job) for job in done.iterator()))
    page = page_of(request, done)
    context = {
        "form": form, "page": page, "rows": [finding_of(job) for job in page],
        "profiles": ImportProfile.objects.order_by("name"), "kinds": KINDS,
    }  # fmt: skip
    return render(request, "dashboard/imports/list.html", context, status=422 if form.errors else 200)


def sample(request: StaffRequest, kind: str) -> HttpResponse:
    """A small file as we like it best, to fill or to try; only with what the person may set."""
    if kind not in SAMPLES:
        raise Http404
    left_out = set() if may(request.user, "clients.set_limit") else {"Credit limit"}
    kept = [n for n, heading in enumerate(SAMPLES[kind][0]) if heading not in left_out]
    header, *rows = [[row[n] for n in kept] for row in SAMPLES[kind]]
    answer = HttpResponse("".join(lines(header, rows)), content_type=f"{CSV}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="sample-{kind.replace("_", "-")}.csv"'
    return answer


def columns(request: StaffRequest, kind: str, sha256: str) -> HttpResponse:
    """Which column is what; then the file is checked as a whole, and nothing is saved yet."""
    if kind not in KINDS:
        raise Http404
    sheet = _sheet(sha256)
    source = request.GET.get("name", "")[:120] or _("a file")
    form = ColumnsForm(
        request.POST or None, kind=kind, sheet=sheet, company=request.desk.company, known=_known(request, kind)
    )
    if request.method == "POST" and form.is_valid():
        reading, given = form.reading(), form.cleaned_data
        company = given.get("company")
        with refusals_on(form):
            if given["profile"]:
                save_profile(given["profile"], kind, reading, by=request.user)
            begins = given.get("interest_from")
            job = start_job(
                next(work for work, what in WORKS.items() if what == kind),
                {
                    "file": sha256, "source": source, "reading": vars(reading), "skip_bad": True, "dry_run": True,
                    "company": company.code if company else "", "interest_from": begins.isoformat() if begins else "",
                    "in_spite": given.get("in_spite", ""),
                },
                by=request.user,
            )
            return redirect("dashboard:import_run", job.pk)
    context = {
        "form": form, "sheet": sheet, "kind": kind, "what": KINDS[kind], "source": source,
        "rows": [row.cells for row in sheet.rows[:6]], "values": form.examples_of_all(),
        "has_dates": any(key in form.mapping() for key in DATES),
    }  # fmt: skip
    return render(request, "dashboard/imports/columns.html", context, status=422 if form.errors else 200)


def run(request: StaffRequest, pk: int) -> HttpResponse:
    """A check or an import: how far it is, then what it found or did."""
    job = _job(pk)
    state = state_of(job, request.desk.now)
    context: dict[str, Any] = {"job": job, "state": state, "finding": finding_of(job), "words": _words(state)}
    if state.state in ("waiting", "running"):
        return render(request, "dashboard/imports/running.html", context)
    finding: Finding = context["finding"]
    context |= {"columns_url": _columns_url(job), "begun": _begun_from(job)}
    if finding.is_check:
        context["first"] = first_rows(job)
        return render(request, "dashboard/imports/check.html", context)
    company = _company_of(job)
    context["hold"] = Hold.objects.filter(company=company, ended_at=None).first() if company else None
    return render(request, "dashboard/imports/result.html", context)


def progress(request: StaffRequest, pk: int) -> JsonResponse:
    """How far a check or import is, for the bar that follows it."""
    job = _job(pk)
    state = state_of(job, request.desk.now)
    shown = state.state if state.state in ("waiting", "running") else "done"
    return JsonResponse(
        {
            "done": state.done, "total": state.total, "message": _words(state), "state": shown,
            "next": reverse("dashboard:import_run", args=[pk]),
        }
    )  # fmt: skip


@require_POST
def take(request: StaffRequest, pk: int) -> HttpResponse:
    """Import what was checked. Where the check found bad rows, only after somebody chose to leave them out."""
    check = _job(pk)
    finding = finding_of(check)
    if not finding.is_check or not finding.can_be_taken:
        messages.error(request, _("This check has found nothing that can be imported; look at what it says."))
        return redirect("dashboard:import_run", pk)
    if finding.bad_rows and request.POST.get("skip_bad") != "yes":
        messages.error(request, _("Say that the refused rows are to be left out; nothing was imported."))
        return redirect("dashboard:import_run", pk)
    begun = _begun_from(check)
    if begun is None:
        told = {**check.arguments, "dry_run": False, "skip_bad": bool(finding.bad_rows), "checked": check.pk}
        begun = start_job(check.kind, told, by=request.user)
    return redirect("dashboard:import_run", begun.pk)


def refused(request: StaffRequest, pk: int) -> HttpResponse:
    """The refused rows as they stood, behind their line and the reason, to be corrected and uploaded again."""
    sha256 = (_job(pk).result or {}).get("refused_file")
    if not sha256:
        raise Http404
    answer = HttpResponse(read_file(sha256), content_type=f"{CSV}; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="REFUSED.csv"'
    return answer


SAMPLES = {
    "open_items": [
        ["Invoice number", "Client number", "Client name", "Issue date", "Due date", "Amount", "Still open", "Currency",
         "Contact", "E-mail", "Telephone", "Purchase order"],
        ["000417", "0042", "Harbour Lane Coffee", "2026-09-01", "2026-10-01", "1240.00", "1240.00", "EUR",
         "Mara Winter", "ap@harbourlane.example", "040 5550 9921", "PO-7731"],
        ["000418", "0042", "Harbour Lane Coffee", "2026-10-01", "2026-10-31", "980.50", "480.50", "EUR",
         "Mara Winter", "ap@harbourlane.example", "040 5550 9921", "PO-7790"],
        ["000419", "0107", "Osprey Logistics", "2026-10-15", "2026-11-14", "3175.25", "3175.25", "EUR",
         "Jonas Beck", "invoices@osprey.example", "", ""],
    ],
    "clients": [
        ["Client number", "Name", "Contact", "Role", "E-mail", "Telephone", "Language", "Time zone", "Country",
         "Terms", "Credit limit", "VAT number"],
        ["0042", "Harbour Lane Coffee", "Mara Winter", "accounts_payable", "ap@harbourlane.example", "040 5550 9921",
         "de", "Europe/Berlin", "DE", "30", "5000", "DE136695976"],
        ["0042", "Harbour Lane Coffee", "Nils Harbour", "owner", "nils@harbourlane.example", "", "", "", "", "", "",
         ""],
        ["0107", "Osprey Logistics", "Jonas Beck", "accounts_payable", "invoices@osprey.example", "", "en",
         "Europe/London", "GB", "14", "", ""],
    ],
    "work": [
        ["Client number", "What was done", "Done on", "Quantity", "Unit", "Price", "Tax", "Purchase order", "Key"],
        ["0042", "Training at the bar", "2026-11-16", "2.5", "h", "96.00", "19", "PO-7731", "T-1041"],
        ["0107", "Route planner, monthly care", "2026-11-17", "1", "", "480.00", "19", "", "T-1042"],
    ],
}  # fmt: skip


def _job(pk: int) -> Job:
    return get_object_or_404(Job.objects.select_related("asked_by"), pk=pk, kind__in=WORKS)


def _sheet(sha256: str) -> Sheet:
    get_object_or_404(StoredFile, sha256=sha256, media_type=CSV)
    return read_sheet(read_file(sha256))


def _known(request: StaffRequest, kind: str) -> Reading | None:
    """A mapping made before: by a profile, or in the check one comes back from."""
    if request.GET.get("profile"):
        profile = ImportProfile.objects.filter(name=request.GET["profile"], kind=kind).first()
        return reading_of(profile.name, kind, Reading({})) if profile else None
    if request.GET.get("check"):
        check = Job.objects.filter(pk=row_number(request.GET["check"]), kind__in=WORKS).first()
        return Reading(**check.arguments["reading"]) if check else None
    return None


def _columns_url(job: Job) -> str:
    """Back to the columns, as they were chosen."""
    asked = urlencode({"name": job.arguments.get("source", ""), "check": job.pk})
    return f"{reverse('dashboard:import_columns', args=[WORKS[job.kind], job.arguments['file']])}?{asked}"


def _begun_from(check: Job) -> Job | None:
    """The import that was begun from a check, unless it failed."""
    return Job.objects.filter(kind=check.kind, arguments__checked=check.pk).exclude(state="failed").first()


def _company_of(job: Job) -> Company | None:
    code = job.arguments.get("company")
    return (Company.objects.filter(code__iexact=code) if code else Company.objects.order_by("pk")).first()


def _words(state: Any) -> str:
    if state.state == "waiting":
        return _("Waiting for the worker, which takes one thing after the other.")
    return str(STEPS.get(state.step, _("Reading the file")))
