"""The pages shown where nothing else can be: under a private link in a client's words and language, else the desk's."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

_PRIVATE = re.compile(r"/[a-z]/")  # the addresses of portal.urls: what it is a link to in one letter


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """There is nothing under this address."""
    return _page(request, "404.html", 404)


def broken(request: HttpRequest) -> HttpResponse:
    """Something failed that nobody foresaw; nothing here asks the database, which may be what failed."""
    return _page(request, "500.html", 500)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was not one of ours, or one of another session."""
    return _page(request, "403_csrf.html", 403)


def _page(request: HttpRequest, template: str, status: int) -> HttpResponse:
    """Whose link it is may be what is not known: so a client reads it in the browser's language, and meets no door."""
    shown: dict[str, Any] = {"for_client": bool(_PRIVATE.match(request.path_info))}
    language = translation.get_language_from_request(request) if shown["for_client"] else translation.get_language()
    with translation.override(language or "en"):
        answer = HttpResponse(render_to_string(template, shown), status=status)
        answer["Content-Language"] = language or "en"
    return answer
