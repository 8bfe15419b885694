"""The differences between two trials, named by client and invoice: all in a file, the first in the answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any

from ar_collections.dry_run import Pair, Serving, paired
from core.csvfile import lines
from core.money import plain
from invoices.models import Invoice

IN_ANSWER = 2000  # differences that stand in the answer; the file has every one
AT_ONCE = 500
COLUMNS = [
    "client", "client name", "invoice", "open", "currency", "step", "round", "part", "on", "by", "compared: on",
    "compared: by", "difference",
]  # fmt: skip


@dataclass
class Differences:
    """How many there are, by kind and step; of how many clients; the first of them row by row."""

    counts: Counter[str] = field(default_factory=Counter)
    per_step: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    clients: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "count": self.count, "clients": self.clients, **{how: self.counts[how] for how in _HOWS},
            "per_step": {code: {how: found[how] for how in _HOWS} for code, found in sorted(self.per_step.items())},
            "rows": self.rows, "left_off": self.count - len(self.rows),
        }


_HOWS = ("sooner", "later", "otherwise", "new", "left_out")


def compare(tried: Iterator[Serving], against: Iterator[Serving], file: IO[str] | None = None) -> Differences:
    """Walk both trials; ``file`` takes every step of either, the differences and what is the same, as CSV."""
    found = Differences()
    pairs = paired(tried, against)
    rows = _counted(found, _named(pairs if file else (pair for pair in pairs if pair.how != "same")))
    if file is None:
        for _row in rows:
            pass
        return found
    for line in lines(COLUMNS, (row.values() for row in rows)):
        file.write(line)
    return found


def _counted(found: Differences, named: Iterable[tuple[Pair, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    last = 0
    for pair, row in named:
        if pair.how != "same":
            found.clients += pair.either.client != last
            last = pair.either.client
            found.counts[pair.how] += 1
            found.per_step[pair.either.step][pair.how] += 1
            if len(found.rows) < IN_ANSWER:
                found.rows.append(row)
        yield row


def _named(pairs: Iterable[Pair]) -> Iterator[tuple[Pair, dict[str, Any]]]:
    rest = iter(pairs)
    while some := list(islice(rest, AT_ONCE)):
        invoices = Invoice.objects.select_related("client").only(
            "number", "currency", "balance", "client__number", "client__name"
        ).in_bulk({pair.either.invoice for pair in some})
        for pair in some:
            yield pair, _row(pair, invoices[pair.either.invoice])


def _row(pair: Pair, invoice: Invoice) -> dict[str, Any]:
    one = pair.either
    return {
        "client": invoice.client.number, "client_name": invoice.client.name, "invoice": str(invoice),
        "open": plain(invoice.balance, invoice.currency), "currency": invoice.currency, "step": one.step,
        "round": one.cycle, "part": one.part,
        "on": pair.tried and pair.tried.on.isoformat(), "by": pair.tried and pair.tried.channel,
        "against_on": pair.against and pair.against.on.isoformat(), "against_by": pair.against and pair.against.channel,
        "difference": pair.how,
    }  # fmt: skip
