"""The mails about private links: an invoice passed on to a colleague, the code of the statement, a link to a page.

Written when they leave, from the facts of that moment; each goes to one address and carries no document.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from clients.models import Client, Contact
from core.mail import compose as write
from core.money import show
from core.services import today
from outbox.kinds import Composed, Kind, register
from outbox.models import Message

from .mails import when_due
from .models import LinkCode, ShareLink
from .services.codes import code_of
from .services.linking import link_for_statement, link_for_wishes, url_of

PAGES = {"statement": link_for_statement, "wishes": link_for_wishes}


def register_link_kinds() -> None:
    """Make the outbox know these mails."""
    register(Kind("passed_on", compose=compose_passed_on, may_go=passed_on_may_go))
    register(Kind("link_code", compose=compose_code, may_go=code_may_go))
    register(Kind("page_link", compose=compose_page_link, may_go=page_link_may_go))


def passed_on_may_go(message: Message, now: dt.datetime) -> str:
    """Why it may not go: the link was shut or the invoice voided meanwhile."""
    link = _link(message.payload["link"])
    if link.revoked_at is not None:
        return "the link was shut meanwhile"
    return f"{link.invoice} was voided" if link.invoice is None or link.invoice.voided_at is not None else ""


def compose_passed_on(message: Message, now: dt.datetime) -> Composed:
    """An invoice that somebody at the client's passed on: who did, how much, by when, and the colleague's own link."""
    link = _link(message.payload["link"])
    invoice, language = link.invoice, message.payload["language"]
    assert invoice is not None and invoice.due_on is not None
    with translation.override(language):
        when = when_due(invoice, today(invoice.company, now), language)
        context = _context(link.client) | when | {
            "number": str(invoice.number), "from_whom": message.payload["from"] or link.client.name,
            "is_settled": invoice.balance == 0,
            "amount": show(invoice.balance or invoice.total, invoice.currency, language),
            "link_url": url_of(link), "link_label": _("See the invoice, pay or answer"),
            "why": _("You get this e-mail once, because %(name)s at %(client)s passed the invoice on to you.")
            % {"name": message.payload["from"] or link.client.name, "client": link.client.name},
        }
        return _written("passed_on", link.client, "", link.passed_on_to, context, language)


def code_may_go(message: Message, now: dt.datetime) -> str:
    """Why it may not go: the code ran out, was used, or another took its place; or its reader cannot be reached."""
    code = LinkCode.objects.select_related("link").filter(pk=message.payload["code"]).first()
    if code is None or now >= code.expires_at or code.used_at is not None or code.link.codes.first() != code:
        return "the code opens nothing any more"
    return _cannot_reach(_contact(message))


def compose_code(message: Message, now: dt.datetime) -> Composed:
    """The six digits that open the statement, with nothing else in the mail that would open it."""
    code = LinkCode.objects.select_related("link__client__company").get(pk=message.payload["code"])
    contact, client = _contact(message), code.link.client
    language = contact.speaks()
    with translation.override(language):
        context = _context(client) | {
            "contact": contact, "code": code_of(code), "code_number": code.pk, "client": client.name,
            "why": _("You get this e-mail because somebody opened the statement of %(client)s.")
            % {"client": client.name},
        }
        return _written("link_code", client, contact.name, contact.email, context, language)


def page_link_may_go(message: Message, now: dt.datetime) -> str:
    """Why it may not go: its reader cannot be reached any more."""
    return _cannot_reach(_contact(message))


def compose_page_link(message: Message, now: dt.datetime) -> Composed:
    """A private link to the statement, or to «What would help your team pay faster?»."""
    contact, page = _contact(message), message.payload["page"]
    client, language = contact.client, contact.speaks()
    with translation.override(language):
        label = {"statement": _("See all that is open"), "wishes": _("Tell us what helps")}[page]
        context = _context(client) | {
            "contact": contact, "page": page, "is_asked": message.payload.get("asked", False), "client": client.name,
            "link_url": url_of(PAGES[page](client, contact, now)), "link_label": label,
            "why": _("You get this e-mail because %(client)s receives invoices from %(company)s.")
            % {"client": client.name, "company": client.company.name},
        }
        return _written("page_link", client, contact.name, contact.email, context, language)


def _written(name: str, client: Client, to_name: str, to_addr: str, context: dict[str, Any], language: str) -> Composed:
    subject, text, html = write(name, context, language)
    return Composed(
        to_name=to_name, to_addr=to_addr, subject=subject, text=text, html=html, from_name=client.company.name,
        reply_to=client.company.email,
    )


def _context(client: Client) -> dict[str, Any]:
    return {"company": client.company}


def _link(pk: int) -> ShareLink:
    return ShareLink.objects.select_related("client__company", "invoice__company").get(pk=pk)


def _contact(message: Message) -> Contact:
    return Contact.objects.select_related("client__company").get(pk=message.payload["contact"])


def _cannot_reach(contact: Contact) -> str:
    if not contact.is_active or not contact.email or contact.bounced_at is not None:
        return f"mail to {contact.name} cannot arrive"
    return ""
