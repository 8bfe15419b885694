"""What keeps the statement open in one browser: a signed cookie, half an hour, one link, sent from our pages only."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from invoices.models import ShareLink

from .door import is_staff

OPEN_FOR = dt.timedelta(minutes=30)
NAME = "statement"
SALT = "portal.statement.v1"


def is_opened(request: HttpRequest, link: ShareLink) -> bool:
    """Whether this browser gave the right code for this link within half an hour; our own people need none."""
    kept = request.get_signed_cookie(NAME, default="", salt=SALT, max_age=OPEN_FOR)
    return is_staff(request) or kept == _of(link)


def keep_open(response: HttpResponseBase, link: ShareLink) -> None:
    """From now on this browser sees the statement for half an hour; scripts and other sites never get the cookie."""
    response.set_signed_cookie(
        NAME, _of(link), salt=SALT, max_age=OPEN_FOR, path=f"/s/{link.pk}/", secure=settings.SESSION_COOKIE_SECURE,
        httponly=True, samesite="Strict",
    )


def close(response: HttpResponseBase, link: ShareLink) -> None:
    """Shut the statement in this browser."""
    response.delete_cookie(NAME, path=f"/s/{link.pk}/", samesite="Strict")


def _of(link: ShareLink) -> str:
    """A new token of the link shuts what was opened under the old one."""
    return f"{link.pk}.{link.version}"
