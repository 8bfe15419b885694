"""The notice that cash-only begins or ends: a kind mail with the same words as a letter, written when it leaves."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from clients.models import Client, Contact, StatusChange
from clients.services import lock_client
from clients.services.status import status_of
from core.dates import show_day
from core.mail import compose as write
from core.money import show
from core.services import today
from invoices.models import Invoice
from invoices.pdf import PDF, letter_pdf
from invoices.services.linking import link_for, url_of
from outbox.kinds import Composed, Kind, NothingToSay, register
from outbox.models import Message
from policies.credit import credit_policy_of
from policies.terms import due_words

from .services.credit_letters import BEGINS, ENDS, KIND, after, standing_says
from .services.deciding import chased


@dataclass(frozen=True)
class Notice:
    """What a notice says, to whom, and about which overdue invoices with what is asked on each."""

    client: Client
    to: Contact
    says: str
    status: StatusChange | None
    items: tuple[tuple[Invoice, Decimal], ...]
    on: dt.date
    lifts: str


def register_credit_kinds() -> None:
    """Make the outbox know the kind «credit_notice»."""
    register(Kind(KIND, compose=compose_credit, may_go=may_go, still=still, after=after))


def may_go(message: Message, now: dt.datetime) -> str:
    """Why it need not go any more: the status moved on since, or nobody can be written to."""
    client = _client(message)
    if standing_says(client, _on(client, message, now)) != message.payload["says"]:
        return "the credit status has changed since"
    if message.payload["says"] == ENDS and not _knows(message):
        return "the client was never told that it had begun"
    return "" if client.contacts.reachable().exists() else "nobody at the client's can be written to"


def still(message: Message, now: dt.datetime) -> str:
    """Whether status and overdue invoices are as written; the client is locked until it is handed over."""
    client = _client(message)
    lock_client(client.pk)
    on = _on(client, message, now)
    if standing_says(client, on) != message.payload["says"]:
        return "the credit status changed while it was written"
    asked = [(invoice.pk, amount) for invoice, amount in _overdue(client, on)]
    return "" if asked == message.__dict__.get("asked") else "something was paid while it was written"


def compose_credit(message: Message, now: dt.datetime) -> Composed:
    """The mail and its letter, from the status and the overdue invoices of this moment."""
    notice = _gather(message, now)
    message.__dict__["asked"] = [(invoice.pk, amount) for invoice, amount in notice.items]
    language = notice.to.speaks()
    with translation.override(language):
        return _written(notice, now, language)


def _gather(message: Message, now: dt.datetime) -> Notice:
    client = _client(message)
    on, order = _on(client, message, now), {role: place for place, (role, _name) in enumerate(Contact.ROLES)}
    readers = sorted(client.contacts.reachable(), key=lambda c: (order.get(c.role, len(order)), c.pk))
    if not readers:
        raise NothingToSay("nobody at the client's can be written to")
    return Notice(
        client, readers[0], message.payload["says"], status_of(client, on), tuple(_overdue(client, on)), on,
        credit_policy_of(client.company, on).lifts,
    )


def _written(notice: Notice, now: dt.datetime, language: str) -> Composed:
    company, to = notice.client.company, notice.to
    subject, paragraphs = _subject(notice, language), _paragraphs(notice, language)
    owner = notice.client.owner
    signed_by = [line for line in (owner.get_full_name() if owner else "", company.name) if line]
    listed = notice.items if notice.says == BEGINS else ()
    links = {invoice.pk: url_of(link_for(invoice, to, now)) for invoice, _asked in listed}
    context = {
        "company": company, "contact": to, "subject": subject, "paragraphs": paragraphs, "signed_by": signed_by,
        "tables": _tables(notice, links, language),
        "link_url": links[listed[0][0].pk] if listed else "", "link_label": _("See the invoice, pay or answer"),
        "why": _("You get this e-mail because %(client)s receives invoices from %(company)s.")
        % {"client": notice.client.name, "company": company.name},
    }
    subject, text, html = write("credit_notice", context, language)
    greeting = _("Hello %(name)s,") % {"name": to.name}
    letter = letter_pdf(
        notice.client, to, subject=subject, paragraphs=[greeting, *paragraphs], items=listed, on=notice.on,
        closing=[_("Kind regards"), *signed_by],
    )
    return Composed(
        to_name=to.name, to_addr=to.email, subject=subject, text=text, html=html, from_name=company.name,
        reply_to=company.email, attachments=[(f"{_('letter')}-{notice.on.isoformat()}.pdf", PDF, letter)],
    )


def _knows(message: Message) -> bool:
    """The last notice that went to the client before this one said that cash-only begins."""
    gone = Message.objects.filter(kind=KIND, party=message.party, pk__lt=message.pk, state__in=["sent", "unknown"])
    last = gone.exclude(key__startswith=f"{message.key}:r").order_by("-pk").first()
    said_before = message.key.rpartition(":r")[0]
    return last is not None and (last.payload["says"] == BEGINS or last.key == said_before)


def _subject(notice: Notice, language: str) -> str:
    if notice.says == BEGINS:
        return _("For now, new orders against payment in advance")
    return _("You can buy on credit again")


def _paragraphs(notice: Notice, language: str) -> list[str]:
    if notice.says != BEGINS:
        return _over(notice)
    if not notice.items:
        return _without_debt(notice, language)
    facts = {"total": _amounts(notice, language), "oldest": show_day(_oldest(notice), language)}
    again = {
        "at_once": _("As soon as everything overdue is paid you can buy on credit again; we tell you the same day."),
        "after_review": _("As soon as everything overdue is paid we look at your account again and tell you."),
    }
    return [
        _("Thank you for working with us. %(total)s on your account is past due, the oldest item since %(oldest)s.")
        % facts,
        _(
            "Until all outstanding invoices are cleared, we carry out new orders against payment in advance or cash on "
            "delivery. You get a pro forma invoice beforehand, and we begin once it is paid. What is already delivered "
            "stays as agreed."
        ),
        again.get(notice.lifts, again["at_once"]),
        _(
            "If anything stands in the way, a question about an invoice or a payment in instalments, please talk to "
            "us; we will find a way together."
        ),
    ]


def _without_debt(notice: Notice, language: str) -> list[str]:
    ends_on = notice.status.ends_on if notice.status else None
    until = _("This holds until %(day)s.") % {"day": show_day(ends_on, language)} if ends_on else ""
    said = [
        _(
            "Thank you for working with us. For the time being we carry out your orders against payment in advance or "
            "cash on delivery. You get a pro forma invoice beforehand, and we begin once it is paid."
        ),
        until,
        _("If you have a question about this, please talk to us."),
    ]
    return [text for text in said if text]


def _over(notice: Notice) -> list[str]:
    days = notice.status.terms_days if notice.status and notice.status.status == "stricter" else None
    return [
        _("Thank you.") if notice.items else _("Thank you: all outstanding invoices are cleared."),
        _("From today you buy on credit again, payable within %(days)d days.") % {"days": days} if days
        else _("From today you buy on credit again, on our usual terms."),
        _("We are glad to go on working with you."),
    ]


def _tables(notice: Notice, links: dict[int, str], language: str) -> list[dict[str, Any]]:
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for invoice, asked in notice.items if notice.says == BEGINS else ():
        assert invoice.due_on is not None
        sums[invoice.currency] += asked
        rows[invoice.currency].append(
            {
                "number": str(invoice.number), "po_number": invoice.po_number, "link": links[invoice.pk],
                "due": due_words(invoice.due_on, notice.on, language), "asked": show(asked, invoice.currency, language),
            }
        )
    return [{"rows": rows[c], "total": show(sums[c], c, language)} for c in sorted(rows)]


def _amounts(notice: Notice, language: str) -> str:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for invoice, asked in notice.items:
        sums[invoice.currency] += asked
    return " + ".join(show(amount, currency, language) for currency, amount in sorted(sums.items()))


def _oldest(notice: Notice) -> dt.date:
    return min(invoice.due_on or notice.on for invoice, _asked in notice.items)


def _overdue(client: Client, on: dt.date) -> list[tuple[Invoice, Decimal]]:
    """What is overdue and not disputed, oldest first."""
    rows = chased(client.company, on).filter(client=client, due_day__lt=on)
    related = rows.select_related("company", "client", "intake").order_by("due_day", "pk")
    return [(row, row.owed - row.disputed) for row in related if row.owed > row.disputed]


def _on(client: Client, message: Message, now: dt.datetime) -> dt.date:
    """The business date it speaks of: its own, or a later one where it was held or put back."""
    return max(message.on, today(client.company, now))


def _client(message: Message) -> Client:
    return Client.objects.select_related("company", "owner").get(pk=message.payload["client"])
