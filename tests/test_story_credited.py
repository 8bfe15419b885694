"""Case 18: a fee changes an issued invoice (invoiceninja#11937, erpnext PR#27528); here a correction never does.

Cases 7 and 12: what is credited is not asked for; a letter lists the credit.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from ar_collections.models import Served
from arledger.invariants import check
from core.services import read_file
from einvoicing import rules
from invoices.einvoice import einvoice_of, einvoice_xml
from invoices.models import Charge, Entry, Invoice
from invoices.pdf import invoice_pdf
from invoices.services.charging import charge_interest, give_interest_notice
from outbox.models import Message
from outbox.services import deliver
from payments.services import issue_credit_note, unapplied_cash
from tests.cast import CLERK, invoice_due, make_invoice, pay
from tests.collecting import DAY, a_day, days_pass, sent_to, served

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 11, 9)  # a Monday
LATE = DUE + DAY


def credit(invoice: Invoice, share: str | None = None, *, on: dt.date = LATE, key: str = "c1") -> Any:
    lines = None if share is None else {1: Decimal(share)}
    return issue_credit_note(invoice, lines, reason="Fewer hours than invoiced", key=key, on=on, by=CLERK)


def frozen_facts(invoice: Invoice) -> tuple[Any, ...]:
    kept = Invoice.objects.filter(pk=invoice.pk).values_list(
        "number", "net", "tax", "total", "frozen", "reference", "issued_on", "due_on", "pdf__sha256", "xml__sha256"
    )
    return (kept.get(), list(invoice.lines.values_list("description", "quantity", "unit_price", "net")))


def test_neither_interest_nor_a_credit_note_changes_the_issued_invoice(late_client: Any) -> None:
    invoice = make_invoice(late_client, "1000", on=DUE - 30 * DAY, tax="19")
    content = read_file(invoice_pdf(invoice).sha256)
    before = frozen_facts(invoice)
    give_interest_notice(invoice, interest_from=DUE + DAY, on=DUE, by=CLERK)
    charge_interest(invoice, until=DUE + 20 * DAY, on=DUE + 20 * DAY, by=CLERK)
    credit(invoice, "0.25", on=DUE + 21 * DAY)
    credit(invoice, None, on=DUE + 22 * DAY, key="c2")
    assert frozen_facts(invoice) == before
    assert read_file(invoice_pdf(Invoice.objects.get()).sha256) == content
    with pytest.raises(DatabaseError), transaction.atomic():
        Invoice.objects.update(total=1)
    assert check(timezone.now(), fast=False)["violations"] == []


def test_interest_is_a_claim_of_its_own_without_tax_and_stays_when_the_invoice_is_credited(late_client: Any) -> None:
    invoice = make_invoice(late_client, "1000", on=DUE - 30 * DAY, tax="19")
    give_interest_notice(invoice, interest_from=DUE + DAY, on=DUE, by=CLERK)
    charge_interest(invoice, until=DUE + 20 * DAY, on=DUE + 20 * DAY, by=CLERK)
    credit(invoice, None, on=DUE + 21 * DAY)
    invoice.refresh_from_db()
    charge = Charge.objects.get(invoice=invoice)
    assert (invoice.balance, charge.balance) == (0, charge.amount)
    assert charge.amount > 0
    assert not Entry.objects.filter(charge=charge, cr="tax").exists()


def test_the_credit_note_is_a_valid_e_invoice_of_type_381_that_names_its_invoice(late_client: Any) -> None:
    invoice = make_invoice(late_client, "1000", on=DUE - 30 * DAY, tax="19")
    for share, key in (("0.3333", "c1"), ("0.3333", "c2"), (None, "c3")):
        note = credit(invoice, share, key=key)
        document = einvoice_of(note)
        assert document is not None and not rules.broken(document)
        stored = einvoice_xml(note)
        assert stored is not None
        xml = read_file(stored.sha256).decode()
        assert ">381<" in xml and f">{invoice.number}<" in xml and f">{note.number}<" in xml


def test_a_fully_credited_invoice_is_never_reminded(late_client: Any) -> None:
    invoice = invoice_due(late_client, DUE)
    credit(invoice, None, on=DUE - DAY)
    days_pass(late_client.company, DUE, DUE + 20 * DAY)
    assert sent_to(late_client) == [] and served(invoice) == []


def test_credited_between_planning_and_sending_it_is_dropped(late_client: Any) -> None:
    invoice = invoice_due(late_client, DUE)
    a_day(late_client.company, LATE, send=False)
    message = Message.objects.get(kind="notice")
    credit(invoice, None)
    deliver(message.not_before)
    message.refresh_from_db()
    assert message.state == "cancelled"
    assert not Served.objects.filter(invoice=invoice).exists()


def test_the_reminder_asks_for_what_is_left_and_says_what_was_credited_and_paid(late_client: Any) -> None:
    invoice = invoice_due(late_client, DUE)
    a_day(late_client.company, LATE, send=False)
    message = Message.objects.get(kind="notice")
    pay(late_client, "100", on=LATE)
    credit(invoice, "0.4")
    deliver(message.not_before)
    message.refresh_from_db()
    assert message.state == "sent"
    assert str(invoice) in message.subject + message.text and "€500.00" in message.subject
    assert "€500.00 (of €1,000.00, paid €100.00, credited €400.00)" in message.text


def test_what_a_credit_note_sets_free_is_netted_against_the_next_invoice(late_client: Any) -> None:
    """Case 12: the letter nets credits; a net balance at or below zero is no reminder."""
    paid = make_invoice(late_client, "1000", on=DUE - 40 * DAY)
    pay(late_client, "1000", on=DUE - 20 * DAY)
    other = invoice_due(late_client, DUE, "300")
    credit(paid, "0.5", on=DUE)
    assert unapplied_cash(late_client) == {"EUR": Decimal(500)}
    days_pass(late_client.company, LATE, LATE + 5 * DAY)
    assert sent_to(late_client) == [] and served(other) == []
