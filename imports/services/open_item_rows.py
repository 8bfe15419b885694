"""The rows that an item taken over becomes: the claim, what was paid on it, and the entries of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from clients.models import Client
from core.money import plain
from imports.rows import OpenItem
from invoices.interest import Claim, late_interest
from invoices.models import BANK, CUSTOMER_CREDIT, RECEIVABLE, REVENUE, Entry, Intake, Invoice
from invoices.rates import RateStep
from invoices.services.ledger import NewEntry
from payments.models import Allocation, Payment
from payments.services import doc_of


@dataclass
class New:
    """An item that is not here yet, with its client."""

    item: OpenItem
    client: Client
    invoice: Invoice = field(init=False)


def interest_preview(
    items: Iterable[tuple[OpenItem, Decimal]], interest_from: dt.date, on: dt.date
) -> dict[str, dict[str, Any]]:
    """Per currency: the overdue items that will bear interest, what is owed on them, and the interest to this day.

    Each item comes with its percentage per year; no day before ``interest_from`` bears interest.
    """
    found: dict[str, list[Any]] = {}
    for item, percent in items:
        owed = item.total - item.paid
        if owed <= 0 or item.due_on >= on or percent <= 0:
            continue
        claim = Claim(owed, item.currency, item.due_on, interest_from=interest_from)
        interest = late_interest(claim, on, [RateStep(dt.date.min, percent, "terms")]).total
        sums = found.setdefault(item.currency, [0, Decimal(0), Decimal(0)])
        sums[0], sums[1], sums[2] = sums[0] + 1, sums[1] + owed, sums[2] + interest
    return {
        currency: {
            "from": interest_from.isoformat(), "invoices": count, "principal": plain(owed, currency),
            "interest_to_date": plain(interest, currency),
        }
        for currency, (count, owed, interest) in sorted(found.items())
    }


def invoice_of(n: New, intake: Intake, at: dt.datetime, who: str) -> Invoice:
    """The item as a claim: its own number, its own due date; the rate of the client's terms if it is ever charged."""
    item, terms = n.item, n.client.terms
    return Invoice(
        company=n.client.company, client=n.client, currency=item.currency, po_number=item.po, number=item.number,
        intake=intake, issued_on=item.issued_on, issued_at=at, due_on=item.due_on,
        terms_days=(item.due_on - item.issued_on).days, late_percent=terms.late_percent if terms else Decimal(0),
        net=item.total, total=item.total, reference=item.number if len(item.number) <= 35 else "", created_by=who,
        frozen={
            "taken_over": True, "paid": plain(item.paid, item.currency),
            "paid_on": item.paid_on.isoformat() if item.paid else None,
        },
    )


def payment_of(n: New, who: str) -> Payment:
    return Payment(
        company=n.client.company, client=n.client, key=f"opening:{n.invoice.pk}", amount=n.item.paid,
        currency=n.item.currency, received_on=n.item.paid_on, method="opening", reference=n.item.number[:140],
        recorded_by=who,
    )


def issue_entry(n: New) -> NewEntry:
    doc = f"invoice:{n.invoice.pk}"
    return NewEntry(
        key=f"{doc}:line:1", doc=doc, kind="issue", client=n.client, dr=RECEIVABLE, cr=REVENUE, amount=n.item.total,
        currency=n.item.currency, effective_on=n.item.issued_on, invoice=n.invoice,
    )


def payment_entries(n: New, payment: Payment) -> list[NewEntry]:
    """The money as it came in, and to the item, but not before that was issued."""
    received = NewEntry(
        key=f"payment:{payment.key}", doc=doc_of(payment), kind="payment", client=n.client, dr=BANK, cr=CUSTOMER_CREDIT,
        amount=payment.amount, currency=payment.currency, effective_on=payment.received_on, memo=payment.reference,
    )
    allocated = replace(
        received, key=f"alloc:{payment.key}:1", kind="allocation", dr=CUSTOMER_CREDIT, cr=RECEIVABLE, invoice=n.invoice,
        effective_on=max(payment.received_on, n.item.issued_on),
    )
    return [received, allocated]


def allocations_of(entries: Iterable[Entry], payments: Iterable[Payment]) -> list[Allocation]:
    by_key = {f"alloc:{payment.key}:1": payment for payment in payments}
    return [
        Allocation(
            payment=by_key[entry.key], invoice=entry.invoice, amount=entry.amount, allocated_on=entry.effective_on,
            entry=entry,
        )
        for entry in entries
        if entry.key in by_key
    ]


def differs_from(invoice: Invoice, item: OpenItem) -> str:
    """In what the file contradicts an item taken over before; empty where it does not."""
    said: list[tuple[str, object, object]] = [
        ("currency", invoice.currency, item.currency), ("issue date", invoice.issued_on, item.issued_on),
        ("due date", invoice.due_on, item.due_on), ("total", invoice.total.normalize(), item.total.normalize()),
    ]
    if item.settled_on is not None or item.balance is not None:
        said.append(("payment", Decimal(invoice.frozen.get("paid", "0")).normalize(), item.paid.normalize()))
        if item.paid:
            said.append(("payment date", invoice.frozen.get("paid_on"), item.paid_on.isoformat()))
    for what, here, there in said:
        if here != there:
            shown = tuple(f"{v:f}" if isinstance(v, Decimal) else str(v) for v in (here, there))
            return (
                f"Already here with the {what} {shown[0]}; the file says {shown[1]}. An import changes no item: record "
                "what was paid since as a payment, or correct the file."
            )
    return ""
