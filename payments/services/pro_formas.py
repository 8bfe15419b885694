"""Money that came for a pro forma: kept for it, and the invoice issued once all of it is here."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction

from audit.models import Event
from audit.services import record
from clients.models import Client
from core.errors import Refused
from core.money import plain
from invoices.models import Invoice, ProForma
from invoices.services.issuing import issue_invoice
from invoices.services.pro_forma import draft_of, locked

from .allocating import put_to, unallocated


def release_paid(pro_forma: ProForma, *, on: dt.date, by: Any) -> Invoice:
    """Issue the invoice of a pro forma that is paid and put the money for it there, in one transaction.

    What was paid beyond the total stays unapplied cash. Once it is issued, money that came for it later is put to it.
    Refused while less than the total has come in, once it is cancelled, and for whatever issuing refuses.
    """
    with transaction.atomic():
        pro_forma = locked(pro_forma)
        if pro_forma.cancelled_at is not None:
            raise Refused(f"{pro_forma} is cancelled; issue its draft, or make a new pro forma.", code="cancelled")
        invoice, paid = draft_of(pro_forma), paid_for(pro_forma)
        if invoice.issued_at is None:
            if paid < pro_forma.total:
                currency = pro_forma.currency
                raise Refused(
                    f"{plain(paid, currency)} of {plain(pro_forma.total, currency)} {currency} has come in for "
                    f"{pro_forma}; it is issued when all of it is here.",
                    code="not_covered",
                )
            invoice = issue_invoice(invoice, on=on, by=by)
            record(
                by, "pro_forma_released", pro_forma, client_id=invoice.client_id, doc=f"pro_forma:{pro_forma.pk}",
                summary=f"{pro_forma}: {invoice}",
            )
        for payment in pro_forma.payments.order_by("received_on", "pk"):
            invoice.refresh_from_db(fields=["balance"])
            share = min(unallocated(payment), invoice.balance)
            if share > 0:
                put_to(payment, share, {f"invoice:{invoice.pk}": share}, max(on, payment.received_on), by)
        invoice.refresh_from_db(fields=["balance"])
    return invoice


def paid_for(pro_forma: ProForma) -> Decimal:
    """The money that came in for a pro forma and is not put to anything yet."""
    return sum((unallocated(payment) for payment in pro_forma.payments.all()), Decimal(0))


def why_not_released(pro_forma: ProForma) -> str:
    """The sentence with which issuing was refused when the money had come in; empty where it never was."""
    told = Event.objects.filter(
        object_type=pro_forma._meta.label_lower, object_id=str(pro_forma.pk), action="pro_forma_not_released"
    )
    last = told.order_by("-pk").first()
    return last.summary if last else ""


def checked_for(pro_forma: ProForma, client: Client, currency: str) -> ProForma:
    """The pro forma as it stands under the lock: it may have been released since the form was opened."""
    if pro_forma.invoice is not None and pro_forma.invoice.client_id != client.pk:
        raise Refused(f"{pro_forma} is not a pro forma of {client}.", code="foreign", where="pro_forma")
    pro_forma = locked(pro_forma)
    if pro_forma.cancelled_at is not None:
        raise Refused(
            f"{pro_forma} is cancelled; record the money without it, and it is unapplied cash.", code="cancelled",
            where="pro_forma",
        )
    if pro_forma.currency != currency:
        raise Refused(
            f"{pro_forma} is in {pro_forma.currency}, the payment in {currency}.", code="currency", where="pro_forma"
        )
    return pro_forma


def release_if_covered(pro_forma: ProForma, on: dt.date, by: Any) -> None:
    """Issue what is paid; where that is refused, the money stays recorded and the sentence is kept."""
    if draft_of(pro_forma).issued_at is None and paid_for(pro_forma) < pro_forma.total:
        return
    try:
        release_paid(pro_forma, on=on, by=by)
    except Refused as refused:
        record(
            by, "pro_forma_not_released", pro_forma, client_id=draft_of(pro_forma).client_id,
            doc=f"pro_forma:{pro_forma.pk}", summary=refused.message,
        )
