"""Pro formas: a draft to be paid in advance; its page, its paper, its mail, and what becomes of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from core.models import LANGUAGES
from core.money import plain
from core.services import read_file, today
from dashboard.desk import StaffRequest, refusals_on, refusals_said
from dashboard.forms.invoices import SendForm
from dashboard.forms.pro_forma import CancelForm, ProFormaForm
from dashboard.lists import Column, as_csv, in_order, page_of, wants_csv
from dashboard.pages import form_page
from invoices.documents import recipient
from invoices.mails import preview_pro_forma, pro_forma_file_name
from invoices.models import Invoice, ProForma, ShareLink
from invoices.pdf import pro_forma_pdf
from invoices.printing import CouldNotPrint
from invoices.pro_formas import pro_forma_document
from invoices.services.linking import link_for_pro_forma, url_of
from invoices.services.pro_forma import cancel_pro_forma, doc_of, make_pro_forma, send_pro_forma
from outbox.models import Message
from payments.services import paid_for, release_paid, why_not_released

PAY_WITHIN = dt.timedelta(days=14)
ORDERS = {
    "number": ["number"], "client": ["invoice__client__name"], "made_on": ["made_on"], "pay_by": ["pay_by"],
    "total": ["total"],
}  # fmt: skip
TABS = {
    "standing": gettext_lazy("Waiting for payment"), "paid": gettext_lazy("Became an invoice"),
    "cancelled": gettext_lazy("Cancelled"),
}  # fmt: skip
COLUMNS = [
    Column("number", lambda p: p.number), Column("client", lambda p: p.frozen["buyer"]["name"]),
    Column("date", lambda p: p.made_on), Column("pay by", lambda p: p.pay_by),
    Column("total", lambda p: plain(p.total, p.currency)), Column("currency", lambda p: p.currency),
    Column("invoice", lambda p: p.invoice.number if p.invoice else ""),
    Column("reference", lambda p: p.frozen["reference"]),
    Column("cancelled because", lambda p: p.cancelled_because),
]  # fmt: skip


def pro_formas(request: StaffRequest) -> HttpResponseBase:
    """Pro formas by what became of them."""
    mine = ProForma.objects.filter(series__company=request.desk.company)
    wanted = request.GET.get("q", "").strip()
    if wanted:
        mine = mine.filter(Q(number__icontains=wanted) | Q(invoice__client__name__icontains=wanted))
    lists: dict[str, QuerySet[ProForma]] = {
        "standing": mine.standing(),
        "paid": mine.filter(cancelled_at=None, invoice__issued_at__isnull=False),
        "cancelled": mine.filter(cancelled_at__isnull=False),
    }
    tab = request.GET.get("tab", "standing")
    tab = tab if tab in TABS else "standing"
    shown, order = in_order(request, lists[tab].select_related("invoice__client"), ORDERS, "-made_on")
    if wants_csv(request):
        return as_csv(f"pro-formas-{tab}", COLUMNS, shown.iterator())
    page = page_of(request, shown)
    context = {
        "page": page, "sort": order, "tab": tab, "q": wanted, "on": request.desk.on,
        "tabs": [{"key": key, "label": label, "count": lists[key].count()} for key, label in TABS.items()],
        "any": bool(page) or ProForma.objects.filter(series__company=request.desk.company).exists(),
    }  # fmt: skip
    return render(request, "dashboard/pro_formas.html", context)


def pro_forma_new(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask for a draft to be paid in advance."""
    draft = get_object_or_404(Invoice.objects.select_related("client__company"), pk=pk)
    on, url = today(draft.company, request.desk.now), reverse("dashboard:invoice", args=[pk])
    form = ProFormaForm(request.POST or None, initial={"pay_by": on + PAY_WITHIN}, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            made = make_pro_forma(draft, form.cleaned_data["pay_by"], on=on, by=request.user)
            messages.success(request, _("%(number)s is made; send it by mail next.") % {"number": made.number})
            return redirect("dashboard:pro_forma", made.pk)
    lead = _(
        "The client sees the draft, and owes nothing by it. Once the money is here the invoice is issued by itself; "
        "until then the draft does not change."
    )
    crumbs = [(_("Invoices"), reverse("dashboard:invoices")), (str(draft.client), url)]
    return form_page(request, form, _("Make a pro forma"), crumbs=crumbs, lead=lead)


def pro_forma_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One pro forma: where it stands, the money that came in for it, its private page and its messages."""
    shown = _shown(pk)
    on = request.desk.on
    arrived = paid_for(shown)
    state = state_of(shown, on)
    live = ShareLink.objects.filter(kind="pro_forma", revoked_at=None, expires_at__gt=request.desk.now)
    links = live.filter(invoice=shown.invoice).select_related("contact") if shown.invoice else []
    context: dict[str, Any] = {
        "pro_forma": shown, "document": pro_forma_document(shown, "en"), "state": state,
        "arrived": arrived, "missing": max(shown.total - arrived, Decimal(0)),
        "payments": shown.payments.standing().order_by("received_on"),
        "client": shown.invoice.client if shown.invoice else None,
        "why_not": why_not_released(shown) if state in ("waiting", "late") and arrived >= shown.total else "",
        "links": [{"link": link, "url": url_of(link)} for link in links],
        "sent": Message.objects.filter(key__startswith=f"{doc_of(shown)}:send:").order_by("-pk"),
    }  # fmt: skip
    return render(request, "dashboard/pro_forma.html", context)


def state_of(shown: ProForma, on: dt.date) -> str:
    """waiting, late (its day has passed), paid or cancelled: a function of the facts and a day."""
    if shown.cancelled_at is not None or shown.invoice is None:
        return "cancelled"
    if shown.invoice.issued_at is not None:
        return "paid"
    return "late" if shown.pay_by < on else "waiting"


def pro_forma_document_pdf(request: StaffRequest, pk: int) -> HttpResponse:
    """The PDF, the bytes the client gets."""
    shown = _shown(pk)
    try:
        content = read_file(pro_forma_pdf(shown).sha256)
    except CouldNotPrint as why:
        messages.error(request, _("The PDF could not be made: %(why)s Try again.") % {"why": why})
        return redirect("dashboard:pro_forma", pk)
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{pro_forma_file_name(shown)}"'
    return answer


def pro_forma_send(request: StaffRequest, pk: int) -> HttpResponse:
    """The mail as it would leave now; sending it can be undone for ten seconds."""
    shown = _shown(pk)
    draft = shown.invoice
    if draft is None:
        raise Http404
    url = reverse("dashboard:pro_forma", args=[pk])
    meant = draft.contact or recipient(draft.client)
    form = SendForm(request.POST or None, client=draft.client, initial={"contact": meant}, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        meant = form.cleaned_data["contact"]
        if request.POST.get("do") != "look":
            with refusals_on(form):
                message = send_pro_forma(
                    shown, contact=meant, on=today(draft.company, request.desk.now), by=request.user
                )
                messages.success(
                    request, _("On its way to %(to)s in ten seconds.") % {"to": meant.name},
                    extra_tags=f"undo:{reverse('dashboard:outbox_undo', args=[message.pk])}",
                )  # fmt: skip
                return redirect(url)
    preview, trouble = None, ""
    if meant is not None and state_of(shown, request.desk.on) in ("waiting", "late"):
        try:
            preview = preview_pro_forma(shown, meant, request.desk.now)
        except CouldNotPrint as why:
            trouble = str(why)
    crumbs = [(_("Pro formas"), reverse("dashboard:pro_formas")), (shown.number, url)]
    return form_page(
        request, form, _("Send %(invoice)s") % {"invoice": shown}, crumbs=crumbs,
        template="dashboard/invoice_send.html", invoice=draft, preview=preview, trouble=trouble, meant=meant,
        language=dict(LANGUAGES).get(meant.speaks()) if meant else "",
    )  # fmt: skip


def pro_forma_cancel(request: StaffRequest, pk: int) -> HttpResponse:
    shown = _shown(pk)
    url = reverse("dashboard:pro_forma", args=[pk])
    form = CancelForm(request.POST or None, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            cancel_pro_forma(shown, form.cleaned_data["reason"], on=request.desk.on, by=request.user)
            messages.success(request, _("%(number)s is cancelled; its draft can change again.") % {"number": shown})
            return redirect(url)
    lead = _("Its number stays. Money that came in for it becomes ordinary unapplied cash; the client's page says so.")
    crumbs = [(_("Pro formas"), reverse("dashboard:pro_formas")), (shown.number, url)]
    return form_page(request, form, _("Cancel %(number)s") % {"number": shown}, crumbs=crumbs, lead=lead)


@require_POST
def pro_forma_release(request: StaffRequest, pk: int) -> HttpResponse:
    """Issue the invoice of what is paid, where that was refused when the money came."""
    shown = _shown(pk)
    with refusals_said(request):
        invoice = release_paid(shown, on=request.desk.on, by=request.user)
        messages.success(request, _("%(number)s is issued and paid.") % {"number": invoice.number})
        return redirect("dashboard:invoice", invoice.pk)
    return redirect("dashboard:pro_forma", pk)


@require_POST
def pro_forma_link(request: StaffRequest, pk: int) -> HttpResponse:
    """A private link for whoever answers for the draft, to be copied into another channel."""
    shown = _shown(pk)
    if shown.invoice is None:
        raise Http404
    link_for_pro_forma(shown, shown.invoice.contact or recipient(shown.invoice.client), request.desk.now)
    messages.success(request, _("The link is made; copy it below."))
    return redirect("dashboard:pro_forma", pk)


def _shown(pk: int) -> ProForma:
    rows = ProForma.objects.select_related("invoice__client__company", "invoice__contact", "pdf")
    return get_object_or_404(rows, pk=pk)
