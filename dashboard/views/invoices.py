"""Invoices: the list by state, writing one, issuing, and the page of one with all that its figures are made of."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.services.limits import limit_of
from clients.services.overrides import standing_overrides
from clients.services.status import status_of
from core.dates import show_day
from core.errors import Refused
from core.models import PaymentMethod
from core.money import plain
from core.permissions import may
from core.services import read_file, today
from dashboard.desk import StaffRequest, refusals_on, refusals_said
from dashboard.forms.invoices import VoidForm
from dashboard.lists import Column, as_csv, in_order, page_of, wants_csv
from dashboard.pages import form_page
from dashboard.reports.bulk import mend_link
from dashboard.reports.invoices import due_filter, invoices_of, parts_of, tab_filter, tabs_of
from dashboard.reports.policy_choice import policy_here
from dashboard.templatetags.ledger import AGES
from invoices.mails import file_name
from invoices.models import Invoice
from invoices.pdf import invoice_pdf
from invoices.printing import CouldNotPrint
from invoices.services.charging import entitled
from invoices.services.credit import credit_check
from invoices.services.drafting import delete_draft
from invoices.services.duplicating import duplicate_invoice
from invoices.services.exposure import exposure_of
from invoices.services.extending import extension_of
from invoices.services.issuing import check_issuable, issue_invoice, void_invoice
from invoices.services.parts import early_payment_of, part_label, terms_preview
from invoices.services.parts import parts_of as instalments_of
from invoices.services.replacing import is_taken_back
from invoices.services.sending import send_invoice
from payments.services.checkouts import in_flight
from policies.terms import check_rule, due_words

from .client_head import rights_of

ORDERS = {
    "number": ["number"], "client": ["client__name"], "issued_on": ["issued_on"], "due_on": ["due_on"],
    "total": ["total"], "balance": ["balance"],
}  # fmt: skip
TAB_LABELS = {
    "draft": gettext_lazy("Draft"), "open": gettext_lazy("Open"), "overdue": gettext_lazy("Overdue"),
    "disputed": gettext_lazy("Disputed"), "paid": gettext_lazy("Paid"), "all": gettext_lazy("All"),
}  # fmt: skip
COLUMNS = [
    Column("number", lambda i: i.number), Column("client number", lambda i: i.client.number),
    Column("client", lambda i: i.client.name), Column("issued", lambda i: i.issued_on),
    Column("due", lambda i: i.due_on), Column("currency", lambda i: i.currency),
    Column("total", lambda i: plain(i.total, i.currency)),
    Column("open", lambda i: plain(i.balance, i.currency)), Column("order", lambda i: i.po_number),
    Column("reference", lambda i: i.reference), Column("disputed", lambda i: "yes" if i.is_disputed else ""),
]  # fmt: skip


def invoices(request: StaffRequest) -> HttpResponseBase:
    """Invoices by state, with counts and sums of the filtered set on every tab."""
    on = request.desk.on
    rows = _filtered(request, request.GET)
    tab = _tab_of(request.GET)
    shown, order = in_order(
        request, listed(request, request.GET).select_related("client"), ORDERS,
        "due_on" if tab in ("open", "overdue", "disputed") else "-issued_on",
    )  # fmt: skip
    if wants_csv(request):
        return as_csv(f"invoices-{tab}", COLUMNS, shown.iterator())
    page = page_of(request, shown)
    context = {
        "page": page, "rows": [(invoice, invoice.state(on)) for invoice in page], "sort": order, "tab": tab,
        "tabs": [
            {"key": found.key, "label": TAB_LABELS[found.key], "count": found.count, "sums": found.sums}
            for found in tabs_of(rows, on)
        ], "q": request.GET.get("q", ""),
        "any": bool(page) or Invoice.objects.filter(company=request.desk.company).exists(),
        "due": request.GET.get("due", ""), "currency": request.GET.get("currency", ""),
        "ages": AGES.items(),
    }  # fmt: skip
    return render(request, "dashboard/invoices.html", context)


def listed(request: StaffRequest, given: Mapping[str, str]) -> QuerySet[Invoice]:
    """The invoices of the tab and the filters that an address or a form names."""
    return _filtered(request, given).filter(tab_filter(_tab_of(given), request.desk.on))


def _tab_of(given: Mapping[str, str]) -> str:
    tab = given.get("tab", "open")
    return tab if tab in TAB_LABELS else "open"


def _filtered(request: StaffRequest, given: Mapping[str, str]) -> QuerySet[Invoice]:
    """By number, client, order or reference; by bucket of age (?due=31-60), as the aging table links here."""
    rows, wanted = invoices_of(request.desk.company), given.get("q", "").strip()
    if wanted:
        rows = rows.filter(
            Q(number__icontains=wanted) | Q(client__name__icontains=wanted) | Q(client__number__iexact=wanted)
            | Q(po_number__icontains=wanted) | Q(reference__iexact=wanted.replace(" ", ""))
        )  # fmt: skip
    currency = given.get("currency", "")
    if currency:
        rows = rows.filter(currency=currency)
    return rows.filter(due_filter(given.get("due", ""), request.desk.on))


def credit_left(draft: Invoice, on: dt.date) -> dict[str, Any] | None:
    """What is left of the limit before a draft and after it; None where no limit was set in its currency."""
    limit = limit_of(draft.client, draft.currency, on)
    if limit is None:
        return None
    left = limit.amount - exposure_of(draft.client, draft.currency, on, without=draft).total
    return {
        "status": status_of(draft.client, on), "limit": limit.amount, "left": left, "after": left - draft.total,
        "currency": draft.currency,
    }  # fmt: skip


def invoice_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One invoice: its state, every figure with what it is made of, its links and messages."""
    invoice = get_object_or_404(
        Invoice.objects.select_related("client__company", "client__segment", "contact", "terms", "company", "intake"),
        pk=pk,
    )
    on = today(invoice.company, request.desk.now)
    parts = parts_of(invoice, on)
    words = due_words(invoice.due_on, on, "en") if invoice.due_on else ""
    context = {
        "invoice": invoice, "parts": parts, "state": invoice.state(on), "on": on, "due_words": words,
        "lines": list(invoice.lines.all()), "live_links": _live(request, parts),
        "charges_open": any(charge.balance for charge in parts.charges),
        "may_waive": may(request.user, "invoices.waive_charge"), "copy_key": f"copy:{uuid.uuid4()}",
        "policy": policy_here(invoice.client, on, invoice),
    }  # fmt: skip
    if invoice.issued_at is not None and invoice.voided_at is None:
        context["agreed"], context["entitled"] = extension_of(invoice, on), entitled(invoice, on)
    if invoice.balance:
        context["flying"] = in_flight(invoice)
    if context["state"] == "settled":
        context["credited_in_full"] = is_taken_back(invoice)
    context |= _when_due(invoice, on) | {"ways": [label for key, label in PaymentMethod.KINDS if key in invoice.ways]}
    if context["state"] == "draft":
        context |= {"verdict": credit_check(invoice, on, request.user), "rights": rights_of(request)}
        context["stopped"] = _stopped(invoice)
        context["credit"] = credit_left(invoice, on)
        context["exceptions"] = standing_overrides(invoice.client, on)
    return render(request, "dashboard/invoice.html", context)


def _stopped(draft: Invoice) -> dict[str, Any] | None:
    """Why a draft could not be issued as it stands, its credit apart, and where that is mended; None where it could."""
    try:
        check_issuable(draft)
        assert draft.terms is not None
        check_rule(draft.terms.as_rule())
    except Refused as refused:
        url, label = mend_link(draft, refused.code, refused.where)
        return {"says": refused.message, "url": url, "label": label}
    return None


def _when_due(invoice: Invoice, on: dt.date) -> dict[str, Any]:
    """Every part of an invoice with its day, a draft's as if it were issued today, and what paying early saves."""
    language = get_language() or "en"
    if invoice.issued_at is None:
        if invoice.terms is None:
            return {}
        try:
            plan = terms_preview(invoice.terms, on, invoice.company, invoice.total, invoice.currency, language)
        except Refused:
            return {}
        return {"plan": plan.parts, "early": plan.early.words(language) if plan.early else ""}
    early = early_payment_of(invoice, on)
    told: dict[str, Any] = {"early": early.words(language) if early else ""}
    if invoice.in_parts:
        all_of_it = instalments_of(invoice)
        told["plan"] = [
            {"label": part_label(part, all_of_it, language), "due_on": part.due_on, "amount": part.amount,
             "open": part.open, "late": bool(part.open) and part.due_on < on}
            for part in all_of_it
        ]  # fmt: skip
    return told


def _live(request: StaffRequest, parts: Any) -> list[dict[str, Any]]:
    from invoices.services.linking import url_of

    return [
        {"link": link, "url": url_of(link)}
        for link in parts.links
        if link.revoked_at is None and link.expires_at > request.desk.now
    ]


@require_POST
def invoice_issue(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = get_object_or_404(Invoice, pk=pk)
    return issue(request, invoice, then_send=request.POST.get("do") == "send")


def issue(request: StaffRequest, invoice: Invoice, *, then_send: bool) -> HttpResponse:
    """Issue a draft, and send it where that was asked; a refusal leaves the draft with the reason."""
    on = today(invoice.company, request.desk.now)
    if invoice.issued_at is not None:
        messages.warning(request, _("%(invoice)s is issued already; nothing was done again.") % {"invoice": invoice})
        return redirect("dashboard:invoice", invoice.pk)
    with refusals_said(request):
        delivered = bool(request.POST.get("delivered"))
        issued = issue_invoice(invoice, on=on, by=request.user, delivered=delivered)
        if not then_send:
            due = show_day(issued.due_on, "en") if issued.due_on else ""
            messages.success(
                request, _("Issued as %(number)s, due by %(due)s.") % {"number": issued.number, "due": due}
            )
            return redirect("dashboard:invoice", issued.pk)
        message = send_invoice(issued, on=on, by=request.user)
        messages.success(
            request, _("%(number)s is issued and leaves in ten seconds.") % {"number": issued.number},
            extra_tags=f"undo:{reverse('dashboard:outbox_undo', args=[message.pk])}",
        )  # fmt: skip
    return redirect("dashboard:invoice", invoice.pk)


@require_POST
def invoice_duplicate(request: StaffRequest, pk: int) -> HttpResponse:
    """A new draft with the lines of an invoice, opened to be changed; what could not be taken over is said."""
    invoice = get_object_or_404(Invoice, pk=pk)
    with refusals_said(request):
        key = request.POST.get("key", "")[:80] or None
        draft, changed = duplicate_invoice(invoice, key=key, by=request.user)
        messages.success(request, _("A new draft with the lines of %(invoice)s.") % {"invoice": invoice})
        for said in changed:
            messages.warning(request, said)
        return redirect("dashboard:invoice_edit", draft.pk)
    return redirect("dashboard:invoice", pk)


@require_POST
def invoice_delete(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = get_object_or_404(Invoice, pk=pk)
    with refusals_said(request):
        delete_draft(invoice, by=request.user)
        messages.success(request, _("The draft is thrown away."))
        return redirect(f"{reverse('dashboard:invoices')}?tab=draft")
    return redirect("dashboard:invoice", pk)


def invoice_void(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = get_object_or_404(Invoice.objects.select_related("company"), pk=pk)
    url = reverse("dashboard:invoice", args=[pk])
    form = VoidForm(request.POST or None, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            void_invoice(
                invoice,
                reason=form.cleaned_data["reason"],
                on=today(invoice.company, request.desk.now),
                by=request.user,
            )
            messages.success(request, _("%(invoice)s is void; its number stays.") % {"invoice": invoice})
            return redirect(url)
    lead = _("Only while nothing was sent or paid: what the client has seen is corrected by a document of its own.")
    crumbs = [(_("Invoices"), reverse("dashboard:invoices")), (str(invoice), url)]
    return form_page(request, form, _("Void %(invoice)s") % {"invoice": invoice}, crumbs=crumbs, lead=lead)


def invoice_document(request: StaffRequest, pk: int) -> HttpResponse:
    """The PDF of an issued invoice, the bytes the client gets."""
    invoice = get_object_or_404(Invoice, pk=pk)
    if invoice.issued_at is None or invoice.is_taken_over:
        raise Http404
    try:
        content = read_file(invoice_pdf(invoice).sha256)
    except CouldNotPrint as why:
        messages.error(request, _("The PDF could not be made: %(why)s Try again.") % {"why": why})
        return redirect("dashboard:invoice", pk)
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{file_name(invoice)}"'
    return answer
