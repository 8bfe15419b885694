"""What stands on a receipt: what came in and where it went when it was made, and from that words for the client."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from core.dates import show_day
from core.models import StoredFile
from core.money import plain, show
from invoices import printing
from invoices.documents import Paper, freeze, paper_of
from invoices.models import Invoice
from invoices.paying import Row
from invoices.pdf import kept_once
from invoices.printing import Printable

from .models import Payment, Receipt


def freeze_receipt(payment: Payment) -> dict[str, Any]:
    """The facts a receipt keeps for ever, plain JSON: who paid whom, how much, how, and where it stands at present."""
    about = Invoice(company=payment.company, client=payment.client, currency=payment.currency)
    facts = freeze(about)
    put: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    left: dict[tuple[str, str], Decimal] = {}
    standing = payment.allocations.standing().select_related("invoice", "charge__invoice").order_by("pk")
    for allocation in standing:
        claim = allocation.invoice or allocation.charge
        assert claim is not None
        kind = "invoice" if allocation.invoice else allocation.charge.kind  # type: ignore[union-attr]
        number = str(allocation.invoice or allocation.charge.invoice)  # type: ignore[union-attr]
        put[kind, number] += allocation.amount
        left[kind, number] = left.get((kind, number), Decimal(0)) if claim.balance == 0 else claim.balance
    currency = payment.currency
    return {
        **{name: facts[name] for name in ("language", "paper", "design", "seller", "buyer")},
        "amount": plain(payment.amount, currency),
        "currency": currency,
        "received_on": payment.received_on.isoformat(),
        "method": payment.method,
        "reference": payment.reference,
        "put": [
            {"kind": kind, "number": number, "amount": plain(amount, currency),
             "left": plain(left[kind, number], currency)}
            for (kind, number), amount in put.items()
        ],
        "kept": plain(payment.amount - sum(put.values(), Decimal(0)), currency),
    }  # fmt: skip


@dataclass(frozen=True)
class PutRow:
    """So much of the payment went to this claim, and so much of it is open still; ``left`` is empty once it is paid."""

    label: str
    amount: str
    left: str


@dataclass(frozen=True)
class ReceiptDocument:
    """A receipt, ready to print: every figure and date is text in the client's language."""

    head: Paper
    number: str
    made: dt.date
    amount: str
    received: str
    facts: tuple[Row, ...]
    items: tuple[PutRow, ...]
    kept: str
    sentences: tuple[str, ...]


def receipt_pdf(receipt: Receipt) -> StoredFile:
    """The PDF of a receipt: printed once from what was frozen when it was made, then the same bytes for ever."""
    return kept_once(receipt, "pdf/receipt.html", receipt_document)


def register_printables() -> None:
    """Make the worker know that receipts wait to be printed."""
    printing.register("payments.receipt", Printable(
        receipt_pdf, lambda since: Receipt.objects.filter(made_on__gte=since, pdf=None).order_by("pk")
    ))


def receipt_document(receipt: Receipt) -> ReceiptDocument:
    """A receipt in the language it was frozen in, from what was frozen alone."""
    facts: Mapping[str, Any] = receipt.frozen
    language, currency = facts["language"], facts["currency"]
    with translation.override(language):
        received = show_day(dt.date.fromisoformat(facts["received_on"]), language)
        kept = Decimal(facts["kept"])
        return ReceiptDocument(
            head=paper_of(facts),
            number=receipt.number,
            made=receipt.made_on,
            amount=show(Decimal(facts["amount"]), currency, language),
            received=received,
            facts=_facts(receipt, facts, received),
            items=tuple(_row(row, currency, language) for row in facts["put"]),
            kept=show(kept, currency, language) if kept else "",
            sentences=_sentences(facts),
        )


def _facts(receipt: Receipt, facts: Mapping[str, Any], received: str) -> tuple[Row, ...]:
    rows = [Row(_("Date"), show_day(receipt.made_on, facts["language"])), Row(_("Received"), received)]
    if method := _method(facts["method"]):
        rows.append(Row(_("Paid by"), method))
    if facts["reference"]:
        rows.append(Row(_("Your reference"), facts["reference"]))
    return (*rows, Row(_("Customer no."), facts["buyer"]["number"]))


def _method(kind: str) -> str:
    names = {
        "transfer": _("Bank transfer"), "cheque": _("Cheque"), "cash": _("Cash"), "card": _("Card or wallet"),
    }
    return names.get(kind, "")


def _row(row: Mapping[str, str], currency: str, language: str) -> PutRow:
    labels = {
        "invoice": _("Invoice %(number)s"), "interest": _("Interest on %(number)s"),
    }
    label = labels.get(row["kind"], _("Late fee on %(number)s")) % {"number": row["number"]}
    left = Decimal(row["left"])
    return PutRow(
        label, show(Decimal(row["amount"]), currency, language), show(left, currency, language) if left else ""
    )


def _sentences(facts: Mapping[str, Any]) -> tuple[str, ...]:
    said = [_("Thank you. We have received your payment.")]
    if facts["method"] == "cheque":
        said.append(_("It counts once the bank has cleared the cheque."))
    if Decimal(facts["kept"]):
        said.append(
            _("What is not yet assigned counts towards your next invoice; tell us if it was meant for another one.")
        )
    return tuple(said)
