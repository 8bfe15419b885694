"""Case 17 (invoiceninja/ui#2445, erpnext#37397): a fee that was set to 0 is charged all the same, or an old one stays.

Here empty is none and so is 0; the fee is that of the version in force, and what was charged names its version.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.models import Task
from arledger.invariants import check
from invoices.models import Charge
from invoices.services.charging import charge_fee
from policies.models import Step
from policies.services import STEP_FIELDS, new_version, policy_of
from tests.cast import CLERK, invoice_due, make_client
from tests.collecting import days_pass, sent_to

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 1, 5)  # a Monday
FEE_DAY = dt.date(2026, 1, 13)  # the first reminder


def with_fee(company: Any, fee: Any, effective_from: dt.date = dt.date(2026, 1, 1)) -> None:
    """The next version of the policy: its first reminder costs so much."""
    old = policy_of(company, effective_from - dt.timedelta(days=1))
    steps = [{name: getattr(step, name) for name in STEP_FIELDS} for step in old.steps.all()]
    for step in steps:
        if step["code"] == "reminder_1":
            step["fee"] = fee
    new_version(
        old, effective_from=effective_from, changes={}, steps=steps, on=effective_from - dt.timedelta(days=1), by=CLERK
    )


@pytest.mark.parametrize("fee", [{}, {"EUR": "0"}, {"EUR": ""}, {"EUR": None}, {"USD": "5"}])
def test_nothing_set_is_nothing_charged(late_client: Any, fee: Any) -> None:
    invoice = invoice_due(late_client, DUE)
    step = policy_of(late_client.company, DUE).steps.get(code="reminder_1")
    step.fee = fee
    assert charge_fee(invoice, step, on=FEE_DAY, by="system") is None
    assert not Charge.objects.exists() and not Task.objects.exists()


def test_a_sent_reminder_costs_its_fee_once_whatever_runs_again(late_client: Any) -> None:
    company = late_client.company
    with_fee(company, {"EUR": "2.50"})
    invoice = invoice_due(late_client, DUE)
    days_pass(company, FEE_DAY, FEE_DAY)
    days_pass(company, FEE_DAY, FEE_DAY)
    (fee,) = Charge.objects.all()
    assert (fee.key, fee.kind, str(fee.amount)) == (f"fee:{invoice.pk}:reminder_1", "fee", "2.5000")
    assert str(fee.policy) == "standard from 2026-01-01" and len(sent_to(late_client)) == 1
    invoice.refresh_from_db()
    assert invoice.balance == invoice.total, "a claim of its own"
    assert check(timezone.now(), fast=False)["violations"] == []


def test_taking_the_fee_away_stops_it_and_leaves_what_was_charged(late_client: Any) -> None:
    company = late_client.company
    with_fee(company, {"EUR": "2.50"})
    invoice_due(late_client, DUE)
    days_pass(company, FEE_DAY, FEE_DAY)
    with_fee(company, {}, FEE_DAY + dt.timedelta(days=1))
    other = make_client(company, "C-0077", email="other@client.example")
    later = invoice_due(other, DUE + dt.timedelta(days=7))
    days_pass(company, FEE_DAY + dt.timedelta(days=7), FEE_DAY + dt.timedelta(days=7))
    assert len(sent_to(other)) == 1 and not later.charges.exists()
    assert [str(c.policy) for c in Charge.objects.all()] == ["standard from 2026-01-01"]


def test_a_fee_that_is_no_amount_is_somebodys_task_and_the_reminder_still_counts(late_client: Any) -> None:
    """What was entered past every form, in the database itself."""
    invoice = invoice_due(late_client, DUE)
    step = Step(code="x", title="First reminder", offset_days=8, policy=policy_of(late_client.company, DUE))
    for said in ("a lot", "-3", "0.001", "NaN"):
        step.fee = {"EUR": said}
        with pytest.raises(Exception, match="is no amount of EUR"):
            charge_fee(invoice, step, on=FEE_DAY, by="system")
    assert not Charge.objects.exists()
