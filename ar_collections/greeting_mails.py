"""Two mails that ask for no money: our credit terms to be accepted, and a greeting. Written when they leave."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from ar_collections.models import Greeting
from clients.models import Acceptance, Client, Contact
from clients.services import lock_client
from core.dates import show_day
from core.mail import compose as write
from core.models import as_text
from core.services import today
from invoices.pdf import PDF
from invoices.services.linking import link_for_terms, url_of
from invoices.terms_document import terms_file_name, terms_pdf
from outbox.kinds import Composed, Kind, register
from outbox.models import Message
from policies.models import CreditTerms, Occasion

from .greetings import fill, paragraphs_of
from .services.greeting_choice import KIND as GREETING
from .services.greeting_choice import reasons_against
from .services.terms_sending import KIND as TERMS
from .services.terms_sending import replaced_by


def register_greeting_kinds() -> None:
    """Make the outbox know the kinds «credit_terms» and «greeting»."""
    register(Kind(TERMS, compose=compose_terms, may_go=terms_may_go))
    register(
        Kind(
            GREETING, compose=compose_greeting, may_go=greeting_may_go, still=greeting_still, after=after_greeting,
            expires=greeting_expires,
        )
    )


def terms_may_go(message: Message, now: dt.datetime) -> str:
    """Why the terms need not go any more: accepted or replaced meanwhile, or their reader cannot be reached."""
    client, contact = _readers(message)
    terms = CreditTerms.objects.select_related("company").get(pk=message.payload["terms"])
    if unreachable(contact):
        return f"mail to {contact.name} cannot arrive"
    if message.payload.get("asked"):
        return ""
    if Acceptance.objects.filter(client=client, terms=terms).exists():
        return f"{client} has accepted these terms meanwhile"
    return "a later version has taken their place" if replaced_by(terms, today(client.company, now)) else ""


def compose_terms(message: Message, now: dt.datetime) -> Composed:
    """The terms by mail: from when they apply, the private page on which they are accepted, the text as PDF."""
    client, contact = _readers(message)
    terms = CreditTerms.objects.get(pk=message.payload["terms"])
    company, language = client.company, contact.speaks()
    with translation.override(language):
        context = _frame(client, contact) | {
            "title": terms.title(language), "day": show_day(terms.effective_from, language),
            "begins_later": terms.effective_from > today(company, now),
            "is_accepted": Acceptance.objects.filter(client=client, terms=terms).exists(),
            "link_url": url_of(link_for_terms(client, terms, contact, now)), "link_label": _("Read and accept"),
            "why": _("You get this e-mail because %(client)s buys from %(company)s on account.")
            % {"client": client.name, "company": company.name},
        }
        subject, text, html = write("credit_terms", context, language)
    attachment = (terms_file_name(terms, language), PDF, terms_pdf(client, terms, contact, language))
    return _composed(contact, subject, text, html, attachments=[attachment])


def greeting_may_go(message: Message, now: dt.datetime) -> str:
    """Why the greeting must not go: consent taken back, a dispute, a pause, a final notice … since it was planned."""
    client, contact = _readers(message)
    if unreachable(contact):
        return f"mail to {contact.name} cannot arrive"
    if contact.greetings_since is None:
        return f"{contact.name} does not want to be greeted"
    if ":r" in message.key:
        return ""
    return "; ".join(str(reason) for reason in reasons_against(client, today(client.company, now)))


def greeting_still(message: Message, now: dt.datetime) -> str:
    """Asked again under the client's lock, so that a dispute opened at this moment is seen."""
    lock_client(message.payload["client"])
    return greeting_may_go(message, now)


def greeting_expires(message: Message, now: dt.datetime) -> bool:
    """A greeting that comes too late is worse than none; what a person sends again has a day more."""
    if ":r" in message.key:
        return now.date() > message.on + dt.timedelta(days=1)
    return now >= dt.datetime.fromisoformat(message.payload["until"])


def after_greeting(message: Message, state: str) -> None:
    """What was taken back by a person is left out for this year; what could not go may be planned again in time."""
    if state != "cancelled" or ":r" in message.key:
        return
    planned = Greeting.objects.filter(message=message)
    if message.resolved_by:
        planned.update(left_out_because=message.reason[:200] or "Cancelled.", left_out_by=message.resolved_by)
    else:
        planned.delete()


def compose_greeting(message: Message, now: dt.datetime) -> Composed:
    """A greeting in the words of its occasion, signed by the owner of the account; no amount, no link."""
    client, contact = _readers(message)
    occasion = Occasion.objects.get(pk=message.payload["occasion"])
    language = contact.speaks()
    words = {
        "name": contact.name, "client": client.name, "company": client.company.name,
        "label": message.payload.get("label", ""), "years": message.payload.get("years", ""),
    }
    owner = as_text(client.owner) if client.owner else ""
    with translation.override(language):
        context = _frame(client, contact) | {
            "subject": fill(getattr(occasion, f"subject_{language}", "") or occasion.subject_en, words),
            "paragraphs": paragraphs_of(getattr(occasion, f"text_{language}", "") or occasion.text_en, words),
            "signed_by": [line for line in (owner, client.company.name) if line],
            "why": _(
                "You get these lines because you agreed to greetings from %(company)s. If you would rather not, a "
                "word in reply is enough."
            ) % {"company": client.company.name},
        }
        subject, text, html = write("greeting", context, language)
    return _composed(contact, subject, text, html)


def unreachable(contact: Contact) -> bool:
    """Mail to this person cannot arrive."""
    return not contact.is_active or not contact.email or contact.bounced_at is not None


def _frame(client: Client, contact: Contact) -> dict[str, Any]:
    return {"company": client.company, "client": client, "contact": contact}


def _composed(
    contact: Contact, subject: str, text: str, html: str, *, attachments: list[tuple[str, str, bytes]] | None = None
) -> Composed:
    company = contact.client.company
    return Composed(
        to_name=contact.name, to_addr=contact.email, subject=subject, text=text, html=html,
        attachments=attachments or [], from_name=company.name, reply_to=company.email,
    )


def _readers(message: Message) -> tuple[Client, Contact]:
    contact = Contact.objects.select_related("client__company", "client__owner").get(pk=message.payload["contact"])
    return contact.client, contact
