"""What the pages of a batch of invoices read: what would happen, how far it is, and what became of each."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core.models import Job
from invoices.models import Invoice
from invoices.services.bulk import Planned
from outbox.models import Message

Sums = dict[str, Decimal]
CREDIT = {"over_limit", "other_currency", "cash_only", "closed", "deposit", "terms_too_long", "stricter"}


@dataclass(frozen=True)
class NotDone:
    """One that would be refused: what is planned, and the way to mend it."""

    planned: Planned
    mend: tuple[str, str]


@dataclass(frozen=True)
class Plan:
    """A batch before it begins: what would be done, what would not, and what it comes to per currency."""

    good: list[Planned]
    refused: list[Planned]

    @property
    def pks(self) -> list[int]:
        return [one.invoice.pk for one in self.good]

    @property
    def sums(self) -> Sums:
        return _sums([one.invoice for one in self.good])

    @property
    def to_mend(self) -> list[NotDone]:
        return [NotDone(one, mend_link(one.invoice, one.code, one.where)) for one in self.refused]

    @property
    def refused_sums(self) -> Sums:
        return _sums([one.invoice for one in self.refused])

    @property
    def to_issue(self) -> int:
        return sum(one.is_draft for one in self.good)

    @property
    def clients(self) -> int:
        return len({one.invoice.client_id for one in self.good})


def plan_of(planned: Sequence[Planned]) -> Plan:
    """The plan of a batch, what would be refused apart."""
    return Plan([one for one in planned if not one.refused], [one for one in planned if one.refused])


def _sums(invoices: Sequence[Invoice]) -> Sums:
    """What invoices come to, per currency: a draft its total, an issued one what is open on it."""
    sums: Sums = defaultdict(Decimal)
    for invoice in invoices:
        sums[invoice.currency] += invoice.total if invoice.issued_at is None else invoice.balance
    return dict(sums)


def mend_link(invoice: Invoice | None, code: str, where: str = "") -> tuple[str, str]:
    """Where a person mends what kept an invoice from being done, and what the link says; empty where it is gone."""
    if invoice is None:
        return "", ""
    client, field = invoice.client_id, where.partition(".")[0]
    if code in ("no_contact", "unreachable"):
        if code == "no_contact":
            return reverse("dashboard:contact_new", args=[client]), _("Add a contact")
        return reverse("dashboard:client_about", args=[client]), _("Correct the contact")
    if code in CREDIT:
        return reverse("dashboard:client_credit", args=[client]), _("See the credit")
    if code == "no_way" and not invoice.ways:
        return reverse("dashboard:ways_edit", args=[client]), _("Change their ways to pay")
    if field == "client":
        return reverse("dashboard:client_edit", args=[client]), _("Change the client")
    if field == "company":
        return reverse("admin:core_company_change", args=[invoice.company_id]), _("Change the company")
    if invoice.issued_at is None:
        return reverse("dashboard:invoice_edit", args=[invoice.pk]), _("Change the draft")
    return reverse("dashboard:invoice", args=[invoice.pk]), _("Open it")


@dataclass
class Row:
    """What became of one invoice of a batch."""

    invoice: Invoice | None
    did: str
    says: str
    mend: tuple[str, str] = ("", "")
    message: Message | None = None


@dataclass
class Outcome:
    """What became of a batch, worked out from the facts as they stand: also of one whose worker died."""

    job: Job
    rows: list[Row] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    undo_until: dt.datetime | None = None

    @property
    def do(self) -> str:
        return str(self.job.arguments["do"])

    @property
    def was_stopped(self) -> bool:
        return bool(self.job.arguments.get("stop"))

    @property
    def done(self) -> list[Row]:
        return [row for row in self.rows if row.did in ("issued", "issued_sent", "sent")]

    @property
    def refused(self) -> list[Row]:
        return [row for row in self.rows if row.did == "refused"]

    @property
    def before(self) -> list[Row]:
        return [row for row in self.rows if row.did == "nothing"]

    @property
    def messages(self) -> list[int]:
        return [row.message.pk for row in self.rows if row.message]

    def to_undo(self, now: dt.datetime) -> list[int]:
        """The mails that can still be taken back."""
        waiting = [row.message for row in self.rows if row.message and row.message.state == "pending"]
        return [message.pk for message in waiting if message.not_before > now and not message.attempts]


def outcome_of(job: Job) -> Outcome:
    """What became of a batch. Where its worker died before it could tell, what is issued and put in tells it."""
    told = (job.result or {}).get("rows")
    pks = job.arguments["pks"]
    invoices = Invoice.objects.select_related("client", "company").in_bulk(pks)
    if told is None:
        told, left = _from_the_facts(job, invoices)
    else:
        left = (job.result or {}).get("left", [])
    messages = Message.objects.in_bulk([one["message"] for one in told if one.get("message")])
    rows = []
    for one in told:
        invoice = invoices.get(one["pk"])
        row = Row(invoice, one["did"], one.get("says", ""), message=messages.get(one.get("message")))
        if row.did == "refused":
            row.mend = mend_link(invoice, one.get("code", ""), one.get("where", ""))
        rows.append(row)
    until = (job.result or {}).get("undo_until")
    return Outcome(job, rows, left, dt.datetime.fromisoformat(until) if until else None)


def _from_the_facts(job: Job, invoices: dict[int, Invoice]) -> tuple[list[dict[str, Any]], list[int]]:
    since = dt.datetime.fromisoformat(job.arguments["since"])
    put_in = {
        message.payload.get("invoice"): message.pk
        for message in Message.objects.filter(kind="invoice", created_at__gte=since, key__contains=":send:")
    }
    told, left = [], []
    for pk in job.arguments["pks"]:
        invoice = invoices.get(pk)
        sends = job.arguments["do"] == "send"
        if pk in put_in if sends else invoice is not None and invoice.issued_at is not None:
            told.append({"pk": pk, "did": "sent" if sends else "issued", "message": put_in.get(pk) if sends else None})
        else:
            left.append(pk)
    return told, left
