"""Papers beside the invoice: receipts, an invoice once more under a new cover, and documents clients ask us for."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.services.company_documents import add_company_document, remove_company_document
from core.models import CompanyDocument
from core.money import plain
from core.services import read_file, stored_path, today
from dashboard.desk import StaffRequest, refusals_on, refusals_said
from dashboard.downloads import download
from dashboard.forms.papers import AgainForm, CompanyDocumentForm
from dashboard.lists import Column, as_csv, in_order, page_of, wants_csv
from dashboard.pages import form_page
from invoices.documents import recipient
from invoices.mails import as_file_name
from invoices.models import Invoice
from invoices.printing import CouldNotPrint
from invoices.services.sending import resend_invoice
from payments.models import Payment, Receipt
from payments.receipt_document import receipt_pdf
from payments.services.receipts import make_receipt, send_receipt

ORDERS = {
    "number": ["series__year", "seq"], "client": ["payment__client__name"], "made_on": ["made_on"],
    "amount": ["payment__amount"],
}  # fmt: skip
COLUMNS = [
    Column("number", lambda r: r.number), Column("made", lambda r: r.made_on),
    Column("client number", lambda r: r.payment.client.number), Column("client", lambda r: r.payment.client.name),
    Column("received", lambda r: r.payment.received_on),
    Column("amount", lambda r: plain(r.payment.amount, r.payment.currency)),
    Column("currency", lambda r: r.payment.currency),
]  # fmt: skip


def receipts(request: StaffRequest) -> HttpResponseBase:
    """What clients got for their money, the latest first."""
    mine = Receipt.objects.filter(payment__company=request.desk.company).select_related("payment__client")
    wanted = request.GET.get("q", "").strip()
    shown = mine
    if wanted:
        shown = mine.filter(Q(number__icontains=wanted) | Q(payment__client__name__icontains=wanted))
    shown, order = in_order(request, shown, ORDERS, "-made_on")
    if wants_csv(request):
        return as_csv("receipts", COLUMNS, shown.iterator())
    page = page_of(request, shown)
    context = {"page": page, "sort": order, "q": wanted, "any": bool(page) or mine.exists(),
               "company": request.desk.company}  # fmt: skip
    return render(request, "dashboard/papers/receipts.html", context)


@require_POST
def payment_receipt(request: StaffRequest, pk: int) -> HttpResponse:
    """Make the receipt of a payment where there is none, and send it where that was asked."""
    payment = get_object_or_404(Payment.objects.select_related("client__company", "company"), pk=pk)
    on = today(payment.company, request.desk.now)
    with refusals_said(request):
        receipt = make_receipt(payment, on=on, by=request.user)
        if request.POST.get("do") == "send":
            message = send_receipt(receipt, on=on, by=request.user)
            messages.success(
                request, _("%(number)s leaves in ten seconds.") % {"number": receipt},
                extra_tags=f"undo:{reverse('dashboard:outbox_undo', args=[message.pk])}",
            )  # fmt: skip
        else:
            messages.success(request, _("%(number)s is made.") % {"number": receipt})
    return redirect("dashboard:payment", pk)


def receipt_document(request: StaffRequest, pk: int) -> HttpResponse:
    """The PDF, the bytes the client gets."""
    receipt = get_object_or_404(Receipt.objects.select_related("pdf", "payment"), pk=pk)
    try:
        content = read_file(receipt_pdf(receipt).sha256)
    except CouldNotPrint as why:
        messages.error(request, _("The PDF could not be made: %(why)s Try again.") % {"why": why})
        return redirect("dashboard:payment", receipt.payment_id)
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{as_file_name(receipt.number)}"'
    return answer


def invoice_again(request: StaffRequest, pk: int) -> HttpResponse:
    """The same PDF once more, under a cover letter of today."""
    invoice = get_object_or_404(Invoice.objects.select_related("client__company", "company", "contact"), pk=pk)
    url = reverse("dashboard:invoice", args=[pk])
    meant = invoice.contact or recipient(invoice.client)
    form = AgainForm(request.POST or None, client=invoice.client, initial={"contact": meant}, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            to = form.cleaned_data["contact"]
            message = resend_invoice(
                invoice, contact=to, words=form.cleaned_data["words"], on=today(invoice.company, request.desk.now),
                by=request.user,
            )
            messages.success(
                request, _("On its way to %(to)s in ten seconds.") % {"to": to.name},
                extra_tags=f"undo:{reverse('dashboard:outbox_undo', args=[message.pk])}",
            )  # fmt: skip
            return redirect(url)
    crumbs = [(_("Invoices"), reverse("dashboard:invoices")), (str(invoice), url)]
    lead = _("The PDF stays what it is, byte for byte; a cover letter says what is open today.")
    return form_page(request, form, _("Send %(invoice)s again") % {"invoice": invoice}, crumbs=crumbs, lead=lead)


def company_documents(request: StaffRequest) -> HttpResponse:
    """The documents every client of the company can get."""
    shown = request.desk.company.documents.filter(removed_at=None).select_related("file").order_by("kind", "name")
    return render(request, "dashboard/papers/documents.html", {"documents": shown, "on": request.desk.on})


def company_document_new(request: StaffRequest) -> HttpResponse:
    """Upload one."""
    url = reverse("dashboard:company_documents")
    form = CompanyDocumentForm(
        request.POST or None, request.FILES or None, too_large="TOO_LARGE" in request.META, cancel_url=url
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        with refusals_on(form):
            made = add_company_document(
                request.desk.company, (given["file"].name, given["file"].read()), kind=given["kind"],
                name=given["name"], valid_until=given["valid_until"], on=request.desk.on, by=request.user,
            )
            messages.success(request, _("Clients find %(name)s on their page.") % {"name": made.name})
            return redirect(url)
    lead = _("Such as a tax form, a letter of our bank or our registration: every client finds it on their page.")
    crumbs = [(_("Documents for clients"), url)]
    return form_page(request, form, _("Add a document for clients"), crumbs=crumbs, lead=lead)


def company_document(request: StaffRequest, pk: int) -> HttpResponse:
    """The file, to save."""
    found = get_object_or_404(CompanyDocument.objects.select_related("file"), pk=pk)
    if not stored_path(found.file.sha256).is_file():
        raise Http404(_("The file is no longer there; restore it from the backup."))
    return download(read_file(found.file.sha256), found.name, found.file.media_type)


@require_POST
def company_document_remove(request: StaffRequest, pk: int) -> HttpResponse:
    """Clients no longer see it."""
    found = get_object_or_404(CompanyDocument, pk=pk)
    remove_company_document(found, by=request.user)
    messages.success(request, _("Clients no longer see %(name)s.") % {"name": found.name})
    return redirect("dashboard:company_documents")
