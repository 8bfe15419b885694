"""What must always be true of invoices, charges and the ledger's entries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

from core.errors import Refused
from core.invariants import Invariant, sql
from core.money import places
from core.services import read_file

from .crediting import Invoiced, credit_of
from .interest import rounded
from .models import ACCOUNTS, Charge, CreditNote, Invoice, InvoiceLine, ProForma
from .services.charging import Policies, outdated, rule_kept
from .totals import Line, line_net, total_of

_ACCOUNTS = [name for name, _label in ACCOUNTS]
_HOLES = ", ".join(["%s"] * len(_ACCOUNTS))

_FOREIGN = """
SELECT e.id FROM invoices_entry e
JOIN clients_client k ON k.id = e.client_id
LEFT JOIN invoices_invoice i ON i.id = e.invoice_id
LEFT JOIN invoices_charge c ON c.id = e.charge_id
WHERE e.amount <= 0 OR e.amount <> CAST(e.amount AS bigint) OR e.dr = e.cr OR k.company_id <> e.company_id
   OR i.currency <> e.currency OR i.client_id <> e.client_id OR c.currency <> e.currency OR c.client_id <> e.client_id
"""

# An account nobody knows takes its side of the transfer out of the trial balance.
_TRIAL_BALANCE = f"""
SELECT DISTINCT e.currency FROM invoices_entry e WHERE (e.dr NOT IN ({_HOLES}) AND e.dr NOT LIKE 'clearing:_%%')
   OR (e.cr NOT IN ({_HOLES}) AND e.cr NOT LIKE 'clearing:_%%')
"""  # noqa: S608 - holes for parameters only

_BALANCES = """
SELECT i.id FROM invoices_invoice i LEFT JOIN (
  SELECT invoice_id, SUM(CASE WHEN dr = 'receivable' THEN amount WHEN cr = 'receivable' THEN -amount ELSE 0 END) AS owed
  FROM invoices_entry WHERE invoice_id IS NOT NULL GROUP BY invoice_id
) e ON e.invoice_id = i.id
WHERE i.balance <> COALESCE(e.owed, 0)
"""

_DUE_DAYS = """
SELECT i.id FROM invoices_invoice i WHERE i.in_parts AND i.issued_at IS NOT NULL AND i.due_on <> COALESCE((
  SELECT MIN(p.due_on) FROM invoices_invoicepart p WHERE p.invoice_id = i.id AND i.balance > COALESCE((
    SELECT SUM(q.amount) FROM invoices_invoicepart q WHERE q.invoice_id = p.invoice_id AND q.position > p.position), 0)
), (SELECT MAX(p.due_on) FROM invoices_invoicepart p WHERE p.invoice_id = i.id))
"""

_PARTS = """
SELECT i.id FROM invoices_invoice i LEFT JOIN (
  SELECT invoice_id, SUM(amount) AS amount, COUNT(*) AS parts, MAX(position) AS last
  FROM invoices_invoicepart GROUP BY invoice_id
) p ON p.invoice_id = i.id
WHERE i.issued_at IS NOT NULL AND (i.in_parts AND (COALESCE(p.amount, 0) <> i.total OR p.parts < 2 OR p.parts <> p.last)
  OR NOT i.in_parts AND p.parts IS NOT NULL)
UNION
SELECT a.invoice_id FROM invoices_invoicepart a JOIN invoices_invoicepart b ON b.invoice_id = a.invoice_id
WHERE b.position > a.position AND b.due_on < a.due_on
"""

_CHARGE_BALANCES = """
SELECT c.id FROM invoices_charge c LEFT JOIN (
  SELECT charge_id, SUM(
    CASE WHEN dr = 'receivable_charges' THEN amount WHEN cr = 'receivable_charges' THEN -amount ELSE 0 END
  ) AS owed
  FROM invoices_entry WHERE charge_id IS NOT NULL GROUP BY charge_id
) e ON e.charge_id = c.id
WHERE c.balance <> COALESCE(e.owed, 0)
"""

_ISSUE_ENTRIES = """
SELECT i.id FROM invoices_invoice i LEFT JOIN (
  SELECT invoice_id, SUM(CASE WHEN dr = 'receivable' THEN amount ELSE -amount END) AS issued
  FROM invoices_entry WHERE kind = 'issue' GROUP BY invoice_id
) e ON e.invoice_id = i.id
WHERE i.issued_at IS NOT NULL AND i.intake_id IS NULL AND i.total <> COALESCE(e.issued, 0)
"""

_OUT_OF_RANGE = "SELECT i.id FROM invoices_invoice i WHERE i.balance < 0 OR i.balance > i.total"
_CHARGE_OUT_OF_RANGE = "SELECT c.id FROM invoices_charge c WHERE c.balance < 0 OR c.balance > c.amount"

_STATES = """
SELECT i.id FROM invoices_invoice i WHERE i.issued_at IS NULL
  AND (i.number IS NOT NULL OR i.seq IS NOT NULL OR i.balance <> 0
       OR EXISTS (SELECT 1 FROM invoices_entry e WHERE e.invoice_id = i.id))
UNION
SELECT i.id FROM invoices_invoice i WHERE i.issued_at IS NOT NULL AND (i.number IS NULL OR i.due_on IS NULL)
UNION
SELECT i.id FROM invoices_invoice i WHERE i.voided_at IS NOT NULL
  AND (i.balance <> 0 OR EXISTS (
    SELECT 1 FROM invoices_entry e LEFT JOIN invoices_entry r ON r.reverses_id = e.id
    WHERE e.invoice_id = i.id AND e.kind = 'issue' AND r.id IS NULL))
"""

_NUMBERS = """
SELECT s.prefix FROM invoices_series s LEFT JOIN (
  SELECT series_id, COUNT(DISTINCT seq) AS used, COUNT(seq) AS all_of_them, MIN(seq) AS lowest, MAX(seq) AS highest
  FROM (SELECT series_id, seq FROM invoices_invoice WHERE series_id IS NOT NULL
        UNION ALL SELECT series_id, seq FROM invoices_proforma
        UNION ALL SELECT series_id, seq FROM invoices_creditnote) numbered GROUP BY series_id
) n ON n.series_id = s.id
WHERE s.kind <> 'receipt'  -- asked by payments, whose documents they are
  AND (s.last <> COALESCE(n.highest, 0) OR COALESCE(n.used, 0) <> s.last OR n.all_of_them <> n.used OR n.lowest <> 1)
UNION
SELECT n.number FROM (
  SELECT number, issued_at, LAG(issued_at) OVER (PARTITION BY series_id ORDER BY seq) AS before
  FROM invoices_invoice WHERE series_id IS NOT NULL AND intake_id IS NULL
) n
WHERE n.before > n.issued_at
"""

_KEYS = """
SELECT e.key FROM invoices_entry e GROUP BY e.key HAVING COUNT(*) > 1
UNION
SELECT e.key FROM invoices_entry e WHERE e.key LIKE 'invoice:%%'
  AND (e.invoice_id IS NULL OR e.key NOT LIKE 'invoice:' || e.invoice_id || ':%%')
UNION
SELECT e.key FROM invoices_entry e LEFT JOIN invoices_charge c ON c.id = e.charge_id
WHERE (e.key LIKE 'charge:%%' OR e.key LIKE 'waiver:%%')
  AND (c.id IS NULL OR (e.key <> 'charge:' || c.key AND e.key NOT LIKE 'waiver:' || c.key || ':%%'))
UNION
SELECT e.key FROM invoices_entry e LEFT JOIN invoices_entry o ON o.id = e.reverses_id
WHERE (e.key LIKE 'reversal:%%' OR e.reverses_id IS NOT NULL) AND (o.id IS NULL OR e.key <> 'reversal:' || o.key)
UNION
SELECT 'invoice:' || i.id FROM invoices_invoice i WHERE i.issued_at IS NOT NULL AND i.total > 0
  AND NOT EXISTS (SELECT 1 FROM invoices_entry e WHERE e.invoice_id = i.id AND e.kind = 'issue')
UNION
SELECT 'charge:' || c.key FROM invoices_charge c
WHERE NOT EXISTS (SELECT 1 FROM invoices_entry e WHERE e.key = 'charge:' || c.key)
UNION
SELECT e.key FROM invoices_entry e LEFT JOIN invoices_creditnote c
  ON e.doc = 'credit_note:' || c.id AND e.invoice_id = c.invoice_id
WHERE (e.key LIKE 'credit_note:%%' OR e.kind = 'credit')
  AND (c.id IS NULL OR e.kind <> 'credit' OR e.key NOT LIKE 'credit_note:' || c.id || ':%%')
"""

# A credit note is never taken back itself, so its entries are never reversed.
_CREDIT_NOTES = """
SELECT c.id FROM invoices_creditnote c LEFT JOIN (
  SELECT doc, SUM(CASE WHEN cr = 'receivable' THEN amount ELSE -amount END) AS credited,
    SUM(CASE WHEN dr = 'tax' THEN amount WHEN cr = 'tax' THEN -amount ELSE 0 END) AS tax
  FROM invoices_entry WHERE kind = 'credit' GROUP BY doc
) e ON e.doc = 'credit_note:' || c.id
JOIN invoices_invoice i ON i.id = c.invoice_id
WHERE c.total <> COALESCE(e.credited, 0) OR c.tax <> COALESCE(e.tax, 0)
   OR c.client_id <> i.client_id OR c.currency <> i.currency OR i.issued_at IS NULL OR i.voided_at IS NOT NULL
UNION
SELECT c.id FROM invoices_creditnote c JOIN invoices_entry e ON e.doc = 'credit_note:' || c.id
  JOIN invoices_entry r ON r.reverses_id = e.id
UNION
SELECT MAX(c.id) FROM invoices_creditnote c JOIN invoices_invoice i ON i.id = c.invoice_id
GROUP BY i.id, i.total HAVING SUM(c.total) > i.total
"""

_REVERSALS = """
SELECT r.id FROM invoices_entry r JOIN invoices_entry e ON e.id = r.reverses_id
WHERE r.amount <> e.amount OR r.dr <> e.cr OR r.cr <> e.dr OR r.currency <> e.currency OR r.client_id <> e.client_id
   OR e.reverses_id IS NOT NULL OR COALESCE(r.invoice_id, 0) <> COALESCE(e.invoice_id, 0)
UNION
SELECT MAX(r.id) FROM invoices_entry r WHERE r.reverses_id IS NOT NULL GROUP BY r.reverses_id HAVING COUNT(*) > 1
"""

# The interest that stands: what was taken back by reversing its entry is left out.
_PERIODS = """
WITH standing AS (
  SELECT c.id, c.invoice_id, c.from_on, c.to_on FROM invoices_charge c WHERE c.kind = 'interest' AND NOT EXISTS (
    SELECT 1 FROM invoices_entry r JOIN invoices_entry e ON e.id = r.reverses_id
    WHERE e.charge_id = c.id AND e.kind = 'charge'
  )
)
SELECT b.id FROM standing a JOIN standing b ON b.invoice_id = a.invoice_id AND b.id > a.id
WHERE a.from_on <= b.to_on AND b.from_on <= a.to_on
UNION
SELECT s.id FROM standing s JOIN invoices_invoice i ON i.id = s.invoice_id
WHERE s.to_on < s.from_on OR s.from_on IS NULL OR s.to_on IS NULL OR s.from_on <= CASE WHEN i.in_parts
  THEN (SELECT MIN(p.due_on) FROM invoices_invoicepart p WHERE p.invoice_id = i.id) ELSE i.due_on END
"""

# Once per invoice, and per invoice and step; the key says which.
_LUMP_SUMS = """
SELECT c.id FROM invoices_charge c
WHERE (c.kind = 'compensation' AND c.key <> 'compensation:' || c.invoice_id)
   OR (c.kind = 'fee' AND c.key NOT LIKE 'fee:' || c.invoice_id || ':_%%')
   OR (c.kind = 'interest' AND c.key NOT LIKE 'interest:' || c.invoice_id || ':_%%')
UNION
SELECT MAX(c.id) FROM invoices_charge c JOIN invoices_entry e ON e.charge_id = c.id
WHERE e.kind = 'charge' AND e.cr <> CASE WHEN c.kind = 'interest' THEN 'interest' ELSE 'fee' END GROUP BY c.id
"""

_UNSAID = """
SELECT DISTINCT e.doc FROM invoices_entry e WHERE NOT EXISTS (SELECT 1 FROM audit_event a WHERE a.doc = e.doc)
"""


def derivations_that_do_not_add_up(now: dt.datetime) -> Iterator[int]:
    """Charges whose amount is not what their own lines come to."""
    charges = Charge.objects.filter(kind="interest").values_list("pk", "currency", "amount", "derivation")
    return (pk for pk, currency, amount, how in charges.iterator() if not _comes_to(amount, how, currency))


def _comes_to(amount: Decimal, how: dict[str, Any], currency: str) -> bool:
    """Each line is balance × rate × days by its day count, their sum is rounded once, a carried cent is added.

    Where the rule adds otherwise, the lines as written come to the total.
    """
    lines = how.get("lines", ())
    if not lines or Decimal(how["total"]) + Decimal(how.get("carried", "0")) != amount:
        return False
    if _adds_otherwise(how.get("terms", {})):
        written = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
        half_a_unit = Decimal(5).scaleb(-places(currency) - 1)
        return abs(written - Decimal(how["total"])) <= half_a_unit + Decimal(len(lines)).scaleb(-6)
    year = 365 if how.get("day_count") == "act/365" else 360
    exact = [Fraction(li["balance"]) * Fraction(li["rate"]) / 100 * li["days"] / year for li in lines]
    return all(
        rounded(each, 6) == Decimal(line["amount"]) for each, line in zip(exact, lines, strict=True)
    ) and rounded(sum(exact, Fraction()), places(currency)) == Decimal(how["total"])


def _adds_otherwise(rule: dict[str, Any]) -> bool:
    """A day rounded first, interest on interest by month, and a cap: a line is not balance × rate × days then."""
    return rule.get("rounding") == "daily" or bool(rule.get("compound_monthly")) or "cap_percent" in rule


def lump_sums_that_do_not_add_up(now: dt.datetime) -> Iterator[int]:
    """Compensation other than the rule it keeps grants for such a claim, and fees other than their step cost."""
    charges = Charge.objects.filter(kind__in=("fee", "compensation"))
    rows = charges.values_list("pk", "kind", "currency", "amount", "derivation")
    for pk, kind, currency, amount, how in rows.iterator():
        right = Decimal(how.get("amount", "0"))
        rule = rule_kept(how) if kind == "compensation" else None
        if rule is not None:
            right = rule.compensation_for(Decimal(how["claim"]), currency)
        if right != amount:
            yield pk


def totals_that_do_not_add_up(now: dt.datetime) -> Iterator[int]:
    """Issued invoices whose lines, added and rounded anew, are not what was frozen."""
    lines = InvoiceLine.objects.filter(invoice__issued_at__isnull=False, invoice__intake=None)
    in_order = lines.order_by("invoice", "position", "id")
    read = in_order.values_list("invoice", "quantity", "unit_price", "tax_percent", "tax_category", "net").iterator()
    issued = Invoice.objects.filter(issued_at__isnull=False, intake=None).order_by("pk")
    facts = {pk: rest for pk, *rest in issued.values_list("pk", "currency", "net", "tax", "total").iterator()}
    for pk, rows in groupby(read, key=lambda row: row[0]):
        currency, net, tax, total = facts.pop(pk)
        written = list(rows)
        try:
            anew = total_of([Line(*row[1:5]) for row in written], currency)
        except Refused:
            yield pk
            continue
        nets = all(line_net(quantity, price, currency) == kept for _pk, quantity, price, *_tax, kept in written)
        if not nets or (anew.net, anew.tax, anew.total) != (net, tax, total):
            yield pk
    yield from facts  # issued without a line


def credit_notes_that_do_not_add_up(now: dt.datetime) -> Iterator[int]:
    """Credit notes that, worked out anew one after the other from the invoice's lines, do not come to what was kept."""
    notes = CreditNote.objects.prefetch_related("lines__line").select_related("invoice").order_by("invoice", "pk")
    for invoice, of_one in groupby(notes, key=lambda note: note.invoice):
        lines = [
            Invoiced(li.position, li.quantity, li.unit_price, li.tax_percent, li.tax_category)
            for li in invoice.lines.all()
        ]
        earlier: dict[int, Decimal] = {}
        left = invoice.total
        for note in of_one:
            wanted = {part.line.position: part.quantity for part in note.lines.all() if part.line is not None}
            try:
                anew = credit_of(lines, earlier, wanted, total_left=left, currency=note.currency)
            except Refused:
                yield note.pk
                continue
            kept = sorted((part.line.position, part.net) for part in note.lines.all() if part.line is not None)
            nets = sorted((part.position, part.net) for part in anew.lines)
            if kept != nets or (anew.net, anew.tax, anew.total) != (note.net, note.tax, note.total):
                yield note.pk
            for position, quantity in wanted.items():
                earlier[position] = earlier.get(position, Decimal(0)) + quantity
            left -= note.total


def interest_that_is_no_longer_right(now: dt.datetime) -> Iterator[int]:
    """Interest charges that the ledger, asked anew by the rule they keep, would not come to; but for the waived."""
    charged, policies = Charge.objects.filter(kind="interest").values("invoice"), Policies()
    for invoice in Invoice.objects.filter(pk__in=charged).select_related("client__segment", "intake"):
        yield from (charge.pk for charge, _right in outdated(invoice, now.date(), policies))


def documents_that_were_changed(now: dt.datetime) -> Iterator[int]:
    """Invoices, pro formas and credit notes whose stored PDF is gone, or has other bytes than it was stored with."""
    for model in (Invoice, ProForma, CreditNote):
        stored = model._default_manager.filter(pdf__isnull=False)
        for pk, sha256, size in stored.values_list("pk", "pdf__sha256", "pdf__size"):
            try:
                if len(read_file(sha256)) != size:
                    yield pk
            except (OSError, ValueError):
                yield pk


INVARIANTS = [
    sql("L1", "an entry has an amount, two accounts, and the client and currency of its claim", _FOREIGN, fast=True),
    sql("L2", "debits equal credits in every currency", _TRIAL_BALANCE, [*_ACCOUNTS, *_ACCOUNTS], fast=True),
    sql("L3", "an invoice's balance is what its entries come to", _BALANCES, fast=True),
    sql("L3", "an invoice in parts is due when its earliest part is that money has not covered", _DUE_DAYS, fast=True),
    sql("L4", "a charge's balance is what its entries come to", _CHARGE_BALANCES, fast=True),
    Invariant("L4", "a charge's amount is what its derivation comes to", derivations_that_do_not_add_up),
    Invariant("L4", "a fee is what its step cost, compensation what its rule grants", lump_sums_that_do_not_add_up),
    sql("L5", "the entries of an issue come to the invoice's total", _ISSUE_ENTRIES),
    sql("L5", "the parts of an invoice come to its total, in the order of their days", _PARTS),
    Invariant("L5", "lines and tax, rounded anew, come to the invoice's total", totals_that_do_not_add_up),
    sql("L5", "a credit note is what its entries come to, and together they never pass the invoice", _CREDIT_NOTES),
    Invariant("L5", "a credit note, worked out anew by line, comes to its total", credit_notes_that_do_not_add_up),
    sql("L6", "an invoice owes no less than nothing and no more than its total", _OUT_OF_RANGE, fast=True),
    sql("L6", "a charge owes no less than nothing and no more than its amount", _CHARGE_OUT_OF_RANGE, fast=True),
    sql("L7", "a draft has no number and no entries, a void invoice is reversed in full", _STATES),
    sql("L8", "the numbers of a series have no gap and follow the order of issue", _NUMBERS, fast=True),
    sql("L9", "an entry's key names the claim it comes from, and every claim has its entries", _KEYS),
    sql("L11", "a reversal is the mirror of one entry, which is reversed once", _REVERSALS),
    sql("L9", "a charge is of its invoice, once: compensation per invoice, a fee per step", _LUMP_SUMS),
    sql("L12", "interest is charged for no day twice and for none before the day after the due date", _PERIODS),
    Invariant("L12", "interest charged is what the ledger comes to, asked anew", interest_that_is_no_longer_right),
    sql("L17", "whoever moved money stands in the audit trail", _UNSAID),
    Invariant("L18", "a stored document has the bytes it was stored with", documents_that_were_changed),
]
