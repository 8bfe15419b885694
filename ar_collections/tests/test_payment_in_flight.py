"""A payment that is on its way stops reminders until it has arrived or failed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from ar_collections.mails import gather
from ar_collections.models import Served
from ar_collections.services.coming import coming
from ar_collections.services.days import run_day
from ar_collections.services.explaining import explain
from outbox.kinds import NothingToSay
from outbox.models import Message
from payments.models import Checkout
from payments.services.checkouts import start_checkout
from payments.tests.provided import AT, begin, heard, link_of, offer_card
from tests.cast import TODAY, invoice_due, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def owed(company: Any, late_client: Any) -> Any:
    offer_card(company)
    return invoice_due(late_client, TODAY - dt.timedelta(days=8))


def verdicts(client: Any) -> set[str]:
    return {step["verdict"] for step in explain(client, TODAY)["steps"]}


def reminded(company: Any) -> int:
    run_day([company], TODAY, send=False, by="system")
    return Message.objects.filter(kind="notice").exclude(state="cancelled").count()


def test_a_payment_only_begun_stops_nothing(company: Any, late_client: Any, owed: Any) -> None:
    begin(owed)
    assert verdicts(late_client) == {"serve"} and reminded(company) == 1


def test_a_payment_on_its_way_stops_reminders_and_why_says_so(company: Any, late_client: Any, owed: Any) -> None:
    heard(begin(owed).checkout, "pending")
    assert verdicts(late_client) == {"payment_in_flight"}
    guards = [guard for step in explain(late_client, TODAY)["steps"] for guard in step["guards"]]
    said = {guard["because"] for guard in guards if guard["guard"] == "payment_in_flight"}
    assert said == {"a payment by card or debit is on its way"}
    assert reminded(company) == 0 and not Served.objects.exists()
    assert coming(late_client, TODAY) == []


def test_a_payment_that_failed_lets_reminders_go_on(company: Any, late_client: Any, owed: Any) -> None:
    checkout = begin(owed).checkout
    heard(checkout, "pending")
    heard(checkout, "failed")
    assert verdicts(late_client) == {"serve"} and reminded(company) == 1


def test_a_payment_that_arrived_leaves_nothing_to_ask_for(company: Any, late_client: Any, owed: Any) -> None:
    checkout = begin(owed).checkout
    heard(checkout, "pending")
    heard(checkout, "succeeded")
    assert explain(late_client, TODAY)["steps"] == [] and reminded(company) == 0


def test_a_small_part_on_its_way_does_not_stop_the_rest(company: Any, late_client: Any, owed: Any) -> None:
    heard(begin(owed, "1").checkout, "pending")
    assert verdicts(late_client) == {"serve"} and reminded(company) == 1


def test_only_the_invoice_that_is_being_paid_is_left_alone(company: Any, late_client: Any, owed: Any) -> None:
    others = [invoice_due(late_client, TODAY - dt.timedelta(days=8)) for _n in range(12)]
    foreign = invoice_due(make_client(company, "C-0043"), TODAY - dt.timedelta(days=8))
    heard(begin(owed).checkout, "pending")
    run_day([company], TODAY, send=False, by="system")
    served = set(Served.objects.values_list("invoice", flat=True))
    assert served == {invoice.pk for invoice in (*others, foreign)}


def test_several_invoices_paid_together_are_all_left_alone(company: Any, late_client: Any, owed: Any) -> None:
    other = invoice_due(late_client, TODAY - dt.timedelta(days=8), "12.34")
    claims = {f"invoice:{i.pk}": Decimal(i.balance) for i in (owed, other)}
    heard(start_checkout(link_of(owed), claims, at=AT, on=TODAY).checkout, "pending")
    assert verdicts(late_client) == {"payment_in_flight"} and reminded(company) == 0


def test_what_was_planned_before_the_client_paid_is_not_sent(company: Any, late_client: Any, owed: Any) -> None:
    assert reminded(company) == 1
    heard(begin(owed).checkout, "pending")
    message = Message.objects.get(kind="notice")
    with pytest.raises(NothingToSay):
        gather(message, AT)
    Checkout.objects.update(state="failed")
    assert gather(message, AT).told
