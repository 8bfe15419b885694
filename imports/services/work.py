"""import_work: completed work from somebody else's list of hours or deliveries, all of it or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from clients.models import Client
from core.jobs import Progress, unheard
from core.models import Company
from imports.cells import Reading, Trouble
from imports.sheet import read_sheet
from imports.work_rows import WorkRow, read_work
from invoices.services.work import Done, Kept, keep_works

from .answers import Answer, Companies, FileRefused, companies_for

Clients = dict[tuple[int, str], Client]
COUNTS = ("created", "unchanged")
BATCH = 500
# Our word for the field that a refusal of the verb speaks of.
_WORDS = {
    "description": "what", "unit_price": "price", "tax_percent": "tax", "po_number": "po",
    "exemption_reason": "no_tax_because",
}  # fmt: skip


@dataclass(frozen=True)
class Worked:
    """How a list of work is taken in; ``skip_bad`` takes the good rows, ``dry_run`` saves nothing."""

    reading: Reading
    company: str = ""
    skip_bad: bool = False
    dry_run: bool = False


def import_work(content: bytes, worked: Worked, *, on: dt.date, by: Any, progress: Progress = unheard) -> Answer:
    """Keep the completed work of a list; it waits for its invoice. A second time changes nothing.

    What a person took off the list stays off, with a warning.
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
        named = [row for row in read.good if _is_known(row, worked.reading.mapping, companies, clients, answer)]
        for start in range(0, len(named), BATCH):
            progress(start, len(named), "rows")
            some = named[start : start + BATCH]
            told = [(_client(row, companies, clients), _done(row)) for row in some]
            kept = keep_works(told, brings_back=False, on=on, by=by)
            for row, one in zip(some, kept, strict=True):
                _count(row, one, worked.reading.mapping, answer)
        progress(len(named), len(named), "rows")
        if answer.errors and (read.ambiguous or not worked.skip_bad):
            raise FileRefused(answer)
        if worked.dry_run:
            transaction.set_rollback(True)
    return answer


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer of `manage.py import_work --json`; sums are with tax."""
    return answer.as_json(COUNTS) | {"per_currency": answer.totals_as_json()}


def _is_known(
    row: WorkRow, columns: Mapping[str, str], companies: Companies, clients: Clients, answer: Answer
) -> bool:
    """Whether there are the company and the client that a row names."""
    company = companies.named(row.company)
    if company is None:
        listed = ", ".join(c.code for c in companies.by_code.values())
        answer.wrong(row.line, "company", row.company, f"There is no such company here. Known are: {listed}.")
        return False
    if (company.pk, row.client) not in clients:
        answer.wrong(
            row.line, columns["client"], row.client,
            "There is no client of that number. Correct it, or add the client first.",
        )
        return False
    return True


def _client(row: WorkRow, companies: Companies, clients: Clients) -> Client:
    company = companies.named(row.company)
    assert company is not None
    return clients[company.pk, row.client]


def _done(row: WorkRow) -> Done:
    return Done(
        row.what, row.done_on, row.price, quantity=row.quantity, tax_percent=row.tax, currency=row.currency,
        po_number=row.po, unit=row.unit, key=row.key, tax_category=row.tax_category,
        exemption_reason=row.no_tax_because,
    )  # fmt: skip


def _count(row: WorkRow, kept: Kept, columns: Mapping[str, str], answer: Answer) -> None:
    if kept.refused is not None:
        word = _WORDS.get(kept.refused.where, kept.refused.where)
        answer.wrong(row.line, columns.get(word, word), row.client, kept.refused.message)
    elif kept.how == "created":
        answer.counts["created"] += 1
        answer.add(kept.work.currency, kept.work.gross)
    else:
        answer.counts["unchanged"] += 1
        if kept.how == "left off":
            said = "Somebody took this work off the list, where it stays; bring it back there to have it invoiced."
            answer.warnings.append(Trouble(row.line, columns["what"], row.what, said))


def _currency(
    companies: Companies, clients: Clients, company: str, number: str
) -> str:
    """The client's own currency; the company's for a client there is not, whose row is refused anyway."""
    meant = companies.named(company) or companies.meant
    client = clients.get((meant.pk, number))
    return client.currency if client else meant.currency
