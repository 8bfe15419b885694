"""Completed work: what waits for its invoice and for how long, adding to it, invoicing it, taking it off the list."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from clients.models import Client
from core.errors import Refused
from core.money import plain
from dashboard.desk import StaffRequest, refusals_on, refusals_said, row_number
from dashboard.forms.work import WorkForm
from dashboard.lists import Column, as_csv, in_order, page_of, wants_csv
from dashboard.pages import form_page
from dashboard.reports.invoice_editor import tax_for
from dashboard.templatetags.ledger import money
from invoices.models import CompletedWork, CompletedWorkQuerySet
from invoices.services.exposure import credits_of
from invoices.services.work import (
    change_work,
    days_to_invoice,
    late_work,
    record_work,
    release_work,
    remove_work,
    restore_work,
    sums_of,
)
from invoices.services.work_invoicing import Invoiced, invoice_work
from policies.models import Policy
from policies.services import policy_of

ORDERS = {
    "client": ["client__name"], "done_on": ["done_on"], "description": ["description"], "gross": ["gross"],
}  # fmt: skip
TABS = {
    "waiting": gettext_lazy("Waiting"), "late": gettext_lazy("Too long"), "refused": gettext_lazy("Refused"),
    "removed": gettext_lazy("Taken off"),
}  # fmt: skip
COLUMNS = [
    Column("client number", lambda w: w.client.number), Column("client", lambda w: w.client.name),
    Column("what", lambda w: w.description), Column("done on", lambda w: w.done_on),
    Column("quantity", lambda w: f"{w.quantity.normalize():f}"), Column("unit", lambda w: w.unit),
    Column("price", lambda w: f"{w.unit_price.normalize():f}"),
    Column("tax", lambda w: f"{w.tax_percent.normalize():f}"),
    Column("tax category", lambda w: w.tax_category), Column("reason for no tax", lambda w: w.exemption_reason),
    Column("amount", lambda w: plain(w.net, w.currency)), Column("total", lambda w: plain(w.gross, w.currency)),
    Column("currency", lambda w: w.currency), Column("order", lambda w: w.po_number), Column("key", lambda w: w.key),
    Column("not invoiced because", lambda w: w.refused_because),
]  # fmt: skip


def work(request: StaffRequest) -> HttpResponseBase:
    """What is done and not invoiced, the oldest first; what waits too long, or was refused, on tabs of their own."""
    company, on = request.desk.company, request.desk.on
    within = _within_days(request)
    mine = _found(request, CompletedWork.objects.filter(company=company))
    waiting = mine.filter(invoice=None, removed_at=None)
    late = late_work(company, on, within)
    lists = {
        "waiting": waiting, "late": waiting.filter(pk__in=late.order_by().values("pk")),
        "refused": waiting.stuck(), "removed": mine.filter(removed_at__isnull=False),
    }  # fmt: skip
    tab = request.GET.get("tab", "waiting")
    tab = tab if tab in TABS else "waiting"
    shown, order = in_order(request, lists[tab].select_related("client"), ORDERS, "done_on")
    if wants_csv(request):
        return as_csv(f"work-{tab}", COLUMNS, shown.iterator())
    page = page_of(request, shown)
    months = days_to_invoice(company, on)
    credits = credits_of(list({one.client_id: one.client for one in page}.values()), on)
    context = {
        "page": page, "rows": [(one, (on - one.done_on).days, credits[one.client_id]) for one in page],
        "sort": order, "tab": tab,
        "tabs": [{"key": key, "label": label, "count": lists[key].count()} for key, label in TABS.items()],
        "q": request.GET.get("q", ""), "within": within, "months": months,
        "sums": [money(each, currency) for currency, each in sums_of(CompletedWork.objects.waiting().filter(
            company=company)).items()] or ["—"],
        "late": late.count(), "late_sums": [money(each, currency) for currency, each in sums_of(late).items()] or ["—"],
        "any": bool(page) or bool(months) or CompletedWork.objects.filter(company=company).exists(),
    }  # fmt: skip
    return render(request, "dashboard/work.html", context)


def _found(request: StaffRequest, rows: CompletedWorkQuerySet) -> CompletedWorkQuerySet:
    wanted = request.GET.get("q", "").strip()
    if wanted:
        rows = rows.filter(
            Q(description__icontains=wanted) | Q(client__name__icontains=wanted) | Q(client__number__iexact=wanted)
            | Q(po_number__icontains=wanted) | Q(key__iexact=wanted)
        )  # fmt: skip
    asked = request.GET.get("client", "")
    return rows.filter(client=row_number(asked)) if asked.isdecimal() else rows


def _within_days(request: StaffRequest) -> int:
    """How soon work is to be invoiced by the company's policy; where it uses none, the policy's bare default."""
    try:
        policy = policy_of(request.desk.company, request.desk.on)
    except Refused:
        policy = Policy()
    return policy.invoice_within_days


def work_new(request: StaffRequest) -> HttpResponse:
    """Put completed work on the list."""
    url = reverse("dashboard:work")
    company = request.desk.company
    begun: dict[str, Any] = {"client": request.GET.get("client"), "done_on": request.desk.on}
    asked = Client.objects.filter(company=company, pk=row_number(request.GET.get("client", ""))).first()
    if asked is not None and (proposed := tax_for(asked, company)).sure:
        begun |= {"tax_percent": proposed.percent, "tax_category": "" if proposed.percent else proposed.category}
    form = WorkForm(request.POST or None, company=company, initial=begun, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            done = record_work(
                form.cleaned_data["client"], form.done(), on=request.desk.on, by=request.user
            )
            said = _("On the list: %(what)s, %(sum)s.") % {
                "what": done.description, "sum": money(done.gross, done.currency)
            }
            undo = reverse("dashboard:work_remove", args=[done.pk])
            messages.success(request, said, extra_tags=f"undo:{undo}")
            return redirect(url)
    lead = _("It is invoiced in the coming night by itself, or at once from the list.")
    return form_page(request, form, _("Add completed work"), crumbs=[(_("Completed work"), url)], lead=lead)


def work_edit(request: StaffRequest, pk: int) -> HttpResponse:
    """Put right what is said of work that waits; its client stays."""
    one = get_object_or_404(CompletedWork.objects.select_related("client__company"), pk=pk, removed_at=None)
    url = reverse("dashboard:work")
    form = WorkForm(request.POST or None, company=one.company, work=one, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            changed = change_work(one, form.done(), on=request.desk.on, by=request.user)
            messages.success(request, _("Kept: %(what)s.") % {"what": changed.description})
            return redirect(url)
    lead = one.refused_because
    return form_page(request, form, one.description, crumbs=[(_("Completed work"), url)], lead=lead)


@require_POST
def work_invoice(request: StaffRequest) -> HttpResponse:
    """Issue what was selected, or everything that waits; «send» mails it at once."""
    company = request.desk.company
    waiting = CompletedWork.objects.waiting().filter(company=company)
    chosen = [pk for said in request.POST.getlist("pk") if (pk := row_number(said))]
    everything = request.POST.get("all") == "yes"
    if not chosen and not everything:
        messages.error(request, _("Select the work to be invoiced first; nothing was done."))
        return redirect("dashboard:work")
    held = waiting.held().count() if everything else waiting.held().filter(pk__in=chosen).count()
    done = invoice_work(
        company, works=None if everything else list(waiting.filter(pk__in=chosen)),
        send_from=request.desk.now if request.POST.get("do") == "send" else None, on=request.desk.on, by=request.user,
    )  # fmt: skip
    _say(request, done, held)
    return redirect("dashboard:work")


def _say(request: StaffRequest, done: Invoiced, held: int) -> None:
    if done.invoices:
        numbers = ", ".join(str(invoice) for invoice in done.invoices[:5])
        if len(done.invoices) > 5:
            numbers += " …"
        said = ngettext("%(n)d invoice is issued: %(numbers)s", "%(n)d invoices are issued: %(numbers)s",
                        len(done.invoices))
        messages.success(request, said % {"n": len(done.invoices), "numbers": numbers})
    for left in done.left:
        messages.warning(request, _("Not invoiced: %(why)s") % {"why": left.sentence})
    for invoice, why in done.not_sent:
        messages.warning(request, _("%(invoice)s is issued and not mailed: %(why)s") % {"invoice": invoice, "why": why})
    if held:
        said = ngettext(
            "%(n)d piece of work waits because its invoice was voided: invoice it again, or take it off.",
            "%(n)d pieces of work wait because their invoice was voided: invoice them again, or take them off.",
            held,
        )
        messages.warning(request, said % {"n": held})
    if not (done.invoices or done.left or held):
        messages.info(request, _("Nothing of it waits any more; somebody has invoiced it meanwhile."))


@require_POST
def work_release(request: StaffRequest, pk: int) -> HttpResponse:
    """Say that work whose invoice was voided is to be invoiced again."""
    one = get_object_or_404(CompletedWork, pk=pk)
    with refusals_said(request):
        release_work(one, by=request.user)
        messages.success(request, _("To be invoiced again: %(what)s.") % {"what": one.description})
    return redirect("dashboard:work")


@require_POST
def work_remove(request: StaffRequest, pk: int) -> HttpResponse:
    """Take work off the list; it can be brought back."""
    one = get_object_or_404(CompletedWork, pk=pk)
    with refusals_said(request):
        remove_work(one, at=request.desk.now, by=request.user)
        undo = reverse("dashboard:work_restore", args=[pk])
        messages.success(
            request, _("Taken off the list: %(what)s.") % {"what": one.description}, extra_tags=f"undo:{undo}"
        )
    return redirect("dashboard:work")


@require_POST
def work_restore(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(CompletedWork, pk=pk)
    restore_work(one, by=request.user)
    messages.success(request, _("Back on the list: %(what)s.") % {"what": one.description})
    return redirect("dashboard:work")
