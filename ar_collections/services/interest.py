"""Which invoices are charged late interest tonight; the charging itself is a verb of invoices."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Case, DateField, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from audit.services import record
from core.dates import month_end
from core.errors import Refused
from core.models import Company
from invoices.models import RECEIVABLE, Charge, Entry, Invoice
from invoices.services.charging import OPENING, charge_interest, outdated, replace_interest, waive_charge
from payments.models import Allocation
from payments.services import deallocate
from policies.models import Policy
from policies.services import policy_of

from .deciding import owing


def apply_late_interest(
    company: Company, on: dt.date, *, by: Any, policy: Policy | None = None
) -> dict[str, Decimal]:
    """Charge what is due to be charged: at each month end, and when an invoice was settled; per currency.

    First what a payment dated back has made wrong is replaced. Running it again charges nothing. ``policy`` is the one
    in force on the day, where it is known already.
    """
    policy = policy or policy_of(company, on)
    posted: dict[str, Decimal] = defaultdict(Decimal)
    if policy.interest == "NONE" or not _bearing(company).exists():
        return posted
    for invoice in _made_wrong(company):
        for charge in correct_interest(invoice, on=on, by=by, policy=policy):
            posted[charge.currency] += charge.amount
    for invoice in _to_charge(company, on):
        for charge in charge_interest(invoice, until=invoice.charge_to, on=on, by=by, policy=policy):
            posted[charge.currency] += charge.amount
    return posted


def claim_interest(invoice: Invoice, *, on: dt.date, by: Any) -> list[Charge]:
    """Charge what an invoice has earned up to today, because a notice claims it today."""
    policy = policy_of(invoice.company, on)
    return [] if policy.interest == "NONE" else charge_interest(invoice, until=on, on=on, by=by, policy=policy)


def correct_interest(invoice: Invoice, *, on: dt.date, by: Any, policy: Policy | None = None) -> list[Charge]:
    """Replace interest charges that a payment dated back has made wrong; money put to them becomes unapplied again."""
    made = []
    with transaction.atomic():
        for charge, _right in outdated(invoice, on):
            for allocation in Allocation.objects.standing().filter(charge=charge):
                deallocate(allocation, on=on, by=by, reason="interest worked out anew")
            revised = replace_interest(charge, on=on, by=by)
            if revised:
                made.append(revised)
    return made


def waive_interest(invoice: Invoice, *, reason: str, on: dt.date, by: Any) -> int:
    """Give up every open charge of an invoice, for a reason; answers how many. Refused where none is open."""
    with transaction.atomic():
        charges = list(Charge.objects.filter(invoice=invoice, balance__gt=0))
        if not charges:
            raise Refused("No charge is open on this invoice.", code="settled")
        for charge in charges:
            waive_charge(charge, reason=reason, on=on, by=by)
        record(by, "interest_waived", invoice, client_id=invoice.client_id, summary=reason)
    return len(charges)


def _to_charge(company: Company, on: dt.date) -> QuerySet[Any]:
    """Invoices that bear interest and were not charged up to ``charge_to``: the last month end, or the day paid."""
    ended = on if on == month_end(on) else on.replace(day=1) - dt.timedelta(days=1)
    moves = Entry.objects.filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), invoice=OuterRef("pk"), effective_on__lte=on)
    moves = moves.exclude(key__startswith=OPENING)
    last_move = Subquery(moves.order_by().values("invoice").annotate(m=Max("effective_on")).values("m"))
    undone = Entry.objects.filter(charge=OuterRef("pk"), reverses__kind="charge")
    charged = Charge.objects.filter(invoice=OuterRef("pk"), kind="interest").filter(~Exists(undone)).order_by()
    rows: QuerySet[Any] = (
        _bearing(company).filter(issued_on__lte=on)
        .annotate(
            charge_to=Case(
                When(pk__in=owing(company, on).values("pk"), then=Value(ended)), default=last_move,
                output_field=DateField(),
            ),
            charged_to=Coalesce(
                Subquery(charged.values("invoice").annotate(m=Max("to_on")).values("m")), Value(dt.date(1900, 1, 1))
            ),
        )
        # The due day of an invoice in parts moves on; what an earlier part has earned is worked out all the same.
        .filter(Q(due_on__lt=F("charge_to")) | Q(in_parts=True), charged_to__lt=F("charge_to"))
        .filter(Q(interest_notice__interest_from__lte=F("charge_to")) | Q(intake__interest_from__lte=F("charge_to")))
    )
    return rows


def _made_wrong(company: Company) -> QuerySet[Invoice]:
    """Invoices on which something took effect within days already charged, after they were charged."""
    late_news = Entry.objects.filter(
        Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), invoice=OuterRef("invoice"), effective_on__lt=OuterRef("to_on"),
        posted_at__gt=OuterRef("created_at"),
    )
    undone = Entry.objects.filter(charge=OuterRef("pk"), reverses__kind="charge")
    wrong = Charge.objects.filter(kind="interest", company=company).filter(Exists(late_news), ~Exists(undone))
    return Invoice.objects.filter(pk__in=wrong.values("invoice"))


def _bearing(company: Company) -> QuerySet[Invoice]:
    return Invoice.objects.issued().filter(company=company, late_percent__gt=0).filter(
        Q(interest_notice__isnull=False) | Q(intake__interest_from__isnull=False)
    )
