"""What follows from a sent reminder: fee, claim, credit; what one of them is refused undoes none of the others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ar_collections.models import Task
from ar_collections.services.interest import claim_interest
from clients.services.status import set_status, status_of
from core.errors import Refused
from invoices.models import Charge, InterestNotice
from outbox.models import Message
from policies.services import STEP_FIELDS, new_version, policy_of
from tests.cast import CLERK, invoice_due, make_manager, pay
from tests.collecting import a_step, days_pass, policy_named, sent_to

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 1, 5)  # a Monday
LATE = DUE + dt.timedelta(days=8)


@pytest.fixture
def harder(late_client: Any) -> Any:
    """The first reminder costs 5 and ends credit."""
    old = policy_of(late_client.company, dt.date(2025, 12, 31))
    steps = [{name: getattr(step, name) for name in STEP_FIELDS} for step in old.steps.all()]
    for step in steps:
        if step["code"] == "reminder_1":
            step |= {"fee": {"EUR": "5"}, "sets_cash_only": True, "claims_interest": True}
    new_version(
        old, effective_from=dt.date(2026, 1, 1), changes={}, steps=steps, on=dt.date(2025, 12, 31), by=CLERK
    )
    return late_client


def test_the_step_ends_credit_and_says_so(harder: Any) -> None:
    invoice_due(harder, DUE)
    days_pass(harder.company, LATE, LATE)
    standing = status_of(harder, LATE)
    assert standing is not None and (standing.status, standing.source) == ("cash_only", "policy")
    assert "First reminder" in standing.because and Charge.objects.get().kind == "fee"


def test_what_a_person_decided_about_credit_stays(harder: Any) -> None:
    set_status(harder, "open", because="The director knows them", source="hand", on=DUE, by=make_manager())
    invoice_due(harder, DUE)
    days_pass(harder.company, LATE, LATE)
    standing = status_of(harder, LATE)
    assert standing is not None and (standing.status, standing.source) == ("open", "hand")


def test_what_is_refused_is_one_task_and_undoes_nothing_else(harder: Any, monkeypatch: Any) -> None:
    def refuses(*_args: Any, **_facts: Any) -> None:
        raise Refused("Not today.")

    monkeypatch.setattr("ar_collections.services.serving.claim_interest", refuses)
    invoice = invoice_due(harder, DUE)
    days_pass(harder.company, LATE, LATE)
    assert len(sent_to(harder)) == 1 and Charge.objects.get().kind == "fee"
    assert Task.objects.get(key__startswith="follow:").detail == "Not today."
    monkeypatch.undo()
    assert claim_interest(invoice, on=LATE, by="system") == [], "no notice was given: nothing to claim"


def test_the_invoice_sent_again_makes_cash_only_tells_the_client_and_informs_the_owner(late_client: Any) -> None:
    """As design/ladder.md has it of day 30: one run of the day does all of it; once paid the task is done."""
    owner = make_manager("ida")
    late_client.owner = owner
    late_client.save(update_fields=["owner"])
    invoice, on = invoice_due(late_client, DUE), DUE + dt.timedelta(days=30)
    days_pass(late_client.company, on, on)
    assert status_of(late_client, on).status == "cash_only"
    told = Message.objects.get(kind="credit_notice")
    assert (told.state, told.on) == ("sent", on), "on the same day, after the reminder that brought it about"
    task = Task.objects.get(kind="inform")
    assert (task.owner, task.invoice, task.closed_on) == (owner, invoice, None) and "sent again" in task.because
    pay(late_client, "1000", on=on + dt.timedelta(days=1))
    days_pass(late_client.company, on + dt.timedelta(days=1), on + dt.timedelta(days=1))
    task.refresh_from_db()
    assert task.closed_on and status_of(late_client, task.closed_on).status == "open"


def test_where_nobody_looks_after_the_account_nobody_is_informed(late_client: Any) -> None:
    invoice_due(late_client, DUE)
    days_pass(late_client.company, DUE + dt.timedelta(days=30), DUE + dt.timedelta(days=30))
    assert status_of(late_client, DUE + dt.timedelta(days=30)).status == "cash_only"
    assert not Task.objects.filter(kind="inform").exists()


def test_what_rides_along_with_the_invoice_sent_again_hinders_nothing(late_client: Any) -> None:
    """One mail for two invoices, of which one is sent again and the other is reminded of for the first time."""
    late_client.owner = make_manager("ida")
    late_client.save(update_fields=["owner"])
    on = DUE + dt.timedelta(days=30)
    old, _young = invoice_due(late_client, DUE), invoice_due(late_client, on - dt.timedelta(days=1), "500")
    days_pass(late_client.company, on, on)
    assert Message.objects.get(kind="notice").state == "sent"
    assert Task.objects.get(kind="inform").invoice == old and status_of(late_client, on).status == "cash_only"


def test_whom_a_person_lets_buy_on_credit_is_not_said_to_pay_in_advance(late_client: Any) -> None:
    late_client.owner = make_manager("ida")
    late_client.save(update_fields=["owner"])
    set_status(late_client, "open", because="The director knows them", source="hand", on=DUE, by=late_client.owner)
    invoice_due(late_client, DUE)
    days_pass(late_client.company, DUE + dt.timedelta(days=30), DUE + dt.timedelta(days=30))
    told = Task.objects.get(kind="inform").because
    assert "sent again" in told and "in advance" not in told


def test_interest_of_which_the_mail_says_nothing_does_not_begin(late_client: Any) -> None:
    """A version from before «0 days» was refused: the mail names no day, so none is kept."""
    policy_named("old", steps=[a_step("again", 8, attach_invoice=True, interest_notice_days=0)])
    late_client.policy_name = "old"
    late_client.save(update_fields=["policy_name"])
    invoice_due(late_client, DUE)
    days_pass(late_client.company, LATE, LATE)
    (message,) = sent_to(late_client)
    assert "interest" not in message.text.lower() and not InterestNotice.objects.exists()
