"""What the lists of promises and of disputes read: each row with its client, and the tabs above them with sums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from ar_collections.models import Promise
from ar_collections.services.promising import with_state
from core.models import Company
from disputes.models import Dispute

BROKEN = ("broken", "partly")


@dataclass
class Tally:
    """How many rows a tab holds and what they come to, per currency."""

    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)

    def add(self, count: int, currency: str, amount: Decimal) -> None:
        self.count += count
        self.sums[currency] = self.sums.get(currency, Decimal(0)) + amount


def promises_of(company: Company, on: dt.date) -> QuerySet[Any]:
    """The company's promises with what became of each by the end of a day."""
    mine = Promise.objects.filter(client__company=company, made_on__lte=on)
    return with_state(mine, on).select_related("client", "invoice", "contact")


def promises_in(tab: str, rows: QuerySet[Any], on: dt.date) -> QuerySet[Any]:
    """The promises of one tab: due by today, running until later, broken in whole or part, kept; else all of them."""
    chosen = {
        "due": Q(state="open", promised_for__lte=on), "running": Q(state="open", promised_for__gt=on),
        "broken": Q(state__in=BROKEN), "kept": Q(state="kept"),
    }  # fmt: skip
    return rows.filter(chosen.get(tab, Q()))


def tally_promises(rows: QuerySet[Any], on: dt.date) -> dict[str, Tally]:
    """How many promises each tab holds, and their sums."""
    due = Count("pk", filter=Q(promised_for__lte=on))
    due_sum = Sum("amount", filter=Q(promised_for__lte=on))
    grouped = rows.order_by().values("state", "currency").annotate(n=Count("pk"), s=Sum("amount"), due=due, ds=due_sum)
    tallies = {tab: Tally() for tab in ("due", "running", "broken", "kept", "all")}
    for row in grouped:
        currency, number, amount = row["currency"], row["n"], row["s"]
        tallies["all"].add(number, currency, amount)
        if row["state"] == "open":
            on_day = row["ds"] or Decimal(0)
            if row["due"]:
                tallies["due"].add(row["due"], currency, on_day)
            if number > row["due"]:
                tallies["running"].add(number - row["due"], currency, amount - on_day)
        elif row["state"] != "withdrawn":
            tallies["broken" if row["state"] in BROKEN else "kept"].add(number, currency, amount)
    return tallies


def disputes_of(company: Company) -> QuerySet[Any]:
    """The company's disputes with the ``disputed`` amount: all that is owed of the invoice where none was named."""
    mine = Dispute.objects.filter(invoice__company=company).select_related("invoice__client")
    return mine.annotate(disputed=Coalesce("amount", F("invoice__balance")))


def tally_disputes(rows: Iterable[Any]) -> Tally:
    """How many disputes there are, and what they keep from being chased."""
    tally = Tally()
    for row in rows:
        tally.add(1, row.invoice.currency, row.disputed)
    return tally
