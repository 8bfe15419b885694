"""Credit notes: writing one by line with what is left, its page, its paper, its mail; and writing an invoice anew."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.money import plain
from core.services import read_file, today
from dashboard.desk import StaffRequest, refusals_on, refusals_said
from dashboard.downloads import download
from dashboard.forms.papers import CreditNoteForm, ReaderForm
from dashboard.lists import Column, as_csv, in_order, page_of, wants_csv
from dashboard.pages import form_page
from dashboard.templatetags.ledger import money
from invoices.documents import recipient
from invoices.einvoice import einvoice_xml
from invoices.mails import as_file_name
from invoices.models import CreditNote, Invoice
from invoices.pdf import credit_note_pdf
from invoices.printing import CouldNotPrint
from invoices.services.replacing import is_taken_back, replace_invoice
from outbox.models import Message
from payments.services import creditable, credited_total, issue_credit_note
from payments.services.crediting import doc_of, preview_credit
from payments.services.sending import send_credit_note

ORDERS = {
    "number": ["series__year", "seq"], "client": ["client__name"], "invoice": ["invoice__number"],
    "issued_on": ["issued_on"], "total": ["total"],
}  # fmt: skip
COLUMNS = [
    Column("number", lambda n: n.number), Column("issued", lambda n: n.issued_on),
    Column("client number", lambda n: n.client.number), Column("client", lambda n: n.client.name),
    Column("invoice", lambda n: n.invoice.number), Column("net", lambda n: plain(n.net, n.currency)),
    Column("tax", lambda n: plain(n.tax, n.currency)), Column("total", lambda n: plain(n.total, n.currency)),
    Column("currency", lambda n: n.currency), Column("reason", lambda n: n.reason),
    Column("issued by", lambda n: n.issued_by),
]  # fmt: skip


def credit_notes(request: StaffRequest) -> HttpResponseBase:
    """What was credited, the latest first."""
    mine = CreditNote.objects.filter(company=request.desk.company).select_related("client", "invoice")
    wanted = request.GET.get("q", "").strip()
    shown = mine
    if wanted:
        shown = mine.filter(
            Q(number__icontains=wanted) | Q(client__name__icontains=wanted) | Q(invoice__number__icontains=wanted)
        )
    shown, order = in_order(request, shown, ORDERS, "-issued_on")
    if wants_csv(request):
        return as_csv("credit-notes", COLUMNS, shown.iterator())
    page = page_of(request, shown)
    context = {"page": page, "sort": order, "q": wanted, "any": bool(page) or mine.exists()}
    return render(request, "dashboard/papers/credit_notes.html", context)


def credit_note_new(request: StaffRequest, pk: int) -> HttpResponse:
    """So much of each line as is credited, with what that comes to before it is issued."""
    invoice = get_object_or_404(Invoice.objects.select_related("client__company", "company"), pk=pk)
    on, url = today(invoice.company, request.desk.now), reverse("dashboard:invoice", args=[pk])
    if invoice.issued_at is None or invoice.voided_at is not None:
        raise Http404
    rows = creditable(invoice)
    filled = {f"line-{row.line.position}": row.left for row in rows if row.left} if "all" in request.GET else {}
    form = CreditNoteForm(request.POST or None, rows=rows, initial=filled)
    do, preview = request.POST.get("do", ""), None
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            if do == "look":
                preview = preview_credit(invoice, form.wanted())
            else:
                note = issue_credit_note(
                    invoice, form.wanted(), reason=form.cleaned_data["reason"], key=form.cleaned_data["key"], on=on,
                    by=request.user,
                )
                _said(request, note)
                if do == "send":
                    return redirect("dashboard:credit_note_send", note.pk)
                return redirect("dashboard:credit_note", note.pk)
    credited = credited_total(invoice)
    context: dict[str, Any] = {
        "invoice": invoice, "form": form, "rows": form.lines(), "preview": preview, "credited": credited,
        "left": invoice.total - credited, "paid": invoice.total - credited - invoice.balance,
        "heading": _("Credit %(invoice)s") % {"invoice": invoice}, "crumbs": _crumbs(invoice, url), "url": url,
    }  # fmt: skip
    if preview is not None:
        context |= {"freed": max(preview.total - invoice.balance, 0), "owed": max(invoice.balance - preview.total, 0)}
    refused = form.is_bound and bool(form.errors)
    return render(request, "dashboard/papers/credit_note_new.html", context, status=422 if refused else 200)


def credit_note_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One credit note: its lines, what it changed, its paper and its messages."""
    note = _shown(pk)
    entries = note.invoice.entries.filter(doc=doc_of(note)).order_by("pk")
    context: dict[str, Any] = {
        "note": note, "lines": note.lines.select_related("line"), "entries": entries,
        "rounding": note.total - note.net - note.tax, "taken_back": is_taken_back(note.invoice),
        "sent": Message.objects.filter(key__startswith=f"{doc_of(note)}:send:").order_by("-pk"),
    }  # fmt: skip
    return render(request, "dashboard/papers/credit_note.html", context)


def credit_note_document(request: StaffRequest, pk: int) -> HttpResponse:
    """The PDF, the bytes the client gets."""
    note = _shown(pk)
    try:
        content = read_file(credit_note_pdf(note).sha256)
    except CouldNotPrint as why:
        messages.error(request, _("The PDF could not be made: %(why)s Try again.") % {"why": why})
        return redirect("dashboard:credit_note", pk)
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{as_file_name(note.number)}"'
    return answer


def credit_note_xml(request: StaffRequest, pk: int) -> HttpResponse:
    """The e-invoice of a credit note, as it is embedded in the PDF."""
    note = _shown(pk)
    xml = einvoice_xml(note)
    if xml is None:
        raise Http404
    return download(read_file(xml.sha256), as_file_name(note.number).replace(".pdf", ".xml"), "application/xml")


def credit_note_send(request: StaffRequest, pk: int) -> HttpResponse:
    """To whom it goes; it can be undone for ten seconds."""
    note = _shown(pk)
    url = reverse("dashboard:credit_note", args=[pk])
    meant = note.invoice.contact or recipient(note.client)
    form = ReaderForm(request.POST or None, client=note.client, initial={"contact": meant}, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            on, to = today(note.company, request.desk.now), form.cleaned_data["contact"]
            message = send_credit_note(note, contact=to, on=on, by=request.user)
            messages.success(
                request, _("On its way to %(to)s in ten seconds.") % {"to": to.name},
                extra_tags=f"undo:{reverse('dashboard:outbox_undo', args=[message.pk])}",
            )  # fmt: skip
            return redirect(url)
    crumbs = [(_("Credit notes"), reverse("dashboard:credit_notes")), (note.number, url)]
    lead = _("With its PDF, and a private link to the invoice %(invoice)s.") % {"invoice": note.invoice}
    return form_page(request, form, _("Send %(number)s") % {"number": note}, crumbs=crumbs, lead=lead)


@require_POST
def invoice_replace(request: StaffRequest, pk: int) -> HttpResponse:
    """Write an invoice anew that was taken back."""
    invoice = get_object_or_404(Invoice, pk=pk)
    with refusals_said(request):
        draft = replace_invoice(invoice, by=request.user)
        if draft.issued_at is None:
            messages.success(request, _("A draft in its place: correct it, and issue it."))
            return redirect("dashboard:invoice_edit", draft.pk)
        return redirect("dashboard:invoice", draft.pk)
    return redirect("dashboard:invoice", pk)


def _said(request: StaffRequest, note: CreditNote) -> None:
    words = {"number": note, "sum": money(note.total, note.currency), "invoice": note.invoice}
    messages.success(request, _("%(number)s takes %(sum)s off %(invoice)s.") % words)


def _crumbs(invoice: Invoice, url: str) -> list[tuple[str, str]]:
    return [(_("Invoices"), reverse("dashboard:invoices")), (str(invoice), url)]


def _shown(pk: int) -> CreditNote:
    rows = CreditNote.objects.select_related("client__company", "company", "invoice__contact", "pdf", "xml")
    return get_object_or_404(rows, pk=pk)
