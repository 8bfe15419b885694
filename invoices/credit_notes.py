"""What stands on a credit note: the facts frozen when it was issued, and from them words in the client's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _

from core.dates import show_day
from core.money import plain, show

from .documents import LineRow, Paper, freeze, line_rows, paper_of, tax_name, total_rows
from .models import CreditNote, Invoice
from .paying import Row
from .tax_words import tax_notes


def freeze_credit_note(invoice: Invoice, *, left: Decimal, freed: Decimal = Decimal(0)) -> dict[str, Any]:
    """The facts a credit note keeps for ever, plain JSON: its parties as they are today, and the invoice it takes back.

    ``left`` is what the invoice still owes after it, ``freed`` the money it sets free to be used elsewhere.
    """
    assert invoice.issued_on is not None
    about = Invoice(
        company=invoice.company, client=invoice.client, contact=invoice.contact, currency=invoice.currency,
        extra_fields=invoice.extra_fields,
    )
    return {
        **freeze(about),
        "invoice": {
            "number": str(invoice.number), "issued_on": invoice.issued_on.isoformat(), "po_number": invoice.po_number,
            "total": plain(invoice.total, invoice.currency),
        },
        "left": plain(left, invoice.currency),
        "freed": plain(freed, invoice.currency),
    }


def credited_by(invoices: Iterable[Invoice]) -> dict[int, Decimal]:
    """What the credit notes of each of many invoices come to, by invoice; one query. Absent: nothing was credited."""
    rows = CreditNote.objects.filter(invoice__in=[invoice.pk for invoice in invoices]).order_by()
    return dict(rows.values_list("invoice").annotate(s=Sum("total")))


@dataclass(frozen=True)
class CreditNoteDocument:
    """A credit note, ready to print: every figure and date is text in the client's language."""

    head: Paper
    number: str
    issued: dt.date
    amount: str
    invoice: str
    reason: str
    facts: tuple[Row, ...]
    lines: tuple[LineRow, ...]
    has_tax: bool
    tax_name: str
    totals: tuple[Row, ...]
    total: str
    sentences: tuple[str, ...]
    tax_notes: tuple[str, ...]
    cover: str | None


def credit_note_document(note: CreditNote) -> CreditNoteDocument:
    """An issued credit note in the language it was frozen in, from what was frozen alone."""
    facts: Mapping[str, Any] = note.frozen
    language, currency = facts["language"], note.currency
    with translation.override(language):
        lines = list(note.lines.all())
        return CreditNoteDocument(
            head=paper_of(facts),
            number=note.number,
            issued=note.issued_on,
            amount=show(note.total, currency, language),
            invoice=facts["invoice"]["number"],
            reason=note.reason,
            facts=_facts(note, facts),
            lines=line_rows(lines, currency, language),
            has_tax=any(line.tax_percent for line in lines),
            tax_name=tax_name(facts),
            totals=total_rows(note, lines, facts),
            total=show(note.total, currency, language),
            sentences=what_it_does(note, language),
            tax_notes=tax_notes(lines),
            cover=facts.get("cover"),
        )


def what_it_does(note: CreditNote, language: str) -> tuple[str, ...]:
    """What the credit note changes for its reader: what is still owed on the invoice, and what is set free."""
    facts, currency = note.frozen, note.currency
    number, left, freed = facts["invoice"]["number"], Decimal(facts["left"]), Decimal(facts["freed"])
    if left:
        first = _("%(left)s of the invoice %(number)s is still to be paid.") % {
            "left": show(left, currency, language), "number": number,
        }
    else:
        first = _("Nothing is owed any more on the invoice %(number)s.") % {"number": number}
    if not freed:
        return (first,)
    return first, _(
        "%(freed)s of what you have paid on it is free again: it counts towards your next invoice, "
        "or we pay it back; tell us which you prefer."
    ) % {"freed": show(freed, currency, language)}


def _facts(note: CreditNote, facts: Mapping[str, Any]) -> tuple[Row, ...]:
    language, invoice = facts["language"], facts["invoice"]
    issued = show_day(dt.date.fromisoformat(invoice["issued_on"]), language)
    rows = [
        Row(_("Issued"), show_day(note.issued_on, language)),
        Row(_("For the invoice"), invoice["number"]),
        Row(_("Invoice date"), issued),
    ]
    if invoice["po_number"]:
        rows.append(Row(_("Your order"), invoice["po_number"]))
    rows += [Row(label, value) for label, value in facts.get("extra_fields", ())]
    return (*rows, Row(_("Customer no."), facts["buyer"]["number"]))
