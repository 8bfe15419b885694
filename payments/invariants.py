"""What must always be true of payments and where they went."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from core.invariants import Invariant, sql
from core.money import plain
from core.services import read_file

from .models import Receipt

_KEYS = """
SELECT e.key FROM invoices_entry e LEFT JOIN payments_payment p ON p.key = substr(e.key, 9)
WHERE e.key LIKE 'payment:%%' AND p.id IS NULL
UNION
SELECT 'payment:' || p.key FROM payments_payment p
WHERE NOT EXISTS (SELECT 1 FROM invoices_entry e WHERE e.key = 'payment:' || p.key)
UNION
SELECT e.key FROM invoices_entry e LEFT JOIN payments_allocation a ON a.entry_id = e.id
WHERE e.key LIKE 'alloc:%%' AND a.id IS NULL
UNION
SELECT e.key FROM invoices_entry e
WHERE e.key NOT LIKE 'invoice:%%' AND e.key NOT LIKE 'charge:%%' AND e.key NOT LIKE 'waiver:%%'
  AND e.key NOT LIKE 'reversal:%%' AND e.key NOT LIKE 'payment:%%' AND e.key NOT LIKE 'alloc:%%'
  AND e.key NOT LIKE 'discount:%%' AND e.key NOT LIKE 'refund:%%' AND e.key NOT LIKE 'payout:%%'
  AND e.key NOT LIKE 'credit_note:%%'
"""

# What was paid in time, with the discount, comes to what was invoiced and not credited; and never to more off.
_DISCOUNTS = """
SELECT i.id FROM invoices_invoice i JOIN (
  SELECT e.invoice_id, SUM(e.amount) AS given FROM invoices_entry e
  LEFT JOIN invoices_entry r ON r.reverses_id = e.id WHERE e.kind = 'discount' AND r.id IS NULL GROUP BY e.invoice_id
) d ON d.invoice_id = i.id
WHERE i.balance <> 0 OR d.given > i.discount OR EXISTS (
  SELECT 1 FROM payments_allocation a JOIN payments_payment p ON p.id = a.payment_id
  LEFT JOIN invoices_entry r ON r.reverses_id = a.entry_id
  WHERE a.invoice_id = i.id AND r.id IS NULL AND p.received_on > i.discount_until)
UNION
SELECT e.invoice_id FROM invoices_entry e WHERE e.kind = 'discount'
  AND (e.invoice_id IS NULL OR e.key NOT LIKE 'discount:' || e.invoice_id || ':%%' OR e.cr <> 'receivable')
"""

_TAKEN_BACK = """EXISTS (
  SELECT 1 FROM invoices_entry came JOIN invoices_entry back ON back.reverses_id = came.id
  WHERE came.key = 'payment:' || p.key
)"""

_PAYMENTS = f"""
SELECT p.id FROM payments_payment p JOIN invoices_entry e ON e.key = 'payment:' || p.key
WHERE e.amount <> p.amount OR e.currency <> p.currency OR e.client_id <> p.client_id
UNION
SELECT p.id FROM payments_payment p JOIN payments_allocation a ON a.payment_id = p.id
  JOIN invoices_entry e ON e.id = a.entry_id
WHERE a.amount <> e.amount OR e.currency <> p.currency OR e.client_id <> p.client_id
   OR COALESCE(a.invoice_id, e.invoice_id) <> e.invoice_id OR COALESCE(a.charge_id, 0) <> COALESCE(e.charge_id, 0)
UNION
SELECT p.id FROM payments_payment p JOIN (
  SELECT g.payment_id, SUM(g.amount) AS used FROM (
    SELECT a.payment_id, a.amount FROM payments_allocation a
    LEFT JOIN invoices_entry r ON r.reverses_id = a.entry_id WHERE r.id IS NULL
    UNION ALL SELECT f.payment_id, f.amount FROM payments_refund f WHERE f.state IN ('asked', 'done')
  ) g GROUP BY g.payment_id
) u ON u.payment_id = p.id
WHERE u.used > p.amount OR {_TAKEN_BACK}
"""  # noqa: S608 - a constant

_UNAPPLIED = f"""
WITH held AS (
  SELECT p.client_id, p.currency, SUM(p.amount) AS amount FROM payments_payment p WHERE NOT {_TAKEN_BACK}
  GROUP BY p.client_id, p.currency
), used AS (
  SELECT p.client_id, p.currency, SUM(g.amount) AS amount FROM (
    SELECT a.payment_id, a.amount FROM payments_allocation a
    LEFT JOIN invoices_entry r ON r.reverses_id = a.entry_id WHERE r.id IS NULL
    UNION ALL SELECT f.payment_id, f.amount FROM payments_refund f WHERE f.state IN ('asked', 'done')
  ) g JOIN payments_payment p ON p.id = g.payment_id GROUP BY p.client_id, p.currency
), credit AS (
  SELECT client_id, currency,
    SUM(CASE WHEN cr = 'customer_credit' THEN amount WHEN dr = 'customer_credit' THEN -amount ELSE 0 END) AS amount
  FROM invoices_entry GROUP BY client_id, currency
)
SELECT c.client_id FROM credit c
LEFT JOIN held h ON h.client_id = c.client_id AND h.currency = c.currency
LEFT JOIN used u ON u.client_id = c.client_id AND u.currency = c.currency
WHERE c.amount <> COALESCE(h.amount, 0) - COALESCE(u.amount, 0)
"""  # noqa: S608 - a constant

_NEVER_BELOW_NOTHING = """
SELECT DISTINCT d.claim FROM (
  SELECT m.claim, SUM(m.moved) OVER (PARTITION BY m.claim ORDER BY m.effective_on) AS owed FROM (
    SELECT {claim} AS claim, effective_on, SUM(CASE WHEN dr = '{account}' THEN amount ELSE -amount END) AS moved
    FROM invoices_entry WHERE {claim} IS NOT NULL AND (dr = '{account}' OR cr = '{account}')
    GROUP BY {claim}, effective_on
  ) m
) d
WHERE d.owed < 0
"""
# What a provider holds: every movement belongs to a payment that came by it, and is what refunds and payouts say.
_CLEARING = """
SELECT e.id FROM invoices_entry e LEFT JOIN payments_payment p ON e.doc = 'payment:' || p.id
  LEFT JOIN payments_checkout c ON c.payment_id = p.id
WHERE (e.dr LIKE 'clearing:%%' OR e.cr LIKE 'clearing:%%')
  AND (c.id IS NULL OR 'clearing:' || c.provider NOT IN (e.dr, e.cr)
       OR (e.key NOT LIKE 'payment:%%' AND e.key NOT LIKE 'refund:%%' AND e.key NOT LIKE 'reversal:refund:%%'
           AND e.key NOT LIKE 'payout:' || c.provider || ':%%'))
"""

_CHECKOUTS = """
SELECT c.id FROM payments_checkout c LEFT JOIN payments_payment p ON p.id = c.payment_id
  LEFT JOIN invoices_entry e ON e.key = 'payment:' || p.key
WHERE (c.state = 'succeeded') <> (c.payment_id IS NOT NULL)
   OR (c.payment_id IS NOT NULL AND (p.client_id <> c.client_id OR e.id IS NULL OR e.dr <> 'clearing:' || c.provider))
"""

_REFUNDS = """
SELECT f.id FROM payments_refund f JOIN payments_payment p ON p.id = f.payment_id
  LEFT JOIN invoices_entry e ON e.key = 'refund:' || f.key LEFT JOIN invoices_entry r ON r.reverses_id = e.id
WHERE (f.state IN ('asked', 'done') AND (e.id IS NULL OR r.id IS NOT NULL))
   OR (f.state IN ('failed', 'won') AND e.id IS NOT NULL AND r.id IS NULL)
   OR e.amount <> f.amount OR e.currency <> f.currency OR e.doc <> 'payment:' || p.id OR f.currency <> p.currency
UNION
SELECT -e.id FROM invoices_entry e LEFT JOIN payments_refund f ON e.key = 'refund:' || f.key
WHERE e.key LIKE 'refund:%%' AND f.id IS NULL
"""

_INVOICE = _NEVER_BELOW_NOTHING.format(claim="invoice_id", account="receivable")
_CHARGE = _NEVER_BELOW_NOTHING.format(claim="charge_id", account="receivable_charges")

_RECEIPT_NUMBERS = """
SELECT s.prefix FROM invoices_series s LEFT JOIN (
  SELECT series_id, COUNT(DISTINCT seq) AS used, COUNT(seq) AS all_of_them, MIN(seq) AS lowest, MAX(seq) AS highest
  FROM payments_receipt GROUP BY series_id
) n ON n.series_id = s.id
WHERE s.kind = 'receipt'
  AND (s.last <> COALESCE(n.highest, 0) OR COALESCE(n.used, 0) <> s.last OR n.all_of_them <> n.used OR n.lowest <> 1)
"""


def receipts_that_were_changed(now: dt.datetime) -> Iterator[int]:
    """Receipts whose stored PDF is gone or has other bytes, or which confirm another sum than the payment's."""
    rows = Receipt.objects.select_related("pdf", "payment")
    for receipt in rows.iterator():
        if receipt.frozen.get("amount") != plain(receipt.payment.amount, receipt.payment.currency):
            yield receipt.pk
        elif receipt.pdf is not None:
            try:
                if len(read_file(receipt.pdf.sha256)) != receipt.pdf.size:
                    yield receipt.pk
            except (OSError, ValueError):
                yield receipt.pk


INVARIANTS = [
    sql("L9", "every payment has its entry, every such entry its payment, and no key is of another kind", _KEYS),
    sql("L10", "a payment is what its entries say, and no more of it is allocated than came in and stands", _PAYMENTS),
    sql("L10", "a discount stands only on an invoice that was paid in time but for it", _DISCOUNTS),
    sql("L10", "unapplied cash is what came in less what is allocated or given back", _UNAPPLIED),
    sql("L10", "on no day more is allocated to an invoice than is owed on it", _INVOICE),
    sql("L10", "on no day more is taken off a charge than it amounts to", _CHARGE),
    sql("L10", "what was given back is what its entries say; won back or failed, it is reversed", _REFUNDS),
    sql("L13", "what a provider holds moves only for a payment that came by it", _CLEARING),
    sql("L13", "a checkout succeeded where its payment came in on the account of its provider", _CHECKOUTS),
    sql("L8", "the numbers of receipts have no gap", _RECEIPT_NUMBERS, fast=True),
    Invariant("L18", "a receipt has its stored bytes, and confirms what came in", receipts_that_were_changed),
]
