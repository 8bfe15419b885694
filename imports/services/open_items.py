"""import_open_items: what others owe us goes in as it stands elsewhere, all of it or nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from ar_collections.services.holding import hold_first_run
from audit.services import record_many
from clients.credit_gate import ON_CREDIT
from clients.models import Client, Contact
from clients.services.limits import limits_of
from clients.services.overrides import standing_overrides
from clients.services.status import refused_since
from core.jobs import Progress, unheard
from core.models import Company, as_text
from core.money import plain
from core.permissions import may
from disputes.models import Dispute
from disputes.services import REVISIT_AFTER_DAYS
from imports.cells import Reading, Trouble
from imports.rows import OpenItem, Read, read_open_items
from imports.sheet import Sheet, read_sheet
from invoices.models import Intake, Invoice, InvoiceLine
from invoices.services.exposure import exposures_of
from invoices.services.ledger import post_entries
from payments.models import Allocation, Payment
from payments.services import doc_of
from policies.services import default_terms

from .answers import Answer, Companies, FileRefused, companies_for, fingerprint
from .open_item_rows import (
    New,
    allocations_of,
    differs_from,
    interest_preview,
    invoice_of,
    issue_entry,
    payment_entries,
    payment_of,
)

WINDOW = 1000  # items written at once; all windows stand in one transaction
BATCH = 500
COUNTS = ("created", "unchanged", "clients_created")


@dataclass(frozen=True)
class Taking:
    """How a file of open items is taken over.

    ``interest_from`` is the first day that may bear interest on these items (none: the day a notice names);
    ``skip_bad`` takes the good rows and leaves the others; ``dry_run`` answers the same and saves nothing.
    ``in_spite`` says why items are taken that were sold on credit to a client who was cash-only or closed by then.
    """

    reading: Reading
    source: str = ""
    company: str = ""
    interest_from: dt.date | None = None
    skip_bad: bool = False
    dry_run: bool = False
    in_spite: str = ""


def import_open_items(
    content: bytes, taking: Taking, *, on: dt.date, by: Any, progress: Progress = unheard
) -> Answer:
    """Take over the open items of a file: clients, items, what was paid on them, disputes; and hold the first messages.

    A second time changes nothing. Refused with every bad row listed (FileRefused) unless ``skip_bad``; a column
    in which day and month change places refuses the file in any case. Nothing is ever half saved.
    """
    sheet, answer = read_sheet(content), Answer()
    with transaction.atomic():
        companies = companies_for(taking.company, taking.reading.currency, answer, by)
        read = _read(sheet, taking.reading, companies, answer)
        book = _Book(companies, answer, taking.reading.mapping, on, by)
        new = book.bar(book.sort(read.good), taking.in_spite)
        if answer.errors and (read.ambiguous or not taking.skip_bad):
            raise FileRefused(answer)
        book.write(new, taking, fingerprint(content), progress)
        if taking.dry_run:
            transaction.set_rollback(True)
    return answer


def _read(sheet: Sheet, reading: Reading, companies: Companies, answer: Answer) -> Read[OpenItem]:
    """The rows of the file; amounts are in the company's currency where neither a column nor an option says more."""
    if not reading.currency and "currency" not in reading.mapping:
        reading = replace(reading, currency=companies.meant.currency)
    read = read_open_items(sheet, reading)
    answer.rows = read.rows
    answer.errors += read.errors
    answer.warnings += read.warnings
    answer.sentences += read.mixed
    answer.counts["unchanged"] = read.repeated
    return read


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer of `manage.py import_open_items --json`."""
    return answer.as_json(COUNTS) | {"per_currency": answer.totals_as_json()}


class _Book:
    """One import under way, inside its transaction."""

    def __init__(
        self, companies: Companies, answer: Answer, mapping: Mapping[str, str], on: dt.date, by: Any
    ) -> None:
        self.companies, self.answer, self.mapping, self.on, self.by = companies, answer, mapping, on, by
        # Two imports at once would both find an item missing: the second waits here.
        self.locked = list(Company.objects.select_for_update().order_by("pk"))
        self.clients: dict[tuple[int, str], Client] = {}
        self.added: list[Client] = []
        self.names: dict[tuple[int, str], Counter[str]] = {}
        self.currencies: dict[tuple[int, str], Counter[str]] = {}
        self.passed: dict[int, str] = {}  # by line: why an item is taken in spite of the credit status

    def sort(self, items: Sequence[OpenItem]) -> list[tuple[Company, OpenItem]]:
        """The items that are not here yet; those that are count as unchanged, or are errors where they differ."""
        placed = []
        for item in items:
            company = self.companies.named(item.company)
            if company is None:
                known = ", ".join(c.code for c in self.companies.by_code.values())
                message = f"There is no such company here. Known are: {known}."
                self.answer.wrong(item.line, self.mapping["company"], item.company, message)
                continue
            key = (company.pk, item.client)
            self.names.setdefault(key, Counter()).update([item.client_name] if item.client_name else [])
            self.currencies.setdefault(key, Counter()).update([item.currency])
            placed.append((company, item))
        self._find_clients({item.client for _, item in placed})
        here = self._items_here()
        new = []
        for company, item in placed:
            client = self.clients.get((company.pk, item.client))
            invoice = here.get((client.pk, item.number)) if client else None
            if invoice is None:
                new.append((company, item))
            elif differs := differs_from(invoice, item):
                self.answer.wrong(item.line, self.mapping["number"], item.number, differs)
            else:
                self.answer.counts["unchanged"] += 1
        return new

    def bar(self, placed: Sequence[tuple[Company, OpenItem]], in_spite: str) -> list[tuple[Company, OpenItem]]:
        """The items without those that were sold on credit since the client is cash-only or closed: these are errors.

        Taken all the same: what was paid before it came here, what an exception of the client covers, and everything
        where somebody who may grant exceptions says why.
        """
        since: dict[int, dt.date] = {}
        for some in _batches(list(self.clients.values())):
            since |= refused_since(some, self.on)
        excepted = may(self.by, "clients.grant_override") and in_spite.strip()
        taken = []
        for company, item in placed:
            client = self.clients.get((company.pk, item.client))
            barred = since.get(client.pk) if client else None
            if client is None or barred is None or item.issued_on < barred or item.paid >= item.total:
                taken.append((company, item))
            elif reason := excepted or _exception(client, self.on):
                self.passed[item.line] = str(reason)
                taken.append((company, item))
            else:
                self.answer.wrong(item.line, self.mapping["issued_on"], item.issued_on.isoformat(), (
                    f"{client} buys nothing on credit since {barred}, and this item was issued afterwards and is not "
                    "paid. Leave it out, or let somebody who may grant exceptions import it and say why."
                ))  # fmt: skip
        return taken

    def write(
        self, placed: Sequence[tuple[Company, OpenItem]], taking: Taking, sha256: str, progress: Progress
    ) -> None:
        """Save the new items with all that belongs to them, in windows."""
        self._add_clients(placed)
        new = [New(item, self.clients[company.pk, item.client]) for company, item in placed]
        intakes = self._intakes(new, taking, sha256)
        for start in range(0, len(new), WINDOW):
            self._write_window(new[start : start + WINDOW], intakes)
            progress(min(start + WINDOW, len(new)), len(new), "items")
        self._add_contacts(new)
        self._warn_of_limits(new)
        for company_id, intake in intakes.items():
            created = sum(n.client.company_id == company_id for n in new)
            hold_first_run(intake.company, detail=f"{created:,} open items of {intake.source}", by=self.by)
        self._count(new, taking)

    def _find_clients(self, numbers: set[str]) -> None:
        for some in _batches(sorted(numbers)):
            found = Client.objects.filter(number__in=some, company__in=self.locked)
            for client in found.select_related("company", "terms"):
                self.clients[client.company_id, client.number] = client

    def _items_here(self) -> dict[tuple[int, str], Invoice]:
        found: dict[tuple[int, str], Invoice] = {}
        for some in _batches([client.pk for client in self.clients.values()]):
            for invoice in Invoice.objects.filter(client__in=some, intake__isnull=False):
                found[invoice.client_id, str(invoice.number)] = invoice
        return found

    def _add_clients(self, placed: Sequence[tuple[Company, OpenItem]]) -> None:
        """Clients not known yet, under the spelling of their name that the file has most often."""
        terms = {company.pk: default_terms(company) for company in self.locked}
        companies = {company.pk: company for company in self.locked}
        missing = dict.fromkeys((company.pk, item.client) for company, item in placed)
        for company_id, number in missing:
            if (company_id, number) in self.clients:
                continue
            company, spelled = companies[company_id], self.names[company_id, number].most_common(1)
            self.added.append(
                Client(
                    company=company, number=number, name=spelled[0][0] if spelled else number,
                    language=company.language, terms=terms[company_id],
                    currency=self.currencies[company_id, number].most_common(1)[0][0],
                )
            )
        for client in Client.objects.bulk_create(self.added, batch_size=BATCH):
            self.clients[client.company_id, client.number] = client
        record_many(
            {"by": self.by, "action": "client_added", "obj": client, "client_id": client.pk, "summary": client.number}
            for client in self.added
        )

    def _intakes(self, new: Iterable[New], taking: Taking, sha256: str) -> dict[int, Intake]:
        """One batch per company, so that the planner knows what was taken over and from when interest may run."""
        companies = {n.client.company_id: n.client.company for n in new}
        made = {}
        for company_id, company in companies.items():
            made[company_id] = Intake.objects.create(
                company=company, source=taking.source[:200] or "a file", source_sha256=sha256,
                taken_by=as_text(self.by), interest_from=taking.interest_from,
            )
        record_many(
            {"by": self.by, "action": "open_items_imported", "obj": intake, "summary": intake.source}
            for intake in made.values()
        )
        return made

    def _write_window(self, new: Sequence[New], intakes: dict[int, Intake]) -> None:
        at, who = timezone.now(), as_text(self.by)
        for n in new:
            n.invoice = invoice_of(n, intakes[n.client.company_id], at, who)
        Invoice.objects.bulk_create([n.invoice for n in new], batch_size=BATCH)
        InvoiceLine.objects.bulk_create(
            [
                InvoiceLine(
                    invoice=n.invoice, description=n.item.number, unit_price=n.item.total, net=n.item.total,
                    is_issued=True,
                )
                for n in new
            ],
            batch_size=BATCH,
        )
        paid = [n for n in new if n.item.paid > 0]
        payments = Payment.objects.bulk_create([payment_of(n, who) for n in paid], batch_size=BATCH)
        entries = post_entries(
            [issue_entry(n) for n in new]
            + [entry for n, payment in zip(paid, payments, strict=True) for entry in payment_entries(n, payment)],
            self.by,
        )
        Allocation.objects.bulk_create(allocations_of(entries, payments), batch_size=BATCH)
        self._open_disputes(new, who)
        record_many(
            [
                {
                    "by": self.by, "action": "item_taken_over", "obj": n.invoice, "client_id": n.client.pk,
                    "doc": f"invoice:{n.invoice.pk}", "summary": n.item.number,
                }
                for n in new
            ]
            + [
                {
                    "by": self.by, "action": "payment_taken_over", "obj": payment, "client_id": n.client.pk,
                    "doc": doc_of(payment), "summary": n.item.number,
                }
                for n, payment in zip(paid, payments, strict=True)
            ]
            + [
                {
                    "by": self.by, "action": "credit_rule_passed", "obj": n.invoice, "client_id": n.client.pk,
                    "doc": f"invoice:{n.invoice.pk}", "summary": self.passed[n.item.line],
                    "diff": {"by": "exception", "rule": "import"},
                }
                for n in new
                if n.item.line in self.passed
            ]
        )

    def _open_disputes(self, new: Sequence[New], who: str) -> None:
        disputed = Dispute.objects.bulk_create(
            [
                Dispute(
                    invoice=n.invoice, reason="other", text="Marked as disputed where it was taken over from.",
                    opened_on=n.item.issued_on, opened_by=who,
                    revisit_on=n.item.settled_on or self.on + dt.timedelta(days=REVISIT_AFTER_DAYS),
                    closed_on=n.item.settled_on and max(n.item.settled_on, n.item.issued_on),
                    closed_by=who if n.item.settled_on else "", outcome="Settled." if n.item.settled_on else "",
                )
                for n in new
                if n.item.disputed
            ],
            batch_size=BATCH,
        )
        record_many(
            {
                "by": self.by, "action": "dispute_opened", "obj": dispute, "client_id": dispute.invoice.client_id,
                "summary": str(dispute.invoice),
            }
            for dispute in disputed
        )

    def _add_contacts(self, new: Sequence[New]) -> None:
        """The people the file names, each once; who is known already, by address or else by name, stays as is."""
        known: dict[int, set[str]] = {}
        for some in _batches(list({n.client.pk for n in new})):
            for contact in Contact.objects.filter(client__in=some):
                known.setdefault(contact.client_id, set()).update({contact.email.casefold(), contact.name.casefold()})
        added = []
        for n in new:
            item, seen = n.item, known.setdefault(n.client.pk, set())
            key = (item.email or item.contact_name or item.phone).casefold()
            if not key or key in seen:
                continue
            seen |= {item.email.casefold(), item.contact_name.casefold(), key} - {""}
            added.append(
                Contact(
                    client=n.client, name=(item.contact_name or n.client.name)[:120], email=item.email, phone=item.phone
                )
            )
        Contact.objects.bulk_create(added, batch_size=BATCH)
        record_many(
            {"by": self.by, "action": "contact_added", "obj": contact, "client_id": contact.client_id}
            for contact in added
        )
        self.answer.counts["contacts_created"] = len(added)

    def _warn_of_limits(self, new: Sequence[New]) -> None:
        """What was sold elsewhere is owed, limit or not; where it carries a client over its limit, its line says so."""
        fresh = {client.pk for client in self.added}
        last = {
            (n.client.pk, n.item.currency): n
            for n in new if n.client.pk not in fresh and n.item.paid < n.item.total
        }
        clients = {n.client.pk: n.client for n in last.values()}
        for some in _batches(sorted(clients)):
            limits = limits_of([clients[pk] for pk in some], self.on)
            exposures = exposures_of([clients[pk] for pk in {pk for pk, _currency in limits}], self.on)
            for pair, limit in limits.items():
                if pair in last and pair in exposures and exposures[pair].total > limit.amount:
                    n, owed = last[pair], plain(exposures[pair].total, limit.currency)
                    self.answer.warnings.append(Trouble(
                        n.item.line, self.mapping["total"], plain(n.item.total, n.item.currency),
                        f"{n.client} owes {owed} {limit.currency} with this, over its limit of "
                        f"{plain(limit.amount, limit.currency)}: nothing more is issued on credit until it is below.",
                    ))  # fmt: skip

    def _count(self, new: Sequence[New], taking: Taking) -> None:
        answer = self.answer
        answer.counts["created"] = len(new)
        answer.counts["clients_created"] = len(self.added)
        for n in new:
            answer.add(n.item.currency, n.item.total)
        touched = [client.pk for client in self.clients.values()]
        answer.more["contacts_created"] = answer.counts["contacts_created"]
        answer.more["clients_without_contact"] = sum(
            Client.objects.filter(pk__in=some).without_contact().count() for some in _batches(touched)
        )
        if taking.interest_from is not None:
            percents = [(n.item, n.invoice.late_percent) for n in new]
            answer.more["interest"] = interest_preview(percents, taking.interest_from, self.on)
            if new and not any(percent for _item, percent in percents):
                message = "The payment terms of these clients carry no late interest, so none will be charged."
                answer.warnings.append(Trouble(1, "", taking.interest_from.isoformat(), message))


def _exception(client: Client, on: dt.date) -> str:
    """The exception by which a client buys on credit all the same, as it is kept beside the item; empty without one."""
    standing = [o for o in standing_overrides(client, on) if o.allows == ON_CREDIT]
    return f"exception {standing[0].pk} of {standing[0].granted_by}: {standing[0].reason}" if standing else ""


def _batches(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]
