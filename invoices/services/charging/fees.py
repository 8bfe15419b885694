"""Fixed compensation and the fee of a step: claims of their own beside the invoice, once each, without VAT or interest.

They pursue a claim and pay for nothing that was sold, so they are outside the scope of VAT.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.db.models import Q

from audit.services import record
from clients.services import lock_client
from core.errors import Refused
from core.money import is_exact, plain
from invoices.models import FEE, Charge, Entry, Invoice, compensation_key, fee_key
from invoices.spans import running
from policies.guard_rails import Rail
from policies.models import Policy, Step
from policies.sending_rails import bar_to_fee
from policies.services.guard_rails import rails_at

from ..ledger import reverse_entries
from .bearing import Policies, spans_of
from .derivation import rule_as_json
from .posting import post_charge
from .reckoning import Basis, Reckoning

NOTHING = Decimal(0)


def charge_compensation(invoice: Invoice, *, on: dt.date, by: Any, policies: Policies | None = None) -> Charge | None:
    """Charge the lump sum the rule in force grants for a late invoice, once; None where it grants none.

    Between businesses only, in the currency of the rule, for an invoice that was paid late or is late.
    """
    with transaction.atomic():
        lock_client(invoice.client_id)
        if Charge.objects.filter(key=compensation_key(invoice.pk)).exists():
            return None
        invoice = Invoice.objects.select_related("client__segment", "intake").get(pk=invoice.pk)
        policies = policies or Policies()
        found = _compensation(invoice, on, policies)
        if found is None:
            return None
        basis, amount, size = found
        policy = policies.in_force(invoice, on)
        return _charge(
            invoice, "compensation", compensation_key(invoice.pk), amount, policy, on=on, by=by,
            derivation={
                "rule": basis.rule.code, "terms": rule_as_json(basis.rule), "source": basis.rule.source,
                "claim": plain(size, invoice.currency), "amount": plain(amount, invoice.currency),
            },
        )


def compensation_due(invoice: Invoice, on: dt.date, policies: Policies | None = None) -> Decimal:
    """The lump sum that may be charged for a late invoice and is not yet; nothing where there is none."""
    if Charge.objects.filter(key=compensation_key(invoice.pk)).exists():
        return NOTHING
    found = _compensation(invoice, on, policies or Policies())
    return found[1] if found else NOTHING


def charge_fee(
    invoice: Invoice, step: Step, *, on: dt.date, by: Any, reminders_before: int = 1, message_key: str = ""
) -> Charge | None:
    """Charge what a step costs in the currency of the invoice, once per invoice and step; None where it costs nothing.

    An empty amount and a zero are none, and so is what a guard-rail of the client's country does not let us charge
    (``fee_to_charge``); the audit trail names it. ``message_key`` is the reminder that asks for it: should it come
    back, the fee is taken back. Refused for an amount below zero or finer than the currency.
    """
    if fee_of(step, invoice.currency) <= 0:
        return None
    with transaction.atomic():
        lock_client(invoice.client_id)
        amount, bar = fee_to_charge(invoice, step, on=on, reminders_before=reminders_before)
        if bar is not None:
            doc, said = f"invoice:{invoice.pk}", f"{step}: {bar.title()}"
            record(by, "fee_not_charged", invoice, client_id=invoice.client_id, doc=doc, summary=said)
        if amount <= 0:
            return None
        key = fee_key(invoice.pk, step.code)
        before = Charge.objects.filter(Q(key=key) | Q(key__startswith=f"{key}:")).count()
        derivation = {
            "step": step.code, "title": step.title, "amount": plain(amount, invoice.currency),
            "source": str(step.policy), **({"message": message_key} if message_key else {}),
        }
        key = f"{key}:{before + 1}" if before else key
        return _charge(invoice, "fee", key, amount, step.policy, on=on, by=by, derivation=derivation)


def fee_to_charge(
    invoice: Invoice, step: Step, *, on: dt.date, reminders_before: int
) -> tuple[Decimal, Rail | None]:
    """What a step would charge an invoice today, and the guard-rail that forbids it, if one does.

    Nothing where its fee stands already. The rails are those of the countries the policy names; where it names none,
    of the client's. Counted are the fees that stand, not those a ladder plans: one taken back is none.
    """
    amount = fee_of(step, invoice.currency)
    if amount <= 0:
        return NOTHING, None
    standing = standing_fees(invoice)
    if any(charge.derivation.get("step") == step.code for charge in standing):
        return NOTHING, None
    policy, client, due_on = step.policy, invoice.client, invoice.due_on
    bar = bar_to_fee(
        rails_at(policy, client.country or client.company.country), for_consumers=policy.for_consumers,
        currency=invoice.currency, amount=amount, days_late=(on - due_on).days if due_on else 0,
        fees_before=len(standing), reminders_before=reminders_before,
    )
    return (NOTHING, bar) if bar is not None else (amount, None)


def standing_fees(invoice: Invoice) -> list[Charge]:
    """The fees charged on an invoice that were not taken back."""
    return list(Charge.objects.standing().filter(invoice=invoice, kind="fee").order_by("pk"))


def take_back_charge(charge: Charge, *, on: dt.date, by: Any, because: str) -> Charge:
    """A claim was made by mistake: its entry is reversed, dated ``on``. Twice changes nothing.

    What was waived stays waived. Refused while part of it is paid: free that allocation first.
    """
    with transaction.atomic():
        lock_client(charge.client_id)
        charge = Charge.objects.select_for_update(of=("self",)).select_related("client", "invoice").get(pk=charge.pk)
        posted = Entry.objects.get(key=charge.entry_key)
        if charge.balance == 0 or Entry.objects.filter(reverses=posted).exists():
            return charge
        if charge.balance != charge.amount:
            raise Refused("Part of this charge is paid or waived; free that first.", code="charge_settled")
        reverse_entries([posted], by, on, because)
        record(
            by, f"{charge.kind}_taken_back", charge, client_id=charge.client_id, doc=charge.doc,
            summary=because,
        )
    charge.refresh_from_db()
    return charge


def fee_of(step: Step, currency: str) -> Decimal:
    """What a step costs in a currency; empty is nothing. Refused where the policy names no amount of that currency."""
    said = str(step.fee.get(currency) or "").strip()
    if not said:
        return NOTHING
    try:
        amount = Decimal(said)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0 or not is_exact(amount, currency):
        raise Refused(
            f"The fee of the step “{step}” in {currency}, “{said}”, is no amount of {currency}. Correct it in the next "
            "version of the policy.",
            code="fee", where="fee",
        )
    return amount


def _compensation(invoice: Invoice, on: dt.date, policies: Policies) -> tuple[Basis, Decimal, Decimal] | None:
    """By which rule, how much, and for a claim of what size; None where there is none."""
    policy = policies.in_force(invoice, on)
    runs = running(spans_of(invoice, on, policies))
    if runs is None or policy is None or policy.for_consumers or runs.rule.for_consumers:
        return None
    basis = Basis(runs.rule, runs.runs_from)
    if not basis.rule.compensation or basis.rule.compensation_currency != invoice.currency:
        return None
    reckoning = Reckoning(invoice, policies)
    amount = reckoning.compensation(basis, on)
    if amount <= 0:
        return None
    return basis, amount, reckoning.claim_at(basis.starts_on)


def _charge(
    invoice: Invoice, kind: str, key: str, amount: Decimal, policy: Policy | None, *, on: dt.date, by: Any,
    derivation: dict[str, Any],
) -> Charge:
    charge = Charge.objects.create(
        company_id=invoice.company_id, client=invoice.client, invoice=invoice, kind=kind, key=key,
        currency=invoice.currency, amount=amount, charged_on=on, policy=policy, derivation=derivation,
    )
    post_charge(charge, FEE, by)
    record(
        by, f"{kind}_charged", charge, client_id=invoice.client_id, doc=charge.doc,
        summary=f"{plain(amount, invoice.currency)} {invoice.currency} on {invoice}",
    )
    return charge
