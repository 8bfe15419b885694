"""Case 18 (invoiceninja#11937, erpnext PR#27528): a fee changes the issued invoice, and its e-invoice is wrong.

Here a fee, compensation and interest are claims of their own, outside VAT; the invoice keeps every byte, and the
reminder names the overdue invoice, never the fee.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from arledger.invariants import check
from core.services import read_file
from invoices.models import FEE, Charge, Entry, Invoice
from invoices.pdf import invoice_pdf
from invoices.services.charging import charge_compensation, charge_fee
from payments.services import open_claims
from policies.models import Step
from policies.services import STEP_FIELDS, policy_of
from tests.by_law import charge_by, enter_rates
from tests.cast import make_invoice, pay
from tests.collecting import DAY, days_pass, sent_to

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 1, 5)  # a Monday


@pytest.fixture
def invoice(late_client: Any) -> Invoice:
    """1,190 with VAT, by law, with a fee of 5 for the first reminder."""
    enter_rates()
    steps = [
        {name: getattr(step, name) for name in STEP_FIELDS}
        | ({"fee": {"EUR": "5"}} if step.code == "reminder_1" else {})
        for step in policy_of(late_client.company, DUE - 40 * DAY).steps.all()
    ]
    charge_by(late_client.company, "EU", DUE - 35 * DAY, steps=steps)
    return make_invoice(late_client, "1000", on=DUE - 30 * DAY, tax="19")


def kept(invoice: Invoice) -> tuple[Any, ...]:
    facts = Invoice.objects.filter(pk=invoice.pk).values_list(
        "number", "net", "tax", "total", "balance", "frozen", "reference", "due_on", "pdf__sha256"
    )
    return (facts.get(), list(invoice.lines.values_list("description", "quantity", "unit_price", "net")))


def test_the_issued_invoice_stays_as_it_is_to_the_byte(invoice: Invoice) -> None:
    content = read_file(invoice_pdf(invoice).sha256)
    before = kept(invoice)
    days_pass(invoice.company, DUE + 8 * DAY, DUE + 8 * DAY)
    charge_compensation(invoice, on=DUE + 9 * DAY, by="system")
    assert sorted(Charge.objects.values_list("kind", "amount")) == [("compensation", 40), ("fee", 5)]
    assert kept(invoice) == before and read_file(invoice_pdf(Invoice.objects.get()).sha256) == content
    with pytest.raises(DatabaseError), transaction.atomic():
        Charge.objects.update(amount=1)
    assert check(timezone.now(), fast=False)["violations"] == []


def test_charges_are_outside_vat_and_claims_of_their_own(invoice: Invoice) -> None:
    step = Step(code="x", title="x", offset_days=1, fee={"EUR": "5"}, policy=policy_of(invoice.company, DUE))
    charge_fee(invoice, step, on=DUE + DAY, by="system")
    charge_compensation(invoice, on=DUE + DAY, by="system")
    accounts = Entry.objects.filter(charge__isnull=False).values_list("dr", "cr")
    assert set(accounts) == {("receivable_charges", FEE)}
    claims = [claim.key.partition(":")[0] for claim in open_claims(invoice.client, "EUR")]
    assert claims == ["invoice", "charge", "charge"]
    pay(invoice.client, "1190", on=DUE + 2 * DAY)
    invoice.refresh_from_db()
    assert invoice.balance == 0, "money goes to what was sold first"
    assert [c.balance for c in Charge.objects.order_by("pk")] == [5, 40]


def test_the_reminder_names_the_overdue_invoice_and_never_the_fee_as_one(invoice: Invoice) -> None:
    days_pass(invoice.company, DUE + 8 * DAY, DUE + 8 * DAY)
    days_pass(invoice.company, DUE + 21 * DAY, DUE + 21 * DAY)
    mails = sent_to(invoice.client)
    assert len(mails) == 2
    for mail in mails:
        assert str(invoice.number) in mail.subject + mail.text
        assert not any(charge.key in mail.text for charge in Charge.objects.all())
    assert Invoice.objects.count() == 1, "no invoice for the fee"
