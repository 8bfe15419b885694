"""A request prints nothing: it waits a moment for the worker, and then says that the document will come."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from .printing import BeingPrepared, request_going_on

AGAIN_IN = 1  # seconds
HEADERS = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


class PrintedByTheWorker:
    """Marks the time of a request, and answers for a document that is not there yet: 202, and look again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with request_going_on():
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, why: Exception) -> HttpResponse | None:
        """The page that opens the document by itself; where something was sent, how to send it again."""
        if not isinstance(why, BeingPrepared):
            return None
        is_staff = request.user.is_authenticated
        looks_again = request.method in ("GET", "HEAD")
        with translation.override(why.language):
            answer = render(
                request, "being_prepared.html" if is_staff else "portal/being_prepared.html",
                {"looks_again": looks_again, "again": request.get_full_path()}, status=202,
            )
        for name, value in HEADERS.items():
            answer[name] = value
        if looks_again:
            answer["Refresh"] = str(AGAIN_IN)
        return answer
