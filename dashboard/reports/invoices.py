"""What the pages about invoices read: the list by state with counts and sums, and all that one invoice is made of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from ar_collections.models import Promise, Served
from ar_collections.services.promising import with_state
from core.models import Company
from disputes.models import Dispute
from invoices.aging import BUCKETS, LAST_DAY
from invoices.due import Overdue
from invoices.models import Charge, Entry, Invoice
from outbox.models import Message
from payments.models import Allocation

TABS = ("draft", "open", "overdue", "disputed", "paid", "all")


def invoices_of(company: Company) -> QuerySet[Invoice]:
    """The company's invoices with ``is_disputed``."""
    disputed = Dispute.objects.filter(invoice=OuterRef("pk"), closed_on=None)
    return Invoice.objects.filter(company=company).annotate(is_disputed=Exists(disputed))


def tab_filter(tab: str, on: dt.date) -> Q:
    """Which invoices stand on a tab."""
    issued = Q(issued_at__isnull=False, voided_at=None)
    return {
        "draft": Q(issued_at=None),
        "open": issued & Q(balance__gt=0),
        "overdue": issued & Q(balance__gt=0, due_on__lt=on),
        "disputed": issued & Q(balance__gt=0, is_disputed=True),
        "paid": issued & Q(balance=0),
    }.get(tab, Q())


def due_filter(bucket: str, on: dt.date) -> Q:
    """Which due dates lie in a bucket of the aging table on a day; all of them where there is no such bucket."""
    if bucket not in BUCKETS:
        return Q()
    place = BUCKETS.index(bucket)
    asked = Q()
    if bucket in LAST_DAY:
        asked &= Q(due_on__gte=on - dt.timedelta(days=LAST_DAY[bucket]))
    if place:
        asked &= Q(due_on__lt=on - dt.timedelta(days=LAST_DAY[BUCKETS[place - 1]]))
    return asked


@dataclass
class Tab:
    """A state with how many invoices it has and how much they come to, per currency."""

    key: str
    count: int
    sums: dict[str, Decimal]


def tabs_of(rows: QuerySet[Invoice], on: dt.date) -> list[Tab]:
    """Every tab's count and sums over the filtered set: what is owed where something is, the total elsewhere."""
    tabs = []
    for key in TABS:
        column: Any = "balance" if key in ("open", "disputed") else Overdue(on) if key == "overdue" else "total"
        grouped = rows.filter(tab_filter(key, on)).order_by().values("currency").annotate(n=Count("pk"), s=Sum(column))
        found = list(grouped)
        sums = {row["currency"]: row["s"] for row in found if row["s"]}
        tabs.append(Tab(key, sum(row["n"] for row in found), {} if key == "all" else sums))
    return tabs


@dataclass
class Parts:
    """All that an invoice's figures are made of."""

    entries: list[Entry]
    allocations: list[Allocation]
    charges: list[Charge]
    messages: list[Message]
    served: list[Served]
    links: list[Any]
    promises: list[Any]
    disputes: list[Dispute]
    credited: Decimal

    @property
    def open_dispute(self) -> Dispute | None:
        return next((dispute for dispute in self.disputes if dispute.closed_on is None), None)


def parts_of(invoice: Invoice, on: dt.date) -> Parts:
    """The entries, payments, charges, messages, links, promises and disputes of one invoice."""
    entries = list(invoice.entries.select_related("charge", "reverses").order_by("effective_on", "id"))
    served = list(Served.objects.filter(invoice=invoice).select_related("message", "task").order_by("-on", "-id")[:50])
    sendings = Message.objects.filter(key__startswith=f"invoice:{invoice.pk}:send:")
    messages = {message.pk: message for message in sendings}
    messages |= {row.message.pk: row.message for row in served if row.message is not None}
    links = invoice.links.select_related("contact").annotate(times=Count("views")).order_by("-id")
    return Parts(
        entries=entries,
        allocations=list(
            invoice.allocations.select_related("payment", "entry").prefetch_related("entry__reversed_by").order_by("id")
        ),
        charges=list(invoice.charges.order_by("from_on", "revision")),
        messages=sorted(messages.values(), key=lambda message: -message.pk),
        served=served,
        links=list(links),
        promises=list(with_state(Promise.objects.filter(invoice=invoice), on).order_by("-id")),
        disputes=list(invoice.disputes.all()),
        credited=invoice.total - invoice.balance,
    )
