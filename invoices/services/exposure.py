"""What is the exposure of a client, or of a page of clients, and how much credit is left; read from the books.

Balances are taken as they stand; the day only says what of them is overdue and which limit and policy hold.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Case, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models import CharField as Text
from django.db.models.functions import Coalesce, Concat

from clients.credit_gate import available
from clients.models import Client, CreditLimit, LimitMark, StatusChange
from clients.services import lock_client
from clients.services.limits import limit_of, limits_of
from clients.services.marks import is_marked, marks_reached, note_exposure
from clients.services.status import statuses_of
from core.fields import MoneyField, Signed
from core.models import Company
from invoices.exposure import Exposure
from invoices.models import CUSTOMER_CREDIT, Charge, CompletedWork, Entry, Invoice, ProForma
from policies.models import CreditPolicy

BATCH = 500
NOTHING = Value(Decimal(0), output_field=MoneyField())


def exposure_of(client: Client, currency: str, on: dt.date, *, without: Invoice | None = None) -> Exposure:
    """The exposure of one client in one currency, in one query and the policy's.

    ``without`` leaves out a draft, the work it invoices and the money kept for its pro forma: what the client
    costs us before that draft is issued.
    """
    found = exposures_of([client], on, without=without)
    return found.get((client.pk, currency)) or Exposure(currency)


def exposures_of(
    clients: Iterable[Client], on: dt.date, *, without: Invoice | None = None
) -> dict[tuple[int, str], Exposure]:
    """The exposures of many clients by client and currency; a pair that is absent has none.

    The same two queries for one client or for a page of them; more than 500 clients are asked for in batches.
    """
    asked = list(clients)
    sums: dict[tuple[int, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for start in range(0, len(asked), BATCH):
        for client, currency, part, amount in _parts([c.pk for c in asked[start : start + BATCH]], on, without):
            if amount:
                sums[client, currency][part] += amount
    counting = _companies_that_count_drafts({c.company_id for c in asked}, on) if sums else set()
    counts = {c.pk: c.company_id in counting for c in asked}
    return {
        (client, currency): Exposure(currency, **parts, counts_drafts=counts[client])
        for (client, currency), parts in sums.items()
    }


def available_of(client: Client, currency: str, on: dt.date) -> Decimal | None:
    """The credit a client has left in a currency, below zero where the limit is passed; None where none was set."""
    limit = limit_of(client, currency, on)
    return None if limit is None else available(limit.amount, exposure_of(client, currency, on).total)


@dataclass(frozen=True)
class Credit:
    """How a client stands in one currency on a day: the limit, the exposure, and the status that holds."""

    exposure: Exposure
    limit: CreditLimit | None
    status: StatusChange | None

    @property
    def available(self) -> Decimal | None:
        return available(self.limit.amount if self.limit else None, self.exposure.total)


def credits_of(clients: Sequence[Client], on: dt.date) -> dict[int, Credit]:
    """How each client of a list stands in its own currency, by client; four queries for all of them."""
    exposures, limits, statuses = exposures_of(clients, on), limits_of(clients, on), statuses_of(clients, on)
    return {
        c.pk: Credit(
            exposures.get((c.pk, c.currency)) or Exposure(c.currency), limits.get((c.pk, c.currency)),
            statuses.get(c.pk),
        )
        for c in clients
    }


def note_credit_of(client: Client, currency: str, on: dt.date, *, fell: bool = False) -> None:
    """Keep that the exposure crossed 80, 90 or 100 % of the limit, or fell back; call it after the books moved.

    ``fell`` says that it can only have become less: then nothing is asked where no mark stands.
    """
    if fell and not is_marked(client, currency):
        return
    with transaction.atomic():
        lock_client(client.pk)
        note_exposure(client, currency, exposure_of(client, currency, on).total, on)


def note_credit(company: Company, on: dt.date) -> int:
    """The same for every client of a company that has a limit; for how many something changed.

    For every hour: charges, work and drafts move the exposure too, and so does a new limit.
    """
    limited = Exists(CreditLimit.objects.filter(client=OuterRef("pk")))
    clients = list(Client.objects.filter(limited, company=company).order_by("pk"))
    changed = 0
    for start in range(0, len(clients), BATCH):
        window = {client.pk: client for client in clients[start : start + BATCH]}
        exposures = exposures_of(window.values(), on)
        told: dict[tuple[int, str], set[int]] = defaultdict(set)
        for mark in LimitMark.objects.filter(client__in=window, fell_back_on=None):
            told[mark.client_id, mark.currency].add(mark.percent)
        for (pk, currency), limit in limits_of(window.values(), on).items():
            owed = exposures.get((pk, currency))
            if set(marks_reached(limit, owed.total if owed else Decimal(0))) != told[pk, currency]:
                note_credit_of(window[pk], currency, on)
                changed += 1
    return changed


def _companies_that_count_drafts(companies: set[int], on: dt.date) -> set[int]:
    """By the latest version of each company's credit policy; without one drafts are not counted."""
    versions = CreditPolicy.objects.filter(company__in=companies, effective_from__lte=on).order_by("effective_from")
    latest = dict(versions.values_list("company_id", "counts_drafts"))
    return {company for company, counts in latest.items() if counts}


def _parts(clients: list[int], on: dt.date, without: Invoice | None) -> Iterable[tuple[int, str, str, Decimal]]:
    """Sums by client, currency and component, in one query; one component may come in several rows."""
    but = without.pk if without else None
    invoices = Invoice.objects.filter(client__in=clients)
    drafts = invoices.exclude(pk=but) if but else invoices
    due = Case(When(due_on__lt=on, then=Value("overdue")), default=Value("open_not_due"), output_field=Text())
    of_others = Q(invoice__issued_at=None) & ~Q(invoice=but) if but else Q(invoice__issued_at=None)
    work = CompletedWork.objects.filter(Q(invoice=None) | of_others, client__in=clients, removed_at=None)
    cash = Entry.objects.filter(client__in=clients)
    kept = money_kept(invoice__client__in=clients)
    legs = [
        _leg(invoices.open(), due, F("balance")),
        _leg(Charge.objects.filter(client__in=clients, balance__gt=0), Value("charges"), F("balance")),
        _leg(work, Value("work"), F("gross")),
        _leg(_drafts(drafts), Value("drafts"), F("beyond_work")),
        _leg(cash.filter(cr=CUSTOMER_CREDIT), Value("unapplied"), F("amount")),
        _leg(cash.filter(dr=CUSTOMER_CREDIT), Value("unapplied"), Signed(F("amount"))),
        _leg(kept.exclude(invoice=but), Value("kept"), F("payments__amount"), "invoice__client"),
    ]
    rows: Iterable[tuple[int, str, str, Decimal]] = legs[0].union(*legs[1:], all=True)
    return rows


def money_kept(**of: Any) -> QuerySet[ProForma]:
    """Pro formas that wait for their money, joined with the payments that came in for them and were not taken back."""
    taken_back = Entry.objects.filter(key=Concat(Value("reversal:payment:"), OuterRef("payments__key")))
    # One filter, so that all of it speaks of the same payment.
    return ProForma.objects.filter(
        ~Exists(taken_back), cancelled_at=None, invoice__issued_at=None, payments__currency=F("currency"), **of
    ).order_by()


def _leg(rows: QuerySet[Any], part: Any, amount: Any, client: str = "client") -> QuerySet[Any]:
    """One component: client, currency, its name and the sum."""
    named = rows.order_by().annotate(of=F(client), part=part if isinstance(part, Case) else _named(part))
    sums: QuerySet[Any] = named.values_list("of", "currency", "part").annotate(
        sum=Sum(amount, output_field=MoneyField())
    )
    return sums


def _named(part: Value) -> Value:
    return Value(part.value, output_field=Text())


def _drafts(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Drafts that will ask for credit, each with what it holds beyond the work that is counted already."""
    prepaid = ProForma.objects.filter(invoice=OuterRef("pk"), cancelled_at=None)
    work = CompletedWork.objects.filter(invoice=OuterRef("pk"), removed_at=None).order_by()
    made = Coalesce(Subquery(work.values("invoice").annotate(s=Sum("gross")).values("s")), NOTHING)
    beyond = ExpressionWrapper(F("total") - F("made"), output_field=MoneyField())
    return (
        invoices.filter(issued_at=None)
        .exclude(Exists(prepaid))
        .annotate(made=made)
        .annotate(beyond_work=Case(When(total__gt=F("made"), then=beyond), default=NOTHING, output_field=MoneyField()))
    )
