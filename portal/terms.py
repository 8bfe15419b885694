"""The client's page of our credit terms: read, and accepted by whoever writes a name. Nothing is recorded by a GET."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ar_collections.services.terms_sending import replaced_by, send_new_terms_link
from clients.models import Acceptance
from clients.services.accepting import LONGEST_NAME, accept_terms
from core.dates import show_day
from core.errors import Refused
from core.services import today
from invoices.models import ShareLink
from invoices.pdf import PDF
from invoices.services.linking import record_view
from invoices.terms_document import TermsDocument, terms_document, terms_file_name, terms_pdf
from policies.models import CreditTerms

from .colours import is_readable
from .door import back_to, behind, is_staff, slow_down
from .limits import too_many
from .views import ANSWERS_AT_MOST, PRINTS_AT_MOST

private_page = behind("terms")


class AcceptForm(forms.Form):
    """Who accepts, and that it was meant."""

    accepted_by = forms.CharField(
        label=gettext_lazy("Your name"), max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    agrees = forms.BooleanField(
        label=gettext_lazy("I have read these terms, and I accept them for the client named above."),
        error_messages={"required": gettext_lazy("Tick this to accept the terms.")},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "auto_id": "accept_%s"})


@dataclass(frozen=True)
class TermsPage:
    """Everything on the page, in the reader's language; ``state`` is open, accepted, replaced or read."""

    state: str
    document: TermsDocument
    company: str
    initial: str
    accent: str
    email: str
    phone: str
    client: str
    begins: str
    accepted: str


@private_page
def terms(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The page of a version of the terms."""
    if request.method == "POST":  # a fresh link was asked for on a page that has opened again meanwhile
        return back_to(request, _address(link, token))
    return _page(request, link, token)


@private_page
@require_safe
def pdf(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The terms as PDF."""
    if too_many("print", str(link.pk), PRINTS_AT_MOST):
        return slow_down(request, is_right=True)
    language = get_language() or "en"
    name = terms_file_name(_terms(link), language)
    content = terms_pdf(link.client, _terms(link), link.contact, language)
    return HttpResponse(content, content_type=PDF, headers={"Content-Disposition": f'inline; filename="{name}"'})


@private_page
@require_POST
def seen(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """A browser showed the page to somebody; what our own staff look at does not count."""
    if not is_staff(request):
        record_view(link, timezone.now())
    return HttpResponse(status=204)


@private_page
def accept(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The client accepts: a name and a tick. Staff cannot do it from here; on paper, it is recorded at the desk."""
    address = _address(link, token)
    if request.method != "POST" or is_staff(request):
        return back_to(request, address)
    if too_many("answer", str(link.pk), ANSWERS_AT_MOST):
        return slow_down(request, is_right=True)
    form = AcceptForm(request.POST)
    if form.is_valid() and not replaced_by(_terms(link), today(link.client.company)):
        try:
            accept_terms(
                link.client, _terms(link), contact=link.contact, accepted_by=form.cleaned_data["accepted_by"],
                at=timezone.now(),
            )
        except Refused:
            form.add_error("accepted_by", _("Write the name of the person who accepts."))
        else:
            return back_to(request, address, "#told")
    return _page(request, link, token, sent=form)


@private_page
@require_POST
def present(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The terms on this page were replaced: the present ones go to the address on file."""
    if too_many("answer", str(link.pk), ANSWERS_AT_MOST):
        return slow_down(request, is_right=True)
    if not is_staff(request):
        send_new_terms_link(link, on=today(link.client.company))
    return render(request, "portal/asked.html")


@behind("invoice")
@require_safe
def of_invoice(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The terms an invoice was issued on, to be read from its own page."""
    assert link.invoice is not None
    kept = link.invoice.frozen.get("credit_terms")
    back = reverse("portal:invoice", args=[link.pk, token])
    shown = CreditTerms.objects.filter(pk=kept["id"]).first() if kept else None
    if shown is None:
        return back_to(request, back)
    page = _read_only(link, shown, get_language() or "en")
    return _rendered(request, page, reverse("portal:invoice_terms", args=[link.pk, token]), back=back)


def page_of(link: ShareLink, on: dt.date, language: str) -> TermsPage:
    """The page of a link to the terms on a day, read and never written."""
    shown, company = _terms(link), link.client.company
    acceptance = Acceptance.objects.filter(client=link.client, terms=shown).first()
    accepted = ""
    if acceptance is not None:
        day = acceptance.accepted_at.astimezone(company.zone).date()
        accepted = _("Accepted by %(name)s on %(day)s.") % {
            "name": acceptance.accepted_by, "day": show_day(day, language)
        }
    state = "replaced" if replaced_by(shown, on) else "accepted" if acceptance else "open"
    page = _read_only(link, shown, language)
    return replace(page, state=state, accepted=accepted, begins=page.document.day if shown.effective_from > on else "")


def _read_only(link: ShareLink, shown: CreditTerms, language: str) -> TermsPage:
    company = link.client.company
    return TermsPage(
        state="read", document=terms_document(link.client, shown, link.contact, language), company=company.name,
        initial=company.name[:1].upper(), accent=company.accent, email=company.email, phone=company.phone,
        client=link.client.name, begins="", accepted="",
    )


def _page(request: HttpRequest, link: ShareLink, token: str, *, sent: AcceptForm | None = None) -> HttpResponse:
    page = page_of(link, today(link.client.company), get_language() or "en")
    form = None
    if page.state == "open":
        form = sent or AcceptForm(initial={"accepted_by": link.contact.name if link.contact else ""})
    return _rendered(request, page, _address(link, token), form=form, status=422 if sent is not None else 200)


def _rendered(request: HttpRequest, page: TermsPage, address: str, *, status: int = 200, **more: Any) -> HttpResponse:
    colour = page.accent[1:]
    context = {
        "page": page, "address": address, "is_staff": is_staff(request),
        "brand": colour if is_readable(colour) else "",
        "query": f"?lang={get_language()}" if request.GET.get("lang") else "", **more,
    }
    return render(request, "portal/terms.html", context, status=status)


def _terms(link: ShareLink) -> CreditTerms:
    assert link.terms is not None
    return link.terms


def _address(link: ShareLink, token: str) -> str:
    return reverse("portal:terms", args=[link.pk, token])
