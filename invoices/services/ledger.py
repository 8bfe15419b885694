"""post_entries: the only door through which money moves. Balances on invoices and charges are written here alone."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from clients.models import Client
from core.errors import Refused
from core.models import as_text
from core.money import is_exact
from invoices.models import RECEIVABLE, RECEIVABLE_CHARGES, Charge, Entry, Invoice
from invoices.parts import next_due

from .parts import plans_of

BATCH = 500


@dataclass(frozen=True)
class NewEntry:
    """One balanced transfer to post: ``dr`` and ``cr`` are accounts, ``amount`` is above zero in ``currency``."""

    key: str
    doc: str
    kind: str
    client: Client
    dr: str
    cr: str
    amount: Decimal
    currency: str
    effective_on: dt.date
    invoice: Invoice | None = None
    charge: Charge | None = None
    memo: str = ""
    reverses: Entry | None = None


def post_entry(new: NewEntry, by: Any) -> Entry:
    """Post one transfer; the same key again returns the entry already posted."""
    return post_entries([new], by)[0]


def post_entries(new: Sequence[NewEntry], by: Any) -> list[Entry]:
    """Post transfers and bring the cached balances of their invoices and charges up to date, in one transaction.

    A key that is already posted is left as it is and its entry returned, so that posting twice changes
    nothing. Refused where a key was posted for something else, where an amount is not above zero or finer than
    its currency, or where a balance would leave the range from zero to the claim's amount.
    """
    for entry in new:
        _check(entry)
    with transaction.atomic():
        invoices, charges = _lock(new)
        posted = {e.key: e for e in _already(e.key for e in new)}
        fresh = {e.key: e for e in new if e.key not in posted}
        for again in (e for e in new if e.key in posted):
            _check_same(again, posted[again.key])
        at, who = timezone.now(), as_text(by)
        rows = [
            Entry(
                key=e.key,
                doc=e.doc,
                kind=e.kind,
                company_id=e.client.company_id,
                client=e.client,
                invoice=e.invoice,
                charge=e.charge,
                dr=e.dr,
                cr=e.cr,
                amount=e.amount,
                currency=e.currency,
                effective_on=e.effective_on,
                posted_at=at,
                posted_by=who,
                memo=e.memo[:300],
                reverses=e.reverses,
            )
            for e in fresh.values()
        ]
        Entry.objects.bulk_create(rows, batch_size=BATCH)
        posted |= {row.key: row for row in rows}
        _move_balances(Invoice, invoices, fresh.values(), "invoice", RECEIVABLE)
        _move_balances(Charge, charges, fresh.values(), "charge", RECEIVABLE_CHARGES)
    return [posted[e.key] for e in new]


def reverse_entries(
    entries: Iterable[Entry], by: Any, on: dt.date, memo: str, *, kind: str = "reversal"
) -> list[Entry]:
    """Undo entries by their mirror images, dated ``on``; an entry is reversed once, a reversal never.

    ``kind`` is "returned" where the bank took a payment back, "reversal" for whatever we undo ourselves.
    """
    mirrored = []
    for entry in entries:
        if entry.reverses_id is not None:
            raise Refused("A reversal is not reversed; post the transfer anew.", code="reversal_of_reversal")
        mirrored.append(
            NewEntry(
                key=f"reversal:{entry.key}",
                doc=entry.doc,
                kind=kind,
                client=entry.client,
                dr=entry.cr,
                cr=entry.dr,
                amount=entry.amount,
                currency=entry.currency,
                effective_on=max(on, entry.effective_on),
                invoice=entry.invoice,
                charge=entry.charge,
                memo=memo,
                reverses=entry,
            )
        )
    return post_entries(mirrored, by)


def _check(entry: NewEntry) -> None:
    if entry.amount <= 0:
        raise Refused("An amount has to be above zero.", code="amount", where="amount")
    if not is_exact(entry.amount, entry.currency):
        raise Refused(
            f"{entry.amount} is finer than {entry.currency} allows; round it to the currency first.",
            code="too_fine",
            where="amount",
        )
    if entry.dr == entry.cr:
        raise Refused("A transfer needs two different accounts.", code="same_account")
    if entry.invoice is not None and entry.invoice.currency != entry.currency:
        raise Refused(
            f"The invoice is in {entry.invoice.currency}, the amount in {entry.currency}.",
            code="currency",
            where="currency",
        )


def _check_same(entry: NewEntry, posted: Entry) -> None:
    """A key stands for one transfer; another one under it would be lost without a word."""
    was = (posted.client_id, posted.dr, posted.cr, posted.amount, posted.currency)
    if was != (entry.client.pk, entry.dr, entry.cr, entry.amount, entry.currency):
        raise Refused(f"“{entry.key}” was already posted for something else.", code="key_reused")


def _already(keys: Iterable[str]) -> list[Entry]:
    wanted = list(keys)
    found: list[Entry] = []
    for start in range(0, len(wanted), BATCH):
        found += Entry.objects.filter(key__in=wanted[start : start + BATCH])
    return found


def _lock(new: Sequence[NewEntry]) -> tuple[dict[int, Invoice], dict[int, Charge]]:
    """Lock clients, then invoices, then charges, each in ascending order, so that two posts never wait crosswise."""

    def locked(model: Any, ids: set[int]) -> dict[int, Any]:
        found: dict[int, Any] = {}
        ordered = sorted(ids)
        for start in range(0, len(ordered), BATCH):
            rows = model.objects.select_for_update(of=("self",)).filter(pk__in=ordered[start : start + BATCH])
            found |= {row.pk: row for row in rows.order_by("pk")}
        return found

    locked(Client, {e.client.pk for e in new})
    return (
        locked(Invoice, {e.invoice.pk for e in new if e.invoice is not None}),
        locked(Charge, {e.charge.pk for e in new if e.charge is not None}),
    )


def _move_balances(model: Any, locked: dict[int, Any], fresh: Iterable[NewEntry], claim: str, account: str) -> None:
    moved: dict[int, Decimal] = defaultdict(Decimal)
    given: dict[int, list[Any]] = defaultdict(list)
    for entry in fresh:
        subject = getattr(entry, claim)
        if subject is None or account not in (entry.dr, entry.cr):
            continue
        moved[subject.pk] += entry.amount if entry.dr == account else -entry.amount
        given[subject.pk].append(subject)
    rows = []
    for pk, delta in moved.items():
        row = locked[pk]
        top = row.total if claim == "invoice" else row.amount
        row.balance += delta
        if not 0 <= row.balance <= top:
            raise Refused(
                f"{row} would have a balance of {row.balance.normalize():f} {row.currency}; "
                f"it can only lie between 0 and {top.normalize():f}.",
                code="balance_out_of_range",
                where="amount",
            )
        if delta:
            rows.append(row)
        for subject in given[pk]:
            subject.balance = row.balance
    model.objects.bulk_update(rows, ["balance"], batch_size=BATCH)
    if claim == "invoice":
        _move_due_days([row for row in rows if row.in_parts], given)


def _move_due_days(invoices: Sequence[Invoice], given: dict[int, list[Any]]) -> None:
    """An invoice in parts is due when its earliest part is that money has not covered; where all is paid, its last."""
    plans = plans_of(invoice.pk for invoice in invoices)
    moved = []
    for invoice in invoices:
        due_on = next_due(plans[invoice.pk], invoice.total - invoice.balance).due_on
        if due_on != invoice.due_on:
            invoice.due_on = due_on
            moved.append(invoice)
        for subject in given[invoice.pk]:
            subject.due_on = due_on
    Invoice.objects.bulk_update(moved, ["due_on"], batch_size=BATCH)
