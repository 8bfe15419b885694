"""Case 24, what follows: a notice that nobody read begins nothing (invoiceninja#11917; inkassoloven § 9).

Interest, fee, stage and cash-only of a notice whose mail came back are undone, and begin with the next one that
reaches somebody; what a person decided meanwhile stays. A notice is kept message by message.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from ar_collections.models import Task
from ar_collections.services.interest import apply_late_interest
from ar_collections.services.stages import move_stage, stage_of
from clients.services import save_contact
from clients.services.status import set_status, status_of
from invoices.models import Charge, Entry, InterestNotice, Invoice
from invoices.services.charging import accrued, charge_interest, give_interest_notice, standing_fees, waive_charge
from outbox.hearing import hear_delivery
from outbox.models import Message
from tests.cast import CLERK, invoice_due, make_manager, pay
from tests.collecting import DAY, a_day, a_step, policy_named, sent_to, served

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 11, 2)  # a Monday
NOTICE = DUE + 8 * DAY
FEE = Decimal(5)


def comes_back(message: Message, **facts: Any) -> None:
    at = dt.datetime.combine(message.on, dt.time(14), tzinfo=dt.UTC)
    facts = {"said": "550 5.1.1 no such user", "key": message.key} | facts
    assert hear_delivery("bounced", at=at, now=at, **facts)


@pytest.fixture
def invoice(late_client):
    """It was sent again with notice of interest, a fee, the last stage and cash-only, all at once."""
    policy_named("strict", steps=[
        a_step(
            "reissue", 8, tone="firm", mandatory=True, interest_notice_days=7, pay_within_days=7,
            fee={"EUR": "5"}, sets_cash_only=True, moves_stage_to="final_notice",
        ),
    ])  # fmt: skip
    late_client.policy_name = "strict"
    late_client.save(update_fields=["policy_name"])
    invoice = invoice_due(late_client, DUE)
    save_contact(late_client, None, {"name": "Jonas Falk", "email": "jonas@client.example"}, by=CLERK)
    a_day(late_client.company, NOTICE)
    return invoice


def stands(invoice: Any, on: dt.date) -> tuple[Any, ...]:
    """From when interest runs, the open fees, the stage and the credit status on a day."""
    status = status_of(invoice.client, on)
    fees = sum((charge.balance for charge in standing_fees(invoice)), Decimal(0))
    return accrued(invoice, on).starts_on, fees, stage_of(invoice.client), status.status if status else "open"


def test_nothing_it_began_stands_and_the_next_one_that_arrives_begins_it(invoice):
    (first,) = sent_to(invoice.client)
    assert stands(invoice, NOTICE) == (NOTICE + 7 * DAY, FEE, "final_notice", "cash_only")
    for _twice in range(2):
        comes_back(first)
    assert stands(invoice, NOTICE) == (None, Decimal(0), "current", "open")
    (fee,) = Charge.objects.filter(kind="fee")
    assert fee.amount == FEE and fee.balance == 0, "charged and reversed; nothing was erased"
    assert Entry.objects.filter(charge=fee, reverses__isnull=False).count() == 1
    assert apply_late_interest(invoice.company, NOTICE + 30 * DAY, by="system") == {}
    a_day(invoice.company, NOTICE + DAY)
    _back, second = sent_to(invoice.client)
    assert second.to_addr == "jonas@client.example" and "€5.00" in second.text
    assert served(invoice) == [("reissue", NOTICE + DAY)]
    assert stands(invoice, NOTICE + DAY) == (NOTICE + 8 * DAY, FEE, "final_notice", "cash_only")
    days = InterestNotice.objects.order_by("pk").values_list("interest_from", "came_back_on")
    assert list(days) == [(NOTICE + 7 * DAY, NOTICE), (NOTICE + 8 * DAY, None)]


def test_who_looks_after_the_account_is_not_left_with_what_holds_no_more(invoice):
    """The task says that the client pays in advance: it is closed with the cash-only of which it tells."""
    client = invoice.client
    client.owner = make_manager()
    client.save(update_fields=["owner"])
    comes_back(sent_to(client)[0])
    a_day(client.company, NOTICE + DAY)
    assert Task.objects.get(kind="inform").closed_on is None
    comes_back(sent_to(client)[1])
    assert Task.objects.get(kind="inform").closed_on == NOTICE + DAY


def test_two_steps_that_moved_it_on_one_after_the_other_are_both_taken_back(late_client):
    """The younger invoice goes by a stricter ladder: the mail first reminds, then it is a final notice."""
    policy_named("mild", steps=[a_step("reminder", 8, moves_stage_to="reminded")])
    policy_named("hard", steps=[a_step("last", 1, mandatory=True, moves_stage_to="final_notice")])
    for due, name in ((DUE, "mild"), (NOTICE - DAY, "hard")):
        Invoice.objects.filter(pk=invoice_due(late_client, due).pk).update(policy_name=name)
    a_day(late_client.company, NOTICE)
    (message,) = sent_to(late_client)
    assert stage_of(late_client) == "final_notice" and len(message.payload["items"]) == 2
    comes_back(message)
    assert stage_of(late_client) == "current"


def test_of_two_that_arrived_the_earliest_day_holds_and_one_that_came_back_moves_nothing(invoice):
    give_interest_notice(invoice, interest_from=NOTICE + 20 * DAY, on=NOTICE, by=CLERK)
    assert stands(invoice, NOTICE)[0] == NOTICE + 7 * DAY
    comes_back(sent_to(invoice.client)[0])
    assert stands(invoice, NOTICE)[0] == NOTICE + 20 * DAY, "the one that arrived counts"


def test_interest_charged_before_it_was_heard_is_taken_back_and_what_was_paid_on_it_is_free(invoice):
    until = NOTICE + 12 * DAY
    (interest,) = charge_interest(invoice, until=until, on=until, by="system")
    pay(invoice.client, str(interest.amount), on=until, how={f"charge:{interest.pk}": interest.amount})
    give_interest_notice(invoice, interest_from=until, on=until, by=CLERK)
    at = dt.datetime.combine(until, dt.time(12), tzinfo=dt.UTC)
    hear_delivery("bounced", at=at, now=at, said="550 5.1.1 no such user", key=sent_to(invoice.client)[0].key)
    interest.refresh_from_db()
    assert interest.balance == 0 and Entry.objects.filter(charge=interest, reverses__kind="charge").exists()
    assert interest.allocations.count() == 1, "the payment stays, unapplied"
    (anew,) = charge_interest(invoice, until=until, on=until, by="system")
    assert (anew.from_on, anew.to_on) == (until, until)


def test_what_a_person_decided_meanwhile_stays(invoice):
    client = invoice.client
    move_stage(client, "compromise", because="talked to them", on=NOTICE, by=CLERK)
    set_status(client, "cash_only", because="they asked for it", source="hand", on=NOTICE, by=make_manager())
    waive_charge(Charge.objects.get(kind="fee"), reason="goodwill", on=NOTICE, by=make_manager("zoe"))
    comes_back(sent_to(client)[0])
    assert (stage_of(client), status_of(client, NOTICE).status) == ("compromise", "cash_only")
    assert Charge.objects.get(kind="fee").balance == 0
    assert Entry.objects.filter(kind="waiver").count() == 1 and not Entry.objects.filter(kind="reversal").exists()


def test_a_fee_paid_already_is_given_back_as_unapplied_cash(invoice):
    fee = Charge.objects.get(kind="fee")
    pay(invoice.client, "5", on=NOTICE, how={f"charge:{fee.pk}": FEE})
    comes_back(sent_to(invoice.client)[0])
    fee.refresh_from_db()
    assert fee.balance == 0 and standing_fees(invoice) == []


def test_a_copy_that_came_back_or_an_unwanted_mail_undoes_nothing(invoice):
    (message,) = sent_to(invoice.client)
    at = message.sent_at
    hear_delivery("complained", at=at, now=at, key=message.key)
    assert stands(invoice, NOTICE) == (NOTICE + 7 * DAY, FEE, "final_notice", "cash_only")


def test_what_cannot_be_undone_is_said_in_the_task_and_the_rest_is_heard(invoice, monkeypatch):
    from core.errors import Refused

    def no(*_args: Any, **_facts: Any) -> None:
        raise Refused("The ledger is closed.")

    monkeypatch.setattr("ar_collections.services.bounces.take_back_what_followed", no)
    comes_back(sent_to(invoice.client)[0])
    assert served(invoice) == []
    assert Task.objects.get(kind="delivery").detail == "550 5.1.1 no such user\nThe ledger is closed."


def test_a_book_from_before_keeps_its_notices_and_knows_which_came_back(invoice):
    from importlib import import_module

    from django.apps import apps
    from django.db import connection

    arrived = give_interest_notice(invoice, interest_from=NOTICE + 20 * DAY, on=NOTICE, by=CLERK)
    at = dt.datetime.combine(NOTICE + DAY, dt.time(14), tzinfo=dt.UTC)
    Message.objects.filter(kind="notice").update(delivery="bounced", delivery_at=at)
    migration = import_module("invoices.migrations.0013_notices_message_by_message")
    migration.carry(apps, SimpleNamespace(connection=connection))
    assert dict(InterestNotice.objects.values_list("pk", "came_back_on")) == {
        InterestNotice.objects.order_by("pk")[0].pk: NOTICE + DAY, arrived.pk: None,
    }  # fmt: skip
    assert stands(invoice, NOTICE)[0] == NOTICE + 20 * DAY
