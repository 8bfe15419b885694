"""Completed work: recorded when it is done, put right, taken off the list; how long it waits for its invoice.

Invoicing it is ``work_invoicing``.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum

from audit.services import record, record_many
from clients.models import Client
from clients.services import lock_client
from core.errors import Refused
from core.models import Company, as_text
from core.money import currency_codes, plain
from invoices.days_to_invoice import Month, by_month
from invoices.models import CompletedWork, CompletedWorkQuerySet, InvoiceLine
from invoices.totals import Totals

from .drafting import LineDraft, totals_of_lines

BATCH = 500
_FACTS = (
    "description", "quantity", "unit", "unit_price", "tax_percent", "tax_category", "exemption_reason", "currency",
    "done_on", "po_number",
)  # fmt: skip


@dataclass(frozen=True)
class Done:
    """A piece of work as told: what, when, quantity times price in a currency (none: the client's), tax in percent.

    ``tax_category`` is one of InvoiceLine.CATEGORIES (empty: standard, and zero rated at 0 percent); where no tax is
    due, ``exemption_reason`` says why.
    """

    description: str
    done_on: dt.date
    unit_price: Decimal
    quantity: Decimal = Decimal(1)
    tax_percent: Decimal = Decimal(0)
    currency: str = ""
    po_number: str = ""
    unit: str = ""
    key: str = ""
    tax_category: str = ""
    exemption_reason: str = ""


@dataclass(frozen=True)
class Kept:
    """What became of a piece of work that was told: created, unchanged, brought back, left off; or why it was not kept.

    «Left off» is work that a person took off the list and that nobody asked to bring back.
    """

    work: CompletedWork
    how: str = ""
    refused: Refused | None = None


def record_work(client: Client, done: Done, *, on: dt.date, by: Any) -> CompletedWork:
    """Keep that work is done and waits for its invoice; there is no least amount.

    The same key with the same facts answers with what is kept; what was taken off the list comes back. Refused: a day
    still to come, nothing to be paid, a key that stands for other work.
    """
    return record_works([(client, done)], on=on, by=by)[0]


def record_works(pairs: Sequence[tuple[Client, Done]], *, on: dt.date, by: Any) -> list[CompletedWork]:
    """Keep many pieces of work of one company at once, in the order given: all of them or none."""
    with transaction.atomic():
        told = keep_works(pairs, on=on, by=by)
        for kept in told:
            if kept.refused is not None:
                raise kept.refused
    return [kept.work for kept in told]


def keep_works(
    pairs: Sequence[tuple[Client, Done]], *, brings_back: bool = True, on: dt.date, by: Any
) -> list[Kept]:
    """Keep what can be kept of many pieces of work, in the order given, and say of each what became of it.

    What was taken off the list comes back where ``brings_back``, and stays off otherwise. Nothing is raised.
    """
    with transaction.atomic():
        asked = sorted({client.pk for client, _done in pairs})
        for start in range(0, len(asked), BATCH):
            list(Client.objects.select_for_update(of=("self",)).filter(pk__in=asked[start : start + BATCH]))
        told = [_checked(client, done, on) for client, done in pairs]
        standing = _standing([work for work, _refused in told if work is not None])
        fresh: dict[tuple[int, str], CompletedWork] = {}
        answers, acts = [], []
        for (client, _done), (work, refused) in zip(pairs, told, strict=True):
            if work is None:
                answers.append(Kept(CompletedWork(client=client), refused=refused))
                continue
            key = (client.company_id, work.key)
            kept = standing.get(key) or fresh.get(key)
            if kept is None:
                fresh[key] = work
                work.recorded_by = as_text(by)
                answers.append(Kept(work, "created"))
            elif kept.removed_at is not None and not brings_back:
                answers.append(Kept(kept, "left off"))
            elif kept.removed_at is not None:
                kept.removed_at = None
                _put(kept, work)
                acts.append({"by": by, "action": "work_brought_back", "obj": kept, "client_id": client.pk})
                answers.append(Kept(kept, "brought back"))
            else:
                answers.append(Kept(kept, "unchanged", _reused(kept, work)))
        CompletedWork.objects.bulk_create(fresh.values(), batch_size=BATCH)
        acts += [{"by": by, "action": "work_recorded", "obj": w, "client_id": w.client_id} for w in fresh.values()]
        record_many(act | {"summary": act["obj"].description} for act in acts)
    return answers


def _checked(client: Client, done: Done, on: dt.date) -> tuple[CompletedWork | None, Refused | None]:
    try:
        return check_work(client, done, on), None
    except Refused as refused:
        return None, refused


def _reused(kept: CompletedWork, told: CompletedWork) -> Refused | None:
    """Why a key cannot stand for what is told; None where it says the same again."""
    said = _differs(kept, told)
    if not said:
        return None
    return Refused(
        f"“{told.key}” stands for other work already: {said}. Use another key, or take that off the list.",
        code="key_reused", where="key",
    )


def check_work(client: Client, done: Done, on: dt.date) -> CompletedWork:
    """The work as it would be kept, priced and not saved. Refused as ``record_work`` says, naming the field."""
    currency = done.currency or client.currency
    if currency not in currency_codes():
        raise Refused(f"“{currency}” is not a currency; write EUR, USD or another code.", where="currency")
    if not done.description.strip():
        raise Refused("Say what was done; it stands on the invoice.", where="description")
    if done.done_on > on:
        raise Refused("Work that is still to be done is not invoiced; give the day it was done.", where="done_on")
    if not 0 <= done.tax_percent <= 100:
        raise Refused("Tax lies between 0 and 100 percent.", where="tax_percent")
    if len(done.key) > 100:
        raise Refused("A key has at most 100 characters.", where="key")
    category = tax_category(done.tax_category, done.tax_percent)
    line = LineDraft(
        done.description, done.quantity, done.unit_price, tax_percent=done.tax_percent, unit=done.unit,
        tax_category=category, exemption_reason=done.exemption_reason,
    )
    totals, (net,) = _priced(line, currency)
    return CompletedWork(
        company=client.company, client=client, key=done.key or f"work:{uuid.uuid4()}",
        description=done.description.strip()[:300], quantity=done.quantity, unit=done.unit.strip()[:12],
        unit_price=done.unit_price, tax_percent=done.tax_percent, tax_category=category,
        exemption_reason=done.exemption_reason.strip()[:200], currency=currency, net=net, gross=totals.total,
        done_on=done.done_on, po_number=done.po_number.strip()[:80],
    )  # fmt: skip


def tax_category(told: str, percent: Decimal) -> str:
    """The category as told; where none is, standard, and zero rated at 0 percent.

    Refused: a category nobody knows, and tax where the category says that none is due.
    """
    known = dict(InvoiceLine.CATEGORIES)
    if not told:
        return "S" if percent else "Z"
    if told not in known:
        listed = ", ".join(known)
        raise Refused(f"“{told}” is no tax category; there are {listed}.", where="tax_category")
    if told != "S" and percent:
        raise Refused(
            f"What is “{known[told]}” bears no tax; write 0 percent, or choose the standard rate.", where="tax_percent"
        )
    return told


def change_work(work: CompletedWork, done: Done, *, on: dt.date, by: Any) -> CompletedWork:
    """Put right what is said of work that waits, such as the order number it is to be invoiced under.

    Its client and its key stay; what waits to be released goes on waiting. Refused once it is invoiced, and as
    ``record_work`` says.
    """
    with transaction.atomic():
        work = _locked(work)
        if work.invoice is not None:
            raise Refused(f"This work stands on {work.invoice} and no longer changes.", code="invoiced")
        told = check_work(work.client, done, on)
        changed = {name: str(getattr(told, name)) for name in _FACTS if getattr(work, name) != getattr(told, name)}
        if changed:
            _put(work, told)
            record(by, "work_changed", work, client_id=work.client_id, summary=work.description, diff=changed)
    return work


def remove_work(work: CompletedWork, *, at: dt.datetime, by: Any) -> None:
    """Take work off the list; it is kept, and can be brought back. Twice changes nothing. Refused once invoiced."""
    with transaction.atomic():
        work = _locked(work)
        if work.invoice is not None:
            raise Refused(f"This work stands on {work.invoice}; void that, or credit it.", code="invoiced")
        if work.removed_at is None:
            work.removed_at = at
            work.save(update_fields=["removed_at"])
            record(by, "work_removed", work, client_id=work.client_id, summary=work.description)


def restore_work(work: CompletedWork, *, by: Any) -> None:
    """Bring back work that was taken off the list; work that stands on it stays as it is."""
    with transaction.atomic():
        work = _locked(work)
        if work.removed_at is not None:
            work.removed_at = None
            work.save(update_fields=["removed_at"])
            record(by, "work_brought_back", work, client_id=work.client_id, summary=work.description)


def release_work(work: CompletedWork, *, by: Any) -> CompletedWork:
    """Say that work whose invoice was voided is to be invoiced again; from then on it waits like any other.

    Work that waits for nobody stays as it is. Refused once it is invoiced.
    """
    with transaction.atomic():
        work = _locked(work)
        if work.invoice is not None:
            raise Refused(f"This work stands on {work.invoice} already.", code="invoiced")
        if work.held_from is not None:
            was = str(work.held_from)
            work.held_from, work.refused_because, work.refused_on = None, "", None
            work.save(update_fields=["held_from", "refused_because", "refused_on"])
            record(
                by, "work_released", work, client_id=work.client_id,
                summary=f"{work.description}: to be invoiced again after {was}",
            )  # fmt: skip
    return work


def late_work(company: Company, on: dt.date, within_days: int) -> CompletedWorkQuerySet:
    """Work that has waited for its invoice longer than the policy allows, the oldest first."""
    done_before = on - dt.timedelta(days=within_days)
    return CompletedWork.objects.waiting().filter(company=company, done_on__lt=done_before).order_by("done_on", "pk")


def sums_of(works: CompletedWorkQuerySet) -> dict[str, Decimal]:
    """What work comes to with its tax, per currency."""
    rows = works.order_by("currency").values("currency").annotate(sum=Sum("gross"))
    return {row["currency"]: row["sum"] for row in rows}


def days_to_invoice(company: Company, on: dt.date, *, months: int = 12) -> list[Month]:
    """How long it took from work to invoice in each of the last months that had any, this month first."""
    first = (on.replace(day=1) - dt.timedelta(days=31 * (months - 1))).replace(day=1)
    issued = CompletedWork.objects.filter(
        company=company, invoice__issued_on__gte=first, invoice__issued_on__lte=on, invoice__voided_at=None
    )
    rows = issued.values_list("done_on", "invoice__issued_on")
    return by_month((done_on, issued_on) for done_on, issued_on in rows if issued_on)[:months]


def _priced(line: LineDraft, currency: str) -> tuple[Totals, list[Decimal]]:
    if line.quantity <= 0 or line.unit_price <= 0:
        raise Refused("Work is worth more than nothing; give quantity and price.", code="nothing", where="unit_price")
    try:
        totals, nets = totals_of_lines([line], currency)
    except Refused as refused:
        sentence = refused.message.removeprefix("Line 1: ")
        where = {"tax": "tax_category", "exemption_reason": "exemption_reason"}.get(refused.code, "unit_price")
        raise Refused(sentence[:1].upper() + sentence[1:], code=refused.code, where=where) from None
    if totals.total <= 0:
        raise Refused(f"That rounds to nothing in {currency}; give a larger price.", code="nothing", where="unit_price")
    return totals, nets


def _standing(told: Sequence[CompletedWork]) -> dict[tuple[int, str], CompletedWork]:
    """What is kept under the keys already."""
    keys, companies = [work.key for work in told], {work.company_id for work in told}
    found: dict[tuple[int, str], CompletedWork] = {}
    for start in range(0, len(keys), BATCH):
        rows = CompletedWork.objects.select_for_update(of=("self",)).select_related("client").filter(
            company__in=companies, key__in=keys[start : start + BATCH]
        )
        found |= {(row.company_id, row.key): row for row in rows}
    return found


def _differs(kept: CompletedWork, told: CompletedWork) -> str:
    """What is kept under a key, in words, where something else is told; empty where it is the same."""
    same = kept.client_id == told.client_id and all(getattr(kept, name) == getattr(told, name) for name in _FACTS)
    if same:
        return ""
    sum_ = f"{plain(kept.gross, kept.currency)} {kept.currency}"
    return f"{kept.description} for {kept.client}, {kept.done_on.isoformat()}, {sum_}"


def _put(kept: CompletedWork, told: CompletedWork) -> None:
    """The work is as told now and asked again; its key, and whether it waits to be released, stay."""
    kept.client = told.client
    for name in (*_FACTS, "net", "gross"):
        setattr(kept, name, getattr(told, name))
    if kept.held_from_id is None:
        kept.refused_because, kept.refused_on = "", None
    kept.save()


def _locked(work: CompletedWork) -> CompletedWork:
    lock_client(work.client_id)
    rows = CompletedWork.objects.select_for_update(of=("self",))
    return rows.select_related("invoice", "held_from", "client__company").get(pk=work.pk)
