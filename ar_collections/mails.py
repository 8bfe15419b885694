"""The reminder: one mail to a client for all that is due, written when it leaves from the facts of that moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from clients.services import lock_client
from core.mail import compose as write
from core.money import show
from invoices.documents import facts_of
from invoices.paying import ways_to_pay
from invoices.services.linking import link_for, url_of
from outbox.kinds import Composed, Kind, register
from outbox.models import Message
from policies.terms import due_words

from .notice_facts import Item, Reminder, asked_of, by_currency, gather, leading_step, readers_in_order
from .notice_letters import File, attachments, derivations, notes_on
from .own_words import paragraphs_for, signature, subject_for
from .services.asking import cash_of
from .services.business_days import may_leave
from .services.deciding import NOTICE
from .services.serving import after
from .subjects import about

__all__ = [
    "compose_notice", "expires", "gather", "leading_step", "may_go", "readers_in_order", "register_kinds", "still",
    "written",
]  # fmt: skip

A_DAY_APART = dt.timedelta(hours=24)


def register_kinds() -> None:
    """Make the outbox know what this app sends."""
    register(
        Kind(
            NOTICE, compose=compose_notice, may_go=may_go, still=still, after=after, expires=expires, apart=A_DAY_APART
        )
    )


def may_go(message: Message, now: dt.datetime) -> str:
    """Why it may not go: its day or its window is over. What a person sends again is not bound to the window."""
    client = about(message).client
    # Read now and once: the letter is written for whom these are.
    message.__dict__["reachable"] = readers = list(client.contacts.reachable().order_by("pk"))
    if not readers:
        return "nobody at the client's can be written to"
    if ":r" in message.key:
        return ""
    if may_leave(client, message.on, about(message).policy, now):
        return ""
    return "the client's window is shut; it is planned afresh"


def still(message: Message, now: dt.datetime) -> str:
    """Why it has to be written anew: what it asks for is not what is owed any more, or "" where it still is.

    The client is locked until it is handed over, so that a payment is either seen here or came after it.
    """
    client, on = about(message).client, message.on
    lock_client(client.pk)
    rows = asked_of(client, on).values_list("pk", "owed", "disputed")
    asked = ({pk: (owed, disputed) for pk, owed, disputed in rows if owed > disputed}, cash_of(client.pk, on))
    return "" if asked == message.__dict__.get("asked") else "something was paid or said while it was written"


def expires(message: Message, now: dt.datetime) -> bool:
    """A reminder is of its day: what has not left by its end is planned afresh from the facts of the next.

    Asked of every message that waits, so it asks the database nothing. What a person sends again has a day more.
    """
    until = message.payload.get("until")
    if until is None or ":r" in message.key:
        return now.date() > message.on + dt.timedelta(days=1)
    return now >= dt.datetime.fromisoformat(until)


def compose_notice(message: Message, now: dt.datetime) -> Composed:
    """Write a reminder from what is owed, promised, disputed and paused at this moment.

    What was paid since it was planned is dropped, and its step is not served; NothingToSay where nothing is left.
    """
    reminder = gather(message, now)
    if message.state == "claimed":  # frozen with the words, when it is handed over
        message.payload["told"] = [item.invoice.pk for item in reminder.told]
    language = reminder.to.speaks()
    with translation.override(language):
        return written(reminder, now, language)


def written(
    reminder: Reminder, now: dt.datetime, language: str,
    files: Callable[[Reminder, str, dt.datetime], list[File]] = attachments,
) -> Composed:
    """A reminder as it is read, in the active language; ``files`` makes what is attached."""
    company, told = reminder.client.company, reminder.told
    links = {item.invoice.pk: url_of(link_for(item.invoice, reminder.to, now)) for item in reminder.items}
    subject = subject_for(reminder, language)
    context = {
        "company": company, "contact": reminder.to, "subject": subject,
        "paragraphs": paragraphs_for(reminder, language),
        "tables": _tables(reminder, links, language), "ways": _ways(reminder), "signed_by": signature(reminder),
        "link_url": links[told[0].invoice.pk], "link_label": _("See the invoice, pay or answer"),
        "derivations": derivations(reminder, language),
        "why": _("You get this e-mail because %(client)s receives invoices from %(company)s.")
        % {"client": reminder.client.name, "company": company.name},
    }
    subject, text, html = write("reminder", context, language)
    return Composed(
        to_name=reminder.to.name, to_addr=reminder.to.email, more_copies=tuple(reminder.copies),
        subject=subject, text=text, html=html, from_name=company.name, reply_to=company.email,
        attachments=files(reminder, subject, now),
    )


def _tables(reminder: Reminder, links: Mapping[int, str], language: str) -> list[dict[str, Any]]:
    """Per currency: every item with its total, what was paid and what is asked, credits taken off, the sum."""
    tables = []
    for currency, items in sorted(by_currency(reminder.items).items()):
        cash = reminder.cash.get(currency)
        tables.append(
            {
                "currency": currency,
                "rows": [_row(item, reminder.on, links[item.invoice.pk], language) for item in items],
                "credit": show(-cash, currency, language) if cash else "",
                "total": show(reminder.net[currency], currency, language),
            }
        )
    return tables


def _row(item: Item, on: dt.date, link: str, language: str) -> dict[str, Any]:
    invoice, currency = item.invoice, item.invoice.currency
    sums = {
        "paid": item.paid, "credited": item.credited, "disputed": item.disputed, "interest": item.interest,
        "compensation": item.compensation, "fees": item.fees,
        "total": invoice.total if item.asked != invoice.total else Decimal(0),
    }
    return {
        "number": invoice.number, "po_number": invoice.po_number, "link": link,
        "due": due_words(item.due_on, on, language), "later": notes_on(item, language),
        "asked": show(item.asked, currency, language),
        **{name: show(amount, currency, language) if amount else "" for name, amount in sums.items()},
    }


def _ways(reminder: Reminder) -> tuple[Any, ...]:
    """How to pay, where one sum in one currency says what to pay; the private pages say it for every invoice."""
    if len(reminder.net) != 1 or len(reminder.items) != 1:
        return ()
    invoice = reminder.items[0].invoice
    (currency, amount), = reminder.net.items()
    return ways_to_pay(
        facts_of(invoice), amount=amount, currency=currency, reference=invoice.reference, number=str(invoice.number)
    )
