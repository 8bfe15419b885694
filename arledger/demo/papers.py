"""Corrections and papers of the demo book: hours taken back, an order taken back whole, receipts, papers for clients.

Days count back from today. A line whose client has nothing of the kind by then is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from clients.models import Client
from clients.services.company_documents import add_company_document
from clients.services.wishes import save_wishes
from core.models import Company
from invoices.models import Invoice, InvoiceLine
from invoices.pdf import print_html
from invoices.services.sending import resend_invoice
from outbox.services import deliver
from payments.services import issue_credit_note
from payments.services.receipts import send_receipts
from payments.services.sending import send_credit_note, send_statement

RECEIPTS = 6  # days since receipts leave by themselves
FEWER_HOURS, ORDERED_TWICE, STATEMENT, ASKED_AGAIN = (5, "C-0102"), (3, "C-0101"), (4, "1001"), (2, "C-0104")
WISHES = 12
TWO = Decimal(2)
PAPER = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{company}</p><p>{words}</p></body></html>"""


def corrected_on(n: int, on: dt.date, companies: Sequence[Company], clients: Mapping[str, Client], by: Any) -> None:
    """What is corrected, confirmed and handed out on a day, ``n`` days before today."""
    if n == WISHES:
        _hand_out(companies, on, by)
        _wish(clients["C-0101"], on)
    if n == FEWER_HOURS[0] and (line := _hours(clients[FEWER_HOURS[1]], on)):
        note = issue_credit_note(
            line.invoice, {line.position: TWO}, reason="Two hours fewer than invoiced", key="demo:hours", on=on, by=by
        )
        send_credit_note(note, on=on, by=by, not_before=timezone.now())
    if n == ORDERED_TWICE[0] and (invoice := _not_due(clients[ORDERED_TWICE[1]], on)):
        note = issue_credit_note(
            invoice, None, reason="Ordered twice; the second order is taken back", key="demo:twice", on=on, by=by
        )
        send_credit_note(note, on=on, by=by, not_before=timezone.now())
    if n == STATEMENT[0]:
        send_statement(clients[STATEMENT[1]], on=on, by=by, not_before=timezone.now())
    if n == ASKED_AGAIN[0] and (invoice := _not_due(clients[ASKED_AGAIN[1]], on)):
        resend_invoice(invoice, words="As you asked on the telephone.", on=on, by=by, not_before=timezone.now())
    if n <= RECEIPTS:
        for company in companies:
            send_receipts(company, now=timezone.now(), on=on, by="system")
    ours = Q(kind__in=("receipt", "credit_note", "statement", "invoice_again"))
    deliver(timezone.now(), only=ours, clock=lambda: timezone.now())


def _not_due(client: Client, on: dt.date) -> Invoice | None:
    """The latest invoice of a client on which nothing was paid and whose day is still to come."""
    rows = Invoice.objects.open().of(client).filter(issued_on__lte=on, due_on__gt=on, balance=F("total"))
    return rows.filter(in_parts=False, discount=0).order_by("-issued_on", "-pk").first()


def _hours(client: Client, on: dt.date) -> InvoiceLine | None:
    """The latest line of more than two hours that a client owes whole."""
    owed = Invoice.objects.open().of(client).filter(issued_on__lte=on, balance=F("total"), in_parts=False, discount=0)
    lines = InvoiceLine.objects.filter(invoice__in=owed, unit="h", quantity__gt=TWO).select_related("invoice")
    return lines.order_by("-invoice__issued_on", "-pk").first()


def _hand_out(companies: Sequence[Company], on: dt.date, by: Any) -> None:
    berlin, portland = companies
    papers = (
        (berlin, "bank_letter", "Bank confirmation of our account", "This account is ours."),
        (portland, "tax_form", "Form W-9", "Request for taxpayer identification number: EIN 00-0555147."),
    )
    for company, kind, name, words in papers:
        content = print_html(PAPER.format(title=name, company=company.legal_name, words=words))
        add_company_document(company, (f"{name}.pdf", content), kind=kind, name=name, on=on, by=by)


def _wish(client: Client, on: dt.date) -> None:
    facts = {
        "extra_fields": [{"label": "Cost centre", "value": "4711"}], "cover_page": True,
        "cover_text": "For accounts payable, cost centre 4711", "note": "What comes by the 25th is paid this month.",
    }  # fmt: skip
    save_wishes(client, facts, on=on, by="client")
