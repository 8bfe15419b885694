"""Search: a name, a number, an amount, a telephone number or a reference leads to the client, invoice or payment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clients.models import Client, Contact
from core.dates import show_day
from core.models import Company
from core.money import parse_amount, show
from invoices.models import Invoice
from payments.models import Payment

MOST = 8  # of each kind
LONGEST = 100
_FEWEST_DIGITS = 4


@dataclass(frozen=True)
class Found:
    """One hit: what it is, its page (kind and id), what it is called and why it was found."""

    kind: str
    pk: int
    title: str
    detail: str
    client: int


def search(company: Company, words: str, most: int = MOST) -> list[Found]:
    """What a few words lead to in a company: exact numbers first, then clients, people, invoices, payments.

    An amount finds invoices by total or balance and payments; digits find telephone numbers however they are written.
    """
    words = words.strip()[:LONGEST]
    if not words:
        return []
    hits: dict[tuple[str, int], Found] = {}
    for find in (_exact, _clients, _people, _invoices, _payments):
        for hit in find(company, words, most):
            hits.setdefault((hit.kind, hit.pk), hit)
    return list(hits.values())


def _exact(company: Company, words: str, most: int) -> Iterator[Found]:
    """What bears exactly this number; numbers of items taken over may stand more than once."""
    clients = Client.objects.filter(company=company, number__iexact=words)
    yield from (_client(client) for client in clients[:most])
    named = Q(number__iexact=words) | Q(reference__iexact=words.replace(" ", ""))
    yield from (_invoice(invoice) for invoice in _issued(company).filter(named)[:most])


def _clients(company: Company, words: str, most: int) -> Iterator[Found]:
    named = Q(name__icontains=words) | Q(legal_name__icontains=words) | Q(number__icontains=words)
    clients = Client.objects.filter(named | Q(tax_number__iexact=words), company=company)
    yield from (_client(client) for client in clients.order_by("name", "pk")[:most])


def _people(company: Company, words: str, most: int) -> Iterator[Found]:
    told = Q(name__icontains=words) | Q(email__icontains=words)
    digits = re.sub(r"\D", "", words)
    if len(digits) >= _FEWEST_DIGITS and not re.search(r"[^\d+()/ .\-]", words):
        # «+49 40 5550» finds «040/5550…» too: the trunk zero and the country are not part of what is compared.
        told |= Q(phone__regex=r"[^0-9]*".join(_subscriber(words)))
    people = Contact.objects.filter(told, client__company=company, is_active=True).select_related("client")
    for contact in people.order_by("name", "pk")[:most]:
        detail = " · ".join(filter(None, [contact.name, contact.phone, contact.email]))
        yield Found("client", contact.client_id, contact.client.name, detail, contact.client_id)


def _invoices(company: Company, words: str, most: int) -> Iterator[Found]:
    named = Q(number__icontains=words) | Q(po_number__icontains=words)
    for currency, amount in _amounts(company, words):
        named |= Q(currency=currency, total=amount) | Q(currency=currency, balance=amount)
    yield from (_invoice(i) for i in _issued(company).filter(named).order_by("-issued_on", "-pk")[:most])


def _payments(company: Company, words: str, most: int) -> Iterator[Found]:
    told = Q(reference__icontains=words) | Q(note__icontains=words)
    for currency, amount in _amounts(company, words):
        told |= Q(currency=currency, amount=amount)
    payments = Payment.objects.standing().filter(told, company=company).select_related("client")
    for payment in payments.order_by("-received_on", "-pk")[:most]:
        facts = {
            "amount": show(payment.amount, payment.currency, _language()),
            "day": show_day(payment.received_on, _language()),
        }
        title = _("%(amount)s received %(day)s") % facts
        detail = " · ".join(filter(None, [payment.client.name, payment.reference]))
        yield Found("payment", payment.pk, title, detail, payment.client_id)


def _issued(company: Company) -> Any:
    return Invoice.objects.filter(company=company, issued_at__isnull=False).select_related("client")


def _amounts(company: Company, words: str) -> list[tuple[str, Decimal]]:
    """The words as an amount of each currency in the book, with a decimal point or a decimal comma."""
    written = re.sub(r"(?i)\b[a-z]{3}\b|[€$£¥]", "", words).strip()
    if not re.search(r"\d", written):
        return []
    found = []
    for currency in Invoice.objects.filter(company=company).order_by().values_list("currency", flat=True).distinct():
        for decimal in (".", ","):
            try:
                amount = parse_amount(written, currency, decimal)
            except ValueError:
                continue
            if amount > 0:
                found.append((currency, amount))
    return found


def _subscriber(words: str) -> str:
    """The digits of a telephone number without a country prefix or a leading zero."""
    bare = re.sub(r"\(0\)", "", words.strip())
    local = re.sub(r"^(?:\+|00)\d{1,3}(?=\D)", "", bare)
    return re.sub(r"\D", "", local).lstrip("0") or re.sub(r"\D", "", bare)


def _client(client: Client) -> Found:
    return Found("client", client.pk, client.name, client.number, client.pk)


def _invoice(invoice: Invoice) -> Found:
    amounts = show(invoice.total, invoice.currency, _language())
    if invoice.balance != invoice.total:
        facts = {"total": amounts, "balance": show(invoice.balance, invoice.currency, _language())}
        amounts = _("%(total)s, %(balance)s open") % facts
    return Found("invoice", invoice.pk, str(invoice.number), f"{invoice.client.name} · {amounts}", invoice.client_id)


def _language() -> str:
    return get_language() or "en"
