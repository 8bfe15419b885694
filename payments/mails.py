"""The mails of this app: a receipt, a credit note, a statement of account, each with its PDF.

Written when they leave, not before.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from clients.models import Client, Contact
from clients.services import lock_client
from core.dates import show_day
from core.mail import compose as write
from core.money import show
from core.services import read_file, today
from invoices.credit_notes import what_it_does
from invoices.mails import as_file_name
from invoices.models import CreditNote, Invoice
from invoices.pdf import PDF, credit_note_pdf, statement_pdf
from invoices.services.linking import link_for, link_for_statement, url_of
from invoices.statements import statement_of
from outbox.kinds import Composed, Kind, register
from outbox.models import Message

from .models import Receipt
from .receipt_document import receipt_document, receipt_pdf


def register_kinds() -> None:
    """Make the outbox know what this app sends."""
    register(Kind("receipt", compose=compose_receipt, may_go=receipt_may_go, still=receipt_still))
    register(Kind("credit_note", compose=compose_credit_note, may_go=_reader_may_go))
    register(Kind("statement", compose=compose_statement, may_go=_reader_may_go, still=statement_still))


def receipt_may_go(message: Message, now: dt.datetime) -> str:
    """Why it may not go: the payment was taken back meanwhile, or its reader cannot be reached any more."""
    receipt, contact = _receipt(message)
    if receipt.payment.reversal() is not None:
        return "the payment was taken back"
    return _cannot_reach(contact)


def receipt_still(message: Message, now: dt.datetime) -> str:
    """Whether the money is still there; the client is locked until the mail is handed over."""
    receipt, _contact = _receipt(message)
    lock_client(receipt.payment.client_id)
    return "the payment was taken back" if receipt.payment.reversal() is not None else ""


def compose_receipt(message: Message, now: dt.datetime) -> Composed:
    """The receipt by mail: what came in, where it went, and the PDF."""
    receipt, contact = _receipt(message)
    return receipt_mail(receipt, contact)


def receipt_mail(receipt: Receipt, contact: Contact) -> Composed:
    """The mail as it leaves; looking at it changes nothing but that the PDF is printed."""
    payment, language = receipt.payment, contact.speaks()
    with translation.override(language):
        document = receipt_document(receipt)
        context = {
            "company": payment.company, "contact": contact, "number": receipt.number,
            "amount": show(payment.amount, payment.currency, language),
            "received": show_day(payment.received_on, language),
            "items": document.items, "kept": document.kept, "sentences": document.sentences,
            "why": _why_paid(payment.client),
        }  # fmt: skip
        subject, text, html = write("receipt", context, language)
    pdf = (as_file_name(receipt.number), PDF, read_file(receipt_pdf(receipt).sha256))
    return _mail(contact, subject, text, html, [pdf], payment.company)


def compose_credit_note(message: Message, now: dt.datetime) -> Composed:
    """The credit note by mail: for which invoice, why, what it changes, a private link to that invoice, and the PDF."""
    note = CreditNote.objects.select_related("client__company", "company", "invoice__client").get(
        pk=message.payload["credit_note"]
    )
    contact = _contact(message)
    return credit_note_mail(note, contact, url_of(link_for(note.invoice, contact, now)))


def credit_note_mail(note: CreditNote, contact: Contact, link_url: str) -> Composed:
    """The mail as it leaves, with the link given."""
    language = contact.speaks()
    with translation.override(language):
        context = {
            "company": note.company, "contact": contact, "number": note.number, "invoice": str(note.invoice.number),
            "amount": show(note.total, note.currency, language), "reason": note.reason,
            "sentences": what_it_does(note, language), "link_url": link_url, "link_label": _("See the invoice"),
            "why": _why(note.client),
        }  # fmt: skip
        subject, text, html = write("credit_note", context, language)
    pdf = (as_file_name(note.number), PDF, read_file(credit_note_pdf(note).sha256))
    return _mail(contact, subject, text, html, [pdf], note.company)


def compose_statement(message: Message, now: dt.datetime) -> Composed:
    """The statement of account by mail: what is open today, a private link to all of it, and the PDF."""
    client, contact = _client(message), _contact(message)
    message.__dict__["written"] = _owed(client)
    return statement_mail(client, contact, today(client.company, now), url_of(link_for_statement(client, contact, now)))


def statement_still(message: Message, now: dt.datetime) -> str:
    """Whether the account stands as it was written about; the client is locked until the mail is handed over."""
    client = _client(message)
    lock_client(client.pk)
    return "" if _owed(client) == message.__dict__.get("written") else "the account changed while it was written"


def statement_mail(client: Client, contact: Contact, on: dt.date, link_url: str) -> Composed:
    """The mail as it leaves on a day, with the link given."""
    language = contact.speaks()
    items = [(invoice, invoice.balance) for invoice in Invoice.objects.open().of(client).order_by("due_on", "id")]
    statement = statement_of(client, items, on, contact)
    with translation.override(language):
        context = {
            "company": client.company, "contact": contact, "as_of": statement.as_of, "tables": statement.tables,
            "link_url": link_url, "link_label": _("See and pay what is open"), "why": _why(client),
        }  # fmt: skip
        subject, text, html = write("statement", context, language)
    pdf = (as_file_name(f"{client.number} {on.isoformat()}"), PDF, statement_pdf(client, items, on, contact))
    return _mail(contact, subject, text, html, [pdf], client.company)


def _mail(
    contact: Contact, subject: str, text: str, html: str, attachments: list[tuple[str, str, bytes]], company: Any
) -> Composed:
    return Composed(
        to_name=contact.name, to_addr=contact.email, subject=subject, text=text, html=html, attachments=attachments,
        from_name=company.name, reply_to=company.email,
    )


def _why(client: Client) -> str:
    words = {"client": client.name, "company": client.company.name}
    return _("You get this e-mail because %(client)s receives invoices from %(company)s.") % words


def _why_paid(client: Client) -> str:
    words = {"client": client.name, "company": client.company.name}
    return _("You get this e-mail because %(client)s has paid %(company)s.") % words


def _reader_may_go(message: Message, now: dt.datetime) -> str:
    return _cannot_reach(_contact(message))


def _cannot_reach(contact: Contact) -> str:
    if not contact.is_active or not contact.email or contact.bounced_at is not None:
        return f"mail to {contact.name} cannot arrive"
    return ""


def _owed(client: Client) -> list[tuple[int, Any]]:
    return list(Invoice.objects.open().of(client).order_by("pk").values_list("pk", "balance"))


def _contact(message: Message) -> Contact:
    return Contact.objects.select_related("client").get(pk=message.payload["contact"])


def _client(message: Message) -> Client:
    return Client.objects.select_related("company").get(pk=message.payload["client"])


def _receipt(message: Message) -> tuple[Receipt, Contact]:
    receipt = Receipt.objects.select_related("payment__client__company", "payment__company").get(
        pk=message.payload["receipt"]
    )
    return receipt, _contact(message)
