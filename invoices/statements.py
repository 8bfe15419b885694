"""What is open with a client, ready to print: statements of account, statements of one item, letters."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _

from clients.models import Client, Contact
from core.dates import show_day
from core.money import show
from policies.terms import due_words

from .credit_notes import credited_by
from .documents import Paper, facts_of, freeze, paper_of, recipient
from .models import CUSTOMER_CREDIT, Charge, Entry, Extension, Invoice
from .more_time import extension_words
from .paying import Row, Way, ways_to_pay
from .services.extending import extensions_of

OpenItem = tuple[Invoice, Decimal]


@dataclass(frozen=True)
class ItemRow:
    """One open item: what it was, what has been paid and credited on it, what is open."""

    number: str
    issued: str
    due: str
    age: str
    is_late: bool
    total: str
    paid: str
    open: str
    credited: str = ""
    disputed: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class BesideItem:
    """What of an item is open but not asked for, because it is disputed or not due yet; and what is said beside it."""

    disputed: Decimal = Decimal(0)
    not_due: Decimal = Decimal(0)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemTable:
    """The open items of one currency, what is added or taken off, the sum, and how to pay it."""

    currency: str
    items: tuple[ItemRow, ...]
    extras: tuple[Row, ...]
    total: str
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Statement:
    """What is open with a client on a day, one table per currency."""

    head: Paper
    title: str
    on: dt.date
    as_of: str
    customer_number: str
    tables: tuple[ItemTable, ...]


@dataclass(frozen=True)
class Letter:
    """A letter about open items; the words are the caller's."""

    head: Paper
    on: dt.date
    date: str
    subject: str
    paragraphs: tuple[str, ...]
    tables: tuple[ItemTable, ...]
    closing: tuple[str, ...]
    annex: tuple[tuple[str, tuple[str, ...]], ...] = ()


def statement_of(client: Client, items: Sequence[OpenItem], on: dt.date, contact: Contact | None = None) -> Statement:
    """What is open with a client at the end of a day: open interest is listed, unapplied cash is taken off.

    ``items`` are invoices with what is open on each. Written in the language of the contact.
    """
    facts = _facts_of_today(client, contact)
    with translation.override(facts["language"]):
        tables = _tables(client, items, on, facts, _beside(client, on))
        return _statement(client, facts, on, _("Statement of account"), tables)


def item_statement_of(invoice: Invoice, on: dt.date, contact: Contact | None = None) -> Statement:
    """The statement of one item: it stands in for an invoice issued elsewhere, of which we have no document."""
    facts = _facts_of_today(invoice.client, contact)
    with translation.override(facts["language"]):
        title = _("Statement of %(number)s") % {"number": invoice.number}
        tables = _tables(invoice.client, [(invoice, invoice.balance)], on, facts, {})
        return _statement(invoice.client, facts, on, title, tables)


def letter_to(
    client: Client, contact: Contact | None, *, subject: str, paragraphs: Iterable[str], items: Sequence[OpenItem],
    on: dt.date, closing: Iterable[str] = (), beside: Mapping[str, list[tuple[str, Decimal]]] | None = None,
    beside_items: Mapping[int, BesideItem] | None = None, annex: Iterable[tuple[str, Sequence[str]]] = (),
) -> Letter:
    """A letter about open items, dated ``on``, in the language of the contact; the words are the caller's.

    ``beside`` is what counts with the items per currency: a label and an amount, below zero where it is taken off;
    ``beside_items`` is what stands at single items, by invoice, and ``annex`` how a charge came about, by number.
    """
    facts = _facts_of_today(client, contact)
    with translation.override(facts["language"]):
        return Letter(
            head=paper_of(facts), on=on, date=show_day(on, facts["language"]), subject=subject,
            paragraphs=tuple(paragraphs), tables=_tables(client, items, on, facts, beside or {}, beside_items),
            closing=tuple(closing), annex=tuple((number, tuple(lines)) for number, lines in annex),
        )


def _facts_of_today(client: Client, contact: Contact | None, currency: str = "") -> dict[str, Any]:
    """The facts an invoice issued now would freeze."""
    contact = contact or recipient(client)
    return freeze(Invoice(company=client.company, client=client, contact=contact, currency=currency or client.currency))


def _statement(
    client: Client, facts: Mapping[str, Any], on: dt.date, title: str, tables: tuple[ItemTable, ...]
) -> Statement:
    return Statement(
        head=paper_of(facts), title=title, on=on, as_of=show_day(on, facts["language"]), customer_number=client.number,
        tables=tables,
    )


def _tables(
    client: Client, items: Sequence[OpenItem], on: dt.date, facts: Mapping[str, Any],
    beside: Mapping[str, list[tuple[str, Decimal]]], beside_items: Mapping[int, BesideItem] | None = None,
) -> tuple[ItemTable, ...]:
    by_currency: dict[str, list[OpenItem]] = defaultdict(list)
    for invoice, amount in sorted(items, key=lambda item: (item[0].due_on or on, item[0].pk)):
        by_currency[invoice.currency].append((invoice, amount))
    return tuple(
        _table(
            client, currency, by_currency[currency], beside.get(currency, []), on, facts["language"], beside_items or {}
        )
        for currency in sorted(by_currency.keys() | beside.keys())
    )


def _table(
    client: Client, currency: str, items: Sequence[OpenItem], extras: Sequence[tuple[str, Decimal]], on: dt.date,
    language: str, beside_items: Mapping[int, BesideItem],
) -> ItemTable:
    total = sum((amount for _what, amount in [*items, *extras]), Decimal(0))
    only = items[0][0] if len(items) == 1 and (beside_items or not extras) else None
    ways: tuple[Way, ...] = ()
    if total > 0:
        ways = ways_to_pay(
            facts_of(only) if only else _facts_of_today(client, None, currency), amount=total, currency=currency,
            reference=only.reference if only else "", number=str(only.number) if only else client.number,
        )
    credited = credited_by(invoice for invoice, _amount in items)
    agreed = extensions_of([invoice for invoice, _amount in items], on)
    return ItemTable(
        currency=currency,
        items=tuple(
            _row(
                invoice, amount, credited.get(invoice.pk, Decimal(0)), on, language,
                beside_items.get(invoice.pk, BesideItem()), agreed.get(invoice.pk),
            )
            for invoice, amount in items
        ),
        extras=tuple(Row(label, show(amount, currency, language)) for label, amount in extras),
        total=show(total, currency, language),
        ways=ways,
    )


def _row(
    invoice: Invoice, amount: Decimal, credited: Decimal, on: dt.date, language: str, beside: BesideItem,
    agreed: Extension | None,
) -> ItemRow:
    assert invoice.issued_on is not None and invoice.due_on is not None
    age = due_words(invoice.due_on, on, language).partition(" — ")[0]
    if agreed is not None and not beside.notes:  # a reminder says it in its notes
        age = extension_words(agreed, language)
    paid = max(invoice.total - amount - credited - beside.disputed - beside.not_due, Decimal(0))
    return ItemRow(
        number=str(invoice.number),
        issued=show_day(invoice.issued_on, language, "short"),
        due=show_day(invoice.due_on, language, "short"),
        age=age,
        is_late=invoice.due_on < on and agreed is None,
        total=show(invoice.total, invoice.currency, language),
        paid=show(-paid, invoice.currency, language) if paid else "",
        credited=show(-credited, invoice.currency, language) if credited else "",
        open=show(amount, invoice.currency, language),
        disputed=show(-beside.disputed, invoice.currency, language) if beside.disputed else "",
        notes=beside.notes,
    )


def _beside(client: Client, on: dt.date) -> dict[str, list[tuple[str, Decimal]]]:
    """Per currency what counts beside the invoices: open interest and fees, and unapplied cash as a negative amount."""
    beside: dict[str, list[tuple[str, Decimal]]] = defaultdict(list)
    charges = Charge.objects.open().filter(client=client, charged_on__lte=on).select_related("invoice")
    for charge in charges.order_by("invoice__due_on", "pk"):
        labels = {
            "interest": _("Interest on %(number)s"), "fee": _("Late fee on %(number)s"),
            "compensation": _("Compensation on %(number)s"),
        }
        beside[charge.currency].append((labels[charge.kind] % {"number": charge.invoice.number}, charge.balance))
    held: dict[str, Decimal] = defaultdict(Decimal)
    entries = Entry.objects.filter(client=client, effective_on__lte=on)
    for account, sign in (("dr", 1), ("cr", -1)):
        sums = entries.filter(**{account: CUSTOMER_CREDIT}).values_list("currency").annotate(Sum("amount"))
        for currency, amount in sums.order_by("currency"):
            held[currency] += sign * amount
    for currency, amount in held.items():
        if amount:
            beside[currency].append((_("Payment received, not yet assigned"), amount))
    return beside
