"""What the demo book has agreed on beside «30 days»: a sum in two halves, and a discount for paying early."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from clients.models import Client
from core.models import Company
from invoices.models import Invoice
from invoices.services.drafting import Heading, LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice
from invoices.services.parts import early_payment_of
from payments.services import record_payment
from policies.models import Terms

HALVES, EARLY, END_OF_NEXT = "50 % in 14 days, 50 % in 30", "2 % in 7 days, net 21", "End of next month"


class Sale(NamedTuple):
    """So many days ago, to whom, on which terms, for what; and how many days ago it was paid early, if it was."""

    ago: int
    client: str
    terms: str
    what: str
    price: str
    paid_ago: int | None = None


SALES = (
    Sale(15, "C-0119", HALVES, "Signage for the Neumarkt arcade", "3600"),
    Sale(6, "C-0109", EARLY, "Catalogue of hand tools, spring", "1850", paid_ago=2),
    Sale(3, "C-0102", EARLY, "Dispatch board, second screen", "1400"),
)


def agreed_on(n: int, on: dt.date, companies: list[Company], clients: Mapping[str, Client], by: Any) -> None:
    """What happens ``n`` days before today: an invoice is issued on such terms, or is paid early."""
    if n == max(sale.ago for sale in SALES):
        _write_terms(companies)
    for sale in SALES:
        client = clients[sale.client]
        if sale.ago == n:
            terms = client.company.terms.get(name=sale.terms)
            line = LineDraft(sale.what, Decimal(1), Decimal(sale.price), tax_percent=Decimal(19))
            heading = Heading(po_number=f"{sale.client}-B", terms=terms)
            issue_invoice(draft_invoice(client, [line], heading=heading, by=by), on=on, by=by)
        if sale.paid_ago == n:
            invoice = Invoice.objects.open().of(client).get(terms__name=sale.terms)
            early = early_payment_of(invoice, on)
            assert early is not None
            record_payment(
                client, early.pay, early.currency, received_on=on, key=f"demo:early:{invoice.pk}",
                reference=invoice.reference, how={f"invoice:{invoice.pk}": early.pay}, on=on, by=by,
            )


def _write_terms(companies: list[Company]) -> None:
    for company in companies:
        late_percent = company.terms.get(is_default=True).late_percent
        halves = [{"percent": "50", "days": 14}, {"percent": "50", "days": 30}]
        for facts in (
            {"name": HALVES, "net_days": 30, "parts": halves},
            {"name": EARLY, "net_days": 21, "discount_percent": 2, "discount_days": 7},
            {"name": END_OF_NEXT, "net_days": 1, "rule": "month_end", "day_of_month": 31, "shift": "next"},
        ):
            Terms.objects.create(company=company, late_percent=late_percent, **facts)
