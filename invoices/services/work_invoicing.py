"""Completed work becomes invoices, however small: one per client or per order, that night or at a click."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q

from clients.models import Client
from clients.services import lock_client
from clients.services.status import status_of
from core.dates import show_day
from core.errors import Refused
from core.models import Company
from invoices.models import CompletedWork, CompletedWorkQuerySet, Invoice
from invoices.totals import stated
from policies.models import Terms
from policies.terms import longest_days

from .drafting import Heading, LineDraft, draft_invoice
from .issuing import issue_invoice
from .sending import send_invoice


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
            terms=terms_for(client, on), currency=works[0].currency, po_number=_joined(orders),
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


def terms_for(client: Client, on: dt.date) -> Terms | None:
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
