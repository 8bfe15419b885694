"""Sending an invoice: a message goes into the outbox; it is written when it leaves, from the facts of that moment."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.services import record
from clients.models import Client, Contact
from core.errors import Refused
from invoices.documents import recipient
from invoices.models import Invoice, ShareLink
from outbox.models import Message
from outbox.services import enqueue

UNDO = dt.timedelta(seconds=10)
LONGEST_WORDS = 1000
STILL_HERE = ("held", "pending", "claimed")


def send_invoice(
    invoice: Invoice, *, contact: Contact | None = None, on: dt.date, by: Any, not_before: dt.datetime | None = None
) -> Message:
    """Mail an invoice, its private link and its PDF to the contact given, to the invoice's own, or to accounts payable.

    Each call is a message of its own (the n-th sending), except while one to the same person still waits: then that
    one is the answer. It leaves ten seconds later, so that it can be taken back. Refused for a draft, a void
    invoice, and where nobody can be written to.
    """
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update(of=("self",)).select_related("client", "contact").get(pk=invoice.pk)
        to = contact or invoice.contact or recipient(invoice.client)
        check_sendable(invoice)
        check_reader(invoice.client, to)
        assert to is not None
        earlier = Message.objects.filter(key__startswith=f"invoice:{invoice.pk}:send:").order_by("pk")
        for waiting in earlier.filter(state__in=STILL_HERE):
            if waiting.payload.get("contact") == to.pk:
                return waiting
        message = enqueue(
            f"invoice:{invoice.pk}:send:{earlier.exclude(key__contains=':r').count() + 1}", "invoice",
            f"client:{invoice.client_id}", on, {"invoice": invoice.pk, "contact": to.pk},
            not_before or timezone.now() + UNDO,
        )
        record(
            by, "invoice_sending", invoice, client_id=invoice.client_id, doc=f"invoice:{invoice.pk}",
            summary=f"{invoice} to {to.name}",
        )
    return message


def resend_invoice(
    invoice: Invoice, *, contact: Contact | None = None, words: str = "", on: dt.date, by: Any,
    not_before: dt.datetime | None = None,
) -> Message:
    """Mail an invoice once more at a client's wish: the same PDF, byte for byte, under a cover letter of today.

    ``words`` stand in the letter and in the mail. It counts as a sending like any other; while one to the same person
    waits, that one is the answer. Refused for a draft, a void invoice, and where nobody can be written to.
    """
    words = words.strip()
    if len(words) > LONGEST_WORDS:
        raise Refused(f"A cover letter takes at most {LONGEST_WORDS} characters of yours.", code="range", where="words")
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update(of=("self",)).select_related("client", "contact").get(pk=invoice.pk)
        to = contact or invoice.contact or recipient(invoice.client)
        check_sendable(invoice)
        check_reader(invoice.client, to)
        assert to is not None
        earlier = Message.objects.filter(key__startswith=f"invoice:{invoice.pk}:send:").order_by("pk")
        for waiting in earlier.filter(state__in=STILL_HERE):
            if waiting.payload.get("contact") == to.pk:
                return waiting
        message = enqueue(
            f"invoice:{invoice.pk}:send:{earlier.exclude(key__contains=':r').count() + 1}", "invoice_again",
            f"client:{invoice.client_id}", on, {"invoice": invoice.pk, "contact": to.pk, "words": words},
            not_before or timezone.now() + UNDO,
        )
        record(
            by, "invoice_sent_again", invoice, client_id=invoice.client_id, doc=f"invoice:{invoice.pk}",
            summary=f"{invoice} to {to.name}",
        )
    return message


def send_new_link(link: ShareLink, *, on: dt.date) -> Message | None:
    """Mail a fresh link to the address on file of whom the old one belonged to; once a day, whoever asks how often.

    Nothing where the invoice may not be shown or nobody can be written to: whoever asked is told the same words.
    """
    invoice = link.invoice
    if invoice is None:
        return None
    pro_forma = invoice.pro_formas.standing().first() if link.kind == "pro_forma" else None
    if pro_forma is None and (link.kind != "invoice" or invoice.issued_at is None or invoice.voided_at is not None):
        return None
    contact = link.client.contacts.reachable().filter(pk=link.contact_id or 0).first() or recipient(link.client)
    if contact is None:
        return None
    key, party = f"new_link:{link.pk}:{on.isoformat()}", f"client:{link.client_id}"
    if pro_forma is not None:
        subject = {"pro_forma": pro_forma.pk, "contact": contact.pk}
        return enqueue(key, "pro_forma", party, on, subject, timezone.now())
    return enqueue(key, "new_link", party, on, {"invoice": invoice.pk, "contact": contact.pk}, timezone.now())


def check_sendable(invoice: Invoice) -> None:
    """Refuse what is not sent: a draft, a void invoice."""
    if invoice.issued_at is None:
        raise Refused("A draft is not sent; issue it first.", code="draft")
    if invoice.voided_at is not None:
        raise Refused(f"{invoice} is void and is not sent any more.", code="void")


def check_reader(client: Client, to: Contact | None) -> None:
    """Refuse whom a document of the client cannot reach: nobody, somebody else's contact, an address that fails."""
    if to is None:
        raise Refused(
            f"{client} has nobody with an e-mail address that works; add a contact.", code="no_contact",
            where="contact",
        )
    if to.client_id != client.pk:
        raise Refused(f"{to} is not a contact of {client}.", code="foreign_contact", where="contact")
    if not to.is_active or not to.email or to.bounced_at is not None:
        raise Refused(
            f"Mail to {to.name} cannot arrive; correct the address or choose another contact.", code="unreachable",
            where="contact",
        )
