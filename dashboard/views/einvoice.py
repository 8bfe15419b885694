"""The e-invoice of an invoice at the desk: its XML to save, or what it lacks."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from core.services import read_file
from dashboard.desk import StaffRequest
from dashboard.downloads import download
from invoices.einvoice import XML, einvoice_ubl, einvoice_xml, lacks_of
from invoices.mails import file_name
from invoices.models import Invoice


def invoice_xml(request: StaffRequest, pk: int) -> HttpResponse:
    """The XML of an issued invoice, as it is embedded in the PDF, or in UBL; where there is none, what it lacks."""
    invoice = get_object_or_404(Invoice, pk=pk)
    if invoice.issued_at is None or invoice.is_taken_over:
        raise Http404
    ubl = request.GET.get("syntax") == "ubl"
    stored = None if ubl else einvoice_xml(invoice)
    content = einvoice_ubl(invoice) if ubl else read_file(stored.sha256) if stored else None
    if content is None:
        why = " ".join(f"{lack.says} ({lack.term}: {lack.name})" for lack in lacks_of(invoice))
        messages.error(request, _("%(invoice)s has no e-invoice. %(why)s") % {"invoice": invoice, "why": why})
        return redirect("dashboard:invoice", pk)
    name = file_name(invoice).removesuffix(".pdf")
    return download(content, f"{name}-ubl.xml" if ubl else f"{name}.xml", XML)
