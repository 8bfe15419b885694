"""A provider that behaves like one and moves no money: its page is ours, its words are signed and sent like anybody's.

Every outcome is chosen on its page. It keeps nothing: what it has to know stands in the words it sends.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args

from django.conf import settings
from django.urls import reverse

from .base import Begin, Begun, Given, Heard, Kind, PayoutLine
from .signing import check, signed

HEADER = "Sandbox-Signature"


class Sandbox:
    name = "sandbox"
    label = "Sandbox"
    account = "sandbox"

    @property
    def secret(self) -> str:
        """Derived from our own key, so that nobody outside can sign for the sandbox."""
        return hmac.new(settings.SECRET_KEY.encode(), b"ar.sandbox.v1", hashlib.sha256).hexdigest()

    def start(self, begin: Begin) -> Begun:
        # Without a host: it is our own, by whatever name the browser knows it, and a form may lead nowhere else.
        return Begun(f"sb_{begin.key}", reverse("providers:sandbox", args=[begin.key]))

    def verify_webhook(self, body: bytes, headers: Mapping[str, str], at: dt.datetime) -> Heard:
        check(body, headers.get(HEADER, ""), self.secret, at)
        said = json.loads(body)
        if not isinstance(said, dict) or said.get("kind") not in get_args(Kind):
            raise ValueError("this is no event of the sandbox")
        lines = tuple(
            PayoutLine(li["ref"], li["payment_ref"], Decimal(li["net"]), Decimal(li["fee"]), li["currency"])
            for li in said.get("lines", ())
        )
        text = {name: str(said.get(name) or "") for name in _TEXT}
        amount = Decimal(said["amount"]) if said.get("amount") else None
        happened_at = dt.datetime.fromisoformat(said["happened_at"])
        return Heard(
            kind=said["kind"], happened_at=happened_at, amount=amount, won=said.get("won") is True, lines=lines, **text
        )

    def fetch(self, ref: str, at: dt.datetime) -> Heard | None:
        return None

    def refund(self, payment_ref: str, amount: Decimal, currency: str, key: str) -> Given:
        return Given(f"sbr_{key}", True)

    def payout(self, about: str) -> tuple[PayoutLine, ...]:
        return ()

    def says(self, at: dt.datetime, **facts: Any) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of a word of the sandbox, as its webhook sends them."""
        body = json.dumps({"account": self.account, "happened_at": at.isoformat()} | facts, default=str).encode()
        return body, {HEADER: signed(body, self.secret, at)}


_TEXT = ("event_id", "name", "checkout", "ref", "payment_ref", "currency", "account", "about", "because")
