"""The parts of an invoice as everybody asks for them: what is due by when, what is paid of it, what paying early saves.

``parts_of`` an invoice, ``due_of`` it on a day, ``early_payment_of`` it, and ``terms_preview`` before it is issued.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from core.closed_days import closed_for
from core.models import Company
from core.money import round_money, show
from invoices.models import RECEIVABLE, Entry, Invoice, InvoicePart
from invoices.parts import Part, discount_left, next_due, open_parts, split
from policies.models import Terms
from policies.terms import DueDays, TermsRule, due_days, due_words, early_words, later_words, part_words, terms_words

NOTHING = Decimal(0)
AT_ONCE = 500  # invoices asked for in one query
EARLY = "early_payment"  # in Invoice.frozen: the percentage of the discount that was offered


@dataclass(frozen=True)
class Due:
    """What of an invoice is to be paid now, by when, and what comes later: the parts it is made of."""

    now: Decimal
    on: dt.date
    later: tuple[Part, ...] = ()

    @property
    def later_sum(self) -> Decimal:
        return sum((part.open for part in self.later), NOTHING)


@dataclass(frozen=True)
class EarlyPayment:
    """What paying an invoice early saves: pay ``pay`` by ``until`` and ``discount`` is given."""

    percent: Decimal
    discount: Decimal
    pay: Decimal
    currency: str
    until: dt.date

    def words(self, language: str) -> str:
        """«2 % discount, €24.00, if paid by 28 November 2026», in the client's language."""
        return early_words(self.percent, self.discount, self.currency, self.until, language)


@dataclass(frozen=True)
class PreviewPart:
    """One line of a preview: what it is called, how much, by when, and that day in words for screen and paper."""

    kind: str
    label: str
    percent: Decimal
    amount: Decimal
    due_on: dt.date
    words: str
    paper: str


@dataclass(frozen=True)
class TermsPreview:
    """What terms would say on an invoice issued on a day: its parts, the last day, and the early-payment offer."""

    parts: tuple[PreviewPart, ...]
    early: EarlyPayment | None
    words: str
    paper: str

    @property
    def due_on(self) -> dt.date:
        return self.parts[0].due_on

    @property
    def last_on(self) -> dt.date:
        return self.parts[-1].due_on

    @property
    def in_parts(self) -> bool:
        return len(self.parts) > 1


def parts_of(invoice: Invoice) -> list[Part]:
    """The parts of an issued invoice in their order, each with what is open of it; one for an ordinary invoice.

    By the balance as it stands. Empty for a draft (ask ``terms_preview``). One query where it is paid in parts, none
    otherwise.
    """
    return parts_of_many([invoice]).get(invoice.pk, [])


def parts_of_many(invoices: Iterable[Invoice]) -> dict[int, list[Part]]:
    """The same for many invoices, by id: one query for all that are paid in parts, none where there are none."""
    asked = [invoice for invoice in invoices if invoice.due_on is not None]
    plans = plans_of(invoice.pk for invoice in asked if invoice.in_parts)
    found = {}
    for invoice in asked:
        assert invoice.due_on is not None
        plan = plans.get(invoice.pk) or [Part(1, "part", invoice.due_on, invoice.total)]
        found[invoice.pk] = open_parts(plan, invoice.total - invoice.balance)
    return found


def plans_of(ids: Iterable[int]) -> dict[int, list[Part]]:
    """The parts of invoices as issued, by invoice, whatever is paid of them; one query, none for no ids."""
    wanted, found = list(ids), defaultdict[int, list[Part]](list)
    for start in range(0, len(wanted), AT_ONCE):
        rows = InvoicePart.objects.filter(invoice__in=wanted[start : start + AT_ONCE]).order_by("invoice", "position")
        for row in rows:
            kind = "deposit" if row.kind == "deposit" else "part"
            found[row.invoice_id].append(Part(row.position, kind, row.due_on, row.amount))  # type: ignore[arg-type]
    return dict(found)


def due_of(invoice: Invoice, on: dt.date, parts: Sequence[Part] | None = None) -> Due:
    """What of an issued invoice is to be paid now: all that is due by the day, and before that its next part.

    ``parts`` are those ``parts_of_many`` has found, where many are asked for.
    """
    parts = parts_of(invoice) if parts is None else parts
    assert invoice.due_on is not None
    by = max(on, invoice.due_on)
    later = tuple(part for part in parts if part.due_on > by and part.open)
    return Due(sum((part.open for part in parts if part.due_on <= by), NOTHING), invoice.due_on, later)


def due_lines(invoice: Invoice, on: dt.date, language: str, due: Due | None = None) -> list[str]:
    """What is due now and what is not yet, in words; empty for an ordinary invoice, and once all is paid.

    «€500.00: due in 14 days — by 5 December 2026», «Not yet due: €500.00, by 21 December 2026».
    """
    if not invoice.in_parts or not invoice.balance:
        return []
    due, currency = due or due_of(invoice, on), invoice.currency
    now = f"{show(due.now, currency, language)}: {due_words(due.on, on, language)}"
    return [now, *(later_words(part.open, currency, part.due_on, language) for part in due.later)]


def part_label(part: Part, parts: Iterable[Part], language: str) -> str:
    """What a part is called: «Deposit», «Instalment 1 of 2», «Balance»; ``parts`` are all of its invoice."""
    instalments = [one.position for one in parts if one.kind == "part"]
    number = instalments.index(part.position) + 1 if part.kind == "part" else 0
    return part_words(part.kind, number, len(instalments), language)


def early_payment_of(invoice: Invoice, on: dt.date) -> EarlyPayment | None:
    """What paying by the discount's last day saves on an invoice, seen from a day; None once it is over or was taken.

    A credit note makes the discount smaller with the invoice. What was paid in time already counts towards the sum.
    """
    return early_payments_of([invoice], on).get(invoice.pk)


def early_payments_of(invoices: Iterable[Invoice], on: dt.date) -> dict[int, EarlyPayment]:
    """The same for many invoices, by id: one query for all whose discount runs, none where there are none."""
    running = [
        (invoice, invoice.discount_until) for invoice in invoices
        if invoice.discount and invoice.discount_until and on <= invoice.discount_until and invoice.voided_at is None
    ]
    left = _discounts_on([invoice for invoice, _until in running])
    found = {}
    for invoice, until in running:
        discount = left[invoice.pk]
        if 0 < discount < invoice.balance:
            percent = Decimal(str(invoice.frozen.get(EARLY, {}).get("percent", "0")))
            found[invoice.pk] = EarlyPayment(percent, discount, invoice.balance - discount, invoice.currency, until)
    return found


def discount_on(invoice: Invoice, *, credited: Decimal = NOTHING) -> Decimal:
    """The early-payment discount of an invoice as it stands by the ledger; nothing once it was given.

    ``credited`` is what is about to be credited besides.
    """
    return _discounts_on([invoice], credited)[invoice.pk]


def is_discounted(invoice: Invoice) -> bool:
    """The early-payment discount was given on the invoice, and not taken back since."""
    return bool(invoice.discount) and _standing([invoice.pk]).filter(kind="discount").exists()


def _discounts_on(invoices: Sequence[Invoice], credited: Decimal = NOTHING) -> dict[int, Decimal]:
    """What ``discount_on`` says of each, by id; one query for all that carry a discount, none where there are none."""
    asked = [invoice.pk for invoice in invoices if invoice.discount]
    given, off = set[int](), defaultdict[int, Decimal](Decimal)
    for start in range(0, len(asked), AT_ONCE):
        rows = _standing(asked[start : start + AT_ONCE]).exclude(kind__in=["allocation", "issue"])
        for pk, kind, dr, cr, amount in rows.values_list("invoice", "kind", "dr", "cr", "amount"):
            off[pk] += amount * ((cr == RECEIVABLE) - (dr == RECEIVABLE))
            if kind == "discount":
                given.add(pk)
    return {
        invoice.pk: discount_left(invoice.discount, invoice.total, off[invoice.pk] + credited, invoice.currency)
        if invoice.discount and invoice.pk not in given else NOTHING
        for invoice in invoices
    }


def _standing(invoices: Collection[int]) -> QuerySet[Entry]:
    return Entry.objects.filter(invoice__in=invoices, reversed_by=None, reverses=None)


def terms_preview(
    terms: Terms, issued_on: dt.date, company: Company, total: Decimal, currency: str, language: str
) -> TermsPreview:
    """What the terms come to for a total: every part with its day in words, for screen and paper, and the discount.

    Refused for terms that name no day.
    """
    rule = terms.as_rule()
    days = due_days_of(rule, issued_on, company)
    amounts = split(total, [part.percent for part in days.parts], currency)
    plan = [
        Part(n, part.kind, part.due_on, amount)
        for n, (part, amount) in enumerate(zip(days.parts, amounts, strict=True), 1)
    ]
    lines = tuple(
        PreviewPart(
            part.kind, part_label(part, plan, language) if len(plan) > 1 else "", share.percent, part.amount,
            part.due_on, due_words(part.due_on, issued_on, language), terms_words(issued_on, part.due_on, language),
        )
        for part, share in zip(plan, days.parts, strict=True)
    )
    discount = discount_of(rule, total, currency)
    early = None
    if days.discount_until is not None and 0 < discount < total:
        early = EarlyPayment(rule.discount_percent, discount, total - discount, currency, days.discount_until)
    paper = _joined(lines, currency, language, paper=True)
    return TermsPreview(lines, early, _joined(lines, currency, language), paper)


def due_days_of(rule: TermsRule, issued_on: dt.date, company: Company) -> DueDays:
    """On which days an invoice of a company falls due; its calendar is asked only where the terms need it."""
    return due_days(rule, issued_on, closed_for(company, issued_on) if rule.shift else frozenset())


def discount_of(rule: TermsRule, total: Decimal, currency: str) -> Decimal:
    """What the early-payment discount of terms comes to on a total, rounded once; nothing where there is none."""
    return round_money(total * rule.discount_percent / 100, currency)


def plan_parts(invoice: Invoice, on: dt.date) -> list[InvoicePart]:
    """Set the due day and the discount an invoice issued on a day gets by its terms; answers with its parts to keep.

    An ordinary invoice has none. Parts over nothing, as one percent of a cent, are left out.
    """
    assert invoice.terms is not None
    rule = invoice.terms.as_rule()
    days = due_days_of(rule, on, invoice.company)
    invoice.terms_days = (days.last - on).days
    invoice.late_percent = invoice.terms.late_percent
    discount = discount_of(rule, invoice.total, invoice.currency)
    if days.discount_until is not None and 0 < discount < invoice.total:
        invoice.discount, invoice.discount_until = discount, days.discount_until
    amounts = split(invoice.total, [part.percent for part in days.parts], invoice.currency)
    kept = [(part, amount) for part, amount in zip(days.parts, amounts, strict=True) if amount > 0]
    plan = [Part(n, part.kind, part.due_on, amount) for n, (part, amount) in enumerate(kept, 1)]
    invoice.in_parts = len(plan) > 1
    invoice.due_on = next_due(plan, NOTHING).due_on
    if not invoice.in_parts:
        return []
    return [
        InvoicePart(invoice=invoice, position=part.position, kind=part.kind, due_on=part.due_on, amount=part.amount)
        for part in plan
    ]


def terms_facts(invoice: Invoice) -> dict[str, Any]:
    """What an invoice keeps of its terms beside its own columns: the percentage of the early-payment discount."""
    if not invoice.discount or invoice.terms is None:
        return {}
    return {EARLY: {"percent": f"{invoice.terms.as_rule().discount_percent.normalize():f}"}}


def _joined(lines: tuple[PreviewPart, ...], currency: str, language: str, *, paper: bool = False) -> str:
    """All parts in one line; a single one without its sum, which stands beside it anyway."""
    said = [line.paper if paper else line.words for line in lines]
    if len(lines) == 1:
        return said[0]
    return " · ".join(
        f"{line.label} {show(line.amount, currency, language)}: {words}"
        for line, words in zip(lines, said, strict=True)
    )
