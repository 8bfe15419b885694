"""Sending an invoice: a message goes into the outbox; it is written when it leaves, from the facts of that moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
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
        sending = enqueue_document(
            f"invoice:{invoice.pk}", "invoice", invoice.client, to, {"invoice": invoice.pk}, on, not_before
        )
        sending.keep(by, "invoice_sending", invoice)
    return sending.message


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
        told = {"invoice": invoice.pk, "words": words}
        sending = enqueue_document(
            f"invoice:{invoice.pk}", "invoice_again", invoice.client, to, told, on, not_before
        )
        sending.keep(by, "invoice_sent_again", invoice)
    return sending.message


@dataclass(frozen=True)
class Sending:
    """A message that takes a document to a reader; ``is_new`` where none to the same person waited already."""

    doc: str
    client: Client
    to: Contact
    message: Message
    is_new: bool

    def keep(self, by: Any, action: str, document: Any, doc: str = "") -> None:
        """Write down who sent what to whom; asked twice, it was sent once. ``doc`` where it belongs to another."""
        if self.is_new:
            summary = f"{document} to {self.to.name}"
            record(by, action, document, client_id=self.client.pk, doc=doc or self.doc, summary=summary)


def enqueue_document(
    doc: str, kind: str, client: Client, to: Contact | None, subject: dict[str, Any], on: dt.date,
    not_before: dt.datetime | None,
) -> Sending:
    """Put a document into the outbox as its n-th sending; while one to the same person waits, that one is the answer.

    It leaves ten seconds later unless an instant is given. Refused where nobody can be written to. The caller holds
    the lock of what is sent.
    """
    check_reader(client, to)
    assert to is not None
    earlier = Message.objects.filter(key__startswith=f"{doc}:send:").order_by("pk")
    for waiting in earlier.filter(state__in=STILL_HERE):
        if waiting.payload.get("contact") == to.pk:
            return Sending(doc, client, to, waiting, is_new=False)
    message = enqueue(
        f"{doc}:send:{earlier.exclude(key__contains=':r').count() + 1}", kind, f"client:{client.pk}", on,
        {**subject, "contact": to.pk}, not_before or timezone.now() + UNDO,
    )
    return Sending(doc, client, to, message, is_new=True)


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
