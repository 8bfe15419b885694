"""What the pages about clients read: the list with what is owed, and a client's file."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from ar_collections.models import Pause, Promise, StageChange, Task
from ar_collections.services.promising import with_state
from clients.models import Client, Contact
from core.fields import MoneyField
from core.models import Company
from disputes.models import Dispute
from invoices.aging import BUCKETS, Bucket, OpenItem, age, bucket
from invoices.due import Overdue
from invoices.exposure import Exposure
from invoices.models import Charge, Invoice
from invoices.services.parts import parts_of_many
from payments.services import unapplied_cash

from .credit import Standing, Trust

NOTHING = Value(Decimal(0), output_field=MoneyField())


def listed_clients(company: Company, on: dt.date) -> QuerySet[Client]:
    """The company's clients: whether anything ``owes`` or ``is_late`` in any currency, and the ``oldest`` due day.

    ``owed`` and ``late`` are the sums in their own currency, to sort by; ``owed_by`` says the rest.
    """
    owes = Invoice.objects.open().filter(client=OuterRef("pk")).order_by()
    overdue = owes.filter(due_on__lt=on)
    late = overdue.values("client").annotate(s=Sum(Overdue(on)))
    own = {"currency": OuterRef("currency")}
    return Client.objects.filter(company=company).annotate(
        owed=Coalesce(Subquery(owes.filter(**own).values("client").annotate(s=Sum("balance")).values("s")), NOTHING),
        late=Coalesce(Subquery(late.filter(**own).values("s")), NOTHING),
        owes=Exists(owes),
        is_late=Exists(overdue),
        **_how_late(on),
    )


def _how_late(on: dt.date) -> dict[str, Any]:
    overdue = Invoice.objects.open().filter(client=OuterRef("pk"), due_on__lt=on).order_by()
    stage = StageChange.objects.filter(client=OuterRef("pk")).order_by("-id").values("stage_to")[:1]
    return {
        "oldest": Subquery(overdue.values("client").annotate(d=Min("due_on")).values("d")),
        "stage": Coalesce(Subquery(stage), Value("current")),
    }


def clients_shown(ids: Sequence[int], on: dt.date) -> list[Client]:
    """The clients of a page in its order, each with its ``oldest`` due day and its ``stage``.

    What they owe comes from ``owed_in``.
    """
    rows = Client.objects.annotate(**_how_late(on)).in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


@dataclass(frozen=True)
class Owed:
    """What a client owes in one currency, and how much of it is overdue."""

    currency: str
    open: Decimal
    late: Decimal


def owed_by(clients: Iterable[Client] | QuerySet[Client], on: dt.date) -> dict[int, list[Owed]]:
    """Per client what is owed in each currency, the client's own first; from one query."""
    ids: Any = clients.values("pk") if isinstance(clients, QuerySet) else [client.pk for client in clients]
    sums = Invoice.objects.open().filter(client__in=ids).order_by().values("client", "client__currency", "currency")
    rows = sums.annotate(open=Sum("balance"), late=Sum(Overdue(on)))
    found: dict[int, list[Owed]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["currency"] != row["client__currency"], row["currency"])):
        found[row["client"]].append(Owed(row["currency"], row["open"], row["late"] or Decimal(0)))
    return found


def owed_in(exposures: Mapping[tuple[int, str], Exposure], clients: Iterable[Client]) -> dict[int, list[Owed]]:
    """The same as ``owed_by`` says, from exposures that were asked for already."""
    found: dict[int, list[Owed]] = {client.pk: [] for client in clients}
    own = {client.pk: client.currency for client in clients}
    for (client, currency), exposure in sorted(exposures.items(), key=lambda e: (e[0][1] != own[e[0][0]], e[0][1])):
        if exposure.open:
            found[client].append(Owed(currency, exposure.open, exposure.overdue))
    return found


@dataclass
class Debt:
    """What a client owes in one currency, by age; charges beside it, unapplied cash against it."""

    currency: str
    buckets: dict[Bucket, Decimal] = field(default_factory=dict)
    counts: dict[Bucket, int] = field(default_factory=dict)
    charges: Decimal = Decimal(0)
    unapplied: Decimal = Decimal(0)

    @property
    def open(self) -> Decimal:
        return sum(self.buckets.values(), Decimal(0))

    @property
    def overdue(self) -> Decimal:
        return self.open - self.buckets.get("current", Decimal(0))

    @property
    def net(self) -> Decimal:
        return self.open - self.unapplied


@dataclass(frozen=True)
class Money:
    """What is owed and what credit is left in one currency, side by side."""

    debt: Debt
    standing: Standing

    @property
    def currency(self) -> str:
        return self.debt.currency


def money_of(debts: list[Debt], trust: Trust) -> list[Money]:
    """One row per currency in which something is owed or a limit was set; nothing for a client without either."""
    owed = {debt.currency: debt for debt in debts}
    shown = [one for one in trust.standings if one.currency in owed or one.limit]
    return [Money(owed.get(one.currency) or Debt(one.currency), one) for one in shown]


@dataclass(frozen=True)
class AtTheirDesk:
    """A person with the time where they are, and whether it is a time at which they take calls; None: not said."""

    person: Contact
    local: str
    hours: str
    call_now: bool | None


def at_their_desk(person: Contact, client: Client, now: dt.datetime) -> AtTheirDesk:
    """The person's local time and preferred hours; hours that pass midnight are understood."""
    there = now.astimezone(ZoneInfo(person.time_zone) if person.time_zone else client.zone)
    opens, closes = person.call_from, person.call_until
    if opens is None and closes is None:
        return AtTheirDesk(person, f"{there:%H:%M}", "", None)
    from_, until = opens or dt.time(0), closes or dt.time(23, 59)
    at = there.time()
    inside = from_ <= at < until if from_ <= until else at >= from_ or at < until
    return AtTheirDesk(person, f"{there:%H:%M}", f"{from_:%H:%M}–{until:%H:%M}", inside)


@dataclass
class Row:
    """An open invoice on the client's file: what holds it back from being chased stands beside it."""

    invoice: Invoice
    state: str
    days_late: int
    promise: Any = None
    dispute: Dispute | None = None
    pause: Pause | None = None
    charges: Decimal = Decimal(0)


@dataclass
class File:
    """A client's page at one glance."""

    client: Client
    debts: list[Debt]
    rows: list[Row]
    drafts: list[Invoice]
    promises: list[Any]
    disputes: list[Dispute]
    pauses: list[Pause]
    tasks: list[Task]
    stage: str


def file_of(client: Client, on: dt.date) -> File:
    """Everything about a client that a person on the telephone needs, from a dozen queries."""
    invoices = list(Invoice.objects.open().of(client).order_by("due_on", "id"))
    promises = list(
        with_state(Promise.objects.filter(client=client), on).select_related("invoice", "contact").order_by("-id")[:20]
    )
    disputes = list(Dispute.objects.filter(invoice__client=client).select_related("invoice")[:20])
    pauses = list(Pause.objects.filter(client=client).select_related("invoice").order_by("-id")[:20])
    charges = Charge.objects.open().filter(client=client).values("invoice", "currency", "balance")
    stage = StageChange.objects.filter(client=client).values_list("stage_to", flat=True).first() or "current"
    return File(
        client=client,
        debts=_debts(client, invoices, charges, on),
        rows=_rows(invoices, promises, disputes, pauses, charges, on),
        drafts=list(Invoice.objects.drafts().of(client).order_by("-id")[:20]),
        promises=promises,
        disputes=disputes,
        pauses=[pause for pause in pauses if is_running(pause, on)],
        tasks=list(Task.objects.filter(client=client, closed_on=None).select_related("invoice", "owner")),
        stage=stage,
    )


def is_running(pause: Pause, on: dt.date) -> bool:
    """The row twin of ``Pause.objects.running_on``."""
    return pause.from_on <= on <= pause.until_on and (pause.ended_on is None or pause.ended_on > on)


def _debts(client: Client, invoices: list[Invoice], charges: Iterable[Any], on: dt.date) -> list[Debt]:
    items: dict[str, list[OpenItem]] = defaultdict(list)
    counts: dict[str, dict[Bucket, int]] = defaultdict(lambda: dict.fromkeys(BUCKETS, 0))
    parts = parts_of_many(invoices)
    for invoice in invoices:
        assert invoice.due_on is not None
        counts[invoice.currency][bucket(invoice.due_on, on)] += 1
        items[invoice.currency] += [OpenItem(part.due_on, part.open) for part in parts[invoice.pk]]
    unapplied = unapplied_cash(client)
    beside: dict[str, Decimal] = defaultdict(Decimal)
    for charge in charges:
        beside[charge["currency"]] += charge["balance"]
    debts = []
    for currency in sorted({*items, *unapplied, *beside}, key=lambda code: (code != client.currency, code)):
        aged, held = age(items[currency], on), unapplied.get(currency, Decimal(0))
        debts.append(Debt(currency, aged, counts[currency], beside[currency], held))
    return debts


def _rows(
    invoices: list[Invoice], promises: list[Any], disputes: list[Dispute], pauses: list[Pause], charges: Iterable[Any],
    on: dt.date,
) -> list[Row]:  # fmt: skip
    promised = {p.invoice_id: p for p in reversed(promises) if p.state == "open"}
    disputed = {d.invoice_id: d for d in disputes if d.closed_on is None}
    paused = {p.invoice_id: p for p in pauses if is_running(p, on)}
    beside: dict[int, Decimal] = defaultdict(Decimal)
    for charge in charges:
        beside[charge["invoice"]] += charge["balance"]
    rows = []
    for invoice in invoices:
        assert invoice.due_on is not None
        row = Row(
            invoice, invoice.state(on), max((on - invoice.due_on).days, 0), promised.get(invoice.pk),
            disputed.get(invoice.pk), paused.get(invoice.pk) or paused.get(None), beside[invoice.pk],
        )  # fmt: skip
        rows.append(row)
    return rows


def count_without_contact(company: Company, companies: Sequence[Company], clients: int) -> int:
    """How many of the company's clients nobody can write to, where it has so many: those it has less those who can be.

    Counting who can be written to reads the contacts alone where there is one company; each of them is its client's.
    """
    reachable = Contact.objects.reachable()
    if len(companies) > 1:
        reachable = reachable.filter(client__company=company)
    # Between the two questions somebody may have been added.
    return max(clients - reachable.aggregate(n=Count("client", distinct=True))["n"], 0)


def clients_without_contact(company: Company) -> QuerySet[Client]:
    """Clients with something open whom nobody can write to, those who owe most first."""
    return (
        Client.objects.filter(company=company)
        .without_contact()
        .annotate(
            owed=Coalesce(Sum("invoices__balance", filter=Q(invoices__currency=F("currency"))), NOTHING),
        )
        .order_by("-owed", "name")
    )
