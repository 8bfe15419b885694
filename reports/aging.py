"""Aging: what is open at the end of any day, by how long it has been due, straight from the ledger's entries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Q, Sum, When

from core.fields import MoneyField, Signed
from core.models import Company
from core.money import plain
from invoices.aging import BUCKETS, Bucket, bucket, in_buckets
from invoices.models import CUSTOMER_CREDIT, RECEIVABLE, RECEIVABLE_CHARGES, Entry, Invoice
from invoices.services.parts import plans_of


@dataclass
class Aging:
    """What is open in one currency: principal by bucket, unapplied cash (negative) and charges beside it."""

    currency: str
    buckets: dict[Bucket, Decimal] = field(default_factory=lambda: dict.fromkeys(BUCKETS, Decimal(0)))
    counts: dict[Bucket, int] = field(default_factory=lambda: dict.fromkeys(BUCKETS, 0))
    unapplied: Decimal = Decimal(0)
    charges: Decimal = Decimal(0)

    @property
    def open(self) -> Decimal:
        """The principal of all open invoices."""
        return sum(self.buckets.values(), Decimal(0))

    @property
    def total(self) -> Decimal:
        """What is open less unapplied cash: receivable less customer credit of the ledger."""
        return self.open + self.unapplied

    @property
    def open_count(self) -> int:
        return sum(self.counts.values())

    @property
    def overdue(self) -> Decimal:
        """The principal that was due before the day."""
        return self.open - self.buckets["current"]

    @property
    def overdue_count(self) -> int:
        return self.open_count - self.counts["current"]

    def as_json(self) -> dict[str, Any]:
        """The answer of `manage.py aging`, money with the currency's own places."""
        sides = {"unapplied": self.unapplied, "total": self.total, "charges": self.charges}
        answer: dict[str, Any] = {
            name: plain(amount, self.currency) for name, amount in (*self.buckets.items(), *sides.items())
        }
        return answer | {
            "open_count": self.open_count, "overdue_count": self.overdue_count,
            "overdue_total": plain(self.overdue, self.currency),
        }


@dataclass
class ClientAging(Aging):
    """The same of one client."""

    client: int = 0
    number: str = ""
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"client": self.number, "name": self.name} | super().as_json()


def aging(on: dt.date, company: Company | None = None) -> dict[str, Aging]:
    """What is open at the end of a day, per currency that the ledger knew by then. Only what is dated by then counts.

    For every currency the total is the ledger's receivable less its customer credit.
    """
    aged = {row["currency"]: _with_sides(Aging(row["currency"]), row) for row in _sides(on, company, ())}
    for row in _open_items(on, company, ()):
        _add(aged[row["currency"]], row)
    return dict(sorted(aged.items()))


def aging_by_client(on: dt.date, company: Company | None = None) -> dict[str, list[ClientAging]]:
    """The same per currency and client, whoever owes most first; clients with whom all is even are left out."""
    by_client = ("client", "client__number", "client__name")
    aged: dict[tuple[str, int], ClientAging] = {}
    for row in _sides(on, company, by_client):
        told = {"client": row["client"], "number": row["client__number"], "name": row["client__name"]}
        aged[row["currency"], row["client"]] = _with_sides(ClientAging(row["currency"], **told), row)
    for row in _open_items(on, company, ("client",)):
        _add(aged[row["currency"], row["client"]], row)
    found: dict[str, list[ClientAging]] = {}
    for (currency, _client), one in sorted(aged.items(), key=lambda item: (item[0][0], -item[1].total, item[1].number)):
        rows = found.setdefault(currency, [])
        if one.open or one.unapplied or one.charges:
            rows.append(one)
    return found


def moved(account: str) -> Case:
    """What an entry adds to an account: its amount where it is debited, less its amount where it is credited."""
    return Case(
        When(dr=account, then=F("amount")), When(cr=account, then=Signed(F("amount"))), default=None,
        output_field=MoneyField(),
    )


def _sides(on: dt.date, company: Company | None, by: tuple[str, ...]) -> Iterable[dict[str, Any]]:
    """Unapplied cash and charges at the end of the day, one row for every currency with any entry by then."""
    rows: Iterable[dict[str, Any]] = (
        _entries(on, company)
        .values("currency", *by)
        .annotate(unapplied=Sum(moved(CUSTOMER_CREDIT)), charges=Sum(moved(RECEIVABLE_CHARGES)))
    )
    return rows


def _open_items(on: dt.date, company: Company | None, by: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """What is open, with its ``place``: an invoice in parts in that of each of its parts, counted in the oldest."""
    in_parts: list[dict[str, Any]] = []
    for row in _by_due_day(on, company, by):
        if row["in_parts"]:
            in_parts.append(row)
        else:
            yield row | {"place": bucket(row["due_on"], on)}
    if in_parts and "invoice" not in in_parts[0]:  # summed up with others: asked one by one
        open_now = _invoices(company).filter(in_parts=True)
        in_parts = list(open_now.values("currency", *by, invoice=F("pk"), amount=F("balance")))
    plans = plans_of(row["invoice"] for row in in_parts)
    for row in in_parts:
        parts = [(part.due_on, part.amount) for part in plans[row["invoice"]]]
        for n, (place, amount) in enumerate(in_buckets(parts, row["amount"], on)):
            yield row | {"place": place, "amount": amount, "count": int(n == 0)}


def _by_due_day(on: dt.date, company: Company | None, by: tuple[str, ...]) -> Iterable[dict[str, Any]]:
    """What is open by due day; where nothing is dated after the day, the balances as they stand are the same."""
    entries = Entry.objects.filter(company=company) if company else Entry.objects.all()
    if not entries.filter(effective_on__gt=on).exists():
        rows: Iterable[dict[str, Any]] = (
            _invoices(company).values("currency", "due_on", "in_parts", *by)
            .annotate(amount=Sum("balance"), count=Count("pk"))
        )
        return rows
    return _one_each(
        _entries(on, company)
        .filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE))
        .values("currency", "invoice", *by, due_on=F("invoice__due_on"), in_parts=F("invoice__in_parts"))
        .annotate(amount=Sum(moved(RECEIVABLE)))
        .exclude(amount=Decimal(0))
    )


def _invoices(company: Company | None) -> Any:
    invoices = Invoice.objects.filter(balance__gt=0, issued_at__isnull=False).order_by()
    return invoices.filter(company=company) if company else invoices


def _one_each(rows: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    return (row | {"count": 1} for row in rows)


def _entries(on: dt.date, company: Company | None) -> Any:
    entries = Entry.objects.filter(effective_on__lte=on).order_by()
    return entries.filter(company=company) if company else entries


def _with_sides(one: Any, row: dict[str, Any]) -> Any:
    one.unapplied = row["unapplied"] or Decimal(0)
    one.charges = row["charges"] or Decimal(0)
    return one


def _add(one: Aging, row: dict[str, Any]) -> None:
    one.buckets[row["place"]] += row["amount"]
    one.counts[row["place"]] += row["count"]
