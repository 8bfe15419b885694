"""Signatures of webhooks: an HMAC over the instant and the raw body, compared in constant time. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac

from .base import NotGenuine

TOLERANCE = dt.timedelta(minutes=5)


def signed(body: bytes, secret: str, at: dt.datetime) -> str:
    """The header of a body signed at an instant.

    >>> signed(b"{}", "s", dt.datetime(2026, 11, 22, tzinfo=dt.UTC))[:15]
    't=1795305600,v1'
    """
    stamp = int(at.timestamp())
    return f"t={stamp},v1={_digest(body, secret, stamp)}"


def check(body: bytes, header: str, secret: str, at: dt.datetime) -> None:
    """Refuse, with NotGenuine, what was not signed with the secret within five minutes of ``at``.

    >>> at = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    >>> check(b"{}", signed(b"{}", "s", at), "s", at)
    >>> check(b"{}", signed(b"{}", "s", at), "s", at + dt.timedelta(hours=1))
    Traceback (most recent call last):
    ...
    payments.providers.base.NotGenuine: signed more than 5 minutes away from now
    """
    if not secret:
        raise NotGenuine("there is no secret to check it with")
    parts = [part.split("=", 1) for part in header.split(",") if "=" in part]
    stamps = [value for name, value in parts if name.strip() == "t"]
    if len(stamps) != 1 or not stamps[0].isascii() or not stamps[0].isdecimal() or len(stamps[0]) > 12:
        raise NotGenuine("it has no signature")
    expected = _digest(body, secret, int(stamps[0]))
    given = [value for name, value in parts if name.strip() == "v1"]
    if not any(hmac.compare_digest(expected.encode(), value.encode()) for value in given):
        raise NotGenuine("the signature is not of this body")
    if abs(at.timestamp() - int(stamps[0])) > TOLERANCE.total_seconds():
        raise NotGenuine("signed more than 5 minutes away from now")


def _digest(body: bytes, secret: str, stamp: int) -> str:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
