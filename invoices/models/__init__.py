"""What is owed: invoices and their documents, the ledger's entries, charges for late payment, and the signed links."""

from .agreements import Extension, ExtensionQuerySet
from .documents import CreditNote, CreditNoteLine, ProForma, ProFormaQuerySet
from .invoice import Intake, Invoice, InvoiceLine, InvoicePart, InvoiceQuerySet, Series
from .ledger import (
    ACCOUNTS,
    BANK,
    COLLECTION_COST,
    CUSTOMER_CREDIT,
    DISCOUNT,
    FEE,
    INTEREST,
    RECEIVABLE,
    RECEIVABLE_CHARGES,
    REVENUE,
    TAX,
    WRITE_OFF,
    Charge,
    Entry,
    InterestNotice,
    clearing,
    compensation_key,
    fee_key,
    interest_key,
)
from .links import LinkCode, LinkView, ShareLink
from .work import CompletedWork, CompletedWorkQuerySet, RecurringInvoice, RecurringLine, RecurringRun

__all__ = [
    "ACCOUNTS", "BANK", "COLLECTION_COST", "CUSTOMER_CREDIT", "DISCOUNT", "FEE", "INTEREST", "RECEIVABLE",
    "RECEIVABLE_CHARGES", "REVENUE", "TAX", "WRITE_OFF", "Charge", "CompletedWork", "CompletedWorkQuerySet",
    "CreditNote", "CreditNoteLine", "Entry", "Extension", "ExtensionQuerySet", "Intake", "InterestNotice", "Invoice",
    "InvoiceLine", "InvoicePart", "InvoiceQuerySet", "LinkCode", "LinkView", "ProForma", "ProFormaQuerySet",
    "RecurringInvoice", "RecurringLine", "RecurringRun", "Series", "ShareLink", "clearing", "compensation_key",
    "fee_key", "interest_key",
]
