"""The statement: behind a private link and a mailed code, all that is open, paid together. Nothing comes of a GET."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.csvfile import lines
from core.money import plain
from core.services import today
from invoices.models import Invoice, ShareLink
from invoices.pdf import PDF, statement_pdf
from invoices.services.codes import try_code
from invoices.services.linking import link_for_statement, record_view, token_of
from invoices.services.passing import send_code

from .colours import is_readable
from .door import back_to, behind, is_staff, slow_down
from .door import private_page as behind_invoice
from .files import as_download, company_document, file_of_invoice, receipt_file
from .limits import address_of, too_many
from .opening import close, is_opened, keep_open
from .papers import receipts_of_client
from .payable import chosen_of, owed_by
from .paying import PAYMENTS_AT_MOST, begin, refused_words
from .statement_page import statement_page, together
from .views import PRINTS_AT_MOST, address_of_page

private_page = behind("statement")
CODES_AT_MOST = 10  # asked for from one address within ten minutes
GUESSES_AT_MOST = 20  # of one address within ten minutes, whatever links it has
MOST_CHOSEN = 500

View = Callable[..., HttpResponseBase]


def behind_the_code(view: View) -> View:
    """A view of an open statement; where it is not open in this browser, the page that asks for the code."""

    @private_page
    @wraps(view)
    def opened(request: HttpRequest, link: ShareLink, token: str, **extra: Any) -> HttpResponseBase:
        if not is_opened(request, link):
            return back_to(request, _address(link, token))
        return view(request, link, token, **extra)

    return opened


@behind_invoice
@require_POST
def from_invoice(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """From the page of an invoice to all that is open: the reader's own link to it, and a code on its way."""
    if link.passed_on_to:
        return back_to(request, address_of_page(link, token))
    if too_many("code", address_of(request), CODES_AT_MOST):
        return slow_down(request, is_right=True)
    now = timezone.now()
    theirs = link_for_statement(link.client, link.contact, now)
    if is_staff(request):
        return back_to(request, _address(theirs, token_of(theirs)))
    send_code(theirs, on=today(link.client.company, now), at=now)
    return back_to(request, _address(theirs, token_of(theirs)) + "code/", "#code")


@private_page
def statement(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """All that is open, or the page that asks for the code."""
    if request.method == "POST":  # a fresh link was asked for on a page that has opened again meanwhile
        return back_to(request, _address(link, token))
    if not is_opened(request, link):
        return _ask(request, link, token)
    return _page(request, link, token)


@private_page
def code(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """Mail a code (POST); where it is typed. The words are the same whether it could be mailed or not."""
    if request.method != "POST":
        return back_to(request, _address(link, token)) if is_opened(request, link) else _ask(
            request, link, token, asked=True
        )
    if too_many("code", address_of(request), CODES_AT_MOST):
        return slow_down(request, is_right=True)
    if not is_staff(request):
        now = timezone.now()
        send_code(link, on=today(link.client.company, now), at=now)
    return back_to(request, _address(link, token) + "code/", "#code")


@private_page
@require_POST
def unlock(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The code was typed: the right one opens the statement in this browser for half an hour."""
    if too_many("guess", address_of(request), GUESSES_AT_MOST):
        return slow_down(request, is_right=True)
    if not try_code(link, request.POST.get("code", "")[:40], timezone.now()):
        return _ask(request, link, token, asked=True, wrong=True)
    response = back_to(request, _address(link, token))
    keep_open(response, link)
    return response


@private_page
@require_POST
def lock(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """Shut the statement in this browser, as on a computer that others use too."""
    response = back_to(request, _address(link, token))
    close(response, link)
    return response


@behind_the_code
@require_POST
def seen(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """A browser showed the statement to somebody; what our own staff look at does not count."""
    if not is_staff(request):
        record_view(link, timezone.now())
    return HttpResponse(status=204)


@behind_the_code
def pay(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """What was chosen, its sum and how to pay it (GET); on to the provider's page (POST)."""
    sent = request.POST if request.method == "POST" else request.GET
    keys = sent.getlist("claim")[:MOST_CHOSEN]
    if request.method != "POST" or is_staff(request):
        return _pay_page(request, link, token, keys)
    if too_many("pay", str(link.pk), PAYMENTS_AT_MOST):
        return slow_down(request, is_right=True)
    chosen = chosen_of(owed_by(link.client, today(link.client.company)), keys)
    now = {one.key: one.amount for one in chosen}
    if not now or set(now) != set(keys) or _said(now) != sent.get("sum"):
        return _pay_page(request, link, token, keys, refused=_("The sum has changed meanwhile. Please look again."))
    return begin(request, link, now) or _pay_page(request, link, token, keys, refused=refused_words())


@behind_the_code
@require_safe
def pdf(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The statement of account as PDF."""
    if too_many("print", str(link.pk), PRINTS_AT_MOST):
        return slow_down(request, is_right=True)
    on = today(link.client.company)
    open_ones = Invoice.objects.open().of(link.client).select_related("company", "client").order_by("due_on", "pk")
    content = statement_pdf(link.client, [(invoice, invoice.balance) for invoice in open_ones], on, link.contact)
    return as_download(content, f"statement-{on.isoformat()}.pdf", PDF, inline=True)


@behind_the_code
@require_safe
def csv(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """What is open, for the client's own books: one line per claim."""
    on = today(link.client.company)
    header = ("document", "kind", "issued", "due", "currency", "total", "open")
    rows = (
        (
            one.invoice.number, one.charge.kind if one.charge else "invoice", one.invoice.issued_on,
            one.invoice.due_on, one.currency,
            plain(one.charge.amount if one.charge else one.invoice.total, one.currency),
            plain(one.open, one.currency),
        )
        for one in owed_by(link.client, on)
    )
    content = "".join(lines(header, rows)).encode()
    return as_download(content, f"statement-{on.isoformat()}.csv", "text/csv; charset=utf-8")


@behind_the_code
@require_safe
def invoice(request: HttpRequest, link: ShareLink, token: str, pk: int) -> HttpResponseBase:
    """The PDF of one of the client's own invoices."""
    own = Invoice.objects.issued().of(link.client).filter(intake=None)
    return file_of_invoice(get_object_or_404(own, pk=pk))


@behind_the_code
@require_safe
def receipt(request: HttpRequest, link: ShareLink, token: str, pk: int) -> HttpResponseBase:
    """The PDF of one of the client's own receipts."""
    found = next((one for one in receipts_of_client(link.client) if one.pk == pk), None)
    if found is None:
        raise Http404
    return receipt_file(found)


@behind_the_code
@require_safe
def document(request: HttpRequest, link: ShareLink, token: str, pk: int) -> HttpResponseBase:
    """One of our company's documents."""
    return company_document(link.client.company, pk)


def _ask(
    request: HttpRequest, link: ShareLink, token: str, *, asked: bool = False, wrong: bool = False
) -> HttpResponse:
    context = _frame(link, token) | {"asked": asked, "wrong": wrong}
    return render(request, "portal/code.html", context, status=422 if wrong else 200)


def _page(request: HttpRequest, link: ShareLink, token: str) -> HttpResponse:
    language = get_language() or "en"
    page = statement_page(link.client, today(link.client.company), language)
    return render(request, "portal/statement.html", _frame(link, token) | {
        "page": page, "is_staff": is_staff(request), "query": f"?lang={language}" if request.GET.get("lang") else "",
    })  # fmt: skip


def _pay_page(
    request: HttpRequest, link: ShareLink, token: str, keys: list[str], *, refused: str = ""
) -> HttpResponse:
    language, on = get_language() or "en", today(link.client.company)
    chosen = together(link.client, keys, on, language)
    context = _frame(link, token) | {
        "chosen": chosen, "refused": refused, "is_staff": is_staff(request),
        "form_key": uuid.uuid4().hex, "sum": _said(chosen.claims) if chosen else "",
        "query": f"?lang={language}" if request.GET.get("lang") else "",
    }  # fmt: skip
    return render(request, "portal/together.html", context, status=422 if refused or not chosen else 200)


def _said(claims: dict[str, Any]) -> str:
    """What the client was shown to pay, so that a sum that has changed since is shown again before it is charged."""
    return "; ".join(f"{key}={amount.normalize():f}" for key, amount in sorted(claims.items()))


def _frame(link: ShareLink, token: str) -> dict[str, Any]:
    """Who writes: what every one of these pages has at its head and foot."""
    company, colour = link.client.company, link.client.company.accent[1:]
    return {
        "who": {
            "company": company.name, "initial": company.name[:1].upper(), "accent": company.accent,
            "email": company.email, "phone": company.phone, "client": link.client.name,
        },
        "brand": colour if is_readable(colour) else "", "address": _address(link, token),
    }  # fmt: skip


def _address(link: ShareLink, token: str) -> str:
    return reverse("portal:statement", args=[link.pk, token])
