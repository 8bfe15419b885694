"""What a payment provider is to us: begin a payment, prove that a call is genuine, ask, give money back. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

Kind = Literal[
    "pending", "succeeded", "failed", "abandoned", "refunded", "refund_failed", "chargeback", "chargeback_closed",
    "payout", "other",
]  # fmt: skip


class NotGenuine(Exception):
    """A call that the provider did not sign with our secret, or signed too long ago."""


class Unreachable(Exception):
    """The provider does not answer, and nobody knows whether it did what was asked; asking again is safe."""


class Declined(Exception):
    """The provider does not do what was asked; ``str()`` is its reason, in a sentence."""


@dataclass(frozen=True)
class Begin:
    """A payment to begin: our key, the sum, what it is for, and where the client returns to, paid or not."""

    key: str
    amount: Decimal
    currency: str
    company: str
    what_for: str
    language: str
    email: str
    back_to: str
    page: str


@dataclass(frozen=True)
class Begun:
    """The provider's reference of a payment begun, and the address at which the client goes on."""

    ref: str
    url: str


@dataclass(frozen=True)
class Given:
    """What the provider says of a refund: its reference, and whether the money is on its way for good."""

    ref: str
    done: bool


@dataclass(frozen=True)
class PayoutLine:
    """One movement in a payout: which payment of ours it belongs to, what reaches the bank, and the provider's fee.

    ``net`` is negative where money of a refund or a chargeback is kept back.
    """

    ref: str
    payment_ref: str
    net: Decimal
    fee: Decimal
    currency: str


@dataclass(frozen=True)
class Heard:
    """One word of a provider in ours: what happened, to which checkout or payment, how much, on which account.

    ``name`` is the provider's own word, ``about`` its number of the refund, dispute or payout, ``amount`` what the
    event speaks of (for «refunded»: all that was given back of the payment so far). ``checkout`` is our own key.
    """

    event_id: str
    kind: Kind
    name: str
    happened_at: dt.datetime
    checkout: str = ""
    ref: str = ""
    payment_ref: str = ""
    amount: Decimal | None = None
    currency: str = ""
    account: str = ""
    about: str = ""
    because: str = ""
    won: bool = False
    lines: tuple[PayoutLine, ...] = ()


class Provider(Protocol):
    """A payment provider. ``account`` is which of its accounts is ours; what is said about another is refused."""

    name: str
    label: str

    @property
    def account(self) -> str: ...

    def start(self, begin: Begin) -> Begun:
        """Begin a payment; the same key again answers with the same one. Unreachable or Declined."""

    def verify_webhook(self, body: bytes, headers: Mapping[str, str], at: dt.datetime) -> Heard:
        """What a call says, once it is proven to come from the provider. NotGenuine, ValueError for nonsense."""

    def fetch(self, ref: str, at: dt.datetime) -> Heard | None:
        """What the provider says of a payment when asked; None while there is nothing new. Unreachable or Declined."""

    def refund(self, payment_ref: str, amount: Decimal, currency: str, key: str) -> Given:
        """Give money of a payment back; the same key again gives nothing more. Unreachable or Declined."""

    def payout(self, about: str) -> tuple[PayoutLine, ...]:
        """What a payout is made of. Unreachable or Declined."""
