"""Sending what this app writes: credit notes and statements of account."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from clients.models import Client, Contact
from clients.services import lock_client
from invoices.documents import recipient
from invoices.models import CreditNote
from invoices.services.sending import enqueue_document
from outbox.models import Message

from .crediting import doc_of


def send_credit_note(
    note: CreditNote, *, contact: Contact | None = None, on: dt.date, by: Any, not_before: dt.datetime | None = None
) -> Message:
    """Mail a credit note with its PDF to the contact given, to the invoice's own, or to accounts payable.

    Each call is a sending of its own, except while one to the same person waits. It leaves ten seconds later, so that
    it can be taken back. Refused where nobody can be written to.
    """
    to = contact or note.invoice.contact or recipient(note.client)
    with transaction.atomic():
        lock_client(note.client_id)
        told = {"credit_note": note.pk}
        sending = enqueue_document(doc_of(note), "credit_note", note.client, to, told, on, not_before)
        sending.keep(by, "credit_note_sending", note)
    return sending.message


def send_statement(
    client: Client, *, contact: Contact | None = None, on: dt.date, by: Any, not_before: dt.datetime | None = None
) -> Message:
    """Mail the statement of account with its PDF and a private link to all that is open; written when it leaves.

    Refused where nobody can be written to.
    """
    to = contact or recipient(client)
    with transaction.atomic():
        lock_client(client.pk)
        told = {"client": client.pk}
        sending = enqueue_document(f"statement:{client.pk}", "statement", client, to, told, on, not_before)
        sending.keep(by, "statement_sending", client)
    return sending.message
