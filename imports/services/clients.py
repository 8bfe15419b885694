"""import_clients: who buys on credit, and whom to write to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import transaction

from clients.models import Client, Contact
from clients.services import save_client, save_contact
from clients.services.limits import limit_of, set_limit
from core.errors import Refused
from core.jobs import Progress, unheard
from core.models import Company
from core.permissions import may
from imports.cells import Reading
from imports.rows import ClientRow, read_clients
from imports.sheet import read_sheet
from policies.models import Terms
from policies.services import default_terms
from policies.terms import TermsRule

from .answers import Answer, Companies, FileRefused, companies_for

COUNTS = ("created", "updated", "unchanged", "contacts_created", "contacts_updated")


@dataclass(frozen=True)
class Enrolment:
    """How a list of clients is taken in; ``skip_bad`` takes the good rows, ``dry_run`` saves nothing."""

    reading: Reading
    company: str = ""
    skip_bad: bool = False
    dry_run: bool = False


def import_clients(
    content: bytes, enrolment: Enrolment, *, on: dt.date, by: Any, progress: Progress = unheard
) -> Answer:
    """Add the clients and contacts of a list, or bring those that are here up to date; an empty cell changes nothing.

    A second time changes nothing. Refused with every bad row listed (FileRefused) unless ``skip_bad``; nothing is
    ever half saved.
    """
    sheet, answer = read_sheet(content), Answer()
    with transaction.atomic():
        companies = companies_for(enrolment.company, enrolment.reading.currency, answer, by)
        read = read_clients(sheet, replace(enrolment.reading, currency=companies.meant.currency))
        answer.rows = read.rows
        answer.errors += read.errors
        answer.warnings += read.warnings
        roll = _Roll(companies, answer, on, by)
        for done, row in enumerate(read.good):
            progress(done, len(read.good), "rows")
            roll.enter(row)
        progress(len(read.good), len(read.good), "rows")
        if answer.errors and not enrolment.skip_bad:
            raise FileRefused(answer)
        roll.count()
        if enrolment.dry_run:
            transaction.set_rollback(True)
    return answer


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer of `manage.py import_clients --json`."""
    return answer.as_json(COUNTS)


class _Roll:
    """The clients of one import, each saved once however many rows it has."""

    def __init__(self, companies: Companies, answer: Answer, on: dt.date, by: Any) -> None:
        self.companies, self.answer, self.on, self.by = companies, answer, on, by
        list(Company.objects.select_for_update().order_by("pk"))  # a second import waits here
        self.became: dict[int, str] = {}
        self.terms: dict[tuple[int, int], Terms] = {}

    def enter(self, row: ClientRow) -> None:
        """Save what a row says; a row that is refused leaves nothing behind."""
        company = self.companies.named(row.company)
        if company is None:
            known = ", ".join(c.code for c in self.companies.by_code.values())
            message = f"There is no such company here. Known are: {known}."
            self.answer.wrong(row.line, "company", row.company, message)
            return
        try:
            with transaction.atomic():
                client = self._client(company, row)
                self._contact(client, row.contact)
        except Refused as refused:
            self.answer.wrong(row.line, refused.where, row.client, refused.message)

    def count(self) -> None:
        for state in ("created", "updated", "unchanged"):
            self.answer.counts[state] = sum(became == state for became in self.became.values())
        pks = list(self.became)
        without = sum(
            Client.objects.filter(pk__in=pks[start : start + 500]).without_contact().count()
            for start in range(0, len(pks), 500)
        )
        self.answer.more["clients_without_contact"] = without

    def _client(self, company: Company, row: ClientRow) -> Client:
        facts: dict[str, Any] = dict(row.facts)
        if "terms_days" in facts:
            facts["terms"] = self._terms(company, facts.pop("terms_days"))
        limit = facts.pop("credit_limit", None)
        client = Client.objects.filter(company=company, number=row.client).first()
        if client is None:
            new = {"name": row.client, "language": company.language, "currency": company.currency} | facts
            new |= {"company": company, "number": row.client}
            client = save_client(None, new, by=self.by, on=self.on, starting_limit=limit is None)
            self.became[client.pk] = "created"
            self._limit(client, limit)
            return client
        changed = _changes(client, facts)
        if changed:
            client = save_client(client, changed, by=self.by, on=self.on)
        changed |= self._limit(client, limit)
        if self.became.get(client.pk, "unchanged") == "unchanged":
            self.became[client.pk] = "updated" if changed else "unchanged"
        return client

    def _limit(self, client: Client, amount: Decimal | None) -> dict[str, Any]:
        """The limit a list gives, as a row of its history; the one in force changes nothing.

        A person needs the permission for it as for setting one by hand; the command belongs to who runs the house.
        """
        standing = limit_of(client, client.currency, self.on)
        if amount is None or (standing is not None and standing.amount == amount):
            return {}
        if hasattr(self.by, "has_perm") and not may(self.by, "clients.set_limit"):
            raise Refused(
                "You may not set credit limits, and this row would. Leave that column out, or let somebody who may "
                "set them import the list.",
                code="permission", where="credit_limit",
            )
        set_limit(
            client, amount, client.currency, because="as in the list of clients", source="import", on=self.on,
            by=self.by,
        )
        return {"credit_limit": amount}

    def _contact(self, client: Client, said: Mapping[str, str]) -> None:
        """The person of the row: known by address, else by name, else new."""
        if not said.keys() & {"name", "email", "phone"}:
            return
        known = list(Contact.objects.filter(client=client))
        contact = _same_person(known, said)
        if contact is None:
            save_contact(client, None, {"name": client.name[:120]} | dict(said), by=self.by)
            self.answer.counts["contacts_created"] += 1
        elif changed := _changes(contact, said):
            save_contact(client, contact, changed, by=self.by)
            self.answer.counts["contacts_updated"] += 1

    def _terms(self, company: Company, days: int) -> Terms:
        """The company's terms of so many days and nothing else; made, at the rate of its default, where it has none."""
        key = (company.pk, days)
        if key not in self.terms:
            usual = default_terms(company)
            known = list(Terms.objects.filter(company=company, net_days=days).order_by("-is_default", "pk"))
            plain = next((terms for terms in known if terms.as_rule() == TermsRule(days)), None)
            taken = Terms.objects.filter(company=company, name=f"{days} days").exists()
            self.terms[key] = plain or Terms.objects.create(
                company=company, name=f"Net {days} days" if taken else f"{days} days", net_days=days,
                late_percent=usual.late_percent if usual else 0,
            )
        return self.terms[key]


def _changes(subject: Client | Contact, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in facts.items() if getattr(subject, field) != value}


def _same_person(known: Sequence[Contact], said: Mapping[str, str]) -> Contact | None:
    for field in ("email", "name", "phone"):
        if field in said:
            found = [c for c in known if getattr(c, field).casefold() == said[field].casefold()]
            if found:
                return found[0]
            if field == "email" and "name" not in said:
                return None
    return None
