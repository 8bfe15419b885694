"""What stands on an invoice: the facts frozen at issue, and their words and amounts in the client's language."""

from __future__ import annotations

from typing import Any

from clients.models import Client, Contact
from core.models import BankAccount, Company

from .models import Invoice


def freeze(invoice: Invoice) -> dict[str, Any]:
    """The facts an invoice keeps for ever: who sells, who buys, where and how to pay, in which language; plain JSON.

    ``issue_invoice`` stores it as ``Invoice.frozen``, and the document is rendered from it and from nothing
    that can change later. Whoever changes a bank account or an address changes later invoices only.
    """
    client, company = invoice.client, invoice.company
    contact = invoice.contact or recipient(client)
    bank = BankAccount.objects.filter(company=company, currency=invoice.currency, is_active=True).first()
    methods = [
        {"kind": method.kind, "instructions": method.instructions}
        for method in company.payment_methods.filter(is_active=True)
        if method.kind != "transfer" or bank is not None
    ]
    return {
        "language": contact.speaks() if contact else client.language,
        "seller": _seller(company),
        "buyer": _buyer(client, contact),
        "bank": _bank(bank) if bank and any(method["kind"] == "transfer" for method in methods) else None,
        "methods": methods,
        "terms": invoice.terms.name if invoice.terms else "",
    }


def recipient(client: Client) -> Contact | None:
    """Whom an invoice goes to unless it names somebody: the first reachable contact, accounts payable before others."""
    reachable = list(client.contacts.reachable())
    return min(reachable, key=lambda contact: (contact.role != "accounts_payable", contact.pk), default=None)


def _seller(company: Company) -> dict[str, str]:
    kept = (
        "name", "legal_name", "tagline", "street", "postal_code", "city", "region", "country", "tax_number",
        "register_entry", "email", "phone", "time_zone", "paper", "accent",
    )
    return {name: getattr(company, name) for name in kept}


def _buyer(client: Client, contact: Contact | None) -> dict[str, str]:
    kept = ("number", "name", "legal_name", "tax_number", "street", "postal_code", "city", "region", "country")
    return {name: getattr(client, name) for name in kept} | {
        "attention": contact.name if contact else "",
        "department": contact.department if contact else "",
    }


def _bank(account: BankAccount) -> dict[str, str]:
    kept = ("holder", "bank_name", "iban", "bic", "account_number", "routing_number")
    return {name: getattr(account, name) for name in kept}
