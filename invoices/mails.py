"""The mails of this app: an invoice or a pro forma with its PDF, and a fresh private link.

Written when they leave, not before.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from clients.models import Contact, Wishes
from clients.services import lock_client
from core.mail import compose as write
from core.money import show
from core.services import read_file, today
from outbox.kinds import Composed, Kind, register
from outbox.models import Message
from policies.terms import due_words

from .documents import facts_of, late_words, then_pay
from .models import Invoice, ProForma
from .paying import ways_to_pay
from .pdf import PDF, invoice_pdf, item_statement_pdf, pro_forma_pdf
from .pro_formas import pay_by_words, ways_of, what_it_is
from .services.linking import link_for, link_for_pro_forma, url_of
from .services.parts import due_lines, early_payment_of


def register_kinds() -> None:
    """Make the outbox know what this app sends."""
    register(Kind("invoice", compose=compose_invoice, may_go=may_go, still=still))
    register(Kind("new_link", compose=compose_new_link, may_go=may_go, still=still))
    register(
        Kind("pro_forma", compose=compose_pro_forma, may_go=pro_forma_may_go, still=pro_forma_still)
    )


def may_go(message: Message, now: dt.datetime) -> str:
    """Why it may not go: the invoice was voided meanwhile, or its reader cannot be reached any more."""
    invoice, contact = _subject(message)
    if invoice.voided_at is not None:
        return f"{invoice} was voided"
    return _cannot_reach(contact)


def _cannot_reach(contact: Contact) -> str:
    if not contact.is_active or not contact.email or contact.bounced_at is not None:
        return f"mail to {contact.name} cannot arrive"
    return ""


def pro_forma_may_go(message: Message, now: dt.datetime) -> str:
    """Why it may not go: it was cancelled or paid meanwhile, or its reader cannot be reached any more."""
    pro_forma, contact = _pro_forma(message)
    if pro_forma.cancelled_at is not None or pro_forma.invoice is None:
        return f"{pro_forma} was cancelled"
    if pro_forma.invoice.issued_at is not None:
        return f"{pro_forma} became the invoice {pro_forma.invoice}"
    return _cannot_reach(contact)


def pro_forma_still(message: Message, now: dt.datetime) -> str:
    """Whether it still stands; the client is locked until the mail is handed over."""
    _subject, contact = _pro_forma(message)
    lock_client(contact.client_id)
    return pro_forma_may_go(message, now)


def still(message: Message, now: dt.datetime) -> str:
    """Whether the invoice stands as it was written about; the client is locked until the mail is handed over."""
    invoice, _contact = _subject(message)
    lock_client(invoice.client_id)
    invoice.refresh_from_db(fields=["balance", "voided_at"])
    written = message.__dict__.get("written")
    return "" if (invoice.balance, invoice.voided_at) == written else f"{invoice} changed while it was written"


def compose_invoice(message: Message, now: dt.datetime) -> Composed:
    """The invoice by mail: amount, due day in words, how to pay, the rate for paying late, link, PDF, five answers."""
    invoice, contact = _subject(message)
    message.__dict__["written"] = invoice.balance, invoice.voided_at
    files = [attached(invoice, now, contact), *own_form(invoice)]
    return _composed("invoice", invoice, contact, now, attachments=files)


def preview_invoice(invoice: Invoice, contact: Contact, now: dt.datetime) -> Composed:
    """The mail as it would leave now, without a real private link: looking changes nothing."""
    files = [attached(invoice, now, contact), *own_form(invoice)]
    return _composed("invoice", invoice, contact, now, attachments=files, link_url=settings.PUBLIC_URL + "/i/…/")


def compose_pro_forma(message: Message, now: dt.datetime) -> Composed:
    """A pro forma by mail: what it is, the amount, until when, how to pay, link and PDF."""
    pro_forma, contact = _pro_forma(message)
    return _pro_forma_mail(pro_forma, contact, now, url_of(link_for_pro_forma(pro_forma, contact, now)))


def preview_pro_forma(pro_forma: ProForma, contact: Contact, now: dt.datetime) -> Composed:
    """The mail as it would leave now, without a real private link: looking changes nothing."""
    return _pro_forma_mail(pro_forma, contact, now, settings.PUBLIC_URL + "/p/…/")


def _pro_forma_mail(pro_forma: ProForma, contact: Contact, now: dt.datetime, link_url: str) -> Composed:
    assert pro_forma.invoice is not None
    company, client = pro_forma.invoice.company, pro_forma.invoice.client
    language, currency = contact.speaks(), pro_forma.currency
    with translation.override(language):
        context = {
            "company": company,
            "contact": contact,
            "number": pro_forma.number,
            "amount": show(pro_forma.total, currency, language),
            "pay_by": pay_by_words(pro_forma.pay_by, today(company, now), language),
            "po_number": pro_forma.frozen["po_number"],
            "sentences": what_it_is(pro_forma, language),
            "ways": ways_of(pro_forma, pro_forma.total),
            "link_url": link_url,
            "link_label": _("See the pro forma and pay"),
            "why": _("You get this e-mail because %(client)s ordered from %(company)s.")
            % {"client": client.name, "company": company.name},
        }
        subject, text, html = write("pro_forma", context, language)
    return Composed(
        to_name=contact.name, to_addr=contact.email, subject=subject, text=text, html=html,
        attachments=[(pro_forma_file_name(pro_forma), PDF, read_file(pro_forma_pdf(pro_forma).sha256))],
        from_name=company.name, reply_to=company.email,
    )


def compose_new_link(message: Message, now: dt.datetime) -> Composed:
    """A fresh private link, for whoever asked on the page of an old one; sent to the address on file alone."""
    invoice, contact = _subject(message)
    message.__dict__["written"] = invoice.balance, invoice.voided_at
    return _composed("new_link", invoice, contact, now, attachments=[])


def attached(invoice: Invoice, now: dt.datetime, contact: Contact | None = None) -> tuple[str, str, bytes]:
    """What goes with a mail about an invoice: its PDF, or the statement of an item taken over from elsewhere."""
    if invoice.is_taken_over:
        content = item_statement_pdf(invoice, today(invoice.company, now), contact)
    else:
        content = read_file(invoice_pdf(invoice).sha256)
    return file_name(invoice), PDF, content


def own_form(invoice: Invoice) -> list[tuple[str, str, bytes]]:
    """The form of their own that a client asked to come with every invoice, byte for byte; nothing where it has none.

    Not with an item taken over: it was invoiced elsewhere.
    """
    wishes = Wishes.objects.filter(client=invoice.client_id).select_related("own_form").first()
    if wishes is None or wishes.own_form is None or invoice.is_taken_over:
        return []
    return [(wishes.own_form_name, wishes.own_form.media_type, read_file(wishes.own_form.sha256))]


def file_name(invoice: Invoice) -> str:
    """The name a PDF is saved under: the invoice's number, without what a file system minds.

    >>> file_name(Invoice(number="LO-2026/0147 b"))
    'LO-2026-0147-b.pdf'
    """
    return as_file_name(str(invoice.number))


def pro_forma_file_name(pro_forma: ProForma) -> str:
    """The name the PDF of a pro forma is saved under."""
    return as_file_name(pro_forma.number)


def as_file_name(number: str) -> str:
    """The name the PDF of a document is saved under: its number, without what a file system minds."""
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in number)
    return f"{'-'.join(part for part in kept.split('-') if part) or 'invoice'}.pdf"


def _composed(
    name: str, invoice: Invoice, contact: Contact, now: dt.datetime, *, attachments: list[tuple[str, str, bytes]],
    link_url: str = "",
) -> Composed:
    language = contact.speaks()
    with translation.override(language):
        subject, text, html = write(name, _context(invoice, contact, now, language, link_url), language)
    company = invoice.company
    return Composed(
        to_name=contact.name, to_addr=contact.email, subject=subject, text=text, html=html, attachments=attachments,
        from_name=company.name, reply_to=company.email,
    )


def _context(
    invoice: Invoice, contact: Contact, now: dt.datetime, language: str, link_url: str = ""
) -> dict[str, Any]:
    assert invoice.due_on is not None
    facts = facts_of(invoice)
    currency, number = invoice.currency, str(invoice.number)
    return {
        **when_due(invoice, today(invoice.company, now), language),
        "company": invoice.company,
        "contact": contact,
        "number": number,
        "is_taken_over": invoice.is_taken_over,
        "is_settled": invoice.balance == 0,
        "amount": show(invoice.balance or invoice.total, currency, language),
        "total": show(invoice.total, currency, language),
        "is_part_paid": 0 < invoice.balance < invoice.total,
        "po_number": invoice.po_number,
        "ways": ways_to_pay(
            facts, amount=invoice.balance, currency=currency, reference=invoice.reference, number=number
        ) if invoice.balance else (),
        "late_terms": late_words(invoice, invoice.due_on, language),
        "link_url": link_url or url_of(link_for(invoice, contact, now)),
        "link_label": _("See the invoice, pay or answer"),
        "why": _("You get this e-mail because %(client)s receives invoices from %(company)s.")
        % {"client": invoice.client.name, "company": invoice.company.name},
    }


def when_due(invoice: Invoice, on: dt.date, language: str) -> dict[str, Any]:
    """For the mails about an invoice: when it is due, which parts come later, and what paying early saves."""
    assert invoice.due_on is not None
    due, *later = due_lines(invoice, on, language) or [due_words(invoice.due_on, on, language)]
    early = early_payment_of(invoice, on)
    offer = then_pay(early.words(language), show(early.pay, early.currency, language)) if early else ""
    return {"due": due, "later": later, "early": offer, "in_parts": invoice.in_parts}


def _subject(message: Message) -> tuple[Invoice, Contact]:
    invoice = Invoice.objects.select_related("client__company", "company").get(pk=message.payload["invoice"])
    contact = Contact.objects.select_related("client").get(pk=message.payload["contact"])
    return invoice, contact


def _pro_forma(message: Message) -> tuple[ProForma, Contact]:
    pro_forma = ProForma.objects.select_related("invoice__client__company", "invoice__company").get(
        pk=message.payload["pro_forma"]
    )
    contact = Contact.objects.select_related("client").get(pk=message.payload["contact"])
    return pro_forma, contact
