"""import_work: completed work from somebody else's list of hours or deliveries, all of it or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from clients.models import Client
from core.errors import Refused
from core.jobs import Progress, unheard
from core.models import Company
from imports.cells import Reading
from imports.sheet import read_sheet
from imports.work_rows import WorkRow, read_work
from invoices.models import CompletedWork
from invoices.services.work import Done, record_work

from .answers import Answer, Companies, FileRefused, companies_for

COUNTS = ("created", "unchanged")
# Our word for the field that a refusal of the verb speaks of.
_WORDS = {"description": "what", "unit_price": "price", "tax_percent": "tax", "po_number": "po"}


@dataclass(frozen=True)
class Worked:
    """How a list of work is taken in; ``skip_bad`` takes the good rows, ``dry_run`` saves nothing."""

    reading: Reading
    company: str = ""
    skip_bad: bool = False
    dry_run: bool = False


def import_work(content: bytes, worked: Worked, *, on: dt.date, by: Any, progress: Progress = unheard) -> Answer:
    """Keep the completed work of a list; it waits for its invoice. A second time changes nothing.

    Refused with every bad row listed (FileRefused) unless ``skip_bad``; a column in which day and month change places
    refuses the file in any case. Nothing is ever half saved.
    """
    sheet, answer = read_sheet(content), Answer()
    with transaction.atomic():
        companies = companies_for(worked.company, worked.reading.currency, answer, by)
        list(Company.objects.select_for_update().order_by("pk"))  # a second import waits here
        clients = {(c.company_id, c.number): c for c in Client.objects.select_related("company")}
        read = read_work(sheet, worked.reading, lambda company, client: _currency(companies, clients, company, client))
        answer.rows = read.rows
        answer.errors += read.errors
        answer.warnings += read.warnings
        answer.sentences += read.mixed
        known = set(CompletedWork.objects.filter(removed_at=None).values_list("company", "key"))
        for done, row in enumerate(read.good):
            progress(done, len(read.good), "rows")
            _enter(row, worked.reading.mapping, companies, clients, known, answer, on, by)
        progress(len(read.good), len(read.good), "rows")
        if answer.errors and (read.ambiguous or not worked.skip_bad):
            raise FileRefused(answer)
        if worked.dry_run:
            transaction.set_rollback(True)
    return answer


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer of `manage.py import_work --json`; sums are with tax."""
    return answer.as_json(COUNTS) | {"per_currency": answer.totals_as_json()}


def _enter(
    row: WorkRow, columns: Mapping[str, str], companies: Companies, clients: dict[tuple[int, str], Client],
    known: set[tuple[int, str]], answer: Answer, on: dt.date, by: Any,
) -> None:
    """Keep what a row says; a row that is refused leaves nothing behind."""
    company = companies.named(row.company)
    client = clients.get((company.pk, row.client)) if company else None
    if company is None:
        listed = ", ".join(c.code for c in companies.by_code.values())
        answer.wrong(row.line, "company", row.company, f"There is no such company here. Known are: {listed}.")
        return
    if client is None:
        answer.wrong(
            row.line, columns["client"], row.client,
            "There is no client of that number. Correct it, or add the client first.",
        )
        return
    told = Done(
        row.what, row.done_on, row.price, quantity=row.quantity, tax_percent=row.tax, currency=row.currency,
        po_number=row.po, unit=row.unit, key=row.key,
    )
    try:
        with transaction.atomic():
            work = record_work(client, told, on=on, by=by)
    except Refused as refused:
        word = _WORDS.get(refused.where, refused.where)
        answer.wrong(row.line, columns.get(word, word), row.client, refused.message)
        return
    if (company.pk, row.key) in known:
        answer.counts["unchanged"] += 1
        return
    known.add((company.pk, row.key))
    answer.counts["created"] += 1
    answer.add(work.currency, work.gross)


def _currency(
    companies: Companies, clients: dict[tuple[int, str], Client], company: str, number: str
) -> str:
    """The client's own currency; the company's for a client there is not, whose row is refused anyway."""
    meant = companies.named(company) or companies.meant
    client = clients.get((meant.pk, number))
    return client.currency if client else meant.currency
