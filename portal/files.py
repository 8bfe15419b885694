"""Files a client takes from a private page: each is looked for among what the link may show, never by number alone."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from core.models import Company
from core.services import read_file, stored_path, today
from invoices.mails import file_name
from invoices.models import Invoice, ShareLink
from invoices.pdf import PDF, invoice_pdf
from payments.models import Receipt
from payments.receipt_document import receipt_pdf

from .door import back_to, private_page
from .papers import documents_of_company, receipts_of_invoice
from .views import address_of_page, invoice_of


def as_download(content: bytes, name: str, media_type: str, *, inline: bool = False) -> HttpResponse:
    """A file under a name of ours; ``inline`` is for what we made ourselves."""
    answer = HttpResponse(content, content_type=media_type)
    way = "inline" if inline else "attachment"
    answer["Content-Disposition"] = f'{way}; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def file_of_invoice(invoice: Invoice) -> HttpResponse:
    """The PDF of an issued invoice: printed once, then the same bytes for ever."""
    return as_download(read_file(invoice_pdf(invoice).sha256), file_name(invoice), PDF, inline=True)


def receipt_file(receipt: Receipt) -> HttpResponse:
    """The PDF of a receipt."""
    name = "".join(char if char.isascii() and char.isalnum() else "-" for char in receipt.number)
    return as_download(read_file(receipt_pdf(receipt).sha256), f"{name}.pdf", PDF, inline=True)


def company_document(company: Company, pk: int) -> HttpResponse:
    """A document our company gives to clients; to save, never shown in the browser under our address."""
    document = get_object_or_404(documents_of_company(company, today(company)), pk=pk)
    if not stored_path(document.file.sha256).is_file():
        raise Http404
    kept = "".join(char for char in document.name if char.isascii() and (char.isalnum() or char in " ._-")).strip()
    ending = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg"}.get(document.file.media_type, "")
    name = kept if kept.lower().endswith(ending) else f"{kept or 'document'}{ending}"
    return as_download(read_file(document.file.sha256), name or "document", document.file.media_type)


@private_page
@require_safe
def xml(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The e-invoice as XML, for the client's own software: the one inside the PDF, made with it."""
    subject = invoice_of(link)
    stored = subject.xml
    if stored is None or subject.voided_at is not None:
        return back_to(request, address_of_page(link, token))
    return as_download(read_file(stored.sha256), file_name(subject).removesuffix(".pdf") + ".xml", stored.media_type)


@private_page
@require_safe
def receipt(request: HttpRequest, link: ShareLink, token: str, pk: int) -> HttpResponseBase:
    """The receipt of a payment of this invoice alone."""
    found = next((one for one in receipts_of_invoice(invoice_of(link)) if one.pk == pk), None)
    if found is None:
        raise Http404
    return receipt_file(found)


@private_page
@require_safe
def document(request: HttpRequest, link: ShareLink, token: str, pk: int) -> HttpResponseBase:
    """One of our company's documents."""
    return company_document(link.client.company, pk)
