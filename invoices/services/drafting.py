"""Drafts: an invoice that may still change, because nobody has seen it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypedDict

from django.db import transaction
from django.utils import timezone

from audit.services import record
from clients.models import Client, Contact, Wishes
from clients.services import lock_client
from core.errors import Refused
from core.fields import LARGEST
from core.models import as_text
from core.money import currency_codes
from invoices.models import Invoice, InvoiceLine
from invoices.paying import offered
from invoices.totals import Line, Totals, category_of, line_net, total_of
from policies.models import Terms
from policies.services import default_terms

# What a line's columns keep; whatever is finer would be cut off after its net was worked out.
QUANTITY_PLACES, PRICE_PLACES, TAX_PLACES = 4, 6, 3
LARGEST_QUANTITY, LARGEST_PRICE = Decimal(10**10), Decimal(10**13)
MOST_FIELDS, LONGEST_LABEL, LONGEST_VALUE, LONGEST_REASON = 8, 40, 120, 200


@dataclass(frozen=True)
class LineDraft:
    """One line as written: quantity times unit price in the invoice's currency, tax in percent.

    Without a category the percentage says which: standard, and zero rated at 0 percent.
    """

    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_percent: Decimal = Decimal(0)
    tax_category: str = ""
    unit: str = ""
    detail: str = ""
    exemption_reason: str = ""


class ExtraField(TypedDict):
    """Something a client wants to read on its invoices: its label, and what stands beside it."""

    label: str
    value: str


@dataclass(frozen=True)
class Heading:
    """What stands above the lines; what is not given comes from the client.

    ``extra_fields`` are labels with their values, None for those the client wishes; ``ways`` are kinds of payment
    offered on this invoice alone, empty for the usual ones.
    """

    terms: Terms | None = None
    contact: Contact | None = None
    currency: str = ""
    po_number: str = ""
    service_from: dt.date | None = None
    service_to: dt.date | None = None
    note: str = ""
    extra_fields: Sequence[ExtraField] | None = None
    ways: Sequence[str] = ()


def draft_invoice(
    client: Client, lines: Sequence[LineDraft], *, heading: Heading | None = None, key: str | None = None, by: Any
) -> Invoice:
    """Begin an invoice; it has no number and owes nothing until it is issued.

    ``key`` makes it happen once: the same key again answers with the invoice begun under it, whatever became of it.
    Refused where that key belongs to another client's invoice.
    """
    with transaction.atomic():
        if key is not None:
            lock_client(client.pk)
            standing = Invoice.objects.filter(form_key=key).first()
            if standing is not None:
                if standing.client_id != client.pk:
                    raise Refused("This form was already used for another invoice; open a new one.", code="key_reused")
                return standing
        invoice = Invoice(company=client.company, client=client, form_key=key, created_by=as_text(by))
        _write(invoice, lines, heading or Heading())
        record(by, "invoice_drafted", invoice, client_id=client.pk)
    return invoice


def edit_draft(
    invoice: Invoice, lines: Sequence[LineDraft], *, heading: Heading, version: int | None = None, by: Any
) -> Invoice:
    """Write a draft anew; ``version`` is the one the person saw. Refused once it is issued."""
    with transaction.atomic():
        invoice = _locked_draft(invoice)
        if version is not None and invoice.version != version:
            raise Refused(
                "Somebody else changed this draft while you were writing; load the page again.",
                code="changed_meanwhile",
            )
        invoice.version += 1
        invoice.lines.all().delete()
        _write(invoice, lines, heading)
        record(by, "draft_changed", invoice, client_id=invoice.client_id)
    return invoice


def delete_draft(invoice: Invoice, *, by: Any) -> None:
    """Throw a draft away. Refused once it is issued: an issued invoice is voided.

    That the client opened the page of its cancelled pro forma stays on record; the page is shut.
    """
    with transaction.atomic():
        invoice = _locked_draft(invoice)
        record(by, "draft_deleted", invoice, client_id=invoice.client_id)
        invoice.links.filter(views__isnull=False).update(invoice=None, revoked_at=timezone.now())
        invoice.delete()


def totals_of(invoice: Invoice) -> Totals:
    """The totals of the lines as they stand: net, tax per rate, total."""
    return total_of([_as_line(line) for line in invoice.lines.all()], invoice.currency)


def totals_of_lines(lines: Sequence[LineDraft], currency: str) -> tuple[Totals, list[Decimal]]:
    """What lines come to, and the net of each. Refused: a line as it cannot be kept, too much, less than nothing."""
    for position, line in enumerate(lines, 1):
        _check_line(line, position)
    totals = total_of([_as_line(line) for line in lines], currency)
    nets = [line_net(line.quantity, line.unit_price, currency) for line in lines]
    if max([totals.total, *map(abs, nets)]) > LARGEST:
        raise Refused("The lines add up to more than can be kept; look at the prices.", code="range", where="lines")
    if totals.total < 0:
        raise Refused("The lines add up to less than nothing.", code="negative", where="lines")
    return totals, nets


def _check_line(line: LineDraft, position: int) -> None:
    """A line is written so that what is kept is exactly what its net was worked out from."""
    where = f"line {position}"
    numbers = (
        ("quantity", line.quantity, QUANTITY_PLACES, LARGEST_QUANTITY),
        ("price", line.unit_price, PRICE_PLACES, LARGEST_PRICE),
        ("tax", line.tax_percent, TAX_PLACES, LARGEST_QUANTITY),
    )
    for name, number, places, limit in numbers:
        if not number.is_finite() or abs(number) >= limit:
            raise Refused(f"Line {position}: the {name} is more than can be kept.", code="range", where=where)
        if number != number.quantize(Decimal(1).scaleb(-places)):
            raise Refused(
                f"Line {position}: the {name} has more than {places} decimals; write at most {places}.",
                code="too_fine",
                where=where,
            )
    if not line.description.strip():
        raise Refused(f"Line {position} has no description.", where=where)
    if line.quantity == 0:
        raise Refused(f"Line {position} has the quantity 0; leave it out or give one.", where=where)
    if not 0 <= line.tax_percent <= 100:
        raise Refused(f"Line {position}: tax lies between 0 and 100 percent.", where=where)
    _check_category(line, position)


def _check_category(line: LineDraft, position: int) -> None:
    """A line says what it may say about its tax (EN 16931 BR-S-05, BR-S-10, BR-E-10)."""
    where, reason = f"line {position}", line.exemption_reason.strip()
    category = category_of(line.tax_category, line.tax_percent)
    if line.tax_category == "S" and line.tax_percent == 0:
        raise Refused(
            f"Line {position}: a standard rate is above 0 percent; write it, or choose zero rated, exempt, reverse "
            "charge or another category without tax.", code="tax", where=where,
        )  # fmt: skip
    if category == "E" and not reason:
        raise Refused(
            f"Line {position}: say why it is exempt from tax, with the law it rests on; it stands on the invoice.",
            code="exemption_reason", where=where,
        )  # fmt: skip
    if reason and category in ("S", "Z"):
        raise Refused(
            f"Line {position}: a reason for no tax belongs to a line without tax; take it out or choose the category.",
            code="exemption_reason", where=where,
        )  # fmt: skip
    if len(reason) > LONGEST_REASON:
        raise Refused(
            f"Line {position}: the reason for no tax has more than {LONGEST_REASON} characters; shorten it.",
            code="range", where=where,
        )  # fmt: skip


def _as_line(line: InvoiceLine | LineDraft) -> Line:
    return Line(line.quantity, line.unit_price, line.tax_percent, line.tax_category)


def _locked_draft(invoice: Invoice) -> Invoice:
    invoice = Invoice.objects.select_for_update(of=("self",)).get(pk=invoice.pk)
    if invoice.issued_at is not None:
        raise Refused(f"{invoice} is issued and no longer changes; void it instead.", code="issued")
    standing = invoice.pro_formas.standing().first()
    if standing is not None:
        raise Refused(
            f"The client has the pro forma {standing} for this draft, so it does not change; cancel {standing} first.",
            code="pro_forma",
        )
    return invoice


def wished_fields(client: Client) -> list[ExtraField]:
    """What a client asked to read on every invoice; a value that differs each time is empty and waits to be written."""
    wishes = Wishes.objects.filter(client=client).first()
    told = wishes.extra_fields if wishes else []
    return [ExtraField(label=str(f.get("label", "")), value=str(f.get("value", ""))) for f in told if f.get("label")]


def _checked_fields(fields: Sequence[ExtraField]) -> list[ExtraField]:
    """The fields that have a value; nobody wants to read an empty one."""
    kept = [ExtraField(label=f["label"].strip(), value=f["value"].strip()) for f in fields]
    kept = [field for field in kept if field["value"]]
    if len(kept) > MOST_FIELDS:
        raise Refused(f"At most {MOST_FIELDS} extra fields fit on an invoice.", code="range", where="extra_fields")
    for field in kept:
        if not field["label"]:
            raise Refused(f"Say what «{field['value']}» is: the field has no name.", where="extra_fields")
        if len(field["label"]) > LONGEST_LABEL or len(field["value"]) > LONGEST_VALUE:
            raise Refused(
                f"«{field['label'][:LONGEST_LABEL]}» is too long to be printed beside the addresses; write at most "
                f"{LONGEST_LABEL} characters as its name and {LONGEST_VALUE} as its value.",
                code="range", where="extra_fields",
            )  # fmt: skip
    return kept


def _checked_ways(invoice: Invoice, ways: Sequence[str]) -> list[str]:
    """The kinds of payment chosen for one invoice, in the company's order. Refused: one this client is not offered."""
    if not ways:
        return []
    kinds = [method.kind for method in offered(invoice.company, invoice.client, invoice.currency)]
    for kind in ways:
        if kind not in kinds:
            raise Refused(
                f"«{kind}» is not offered to {invoice.client} for {invoice.currency}; choose among the ways that are.",
                code="way", where="ways",
            )  # fmt: skip
    return [kind for kind in kinds if kind in ways]


def _write(invoice: Invoice, lines: Sequence[LineDraft], heading: Heading) -> None:
    client = invoice.client
    if not lines:
        raise Refused("An invoice needs at least one line.", code="no_lines", where="lines")
    invoice.terms = heading.terms or client.terms or default_terms(client.company)
    if heading.contact is not None and heading.contact.client_id != client.pk:
        raise Refused(f"{heading.contact} is not a contact of {client}.", code="foreign_contact", where="contact")
    invoice.contact = heading.contact
    invoice.currency = heading.currency or client.currency
    if invoice.currency not in currency_codes():
        raise Refused(f"“{invoice.currency}” is not a currency; write EUR, USD or another code.", where="currency")
    if heading.service_from and heading.service_to and heading.service_to < heading.service_from:
        raise Refused("The service ends before it begins.", where="service_to")
    if invoice.terms is not None and invoice.terms.company != client.company:
        raise Refused("These terms belong to another company.", where="terms")
    invoice.po_number = heading.po_number.strip()
    invoice.service_from, invoice.service_to = heading.service_from, heading.service_to
    invoice.note = heading.note.strip()
    wished = wished_fields(client) if heading.extra_fields is None else heading.extra_fields
    invoice.extra_fields = _checked_fields(wished)
    invoice.ways = _checked_ways(invoice, heading.ways)
    totals, nets = totals_of_lines(lines, invoice.currency)
    invoice.net, invoice.tax, invoice.total = totals.net, totals.tax, totals.total
    invoice.save()
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            description=line.description.strip(),
            detail=line.detail.strip(),
            quantity=line.quantity,
            unit=line.unit.strip(),
            unit_price=line.unit_price,
            tax_percent=line.tax_percent,
            tax_category=category_of(line.tax_category, line.tax_percent),
            exemption_reason=line.exemption_reason.strip(),
            net=net,
        )
        for position, (line, net) in enumerate(zip(lines, nets, strict=True), 1)
    )
