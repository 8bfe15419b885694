"""«Test to me»: the mail of an invoice as its client would get it, to a member of staff. It never counts as sent."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from audit.services import record
from clients.models import Contact
from core.errors import Refused
from outbox.kinds import Composed, Kind, register
from outbox.models import Message
from outbox.services import enqueue

from .mails import preview_invoice
from .models import Invoice
from .services.linking import only_looking
from .services.sending import check_sendable

KIND = "invoice_test"
BAND = "margin:0;padding:12px 16px;background:#fff3cd;color:#5c4400;font:600 14px sans-serif"


def register_kinds() -> None:
    register(Kind(KIND, compose=compose_test, may_go=may_go))


def send_test(
    invoice: Invoice, contact: Contact, *, to: str, language: str = "", key: str, on: dt.date, now: dt.datetime, by: Any
) -> Message:
    """Mail an invoice to a member of staff as ``contact`` would get it, in a language; the same key again is the same.

    It is no message to the client, so it counts neither as sent nor as today's message. Refused for a draft, a void
    invoice, and for somebody without an address.
    """
    check_sendable(invoice)
    if not to:
        raise Refused(
            "Your account has no e-mail address; enter it in the settings, then the test reaches you.",
            code="no_address",
        )
    payload = {"invoice": invoice.pk, "contact": contact.pk, "to": to, "language": language}
    message = enqueue(f"test:invoice:{invoice.pk}:{key}"[:200], KIND, "", on, payload, now)
    record(by, "test_mail", invoice, client_id=invoice.client_id, doc=f"invoice:{invoice.pk}", summary=f"test to {to}")
    return message


def as_read(invoice: Invoice, contact: Contact, language: str, now: dt.datetime) -> Composed:
    """The mail as it would leave now in a language, its contact's own where that is empty; no link is made."""
    if language:
        contact.language = language
    with only_looking():
        return preview_invoice(invoice, contact, now)


def compose_test(message: Message, now: dt.datetime) -> Composed:
    """The mail of the client, marked as a test in its subject and its first line; the address in it opens nothing."""
    told = message.payload
    invoice = Invoice.objects.select_related("client__company", "company").get(pk=told["invoice"])
    contact = Contact.objects.select_related("client").get(pk=told["contact"])
    mail = as_read(invoice, contact, told.get("language", ""), now)
    with translation.override(contact.speaks()):
        first = _("This is a test. %(who)s has not got it; the private link in it opens nothing.") % {
            "who": f"{contact.name} <{contact.email}>" if contact.email else contact.name
        }
        subject = _("Test: %(subject)s") % {"subject": mail.subject}
    return replace(
        mail, to_name="", to_addr=told["to"], cc_addr="", reply_to="", subject=subject,
        text=f"{first}\n\n{mail.text}", html=marked(mail.html, first),
    )  # fmt: skip


def marked(html: str, first: str) -> str:
    """The sentence stands above everything else in the body."""
    head, body, rest = html.partition("<body")
    if not body:
        return html
    tag, _closed, inside = rest.partition(">")
    said = f'<p style="{BAND}">{escape(first)}</p>'
    return f"{head}{body}{tag}>{said}{inside}"


def may_go(message: Message, now: dt.datetime) -> str:
    """Why it may not go any more: the invoice was voided meanwhile."""
    invoice = Invoice.objects.get(pk=message.payload["invoice"])
    return f"{invoice} was voided" if invoice.voided_at is not None else ""
