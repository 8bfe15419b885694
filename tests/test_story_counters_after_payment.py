"""Case 36: the counters of a campaign after payment (lago#2875, #2876).

The counter belongs to the invoice. A payment ends it with the invoice; the next invoice begins at the beginning; a
payment that comes back goes on where it was, and a part payment keeps the place.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from ar_collections.services.explaining import explain
from ar_collections.services.stages import stage_of
from invoices.models import Invoice
from payments.models import Allocation
from payments.services import deallocate
from tests.cast import CLERK, TODAY, invoice_due, pay
from tests.collecting import DAY, a_day, on_days, sent_to, served

pytestmark = pytest.mark.django_db


def paid(invoice: Invoice, amount: str, on: object) -> object:
    return pay(invoice.client, amount, on=on, how={f"invoice:{invoice.pk}": Decimal(amount)})


def test_the_next_invoice_begins_at_the_beginning(company, late_client):
    """The first was under its second reminder when it was paid; the next one is told of in a friendly way."""
    first = invoice_due(late_client, TODAY - 21 * DAY)
    a_day(company, TODAY)
    assert dict(served(first))["reminder_2"] == TODAY
    paid(first, "1000", TODAY + DAY)
    second = invoice_due(late_client, TODAY + 5 * DAY)
    on_days(company, TODAY, 1, 6)
    assert served(second) == [("pre_due", TODAY + DAY), ("first_overdue", TODAY + 6 * DAY)]


def test_a_paid_invoice_is_never_counted_on(company, late_client):
    invoice = invoice_due(late_client, TODAY - 8 * DAY)
    a_day(company, TODAY)
    before = served(invoice)
    paid(invoice, "1000", TODAY + DAY)
    on_days(company, TODAY, 1, 6, 13, 22, 30)
    assert served(invoice) == before and explain(late_client, TODAY + 30 * DAY)["steps"] == []
    assert stage_of(late_client) == "current"


def test_a_part_payment_keeps_the_place(company, late_client):
    """Paying a third does not begin the ladder anew, and does not repeat what was said."""
    invoice = invoice_due(late_client, TODAY - 8 * DAY)
    a_day(company, TODAY)
    paid(invoice, "300", TODAY + DAY)
    on_days(company, TODAY, 1, 6, 13)
    assert [step for step, _on in served(invoice)] == ["reminder_1", "call_1", "reminder_2"]
    assert "700.00" in sent_to(late_client)[-1].text


def test_a_payment_that_comes_back_goes_on_where_it_was(company, late_client):
    """Taken off the invoice after two weeks: the next step of its age, and nothing of before once more."""
    invoice = invoice_due(late_client, TODAY - 8 * DAY)
    a_day(company, TODAY)
    payment = paid(invoice, "1000", TODAY + DAY)
    on_days(company, TODAY, 1, 6, 12)
    deallocate(Allocation.objects.get(payment=payment), on=TODAY + 13 * DAY, by=CLERK)
    steps = {step["step"]: step["verdict"] for step in explain(late_client, TODAY + 13 * DAY)["steps"]}
    assert set(steps) == {"reminder_2", "call_1"}
    assert set(steps.values()) == {"credit"}, "the money lies there unapplied: nobody is reminded of it"


def test_two_invoices_count_each_for_itself(company, late_client):
    first, second = invoice_due(late_client, TODAY - 8 * DAY), invoice_due(late_client, TODAY - DAY)
    a_day(company, TODAY)
    paid(first, "1000", TODAY + DAY)
    on_days(company, TODAY, 1, 7, 8)
    assert served(first) == [("reminder_1", TODAY)]
    assert served(second) == [("first_overdue", TODAY), ("reminder_1", TODAY + 7 * DAY)]
