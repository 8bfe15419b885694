"""The payer's bank takes a payment back, and may have to give it again: entries for both, and a person is told."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from core.errors import Refused
from core.money import plain

from ..models import Payment, Refund
from ..telling import tell
from .refunds import put_in_again, refundable, take_out


def lose_to_chargeback(
    payment: Payment, amount: Decimal, *, key: str, because: str, on: dt.date, by: Any
) -> str:
    """The bank took money back: what it was put to is owed again. Under the client's lock; twice changes nothing.

    Refused where more is taken than is left of the payment: somebody has to look at it.
    """
    if Refund.objects.filter(key=key).exists():
        return str(_("Known already."))
    if amount > refundable(payment):
        raise Refused(
            _("%(amount)s %(currency)s was taken back, more than is left of the payment (%(left)s).") % {
                "amount": plain(amount, payment.currency), "currency": payment.currency,
                "left": plain(refundable(payment), payment.currency),
            },
            code="too_much",
        )
    reason = because or _("the payer disputes it")
    refund = take_out(payment, amount, kind="chargeback", key=key, reason=reason, on=on, by=by)
    words = _("Chargeback: %(amount)s %(currency)s of a payment by card was taken back (%(reason)s)") % {
        "amount": plain(amount, payment.currency), "currency": payment.currency, "reason": reason,
    }
    detail = _("Answer it at the provider in time, or talk to the client; what it had paid is open again.")
    tell(payment.client, f"chargeback:{refund.pk}", words, detail, on)
    return str(_("Taken back by the payer's bank; what it had paid is open again."))


def win_back(payment: Payment, amount: Decimal, *, key: str, won: bool, on: dt.date, by: Any) -> str:
    """The dispute is over: won, the money is back where it was; lost, it stays gone. In whatever order it is heard."""
    refund = Refund.objects.filter(key=key).first()
    if refund is None:
        if not won:
            return lose_to_chargeback(payment, amount, key=key, because="", on=on, by=by)
        Refund.objects.create(
            payment=payment, kind="chargeback", key=key, amount=amount, currency=payment.currency, state="won",
            reason=_("won before it was heard of"), asked_on=on, asked_by=by,
        )
        return str(_("Won; nothing was taken out."))
    if not won:
        return str(_("Lost; it stays taken back."))
    if refund.state == "done":
        put_in_again(refund, state="won", on=on, by=by)
    return str(_("Won; the money is back where it was."))
