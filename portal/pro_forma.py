"""The client's page of a pro forma: what it is, how much, until when, how to pay, its PDF. Nothing is asked of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.money import plain, show
from core.services import read_file, today
from invoices.mails import pro_forma_file_name
from invoices.models import ProForma, ShareLink
from invoices.paying import Row, Way
from invoices.pdf import PDF, pro_forma_pdf
from invoices.pro_formas import ProFormaDocument, pay_by_words, pro_forma_document, ways_of
from invoices.services.linking import record_view
from payments.services import paid_for

from .colours import is_readable
from .door import back_to, behind, is_staff, slow_down
from .limits import too_many
from .offer import Offer
from .views import PRINTS_AT_MOST

private_page = behind("pro_forma")


@dataclass(frozen=True)
class Page(Offer):
    """Everything on the page, in the reader's language; ``state`` is open, paid or cancelled."""

    state: str
    document: ProFormaDocument
    company: str
    initial: str
    accent: str
    email: str
    phone: str
    client: str
    amount: str
    sums: tuple[Row, ...]
    total: str
    arrived: str
    pay_by: str
    invoice: str
    ways: tuple[Way, ...]
    facts: tuple[Row, ...]


@private_page
def pro_forma(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The page of a pro forma."""
    address = reverse("portal:pro_forma", args=[link.pk, token])
    if request.method == "POST":  # a fresh link was asked for on a page that has opened again meanwhile
        return back_to(request, address)
    language = get_language() or "en"
    page = page_of(_latest(link), today(link.client.company), language)
    colour = page.accent[1:]
    context = {
        "page": page, "address": address, "is_staff": is_staff(request),
        "brand": colour if is_readable(colour) else "",
    }  # fmt: skip
    return render(request, "portal/pro_forma.html", context)


@private_page
@require_safe
def pdf(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The pro forma as PDF, the bytes that went with the mail; a cancelled one is not handed out any more."""
    shown = _latest(link)
    if shown.cancelled_at is not None:
        return back_to(request, reverse("portal:pro_forma", args=[link.pk, token]))
    if shown.pdf is None and too_many("print", str(link.pk), PRINTS_AT_MOST):
        return slow_down(request, is_right=True)
    name = pro_forma_file_name(shown)
    content = read_file(pro_forma_pdf(shown).sha256)
    return HttpResponse(content, content_type=PDF, headers={"Content-Disposition": f'inline; filename="{name}"'})


@private_page
@require_POST
def seen(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """A browser showed the page to somebody; what our own staff look at does not count."""
    if not is_staff(request):
        record_view(link, timezone.now())
    return HttpResponse(status=204)


def page_of(shown: ProForma, on: dt.date, language: str) -> Page:
    """The page of a pro forma on a day, read and never written."""
    document, facts, currency = pro_forma_document(shown, language), shown.frozen, shown.currency
    invoice = shown.invoice
    is_issued = invoice is not None and invoice.issued_at is not None
    state = "cancelled" if shown.cancelled_at is not None else "paid" if is_issued else "open"
    arrived = paid_for(shown) if state == "open" else Decimal(0)
    owed = max(shown.total - arrived, Decimal(0))
    return Page(
        state=state,
        document=document,
        company=facts["seller"]["name"],
        initial=facts["seller"]["name"][:1].upper(),
        accent=facts["seller"]["accent"],
        email=facts["seller"]["email"],
        phone=facts["seller"]["phone"],
        client=facts["buyer"]["name"],
        amount=show(owed, currency, language),
        sums=(
            Row(
                _("Amount"), show(owed, currency, language),
                plain(owed, currency).replace(".", "." if language == "en" else ","),
            ),
        ),
        total=document.total,
        arrived=show(arrived, currency, language) if arrived else "",
        pay_by=pay_by_words(shown.pay_by, on, language),
        invoice=str(invoice.number) if invoice is not None and is_issued else "",
        ways=ways_of(shown, owed) if state == "open" and owed else (),
        facts=(Row(_("For whom"), facts["buyer"]["name"]), *document.facts),
    )


def _latest(link: ShareLink) -> ProForma:
    """What the link shows: the latest pro forma of its draft, so that one made anew is found under the old address."""
    latest = ProForma.objects.filter(invoice=link.invoice).select_related("invoice", "pdf").order_by("-pk").first()
    assert latest is not None
    return latest
