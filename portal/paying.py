"""Paying by card or wallet: the way to the provider's page and back. How much is never taken from a form."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.errors import Refused
from core.services import today
from invoices.models import ShareLink
from invoices.services.linking import is_live, token_of
from payments.models import Checkout
from payments.services.checkouts import start_checkout

from .door import BAD_TOKENS, HEADERS, back_to, is_staff, language_of, private_page, slow_down
from .limits import address_of, too_many
from .payable import choices_of
from .views import address_of_page, invoice_of, invoice_page

PAYMENTS_AT_MOST = 20  # begun by one link within ten minutes
GOOD_FOR = dt.timedelta(days=1)  # the way back from a provider's page
_KEY = re.compile(r"[0-9a-f]{32}")


@private_page
@require_POST
def pay(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """Pay this invoice: one of the sums the page offers today, on the provider's page."""
    subject = invoice_of(link)
    if is_staff(request):
        return back_to(request, address_of_page(link, token))
    if too_many("pay", str(link.pk), PAYMENTS_AT_MOST):
        return slow_down(request, is_right=True)
    choices = choices_of(subject, today(subject.company))
    chosen = next((choice for choice in choices if choice.what == request.POST.get("what")), None)
    if chosen is None:
        return invoice_page(request, link, token, refused=_("The sum has changed meanwhile. Please choose again."))
    return begin(request, link, chosen.claims) or invoice_page(request, link, token, refused=refused_words())


def begin(request: HttpRequest, link: ShareLink, claims: Mapping[str, Decimal]) -> HttpResponse | None:
    """On to the provider's page; None where the payment cannot begin. One form begins one payment."""
    key = request.POST.get("key", "")
    try:
        begun = start_checkout(
            link, claims, at=timezone.now(), on=today(link.client.company), key=key if _KEY.fullmatch(key) else ""
        )
    except Refused:
        return None
    return HttpResponseRedirect(begun.url, status=303)


def refused_words() -> str:
    """What a client reads where a payment could not begin; what exactly stood in the way is no news to them."""
    return _("The payment could not begin, and nothing was charged. Please try again, or choose another way to pay.")


@require_safe
def checkout(request: HttpRequest, key: str) -> HttpResponse:
    """Back from the provider's page: on to the page the payment began on, for a day. Nothing is recorded by it."""
    now = timezone.now()
    begun = Checkout.objects.select_related("link__client__company", "link__contact").filter(key=key).first()
    link = begun.link if begun else None
    if begun is None or link is None or begun.started_at + GOOD_FOR < now or not is_live(link, now):
        if too_many("bad-token", address_of(request), BAD_TOKENS):
            return slow_down(request)
        response = render(request, "portal/closed.html", {"nobody": True}, status=404)
    else:
        address = reverse(f"portal:{link.kind}", args=[link.pk, token_of(link)])
        if link.kind == "invoice":
            response = HttpResponseRedirect(address, status=303)
        else:  # the cookie that keeps the statement open is sent from a page of ours alone
            with translation.override(language_of(request, link)):
                response = render(request, "portal/returned.html", {"address": address, "checkout": begun})
    for name, value in HEADERS.items():
        response[name] = value
    return response
