"""What is invoiced again and again: beginning it, changing, pausing and ending it, and the days that come next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

from django.db import transaction

from audit.services import record
from clients.models import Client, Contact
from clients.services import lock_client
from core.errors import Refused
from core.models import as_text
from core.money import currency_codes
from invoices.models import RecurringInvoice, RecurringLine, RecurringRun
from invoices.recurring import (
    Covers,
    Period,
    Rule,
    Unit,
    check_places,
    check_rule,
    days_between,
    occurrences,
    period_of,
    said_for,
)
from invoices.totals import Totals, stated
from policies.models import Terms

from .drafting import LineDraft, totals_of_lines
from .work import tax_category

AHEAD = 12  # days shown before and after saving
LONGEST = {"description": 300, "detail": 500}
_FACTS = (
    "name", "contact", "currency", "terms", "po_number", "note", "every", "unit", "starts_on", "ends_on", "covers",
    "sends",
)  # fmt: skip
_RULE = ("every", "unit", "starts_on", "ends_on")


@dataclass(frozen=True)
class Schedule:
    """What comes again and again is called so, from which day, how often, until when, and what stands on each invoice.

    ``covers`` says for which time each one is: ahead of its day, behind it, or none. ``sends``: mailed by itself.
    What is not given (terms, contact, currency) comes from the client on the day.
    """

    name: str
    starts_on: dt.date
    every: int = 1
    unit: str = "month"
    ends_on: dt.date | None = None
    covers: str = "ahead"
    sends: bool = True
    contact: Contact | None = None
    currency: str = ""
    terms: Terms | None = None
    po_number: str = ""
    note: str = ""


class Coming(NamedTuple):
    """A day still to come: whether it is left out, or due already and only waits for the next minute."""

    on: dt.date
    skipped: bool
    due: bool
    period: Period | None


# --- writing it -------------------------------------------------------------------------------------------------------


def make_recurring(
    client: Client, schedule: Schedule, lines: Sequence[LineDraft], *, on: dt.date, by: Any
) -> RecurringInvoice:
    """Begin an invoice that comes again and again; its days before today are not made up for.

    The same again under the same name is the one there is. Refused: another of that name for the client, a rule
    without days, lines that come to nothing, a missing purchase order number, a place such as {month} nobody knows.
    """
    with transaction.atomic():
        lock_client(client.pk)
        recurring = RecurringInvoice(
            company=client.company, client=client, counts_from=on, created_by=as_text(by)
        )
        told = _write(recurring, schedule)
        lines = _checked(told, lines)
        standing = RecurringInvoice.objects.filter(client=client, name=told.name).first()
        if standing is not None:
            if _same(standing, told, lines):
                return standing
            raise Refused(
                f"{client} has a recurring invoice called “{told.name}” already; change that, or choose another name.",
                code="named_twice", where="name",
            )  # fmt: skip
        told.save()
        _write_lines(told, lines)
        record(by, "recurring_made", told, client_id=client.pk, summary=told.name)
    return told


def edit_recurring(
    recurring: RecurringInvoice, schedule: Schedule, lines: Sequence[LineDraft], *, version: int | None = None,
    on: dt.date, by: Any,
) -> RecurringInvoice:
    """Write it anew from today on; what was issued stays, and new days before today are not made up for.

    ``version`` is the one the person saw. Refused as ``make_recurring`` says, and where somebody else was faster.
    """
    with transaction.atomic():
        recurring = locked(recurring)
        if version is not None and recurring.version != version:
            raise Refused(
                "Somebody else changed this while you were writing; load the page again.", code="changed_meanwhile"
            )
        before = [getattr(recurring, name) for name in _RULE]
        told = _write(recurring, schedule)
        lines = _checked(told, lines)
        others = RecurringInvoice.objects.filter(client=told.client, name=told.name).exclude(pk=told.pk)
        if others.exists():
            raise Refused(f"{told.client} has another one called “{told.name}”.", code="named_twice", where="name")
        if [getattr(told, name) for name in _RULE] != before:
            told.counts_from = max(told.counts_from, on)
        told.version += 1
        told.save()
        told.lines.all().delete()
        _write_lines(told, lines)
        record(by, "recurring_changed", told, client_id=told.client_id, summary=told.name)
    return told


def pause_recurring(recurring: RecurringInvoice, *, at: dt.datetime, by: Any) -> RecurringInvoice:
    """Issue nothing until it goes on; the days between are not made up for. Twice changes nothing."""
    with transaction.atomic():
        recurring = locked(recurring)
        if recurring.paused_at is None:
            recurring.paused_at = at
            recurring.save(update_fields=["paused_at"])
            record(by, "recurring_paused", recurring, client_id=recurring.client_id, summary=recurring.name)
    return recurring


def resume_recurring(recurring: RecurringInvoice, *, on: dt.date, by: Any) -> RecurringInvoice:
    """Go on from a day: the first one issued is that of the day itself or the next. Twice changes nothing."""
    with transaction.atomic():
        recurring = locked(recurring)
        if recurring.paused_at is not None:
            recurring.paused_at, recurring.counts_from = None, max(recurring.counts_from, on)
            recurring.save(update_fields=["paused_at", "counts_from"])
            record(by, "recurring_resumed", recurring, client_id=recurring.client_id, summary=recurring.name)
    return recurring


def end_recurring(recurring: RecurringInvoice, last_on: dt.date, *, by: Any) -> RecurringInvoice:
    """No invoice after a day, which still counts itself; what was issued stays. Twice changes nothing."""
    with transaction.atomic():
        recurring = locked(recurring)
        if recurring.ends_on != last_on:
            recurring.ends_on = last_on
            recurring.save(update_fields=["ends_on"])
            record(
                by, "recurring_ended", recurring, client_id=recurring.client_id,
                summary=f"{recurring.name}: none after {last_on.isoformat()}",
            )  # fmt: skip
    return recurring


def skip_day(recurring: RecurringInvoice, day: dt.date, *, on: dt.date, by: Any) -> None:
    """Leave one coming day out. Twice changes nothing; refused for a day that is none of its days, or is over."""
    with transaction.atomic():
        recurring = locked(recurring)
        run = recurring.runs.filter(on=day).first()
        if run is not None:
            if run.skipped_by:
                return
            raise Refused("This day has become an invoice, or was refused; look at it below.", code="ran")
        if not days_between(rule_of(recurring), day, day) or day < max(recurring.counts_from, recurring.starts_on):
            raise Refused("No invoice is coming on that day; choose one of the next days.", code="no_day")
        RecurringRun.objects.create(recurring=recurring, on=day, skipped_by=as_text(by)[:150])
        record(
            by, "recurring_skipped", recurring, client_id=recurring.client_id,
            summary=f"{recurring.name}: none on {day.isoformat()}",
        )  # fmt: skip


def unskip_day(recurring: RecurringInvoice, day: dt.date, *, on: dt.date, by: Any) -> None:
    """Take back that a coming day is left out. Twice changes nothing; refused for a day that is over."""
    with transaction.atomic():
        recurring = locked(recurring)
        left_out = recurring.runs.filter(on=day, invoice=None, refused_because="").exclude(skipped_by="")
        if day < on and left_out.exists():
            raise Refused("That day is over; write its invoice by hand.", code="over")
        if left_out.delete()[0]:
            record(
                by, "recurring_unskipped", recurring, client_id=recurring.client_id,
                summary=f"{recurring.name}: again on {day.isoformat()}",
            )  # fmt: skip


# --- what is coming ---------------------------------------------------------------------------------------------------


def rule_of(told: RecurringInvoice | Schedule) -> Rule:
    """Its days, as the arithmetic takes them."""
    return Rule(told.every, cast(Unit, told.unit), told.starts_on, told.ends_on)


def coming(
    recurring: RecurringInvoice, runs: Mapping[dt.date, RecurringRun], on: dt.date, n: int = AHEAD
) -> list[Coming]:
    """The next ``n`` days, those left out among them; a day that came round and was not looked at yet is due."""
    rule, first = rule_of(recurring), max(recurring.counts_from, on if recurring.paused_at else recurring.counts_from)
    days = [d for d in occurrences(rule, first, n + len(runs)) if d not in runs or (runs[d].skipped_by and d >= on)]
    return [
        Coming(day, day in runs, day <= on and day not in runs, period_of(rule, day, cast(Covers, recurring.covers)))
        for day in days[:n]
    ]


def meant(standing: RecurringInvoice | None, schedule: Schedule, on: dt.date) -> RecurringInvoice:
    """The days as they would come if the schedule were kept today; nothing is saved. Refused as ``check_rule`` says."""
    check_rule(rule_of(schedule))
    told = RecurringInvoice(
        counts_from=on, covers=schedule.covers, paused_at=standing.paused_at if standing else None,
        **{name: getattr(schedule, name) for name in _RULE},
    )  # fmt: skip
    if standing is not None:
        same = all(getattr(standing, name) == getattr(told, name) for name in _RULE)
        told.counts_from = standing.counts_from if same else max(standing.counts_from, on)
    return told


def totals_of_schedule(client: Client, currency: str, lines: Sequence[LineDraft]) -> Totals:
    """What each invoice comes to. Refused as ``make_recurring`` says."""
    used = currency or client.currency
    if used not in currency_codes():
        raise Refused(f"“{used}” is not a currency; write EUR, USD or another code.", where="currency")
    if not lines:
        raise Refused("An invoice needs at least one line.", code="no_lines", where="lines")
    totals, _nets = totals_of_lines(lines, used)
    if totals.total <= 0:
        raise Refused("An invoice over nothing is not issued; give the lines a price.", code="nothing", where="lines")
    return totals


def lines_of(recurring: RecurringInvoice) -> list[LineDraft]:
    """Its lines as they are written, with the places that are filled in on the day."""
    return [
        LineDraft(
            line.description, line.quantity, line.unit_price, tax_percent=line.tax_percent,
            tax_category=stated(line.tax_category, line.tax_percent), unit=line.unit, detail=line.detail,
            exemption_reason=line.exemption_reason,
        )
        for line in recurring.lines.all()
    ]


def filled(lines: Iterable[LineDraft], period: Period | None, language: str) -> list[LineDraft]:
    """The lines with the time they are for in the client's language, cut to what an invoice's line holds."""
    if period is None:
        return list(lines)
    return [
        LineDraft(
            said_for(line.description, period, language)[: LONGEST["description"]], line.quantity, line.unit_price,
            tax_percent=line.tax_percent, tax_category=line.tax_category, unit=line.unit,
            detail=said_for(line.detail, period, language)[: LONGEST["detail"]],
            exemption_reason=line.exemption_reason,
        )
        for line in lines
    ]


# --- within -----------------------------------------------------------------------------------------------------------


def _write(recurring: RecurringInvoice, schedule: Schedule) -> RecurringInvoice:
    """Put what is told on the row, unsaved; refused where it makes no sense."""
    client = recurring.client
    if not schedule.name.strip():
        raise Refused("Give it a name, such as Hosting; it stands on no invoice.", where="name")
    check_rule(rule_of(schedule))
    if schedule.covers not in dict(RecurringInvoice.COVERS):
        raise Refused("Say whether it is for the time ahead, behind, or none.", where="covers")
    if schedule.contact is not None and schedule.contact.client_id != client.pk:
        raise Refused(f"{schedule.contact} is not a contact of {client}.", code="foreign_contact", where="contact")
    if schedule.terms is not None and schedule.terms.company_id != client.company_id:
        raise Refused("These terms belong to another company.", where="terms")
    if client.po_required and not schedule.po_number.strip():
        raise Refused(
            f"{client} pays only with a purchase order number; ask for it and enter it.", code="po_required",
            where="po_number",
        )
    for name in _FACTS:
        setattr(recurring, name, getattr(schedule, name))
    recurring.currency = schedule.currency or client.currency
    for name in ("name", "po_number", "note"):
        setattr(recurring, name, getattr(recurring, name).strip())
    return recurring


def _checked(recurring: RecurringInvoice, lines: Sequence[LineDraft]) -> list[LineDraft]:
    """The lines with their tax category; refused where they could not be issued on one of the next days."""
    told = []
    texts = [(recurring.note, "note")]
    for n, line in enumerate(lines, 1):
        try:
            told.append(replace(line, tax_category=tax_category(line.tax_category, line.tax_percent)))
        except Refused as refused:
            raise Refused(f"Line {n}: {refused.message}", code=refused.code, where=f"line {n}") from None
        texts += [(line.description, f"line {n}"), (line.detail, f"line {n}")]
    totals_of_schedule(recurring.client, recurring.currency, told)
    for text, where in texts:
        check_places(text, where)
        if not recurring.covers and "{" in text and "}" in text:
            raise Refused(
                "Say which time the invoice is for, ahead or behind; without one, places such as {month} stay empty.",
                code="no_period", where="covers",
            )  # fmt: skip
    return told


def _write_lines(recurring: RecurringInvoice, lines: Sequence[LineDraft]) -> None:
    RecurringLine.objects.bulk_create(
        RecurringLine(
            recurring=recurring, position=position, description=line.description.strip(), detail=line.detail.strip(),
            quantity=line.quantity, unit=line.unit.strip(), unit_price=line.unit_price, tax_percent=line.tax_percent,
            tax_category=line.tax_category, exemption_reason=line.exemption_reason.strip(),
        )
        for position, line in enumerate(lines, 1)
    )


def _same(standing: RecurringInvoice, told: RecurringInvoice, lines: Sequence[LineDraft]) -> bool:
    return lines_of(standing) == list(lines) and all(getattr(standing, n) == getattr(told, n) for n in _FACTS)


def locked(recurring: RecurringInvoice) -> RecurringInvoice:
    """The row under its client's lock and its own, with what its invoices are made of."""
    lock_client(recurring.client_id)
    rows = RecurringInvoice.objects.select_for_update(of=("self",))
    return rows.select_related("client__company", "client__terms", "contact", "terms").get(pk=recurring.pk)
