"""Case 26: who pays by debit is reminded all the same (invoiceninja#2379, #7840), yet a debit that fails must accrue.

A payment on its way stops the reminders of what it pays, and of nothing else. When it fails, the ladder goes on where
the invoice stands by its own due day, and late interest counts every day: a payment that never arrived bought no time.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from invoices.models import InterestNotice, Invoice
from invoices.services.charging import accrued
from payments.tests.provided import begin, heard, offer_card
from tests.cast import CLERK, TODAY, invoice_due
from tests.collecting import days_pass, sent_to, served

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def noon(on: dt.date) -> dt.datetime:
    return dt.datetime.combine(on, dt.time(12), tzinfo=dt.UTC)


@pytest.fixture
def invoice(company: Any, late_client: Any) -> Invoice:
    """Due on a Monday; the client pays by a debit that takes days to arrive, and interest was announced."""
    offer_card(company)
    invoice = invoice_due(late_client, TODAY + 5 * DAY)
    InterestNotice.objects.create(
        invoice=invoice, interest_from=invoice.due_on + DAY, given_on=TODAY, given_by=CLERK
    )
    return invoice


def test_who_has_paid_by_debit_hears_nothing_while_the_money_travels(company, late_client, invoice):
    heard(begin(invoice).checkout, "pending")
    another = invoice_due(late_client, TODAY + 5 * DAY, "70")
    days_pass(company, TODAY, TODAY + 14 * DAY)
    assert served(invoice) == []
    assert served(another) and all(str(invoice) not in message.text for message in sent_to(late_client))


def test_a_debit_that_fails_bought_no_time(company, late_client, invoice):
    checkout = begin(invoice).checkout
    heard(checkout, "pending")
    days_pass(company, TODAY, TODAY + 14 * DAY)
    failed_on = TODAY + 14 * DAY  # nine days after it was due
    heard(checkout, "failed", happened_at=noon(failed_on), because="insufficient funds")
    days_pass(company, failed_on, failed_on + 2 * DAY)
    assert [step for step, _on in served(invoice)] == ["reminder_1"], "where nine days late stands, and once"
    assert len(sent_to(late_client)) == 1
    late = accrued(invoice, failed_on).interest
    # 1,000 at 12 % for the nine days from the day after it was due, the days of travelling among them
    assert late.total == (Decimal(1000) * Decimal("0.12") * 9 / 365).quantize(Decimal("0.01"))


def test_a_debit_that_arrives_ends_it(company, late_client, invoice):
    checkout = begin(invoice).checkout
    heard(checkout, "pending")
    days_pass(company, TODAY, TODAY + 7 * DAY)
    heard(checkout, "succeeded", happened_at=noon(TODAY + 7 * DAY))
    days_pass(company, TODAY + 7 * DAY, TODAY + 21 * DAY)
    invoice.refresh_from_db()
    assert invoice.balance == 0 and served(invoice) == [] and sent_to(late_client) == []
