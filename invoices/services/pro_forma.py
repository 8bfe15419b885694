"""Pro formas: a draft is shown to the client to be paid in advance; once paid it is issued (payments.release_paid)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.services import record
from clients.models import Contact
from clients.services import lock_client
from clients.services.status import status_of
from core.errors import Refused
from core.models import as_text
from invoices.documents import recipient
from invoices.models import Invoice, ProForma
from invoices.pro_formas import freeze_pro_forma
from outbox.models import Message

from .drafting import totals_of
from .issuing import check_issuable
from .numbering import as_number, next_number
from .sending import enqueue_document

LONGEST = dt.timedelta(days=365)


def make_pro_forma(draft: Invoice, pay_by: dt.date, *, on: dt.date, by: Any) -> ProForma:
    """Ask for a draft to be paid in advance by a day: a number of its own series, all its facts frozen.

    Nothing is owed by it. While it stands, the draft neither changes nor goes away. The same again answers with the
    one that stands. Refused for an issued invoice, for a last day before today or more than a year ahead, for whatever
    could not be issued once it is paid, and for a client we no longer sell to.
    """
    if pay_by < on:
        raise Refused("The last day to pay lies before today; choose a later one.", code="past", where="pay_by")
    if pay_by > on + LONGEST:
        raise Refused(
            "An order waits for its money a year at most; choose an earlier last day.", code="too_late", where="pay_by",
        )
    with transaction.atomic():
        lock_client(draft.client_id)
        draft = (
            Invoice.objects.select_for_update(of=("self",)).select_related("client__company", "terms").get(pk=draft.pk)
        )
        if draft.issued_at is not None:
            raise Refused(f"{draft} is issued already; send the invoice itself.", code="issued")
        standing = draft.pro_formas.standing().first()
        if standing is not None:
            if standing.pay_by == pay_by:
                return standing
            raise Refused(
                f"The pro forma {standing} stands for this draft; cancel it before you make another.", code="standing",
            )
        status = status_of(draft.client, on)
        if status is not None and status.status == "closed":
            raise Refused(f"{draft.client} is closed: we no longer sell to them ({status.because}).", code="closed")
        check_issuable(draft)
        total = totals_of(draft).total
        series, seq = next_number(draft.company, on, "pro_forma")
        number = as_number(series, seq)
        pro_forma = ProForma.objects.create(
            invoice=draft, series=series, seq=seq, number=number, made_on=on, pay_by=pay_by, total=total,
            currency=draft.currency, frozen=freeze_pro_forma(draft, number), made_by=as_text(by),
        )
        record(
            by, "pro_forma_made", pro_forma, client_id=draft.client_id, doc=doc_of(pro_forma), summary=number,
        )
    return pro_forma


def cancel_pro_forma(pro_forma: ProForma, reason: str, *, on: dt.date, by: Any) -> ProForma:
    """Take a pro forma back: its draft may change again, money that came in for it is ordinary unapplied cash.

    Cancelling it again changes nothing. Refused without a reason, and once its invoice is issued.
    """
    if not reason.strip():
        raise Refused("Say why the pro forma is cancelled.", code="reason", where="reason")
    with transaction.atomic():
        pro_forma = locked(pro_forma)
        if pro_forma.cancelled_at is not None:
            return pro_forma
        invoice = draft_of(pro_forma)
        if invoice.issued_at is not None:
            raise Refused(f"{pro_forma} became the invoice {invoice}; it is no longer cancelled.", code="issued")
        pro_forma.cancelled_at, pro_forma.cancelled_because = timezone.now(), reason.strip()[:300]
        pro_forma.save(update_fields=["cancelled_at", "cancelled_because"])
        record(
            by, "pro_forma_cancelled", pro_forma, client_id=invoice.client_id, doc=doc_of(pro_forma), summary=reason,
            diff={"on": on.isoformat()},
        )
    return pro_forma


def send_pro_forma(
    pro_forma: ProForma, *, contact: Contact | None = None, on: dt.date, by: Any,
    not_before: dt.datetime | None = None,
) -> Message:
    """Mail a pro forma, its private link and its PDF; each call is a sending of its own, except while one waits.

    It leaves ten seconds later, so that it can be taken back. Refused once it is cancelled or its invoice is issued,
    and where nobody can be written to.
    """
    with transaction.atomic():
        pro_forma = locked(pro_forma)
        if pro_forma.cancelled_at is not None:
            raise Refused(f"{pro_forma} is cancelled and is not sent any more.", code="cancelled")
        draft = draft_of(pro_forma)
        if draft.issued_at is not None:
            raise Refused(f"{pro_forma} became the invoice {draft}; send that one.", code="issued")
        to = contact or draft.contact or recipient(draft.client)
        sending = enqueue_document(
            doc_of(pro_forma), "pro_forma", draft.client, to, {"pro_forma": pro_forma.pk}, on, not_before
        )
        sending.keep(by, "pro_forma_sending", pro_forma)
    return sending.message


def doc_of(pro_forma: ProForma) -> str:
    """The document key of a pro forma."""
    return f"pro_forma:{pro_forma.pk}"


def locked(pro_forma: ProForma) -> ProForma:
    """The pro forma as it stands, its client locked first so that two people never wait crosswise."""
    if pro_forma.invoice_id is not None:
        lock_client(draft_of(pro_forma).client_id)
    return ProForma.objects.select_for_update(of=("self",)).select_related("invoice__client__company").get(
        pk=pro_forma.pk
    )


def draft_of(pro_forma: ProForma) -> Invoice:
    """The draft of a pro forma, or the invoice it became. Refused where a cancelled one's draft was thrown away."""
    if pro_forma.invoice is None:
        raise Refused(f"{pro_forma} was cancelled and its draft thrown away.", code="cancelled")
    return pro_forma.invoice
