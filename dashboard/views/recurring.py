"""Recurring invoices: the list, the form with its next twelve dates, the page, and what a person does about one."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.models import Client
from core.dates import add_months, parse_date
from core.errors import Refused
from core.money import plain
from core.services import today
from dashboard.desk import StaffRequest, back, refusals_on, refusals_said, row_number
from dashboard.forms.recurring import FACTS, EndForm, RecurringForm, RecurringLines
from dashboard.lists import Column, as_csv, in_order, page_of, wants_csv
from dashboard.pages import form_page
from dashboard.reports.invoice_editor import tax_for
from dashboard.reports.recurring import Row, row_of, rows_of, stuck_of
from dashboard.templatetags.ledger import day as shown_day
from invoices.models import Invoice, RecurringInvoice, RecurringRun
from invoices.services.credit import warn_about
from invoices.services.recurring import (
    AHEAD,
    Schedule,
    coming,
    edit_recurring,
    end_recurring,
    filled,
    lines_of,
    make_recurring,
    meant,
    pause_recurring,
    resume_recurring,
    skip_day,
    totals_of_schedule,
    unskip_day,
)
from invoices.services.recurring_runs import leave_out, try_again
from policies.services import default_terms

NOT_KEPT = 0  # the number no invoice has
LATELY = 24  # days gone by that the page shows
ORDERS = {"name": ["name"], "client": ["client__name"], "starts_on": ["starts_on"]}
TABS = {"running": gettext_lazy("Running"), "paused": gettext_lazy("Paused"), "ended": gettext_lazy("Ended")}
COLUMNS = [
    Column("called", lambda r: r.recurring.name), Column("client number", lambda r: r.recurring.client.number),
    Column("client", lambda r: r.recurring.client.name), Column("how often", lambda r: r.words),
    Column("first on", lambda r: r.recurring.starts_on), Column("last on", lambda r: r.recurring.ends_on),
    Column("next on", lambda r: r.next.on if r.next else None),
    Column("net", lambda r: plain(r.totals.net, r.recurring.currency)),
    Column("total", lambda r: plain(r.totals.total, r.recurring.currency)),
    Column("currency", lambda r: r.recurring.currency), Column("order", lambda r: r.recurring.po_number),
    Column("sent by itself", lambda r: "yes" if r.recurring.sends else ""), Column("state", lambda r: r.state),
]  # fmt: skip


def recurring(request: StaffRequest) -> HttpResponseBase:
    """What comes again and again, with its next day; above it the days that a person has to look at."""
    company, on = request.desk.company, request.desk.on
    mine = RecurringInvoice.objects.filter(company=company)
    wanted, asked = request.GET.get("q", "").strip(), request.GET.get("client", "")
    if wanted:
        mine = mine.filter(
            Q(name__icontains=wanted) | Q(client__name__icontains=wanted) | Q(client__number__iexact=wanted)
            | Q(po_number__icontains=wanted)
        )  # fmt: skip
    if asked.isdecimal():
        mine = mine.filter(client=row_number(asked))
    over = Q(ends_on__lt=on) | Q(ends_on__lt=F("counts_from"))
    lists: dict[str, QuerySet[RecurringInvoice]] = {
        "running": mine.filter(paused_at=None).exclude(over), "ended": mine.filter(over),
        "paused": mine.filter(paused_at__isnull=False).exclude(over),
    }
    tab = request.GET.get("tab", "running")
    tab = tab if tab in TABS else "running"
    shown, order = in_order(
        request, lists[tab].select_related("client").prefetch_related("lines"), ORDERS, "client"
    )
    if wants_csv(request):
        return as_csv(f"recurring-{tab}", COLUMNS, rows_of(list(shown), on, 3))
    page = page_of(request, shown)
    context = {
        "page": page, "rows": rows_of(list(page), on, 3), "sort": order, "tab": tab, "q": wanted,
        "tabs": [{"key": key, "label": label, "count": lists[key].count()} for key, label in TABS.items()],
        "stuck": stuck_of(company), "any": bool(page) or RecurringInvoice.objects.filter(company=company).exists(),
    }  # fmt: skip
    return render(request, "dashboard/recurring/list.html", context)


def recurring_new(request: StaffRequest) -> HttpResponse:
    asked = Client.objects.filter(company=request.desk.company, pk=row_number(request.GET.get("client", "")))
    next_month = add_months(request.desk.on.replace(day=1), 1)
    return _write(request, None, {"client": asked.first(), "starts_on": next_month})


def recurring_edit(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(_all(), pk=pk)
    return _write(request, one, {name: getattr(one, name) for name in FACTS})


def _all() -> QuerySet[RecurringInvoice]:
    return RecurringInvoice.objects.select_related("client__company", "client__terms", "contact", "terms", "company")


def _write(request: StaffRequest, one: RecurringInvoice | None, begun: dict[str, Any]) -> HttpResponse:
    """One page writes it and writes it anew; «Add a line» and «Show» only look."""
    company = one.company if one else request.desk.company
    data, act = request.POST.copy() if request.method == "POST" else None, request.POST.get("do", "save")
    if data is not None and act == "line":
        rows = data.get("lines-TOTAL_FORMS", "")
        if rows == "0" or row_number(rows):
            data["lines-TOTAL_FORMS"] = str(min(int(rows) + 1, 200))
    form = RecurringForm(data, initial=begun, company=company, client=one.client if one else begun["client"])
    if one is not None:
        form.fields["client"].disabled = True
    client = one.client if one else begun["client"]
    lines: Any = RecurringLines(
        data, prefix="lines", initial=[vars(line) for line in lines_of(one)] if one else None,
        form_kwargs={"tax": tax_for(client, company) if client else None},
    )
    good = data is not None and form.is_valid() and lines.is_valid()
    if good and act == "save":
        with refusals_on(form):
            on = today(company, request.desk.now)
            if one is None:
                kept = make_recurring(
                    form.cleaned_data["client"], form.schedule(), lines.lines(), on=on, by=request.user
                )
            else:
                version = form.cleaned_data["version"]
                kept = edit_recurring(one, form.schedule(), lines.lines(), version=version, on=on, by=request.user)
            messages.success(request, _("Kept: %(what)s.") % {"what": kept.name})
            return redirect("dashboard:recurring_page", kept.pk)
    looking = act in ("line", "look")
    shown = {
        "form": form, "lines": lines, "recurring": one, "looking": looking,
        "look": _look(request, form, lines, one) if data is not None and (good or looking) else None,
    }  # fmt: skip
    return render(
        request, "dashboard/recurring/form.html", shown, status=422 if data is not None and not looking else 200
    )


@require_POST
def recurring_look(request: StaffRequest) -> HttpResponse:
    """The next twelve dates and the sum of what is being written, as a fragment; nothing is kept."""
    one = _all().filter(company=request.desk.company, pk=row_number(request.GET.get("recurring", ""))).first()
    form = RecurringForm(request.POST, company=request.desk.company)
    if one is not None:
        form.fields["client"].disabled, form.initial["client"] = True, one.client
    lines = RecurringLines(request.POST, prefix="lines")
    form.is_valid()
    return render(request, "dashboard/recurring/_look.html", {"look": _look(request, form, lines, one)})


def _look(request: StaffRequest, form: RecurringForm, lines: Any, one: RecurringInvoice | None) -> dict[str, Any]:
    """What would come if it were kept now: the days, the first invoice's lines, the sum, what credit says to it."""
    given, on = getattr(form, "cleaned_data", {}), request.desk.on
    client: Client | None = given.get("client")
    shown: dict[str, Any] = {}
    if all(given.get(name) for name in ("starts_on", "every", "unit")):
        told = Schedule(
            "", given["starts_on"], given["every"], given["unit"], given.get("ends_on"), given.get("covers") or ""
        )
        try:
            shown["days"] = coming(meant(one, told, on), _runs(one), on)
        except Refused as refused:
            return {"refused": refused.message}
    written = [line.line() for line in lines.forms if line.has_changed() and line.is_valid()]
    if client is None or not written:
        return shown
    shown["currency"] = currency = given.get("currency") or client.currency
    try:
        shown["totals"] = totals_of_schedule(client, currency, written)
    except (Refused, ValueError) as refused:
        return shown | {"refused": str(refused)}
    days = shown.get("days")
    shown["sample"] = [line.description for line in filled(written, days[0].period if days else None, client.language)]
    terms = given.get("terms") or client.terms or default_terms(client.company)
    sale = Invoice(pk=NOT_KEPT, client=client, currency=currency, terms=terms)
    sale.total = shown["totals"].total
    return shown | {"warns": warn_about(sale, on), "terms": terms}


def _runs(one: RecurringInvoice | None) -> dict[dt.date, RecurringRun]:
    return {run.on: run for run in one.runs.select_related("invoice")} if one else {}


def recurring_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One recurring invoice: what it says, its next twelve dates, and what its days became."""
    one = get_object_or_404(_all().prefetch_related("lines"), pk=pk)
    on = today(one.company, request.desk.now)
    runs = _runs(one)
    row: Row = row_of(one, runs, on, AHEAD)
    ahead = {coming.on for coming in row.days}
    gone = sorted((run for run in runs.values() if run.on not in ahead), key=lambda run: run.on, reverse=True)
    first = row.next.period if row.next else None
    context = {
        "recurring": one, "row": row, "on": on, "gone": gone[:LATELY],
        "stuck": [run for run in gone if run.refused_because and not run.skipped_by],
        "sample": filled(lines_of(one), first, one.client.language), "days_in_all": len(gone),
    }  # fmt: skip
    return render(request, "dashboard/recurring/page.html", context)


@require_POST
def recurring_pause(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(RecurringInvoice, pk=pk)
    pause_recurring(one, at=request.desk.now, by=request.user)
    undo = reverse("dashboard:recurring_resume", args=[pk])
    messages.success(request, _("Paused: %(what)s.") % {"what": one.name}, extra_tags=f"undo:{undo}")
    return redirect("dashboard:recurring_page", pk)


@require_POST
def recurring_resume(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(RecurringInvoice.objects.select_related("company"), pk=pk)
    resume_recurring(one, on=today(one.company, request.desk.now), by=request.user)
    messages.success(request, _("It goes on: %(what)s.") % {"what": one.name})
    return redirect("dashboard:recurring_page", pk)


def recurring_end(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask for the last day."""
    one = get_object_or_404(RecurringInvoice.objects.select_related("company"), pk=pk)
    url = reverse("dashboard:recurring_page", args=[pk])
    begun = {"last_on": one.ends_on or today(one.company, request.desk.now)}
    form = EndForm(request.POST or None, initial=begun, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            ended = end_recurring(one, form.cleaned_data["last_on"], by=request.user)
            said = {"what": one.name, "day": shown_day(ended.ends_on, "long")}
            messages.success(request, _("%(what)s: no invoice after %(day)s.") % said)
            return redirect(url)
    crumbs = [(_("Recurring"), reverse("dashboard:recurring")), (one.name, url)]
    lead = _("What was issued stays as it is. To go on later, change the last day.")
    return form_page(request, form, _("End %(what)s") % {"what": one.name}, crumbs=crumbs, lead=lead)


@require_POST
def recurring_skip(request: StaffRequest, pk: int) -> HttpResponse:
    """Leave a coming day out, or take that back."""
    one = get_object_or_404(RecurringInvoice.objects.select_related("company"), pk=pk)
    on = today(one.company, request.desk.now)
    with refusals_said(request):
        try:
            day = parse_date(request.POST.get("day", ""), "%Y-%m-%d")
        except ValueError as error:
            raise Refused(str(error), code="day", where="day") from None
        if request.POST.get("do") == "take_back":
            unskip_day(one, day, on=on, by=request.user)
        else:
            skip_day(one, day, on=on, by=request.user)
            messages.success(request, _("Left out: %(day)s.") % {"day": shown_day(day, "long")})
    return redirect("dashboard:recurring_page", pk)


@require_POST
def run_again(request: StaffRequest, pk: int) -> HttpResponse:
    """Issue, or mail, what was refused."""
    run = get_object_or_404(RecurringRun.objects.select_related("recurring__company"), pk=pk)
    on = today(run.recurring.company, request.desk.now)
    with refusals_said(request):
        tried = try_again(run, send_from=request.desk.now, on=on, by=request.user)
        if tried.refused_because:
            raise Refused(tried.refused_because)
        messages.success(request, _("Issued: %(number)s.") % {"number": tried.invoice})
    return back(request, "dashboard:recurring_page", run.recurring_id)


@require_POST
def run_leave_out(request: StaffRequest, pk: int) -> HttpResponse:
    """Say that it stays as it is."""
    run = get_object_or_404(RecurringRun.objects.select_related("recurring"), pk=pk)
    leave_out(run, by=request.user)
    messages.success(request, _("Off the list: %(what)s.") % {"what": run.recurring.name})
    return back(request, "dashboard:recurring_page", run.recurring_id)
