"""What the pages of the import read: what a check or an import found, and the first rows as they are understood."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from clients.models import Client
from core.errors import Refused
from core.models import Company, Job
from core.services import read_file
from imports.cells import Reading
from imports.rows import ClientRow, OpenItem, read_clients, read_open_items
from imports.sheet import read_sheet
from imports.work_rows import WorkRow, read_work

FIRST = 8  # rows shown as they are understood


@dataclass(frozen=True)
class Finding:
    """The answer of a check or an import in the words of a page."""

    job: Job

    @property
    def kind(self) -> str:
        return self.job.kind.removeprefix("import_")

    @property
    def is_check(self) -> bool:
        return bool(self.job.arguments.get("dry_run"))

    @property
    def source(self) -> str:
        return str(self.job.arguments.get("source") or "")

    @property
    def result(self) -> Mapping[str, Any]:
        return self.job.result or {}

    @property
    def new(self) -> int:
        """Items or clients that are not here yet."""
        return int(self.result.get("created", 0))

    @property
    def bad_rows(self) -> int:
        return int(self.result.get("refused", 0))

    @property
    def can_be_taken(self) -> bool:
        """Something in it is new or says something new, and the file is not refused as a whole."""
        told = self.result
        fresh = self.new + told.get("updated", 0) + told.get("contacts_created", 0) + told.get("contacts_updated", 0)
        return self.job.state == "done" and fresh > 0

    @property
    def sums(self) -> list[tuple[str, int, Decimal]]:
        """Per currency: how many new items, and their total."""
        totals = self.result.get("per_currency", {})
        return [(currency, told["count"], Decimal(told["total"])) for currency, told in totals.items()]

    @property
    def interest(self) -> list[dict[str, Any]]:
        """Per currency: how many overdue items will bear interest, on what sum, and how much so far."""
        return [
            {
                "currency": currency, "from": dt.date.fromisoformat(told["from"]), "invoices": told["invoices"],
                "principal": Decimal(told["principal"]), "so_far": Decimal(told["interest_to_date"]),
            }
            for currency, told in self.result.get("interest", {}).items()
        ]  # fmt: skip


def finding_of(job: Job) -> Finding:
    """What a check or an import found."""
    return Finding(job)


def first_rows(job: Job) -> Sequence[OpenItem | ClientRow | WorkRow]:
    """The first good rows of a file as they are understood, so that a person sees dates and amounts read right."""
    reading = Reading(**job.arguments["reading"])
    if job.kind == "import_work":
        return _first_work(job, reading)
    if not reading.currency and "currency" not in reading.mapping:
        named = Company.objects.filter(code__iexact=job.arguments.get("company", ""))
        company = named.first() or Company.objects.first()
        reading = replace(reading, currency=company.currency if company else "EUR")
    sheet = read_sheet(read_file(job.arguments["file"]))
    read = read_open_items if job.kind == "import_open_items" else read_clients
    try:
        return read(replace(sheet, rows=sheet.rows[: 2 * FIRST]), reading).good[:FIRST]
    except Refused:
        return []


def _first_work(job: Job, reading: Reading) -> Sequence[WorkRow]:
    """The first pieces of work, in the currency of their clients where the file does not say one."""
    sheet = read_sheet(read_file(job.arguments["file"]))
    named = Company.objects.filter(code__iexact=job.arguments.get("company", "")).first() or Company.objects.first()
    currencies = dict(Client.objects.filter(company=named).values_list("number", "currency"))
    usual = named.currency if named else "EUR"
    first = replace(sheet, rows=sheet.rows[: 2 * FIRST])
    try:
        return read_work(first, reading, lambda _company, number: currencies.get(number, usual)).good[:FIRST]
    except Refused:
        return []
