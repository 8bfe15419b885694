"""Which invoices are charged late interest tonight, each by its policy; the charging itself is a verb of invoices.

A rate nobody entered holds back the invoices that need it, is one task, and no reason to stop the others.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Case, DateField, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Least
from django.utils.translation import gettext as _

from ar_collections.models import Task
from audit.services import record
from core.dates import half_year, month_end
from core.errors import Refused
from core.models import Company
from core.money import plain
from core.permissions import demand
from disputes.models import Dispute
from invoices.models import RECEIVABLE, Charge, Entry, Extension, InterestNotice, Invoice
from invoices.rates import MissingRate
from invoices.services.charging import (
    OPENING,
    Holding,
    Policies,
    charge_compensation,
    charge_interest,
    give_up,
    outdated,
    posted_until,
    replace_interest,
    spans_of,
    standing_interest,
    take_back_charge,
    uses_terms,
    waive_charge,
)
from invoices.services.extending import agree_extension, withdraw_extension
from payments.models import Allocation
from payments.services import deallocate
from policies.models import Policy, ReferenceRate

from .charged_alike import charged_alike, reminded_by
from .choosing import InUse, in_use
from .deciding import owing
from .desk import close_task, open_task

_RATE = "rate:"  # of the keys of tasks that ask for a rate
_BY_NIGHT = ("month_end", "settled")


def apply_late_interest(
    company: Company, on: dt.date, *, by: Any, policies_in_use: InUse | None = None
) -> dict[str, Decimal]:
    """Charge what is due to be charged: at each month end, and when an invoice was settled; per currency.

    First what a payment dated back has made wrong is replaced. Interest a policy only notes, or posts when a notice
    claims it, is left alone, but for days before such a version began; what is too small is dropped when the invoice
    is paid. Running it again charges nothing.
    ``policies_in_use`` are those in force on the day, where they are known already.
    """
    policies, theirs = Policies(), policies_in_use or in_use(company, on)
    posted: dict[str, Decimal] = defaultdict(Decimal)
    missing: dict[str, tuple[MissingRate, Invoice]] = {}
    for invoice in _made_wrong(company):
        for charge in correct_interest(invoice, on=on, by=by):
            posted[charge.currency] += charge.amount
    for held, rows in charged_alike(company, on, theirs, policies):
        for invoice in _to_charge(company, on, held, rows):
            try:
                made = charge_interest(invoice, until=invoice.charge_to, on=on, by=by, policies=policies)
            except MissingRate as unknown:
                missing.setdefault(unknown.message, (unknown, invoice))
                continue
            for charge in made:
                posted[charge.currency] += charge.amount
    for version in theirs:
        _drop_what_is_small(company, on, version, theirs, by)
    for rate, invoice in missing.values():
        _ask_for_rate(rate, invoice, on, by)
    _close_answered(company, on, by)
    return posted


def claim_interest(invoice: Invoice, *, on: dt.date, by: Any) -> list[Charge]:
    """Charge what an invoice has earned up to today, and compensation, because a notice claims them today.

    Nothing where the policy only notes interest. Where a rate is missing that is a task; compensation needs none.
    """
    policies = Policies()
    version = policies.in_force(invoice, on)
    if version is not None and version.interest_posted == "noted":
        return []
    made = []
    try:
        made += charge_interest(invoice, until=on, on=on, by=by, policies=policies)
    except MissingRate as rate:
        _ask_for_rate(rate, invoice, on, by)
    compensation = charge_compensation(invoice, on=on, by=by, policies=policies)
    return [*made, compensation] if compensation else made


def correct_interest(invoice: Invoice, *, on: dt.date, by: Any) -> list[Charge]:
    """Replace interest charges that are no longer right, as after a payment dated back or more time agreed.

    Money put to them becomes unapplied again.
    """
    made = []
    with transaction.atomic():
        for charge, _right in outdated(invoice, on):
            for allocation in Allocation.objects.standing().filter(charge=charge):
                deallocate(allocation, on=on, by=by, reason="interest worked out anew")
            revised = replace_interest(charge, on=on, by=by)
            if revised:
                made.append(revised)
    return made


def take_back(charge: Charge, *, on: dt.date, by: Any, because: str) -> None:
    """A claim that should not have been made is reversed; money put to it becomes unapplied, what was waived stays."""
    with transaction.atomic():
        for allocation in Allocation.objects.standing().filter(charge=charge):
            deallocate(allocation, on=on, by=by, reason=because)
        charge.refresh_from_db()
        if charge.balance == charge.amount:
            take_back_charge(charge, on=on, by=by, because=because)
        elif charge.balance:  # some of it was waived
            give_up(charge, reason=because, on=on, by=by, action=f"{charge.kind}_taken_back")


def take_back_what_came_too_early(invoice: Invoice, *, on: dt.date, by: Any, because: str) -> None:
    """A notice of interest counts no more: interest charged for days before the first one that does is taken back.

    What is owed from that day on is charged anew by the night.
    """
    invoice = Invoice.objects.select_related("client__segment", "intake").get(pk=invoice.pk)
    starts_on = min((span.starts_on for span in spans_of(invoice, on)), default=None)
    charges = list(standing_interest(invoice))
    if starts_on is None or any(charge.from_on and charge.from_on < starts_on for charge in charges):
        for charge in charges:
            take_back(charge, on=on, by=by, because=because)


def waive_interest(invoice: Invoice, *, reason: str, on: dt.date, by: Any) -> int:
    """Give up every open charge of an invoice, for a reason; answers how many.

    Refused without the permission, and where none is open.
    """
    demand(by, "invoices.waive_charge", "waive interest, fees or compensation")
    with transaction.atomic():
        charges = list(Charge.objects.open().filter(invoice=invoice))
        if not charges:
            raise Refused("No charge is open on this invoice.", code="settled")
        for charge in charges:
            waive_charge(charge, reason=reason, on=on, by=by)
        record(by, "interest_waived", invoice, client_id=invoice.client_id, summary=reason)
    return len(charges)


def give_more_time(
    invoice: Invoice, until_on: dt.date, *, interest: str, reason: str, on: dt.date, by: Any
) -> Extension:
    """Agree to a later day to pay, and put right at once the interest that was charged for days now free of it."""
    with transaction.atomic():
        agreed = agree_extension(invoice, until_on, interest=interest, reason=reason, on=on, by=by)
        correct_interest(invoice, on=on, by=by)
    return agreed


def take_back_more_time(agreed: Extension, *, on: dt.date, by: Any) -> Extension:
    """The later day no longer holds; interest that was charged meanwhile is worked out anew."""
    with transaction.atomic():
        withdrawn = withdraw_extension(agreed, on=on, by=by)
        correct_interest(withdrawn.invoice, on=on, by=by)
    return withdrawn


def _to_charge(
    company: Company, on: dt.date, held: Sequence[Holding], rows: QuerySet[Any]
) -> QuerySet[Any] | Iterable[Any]:
    """Those that bear interest and were not charged up to ``charge_to``: the last month end, or the day paid."""
    posted = posted_until(held, on)
    if posted is None or posted[0].interest_posted not in _BY_NIGHT:
        return []
    by, last_day = posted
    ended = min(on if on == month_end(on) else on.replace(day=1) - dt.timedelta(days=1), last_day)
    moves = Entry.objects.filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), invoice=OuterRef("pk"), effective_on__lte=on)
    moves = moves.exclude(key__startswith=OPENING)
    last_move: Any = Subquery(moves.order_by().values("invoice").annotate(m=Max("effective_on")).values("m"))
    if last_day < on:
        last_move = Least(last_move, Value(last_day), output_field=DateField())
    charged = Charge.objects.standing().filter(invoice=OuterRef("pk"), kind="interest").order_by()
    bearing = rows.filter(_bearing(one.rule for one in held))
    open_ones = owing(company, on).values("pk")
    if by.interest_posted == "settled":
        bearing = bearing.exclude(pk__in=open_ones)
    found: QuerySet[Any] = (
        bearing.filter(issued_on__lte=on)
        .annotate(
            charge_to=Case(When(pk__in=open_ones, then=Value(ended)), default=last_move, output_field=DateField()),
            charged_to=Coalesce(
                Subquery(charged.values("invoice").annotate(m=Max("to_on")).values("m")), Value(dt.date(1900, 1, 1))
            ),
        )
        # The due day of an invoice in parts moves on; what an earlier part has earned is worked out all the same.
        .filter(Q(due_on__lt=F("charge_to")) | Q(in_parts=True), charged_to__lt=F("charge_to"))
    )
    if all(one.rule.starts == "notice" or not one.rule.charges for one in held):
        told = _told().filter(interest_from__lte=OuterRef("charge_to"))
        found = found.filter(Exists(told) | Q(intake__interest_from__lte=F("charge_to")))
    return found.select_related("client__segment", "intake").order_by("pk")


def _bearing(rules: Iterable[Any]) -> Q:
    """Which invoices may bear interest by one of the rules: what those say of notices and terms, as a condition."""
    told = Exists(_told()) | Q(intake__interest_from__isnull=False)
    wanted = Q(pk__in=[])
    for by_terms, by_notice in {(uses_terms(rule), rule.starts == "notice") for rule in rules if rule.charges}:
        bears = told if by_notice else told | Q(intake=None)
        wanted |= bears & Q(late_percent__gt=0) if by_terms else bears
    return wanted


def _told() -> QuerySet[InterestNotice]:
    """The notices of interest on the invoice outside that reached the client."""
    return InterestNotice.objects.standing().filter(invoice=OuterRef("pk"))


def _made_wrong(company: Company) -> QuerySet[Invoice]:
    """Invoices on which something took effect within days already charged, after they were charged."""
    standing = Charge.objects.standing().filter(kind="interest", company=company)
    standing = standing.annotate(series=KT("derivation__terms__series"))
    news = {"invoice": OuterRef("invoice")}
    moved = Entry.objects.filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), **news, posted_at__gt=OuterRef("created_at"))
    quarrel = Dispute.objects.filter(**news, opened_on__lte=OuterRef("to_on"))
    agreed = Extension.objects.filter(**news).exclude(interest="runs")
    rate = ReferenceRate.objects.filter(
        withdrawn_at__gt=OuterRef("created_at"), series=OuterRef("series"),
        from_on__lte=OuterRef("to_on"),
    )
    wrong = standing.filter(
        Exists(moved.filter(effective_on__lt=OuterRef("to_on")))
        | (Exists(moved.filter(kind="credit")) & Exists(Dispute.objects.filter(**news)))
        | Exists(quarrel.filter(opened_at__gt=OuterRef("created_at")))
        | Exists(agreed.filter(Q(agreed_at__gt=OuterRef("created_at")) | Q(withdrawn_on__gte=OuterRef("charged_on"))))
        | Exists(rate)
    )
    return Invoice.objects.filter(pk__in=wrong.values("invoice")).select_related("client__segment", "intake")


def _drop_what_is_small(company: Company, on: dt.date, version: Policy, theirs: InUse, by: Any) -> None:
    """Interest that is too small to ask for is dropped when the invoice is paid; the ledger and the trail say so."""
    least = {currency: Decimal(str(sum_)) for currency, sum_ in version.interest_dropped_under.items() if sum_}
    if not least:
        return
    paid = reminded_by(version, theirs, Invoice.objects.issued().filter(company=company, balance=0))
    left = Charge.objects.open().filter(kind="interest", currency__in=least, invoice__in=paid.values("pk"))
    for pk, currency, total in left.order_by("invoice").values_list("invoice", "currency").annotate(Sum("balance")):
        if total >= least[currency]:
            continue
        reason = _("Dropped when the invoice was paid: below %(least)s, as the policy “%(policy)s” says") % {
            "least": f"{plain(least[currency], currency)} {currency}", "policy": version,
        }
        for charge in Charge.objects.open().filter(invoice=pk, kind="interest"):
            give_up(charge, reason=reason, on=on, by=by, action="interest_dropped")


def _ask_for_rate(rate: MissingRate, invoice: Invoice, on: dt.date, by: Any) -> None:
    """One task for a rate nobody entered, however many invoices wait for it; it stands with the first of them."""
    because = _("Enter the rate of “%(series)s” for %(period)s: late interest waits for it") % {
        "series": rate.series, "period": rate.period,
    }
    open_task(
        invoice.client, "review", because=because, detail=rate.message, due_on=on, on=on, by=by,
        key=f"{_RATE}{invoice.company_id}:{rate.series}:{rate.period}",
    )


def _close_answered(company: Company, on: dt.date, by: Any) -> None:
    """A task that asks for a rate closes itself once it is entered."""
    for task in Task.objects.filter(company=company, closed_on=None, key__startswith=f"{_RATE}{company.pk}:"):
        _prefix, _company, series, period = task.key.split(":")
        rows = ReferenceRate.objects.standing().filter(series=series)
        if any(half_year(row.from_on) <= period <= half_year(row.valid_through) for row in rows):
            close_task(task, because=_("The rate is entered"), on=on, by=by)
