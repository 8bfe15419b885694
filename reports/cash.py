"""Money by day, and when what is open will probably come: as promised, else by due date and the client's habit."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Avg, Case, FloatField, Func, Q, Sum, When

from ar_collections.models import Promise
from ar_collections.services.promising import with_state
from core.fields import MoneyField
from core.models import Company
from invoices.models import BANK, CUSTOMER_CREDIT, RECEIVABLE, Entry, Invoice
from invoices.services.parts import parts_of_many

from .aging import moved

HABIT_DAYS = 365  # how far back payments tell a client's habit


class DaysBetween(Func):
    """Whole days from one date column to another."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(julianday(%(expressions)s))"
        return super().as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" - ", **extra)


@dataclass(frozen=True)
class Flow:
    """What one day moved in one currency: receivables net of unapplied cash, sales gross of tax, money received."""

    on: dt.date
    receivable: Decimal
    sales: Decimal
    received: Decimal


@dataclass(frozen=True)
class Expected:
    """An amount that will probably come in on a day; ``promised`` where the client said so."""

    currency: str
    on: dt.date
    amount: Decimal
    promised: bool


def flows(company: Company, after: dt.date, until: dt.date) -> dict[str, list[Flow]]:
    """Per currency the days on which anything moved, after one day and up to another, in order."""
    issued = Q(kind="issue") | Q(reverses__kind="issue")
    rows = (
        Entry.objects.filter(company=company, effective_on__gt=after, effective_on__lte=until)
        .order_by("effective_on")
        .values("currency", "effective_on")
        .annotate(
            owed=Sum(moved(RECEIVABLE)), credit=Sum(moved(CUSTOMER_CREDIT)), received=Sum(moved(BANK)),
            sales=Sum(Case(When(issued, then=moved(RECEIVABLE)), output_field=MoneyField())),
        )
    )
    found: dict[str, list[Flow]] = defaultdict(list)
    nothing = Decimal(0)
    for row in rows:
        receivable = (row["owed"] or nothing) + (row["credit"] or nothing)
        flow = Flow(row["effective_on"], receivable, row["sales"] or nothing, row["received"] or nothing)
        found[row["currency"]].append(flow)
    return found


def delays(company: Company, on: dt.date) -> dict[int, int]:
    """By client: how many days after the due date their money came, on average of the last year's payments.

    Invoices in parts are left out: their due day moves on with the money.
    """
    paid = Entry.objects.filter(
        company=company, kind="allocation", cr=RECEIVABLE, invoice__in_parts=False, reversed_by=None,
        effective_on__gt=on - dt.timedelta(days=HABIT_DAYS), effective_on__lte=on,
    )
    means = paid.order_by().values("client").annotate(days=Avg(DaysBetween("effective_on", "invoice__due_on")))
    return {row["client"]: _whole_days(row["days"]) for row in means}


def expected(company: Company, on: dt.date) -> list[Expected]:
    """When what is open will probably come in: on the day promised, else on the due date plus the client's mean delay.

    A client that pays early is expected on the due date. Days in the past are answered as they are: those amounts
    are later than expected, and nobody can say when they come.
    """
    habit = delays(company, on)
    open_invoices = Invoice.objects.open().filter(company=company, issued_on__lte=on).order_by()
    by_due: dict[tuple[str, int, dt.date | None], Decimal] = defaultdict(Decimal)
    in_parts = False
    for row in open_invoices.values("currency", "client", "due_on", "in_parts").annotate(amount=Sum("balance")):
        in_parts = in_parts or row["in_parts"]
        if not row["in_parts"]:
            by_due[row["currency"], row["client"], row["due_on"]] += row["amount"]
    split = list(open_invoices.filter(in_parts=True)) if in_parts else []
    parts = parts_of_many(split)
    for invoice in split:
        for part in parts[invoice.pk]:
            by_due[invoice.currency, invoice.client_id, part.due_on] += part.open
    answer = []
    for currency, client, due_on, day, amount in _promises(company, on):
        left = by_due.get((currency, client, due_on), Decimal(0))
        amount = min(amount, left)
        if amount > 0:
            by_due[currency, client, due_on] = left - amount
            answer.append(Expected(currency, day, amount, promised=True))
    for (currency, client, due), amount in by_due.items():
        if amount > 0 and due is not None:
            late = dt.timedelta(days=max(habit.get(client, 0), 0))
            answer.append(Expected(currency, due + late, amount, promised=False))
    return answer


def _promises(company: Company, on: dt.date) -> Iterable[tuple[str, int, dt.date, dt.date, Decimal]]:
    """What is still to come of the promises that run: currency, client, due date, day promised, amount."""
    running = Promise.objects.running_on(on).filter(client__company=company, invoice__balance__gt=0)
    rows = with_state(running, on).filter(state="open").values_list(
        "currency", "client", "invoice__due_on", "promised_for", "amount", "paid"
    )
    for currency, client, due_on, promised_for, amount, paid in rows:
        yield currency, client, due_on, max(promised_for, on), amount - paid


def _whole_days(mean: float) -> int:
    return int(Decimal(mean).quantize(Decimal(1), rounding=ROUND_HALF_UP))


