"""What a client does from a private link: look, take the PDF, answer. Nothing here is recorded by a GET."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from core.errors import Refused
from core.services import read_file, today
from invoices.mails import file_name
from invoices.models import Invoice, ShareLink
from invoices.pdf import PDF, invoice_pdf, item_statement_pdf
from invoices.services.linking import record_view
from policies.models import Policy
from policies.services import policy_of

from .answers import ANSWERS, refusal_to_client
from .colours import is_readable
from .door import back_to, is_staff, private_page, slow_down
from .limits import too_many
from .pages import page_of

ANSWERS_AT_MOST = 20  # by one link within ten minutes: what is said is kept for ever, and PDFs take time to print
PRINTS_AT_MOST = 30


@private_page
def invoice(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The page of an invoice."""
    if request.method == "POST":  # a fresh link was asked for on a page that has opened again meanwhile
        return back_to(request, address_of_page(link, token))
    return invoice_page(request, link, token)


@private_page
@require_safe
def pdf(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The invoice as PDF, or the statement of an item that was taken over from elsewhere."""
    subject = invoice_of(link)
    if subject.voided_at is not None:
        return back_to(request, address_of_page(link, token))
    if subject.is_taken_over:
        if too_many("print", str(link.pk), PRINTS_AT_MOST):
            return slow_down(request, is_right=True)
        content = item_statement_pdf(subject, today(subject.company), link.contact)
    else:
        content = read_file(invoice_pdf(subject).sha256)
    return HttpResponse(
        content, content_type=PDF, headers={"Content-Disposition": f'inline; filename="{file_name(subject)}"'}
    )


@private_page
@require_POST
def seen(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """A browser showed the page to somebody; what our own staff look at does not count."""
    if not is_staff(request):
        record_view(link, timezone.now())
    return HttpResponse(status=204)


@private_page
def answer(request: HttpRequest, link: ShareLink, token: str, answer: str) -> HttpResponseBase:
    """One of the answers: shown open on the page, or, when it is sent, told to us."""
    kind = ANSWERS[answer]
    subject = invoice_of(link)
    if request.method != "POST":
        return invoice_page(request, link, token, opened=answer)
    if subject.balance == 0 or is_staff(request) or (answer == "forward" and link.passed_on_to):
        return back_to(request, address_of_page(link, token))
    if too_many("answer", str(link.pk), ANSWERS_AT_MOST):
        return slow_down(request, is_right=True)
    on = today(subject.company)
    policy = policy_for(subject)
    form = kind.form(subject, policy, on, request.POST, request.FILES)
    mark_too_large(request, form)
    if form.is_valid():
        said = {**form.cleaned_data, "key": str(form.cleaned_data["key"])}
        try:
            kind.verb(link, **said, on=on, at=timezone.now())
            return back_to(request, address_of_page(link, token), "#told")
        except Refused as refused:
            message = refusal_to_client(refused, subject, policy, on, get_language() or "en")
            form.add_error(refused.where if refused.where in form.fields else None, message)
    return invoice_page(request, link, token, opened=answer, sent=form)


def mark_too_large(request: HttpRequest, form: Any) -> None:
    """A file that grew beyond the limit never arrives; the field it was meant for is told, so that it can say so."""
    for name in request.META.get("TOO_LARGE", ()):
        if name in form.fields:
            form.fields[name].too_large = True


def brand(request: HttpRequest, colour: str) -> HttpResponse:
    """A company's colour as a stylesheet: the content security policy lets no page carry its own."""
    if not is_readable(colour):
        raise Http404
    style = f":root {{ --brand: #{colour}; }}"
    return HttpResponse(style, content_type="text/css", headers={"Cache-Control": "public, max-age=31536000"})


def invoice_page(
    request: HttpRequest, link: ShareLink, token: str, *, opened: str = "", sent: Any = None, refused: str = ""
) -> HttpResponse:
    """The page of an invoice, with an answer open on it, or with why a payment could not begin."""
    subject = invoice_of(link)
    on, policy = today(subject.company), policy_for(subject)
    page = page_of(link, policy, on, get_language() or "en")
    address = address_of_page(link, token)
    forms: dict[str, Any] = {}
    if not page.is_view_only:
        forms = {name: kind.form(subject, policy, on, None, None) for name, kind in ANSWERS.items()}
        if sent is not None:
            forms[opened] = sent
    return render(
        request, "portal/invoice.html",
        {
            "page": page,
            "brand": page.accent[1:] if is_readable(page.accent[1:]) else "",
            "address": address,
            "forms": forms,
            "opened": opened,
            "refused": refused,
            "form_key": uuid.uuid4().hex,
            "is_staff": is_staff(request),
            "query": f"?lang={get_language()}" if request.GET.get("lang") else "",
        },
        status=422 if sent is not None or refused else 200,
    )


def invoice_of(link: ShareLink) -> Invoice:
    """The one invoice that a link opens."""
    assert link.invoice is not None
    return link.invoice


def policy_for(subject: Invoice) -> Policy:
    """The policy in force; where none is chosen, its bare defaults."""
    try:
        return policy_of(subject.company, today(subject.company))
    except Refused:
        return Policy()


def address_of_page(link: ShareLink, token: str) -> str:
    """The address of the page of an invoice, of which all it leads to begins."""
    return reverse("portal:invoice", args=[link.pk, token])
