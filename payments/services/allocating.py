"""Money is put to what is owed and taken from it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum

from audit.services import record
from clients.models import Client
from core.errors import Refused
from core.money import plain
from invoices.models import CUSTOMER_CREDIT, RECEIVABLE, RECEIVABLE_CHARGES, Charge, Entry, Invoice, ProForma
from invoices.services.charging import charge_what_goes_first, interest_goes_first
from invoices.services.credit import waiting_for_cash
from invoices.services.exposure import exposure_of
from invoices.services.ledger import NewEntry, post_entries, reverse_entries

from ..allocation import Claim, Part, by_hand, exact, first_day, oldest_first
from ..models import Allocation, Payment
from .discount import discount_for, give_discounts, take_back_discounts

How = str | Mapping[str, Decimal]


def allocate(payment: Payment, how: How, *, on: dt.date, by: Any) -> list[Allocation]:
    """Put what is left of a payment to open claims of its client; "oldest", "exact", or amounts by claim key.

    Cash that invoices were issued against goes to those first: the oldest first by itself, and whatever else would
    leave less than they wait for is refused.
    """
    with transaction.atomic():
        Client.objects.select_for_update().get(pk=payment.client_id)
        left = unallocated(payment)
        if left <= 0:
            raise Refused("Nothing of this payment is left to allocate.", code="nothing_left")
        kept_for = ProForma.objects.standing().filter(payments=payment).first()
        if kept_for is not None:
            raise Refused(
                f"This money is kept for the pro forma {kept_for}; cancel {kept_for} to put it elsewhere.", code="kept",
            )
        made = put_to(payment, left, how, max(on, payment.received_on), by, on_account=True)
        if made:
            record(
                by,
                "payment_allocated",
                payment,
                client_id=payment.client_id,
                doc=doc_of(payment),
            )
    return made


def deallocate(allocation: Allocation, *, on: dt.date, by: Any, reason: str = "") -> None:
    """Take an allocation back: the claim is open again, the money is unapplied cash. Twice changes nothing."""
    with transaction.atomic():
        payment = allocation.payment
        Client.objects.select_for_update().get(pk=payment.client_id)
        if Entry.objects.filter(reverses=allocation.entry).exists():
            return
        reverse_entries([allocation.entry], by, on, memo=reason or "allocation taken back")
        if allocation.invoice_id is not None:
            take_back_discounts([allocation.invoice_id], on=on, by=by, memo=reason or "allocation taken back")
        record(
            by,
            "allocation_taken_back",
            payment,
            client_id=payment.client_id,
            doc=doc_of(payment),
            summary=reason,
        )


def unallocated(payment: Payment) -> Decimal:
    """What is left of a payment: its amount less what it was put to and what was given back; taken back, nothing."""
    if payment.reversal() is not None:
        return Decimal(0)
    used: Decimal = payment.allocations.standing().aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    gone: Decimal = payment.refunds.standing().aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    amount: Decimal = payment.amount
    return amount - used - gone


def unapplied_cash(client: Client, on: dt.date | None = None) -> dict[str, Decimal]:
    """Unapplied cash of a client per currency, by the ledger, at the end of a day (None: as it stands)."""
    entries = Entry.objects.filter(client=client)
    if on is not None:
        entries = entries.filter(effective_on__lte=on)
    held: dict[str, Decimal] = {}
    for account, sign in (("cr", 1), ("dr", -1)):
        rows = entries.filter(**{account: CUSTOMER_CREDIT}).values("currency").annotate(sum=Sum("amount"))
        for row in rows.order_by():
            held[row["currency"]] = held.get(row["currency"], Decimal(0)) + sign * row["sum"]
    return {currency: amount for currency, amount in held.items() if amount}


def open_claims(client: Client, currency: str, received_on: dt.date | None = None) -> list[Claim]:
    """What the client owes in a currency: open invoices and charges, oldest first.

    With the day on which money came in, each with the discount that paying early gives it.
    """
    invoices = Invoice.objects.open().of(client).filter(currency=currency).order_by("due_on", "issued_on", "id")
    charges = Charge.objects.open().filter(client=client, currency=currency).select_related("invoice")
    first = interest_goes_first([charge.invoice for charge in charges], received_on)
    return [
        Claim(
            f"invoice:{i.pk}", i.due_on, i.balance, i.issued_on, i.number or "",  # type: ignore[arg-type]
            discount=discount_for(i, received_on) if received_on else Decimal(0),
        )
        for i in invoices
    ] + [
        Claim(
            f"charge:{c.pk}", (c.invoice.due_on if c.invoice_id in first else None) or c.charged_on, c.balance,
            c.charged_on, f"{c.invoice} {c.get_kind_display()}", True, goes_first=c.invoice_id in first,
        )
        for c in charges
    ]


def doc_of(payment: Payment) -> str:
    """The document key under which a payment's entries stand in the ledger."""
    return f"payment:{payment.pk}"


def put_to(
    payment: Payment, amount: Decimal, how: How, on: dt.date, by: Any, *, on_account: bool = False
) -> list[Allocation]:
    """Put ``amount`` of a payment to claims, under the client's lock, within the caller's transaction.

    ``on_account``: the money was there already, and an invoice may have been issued against it.
    """
    if how == "oldest":
        charge_what_goes_first(payment.client, payment.currency, payment.received_on, by)
    claims = open_claims(payment.client, payment.currency, payment.received_on)
    waiting = waiting_for_cash(payment.client, payment.currency) if on_account else []
    if how == "none":
        return []
    if how == "oldest":
        parts = oldest_first(amount, claims, {f"invoice:{pk}": waits for pk, _number, waits in waiting})
    elif how == "exact":
        parts = exact(amount, claims)
    elif isinstance(how, Mapping):
        parts = by_hand(amount, how, claims)
    else:
        raise Refused("Allocate oldest first, exactly, or by hand.", where="how")
    if waiting:
        _leave_what_is_waited_for(payment, parts, waiting, on)
    return _post(payment, parts, on, by)


def _leave_what_is_waited_for(
    payment: Payment, parts: Sequence[Part], waiting: Sequence[tuple[int, str, Decimal]], on: dt.date
) -> None:
    """Refuse to put elsewhere the cash that an invoice was issued against: it would be open on credit."""
    currency, given = payment.currency, {part.claim.key: part.amount for part in parts}
    covered = {pk: min(waits, given.get(f"invoice:{pk}", Decimal(0))) for pk, _number, waits in waiting}
    elsewhere = sum(given.values(), Decimal(0)) - sum(covered.values(), Decimal(0))
    cash = exposure_of(payment.client, currency, on).free_cash
    free = max(cash - sum((waits for _pk, _number, waits in waiting), Decimal(0)), Decimal(0))
    if elsewhere <= free:
        return
    number, missing = next((number, waits - covered[pk]) for pk, number, waits in waiting if waits > covered[pk])
    raise Refused(
        f"{number} was issued against {plain(missing, currency)} {currency} of this cash. Put it to {number} first, or "
        f"take at most {plain(free, currency)} {currency} for anything else; void {number} if it is not to stand.",
        code="spoken_for", where="how",
    )


def _post(payment: Payment, parts: Sequence[Part], on: dt.date, by: Any) -> list[Allocation]:
    """Post the parts and the discounts they earn; no allocation takes effect before its claim was open for so much."""
    taken = payment.allocations.count()
    new = []
    for n, part in enumerate(parts, taken + 1):
        kind, _, pk = part.claim.key.partition(":")
        charge = Charge.objects.get(pk=pk) if kind == "charge" else None
        invoice = charge.invoice if charge else Invoice.objects.get(pk=pk)
        new.append(
            NewEntry(
                key=f"alloc:{payment.key}:{n}",
                doc=doc_of(payment),
                kind="allocation",
                client=payment.client,
                dr=CUSTOMER_CREDIT,
                cr=RECEIVABLE_CHARGES if charge else RECEIVABLE,
                amount=part.amount,
                currency=payment.currency,
                effective_on=first_day(part.amount, moved_by_day(charge or invoice), max(on, part.claim.issued_on)),
                invoice=invoice,
                charge=charge,
            )
        )
    entries = post_entries(new, by)
    made = [
        Allocation.objects.create(
            payment=payment,
            invoice=None if e.charge_id else e.invoice,
            charge=e.charge,
            amount=e.amount,
            allocated_on=e.effective_on,
            entry=e,
        )
        for e in entries
    ]
    give_discounts(payment, made, by)
    return made


def moved_by_day(claim: Invoice | Charge) -> dict[dt.date, Decimal]:
    """What moved the balance of an invoice or a charge, per day."""
    account = RECEIVABLE_CHARGES if isinstance(claim, Charge) else RECEIVABLE
    entries = Entry.objects.filter(charge=claim) if isinstance(claim, Charge) else Entry.objects.filter(invoice=claim)
    moved: dict[dt.date, Decimal] = {}
    for day, dr, cr, amount in entries.values_list("effective_on", "dr", "cr", "amount"):
        if account in (dr, cr):
            moved[day] = moved.get(day, Decimal(0)) + (amount if dr == account else -amount)
    return moved
