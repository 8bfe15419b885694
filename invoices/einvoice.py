"""The e-invoice of an invoice or a credit note: the facts frozen at issue as EN 16931 names them, and the XML kept."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from stdnum.eu import vat as eu_vat

from clients.tax_numbers import ways_written
from core.errors import Refused
from core.models import StoredFile
from core.money import places, show
from core.services import store_file
from einvoicing import rules
from einvoicing.cii import to_cii
from einvoicing.codes import CARD, CASH, CHEQUE, COUNTRIES, EU, REASON_CODES, SEPA_TRANSFER, TRANSFER, unit_code
from einvoicing.document import (
    CREDIT_NOTE,
    INVOICE,
    Account,
    Address,
    Document,
    Line,
    Party,
    Payment,
    Preceding,
    TaxGroup,
    Totals,
)
from einvoicing.ubl import to_ubl
from policies.terms import early_words, terms_words

from .documents import buyer_facts, facts_of, paid_in_advance, seller_facts
from .models import CreditNote, CreditNoteLine, Invoice, InvoiceLine
from .parts import Part
from .services.parts import EARLY, part_label, plans_of
from .tax_words import legal_words
from .totals import Line as Sum
from .totals import category_of, total_of

XML = "application/xml"
_ANY_DAY = dt.date(2000, 1, 1)  # a draft has no day yet, and nothing it lacks depends on one
_CODES = {"card": CARD, "cheque": CHEQUE, "cash": CASH}
_BUYER_REFERENCE = re.compile(r"leitweg|buyer.?reference|käuferreferenz|référence.?(de l.)?acheteur|code service", re.I)


def einvoice_xml(of: Invoice | CreditNote) -> StoredFile | None:
    """The XML of an issued document: made once from what was frozen at issue, then the same bytes for ever.

    None where there is no e-invoice of it: an item taken over from elsewhere, or one that lacks what the norm asks for,
    which happens outside the European Union only, or under a currency with three decimals.
    """
    if of.xml is None and (document := einvoice_of(of)) is not None and not rules.missing(document):
        stored = store_file(to_cii(document), XML)
        type(of)._default_manager.filter(pk=of.pk, xml=None).update(xml=stored)
        of.refresh_from_db(fields=["xml"])
    return of.xml


def einvoice_ubl(of: Invoice | CreditNote) -> bytes | None:
    """The same e-invoice in the other syntax of the norm, UBL, for receivers that take no other; None where none is."""
    document = einvoice_of(of)
    return None if document is None or rules.missing(document) else to_ubl(document)


def check_einvoice(invoice: Invoice) -> None:
    """Refuse to issue, from a country of the European Union, what could not be an e-invoice, naming what is missing.

    Three decimals are no reason: nobody there invoices in such a currency by law, and the paper is complete without.
    """
    company, client = invoice.company, invoice.client
    if company.country.upper() not in EU:
        return
    facts: dict[str, Any] = {
        "language": client.language, "seller": seller_facts(company), "buyer": buyer_facts(client, None),
        "methods": [], "bank": None,
    }
    document = _document(invoice, facts, number="-", on=_ANY_DAY, due_on=_ANY_DAY)
    for lack in rules.missing(document):
        if lack.blocks:
            raise Refused(
                f"{lack.says} The e-invoice needs it (EN 16931, {lack.term}: {lack.name}).",
                code="einvoice", where=lack.field,
            )  # fmt: skip


def lacks_of(of: Invoice | CreditNote) -> list[rules.Missing]:
    """What an issued document lacks to be an e-invoice, by business term and field of ours; nothing where it is one."""
    document = einvoice_of(of)
    return rules.missing(document) if document else []


def einvoice_of(of: Invoice | CreditNote) -> Document | None:
    """An issued document as EN 16931 sees it, from frozen facts alone; None for an item taken over from elsewhere.

    ValueError where its sums do not agree, which no document of ours does.
    """
    if isinstance(of, CreditNote):
        document = _credit_note(of)
    elif of.is_taken_over or of.issued_on is None or of.due_on is None:
        return None
    else:
        document = _document(of, facts_of(of), number=str(of.number), on=of.issued_on, due_on=of.due_on)
    if found := rules.broken(document):
        raise ValueError(f"{of}: " + " ".join(f"{broken.rule}: {broken.says}" for broken in found))
    return document


def _document(
    invoice: Invoice, facts: Mapping[str, Any], *, number: str, on: dt.date, due_on: dt.date
) -> Document:
    with translation.override(facts["language"]):
        lines = list(invoice.lines.all())
        groups = _groups(lines, invoice.currency)
        paid = paid_in_advance(invoice)
        seller, buyer = _parties(facts, groups)
        reference, notes = _extra(facts)
        plan = plans_of([invoice.pk]).get(invoice.pk, []) if invoice.in_parts else []
        # The day an invoice in parts is due moves with what is paid; on the document it stays the first one.
        due_on = plan[0].due_on if plan else due_on
        return Document(
            kind=INVOICE, number=number, issued_on=on, currency=invoice.currency, seller=seller, buyer=buyer,
            lines=_lines(lines), groups=groups,
            totals=Totals(
                lines=invoice.net, net=invoice.net, tax=invoice.tax, total=invoice.total, paid=paid,
                due=invoice.total - paid,
            ),
            delivered_on=invoice.service_to or invoice.service_from or on,
            period_from=invoice.service_from if invoice.service_to else None,
            period_to=invoice.service_to if invoice.service_from else None,
            due_on=due_on, terms=_terms(invoice, on, due_on, plan, facts["language"]), payment=_payment(invoice, facts),
            buyer_reference=reference, order=invoice.po_number, notes=(*notes, *filter(None, [invoice.note])),
            places=places(invoice.currency),
        )


def _credit_note(note: CreditNote) -> Document:
    facts, invoice = note.frozen, note.invoice
    with translation.override(facts["language"]):
        lines = list(note.lines.all())
        groups = _groups(lines, note.currency)
        seller, buyer = _parties(facts, groups)
        reference, notes = _extra(facts)
        words = {"number": invoice.number}
        return Document(
            kind=CREDIT_NOTE, number=note.number, issued_on=note.issued_on, currency=note.currency,
            seller=seller, buyer=buyer, lines=_lines(lines), groups=groups,
            totals=Totals(
                lines=note.net, net=note.net, tax=note.tax, total=note.net + note.tax, due=note.total,
                rounding=note.total - note.net - note.tax,
            ),
            delivered_on=note.issued_on, terms=_("Taken off invoice %(number)s.") % words,
            buyer_reference=reference, order=invoice.po_number, notes=(*notes, note.reason),
            preceding=(Preceding(str(invoice.number), invoice.issued_on),), places=places(note.currency),
        )


def _lines(lines: Iterable[InvoiceLine | CreditNoteLine]) -> tuple[Line, ...]:
    """Lines as the norm wants them: what is taken off has a quantity below zero, never a price (BR-27)."""
    return tuple(
        Line(
            number=str(position), name=line.description, detail=getattr(line, "detail", ""),
            quantity=-line.quantity if line.unit_price < 0 else line.quantity, unit=unit_code(line.unit),
            price=abs(line.unit_price), net=line.net, category=category_of(line.tax_category, line.tax_percent),
            percent=line.tax_percent,
        )
        for position, line in enumerate(lines, 1)
    )


def _groups(lines: Iterable[InvoiceLine | CreditNoteLine], currency: str) -> tuple[TaxGroup, ...]:
    lines = list(lines)
    reasons: dict[str, list[str]] = {}
    for line in lines:
        reasons.setdefault(category_of(line.tax_category, line.tax_percent), []).append(line.exemption_reason)
    sums = [Sum(line.quantity, line.unit_price, line.tax_percent, line.tax_category) for line in lines]
    return tuple(
        TaxGroup(
            group.category, group.percent, group.net, group.tax,
            reason=legal_words(group.category, reasons[group.category]),
            reason_code=REASON_CODES.get(group.category, ""),
        )
        for group in total_of(sums, currency).groups
    )


def _parties(facts: Mapping[str, Any], groups: Iterable[TaxGroup]) -> tuple[Party, Party]:
    """Who sells and who buys. Outside the scope of tax nobody is named by a VAT number (BR-O-02)."""
    seller, buyer = facts["seller"], facts["buyer"]
    vat, other = vat_number(seller["tax_number"], seller["country"])
    # A client whose country nobody entered is in ours: who sells abroad writes the country into the address.
    country = buyer["country"] or seller["country"]
    buyer_vat, _other = vat_number(buyer["tax_number"], country)
    if any(group.category == "O" for group in groups):
        vat, other, buyer_vat = "", vat or other, ""
    return (
        Party(
            name=seller["legal_name"] or seller["name"], trading_name=seller["name"], address=_address(seller),
            vat_number=vat, tax_number=other, number="" if vat else other, phone=seller["phone"],
            email=seller["email"],
        ),
        Party(
            name=buyer["legal_name"] or buyer["name"], trading_name=buyer["name"],
            address=_address({**buyer, "country": country}), vat_number=buyer_vat, number=buyer["number"],
            contact=", ".join(part for part in (buyer["attention"], buyer["department"]) if part),
            email=buyer.get("email", ""),
        ),
    )


def vat_number(number: str, country: str) -> tuple[str, str]:
    """A number as its owner writes it, taken apart: a VAT number with its country in front, or another tax number.

    >>> vat_number("DE 136 695 976", "DE"), vat_number("30/123/45678", "DE"), vat_number("12-3456789", "US")
    (('DE136695976', ''), ('', '30/123/45678'), ('', '12-3456789'))
    >>> vat_number("136695976", "DE"), vat_number("CHE-107.787.577 MWST", "CH"), vat_number("", "DE")
    (('DE136695976', ''), ('CHE107787577', ''), ('', ''))
    """
    country = country.upper()
    ways = sorted(ways_written(number, country), reverse=True)
    if valid := [way for way in ways if eu_vat.is_valid(way)]:
        return valid[0], ""
    if len(ways) == 1 and ways[0][:2] == country and country in COUNTRIES - {"US"}:  # written with its country
        return ways[0], ""
    return "", number.strip()


def _address(party: Mapping[str, str]) -> Address:
    kept = ("country", "street", "postal_code", "city", "region")
    return Address(**{name: party[name] for name in kept} | {"country": party["country"].upper()})


def _extra(facts: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """What the client wants to read: the one that is its buyer reference (BT-10), and the others as notes (BT-22)."""
    fields = [(label, value) for label, value in facts.get("extra_fields", ())]
    reference = next((value for label, value in fields if _BUYER_REFERENCE.search(label)), "")
    return reference, tuple(f"{label}: {value}" for label, value in fields if not _BUYER_REFERENCE.search(label))


def _terms(invoice: Invoice, on: dt.date, due_on: dt.date, plan: Sequence[Part], language: str) -> str:
    """When to pay, in words (BT-20): the days, or each instalment with its sum; and the offer for paying early."""
    said = [
        f"{part_label(part, plan, language)}: {show(part.amount, invoice.currency, language)}, "
        f"{terms_words(on, part.due_on, language)}"
        for part in plan
    ] or [terms_words(on, due_on, language)]
    if invoice.discount and invoice.discount_until:
        share = Decimal(invoice.frozen.get(EARLY, {}).get("percent", 0))
        said.append(early_words(share, invoice.discount, invoice.currency, invoice.discount_until, language))
    return "\n".join(said)


def _payment(invoice: Invoice, facts: Mapping[str, Any]) -> Payment | None:
    """How to pay: by transfer where that is offered, else by the first way that is."""
    kinds = [method["kind"] for method in facts["methods"]]
    banks = facts.get("banks") or [facts["bank"]]
    if "transfer" in kinds and any(banks):
        accounts = tuple(
            Account(holder=bank["holder"], iban=bank["iban"], number=bank["account_number"], bic=bank["bic"])
            for bank in banks
        )
        sepa = invoice.currency == "EUR" and all(account.iban for account in accounts)
        routing = [f"{_('Routing number (ACH)')} {bank['routing_number']}" for bank in banks if bank["routing_number"]]
        return Payment(
            SEPA_TRANSFER if sepa else TRANSFER, words="; ".join(routing), accounts=accounts,
            reference=invoice.reference,
        )
    offered = [kind for kind in kinds if kind in _CODES]
    return Payment(_CODES[offered[0]], reference=invoice.reference) if offered else None
