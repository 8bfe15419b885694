"""Money that came in is recorded, and taken back by reversal where it had not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max

from audit.services import record
from clients.models import Client
from core.errors import Refused
from core.models import as_text
from core.money import is_exact, plain
from invoices.models import BANK, CUSTOMER_CREDIT, Entry, Invoice, ProForma
from invoices.services.credit import short_of_cash
from invoices.services.exposure import note_credit_of
from invoices.services.ledger import NewEntry, post_entries, reverse_entries

from ..models import Checkout, Payment
from .allocating import How, doc_of, put_to
from .discount import earned_on, give_discount_on, take_back_discounts
from .pro_formas import checked_for, release_if_covered


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
    into: str = BANK,
    pro_forma: ProForma | None = None,
    on: dt.date | None = None,
) -> Payment:
    """Record money received and put it to what is owed; the rest is unapplied cash.

    ``how`` is "oldest", "exact", "none", or amounts by claim key ("invoice:12", "charge:3"). ``key`` makes it
    happen once: the same key again answers with the payment recorded, and is refused for another client, sum
    or currency.
    Money for a ``pro_forma`` is kept for it whatever ``how`` says; once it covers the total, the invoice is issued and
    paid in the same act. Where the invoice is refused the money is recorded all the same, and the refusal kept in the
    audit trail. ``on`` is the day of the act; a payment dated after it is refused. ``into`` is where it came in:
    the bank, or ``clearing(provider)`` while a provider holds it.
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
            pro_forma = checked_for(pro_forma, client, currency)
        payment = Payment.objects.create(
            company=client.company, client=client, key=key, amount=amount, currency=currency, received_on=received_on,
            method=method, reference=reference.strip()[:140], note=note.strip()[:300], pro_forma=pro_forma,
            recorded_by=as_text(by),
        )  # fmt: skip
        _enter(payment, into, by)
        if pro_forma is not None:
            release_if_covered(pro_forma, on or received_on, by)
        else:
            put_to(payment, amount, how, received_on, by)
        note_credit_of(client, currency, on or received_on, fell=True)
    return payment


def _enter(payment: Payment, into: str, by: Any) -> None:
    """The entry by which the money came in, as unapplied cash, and its line in the trail."""
    entry = NewEntry(
        key=f"payment:{payment.key}", doc=doc_of(payment), kind="payment", client=payment.client, dr=into,
        cr=CUSTOMER_CREDIT, amount=payment.amount, currency=payment.currency, effective_on=payment.received_on,
        memo=payment.reference,
    )  # fmt: skip
    post_entries([entry], by)
    record(
        by, "payment_recorded", payment, client_id=payment.client_id, doc=doc_of(payment),
        summary=f"{plain(payment.amount, payment.currency)} {payment.currency}",
    )  # fmt: skip


def take_back_payment(
    payment: Payment, *, reason: str, on: dt.date, by: Any, returned_by_bank: bool = False
) -> Payment:
    """Take a payment back: what it was put to is open again, its entry is reversed.

    ``returned_by_bank``: it came and went, as a bounced cheque or a recalled debit does, and speaks against the client;
    otherwise it was recorded wrongly, which speaks against nobody. Invoices that were issued against this cash and
    have none now stand in the audit trail.

    Payment, allocations and entries stay readable, the reversal says why. Twice changes nothing. Refused without a
    reason, for money a provider holds or paid out to us, and where some of it was given back already.
    """
    if not reason.strip():
        raise Refused("Say why the payment is taken back.", code="reason", where="reason")
    with transaction.atomic():
        Client.objects.select_for_update().get(pk=payment.client_id)
        if payment.reversal() is not None:
            return payment
        if Checkout.objects.filter(payment=payment).exists():
            raise Refused("This money came by a payment provider: give it back instead.", code="by_provider")
        if payment.refunds.standing().exists():
            raise Refused("Some of this payment was given back; what is left can be given back too.", code="refunded")
        reason = reason.strip()[:300]
        before = {pk: missing for pk, _number, missing in short_of_cash(payment.client, payment.currency, on)}
        standing = list(payment.allocations.standing().select_related("entry"))
        reverse_entries([allocation.entry for allocation in standing], by, on, memo=reason)
        invoices = [a.invoice_id for a in standing if a.invoice_id is not None]
        take_back_discounts(invoices, on=on, by=by, memo=reason)
        for invoice in Invoice.objects.filter(pk__in=invoices):
            if earned_on(invoice):  # this money came too late and stood in the way of what had come in time
                give_discount_on(invoice, [], by)
        # Not before any entry of its own, so that on no day less than nothing is unapplied.
        last = Entry.objects.filter(doc=doc_of(payment)).aggregate(on=Max("effective_on"))["on"]
        came_in = Entry.objects.filter(key=f"payment:{payment.key}")
        kind = "returned" if returned_by_bank else "reversal"
        reverse_entries(came_in, by, max(on, last or on), memo=reason, kind=kind)
        record(
            by, "payment_taken_back", payment, client_id=payment.client_id, doc=doc_of(payment), summary=reason,
            diff={"returned_by_bank": True} if returned_by_bank else {},
        )
        tell_of_lost_cash(payment, before, on, by)
        note_credit_of(payment.client, payment.currency, on)
    return payment


def tell_of_lost_cash(payment: Payment, before: Mapping[int, Decimal], on: dt.date, by: Any) -> None:
    """Keep in the audit trail which invoices, issued against this cash, have less of it now than ``before``."""
    for pk, number, missing in short_of_cash(payment.client, payment.currency, on):
        if missing > before.get(pk, Decimal(0)):
            record(
                by, "invoice_lost_its_cash", Invoice.objects.get(pk=pk), client_id=payment.client_id,
                doc=f"invoice:{pk}", summary=f"{number}: {plain(missing, payment.currency)} {payment.currency}",
            )
