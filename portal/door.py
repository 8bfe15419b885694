"""The door of every private page: which link opens, what is said where none does, and what goes with every answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import csrf_exempt

from ar_collections.services.terms_sending import send_new_terms_link
from core.services import today
from core.uploads import LARGEST_UPLOAD
from invoices.models import ShareLink
from invoices.services.linking import find, was_ours
from invoices.services.passing import send_new_page_link
from invoices.services.sending import send_new_link

from .limits import address_of, too_many

BAD_TOKENS = 10  # per address and ten minutes
ASKED_FOR_LINKS = 5
LARGEST_ID = 2**63 - 1
LARGEST_FORM = 3 * LARGEST_UPLOAD  # bytes: below it a form says which file was too large, beyond it nothing is read
HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


class _OwnForms(CsrfViewMiddleware):
    """Django's check, for pages that send no referrer: browsers then post «Origin: null», even to the same site.

    The token in the form must still match the cookie, and a browser that says where a request comes from must say
    that it comes from here.
    """

    def _origin_verified(self, request: HttpRequest) -> bool:
        if request.META["HTTP_ORIGIN"] == "null":
            return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        verified: bool = super()._origin_verified(request)  # type: ignore[misc]
        return verified


View = Callable[..., HttpResponseBase]


def behind(kind: str) -> Callable[[View], View]:
    """A view behind a private link of a kind: it gets the link that the address opens, in the reader's language."""

    def private(view: View) -> View:
        checked = decorator_from_middleware(_OwnForms)(view)

        @csrf_exempt
        @wraps(view)
        def opened(request: HttpRequest, link_id: int, token: str, **extra: Any) -> HttpResponseBase:
            link = find(kind, min(link_id, LARGEST_ID), token, timezone.now())
            if link is None:
                response: HttpResponseBase = closed(request, kind, link_id, token)
            elif _length(request) > LARGEST_FORM:
                response = render(request, "portal/too_large.html", status=413)
            else:
                with translation.override(language_of(request, link)):
                    response = checked(request, link, token, **extra)
                    response["Content-Language"] = translation.get_language() or "en"
            for name, value in HEADERS.items():
                response[name] = value
            return response

        return opened

    return private


def _length(request: HttpRequest) -> int:
    """How many bytes a browser is about to send; a request that does not say has no body that is read."""
    said = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(said) if said.isdecimal() else 0


private_page = behind("invoice")


def closed(request: HttpRequest, kind: str, link_id: int, token: str) -> HttpResponse:
    """One and the same page for every link that does not open; from it a fresh link can be asked for."""
    with translation.override(translation.get_language_from_request(request)):
        return _closed(request, kind, link_id, token)


def _closed(request: HttpRequest, kind: str, link_id: int, token: str) -> HttpResponse:
    if request.method != "POST":
        if too_many("bad-token", address_of(request), BAD_TOKENS):
            return slow_down(request)
        return render(request, "portal/closed.html", status=404)
    if too_many("new-link", address_of(request), ASKED_FOR_LINKS):
        return slow_down(request)
    link = was_ours(kind, min(link_id, LARGEST_ID), token)
    if link is not None:
        on = today(link.client.company)
        if kind in ("statement", "wishes"):
            send_new_page_link(link, on=on, at=timezone.now())
        else:
            (send_new_terms_link if kind == "terms" else send_new_link)(link, on=on)
    return render(request, "portal/asked.html")


def slow_down(request: HttpRequest, *, is_right: bool = False) -> HttpResponse:
    """What is read after too many attempts; ``is_right``: the link opens, and too much was asked for by it."""
    return render(request, "portal/slow_down.html", {"is_right": is_right}, status=429)


def language_of(request: HttpRequest, link: ShareLink) -> str:
    """The language asked for in the address, else the contact's, else the client's."""
    asked = request.GET.get("lang", "")
    if asked in dict(settings.LANGUAGES):
        return asked
    return link.contact.speaks() if link.contact else link.client.language


def is_staff(request: HttpRequest) -> bool:
    """Somebody of ours is looking: nothing counts as seen or said by the client."""
    return bool(request.user.is_authenticated)


def back_to(request: HttpRequest, address: str, place: str = "") -> HttpResponseRedirect:
    """Back to the page, in the language it was read in, at a place on it."""
    asked = request.GET.get("lang", "")
    language = f"?lang={asked}" if asked in dict(settings.LANGUAGES) else ""
    return HttpResponseRedirect(f"{address}{language}{place}", status=303)
