"""What the demo book has agreed on beside «30 days»: a sum in two halves, and a discount for paying early."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
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
    Sale(9, "C-0109", EARLY, "Catalogue of hand tools, spring", "1850", paid_ago=4),
    Sale(6, "C-0102", EARLY, "Dispatch board, second screen", "1400"),
)


def agree(
    at: Callable[[dt.date, Callable[[], object]], None], companies: list[Company], clients: Mapping[str, Client],
    on: dt.date, by: Any,
) -> None:
    """Write the terms, and put what is sold on them, and paid early, on its days before today."""
    _write_terms(companies)
    for sale in SALES:
        issued_on = on - dt.timedelta(days=sale.ago)
        at(issued_on, partial(_sell, clients[sale.client], sale, issued_on, by))
        if sale.paid_ago is not None:
            paid_on = on - dt.timedelta(days=sale.paid_ago)
            at(paid_on, partial(_pay_early, clients[sale.client], sale, paid_on, by))


def _sell(client: Client, sale: Sale, on: dt.date, by: Any) -> None:
    line = LineDraft(sale.what, Decimal(1), Decimal(sale.price), tax_percent=Decimal(19))
    heading = Heading(po_number=f"{sale.client}-B", terms=client.company.terms.get(name=sale.terms))
    issue_invoice(draft_invoice(client, [line], heading=heading, by=by), on=on, by=by)


def _pay_early(client: Client, sale: Sale, on: dt.date, by: Any) -> None:
    invoice = Invoice.objects.open().of(client).get(terms__name=sale.terms)
    early = early_payment_of(invoice, on)
    assert early is not None
    record_payment(
        client, early.pay, early.currency, received_on=on, key=f"demo:early:{invoice.pk}", reference=invoice.reference,
        how={f"invoice:{invoice.pk}": early.pay}, on=on, by=by,
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
