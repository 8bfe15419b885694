"""Case 15 (erpnext#58220): whoever pays only the invoice must not make the interest vanish without a word.

It stays open as a claim of its own. People collect it, or waive it with a reason and the permission; or the policy
drops what is too small to ask for, and the ledger, the trail and the client's timeline say so.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.services.interest import apply_late_interest
from arledger.invariants import check
from audit.models import Event
from invoices.models import Charge, Entry, InterestNotice, Invoice
from invoices.services.charging import waive_charge
from policies.services import new_version, policy_of
from reports.timeline import client_timeline
from tests.cast import CLERK, invoice_due, make_manager, pay

pytestmark = pytest.mark.django_db

DUE, PAID = dt.date(2026, 1, 1), dt.date(2026, 1, 31)


@pytest.fixture
def invoice(late_client: Any) -> Invoice:
    invoice = invoice_due(late_client, DUE)
    InterestNotice.objects.create(
        invoice=invoice, interest_from=dt.date(2026, 1, 2), given_on=DUE, given_by=CLERK
    )
    return invoice


def only_the_invoice_is_paid(invoice: Invoice) -> Charge:
    pay(invoice.client, "1000", on=PAID, how={f"invoice:{invoice.pk}": Decimal(1000)})
    apply_late_interest(invoice.company, PAID, by="system")
    return Charge.objects.get()


def drops_below(company: Any, least: dict[str, str]) -> None:
    new_version(
        policy_of(company, DUE), effective_from=DUE + dt.timedelta(days=1), changes={"interest_dropped_under": least},
        steps=None, on=DUE, by=CLERK,
    )


def test_it_stays_open_and_the_next_payment_settles_it(invoice: Invoice) -> None:
    charge = only_the_invoice_is_paid(invoice)
    assert charge.balance == charge.amount == Decimal("9.86")
    pay(invoice.client, "9.86", on=PAID + dt.timedelta(days=9))
    charge.refresh_from_db()
    assert charge.balance == 0 and not Entry.objects.filter(kind="waiver").exists()


def test_whoever_may_waives_it_with_a_reason_that_is_kept(invoice: Invoice) -> None:
    charge = only_the_invoice_is_paid(invoice)
    waive_charge(charge, reason="First time in nine years", on=PAID, by=make_manager())
    assert Entry.objects.get(kind="waiver").memo == "First time in nine years"
    assert apply_late_interest(invoice.company, PAID + dt.timedelta(days=40), by="system") == {}


def test_the_policy_drops_what_is_too_small_to_ask_for_and_says_so(invoice: Invoice) -> None:
    drops_below(invoice.company, {"EUR": "10"})
    charge = only_the_invoice_is_paid(invoice)
    assert (charge.amount, charge.balance) == (Decimal("9.86"), 0)
    dropped = Entry.objects.get(kind="waiver")
    assert "below 10.00 EUR" in dropped.memo and "standard from 2026-01-02" in dropped.memo
    assert Event.objects.filter(action="interest_dropped", client_id=invoice.client_id).count() == 1
    assert any("below 10.00 EUR" in happening.quote for happening in client_timeline(invoice.client))
    apply_late_interest(invoice.company, PAID + dt.timedelta(days=1), by="system")
    assert Entry.objects.filter(kind="waiver").count() == 1
    assert check(timezone.now(), fast=False)["violations"] == []


def test_exactly_the_sum_of_the_policy_is_not_too_small_and_other_currencies_are_not_meant(invoice: Invoice) -> None:
    drops_below(invoice.company, {"EUR": "9.86", "USD": "1000"})
    assert only_the_invoice_is_paid(invoice).balance == Decimal("9.86")


def test_while_the_invoice_is_open_nothing_is_dropped(invoice: Invoice) -> None:
    drops_below(invoice.company, {"EUR": "10"})
    apply_late_interest(invoice.company, PAID, by="system")
    assert Charge.objects.get().balance == Decimal("9.86")
