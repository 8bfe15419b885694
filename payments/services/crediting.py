"""Credit notes: an issued invoice is taken back, whole or by line, by a document of its own; it does not change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum

from audit.services import record
from clients.services import lock_client
from core.errors import Refused
from core.models import as_text
from core.money import plain
from invoices.credit_notes import freeze_credit_note
from invoices.crediting import Credited, Invoiced, credit_of, left_of
from invoices.models import RECEIVABLE, REVENUE, TAX, CreditNote, CreditNoteLine, Invoice
from invoices.services.exposure import note_credit_of
from invoices.services.ledger import NewEntry, post_entries
from invoices.services.numbering import as_number, next_number
from invoices.services.parts import discount_on, is_discounted

from ..allocation import first_day
from ..models import Allocation
from .allocating import deallocate, moved_by_day, put_to
from .discount import earned_on, give_discount_on

LONGEST_KEY = 80


@dataclass(frozen=True)
class Creditable:
    """A line of an invoice, and how much of it can still be credited."""

    line: Any
    left: Decimal
    credited: Decimal


def issue_credit_note(
    invoice: Invoice, lines: Mapping[int, Decimal] | None = None, *, reason: str, key: str, on: dt.date, by: Any
) -> CreditNote:
    """Take back an issued invoice: ``lines`` are quantities by the line's position, None all that is left of it.

    At the line's own price and tax; all credit notes of an invoice together never come to more than the invoice.
    Money on the invoice beyond what stays owed is set free first and becomes unapplied cash. ``key`` makes it happen
    once. Refused without a reason, for a draft or a void invoice, before its day, and for more than is left of a line.
    """
    if not reason.strip():
        raise Refused("Say why the invoice is credited; the client reads it.", code="reason", where="reason")
    if not key or len(key) > LONGEST_KEY:
        raise Refused(f"A key has 1 to {LONGEST_KEY} characters.", code="key", where="key")
    with transaction.atomic():
        lock_client(invoice.client_id)
        standing = CreditNote.objects.filter(key=key).first()
        if standing is not None:
            if standing.invoice_id != invoice.pk:
                raise Refused("This form was already used for another credit note; open a new one.", code="key_reused")
            return standing
        invoice = (
            Invoice.objects.select_for_update(of=("self",)).select_related("client__company", "company", "contact")
            .get(pk=invoice.pk)
        )  # fmt: skip
        _check_creditable(invoice, on)
        of_lines = list(invoice.lines.all())
        credited = preview_credit(invoice, lines)
        freed = _set_free(invoice, credited.total, on, by)
        early = freed[-1].early if freed else earned_on(invoice, credited.total)
        note = _write(invoice, credited, of_lines, freed, early, reason=reason.strip()[:300], key=key, on=on, by=by)
        post_entries(_entries(note, credited, first_day(credited.total, moved_by_day(invoice), on)), by)
        _put_back(freed, on, by)
        if early:
            give_discount_on(invoice, [back.allocation for back in freed], by)
        record(
            by, "credit_note_issued", note, client_id=note.client_id, doc=doc_of(note),
            summary=f"{note} for {invoice}: {plain(note.total, note.currency)} {note.currency}",
        )
        note_credit_of(invoice.client, invoice.currency, on, fell=True)
    invoice.refresh_from_db(fields=["balance"])
    return note


def preview_credit(invoice: Invoice, lines: Mapping[int, Decimal] | None = None) -> Credited:
    """What a credit note over so much of each line would come to; nothing is written. Refused as issuing would be."""
    return credit_of(
        _invoiced(list(invoice.lines.all())), _earlier(invoice), lines,
        total_left=invoice.total - credited_total(invoice), currency=invoice.currency,
    )


def creditable(invoice: Invoice) -> list[Creditable]:
    """The lines of an invoice with how much of each can still be credited."""
    earlier = _earlier(invoice)
    rows = list(invoice.lines.all())
    left = left_of(_invoiced(rows), earlier)
    return [Creditable(row, left[row.position], earlier.get(row.position, Decimal(0))) for row in rows]


def credited_total(invoice: Invoice) -> Decimal:
    """What the credit notes of an invoice come to."""
    total: Decimal | None = invoice.credit_notes.aggregate(s=Sum("total"))["s"]
    return total or Decimal(0)


def doc_of(note: CreditNote) -> str:
    """The document key under which a credit note's entries stand in the ledger."""
    return f"credit_note:{note.pk}"


def _check_creditable(invoice: Invoice, on: dt.date) -> None:
    if invoice.issued_at is None:
        raise Refused("A draft is changed or thrown away; nothing of it is owed yet.", code="draft")
    if invoice.voided_at is not None:
        raise Refused(f"{invoice} is void; nothing of it is left to credit.", code="void")
    if invoice.issued_on is not None and on < invoice.issued_on:
        raise Refused(f"{invoice} was issued on {invoice.issued_on.isoformat()}, after that day.", code="too_early")


def _invoiced(rows: Sequence[Any]) -> list[Invoiced]:
    return [Invoiced(row.position, row.quantity, row.unit_price, row.tax_percent, row.tax_category) for row in rows]


def _earlier(invoice: Invoice) -> dict[int, Decimal]:
    """How much of each line earlier credit notes took back, by position."""
    rows = CreditNoteLine.objects.filter(credit_note__invoice=invoice, line__isnull=False)
    summed = rows.order_by().values_list("line__position").annotate(s=Sum("quantity"))
    return dict(summed)


@dataclass(frozen=True)
class _Back:
    """An allocation that is taken off, how much of its money goes back once that is credited, and its discount."""

    allocation: Allocation
    again: Decimal
    early: Decimal


def _set_free(invoice: Invoice, total: Decimal, on: dt.date, by: Any) -> list[_Back]:
    """Take money off the invoice, the latest first, until so much is owed that ``total`` can be credited.

    Where it was paid early, until that leaves room for the discount on what stays, too.
    """
    back: list[_Back] = []
    was_early, early = is_discounted(invoice), Decimal(0)
    invoice.refresh_from_db(fields=["balance"])
    for allocation in invoice.allocations.standing().select_related("payment__client", "entry").order_by("-pk"):
        if invoice.balance >= total + early:
            break
        deallocate(allocation, on=on, by=by, reason="the invoice is credited")
        invoice.refresh_from_db(fields=["balance"])
        # What was paid early stays so: the discount on what is not credited is given again with the money.
        early = discount_on(invoice, credited=total) if was_early else Decimal(0)
        back.append(_Back(allocation, max(invoice.balance - total - early, Decimal(0)), early))
    return back


def _put_back(freed: Sequence[_Back], on: dt.date, by: Any) -> None:
    """What was taken off beyond what the credit note needs goes back where it was."""
    for back in freed:
        if back.again:
            amount = min(back.again, back.allocation.amount)
            put_to(back.allocation.payment, amount, {f"invoice:{back.allocation.invoice_id}": amount}, on, by)


def _write(
    invoice: Invoice, credited: Credited, of_lines: Sequence[Any], back: Sequence[_Back], early: Decimal, *,
    reason: str, key: str, on: dt.date, by: Any,
) -> CreditNote:
    """The document: its number, its lines, and all that it says, frozen."""
    again = sum((min(b.again, b.allocation.amount) for b in back), Decimal(0))
    freed = sum((b.allocation.amount for b in back), Decimal(0)) - again
    frozen = freeze_credit_note(invoice, left=invoice.balance - credited.total - again - early, freed=freed)
    series, seq = next_number(invoice.company, on, "credit_note")
    note = CreditNote.objects.create(
        company=invoice.company, client=invoice.client, invoice=invoice, series=series, seq=seq,
        number=as_number(series, seq), key=key, issued_on=on, reason=reason, currency=invoice.currency,
        net=credited.net, tax=credited.tax, total=credited.total, frozen=frozen, issued_by=as_text(by)[:150],
    )
    by_position = {line.position: line for line in of_lines}
    CreditNoteLine.objects.bulk_create(
        CreditNoteLine(
            credit_note=note, line=by_position[part.position], position=place,
            description=by_position[part.position].description, quantity=part.quantity,
            unit=by_position[part.position].unit, unit_price=by_position[part.position].unit_price,
            tax_percent=by_position[part.position].tax_percent, tax_category=by_position[part.position].tax_category,
            exemption_reason=by_position[part.position].exemption_reason, net=part.net,
        )
        for place, part in enumerate(credited.lines, 1)
    )
    return note


def _entries(note: CreditNote, credited: Credited, day: dt.date) -> list[NewEntry]:
    """The issue the other way round: revenue and tax fall, and so does what is owed."""
    doc = doc_of(note)

    def entry(key: str, account: str, amount: Decimal) -> NewEntry:
        dr, cr = (account, RECEIVABLE) if amount > 0 else (RECEIVABLE, account)
        return NewEntry(
            key=f"{doc}:{key}", doc=doc, kind="credit", client=note.client, dr=dr, cr=cr, amount=abs(amount),
            currency=note.currency, effective_on=day, invoice=note.invoice, memo=note.reason,
        )

    lines = [entry(f"line:{line.position}", REVENUE, line.net) for line in credited.lines if line.net]
    taxes = [
        entry(f"tax:{group.category}{group.percent.normalize():f}", TAX, group.tax)
        for group in credited.groups if group.tax
    ]  # fmt: skip
    rounding = [entry("rounding", REVENUE, credited.rounding)] if credited.rounding else []
    return lines + taxes + rounding
