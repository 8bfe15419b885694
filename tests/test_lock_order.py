"""Every verb locks the client before its invoices and charges, so that no two ever wait for each other (PostgreSQL)."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ar_collections.services.pausing import claim_paid
from ar_collections.services.promising import promise_payment
from invoices.models import Charge, Invoice
from invoices.services.charging import charge_interest, give_interest_notice, replace_interest, waive_charge
from invoices.services.issuing import issue_invoice, void_invoice
from payments.models import Payment
from payments.services import allocate, deallocate
from tests.cast import CLERK, make_draft, make_invoice, make_manager, pay

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole book, not rows"),
]
MAR, MAY = dt.date(2026, 3, 31), dt.date(2026, 5, 31)


@pytest.fixture
def book(late_client) -> Invoice:
    """An invoice with interest charged for March, and a payment of which something is left."""
    invoice = make_invoice(late_client, on=dt.date(2026, 1, 1))
    give_interest_notice(invoice, interest_from=dt.date(2026, 3, 1), on=dt.date(2026, 2, 20), by=CLERK)
    charge_interest(invoice, until=MAR, on=MAR, by=CLERK)
    pay(late_client, "100", on=MAR, how={f"invoice:{invoice.pk}": Decimal(40)})
    return invoice


VERBS = {
    "issue": lambda i: issue_invoice(Invoice.objects.drafts().get(), on=MAY, by=CLERK),
    "void": lambda i: void_invoice(Invoice.objects.get(total=7), reason="wrong", on=MAY, by=CLERK),
    "charge": lambda i: charge_interest(i, until=MAY, on=MAY, by=CLERK),
    "replace": lambda i: replace_interest(Charge.objects.get(), on=MAY, by=CLERK),
    "waive": lambda i: waive_charge(Charge.objects.get(), reason="goodwill", on=MAY, by=make_manager()),
    "promise": lambda i: promise_payment(i, Decimal(5), MAY, on=MAY, by=CLERK),
    "claim": lambda i: claim_paid(i, on=MAY, by=CLERK),
    "pay": lambda i: pay(i.client, "10", on=MAY),
    "allocate": lambda i: allocate(Payment.objects.get(), "oldest", on=MAY, by=CLERK),
    "deallocate": lambda i: deallocate(Payment.objects.get().allocations.get(), on=MAY, by=CLERK),
}


@pytest.mark.parametrize("verb", VERBS)
def test_the_client_is_locked_first(book, verb):
    make_draft(book.client, "3")
    make_invoice(book.client, "7", on=MAY)
    with CaptureQueriesContext(connection) as said:
        VERBS[verb](book)
    locks = [re.search(r'FROM "(\w+)"', q["sql"])[1] for q in said if "FOR UPDATE" in q["sql"]]
    assert locks[0] == "clients_client"
