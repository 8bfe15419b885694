"""How clients paid, read from the books for many at once; nothing dated after the day is looked at."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from ar_collections.behaviour import LOOK_BACK_DAYS, SIGNAL_DAYS, Behaviour, Bill, behaviour_of, peak_of
from ar_collections.models import Promise
from clients.models import Client
from disputes.models import Dispute
from invoices.models import RECEIVABLE, Entry
from invoices.parts import Part, open_parts
from invoices.services.parts import plans_of

from .promising import with_state

BATCH = 500
Pair = tuple[int, str]  # client and currency


@dataclass
class Signals:
    """The days on which a client broke a promise, and on which a payment of it came back."""

    broken_on: list[dt.date] = field(default_factory=list)
    returned_on: list[dt.date] = field(default_factory=list)


@dataclass
class _Bill:
    due_on: dt.date
    left: Decimal = Decimal(0)
    paid: dict[int, tuple[dt.date, Decimal]] = field(default_factory=dict)
    plan: Sequence[Part] = ()

    def as_bills(self) -> list[Bill]:
        """The invoice as it was paid; where it is due in parts, each of them, filled in their order."""
        left, paid = max(self.left, Decimal(0)), list(self.paid.values())
        if not self.plan:
            return [Bill(self.due_on, tuple(paid), left)]
        total = sum((part.amount for part in self.plan), Decimal(0))
        return [
            Bill(part.due_on, tuple(_take(paid, part.paid)), part.open) for part in open_parts(self.plan, total - left)
        ]


@dataclass
class _Account:
    """What the ledger says about a client in one currency."""

    first_on: dt.date
    bills: dict[int, _Bill] = field(default_factory=dict)
    moves: list[tuple[dt.date, Decimal]] = field(default_factory=list)


def behaviours_of(clients: Collection[int], as_of: dt.date) -> dict[Pair, Behaviour]:
    """How each client paid, per currency, judged at the end of a day from entries dated on or before it.

    Who was never invoiced by then is absent. An invoice in parts counts as one for each. Four queries for five hundred
    clients, and one where any of their invoices is in parts.
    """
    ordered, found = sorted(set(clients)), dict[Pair, Behaviour]()
    for start in range(0, len(ordered), BATCH):
        some = ordered[start : start + BATCH]
        accounts, disputed = _accounts(some, as_of), _disputed(some, as_of)
        signals = signals_of(some, as_of - dt.timedelta(days=SIGNAL_DAYS), as_of)
        for pair, account in accounts.items():
            found[pair] = _judge(account, as_of, signals.get(pair, Signals()), disputed)
    return found


def bills_of(clients: Collection[int], as_of: dt.date) -> dict[int, list[Bill]]:
    """What clients were invoiced by the end of a day and how they paid it; one of each part where there are parts."""
    found: dict[int, list[Bill]] = defaultdict(list)
    for (client, _currency), account in _accounts(sorted(set(clients)), as_of).items():
        found[client] += [one for bill in account.bills.values() for one in bill.as_bills()]
    return dict(found)


def signals_of(clients: Collection[int] | QuerySet[Client], since: dt.date, until: dt.date) -> dict[Pair, Signals]:
    """Promises broken and payments returned after ``since`` and not after ``until``, per client and currency.

    A promise is broken on the day after its grace; one kept in part is none. A payment came back where the bank
    took it back; one that we recorded wrongly did not.
    """
    found: dict[Pair, Signals] = defaultdict(Signals)
    ran_out = Promise.objects.filter(
        client__in=clients, made_on__lte=until, pauses_until__gte=since, pauses_until__lt=until
    )
    if ran_out.exists():  # to judge them is a long question, and mostly there are none
        broken = with_state(ran_out, until).filter(state="broken").order_by("pauses_until")
        for client, currency, last_day in broken.values_list("client_id", "currency", "pauses_until"):
            found[client, currency].broken_on.append(last_day + dt.timedelta(days=1))
    for client, currency, on in returned(since, until).filter(client__in=clients).order_by("effective_on").values_list(
        "client_id", "currency", "effective_on"
    ):
        found[client, currency].returned_on.append(on)
    return dict(found)


def returned(since: dt.date, until: dt.date) -> QuerySet[Entry]:
    """The entries with which the bank took a payment back, after ``since`` and not after ``until``."""
    return Entry.objects.filter(kind="returned", effective_on__gt=since, effective_on__lte=until)


def _accounts(clients: Sequence[int], as_of: dt.date) -> dict[Pair, _Account]:
    found: dict[Pair, _Account] = {}
    in_parts: dict[int, _Bill] = {}
    for pk, pair, invoice, due_on, row in _entries(clients, as_of):
        account = found.setdefault(pair, _Account(row["effective_on"]))
        bill = account.bills.setdefault(invoice, _Bill(due_on))
        amount = row["amount"] if row["dr"] == RECEIVABLE else -row["amount"]
        bill.left += amount
        account.moves.append((row["effective_on"], amount))
        if row["kind"] == "allocation":
            bill.paid[pk] = row["effective_on"], row["amount"]
        elif row["reverses_id"] in bill.paid:
            del bill.paid[row["reverses_id"]]
        if row["invoice__in_parts"]:
            in_parts[invoice] = bill
    for pk, plan in plans_of(in_parts).items():
        in_parts[pk].plan = plan
    return found


def _take(paid: list[tuple[dt.date, Decimal]], amount: Decimal) -> Iterator[tuple[dt.date, Decimal]]:
    """So much of what was paid, the earliest first; it is taken off ``paid``."""
    while paid and amount > 0:
        on, first = paid.pop(0)
        taken = min(first, amount)
        if taken < first:
            paid.insert(0, (on, first - taken))
        amount -= taken
        yield on, taken


def _entries(clients: Sequence[int], as_of: dt.date) -> Iterator[tuple[int, Pair, int, dt.date, dict[str, Any]]]:
    """What moved the principal of invoices, in the order in which it took effect."""
    rows = Entry.objects.filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), client__in=clients, effective_on__lte=as_of)
    columns = (
        "pk", "client_id", "currency", "invoice_id", "invoice__due_on", "effective_on", "kind", "dr", "amount",
        "reverses_id", "invoice__in_parts",
    )
    for row in rows.filter(invoice__isnull=False).order_by("effective_on", "pk").values(*columns).iterator(2000):
        yield row["pk"], (row["client_id"], row["currency"]), row["invoice_id"], row["invoice__due_on"], row


def _disputed(clients: Sequence[int], as_of: dt.date) -> set[int]:
    rows = Dispute.objects.filter(invoice__client__in=clients, opened_on__lte=as_of)
    return set(rows.values_list("invoice_id", flat=True))


def _judge(account: _Account, as_of: dt.date, signals: Signals, disputed: set[int]) -> Behaviour:
    a_year = as_of - dt.timedelta(days=LOOK_BACK_DAYS)
    bills = [
        one for invoice, bill in account.bills.items() if invoice not in disputed for one in bill.as_bills()
    ]
    return behaviour_of(
        bills, as_of, first_on=account.first_on, peak=peak_of(account.moves, a_year, as_of),
        broken_on=signals.broken_on, returned_on=signals.returned_on,
        disputed=sum(bill.due_on > a_year for invoice, bill in account.bills.items() if invoice in disputed),
    )
