"""Late interest as claims of their own: notice given, interest accrued on read, posted in slices, waived, replaced.

Which invoices are charged tonight is decided in ar_collections. A charge never touches the invoice.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Sum

from audit.services import record
from clients.services import lock_client
from core.dates import month_end
from core.errors import Refused
from core.models import as_text
from core.money import plain
from invoices.interest import CONTRACT, Claim, Interest, Payment, late_interest
from invoices.models import FEE, INTEREST, RECEIVABLE, RECEIVABLE_CHARGES, Charge, Entry, InterestNotice, Invoice
from invoices.parts import moves_of_what_is_due
from invoices.rates import contract_rate
from policies.models import Policy

from ..ledger import NewEntry, post_entry, reverse_entries
from ..parts import plans_of

_DAY = dt.timedelta(days=1)
OPENING = "alloc:opening:"  # what was paid before the item was taken over


@dataclass(frozen=True)
class Accrual:
    """Interest on an invoice by the end of a day: all that it has earned, and what of it is charged already."""

    starts_on: dt.date | None
    interest: Interest
    charged: Decimal

    @property
    def uncharged(self) -> Decimal:
        return max(self.interest.total - self.charged, Decimal(0))


def give_interest_notice(
    invoice: Invoice, *, interest_from: dt.date, on: dt.date, by: Any, message_key: str = ""
) -> InterestNotice:
    """Keep that the client was told from which day interest is charged on an invoice; the first notice stands.

    Refused for a day before the notice or not after the due date.
    """
    if interest_from < on:
        raise Refused("Interest is announced for a day still to come.", code="past", where="interest_from")
    if invoice.due_on is None or interest_from <= invoice.due_on:
        raise Refused("Interest begins after the due date.", code="before_due", where="interest_from")
    with transaction.atomic():
        notice, made = InterestNotice.objects.get_or_create(
            invoice=invoice,
            defaults={
                "interest_from": interest_from, "given_on": on, "given_by": as_text(by)[:150],
                "message_key": message_key,
            },
        )
        if made:
            record(
                by, "interest_notice_given", notice, client_id=invoice.client_id, doc=f"invoice:{invoice.pk}",
                summary=f"from {interest_from}",
            )
    return notice


def interest_starts_on(invoice: Invoice) -> dt.date | None:
    """The first day that bears interest: as notified, or as chosen when the item was taken over; None without either.

    Never before the day after the (first) due day, and only at the percentage printed in the terms of the invoice.
    """
    if invoice.late_percent <= 0 or invoice.due_on is None:
        return None
    notice = InterestNotice.objects.filter(invoice=invoice).first()
    days = [notice.interest_from if notice else None, invoice.intake.interest_from if invoice.intake else None]
    known = [day for day in days if day is not None]
    return max(min(known), _first_due(invoice) + _DAY) if known else None


def accrued(invoice: Invoice, on: dt.date) -> Accrual:
    """What an invoice has earned in interest by the end of a day, worked out anew from the ledger."""
    starts_on = interest_starts_on(invoice)
    charged = sum((c.amount for c in standing_interest(invoice)), Decimal(0))
    return Accrual(starts_on, _interest(invoice, starts_on, on), charged)


def standing_interest(invoice: Invoice) -> QuerySet[Charge]:
    """The interest charged on an invoice, by period; what was replaced by a revision or taken back is left out."""
    undone = Entry.objects.filter(charge=OuterRef("pk"), reverses__kind="charge")
    return Charge.objects.filter(invoice=invoice, kind="interest").filter(~Exists(undone)).order_by("from_on")


def charge_interest(
    invoice: Invoice, *, until: dt.date, on: dt.date, by: Any, policy: Policy | None = None
) -> list[Charge]:
    """Post what an invoice has earned and was not yet charged, up to the end of ``until``, one charge per month.

    Rounded once: the charges of an invoice always add up to the interest of the whole time. Nothing is posted
    before the first day of interest, and nothing twice. Refused for a day after ``on``.
    """
    if until > on:
        raise Refused("Interest is charged for days that have passed.", code="future", where="until")
    with transaction.atomic():
        lock_client(invoice.client_id)
        invoice = Invoice.objects.select_for_update(of=("self",)).select_related("client", "intake").get(pk=invoice.pk)
        starts_on = interest_starts_on(invoice)
        if starts_on is None:
            return []
        latest = standing_interest(invoice).last()
        first = latest.to_on + _DAY if latest and latest.to_on else starts_on
        made = []
        while first <= until:
            last = min(month_end(first), until)
            charge = _post_slice(invoice, starts_on, first, last, on=on, by=by, policy=policy)
            if charge:
                made.append(charge)
            first = last + _DAY
    return made


def outdated(invoice: Invoice, on: dt.date) -> list[tuple[Charge, Decimal]]:
    """Standing interest charges whose amount is no longer right, each with the right one (0: none at all).

    A payment dated back changes what earlier days earned. A charge that was waived, even in part, is left alone.
    """
    starts_on = interest_starts_on(invoice)
    wrong = []
    before = Decimal(0)
    for charge in standing_interest(invoice):
        assert charge.from_on and charge.to_on
        right = _interest(invoice, starts_on, charge.to_on).total - before
        if right != charge.amount and not _waivers(charge).exists():
            wrong.append((charge, max(right, Decimal(0))))
        before += right
    return wrong


def replace_interest(charge: Charge, *, on: dt.date, by: Any, policy: Policy | None = None) -> Charge | None:
    """Take an interest charge back and post its next revision, worked out anew; None where nothing is left of it.

    Refused while part of it is paid or waived: free that allocation first.
    """
    with transaction.atomic():
        lock_client(charge.client_id)
        invoice = Invoice.objects.select_for_update(of=("self",)).select_related("client", "intake").get(
            pk=charge.invoice_id
        )
        charge = Charge.objects.select_for_update(of=("self",)).get(pk=charge.pk)
        if charge.balance != charge.amount:
            raise Refused("Part of this charge is paid or waived; free that first.", code="charge_settled")
        posted = Entry.objects.get(key=f"charge:{charge.key}")
        reverse_entries([posted], by, on, "interest worked out anew")
        record(by, "interest_taken_back", charge, client_id=charge.client_id, doc=f"charge:{charge.pk}")
        starts_on = interest_starts_on(invoice)
        if starts_on is None or charge.from_on is None or charge.to_on is None:
            return None
        return _post_slice(invoice, starts_on, charge.from_on, charge.to_on, on=on, by=by, policy=policy)


def waive_charge(charge: Charge, *, reason: str, on: dt.date, by: Any) -> Charge:
    """Give up what is still open of a charge, for a reason that is kept.

    Refused without a reason, and where nothing is open.
    """
    if not reason.strip():
        raise Refused("Write why this is waived.", code="reason", where="reason")
    with transaction.atomic():
        lock_client(charge.client_id)
        charge = Charge.objects.select_for_update(of=("self",)).select_related("client", "invoice").get(pk=charge.pk)
        if charge.balance == 0:
            raise Refused("Nothing is open on this charge.", code="settled")
        reason = reason.strip()
        waived = _waivers(charge).count()  # what was waived may be open again, where a payment was taken back
        post_entry(
            NewEntry(
                key=f"waiver:{charge.key}:{waived + 1}", doc=f"charge:{charge.pk}", kind="waiver", client=charge.client,
                dr=INTEREST if charge.kind == "interest" else FEE, cr=RECEIVABLE_CHARGES, amount=charge.balance,
                currency=charge.currency, effective_on=max(on, charge.charged_on), invoice=charge.invoice,
                charge=charge, memo=reason,
            ),
            by,
        )
        record(by, "charge_waived", charge, client_id=charge.client_id, doc=f"charge:{charge.pk}", summary=reason)
    charge.refresh_from_db()
    return charge


def _post_slice(
    invoice: Invoice, starts_on: dt.date, first: dt.date, last: dt.date, *, on: dt.date, by: Any,
    policy: Policy | None,
) -> Charge | None:
    """Charge the days from ``first`` to ``last``: the interest up to its end less that up to its beginning."""
    so_far = _interest(invoice, starts_on, first - _DAY).total
    amount = _interest(invoice, starts_on, last).total - so_far
    if amount <= 0:
        return None
    own = _interest(invoice, first, last)
    last = own.lines[-1].to_on  # no further than the day on which the invoice was paid
    revision = _revisions(invoice, first) + 1
    key = f"interest:{invoice.pk}:{first.isoformat()}:{last.isoformat()}:{revision}"
    charge = Charge.objects.create(
        company_id=invoice.company_id, client=invoice.client, invoice=invoice, kind="interest", key=key,
        currency=invoice.currency, amount=amount, from_on=first, to_on=last, charged_on=on, revision=revision,
        policy=policy,
        derivation={
            "rule": CONTRACT.code, "percent": f"{invoice.late_percent:f}", "day_count": CONTRACT.day_count,
            "starts_on": starts_on.isoformat(), **own.to_json(),
            "carried": plain(amount - own.total, invoice.currency),
        },
    )
    post_entry(
        NewEntry(
            key=f"charge:{key}", doc=f"charge:{charge.pk}", kind="charge", client=invoice.client, dr=RECEIVABLE_CHARGES,
            cr=INTEREST, amount=amount, currency=invoice.currency, effective_on=on, invoice=invoice, charge=charge,
        ),
        by,
    )
    record(
        by, "interest_charged", charge, client_id=invoice.client_id, doc=f"charge:{charge.pk}",
        summary=f"{plain(amount, invoice.currency)} {invoice.currency} on {invoice}",
    )
    return charge


def _interest(invoice: Invoice, starts_on: dt.date | None, until: dt.date) -> Interest:
    """The pure computation over the invoice's own ledger: principal only, at the percentage of its terms.

    What was paid on an item before it was taken over bears no interest, whatever day interest begins. Of an invoice in
    parts each bears interest from the day after its own due day, and money fills them in their order.
    """
    principal = invoice.total - (_paid_elsewhere(invoice) if invoice.is_taken_over else 0)
    if starts_on is None or principal <= 0:
        return Interest(invoice.currency, Decimal(0), 0, Decimal(0))
    payments, first_due = _payments(invoice), _first_due(invoice)
    if invoice.in_parts:
        # From nothing: that a part falls due counts as so much less paid.
        moves = moves_of_what_is_due(plans_of([invoice.pk])[invoice.pk], [(paid.on, paid.amount) for paid in payments])
        principal, payments = Decimal(0), tuple(Payment(moved.on, moved.amount) for moved in moves)
    claim = Claim(principal, invoice.currency, first_due, payments, starts_on)
    return late_interest(claim, until, contract_rate(invoice.late_percent, f"terms of {invoice}"))


def _first_due(invoice: Invoice) -> dt.date:
    """The day the first of it was due; the due day of an invoice in parts moves on when that is paid."""
    assert invoice.due_on is not None
    return plans_of([invoice.pk])[invoice.pk][0].due_on if invoice.in_parts else invoice.due_on


def _paid_elsewhere(invoice: Invoice) -> Decimal:
    opening = Entry.objects.filter(invoice=invoice, cr=RECEIVABLE, key__startswith=OPENING)
    return opening.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def _payments(invoice: Invoice) -> tuple[Payment, ...]:
    """What reduced the principal, day by day; what was taken back counts against it."""
    moved: dict[dt.date, Decimal] = {}
    entries = Entry.objects.filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), invoice=invoice).exclude(kind="issue")
    entries = entries.exclude(key__startswith=OPENING)
    for account, amount, day in entries.order_by("effective_on", "id").values_list("cr", "amount", "effective_on"):
        moved[day] = moved.get(day, Decimal(0)) + (amount if account == RECEIVABLE else -amount)
    found, wanted, paid = [], Decimal(0), Decimal(0)
    for day, amount in moved.items():
        wanted += amount
        now = min(max(wanted, Decimal(0)), invoice.total)  # dated back twice, a day may look paid twice
        if now != paid:
            found.append(Payment(day, now - paid))
            paid = now
    return tuple(found)


def _revisions(invoice: Invoice, first: dt.date) -> int:
    """How often interest from that day on was charged before, standing or taken back."""
    earlier = Charge.objects.filter(invoice=invoice, kind="interest", from_on=first)
    return earlier.aggregate(last=Max("revision"))["last"] or 0


def _waivers(charge: Charge) -> QuerySet[Entry]:
    return Entry.objects.filter(charge=charge, kind="waiver")
