"""Completed work: recorded when it is done, and invoiced, however small, that night or at a click."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum

from audit.services import record, record_many
from clients.models import Client
from clients.services import lock_client
from clients.services.status import status_of
from core.dates import show_day
from core.errors import Refused
from core.models import Company, as_text
from core.money import currency_codes, plain
from invoices.days_to_invoice import Month, by_month
from invoices.models import CompletedWork, CompletedWorkQuerySet, Invoice, InvoiceLine
from invoices.totals import Totals, stated
from policies.models import Terms
from policies.terms import longest_days

from .drafting import Heading, LineDraft, draft_invoice, totals_of_lines
from .issuing import issue_invoice
from .sending import send_invoice

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


@dataclass
class Left:
    """Work that stays on the list, all of what would have been one invoice, and the sentence that says why."""

    client: Client
    currency: str
    works: list[CompletedWork]
    code: str
    sentence: str


@dataclass
class Invoiced:
    """What invoicing came to: the invoices, what is left and why, and invoices that could not be mailed and why."""

    invoices: list[Invoice] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    not_sent: list[tuple[Invoice, str]] = field(default_factory=list)


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


def invoice_work(
    company: Company, *, works: Iterable[CompletedWork] | None = None, send_from: dt.datetime | None = None,
    on: dt.date, by: Any,
) -> Invoiced:
    """Issue completed work that waits: one invoice per client and currency, or per order where the client wants that.

    Everything that waits, or the ``works`` given; each invoice is a transaction of its own, due by the client's terms,
    and mailed from ``send_from`` on where that is given. What a rule refuses (credit, a purchase order number that is
    missing) stays on the list with the sentence, and so does work whose invoice was voided, until it is released.
    Running it again invoices nothing twice.
    """
    waiting = CompletedWork.objects.waiting().filter(company=company, done_on__lte=on, held_from=None)
    if works is not None:
        waiting = waiting.filter(pk__in=[work.pk for work in works])
    done = Invoiced()
    for group in _groups(waiting.select_related("client__company", "client__terms").order_by("done_on", "pk")):
        client = group[0].client
        try:
            invoice = _invoice(client, group, on, by)
        except Refused as refused:
            CompletedWork.objects.waiting().filter(pk__in=[work.pk for work in group]).update(
                refused_because=refused.message[:300], refused_on=on
            )
            done.left.append(Left(client, group[0].currency, group, refused.code, refused.message))
            continue
        if invoice is None:
            continue
        done.invoices.append(invoice)
        if send_from is not None:
            try:
                send_invoice(invoice, on=on, by=by, not_before=send_from)
            except Refused as refused:
                done.not_sent.append((invoice, refused.message))
    return done


def due_tonight(company: Company, midnight: dt.datetime, on: dt.date) -> CompletedWorkQuerySet:
    """The work that the night before ``on`` invoices: told before its midnight, not refused since, and not held."""
    waiting = CompletedWork.objects.waiting().filter(
        company=company, recorded_at__lt=midnight, done_on__lte=on, held_from=None
    )
    return waiting.filter(Q(refused_on=None) | Q(refused_on__lt=on))


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


def _groups(works: Iterable[CompletedWork]) -> list[list[CompletedWork]]:
    """Work that goes on one invoice.

    Where a client pays with an order number only, work without one stands apart; so does what is outside the scope of
    tax, which an e-invoice takes beside nothing else (EN 16931 BR-O-11).
    """
    groups: dict[tuple[Any, ...], list[CompletedWork]] = defaultdict(list)
    for work in works:
        client = work.client
        order = work.po_number if client.invoice_per == "order" else client.po_required and bool(work.po_number)
        groups[client.pk, work.currency, order, work.tax_category == "O"].append(work)
    return list(groups.values())


def _invoice(client: Client, group: Sequence[CompletedWork], on: dt.date, by: Any) -> Invoice | None:
    """Draft and issue in one transaction; None where somebody else has invoiced it meanwhile."""
    with transaction.atomic():
        lock_client(client.pk)
        waiting = CompletedWork.objects.select_for_update(of=("self",)).waiting().filter(held_from=None)
        works = list(waiting.filter(pk__in=[work.pk for work in group]).order_by("done_on", "pk"))
        if not works:
            return None
        orders = list(dict.fromkeys(work.po_number for work in works if work.po_number))
        heading = Heading(
            terms=_terms_for(client, on), currency=works[0].currency, po_number=_joined(orders),
            service_from=works[0].done_on, service_to=works[-1].done_on,
        )
        draft = draft_invoice(client, [_line(client, work, len(orders) > 1) for work in works], heading=heading, by=by)
        CompletedWork.objects.filter(pk__in=[work.pk for work in works]).update(
            invoice=draft, refused_because="", refused_on=None
        )
        return issue_invoice(draft, on=on, by=by)


def _line(client: Client, work: CompletedWork, several_orders: bool) -> LineDraft:
    """The work as a line: the day it was done stands below, and its order where the invoice has several."""
    day = show_day(work.done_on, client.language)
    detail = f"{day} · {work.po_number}" if several_orders and work.po_number else day
    return LineDraft(
        work.description, work.quantity, work.unit_price, tax_percent=work.tax_percent, unit=work.unit, detail=detail,
        tax_category=stated(work.tax_category, work.tax_percent), exemption_reason=work.exemption_reason,
    )  # fmt: skip


def _joined(orders: Sequence[str]) -> str:
    """The orders in the heading; where they do not fit, as many as do: each line names its own."""
    shown = list(orders)
    while len(", ".join(shown)) > 80:
        shown.pop()
    return ", ".join(shown)


def _terms_for(client: Client, on: dt.date) -> Terms | None:
    """The client's terms; on stricter ones, the company's longest that are short enough, if there are any.

    The longest day counts: instalments give credit until the last one.
    """
    standing = status_of(client, on)
    longest = standing.terms_days if standing is not None and standing.status == "stricter" else None
    if longest is None or client.terms is None or longest_days(client.terms.as_rule(), on) <= longest:
        return client.terms
    others = [(longest_days(terms.as_rule(), on), -terms.pk, terms) for terms in client.company.terms.all()]
    fitting = [one for one in others if one[0] <= longest]
    return max(fitting)[2] if fitting else client.terms


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
