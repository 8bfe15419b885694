"""Sending what this app writes: credit notes and statements of account."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.services import record
from clients.models import Client, Contact
from clients.services import lock_client
from invoices.documents import recipient
from invoices.models import CreditNote
from invoices.services.sending import STILL_HERE, UNDO, check_reader
from outbox.models import Message
from outbox.services import enqueue

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
        message = _put_in(doc_of(note), "credit_note", note.client, to, {"credit_note": note.pk}, on, not_before)
        record(
            by, "credit_note_sending", note, client_id=note.client_id, doc=doc_of(note),
            summary=f"{note} to {to.name if to else ''}",
        )
    return message


def send_statement(
    client: Client, *, contact: Contact | None = None, on: dt.date, by: Any, not_before: dt.datetime | None = None
) -> Message:
    """Mail the statement of account with its PDF and a private link to all that is open; written when it leaves.

    Refused where nobody can be written to.
    """
    to = contact or recipient(client)
    with transaction.atomic():
        message = _put_in(f"statement:{client.pk}", "statement", client, to, {"client": client.pk}, on, not_before)
        record(by, "statement_sending", client, client_id=client.pk, summary=f"to {to.name if to else ''}")
    return message


def _put_in(
    doc: str, kind: str, client: Client, to: Contact | None, subject: dict[str, Any], on: dt.date,
    not_before: dt.datetime | None,
) -> Message:
    lock_client(client.pk)
    check_reader(client, to)
    assert to is not None
    earlier = Message.objects.filter(key__startswith=f"{doc}:send:").order_by("pk")
    for waiting in earlier.filter(state__in=STILL_HERE):
        if waiting.payload.get("contact") == to.pk:
            return waiting
    return enqueue(
        f"{doc}:send:{earlier.exclude(key__contains=':r').count() + 1}", kind, f"client:{client.pk}", on,
        {**subject, "contact": to.pk}, not_before or timezone.now() + UNDO,
    )
