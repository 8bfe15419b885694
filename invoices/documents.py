"""What stands on our documents: the facts frozen at issue, and from them words and amounts in the client's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.numbers import format_decimal
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client, Contact, Wishes
from core.dates import show_day
from core.models import LANGUAGES, Company
from core.money import is_exact, show
from policies.credit_terms import terms_in_force
from policies.terms import early_words, terms_words

from .late_words import compensation_words, rule_facts, words_by_law
from .models import CreditNote, CreditNoteLine, Invoice, InvoiceLine
from .paying import Row, Way, freeze_ways, late_terms, percent, ways_to_pay
from .services.credit import IN_ADVANCE
from .services.parts import EARLY, part_label, plans_of
from .tax_words import group_label, tax_notes
from .totals import Line, total_of


def freeze(invoice: Invoice) -> dict[str, Any]:
    """The facts an invoice keeps for ever: who sells, who buys, where and how to pay, in which language; plain JSON.

    ``issue_invoice`` stores it as ``Invoice.frozen``, and the document is rendered from it and from nothing
    that can change later. Whoever changes a bank account or an address changes later invoices only.
    """
    client, company = invoice.client, invoice.company
    contact = invoice.contact or recipient(client)
    return _credit_terms(invoice) | _wishes(invoice) | rule_facts(invoice) | {
        "language": contact.speaks() if contact else client.language,
        "paper": client.paper or company.paper,
        "design": client.design or company.design,
        "seller": seller_facts(company),
        "buyer": buyer_facts(client, contact),
        **freeze_ways(invoice),
        "terms": invoice.terms.name if invoice.terms else "",
    }


def _wishes(invoice: Invoice) -> dict[str, Any]:
    """What the client's office asks of our paper: fields to print, with their values, and what a cover page says."""
    wishes = Wishes.objects.filter(client=invoice.client_id).first()
    fields = invoice.extra_fields or (wishes.extra_fields if wishes else [])
    said = {"extra_fields": [[field["label"], field["value"]] for field in fields if field.get("value")]}
    return said | ({"cover": wishes.cover_text} if wishes and wishes.cover_page else {})


def _credit_terms(invoice: Invoice) -> dict[str, Any]:
    """The version of our credit terms in force on the day of issue, with its title in every language; or nothing."""
    if invoice.issued_on is None or invoice.is_taken_over:
        return {}
    terms = terms_in_force(invoice.company, invoice.issued_on)
    if terms is None:
        return {}
    titles = {language: terms.title(language) for language, _name in LANGUAGES}
    return {"credit_terms": {"id": terms.pk, "from": terms.effective_from.isoformat(), "titles": titles}}


def credit_terms_line(facts: Mapping[str, Any], language: str) -> str:
    """The line that names the credit terms an invoice was issued on; empty where there were none."""
    terms = facts.get("credit_terms")
    if not terms:
        return ""
    day = show_day(dt.date.fromisoformat(terms["from"]), language)
    title = terms["titles"].get(language) or terms["titles"]["en"]
    return _("Terms that apply: %(title)s of %(day)s") % {"title": title, "day": day}


def recipient(client: Client) -> Contact | None:
    """Whom an invoice goes to unless it names somebody: the first reachable contact, accounts payable before others."""
    reachable = list(client.contacts.reachable())
    return min(reachable, key=lambda contact: (contact.role != "accounts_payable", contact.pk), default=None)


def seller_facts(company: Company) -> dict[str, str]:
    kept = (
        "name", "legal_name", "tagline", "street", "postal_code", "city", "region", "country", "tax_number",
        "register_entry", "email", "phone", "time_zone", "paper", "accent",
    )
    return {name: getattr(company, name) for name in kept}


def buyer_facts(client: Client, contact: Contact | None) -> dict[str, str]:
    kept = ("number", "name", "legal_name", "tax_number")
    post = client.addresses.filter(kind="post").first() or client
    where = ("street", "postal_code", "city", "region", "country")
    return {name: getattr(client, name) for name in kept} | {name: getattr(post, name) for name in where} | {
        "attention": contact.name if contact else "",
        "department": contact.department if contact else "",
        "email": contact.email if contact else "",
    }


def facts_of(invoice: Invoice) -> Mapping[str, Any]:
    """What was frozen at issue; for an item taken over from elsewhere, which froze nothing, the facts of now."""
    return invoice.frozen if "seller" in invoice.frozen else freeze(invoice)


@dataclass(frozen=True)
class Party:
    """A business as a document names it: name first, then the lines of its address and its tax number."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Paper:
    """What every document of a company shares: sheet, colours, who writes, and the line at the foot."""

    language: str
    paper: str
    design: str
    accent: str
    brand: str
    tagline: str
    sender: Party
    recipient: Party
    foot: tuple[str, ...]
    email: str
    phone: str


@dataclass(frozen=True)
class LineRow:
    """One line of an invoice, ready to print."""

    description: str
    detail: str
    quantity: str
    unit_price: str
    tax: str
    amount: str


@dataclass(frozen=True)
class PartRow:
    """One instalment on paper: what it is called, how much, and by when in words that stay true."""

    label: str
    amount: str
    words: str


@dataclass(frozen=True)
class InvoiceDocument:
    """An invoice, ready to print: every figure and date is text in the client's language.

    ``parts`` are there where it is paid in several, ``early`` is the offer for paying early, ``cover`` what the client
    wants on a cover page; nothing where they want none. ``paid`` says what was there in advance and what is left.
    """

    head: Paper
    number: str
    issued: dt.date
    amount: str
    due_words: str
    terms_label: str
    facts: tuple[Row, ...]
    lines: tuple[LineRow, ...]
    has_tax: bool
    tax_name: str
    totals: tuple[Row, ...]
    total: str
    ways: tuple[Way, ...]
    late_terms: str
    credit_terms: str
    note: str
    parts: tuple[PartRow, ...] = ()
    early: str = ""
    tax_notes: tuple[str, ...] = ()
    paid: tuple[Row, ...] = ()
    cover: str | None = None


def invoice_document(invoice: Invoice) -> InvoiceDocument:
    """An issued invoice in the language it was frozen in, as it was on the day of issue whatever was paid since."""
    facts = facts_of(invoice)
    language, currency = facts["language"], invoice.currency
    assert invoice.issued_on is not None and invoice.due_on is not None
    with translation.override(language):
        lines = list(invoice.lines.all())
        parts, first = _parts(invoice, language)
        terms = f"{parts[0].amount}: {parts[0].words}" if parts else terms_words(invoice.issued_on, first, language)
        left = invoice.total - paid_in_advance(invoice)
        return InvoiceDocument(
            head=paper_of(facts),
            number=str(invoice.number),
            issued=invoice.issued_on,
            amount=show(invoice.total if parts else left, currency, language),
            due_words=terms if left else _("Paid in advance: nothing is left to pay."),
            terms_label=_in_parts(len(parts)) if parts else _terms_label(invoice.issued_on, first) if left else "",
            facts=invoice_facts(invoice, facts, first),
            lines=line_rows(lines, currency, language),
            has_tax=any(line.tax_percent for line in lines),
            tax_name=tax_name(facts),
            totals=total_rows(invoice, lines, facts),
            total=show(invoice.total, currency, language),
            ways=ways_to_pay(
                facts, amount=left, currency=currency, reference=invoice.reference, number=str(invoice.number)
            ) if left else (),
            late_terms=late_words(invoice, first, language) if left else "",
            credit_terms=credit_terms_line(facts, language),
            note=invoice.note,
            parts=parts,
            early=_early(invoice, language),
            tax_notes=tax_notes(lines),
            paid=_paid(invoice, left, language),
            cover=facts.get("cover"),
        )


def paid_in_advance(invoice: Invoice) -> Decimal:
    """What was there of an invoice when it was issued: the cash that it was issued against."""
    total: Decimal = invoice.total
    return min(Decimal(invoice.frozen.get(IN_ADVANCE, 0)), total)


def _paid(invoice: Invoice, left: Decimal, language: str) -> tuple[Row, ...]:
    if left == invoice.total:
        return ()
    paid = show(left - invoice.total, invoice.currency, language)
    return Row(_("Paid in advance"), paid), Row(_("Left to pay"), show(left, invoice.currency, language))


def _parts(invoice: Invoice, language: str) -> tuple[tuple[PartRow, ...], dt.date]:
    """The instalments as they were issued, none for an ordinary invoice; and the day on which the first is due."""
    assert invoice.issued_on is not None and invoice.due_on is not None
    plan = plans_of([invoice.pk]).get(invoice.pk, []) if invoice.in_parts else []
    rows = tuple(
        PartRow(
            part_label(part, plan, language), show(part.amount, invoice.currency, language),
            terms_words(invoice.issued_on, part.due_on, language),
        )
        for part in plan
    )
    return rows, plan[0].due_on if plan else invoice.due_on


def late_words(invoice: Invoice, due_on: dt.date, language: str) -> str:
    """What paying after the due day costs; of an invoice in parts after the day of each. Empty without a rate.

    By the rule the invoice was issued under: the percentage of its terms, a fixed one, or a reference rate.
    """
    late, due = invoice.frozen.get("late") or {}, show_day(due_on, language)
    if late.get("series"):
        return words_by_law(late, invoice, due, language)
    rate = Decimal(late["percent"]) if late else invoice.late_percent
    lump = compensation_words(late, invoice, language) if late else ""
    if not invoice.in_parts or rate <= 0:
        return " ".join(filter(None, [late_terms(rate, due, language), lump]))
    each = _("On each part that is unpaid after its day we may charge interest of %(rate)s a year.") % {
        "rate": percent(rate, language)
    }
    return f"{each} {lump}".strip()


def _in_parts(count: int) -> str:
    return ngettext("in %(n)d part", "in %(n)d parts", count) % {"n": count}


def _early(invoice: Invoice, language: str) -> str:
    """The offer for paying early, as it stood on the day of issue, with what is left to pay then."""
    if not invoice.discount or invoice.discount_until is None:
        return ""
    share = Decimal(invoice.frozen.get(EARLY, {}).get("percent", "0"))
    offer = early_words(share, invoice.discount, invoice.currency, invoice.discount_until, language)
    return then_pay(offer, show(invoice.total - invoice.discount, invoice.currency, language))


def then_pay(offer: str, amount: str) -> str:
    """The offer for paying early, with what is to be paid then."""
    return _("%(offer)s: then please pay %(amount)s.") % {"offer": offer, "amount": amount}


def invoice_facts(invoice: Invoice, facts: Mapping[str, Any], due_on: dt.date | None = None) -> tuple[Row, ...]:
    """The short facts beside the addresses: issued, due, service period, order, what the client asks for, its number.

    ``due_on`` is the first day on which something is due.
    """
    language = facts["language"]
    rows = []
    if invoice.issued_on and due_on:
        rows = [Row(_("Issued"), show_day(invoice.issued_on, language)), Row(_("Due"), show_day(due_on, language))]
    if invoice.replaces:
        rows.append(Row(_("Replaces"), str(invoice.replaces)))
    if period := _period(invoice.service_from, invoice.service_to, language):
        rows.append(Row(_("Service"), period))
    if invoice.po_number:
        rows.append(Row(_("Your order"), invoice.po_number))
    rows += [Row(label, value) for label, value in facts.get("extra_fields", ())]
    rows.append(Row(_("Customer no."), facts["buyer"]["number"]))
    return tuple(rows)


def line_rows(lines: Iterable[InvoiceLine | CreditNoteLine], currency: str, language: str) -> tuple[LineRow, ...]:
    """The lines of an invoice in a language; a unit price keeps the places it was given in."""
    return tuple(
        LineRow(
            description=line.description,
            detail=getattr(line, "detail", ""),
            quantity=f"{_number(line.quantity, language)} {line.unit}".strip(),
            unit_price=_unit_price(line.unit_price, currency, language),
            tax=percent(line.tax_percent, language),
            amount=show(line.net, currency, language),
        )
        for line in lines
    )


def total_rows(
    document: Invoice | CreditNote, lines: Iterable[InvoiceLine | CreditNoteLine], facts: Mapping[str, Any]
) -> tuple[Row, ...]:
    """What stands between the lines and the total: the net sum and each tax group; nothing where there is no tax."""
    currency, language = document.currency, facts["language"]
    totals = total_of([Line(x.quantity, x.unit_price, x.tax_percent, x.tax_category) for x in lines], currency)
    if not any(group.tax for group in totals.groups):
        return ()
    rows = [Row(_("Net"), show(totals.net, currency, language))]
    for group in totals.groups:
        words = {
            "tax": tax_name(facts), "rate": percent(group.percent, language),
            "net": show(group.net, currency, language),
        }
        label = group_label(group.category) or _("%(tax)s %(rate)s on %(net)s")
        rows.append(Row(label % words, show(group.tax, currency, language)))
    if isinstance(document, CreditNote) and document.total != totals.total:  # the cents that earlier ones left
        rows.append(Row(_("Rounding"), show(document.total - totals.total, currency, language)))
    return tuple(rows)


def tax_name(facts: Mapping[str, Any]) -> str:
    """What the tax is called where the seller is."""
    return _("Sales tax") if facts["seller"]["country"] == "US" else _("VAT")


def paper_of(facts: Mapping[str, Any]) -> Paper:
    """The head and foot of a document from frozen facts, in the active language."""
    seller, buyer, language = facts["seller"], facts["buyer"], facts["language"]
    sender = Party(seller["legal_name"], _address(seller, language))
    attention = ", ".join(part for part in (buyer["attention"], buyer["department"]) if part)
    return Paper(
        language=language,
        paper=facts.get("paper") or seller["paper"],
        design=facts.get("design", "ledger"),
        accent=seller["accent"],
        brand=seller["name"],
        tagline=seller["tagline"],
        sender=sender,
        recipient=Party(
            buyer["legal_name"] or buyer["name"], ((attention,) if attention else ()) + _address(buyer, language)
        ),
        foot=tuple(
            " · ".join(part for part in parts if part)
            for parts in ((seller["legal_name"], seller["register_entry"]), (seller["email"], seller["phone"]))
        ),
        email=seller["email"],
        phone=seller["phone"],
    )


def _address(party: Mapping[str, str], language: str) -> tuple[str, ...]:
    country = Locale.parse(language).territories.get(party["country"], party["country"])
    if party["country"] in ("US", "CA", "AU"):
        place = f"{party['city']}, {party['region']} {party['postal_code']}".strip(", ")
    else:
        place = ", ".join(part for part in (f"{party['postal_code']} {party['city']}".strip(), party["region"]) if part)
    tax = f"{_('VAT no.') if party['country'] != 'US' else _('Tax no.')} {party['tax_number']}"
    return tuple(
        line for line in (party["street"], place, country, tax if party["tax_number"] else "") if line
    )


def _terms_label(issued_on: dt.date, due_on: dt.date) -> str:
    days = (due_on - issued_on).days
    return ngettext("net %(n)d day", "net %(n)d days", days) % {"n": days} if days > 0 else ""


def _period(first: dt.date | None, last: dt.date | None, language: str) -> str:
    if first is None or last is None or first == last:
        day = first or last
        return show_day(day, language) if day else ""
    if (first.year, first.month) == (last.year, last.month):
        return f"{show_day(first, language, 'yearless').split(' ')[0]}–{show_day(last, language)}"
    begin = show_day(first, language, "yearless" if first.year == last.year else "long")
    return f"{begin} – {show_day(last, language)}"


def _number(value: Decimal, language: str) -> str:
    return str(format_decimal(value.normalize(), "#,##0.####", locale=language))


def _unit_price(price: Decimal, currency: str, language: str) -> str:
    if is_exact(price, currency):
        return show(price, currency, language)
    return f"{_number(price, language)} {currency}"
