"""Late interest is announced, posted in slices, taken back where it is no longer right, and waived.

Which invoices are charged tonight is decided in ar_collections. A charge never touches the invoice.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from audit.services import record
from clients.services import lock_client
from core.dates import month_end
from core.errors import Refused
from core.models import as_text
from core.money import places, plain
from core.permissions import demand
from invoices.interest import rounded
from invoices.models import FEE, INTEREST, RECEIVABLE_CHARGES, Charge, Entry, InterestNotice, Invoice, interest_key
from invoices.rates import MissingRate

from ..ledger import NewEntry, post_entry, reverse_entries
from .bearing import DAY, Policies, spans_of
from .derivation import rule_as_json
from .reckoning import Basis, Reckoning, basis_of, open_days, standing_interest


def give_interest_notice(
    invoice: Invoice, *, interest_from: dt.date, on: dt.date, by: Any, message_key: str = ""
) -> InterestNotice:
    """Keep that the client was told from which day interest is charged on an invoice, once per message.

    Of several that reached the client the earliest day holds. Refused for a day before the notice or not after the
    due date.
    """
    if interest_from < on:
        raise Refused("Interest is announced for a day still to come.", code="past", where="interest_from")
    if invoice.due_on is None or interest_from <= invoice.due_on:
        raise Refused("Interest begins after the due date.", code="before_due", where="interest_from")
    with transaction.atomic():
        notice, made = InterestNotice.objects.get_or_create(
            invoice=invoice, message_key=message_key,
            defaults={"interest_from": interest_from, "given_on": on, "given_by": as_text(by)[:150]},
        )
        if made:
            record(
                by, "interest_notice_given", notice, client_id=invoice.client_id, doc=f"invoice:{invoice.pk}",
                summary=f"from {interest_from}",
            )
    return notice


def take_back_notices(message_key: str, *, on: dt.date, by: Any) -> list[Invoice]:
    """The message that gave notice of interest came back: its notices count no more. Answers whose they were."""
    with transaction.atomic():
        given = InterestNotice.objects.standing().filter(message_key=message_key).select_related("invoice")
        found = list(given.order_by("invoice"))
        for notice in found:
            notice.came_back_on = on
            notice.save(update_fields=["came_back_on"])
            record(
                by, "interest_notice_came_back", notice, client_id=notice.invoice.client_id,
                doc=f"invoice:{notice.invoice_id}", summary=f"from {notice.interest_from}",
            )
    return [notice.invoice for notice in found]


def charge_interest(
    invoice: Invoice, *, until: dt.date, on: dt.date, by: Any, policies: Policies | None = None
) -> list[Charge]:
    """Post what an invoice has earned and was not yet charged, up to the end of ``until``, one charge per month.

    Rounded once: the charges of a rule always add up to its interest of the whole time. Each names the version that
    held on its last day, and the choice by which it did, where another policy had held before. Nothing is posted
    before the first day of interest, nothing for a day whose version only notes it, and nothing twice. Refused for a
    day after ``on``; MissingRate, and nothing posted, where a rate is not entered.
    """
    if until > on:
        raise Refused("Interest is charged for days that have passed.", code="future", where="until")
    with transaction.atomic():
        reckoning = Reckoning(_locked(invoice), policies)
        found = [span for span in spans_of(reckoning.invoice, on, reckoning.policies) if span.posts]
        made = []
        for span, basis, first, last_of_all in list(open_days(found, list(standing_interest(invoice)), until)):
            while first <= last_of_all:
                last = min(month_end(first), last_of_all)
                version, chosen = span.held_on(last)
                charge = _post_slice(
                    reckoning, basis, first, last, on=on, by=by, policy=version,
                    chosen=chosen and chosen.to_json(),
                )
                if charge:
                    made.append(charge)
                first = last + DAY
    return made


def outdated(invoice: Invoice, on: dt.date, policies: Policies | None = None) -> list[tuple[Charge, Decimal]]:
    """Standing interest charges whose amount is no longer right, each with the right one (0: none at all).

    A payment dated back changes what earlier days earned, and so do more time agreed, a dispute that was right and a
    rate entered anew. Each is worked out by the rule it keeps, whatever the policy says today. A charge that was
    waived, even in part, is left alone, and so is one of which a rate is no longer there.
    """
    charges = list(standing_interest(invoice))
    if not charges:
        return []
    reckoning, wrong = Reckoning(invoice, policies), []
    for charge in charges:
        assert charge.from_on and charge.to_on
        try:
            right = max(reckoning.slice(basis_of(charge), charge.from_on, charge.to_on).amount, Decimal(0))
        except MissingRate:
            continue
        if right != charge.amount and not _waivers(charge).exists():
            wrong.append((charge, right))
    return wrong


def replace_interest(charge: Charge, *, on: dt.date, by: Any) -> Charge | None:
    """Take an interest charge back and post its next revision, worked out anew; None where nothing is left of it.

    By the rule, and under the version of the policy, that the charge names. Refused while part of it is paid or
    waived: free that allocation first.
    """
    with transaction.atomic():
        invoice = _locked(charge.invoice)
        charge = Charge.objects.select_for_update(of=("self",)).get(pk=charge.pk)
        if charge.balance != charge.amount:
            raise Refused("Part of this charge is paid or waived; free that first.", code="charge_settled")
        posted = Entry.objects.get(key=charge.entry_key)
        reverse_entries([posted], by, on, "interest worked out anew")
        record(by, "interest_taken_back", charge, client_id=charge.client_id, doc=charge.doc)
        if charge.from_on is None or charge.to_on is None:
            return None
        return _post_slice(
            Reckoning(invoice), basis_of(charge), charge.from_on, charge.to_on, on=on, by=by, policy=charge.policy_id,
            chosen=charge.derivation.get("chosen"),
        )


def waive_charge(charge: Charge, *, reason: str, on: dt.date, by: Any) -> Charge:
    """Give up what is still open of a charge, for a reason that is kept.

    Refused without the permission, without a reason, and where nothing is open.
    """
    demand(by, "invoices.waive_charge", "waive interest, fees or compensation")
    if not reason.strip():
        raise Refused("Write why this is waived.", code="reason", where="reason")
    return give_up(charge, reason=reason.strip(), on=on, by=by, action="charge_waived")


def give_up(charge: Charge, *, reason: str, on: dt.date, by: Any, action: str) -> Charge:
    """The client owes what is open of a charge no longer; ``action`` is how the audit trail calls it."""
    with transaction.atomic():
        lock_client(charge.client_id)
        charge = Charge.objects.select_for_update(of=("self",)).select_related("client", "invoice").get(pk=charge.pk)
        if charge.balance == 0:
            raise Refused("Nothing is open on this charge.", code="settled")
        waived = _waivers(charge).count()  # what was waived may be open again, where a payment was taken back
        post_entry(
            NewEntry(
                key=f"waiver:{charge.key}:{waived + 1}", doc=charge.doc, kind="waiver", client=charge.client,
                dr=INTEREST if charge.kind == "interest" else FEE, cr=RECEIVABLE_CHARGES, amount=charge.balance,
                currency=charge.currency, effective_on=max(on, charge.charged_on), invoice=charge.invoice,
                charge=charge, memo=reason,
            ),
            by,
        )
        record(by, action, charge, client_id=charge.client_id, doc=charge.doc, summary=reason)
    charge.refresh_from_db()
    return charge


def _locked(invoice: Invoice) -> Invoice:
    lock_client(invoice.client_id)
    related = Invoice.objects.select_related("client__segment", "intake")
    return related.select_for_update(of=("self",)).get(pk=invoice.pk)


def _post_slice(
    reckoning: Reckoning, basis: Basis, first: dt.date, last: dt.date, *, on: dt.date, by: Any, policy: int | None,
    chosen: dict[str, str] | None,
) -> Charge | None:
    """Charge the days from ``first`` to ``last``: the interest up to its end less that up to its beginning."""
    invoice, rule = reckoning.invoice, basis.rule
    amount, lines, days = reckoning.slice(basis, first, last)
    if amount <= 0:
        return None
    last = lines[-1].to_on  # no further than the day on which the invoice was paid
    own = rounded(sum((line.exact for line in lines), Fraction()), places(invoice.currency))
    revision = _revisions(invoice, first) + 1
    key = interest_key(invoice.pk, first, last, revision)
    charge = Charge.objects.create(
        company_id=invoice.company_id, client=invoice.client, invoice=invoice, kind="interest", key=key,
        currency=invoice.currency, amount=amount, from_on=first, to_on=last, charged_on=on, revision=revision,
        policy_id=policy,
        derivation={
            "rule": rule.code, "terms": rule_as_json(rule), "percent": f"{invoice.late_percent:f}",
            "day_count": rule.day_count, "starts_on": basis.starts_on.isoformat(),
            "total": plain(own, invoice.currency), "days": days,
            "lines": [line.to_json(invoice.currency) for line in lines],
            "carried": plain(amount - own, invoice.currency), **({"chosen": chosen} if chosen else {}),
        },
    )
    post_charge(charge, INTEREST, by)
    record(
        by, "interest_charged", charge, client_id=invoice.client_id, doc=charge.doc,
        summary=f"{plain(amount, invoice.currency)} {invoice.currency} on {invoice}",
    )
    return charge


def post_charge(charge: Charge, account: str, by: Any) -> None:
    """The client owes a charge from the day it is charged on."""
    post_entry(
        NewEntry(
            key=charge.entry_key, doc=charge.doc, kind="charge", client=charge.client,
            dr=RECEIVABLE_CHARGES, cr=account, amount=charge.amount, currency=charge.currency,
            effective_on=charge.charged_on, invoice=charge.invoice, charge=charge,
        ),
        by,
    )


def _revisions(invoice: Invoice, first: dt.date) -> int:
    """How often interest from that day on was charged before, standing or taken back."""
    earlier = Charge.objects.filter(invoice=invoice, kind="interest", from_on=first)
    return earlier.aggregate(last=Max("revision"))["last"] or 0


def _waivers(charge: Charge) -> QuerySet[Entry]:
    return Entry.objects.filter(charge=charge, kind="waiver")
