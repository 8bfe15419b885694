"""Payments: money comes in as unapplied cash and is allocated to what is owed; both can be taken back by reversal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max, Sum

from audit.models import Event
from audit.services import record
from clients.models import Client
from core.errors import Refused
from core.models import as_text
from core.money import is_exact, plain
from invoices.models import BANK, CUSTOMER_CREDIT, RECEIVABLE, RECEIVABLE_CHARGES, Charge, Entry, Invoice, ProForma
from invoices.services.credit import short_of_cash, waiting_for_cash
from invoices.services.exposure import exposure_of, note_credit_of
from invoices.services.issuing import issue_invoice
from invoices.services.ledger import NewEntry, post_entries, reverse_entries
from invoices.services.pro_forma import draft_of, locked

from .allocation import Claim, Part, by_hand, exact, first_day, oldest_first
from .models import Allocation, Payment

How = str | Mapping[str, Decimal]


def record_payment(
    client: Client,
    amount: Decimal,
    currency: str,
    *,
    received_on: dt.date,
    key: str,
    by: Any,
    method: str = "transfer",
    reference: str = "",
    note: str = "",
    how: How = "oldest",
    pro_forma: ProForma | None = None,
    on: dt.date | None = None,
) -> Payment:
    """Record money received and put it to what is owed; the rest is unapplied cash.

    ``how`` is "oldest", "exact", "none", or amounts by claim key ("invoice:12", "charge:3"). ``key`` makes it
    happen once: the same key again answers with the payment recorded, and is refused for another client, sum
    or currency.
    Money for a ``pro_forma`` is kept for it whatever ``how`` says; once it covers the total, the invoice is issued and
    paid in the same act. Where the invoice is refused the money is recorded all the same, and the refusal kept in the
    audit trail. ``on`` is the day of the act; a payment dated after it is refused.
    """
    if amount <= 0 or not is_exact(amount, currency):
        raise Refused(f"A payment is an amount above zero in whole units of {currency}.", where="amount")
    if on is not None and received_on > on:
        raise Refused("A payment cannot have been received in the future.", code="future", where="received_on")
    with transaction.atomic():
        Client.objects.select_for_update().get(pk=client.pk)
        standing = Payment.objects.filter(key=key).first()
        if standing is not None:
            if (standing.client_id, standing.amount, standing.currency) != (client.pk, amount, currency):
                raise Refused("This form was already used for another payment; open a new one.", code="key_reused")
            return standing
        if pro_forma is not None:
            pro_forma = _check_for(pro_forma, client, currency)
        payment = Payment.objects.create(
            company=client.company,
            client=client,
            key=key,
            amount=amount,
            currency=currency,
            received_on=received_on,
            method=method,
            reference=reference.strip()[:140],
            note=note.strip()[:300],
            pro_forma=pro_forma,
            recorded_by=as_text(by),
        )
        post_entries(
            [
                NewEntry(
                    key=f"payment:{key}",
                    doc=doc_of(payment),
                    kind="payment",
                    client=client,
                    dr=BANK,
                    cr=CUSTOMER_CREDIT,
                    amount=amount,
                    currency=currency,
                    effective_on=received_on,
                    memo=reference,
                )
            ],
            by,
        )
        record(
            by,
            "payment_recorded",
            payment,
            client_id=client.pk,
            doc=doc_of(payment),
            summary=f"{plain(amount, currency)} {currency}",
        )
        if pro_forma is not None:
            _release_if_covered(pro_forma, on or received_on, by)
        else:
            _allocate(payment, amount, how, received_on, by)
        note_credit_of(client, currency, on or received_on, fell=True)
    return payment


def release_paid(pro_forma: ProForma, *, on: dt.date, by: Any) -> Invoice:
    """Issue the invoice of a pro forma that is paid and put the money for it there, in one transaction.

    What was paid beyond the total stays unapplied cash. Once it is issued, money that came for it later is put to it.
    Refused while less than the total has come in, once it is cancelled, and for whatever issuing refuses.
    """
    with transaction.atomic():
        pro_forma = locked(pro_forma)
        if pro_forma.cancelled_at is not None:
            raise Refused(f"{pro_forma} is cancelled; issue its draft, or make a new pro forma.", code="cancelled")
        invoice, paid = draft_of(pro_forma), paid_for(pro_forma)
        if invoice.issued_at is None:
            if paid < pro_forma.total:
                currency = pro_forma.currency
                raise Refused(
                    f"{plain(paid, currency)} of {plain(pro_forma.total, currency)} {currency} has come in for "
                    f"{pro_forma}; it is issued when all of it is here.",
                    code="not_covered",
                )
            invoice = issue_invoice(invoice, on=on, by=by)
            record(
                by, "pro_forma_released", pro_forma, client_id=invoice.client_id, doc=f"pro_forma:{pro_forma.pk}",
                summary=f"{pro_forma}: {invoice}",
            )
        for payment in pro_forma.payments.order_by("received_on", "pk"):
            invoice.refresh_from_db(fields=["balance"])
            share = min(unallocated(payment), invoice.balance)
            if share > 0:
                _allocate(payment, share, {f"invoice:{invoice.pk}": share}, max(on, payment.received_on), by)
        invoice.refresh_from_db(fields=["balance"])
    return invoice


def paid_for(pro_forma: ProForma) -> Decimal:
    """The money that came in for a pro forma and is not put to anything yet."""
    return sum((unallocated(payment) for payment in pro_forma.payments.all()), Decimal(0))


def why_not_released(pro_forma: ProForma) -> str:
    """The sentence with which issuing was refused when the money had come in; empty where it never was."""
    told = Event.objects.filter(
        object_type=pro_forma._meta.label_lower, object_id=str(pro_forma.pk), action="pro_forma_not_released"
    )
    last = told.order_by("-pk").first()
    return last.summary if last else ""


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
        made = _allocate(payment, left, how, max(on, payment.received_on), by, on_account=True)
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
        record(
            by,
            "allocation_taken_back",
            payment,
            client_id=payment.client_id,
            doc=doc_of(payment),
            summary=reason,
        )


def take_back_payment(
    payment: Payment, *, reason: str, on: dt.date, by: Any, returned_by_bank: bool = False
) -> Payment:
    """Take a payment back: what it was put to is open again, its entry is reversed.

    ``returned_by_bank``: it came and went, as a bounced cheque or a recalled debit does, and speaks against the client;
    otherwise it was recorded wrongly, which speaks against nobody. Invoices that were issued against this cash and
    have none now stand in the audit trail.

    Payment, allocations and entries stay readable, the reversal says why. Twice changes nothing. Refused without a
    reason.
    """
    if not reason.strip():
        raise Refused("Say why the payment is taken back.", code="reason", where="reason")
    with transaction.atomic():
        Client.objects.select_for_update().get(pk=payment.client_id)
        if payment.reversal() is not None:
            return payment
        reason = reason.strip()[:300]
        before = {pk: missing for pk, _number, missing in short_of_cash(payment.client, payment.currency, on)}
        entries = [allocation.entry for allocation in payment.allocations.standing().select_related("entry")]
        reverse_entries(entries, by, on, memo=reason)
        # Not before any entry of its own, so that on no day less than nothing is unapplied.
        last = Entry.objects.filter(doc=doc_of(payment)).aggregate(on=Max("effective_on"))["on"]
        came_in = Entry.objects.filter(key=f"payment:{payment.key}")
        kind = "returned" if returned_by_bank else "reversal"
        reverse_entries(came_in, by, max(on, last or on), memo=reason, kind=kind)
        record(
            by, "payment_taken_back", payment, client_id=payment.client_id, doc=doc_of(payment), summary=reason,
            diff={"returned_by_bank": True} if returned_by_bank else {},
        )
        for pk, number, missing in short_of_cash(payment.client, payment.currency, on):
            if missing > before.get(pk, Decimal(0)):
                record(
                    by, "invoice_lost_its_cash", Invoice.objects.get(pk=pk), client_id=payment.client_id,
                    doc=f"invoice:{pk}", summary=f"{number}: {plain(missing, payment.currency)} {payment.currency}",
                )
        note_credit_of(payment.client, payment.currency, on)
    return payment


def unallocated(payment: Payment) -> Decimal:
    """What is left of a payment: its amount less the allocations that stand; of one taken back nothing."""
    if payment.reversal() is not None:
        return Decimal(0)
    used: Decimal = payment.allocations.standing().aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    amount: Decimal = payment.amount
    return amount - used


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


def open_claims(client: Client, currency: str) -> list[Claim]:
    """What the client owes in a currency: open invoices and charges, oldest first."""
    invoices = Invoice.objects.open().of(client).filter(currency=currency).order_by("due_on", "issued_on", "id")
    charges = Charge.objects.filter(client=client, currency=currency, balance__gt=0).select_related("invoice")
    return [
        Claim(f"invoice:{i.pk}", i.due_on, i.balance, i.issued_on, i.number or "")  # type: ignore[arg-type]
        for i in invoices
    ] + [
        Claim(f"charge:{c.pk}", c.charged_on, c.balance, c.charged_on, f"{c.invoice} {c.get_kind_display()}", True)
        for c in charges
    ]


def doc_of(payment: Payment) -> str:
    """The document key under which a payment's entries stand in the ledger."""
    return f"payment:{payment.pk}"


def _check_for(pro_forma: ProForma, client: Client, currency: str) -> ProForma:
    """The pro forma as it stands under the lock: it may have been released since the form was opened."""
    if pro_forma.invoice is not None and pro_forma.invoice.client_id != client.pk:
        raise Refused(f"{pro_forma} is not a pro forma of {client}.", code="foreign", where="pro_forma")
    pro_forma = locked(pro_forma)
    if pro_forma.cancelled_at is not None:
        raise Refused(
            f"{pro_forma} is cancelled; record the money without it, and it is unapplied cash.", code="cancelled",
            where="pro_forma",
        )
    if pro_forma.currency != currency:
        raise Refused(
            f"{pro_forma} is in {pro_forma.currency}, the payment in {currency}.", code="currency", where="pro_forma"
        )
    return pro_forma


def _release_if_covered(pro_forma: ProForma, on: dt.date, by: Any) -> None:
    """Issue what is paid; where that is refused, the money stays recorded and the sentence is kept."""
    if draft_of(pro_forma).issued_at is None and paid_for(pro_forma) < pro_forma.total:
        return
    try:
        release_paid(pro_forma, on=on, by=by)
    except Refused as refused:
        record(
            by, "pro_forma_not_released", pro_forma, client_id=draft_of(pro_forma).client_id,
            doc=f"pro_forma:{pro_forma.pk}", summary=refused.message,
        )


def _allocate(
    payment: Payment, amount: Decimal, how: How, on: dt.date, by: Any, *, on_account: bool = False
) -> list[Allocation]:
    """``on_account``: the money was there already, and an invoice may have been issued against it."""
    claims = open_claims(payment.client, payment.currency)
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
    """Post the parts; an allocation never takes effect before its claim was open for that much."""
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
                effective_on=first_day(part.amount, _moved(charge or invoice), max(on, part.claim.issued_on)),
                invoice=invoice,
                charge=charge,
            )
        )
    entries = post_entries(new, by)
    return [
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


def _moved(claim: Invoice | Charge) -> dict[dt.date, Decimal]:
    """What moved the balance of an invoice or a charge, per day."""
    account = RECEIVABLE_CHARGES if isinstance(claim, Charge) else RECEIVABLE
    entries = Entry.objects.filter(charge=claim) if isinstance(claim, Charge) else Entry.objects.filter(invoice=claim)
    moved: dict[dt.date, Decimal] = {}
    for day, dr, cr, amount in entries.values_list("effective_on", "dr", "cr", "amount"):
        if account in (dr, cr):
            moved[day] = moved.get(day, Decimal(0)) + (amount if dr == account else -amount)
    return moved
