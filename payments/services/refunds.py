"""Money of a payment is given back: asked for by staff, done by the provider, or by hand where it came without one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max, Sum
from django.utils.translation import gettext as _

from audit.services import record
from clients.services import lock_client
from core.errors import Refused
from core.models import as_text
from core.money import is_exact, plain
from core.permissions import demand
from invoices.models import BANK, CUSTOMER_CREDIT, Entry
from invoices.services.credit import short_of_cash
from invoices.services.exposure import note_credit_of
from invoices.services.ledger import NewEntry, post_entry, reverse_entries

from ..models import Checkout, Payment, Refund
from ..providers import Declined, Unreachable, provider_of
from ..telling import tell
from .allocating import deallocate, doc_of, open_claims, put_to, unallocated
from .recording import tell_of_lost_cash


def refundable(payment: Payment) -> Decimal:
    """What can still be given back of a payment: its amount less what was given back or is being asked back."""
    if payment.reversal() is not None:
        return Decimal(0)
    gone: Decimal = payment.refunds.standing().aggregate(s=Sum("amount"))["s"] or Decimal(0)
    amount: Decimal = payment.amount
    return amount - gone


def refund_payment(
    payment: Payment, amount: Decimal, *, reason: str, key: str, on: dt.date, by: Any
) -> Refund:
    """Give money of a payment back, all or part of it; ``key`` makes it happen once.

    What is not put to anything goes first; then what it was put to is owed again, the latest first. Through the
    provider it came by; of any other payment it is noted that somebody gave it back. Needs the permission
    ``payments.add_refund``. Refused without a reason, and for more than is left of the payment. Where the provider does
    not answer the refund stays asked for, and is asked again; where it declines, the money is unapplied cash again.
    """
    demand(by, "payments.add_refund", _("give money back"))
    if not reason.strip():
        raise Refused(_("Say why the money is given back."), code="reason", where="reason")
    if amount <= 0 or not is_exact(amount, payment.currency):
        raise Refused(_("Write an amount above zero."), code="amount", where="amount")
    with transaction.atomic():
        lock_client(payment.client_id)
        standing = Refund.objects.filter(key=key).first()
        if standing is not None:
            if (standing.payment_id, standing.amount) != (payment.pk, amount):
                raise Refused(_("This form was used already; open a new one."), code="key_reused")
            return standing
        left = refundable(payment)
        if amount > left:
            raise Refused(
                _("Of this payment at most %(left)s %(currency)s can be given back.") % {
                    "left": plain(left, payment.currency), "currency": payment.currency
                },
                code="too_much", where="amount",
            )
        checkout = Checkout.objects.filter(payment=payment).first()
        refund = take_out(
            payment, amount, kind="refund", key=key, reason=reason, state="asked" if checkout else "done", on=on, by=by
        )
    if checkout is not None:
        ask_provider(refund, checkout, on=on)
    return refund


def ask_provider(refund: Refund, checkout: Checkout, *, on: dt.date) -> Refund:
    """Ask the provider for a refund that is still only asked for; asked twice it gives once."""
    provider = provider_of(checkout.provider)
    payment = refund.payment
    try:
        given = provider.refund(payment.reference, refund.amount, refund.currency, refund.key)
    except Unreachable:
        return refund
    except Declined as why:
        with transaction.atomic():
            lock_client(payment.client_id)
            refund.refresh_from_db()
            _fail(refund, str(why), on, provider.label)
        return refund
    with transaction.atomic():
        lock_client(payment.client_id)
        refund.refresh_from_db()
        refund.provider_ref = given.ref
        if given.done and refund.state == "asked":
            refund.state, refund.done_on = "done", on
        refund.save(update_fields=["provider_ref", "state", "done_on"])
    return refund


def given_back_at_provider(
    payment: Payment, total: Decimal, *, key: str, on: dt.date, by: Any
) -> tuple[str, bool]:
    """The provider says how much of a payment was given back in all; what we did not ask for is taken out now.

    Answers in words, and whether no more was given back than was left of the payment.
    """
    # What was paid back by hand from our bank account is no business of the provider's.
    by_provider = Entry.objects.filter(doc=doc_of(payment), key__startswith="refund:").exclude(cr=BANK)
    keys = [key.removeprefix("refund:") for key in by_provider.values_list("key", flat=True)]
    asked = payment.refunds.standing().filter(kind="refund", key__in=keys)
    known = asked.aggregate(s=Sum("amount"))["s"] or Decimal(0)
    if total >= known:
        asked.filter(state="asked").update(state="done", done_on=on)
    left = refundable(payment)
    extra, beyond = min(total - known, left), total - known - left
    if extra > 0:
        _take_out_unasked(payment, extra, key=f"{key}:{known.normalize():f}-{total.normalize():f}", on=on, by=by)
    if beyond > 0:
        return str(
            _("%(sum)s %(currency)s was given back beyond what was left of the payment: the client has it twice.") % {
                "sum": plain(beyond, payment.currency), "currency": payment.currency
            }
        ), False
    return str(_("Given back.") if extra > 0 else _("Known already.")), True


def _take_out_unasked(payment: Payment, amount: Decimal, *, key: str, on: dt.date, by: Any) -> None:
    reason = _("given back at %(provider)s") % {"provider": by}
    refund = take_out(payment, amount, kind="refund", key=key, reason=reason, on=on, by=by)
    _tell(refund, _("%(amount)s of a payment was given back at %(provider)s, not here"), on, by)


def refund_failed(payment: Payment, *, provider_ref: str, because: str, on: dt.date, by: Any) -> str:
    """A refund did not reach the payer: the money is ours again, and where it was. A person is told."""
    refund = payment.refunds.filter(provider_ref=provider_ref).first()
    if refund is None:
        raise Refused(_("This refund is not known here (%(ref)s).") % {"ref": provider_ref}, code="unknown")
    if refund.state in ("asked", "done"):
        _fail(refund, because or _("the bank sent it back"), on, by)
    return str(refund.get_state_display())


def take_out(
    payment: Payment, amount: Decimal, *, kind: str, key: str, reason: str, on: dt.date, by: Any, state: str = "done",
    out_of: str = "",
) -> Refund:
    """Money leaves a payment, under the client's lock: what it was put to is owed again as far as needed.

    ``out_of`` is the account it leaves; empty: the one it came into.
    """
    client, currency = payment.client, payment.currency
    before = {pk: missing for pk, _number, missing in short_of_cash(client, currency, on)}
    refund = Refund.objects.create(
        payment=payment, kind=kind, key=key[:120], amount=amount, currency=currency, reason=reason.strip()[:300],
        state=state, asked_on=on, asked_by=as_text(by)[:150], done_on=on if state == "done" else None,
    )
    _set_free(payment, amount, _memo(refund), on, by)
    last = Entry.objects.filter(doc=doc_of(payment)).aggregate(on=Max("effective_on"))["on"]
    came_in = Entry.objects.get(key=f"payment:{payment.key}")
    post_entry(
        NewEntry(
            key=f"refund:{refund.key}", doc=doc_of(payment), kind=kind, client=client, dr=CUSTOMER_CREDIT,
            cr=out_of or came_in.dr, amount=amount, currency=currency, effective_on=max(on, last), memo=_memo(refund),
        ),
        by,
    )
    record(
        by, f"{kind}_recorded", payment, client_id=client.pk, doc=doc_of(payment),
        summary=f"{plain(amount, currency)} {currency}: {refund.reason}",
    )
    tell_of_lost_cash(payment, before, on, by)
    note_credit_of(client, currency, on)
    return refund


def put_in_again(refund: Refund, *, state: str, on: dt.date, by: Any, because: str = "") -> None:
    """Money that had left a payment is back, under the client's lock: where it was, as far as that is still open."""
    payment = refund.payment
    gone = Entry.objects.filter(key=f"refund:{refund.key}")
    reverse_entries(gone, by, on, memo=because or _memo(refund))
    refund.state, refund.failed_because = state, because[:300]
    refund.save(update_fields=["state", "failed_because"])
    back = payment.allocations.filter(entry__reversed_by__memo=_memo(refund)).order_by("pk")
    still_open = {claim.key: claim.balance for claim in open_claims(payment.client, payment.currency)}
    left, how = refund.amount, {}
    for allocation in back:
        claim = f"charge:{allocation.charge_id}" if allocation.charge_id else f"invoice:{allocation.invoice_id}"
        share = min(left, allocation.amount, still_open.get(claim, Decimal(0)))
        if share > 0 and claim not in how:
            how[claim] = share
            left -= share
    last = Entry.objects.filter(doc=doc_of(payment)).aggregate(on=Max("effective_on"))["on"]
    if how:
        put_to(payment, sum(how.values(), Decimal(0)), how, max(on, last), by)
    record(
        by, f"{refund.kind}_{state}", payment, client_id=payment.client_id, doc=doc_of(payment),
        summary=f"{plain(refund.amount, refund.currency)} {refund.currency}: {because or refund.reason}",
    )
    note_credit_of(payment.client, payment.currency, on, fell=True)


def _fail(refund: Refund, because: str, on: dt.date, by: Any) -> None:
    if refund.state in ("asked", "done"):
        put_in_again(refund, state="failed", on=on, by=by, because=because)
        _tell(refund, _("%(amount)s could not be given back by %(provider)s"), on, by, because)


def _set_free(payment: Payment, amount: Decimal, memo: str, on: dt.date, by: Any) -> None:
    """Take the latest allocations off until so much of the payment is free; what is more than needed goes back."""
    left = unallocated(payment) + amount  # the refund itself is counted already
    for allocation in payment.allocations.standing().select_related("entry").order_by("-pk"):
        if left >= amount:
            return
        deallocate(allocation, on=on, by=by, reason=memo)
        left += allocation.amount
        if left > amount:
            claim = f"charge:{allocation.charge_id}" if allocation.charge_id else f"invoice:{allocation.invoice_id}"
            day = max(on, allocation.allocated_on)
            put_to(payment, left - amount, {claim: left - amount}, day, by)


def _memo(refund: Refund) -> str:
    """What stands beside the entries of a refund, and finds them again."""
    return f"{refund.get_kind_display()} {refund.key}: {refund.reason}"[:300]


def _tell(refund: Refund, words: str, on: dt.date, by: Any, detail: str = "") -> None:
    amount = f"{plain(refund.amount, refund.currency)} {refund.currency}"
    said = words % {"amount": amount, "provider": as_text(by)}
    tell(refund.payment.client, f"refund:{refund.pk}:{refund.state}", said, detail, on)
