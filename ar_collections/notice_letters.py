"""What goes with a reminder: the same words as a letter with its annex, the invoice again, the statement of account."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from django.utils.translation import gettext as _

from core.dates import show_day
from core.money import show
from invoices.mails import attached
from invoices.paying import percent
from invoices.pdf import PDF, letter_pdf, statement_pdf
from invoices.statements import BesideItem
from policies.terms import later_words

from .notice_facts import Item, Reminder
from .own_words import paragraphs_for, signature

File = tuple[str, str, bytes]


def attachments(reminder: Reminder, subject: str, now: dt.datetime) -> list[File]:
    """The letter, the invoice again under it, the statement of account: as the steps served ask for."""
    found: list[File] = []
    steps = [item.step for item in reminder.told if item.step]
    if any(step.has_cover for step in steps):
        found.append((f"{_('letter')}-{reminder.on.isoformat()}.pdf", PDF, letter_of(reminder, subject)))
    found += [
        attached(item.invoice, now, reminder.to) for item in reminder.told if item.step and item.step.attach_invoice
    ]
    if any(step.attach_statement or step.repeats_every_days for step in steps):
        items = [(item.invoice, item.asked) for item in reminder.items]
        statement = statement_pdf(reminder.client, items, reminder.on, reminder.to)
        found.append((f"{_('statement')}-{reminder.on.isoformat()}.pdf", PDF, statement))
    return found


def letter_of(reminder: Reminder, subject: str) -> bytes:
    """The reminder on paper: the words of the mail, the same table, and the derivation as its annex."""
    language = reminder.to.speaks()
    greeting = _("Hello %(name)s,") % {"name": reminder.to.name}
    return letter_pdf(
        reminder.client, reminder.to, subject=subject,
        paragraphs=[greeting, *paragraphs_for(reminder, language, on_paper=True)],
        items=[(item.invoice, item.asked) for item in reminder.items], on=reminder.on,
        closing=["\n".join([_("Kind regards"), *signature(reminder)])], beside=_beside(reminder),
        beside_items={item.invoice.pk: _beside_item(item, language) for item in reminder.items},
        annex=derivations(reminder, language),
    )


def derivations(reminder: Reminder, language: str) -> list[tuple[str, list[str]]]:
    """How the interest claimed came about, invoice by invoice, line by line, for the reader."""
    return [(str(item.invoice.number), _derivation(item, language)) for item in reminder.items if item.earned]


def notes_on(item: Item, language: str) -> list[str]:
    """What stands at an item beside its sums: the time agreed, and the parts that are not due yet."""
    said = []
    if item.extension is not None:
        said.append(_("pay by %(day)s, agreed on %(agreed)s") % {
            "day": show_day(item.extension.until_on, language),
            "agreed": show_day(item.extension.agreed_on, language),
        })
    currency = item.invoice.currency
    return said + [later_words(part.open, currency, part.due_on, language) for part in item.later]


def _beside(reminder: Reminder) -> dict[str, list[tuple[str, Decimal]]]:
    """What stands in the letter's table beside the items: what is claimed for paying late, and cash taken off."""
    found: dict[str, list[tuple[str, Decimal]]] = defaultdict(list)
    for item in reminder.items:
        for words, amount in (
            (_("Interest on %(number)s"), item.interest), (_("Compensation on %(number)s"), item.compensation),
            (_("Late fee on %(number)s"), item.fees),
        ):
            if amount:
                found[item.invoice.currency].append((words % {"number": item.invoice.number}, amount))
    for currency, cash in reminder.cash.items():
        found[currency].append((_("Payment received, not yet assigned"), -cash))
    return found


def _beside_item(item: Item, language: str) -> BesideItem:
    rest = item.whole - item.owed
    return BesideItem(disputed=item.disputed, not_due=max(rest, Decimal(0)), notes=tuple(notes_on(item, language)))


def _derivation(item: Item, language: str) -> list[str]:
    currency = item.invoice.currency
    return [
        _("%(from)s to %(to)s: %(days)d days on %(balance)s at %(rate)s") % {
            "from": show_day(line.from_on, language, "short"), "to": show_day(line.to_on, language, "short"),
            "days": line.days, "balance": show(line.balance, currency, language),
            "rate": percent(line.percent, language),
        }
        for line in item.earned
    ]
