"""The discount for paying early: given in the transaction that puts the money to an invoice, taken back with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Max, Q

from audit.services import record
from core.money import plain, split
from invoices.models import DISCOUNT, RECEIVABLE, TAX, Entry, Invoice
from invoices.services.drafting import totals_of
from invoices.services.ledger import NewEntry, post_entries, reverse_entries
from invoices.services.parts import discount_on

from ..models import Allocation, Payment

KIND = "discount"


def discount_for(invoice: Invoice, received_on: dt.date) -> Decimal:
    """What of an invoice need not be paid where the money came in on a day; nothing after the last day of the offer."""
    if not invoice.discount or invoice.discount_until is None or received_on > invoice.discount_until:
        return Decimal(0)
    balance: Decimal = invoice.balance
    return min(discount_on(invoice), balance)


def settles(invoice: Invoice, received_on: dt.date) -> Decimal:
    """How much money of a day settles an invoice: its balance less the discount for paying early."""
    return Decimal(invoice.balance) - discount_for(invoice, received_on)


def give_discounts(payment: Payment, allocations: Iterable[Allocation], by: Any) -> list[Entry]:
    """Give the discount on every invoice that money received in time now covers but for the discount; post it.

    It takes what is left of the invoice off the discounts and, in proportion, off the tax. Where money that came too
    late is among it, the invoice stays open.
    """
    made: list[Entry] = []
    offered = {a.invoice_id: a.invoice for a in allocations if a.invoice is not None and a.invoice.discount}
    for invoice in offered.values():
        invoice.refresh_from_db(fields=["balance"])
        if 0 < invoice.balance <= discount_for(invoice, payment.received_on) and _all_in_time(invoice):
            made += post_entries(_entries(invoice, payment), by)
            given = sum((entry.amount for entry in made if entry.invoice_id == invoice.pk), Decimal(0))
            record(
                by, "early_discount_given", invoice, client_id=invoice.client_id, doc=f"payment:{payment.pk}",
                summary=f"{invoice}: {plain(given, invoice.currency)} {invoice.currency}",
            )
    return made


def earned_on(invoice: Invoice, credited: Decimal = Decimal(0)) -> Decimal:
    """The discount that money received in time has earned once so much is credited: the rest it then leaves open."""
    rest = Decimal(invoice.balance) - credited
    paid = invoice.discount and invoice.allocations.standing().exists() and _all_in_time(invoice)
    return rest if paid and 0 < rest <= discount_on(invoice, credited=credited) else Decimal(0)


def give_discount_on(invoice: Invoice, freed: Sequence[Allocation], by: Any) -> list[Entry]:
    """Give the discount that was earned on an invoice without new money; ``freed`` is what it was paid with before."""
    latest = invoice.allocations.standing().select_related("payment").order_by("-pk").first() or freed[-1]
    return give_discounts(latest.payment, [latest], by)


def take_back_discounts(invoices: Sequence[int], *, on: dt.date, by: Any, memo: str) -> None:
    """Take the discounts of invoices back, because money they were given for is taken off them again."""
    standing = Entry.objects.filter(invoice__in=invoices, kind=KIND, reverses=None, reversed_by=None)
    for invoice in Invoice.objects.filter(pk__in=standing.values("invoice")):
        entries = list(standing.filter(invoice=invoice))
        reverse_entries(entries, by, on, memo=memo)
        record(
            by, "early_discount_taken_back", invoice, client_id=invoice.client_id, doc=entries[0].doc, summary=memo
        )


def _all_in_time(invoice: Invoice) -> bool:
    late = invoice.allocations.standing().filter(payment__received_on__gt=invoice.discount_until)
    return not late.exists()


def _entries(invoice: Invoice, payment: Payment) -> list[NewEntry]:
    """What is left of the invoice, split over its net and the tax of each rate by the largest remainder."""
    totals, amount = totals_of(invoice), Decimal(invoice.balance)
    sides = [("net", DISCOUNT, totals.net)]
    sides += [(f"tax:{group.category}{group.percent.normalize():f}", TAX, group.tax) for group in totals.groups]
    if any(weight < 0 for _key, _account, weight in sides):
        sides = [("net", DISCOUNT, totals.total)]  # a rate that was credited more than sold cannot share it
    shares = split(amount, [weight for _key, _account, weight in sides], invoice.currency)
    moves = Entry.objects.filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), invoice=invoice)
    last_on = moves.aggregate(on=Max("effective_on"))["on"] or payment.received_on
    earlier = Entry.objects.filter(invoice=invoice, kind=KIND).count()
    return [
        NewEntry(
            key=f"discount:{invoice.pk}:{earlier + n}:{key}", doc=f"payment:{payment.pk}", kind=KIND,
            client=payment.client, dr=account, cr=RECEIVABLE, amount=share, currency=invoice.currency,
            effective_on=last_on, invoice=invoice, memo="paid early",
        )
        for n, ((key, account, _weight), share) in enumerate(zip(sides, shares, strict=True), 1) if share
    ]
