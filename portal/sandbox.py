"""The sandbox's own pages: whoever pays here chooses how it ends, and its words reach us by the same door as anybody's.

It lives on one's own machine only (PAYMENT_SANDBOX); elsewhere these addresses do not exist.
"""

from __future__ import annotations

import datetime as dt
import secrets
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.money import plain, round_money, show
from invoices.services.linking import url_of
from payments.models import Checkout
from payments.providers.sandbox import Sandbox
from payments.services.checkouts import back_to
from payments.services.hearing import receive

SANDBOX = Sandbox()
TIMES = 3  # how often a word comes that comes more than once


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """The page on which a client pays: each button is one way in which it can end."""
    checkout = _checkout(key)
    with translation.override(_language(checkout)):
        if request.method != "POST":
            return _show(request, checkout)
        outcome = request.POST.get("outcome", "")
        if checkout.state != "started" or outcome not in OUTCOMES:
            return _show(request, checkout, _("This payment is over; nothing more can be done here."), 409)
        if outcome == "decline":
            _says(checkout, "other", "payment.declined")
            return _show(request, checkout, _("Your bank declined it. Nothing was charged; try again."), 402)
        if outcome == "extra_step":
            return HttpResponseRedirect(reverse("providers:sandbox_confirm", args=[key]), status=303)
        OUTCOMES[outcome](checkout)
        return HttpResponseRedirect(back_to(checkout).removeprefix(settings.PUBLIC_URL), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, key: str) -> HttpResponseBase:
    """The extra step that a bank may ask for: confirmed it is paid, refused it is not."""
    checkout = _checkout(key)
    with translation.override(_language(checkout)):
        if request.method != "POST" or checkout.state != "started":
            return _show(request, checkout, step="confirm")
        if request.POST.get("answer") != "yes":
            _says(checkout, "other", "payment.not_confirmed")
            return _show(request, checkout, _("You did not confirm it. Nothing was charged; try again."), 402)
        _succeed(checkout)
        return HttpResponseRedirect(back_to(checkout).removeprefix(settings.PUBLIC_URL), status=303)


@require_POST
def bank(request: HttpRequest, key: str) -> HttpResponseBase:
    """What the payer's bank or the provider does later: a debit arrives or not, a payment is disputed, or paid out."""
    checkout, does = _checkout(key), request.POST.get("does", "")
    if does not in LATER.get(checkout.state, {}):
        raise Http404
    LATER[checkout.state][does](checkout)
    return HttpResponseRedirect(reverse("providers:sandbox", args=[key]), status=303)


def _succeed(checkout: Checkout) -> None:
    _says(checkout, "succeeded", "checkout.completed")


def _delay(checkout: Checkout) -> None:
    _says(checkout, "pending", "checkout.completed")


def _repeat(checkout: Checkout) -> None:
    """The same word three times, and once more under another number."""
    event = _event_id()
    for _n in range(TIMES):
        _says(checkout, "succeeded", "checkout.completed", event_id=event)
    _succeed(checkout)


def _in_disorder(checkout: Checkout) -> None:
    """A debit whose end is heard of before its beginning."""
    now = timezone.now()
    _says(checkout, "succeeded", "checkout.debit_succeeded", at=now)
    _says(checkout, "pending", "checkout.completed", at=now - dt.timedelta(minutes=2))


def _arrive(checkout: Checkout) -> None:
    _says(checkout, "succeeded", "checkout.debit_succeeded")


def _fail(checkout: Checkout) -> None:
    _says(checkout, "failed", "checkout.debit_failed", because=_("The account has not enough money."))


def _dispute(checkout: Checkout) -> None:
    _says(checkout, "chargeback", "dispute.created", about=f"sbd_{checkout.key}", because="not recognised")


def _win(checkout: Checkout) -> None:
    _says(checkout, "chargeback_closed", "dispute.closed", about=f"sbd_{checkout.key}", won=True)


def _pay_out(checkout: Checkout) -> None:
    """What arrived less the fee of the sandbox, 1.5 % and 0.25."""
    fee = round_money(checkout.amount * Decimal("0.015") + Decimal("0.25"), checkout.currency)
    line = {
        "ref": f"sbt_{checkout.key}", "payment_ref": _payment_ref(checkout), "net": str(checkout.amount - fee),
        "fee": str(fee), "currency": checkout.currency,
    }
    _says(
        checkout, "payout", "payout.paid", about=f"sbp_{checkout.key}", amount=str(checkout.amount - fee), lines=[line]
    )


OUTCOMES: dict[str, Any] = {
    "success": _succeed, "decline": None, "extra_step": None, "delayed": _delay, "duplicate": _repeat,
    "disorder": _in_disorder,
}
LATER: dict[str, dict[str, Any]] = {
    "pending": {"arrive": _arrive, "fail": _fail},
    "succeeded": {"dispute": _dispute, "win": _win, "pay_out": _pay_out},
}


def _says(
    checkout: Checkout, kind: str, name: str, *, event_id: str = "", at: dt.datetime | None = None, **facts: Any
) -> None:
    """The sandbox signs a word and calls, as a provider does."""
    said = {
        "event_id": event_id or _event_id(), "kind": kind, "name": name, "checkout": checkout.key,
        "ref": checkout.provider_ref, "payment_ref": _payment_ref(checkout), "currency": checkout.currency,
        "amount": plain(checkout.amount, checkout.currency),
        "happened_at": (at or timezone.now()).isoformat(),
    } | facts
    now = timezone.now()
    receive(SANDBOX, *SANDBOX.says(now, **said), at=now)
    checkout.refresh_from_db()


def _event_id() -> str:
    return f"sbe_{secrets.token_hex(12)}"


def _payment_ref(checkout: Checkout) -> str:
    return f"sbpi_{checkout.key[:24]}"


def _checkout(key: str) -> Checkout:
    if "sandbox" not in settings.PAYMENT_PROVIDERS:
        raise Http404
    mine = Checkout.objects.select_related("company", "client", "link__contact", "link__client__company")
    return get_object_or_404(mine, provider="sandbox", key=key)


def _language(checkout: Checkout) -> str:
    contact = checkout.link.contact if checkout.link else None
    return contact.speaks() if contact else checkout.client.language


def _show(
    request: HttpRequest, checkout: Checkout, said: str = "", status: int = 200, *, step: str = ""
) -> HttpResponse:
    language = translation.get_language() or "en"
    response = render(
        request, "portal/sandbox.html",
        {
            "checkout": checkout, "amount": show(checkout.amount, checkout.currency, language), "said": said,
            "step": step, "back": url_of(checkout.link).removeprefix(settings.PUBLIC_URL) if checkout.link else "",
            "address": reverse("providers:sandbox", args=[checkout.key]),
        },
        status=status,
    )
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
