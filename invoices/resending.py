"""An invoice once more: the PDF it always had, under a cover letter that says where it stands today."""

from __future__ import annotations

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext as _

from clients.models import Contact
from core.dates import show_day
from core.mail import compose as write
from core.money import show
from core.services import today
from outbox.kinds import Composed, Kind, register
from outbox.models import Message

from .mails import attached, file_name, may_go, own_form, still, when_due
from .models import Invoice
from .pdf import PDF, letter_pdf
from .services.linking import link_for, url_of


def register_kinds() -> None:
    """Make the outbox know how an invoice is sent again."""
    register(Kind("invoice_again", compose=compose_again, may_go=may_go, still=still))


def compose_again(message: Message, now: dt.datetime) -> Composed:
    """The invoice once more: a cover letter and the same PDF, byte for byte."""
    invoice = Invoice.objects.select_related("client__company", "company").get(pk=message.payload["invoice"])
    contact = Contact.objects.select_related("client").get(pk=message.payload["contact"])
    message.__dict__["written"] = invoice.balance, invoice.voided_at
    return again_mail(invoice, contact, now, url_of(link_for(invoice, contact, now)), message.payload.get("words", ""))


def again_mail(invoice: Invoice, contact: Contact, now: dt.datetime, link_url: str, words: str = "") -> Composed:
    """The mail as it leaves, with the link given."""
    company, language, on = invoice.company, contact.speaks(), today(invoice.company, now)
    with translation.override(language):
        paragraphs = _paragraphs(invoice, on, language, words)
        subject = _("Our invoice %(number)s once more") % {"number": invoice.number}
        context = {
            "company": company, "contact": contact, "number": str(invoice.number), "paragraphs": paragraphs,
            "amount": show(invoice.balance, invoice.currency, language) if invoice.balance else "",
            "link_url": link_url, "link_label": _("See the invoice, pay or answer"),
            "why": _("You get this e-mail because %(client)s receives invoices from %(company)s.")
            % {"client": invoice.client.name, "company": company.name},
        }  # fmt: skip
        line, text, html = write("invoice_again", context, language)
    items = [(invoice, invoice.balance)] if invoice.balance else []
    letter = letter_pdf(invoice.client, contact, subject=subject, paragraphs=paragraphs, items=items, on=on)
    return Composed(
        to_name=contact.name, to_addr=contact.email, subject=line, text=text, html=html,
        attachments=[(f"cover-{file_name(invoice)}", PDF, letter), attached(invoice, now, contact), *own_form(invoice)],
        from_name=company.name, reply_to=company.email,
    )


def _paragraphs(invoice: Invoice, on: dt.date, language: str, words: str) -> list[str]:
    assert invoice.issued_on is not None and invoice.due_on is not None
    said = [
        _("Here is our invoice %(number)s of %(day)s once more; it is the same document that you got before.")
        % {"number": invoice.number, "day": show_day(invoice.issued_on, language)},
        *filter(None, [words]),
    ]
    if invoice.balance:
        when = when_due(invoice, on, language)
        return [*said, *(f"{sentence}." for sentence in (when["due"], *when["later"])), *filter(None, [when["early"]])]
    return [*said, _("Nothing is open on it any more. Thank you.")]
