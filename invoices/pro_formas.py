"""What stands on a pro forma: the facts frozen when it was made, and from them words in the client's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.dates import show_day
from core.money import show
from core.references import rf_reference

from .documents import LineRow, Paper, freeze, invoice_facts, line_rows, paper_of, tax_name, total_rows
from .models import Invoice, InvoiceLine, ProForma
from .paying import Row, Way, ways_to_pay
from .tax_words import tax_notes

_TEXTS = ("description", "detail", "unit", "tax_category", "exemption_reason")
_NUMBERS = ("quantity", "unit_price", "tax_percent", "net")


def freeze_pro_forma(draft: Invoice, number: str) -> dict[str, Any]:
    """The facts a pro forma keeps for ever, those of its draft among them, since the draft may change after it ended.
    """
    day = {name: value.isoformat() for name in ("service_from", "service_to") if (value := getattr(draft, name))}
    lines = [
        {name: getattr(line, name) for name in _TEXTS} | {name: f"{getattr(line, name):f}" for name in _NUMBERS}
        for line in draft.lines.all()
    ]
    return {
        **freeze(draft), **day, "lines": lines, "po_number": draft.po_number, "note": draft.note,
        "reference": rf_reference(number),
    }


@dataclass(frozen=True)
class ProFormaDocument:
    """A pro forma, ready to print: every figure and date is text in the client's language."""

    head: Paper
    number: str
    made: dt.date
    amount: str
    pay_by: str
    facts: tuple[Row, ...]
    lines: tuple[LineRow, ...]
    has_tax: bool
    tax_name: str
    totals: tuple[Row, ...]
    total: str
    ways: tuple[Way, ...]
    sentences: tuple[str, ...]
    note: str
    tax_notes: tuple[str, ...]
    cover: str | None


def pro_forma_document(pro_forma: ProForma, language: str = "") -> ProFormaDocument:
    """A pro forma in the language it was frozen in, or in another one, from what was frozen alone."""
    facts: Mapping[str, Any] = {**pro_forma.frozen, "language": language or pro_forma.frozen["language"]}
    language, currency = facts["language"], pro_forma.currency
    draft, lines = _draft_of(pro_forma)
    with translation.override(language):
        return ProFormaDocument(
            head=paper_of(facts),
            number=pro_forma.number,
            made=pro_forma.made_on,
            amount=show(pro_forma.total, currency, language),
            pay_by=show_day(pro_forma.pay_by, language),
            facts=(
                Row(_("Date"), show_day(pro_forma.made_on, language)),
                Row(_("Please pay by"), show_day(pro_forma.pay_by, language)),
                *invoice_facts(draft, facts),
            ),
            lines=line_rows(lines, currency, language),
            has_tax=any(line.tax_percent for line in lines),
            tax_name=tax_name(facts),
            totals=total_rows(draft, lines, facts),
            total=show(pro_forma.total, currency, language),
            ways=ways_of(pro_forma, pro_forma.total),
            sentences=what_it_is(pro_forma, language),
            note=draft.note,
            tax_notes=tax_notes(lines),
            cover=facts.get("cover"),
        )


def ways_of(pro_forma: ProForma, amount: Decimal) -> tuple[Way, ...]:
    """How to pay a pro forma, in the active language; the reference is its own, so that the money finds its draft.

    Not by card: a payment at a provider is for something that is owed, and nothing is owed on it.
    """
    ways = ways_to_pay(
        pro_forma.frozen, amount=amount, currency=pro_forma.currency, reference=pro_forma.frozen["reference"],
        number=pro_forma.number,
    )
    return tuple(way for way in ways if way.kind != "card")


def what_it_is(pro_forma: ProForma, language: str) -> tuple[str, ...]:
    """That it is no invoice, and what happens once it is paid; in the active language."""
    return (
        _("This is a pro forma and not an invoice: it asks for payment in advance, and nothing is owed on it."),
        _("As soon as your payment has arrived, we go ahead with your order and send you the invoice, marked as paid. "
          "Please keep that invoice for your books, not this document."),
        _("After %(day)s please ask us before you pay.") % {"day": show_day(pro_forma.pay_by, language)},
    )


def pay_by_words(pay_by: dt.date, on: dt.date, language: str) -> str:
    """Until when to pay, seen from a day, in days and as a date; in the active language."""
    day, days = show_day(pay_by, language), (pay_by - on).days
    if days == 0:
        return _("Please pay today — %(day)s") % {"day": day}
    if days < 0:
        return _("Was to be paid by %(day)s") % {"day": day}
    words = ngettext("Please pay within %(n)d day — by %(day)s", "Please pay within %(n)d days — by %(day)s", days)
    return words % {"n": days, "day": day}


def _draft_of(pro_forma: ProForma) -> tuple[Invoice, list[InvoiceLine]]:
    """The draft as it was when the pro forma was made; nothing of it is saved."""
    facts = pro_forma.frozen
    draft = Invoice(currency=pro_forma.currency, po_number=facts["po_number"], note=facts["note"])
    for name in ("service_from", "service_to"):
        setattr(draft, name, dt.date.fromisoformat(facts[name]) if name in facts else None)
    lines = [
        InvoiceLine(**{name: line.get(name, "") for name in _TEXTS}, **{name: Decimal(line[name]) for name in _NUMBERS})
        for line in facts["lines"]
    ]
    return draft, lines
