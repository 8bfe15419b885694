"""The credit check: what the gate needs to know about a draft and its client, asked under the client's lock."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from clients.credit_gate import ON_CREDIT, OVER_LIMIT, Sale, Verdict, may_buy
from clients.models import Client, CreditLimit, CreditOverride
from clients.services.limits import limit_of
from clients.services.overrides import why_none_stands
from clients.services.status import status_of
from core.permissions import demand, may
from invoices.models import Invoice
from policies.terms import longest_days

from .exposure import exposure_of, kept_for

DELIVERED = "clients.invoice_delivered"
IN_ADVANCE = "cash_in_advance"  # in Invoice.frozen: the cash the invoice was issued against


def credit_check(invoice: Invoice, on: dt.date, by: Any, delivered: bool = False) -> Verdict:
    """Whether the client may have this draft on credit on a day; the draft carries its terms and its total.

    ``delivered`` says that the work is done; a draft made from completed work needs nobody to say so. Refused where
    somebody says so without the permission and it matters.
    """
    sale = sale_of(invoice, on)
    verdict = may_buy(sale)
    if verdict.ok:
        return verdict
    is_delivered = delivered or is_all_delivered(invoice)
    overrides = list(CreditOverride.objects.filter(client=invoice.client_id))
    needed = OVER_LIMIT if verdict.code in ("over_limit", "other_currency") else ON_CREDIT
    verdict = may_buy(
        replace(
            sale, delivered=is_delivered and may(by, DELIVERED),
            allowed=tuple(override.allows for override in overrides if override.stands(on)),
            expired=why_none_stands(overrides, needed, on),
        )
    )
    if verdict.ok and verdict.passes_by == "exception":
        named = "; ".join(f"exception {o.pk} of {o.granted_by}: {o.reason}" for o in overrides if o.stands(on))
        return replace(verdict, sentence=f"{verdict.sentence} Passed by {named}.")
    if not verdict.ok and delivered:
        demand(by, DELIVERED, "invoice delivered work in spite of the credit rules")
    if not verdict.ok and is_delivered:
        hint = "The work is delivered: somebody with the permission to invoice delivered work can issue it."
        return replace(verdict, sentence=f"{verdict.sentence} {hint}")
    return verdict


def warn_about(draft: Invoice, on: dt.date) -> tuple[str, ...]:
    """What issuing this draft would meet today, as sentences: why it will be refused, or how far it fills the limit."""
    sale = sale_of(draft, on)
    verdict = may_buy(sale)
    if not verdict.ok:
        overrides = CreditOverride.objects.filter(client=draft.client_id)
        allowed = tuple(override.allows for override in overrides if override.stands(on))
        verdict = may_buy(replace(sale, allowed=allowed))
        return (verdict.sentence,)
    return verdict.warns


def sale_of(invoice: Invoice, on: dt.date) -> Sale:
    """The draft as a sale, and its client as it stands without it; three queries where nothing was ever restricted.

    The days of its terms are those up to the last part: the longest credit it gives.
    """
    client, currency = invoice.client, invoice.currency
    standing, limit = status_of(client, on), limit_of(client, currency, on)
    status = standing.status if standing else "open"
    sale = Sale(
        client=str(client), currency=currency, total=invoice.total,
        terms_days=longest_days(invoice.terms.as_rule(), on) if invoice.terms else 0, status=status,
        limit=limit.amount if limit else None, limited_in=() if limit else _limited_in(client, currency, on),
    )
    restricted = standing is not None and status not in ("open", "watch")
    if limit is None and not sale.limited_in and not restricted:
        return sale
    exposure = exposure_of(client, currency, on, without=invoice)
    sale = replace(sale, exposure=exposure.total)
    if not restricted and limit is not None and sale.exposure + sale.total <= limit.amount:
        return sale
    kept = kept_for(invoice)
    free = exposure.free_cash - spoken_for(client, currency) - kept
    return replace(
        sale, kept=kept, cash=max(free, Decimal(0)),
        longest_days=standing.terms_days if standing and status == "stricter" else None,
        deposit_percent=standing.deposit_percent if standing and status == "stricter" else Decimal(0),
    )


def spoken_for(client: Client, currency: str) -> Decimal:
    """Cash that invoices were issued against and that is not put to them yet: the next one cannot count on it."""
    return sum((waits for _pk, _number, waits in waiting_for_cash(client, currency)), Decimal(0))


def waiting_for_cash(client: Client, currency: str) -> list[tuple[int, str, Decimal]]:
    """The open invoices issued against cash that is not put to them yet: id, number, and how much; oldest due first."""
    issued = Invoice.objects.open().of(client).filter(currency=currency, **{f"frozen__{IN_ADVANCE}__isnull": False})
    rows = issued.order_by("due_on", "issued_on", "pk").values_list(
        "pk", "number", "total", "balance", f"frozen__{IN_ADVANCE}"
    )
    waits = ((pk, number or "", Decimal(cash) - (total - balance)) for pk, number, total, balance, cash in rows)
    return [row for row in waits if row[2] > 0]


def short_of_cash(client: Client, currency: str, on: dt.date) -> list[tuple[int, str, Decimal]]:
    """Of the invoices issued against cash those for which it is not there any more: id, number, how much is missing.

    What is there covers the oldest due first; money kept for a pro forma covers none.
    """
    waiting, short = waiting_for_cash(client, currency), list[tuple[int, str, Decimal]]()
    left = max(exposure_of(client, currency, on).free_cash, Decimal(0)) if waiting else Decimal(0)
    for pk, number, waits in waiting:
        missing, left = max(waits - left, Decimal(0)), max(left - waits, Decimal(0))
        if missing:
            short.append((pk, number, missing))
    return short


def is_all_delivered(invoice: Invoice) -> bool:
    """Everything on a draft is completed work; a line beyond it would slip through otherwise."""
    done: Decimal = invoice.works.filter(removed_at=None).aggregate(s=Sum("net"))["s"] or Decimal(0)
    return done > 0 and done >= invoice.net


def _limited_in(client: Client, currency: str, on: dt.date) -> tuple[str, ...]:
    """Where there is no limit in the currency: those in which there is one. A limit holds in its own currency."""
    others = CreditLimit.objects.filter(client=client, effective_on__lte=on).exclude(currency=currency)
    return tuple(sorted(set(others.values_list("currency", flat=True))))
