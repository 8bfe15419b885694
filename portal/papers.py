"""What else a client can take from a page: receipts, credit notes, and the documents clients ask our company for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from clients.models import Client
from core.dates import show_day
from core.models import Company, CompanyDocument
from core.money import show
from invoices.models import Invoice
from payments.models import Payment, Receipt


@dataclass(frozen=True)
class Paper:
    """One document to take: its name, a second line, and the end of its address on the page."""

    name: str
    detail: str
    path: str


def receipts_of_invoice(invoice: Invoice) -> list[Receipt]:
    """Receipts that speak of this invoice and of no other: a link to one invoice tells nothing about another."""
    paying = Q(payment__allocations__invoice=invoice) | Q(payment__allocations__charge__invoice=invoice)
    found = _standing(invoice.client).filter(paying).distinct()
    return [receipt for receipt in found if _speaks_of(receipt) <= {str(invoice.number)}]


def receipts_of_client(client: Client) -> list[Receipt]:
    """All receipts of a client, the latest first; behind the code, where all that is open is shown too."""
    return list(_standing(client)[:24])


def documents_of_company(company: Company, on: dt.date) -> QuerySet[CompanyDocument]:
    """What our company gives to every client who asks: nothing that was taken away or is no longer valid."""
    valid = Q(valid_until=None) | Q(valid_until__gte=on)
    return CompanyDocument.objects.filter(valid, company=company, removed_at=None).select_related("file")


def receipt_rows(receipts: list[Receipt], language: str) -> tuple[Paper, ...]:
    return tuple(
        Paper(
            receipt.number,
            f"{show(receipt.payment.amount, receipt.payment.currency, language)} · "
            f"{show_day(receipt.payment.received_on, language)}",
            f"receipts/{receipt.pk}/",
        )
        for receipt in receipts
    )


def document_rows(company: Company, on: dt.date) -> tuple[Paper, ...]:
    return tuple(
        Paper(document.name, str(document.get_kind_display()), f"documents/{document.pk}/")
        for document in documents_of_company(company, on)
    )


def _standing(client: Client) -> QuerySet[Receipt]:
    payments = Payment.objects.standing().filter(client=client)
    return Receipt.objects.filter(payment__in=payments).select_related("payment")


def _speaks_of(receipt: Receipt) -> set[str]:
    return {row["number"] for row in receipt.frozen.get("put", ())}
