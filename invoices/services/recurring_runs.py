"""The days of what is invoiced again and again: each becomes one invoice, or is kept with the reason why not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import transaction

from audit.services import record
from clients.services import lock_client
from core.errors import Refused
from core.models import Company, as_text
from invoices.models import Invoice, RecurringInvoice, RecurringRun
from invoices.recurring import Covers, days_between, period_of, said_for
from outbox.models import Message

from .drafting import Heading, draft_invoice
from .issuing import issue_invoice
from .recurring import filled, lines_of, locked, rule_of
from .sending import send_invoice
from .work_invoicing import terms_for


@dataclass
class Ran:
    """What the days of a company came to: issued, refused, and issued but not mailed (today or before)."""

    issued: list[RecurringRun] = field(default_factory=list)
    refused: list[RecurringRun] = field(default_factory=list)
    not_sent: list[RecurringRun] = field(default_factory=list)

    @property
    def invoices(self) -> list[Invoice]:
        return [run.invoice for run in self.issued if run.invoice is not None]



def run_recurring(
    company: Company, *, send_from: dt.datetime, dry_run: bool = False, on: dt.date, by: Any
) -> Ran:
    """Issue what came round until a day, each day exactly once, also the days on which nothing ran by itself.

    Invoices bear the day they are issued; their lines and service dates speak of the day that was due. They are
    mailed from ``send_from`` on where the schedule sends by itself. What a rule refuses is kept with the sentence and
    asked once more every day. Each day is a transaction of its own; ``dry_run`` keeps nothing of any.
    """
    if dry_run:
        with transaction.atomic():
            ran = run_recurring(company, send_from=send_from, on=on, by=by)
            transaction.set_rollback(True)
        return ran
    ran = Ran()
    for recurring, day in due_days(company, on):
        run = _run(recurring, day, send_from, on, by)
        if run is None:
            continue
        if run.invoice is None:
            ran.refused.append(run)
            continue
        if run.invoice.issued_on == on:
            ran.issued.append(run)
        if run.refused_because:
            ran.not_sent.append(run)
    return ran


def due_days(company: Company, on: dt.date) -> list[tuple[RecurringInvoice, dt.date]]:
    """What is to be issued now: days that came round and nobody has looked at, and those refused on an earlier day."""
    going = RecurringInvoice.objects.filter(company=company, paused_at=None, starts_on__lte=on, counts_from__lte=on)
    days = {
        (recurring.pk, day): recurring
        for recurring in going
        for day in days_between(rule_of(recurring), recurring.counts_from, on)
    }
    if days:
        ran = RecurringRun.objects.filter(recurring__company=company, on__in={day for _pk, day in days})
        for key in ran.values_list("recurring", "on"):
            days.pop(key, None)
    again = RecurringRun.objects.stuck().filter(
        recurring__company=company, recurring__paused_at=None, tried_on__lt=on
    )
    days |= {(run.recurring_id, run.on): run.recurring for run in again.select_related("recurring")}
    return [(days[key], key[1]) for key in sorted(days, key=lambda key: (key[1], key[0]))]


def try_again(run: RecurringRun, *, send_from: dt.datetime, on: dt.date, by: Any) -> RecurringRun:
    """Issue, or mail, at a click what was refused; what is refused again keeps the new sentence."""
    tried = _run(run.recurring, run.on, send_from, on, by, again=True)
    if tried is None:
        run.refresh_from_db()
    return tried or run


def leave_out(run: RecurringRun, *, by: Any) -> None:
    """Say that a refused day stays without an invoice, or an invoice that could not be mailed without a mail."""
    with transaction.atomic():
        lock_client(run.recurring.client_id)
        run = RecurringRun.objects.select_for_update(of=("self",)).select_related("recurring").get(pk=run.pk)
        if run.refused_because and not run.skipped_by:
            run.skipped_by = as_text(by)[:150]
            run.save(update_fields=["skipped_by"])
            record(
                by, "recurring_left_out", run.recurring, client_id=run.recurring.client_id,
                summary=f"{run.recurring.name}, {run.on.isoformat()}: {run.refused_because}",
            )  # fmt: skip


def _run(
    recurring: RecurringInvoice, day: dt.date, send_from: dt.datetime, on: dt.date, by: Any, again: bool = False
) -> RecurringRun | None:
    """One day: its invoice issued and put into the outbox together, or the sentence; None where nothing is to be done.

    Two who come at once meet at the client's lock, and the second finds the day done.
    """
    with transaction.atomic():
        recurring = locked(recurring)
        run = recurring.runs.select_related("invoice").filter(on=day).first()
        if run is None:
            is_due = not recurring.paused_at and day >= recurring.counts_from
            if not is_due or not days_between(rule_of(recurring), day, day):
                return None
            run = RecurringRun(recurring=recurring, on=day)
        elif run.skipped_by or not run.refused_because or (run.tried_on == on and not again):
            return None
        run.tried_on, run.refused_because = on, ""
        try:
            if run.invoice is None:
                with transaction.atomic():
                    run.invoice = _issue(recurring, day, on, by)
            _send(run, recurring, send_from, on, by)
        except Refused as refused:
            run.refused_because = refused.message[:300]
        run.save()
        if recurring.counts_from <= day:
            recurring.counts_from = day + dt.timedelta(days=1)
            recurring.save(update_fields=["counts_from"])
    return run


def _issue(recurring: RecurringInvoice, day: dt.date, on: dt.date, by: Any) -> Invoice:
    client = recurring.client
    period = period_of(rule_of(recurring), day, cast(Covers, recurring.covers))
    heading = Heading(
        terms=recurring.terms or terms_for(client, on), contact=recurring.contact, currency=recurring.currency,
        po_number=recurring.po_number, service_from=period.first if period else None,
        service_to=period.last if period else None,
        note=said_for(recurring.note, period, client.language) if period else recurring.note,
    )  # fmt: skip
    lines = filled(lines_of(recurring), period, client.language)
    return issue_invoice(draft_invoice(client, lines, heading=heading, by=by), on=on, by=by)


def _send(run: RecurringRun, recurring: RecurringInvoice, send_from: dt.datetime, on: dt.date, by: Any) -> None:
    """Mail the invoice once, where that is wanted and nobody has done it by hand meanwhile."""
    invoice = run.invoice
    if invoice is None or not recurring.sends or invoice.voided_at is not None:
        return
    if not Message.objects.filter(key__startswith=f"invoice:{invoice.pk}:send:").exists():
        with transaction.atomic():
            send_invoice(invoice, on=on, by=by, not_before=send_from)
