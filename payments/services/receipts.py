"""Receipts: what a client gets for money received, by itself, once for every payment."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.services import record
from clients.models import Contact
from clients.services import lock_client
from core.errors import Refused
from core.models import Company
from core.money import plain
from invoices.documents import recipient
from invoices.services.numbering import as_number, next_number
from invoices.services.sending import enqueue_document
from outbox.models import Message

from ..models import Payment, Receipt
from ..receipt_document import freeze_receipt
from .allocating import doc_of

log = logging.getLogger(__name__)

OPENING = "opening"  # money that came in before the item was taken over: whoever took it gave the receipt
SECOND_THOUGHTS = dt.timedelta(minutes=10)  # a mistyped payment is taken back before anybody is thanked for it
CAUGHT_UP = dt.timedelta(days=7)
NEWS_FOR = dt.timedelta(days=45)


def make_receipt(payment: Payment, *, on: dt.date, by: Any) -> Receipt:
    """Confirm money received by a document under a number of its own; the same payment again answers with its receipt.

    It says where the money stands at that moment. Refused for a payment taken back, and for money from before the
    item was taken over.
    """
    with transaction.atomic():
        lock_client(payment.client_id)
        standing = Receipt.objects.filter(payment=payment).first()
        if standing is not None:
            return standing
        if payment.method == OPENING:
            raise Refused("This money came in before the item was taken over; no receipt is due.", code="opening")
        if payment.reversal() is not None:
            raise Refused("This payment was taken back; nothing is left to confirm.", code="taken_back")
        facts = freeze_receipt(payment)
        series, seq = next_number(payment.company, on, "receipt")
        receipt = Receipt.objects.create(
            payment=payment, series=series, seq=seq, number=as_number(series, seq), made_on=on, frozen=facts
        )
        record(
            by, "receipt_made", receipt, client_id=payment.client_id, doc=doc_of(payment),
            summary=f"{receipt}: {plain(payment.amount, payment.currency)} {payment.currency}",
        )
    return receipt


def send_receipt(
    receipt: Receipt, *, contact: Contact | None = None, on: dt.date, by: Any, not_before: dt.datetime | None = None
) -> Message:
    """Mail a receipt to the contact given, or to accounts payable; each call is a sending of its own, unless one waits.

    Refused once the payment is taken back, and where nobody can be written to.
    """
    payment = receipt.payment
    with transaction.atomic():
        lock_client(payment.client_id)
        if payment.reversal() is not None:
            raise Refused("This payment was taken back; its receipt is not sent any more.", code="taken_back")
        to = contact or recipient(payment.client)
        sending = enqueue_document(
            f"receipt:{receipt.pk}", "receipt", payment.client, to, {"receipt": receipt.pk}, on, not_before
        )
        sending.keep(by, "receipt_sending", receipt, doc_of(payment))
    return sending.message


def without_receipt(company: Company, now: dt.datetime, on: dt.date) -> QuerySet[Payment]:
    """The payments of a company whose receipt is due: recorded lately, received lately, standing, and not confirmed.

    What a person recorded waits ten minutes for second thoughts; what a provider confirmed does not.
    """
    settled = Q(method="card") | Q(recorded_at__lte=now - SECOND_THOUGHTS)
    return (
        Payment.objects.standing().filter(settled, company=company, receipt=None).exclude(method=OPENING)
        .filter(recorded_at__gte=now - CAUGHT_UP, received_on__gte=on - NEWS_FOR).select_related("client", "company")
        .order_by("pk")
    )  # fmt: skip


def send_receipts(company: Company, *, now: dt.datetime, on: dt.date, by: Any) -> int:
    """Make and mail the receipts that are due; each in a transaction of its own. Answers how many were made.

    Where nobody can be written to the receipt is made all the same, and waits at the payment. One that cannot be made
    is logged and keeps no other back.
    """
    if not company.sends_receipts:
        return 0
    made = 0
    for payment in without_receipt(company, now, on):
        try:
            made += _thank(payment, now=now, on=on, by=by)
        except Exception:  # whatever is wrong with one payment, the others are thanked for
            log.exception("No receipt could be made for payment %s", payment.pk)
    return made


def _thank(payment: Payment, *, now: dt.datetime, on: dt.date, by: Any) -> int:
    with transaction.atomic():
        lock_client(payment.client_id)
        if payment.reversal() is not None:
            return 0
        receipt = make_receipt(payment, on=on, by=by)
        if recipient(payment.client) is not None:
            send_receipt(receipt, on=on, by=by, not_before=now)
    return 1
