"""What is the exposure of a client, or of a page of clients, and how much credit is left; read from the books.

Balances are taken as they stand; the day only says what of them is overdue and which limit and policy hold.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Sum, Value
from django.db.models.functions import Concat

from clients.credit_gate import available
from clients.models import Client, CreditLimit, LimitMark, StatusChange
from clients.services import lock_client
from clients.services.limits import limit_of, limits_of
from clients.services.marks import is_marked, marks_reached, note_exposure
from clients.services.status import statuses_of
from core.fields import from_units
from core.models import Company
from invoices.exposure import Exposure
from invoices.models import Entry, Invoice, ProForma

BATCH = 500

# Every component by client and currency, asked at once: issuing asks it each time, and putting the same question
# together by the ORM takes twenty times as long as its answer.
SUMS = """
SELECT client_id, currency, CASE WHEN due_on < %(on)s THEN 'overdue' ELSE 'open_not_due' END AS part, SUM(balance)
FROM invoices_invoice
WHERE client_id IN ({clients}) AND balance > 0 AND issued_at IS NOT NULL AND voided_at IS NULL
GROUP BY client_id, currency, part
UNION ALL
-- Of what is overdue above: the parts of an invoice that are not due yet.
SELECT i.client_id, i.currency, 'later', SUM(p.amount)
FROM invoices_invoice i JOIN invoices_invoicepart p ON p.invoice_id = i.id AND p.due_on >= %(on)s
WHERE i.client_id IN ({clients}) AND i.in_parts AND i.due_on < %(on)s AND i.balance > 0 AND i.issued_at IS NOT NULL
  AND i.voided_at IS NULL
GROUP BY i.client_id, i.currency
UNION ALL
SELECT client_id, currency, 'charges', SUM(balance)
FROM invoices_charge WHERE client_id IN ({clients}) AND balance > 0 GROUP BY client_id, currency
UNION ALL
SELECT w.client_id, w.currency, 'work', SUM(w.gross)
FROM invoices_completedwork w LEFT JOIN invoices_invoice i ON i.id = w.invoice_id
WHERE w.client_id IN ({clients}) AND w.removed_at IS NULL
  AND (w.invoice_id IS NULL OR (i.issued_at IS NULL AND i.id <> %(without)s))
GROUP BY w.client_id, w.currency
UNION ALL
SELECT client_id, currency, part, SUM(CASE WHEN total > made THEN total - made ELSE 0 END)
FROM (
  SELECT i.client_id, i.currency, i.total,
    -- Work that a draft was made from is counted as work already.
    COALESCE((SELECT SUM(w.gross) FROM invoices_completedwork w WHERE w.invoice_id = i.id AND w.removed_at IS NULL), 0)
      AS made,
    CASE WHEN (SELECT p.counts_drafts FROM policies_creditpolicy p
               WHERE p.company_id = i.company_id AND p.effective_from <= %(on)s
               ORDER BY p.effective_from DESC LIMIT 1) THEN 'drafts that count' ELSE 'drafts' END AS part
  FROM invoices_invoice i
  WHERE i.client_id IN ({clients}) AND i.issued_at IS NULL AND i.id <> %(without)s
    -- A draft that is to be paid first asks for no credit.
    AND NOT EXISTS (SELECT 1 FROM invoices_proforma f WHERE f.invoice_id = i.id AND f.cancelled_at IS NULL)
) AS drafts
GROUP BY client_id, currency, part
UNION ALL
SELECT client_id, currency, 'unapplied', SUM(CASE WHEN cr = 'customer_credit' THEN amount ELSE -amount END)
FROM invoices_entry
WHERE client_id IN ({clients}) AND (dr = 'customer_credit' OR cr = 'customer_credit')
GROUP BY client_id, currency
UNION ALL
SELECT i.client_id, f.currency, 'kept', SUM(p.amount)
FROM invoices_invoice i
JOIN invoices_proforma f ON f.invoice_id = i.id
JOIN payments_payment p ON p.pro_forma_id = f.id AND p.currency = f.currency
WHERE i.client_id IN ({clients}) AND i.issued_at IS NULL AND i.id <> %(without)s AND f.cancelled_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM invoices_entry e WHERE e.key = 'reversal:payment:' || p.key)
GROUP BY i.client_id, f.currency
"""


def exposure_of(client: Client, currency: str, on: dt.date, *, without: Invoice | None = None) -> Exposure:
    """The exposure of one client in one currency, from one query.

    ``without`` leaves out a draft, the work it invoices and the money kept for its pro forma: what the client
    costs us before that draft is issued.
    """
    found = exposures_of([client], on, without=without)
    return found.get((client.pk, currency)) or Exposure(currency)


def exposures_of(
    clients: Iterable[Client], on: dt.date, *, without: Invoice | None = None
) -> dict[tuple[int, str], Exposure]:
    """The exposures of many clients by client and currency; a pair that is absent has none.

    One query for one client as for a page of them; more than 500 clients are asked for in batches.
    """
    asked = [client.pk for client in clients]
    sums: dict[tuple[int, str], dict[str, Decimal]] = defaultdict(dict)
    for start in range(0, len(asked), BATCH):
        for client, currency, part, units in _sums(asked[start : start + BATCH], on, without):
            if units:
                sums[client, currency][part] = from_units(int(units))
    found = {}
    for (client, currency), parts in sums.items():
        if later := parts.pop("later", None):
            parts["overdue"] -= later
            parts["open_not_due"] = parts.get("open_not_due", Decimal(0)) + later
        counted = parts.pop("drafts that count", None)
        if counted is not None:
            parts["drafts"] = counted
        found[client, currency] = Exposure(currency, **parts, counts_drafts=counted is not None)
    return found


def available_of(client: Client, currency: str, on: dt.date) -> Decimal | None:
    """The credit a client has left in a currency, below zero where the limit is passed; None where none was set."""
    limit = limit_of(client, currency, on)
    return None if limit is None else available(limit.amount, exposure_of(client, currency, on).total)


@dataclass(frozen=True)
class Credit:
    """How a client stands in one currency on a day: the limit, the exposure, and the status that holds."""

    exposure: Exposure
    limit: CreditLimit | None
    status: StatusChange | None

    @property
    def available(self) -> Decimal | None:
        return available(self.limit.amount if self.limit else None, self.exposure.total)


def credits_of(
    clients: Sequence[Client], on: dt.date, exposures: Mapping[tuple[int, str], Exposure] | None = None
) -> dict[int, Credit]:
    """How each client of a list stands in its own currency, by client; three queries for all of them.

    Whoever asked for the ``exposures`` already hands them in.
    """
    exposures = exposures_of(clients, on) if exposures is None else exposures
    limits, statuses = limits_of(clients, on), statuses_of(clients, on)
    return {
        c.pk: Credit(
            exposures.get((c.pk, c.currency)) or Exposure(c.currency), limits.get((c.pk, c.currency)),
            statuses.get(c.pk),
        )
        for c in clients
    }


def note_credit_of(client: Client, currency: str, on: dt.date, *, fell: bool = False) -> None:
    """Keep that the exposure crossed 80, 90 or 100 % of the limit, or fell back; call it after the books moved.

    ``fell`` says that it can only have become less: then nothing is asked where no mark stands.
    """
    if fell and not is_marked(client, currency):
        return
    with transaction.atomic():
        lock_client(client.pk)
        note_exposure(client, currency, exposure_of(client, currency, on).total, on)


def note_credit(company: Company, on: dt.date) -> int:
    """The same for every client of a company that has a limit; for how many something changed.

    For every hour: charges, work and drafts move the exposure too, and so does a new limit.
    """
    limited = Exists(CreditLimit.objects.filter(client=OuterRef("pk")))
    clients = list(Client.objects.filter(limited, company=company).order_by("pk"))
    changed = 0
    for start in range(0, len(clients), BATCH):
        window = {client.pk: client for client in clients[start : start + BATCH]}
        exposures = exposures_of(window.values(), on)
        told: dict[tuple[int, str], set[int]] = defaultdict(set)
        for mark in LimitMark.objects.filter(client__in=window, fell_back_on=None):
            told[mark.client_id, mark.currency].add(mark.percent)
        for (pk, currency), limit in limits_of(window.values(), on).items():
            owed = exposures.get((pk, currency))
            if set(marks_reached(limit, owed.total if owed else Decimal(0))) != told[pk, currency]:
                note_credit_of(window[pk], currency, on)
                changed += 1
    return changed


def kept_for(invoice: Invoice) -> Decimal:
    """What came in for the standing pro forma of a draft and was not taken back."""
    taken_back = Entry.objects.filter(key=Concat(Value("reversal:payment:"), OuterRef("payments__key")))
    # One filter, so that all of it speaks of the same payment.
    came_in: Decimal | None = ProForma.objects.filter(
        ~Exists(taken_back), cancelled_at=None, invoice__issued_at=None, payments__currency=F("currency"),
        invoice=invoice,
    ).aggregate(s=Sum("payments__amount"))["s"]
    return came_in or Decimal(0)


def _sums(clients: list[int], on: dt.date, without: Invoice | None) -> list[tuple[int, str, str, Any]]:
    """The rows of SUMS for some clients: client, currency, component, and ten-thousandths."""
    if not clients:
        return []
    # Many are named once: named in every part, the database thinks longer about fifty than it takes to answer.
    if len(clients) == 1:
        query = SUMS.replace("{clients}", str(int(clients[0])))
    else:
        asked = ", ".join(f"({int(pk)})" for pk in clients)
        query = f"WITH asked (id) AS (VALUES {asked})" + SUMS.replace("{clients}", "SELECT id FROM asked")  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, {"on": on, "without": without.pk if without else 0})
        rows: list[tuple[int, str, str, Any]] = cursor.fetchall()
    return rows
