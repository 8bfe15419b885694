"""One call, one verb: the log and what the call brought stand or fall together."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.models import ContactLog, Pause, Promise, Task
from ar_collections.services.calling import log_call
from ar_collections.services.desk import open_task
from clients.models import Contact
from core.errors import Refused
from disputes.models import Dispute
from tests.cast import CLERK, TODAY, invoice_due, make_client

pytestmark = pytest.mark.django_db
FRIDAY = dt.date(2026, 11, 27)


@pytest.fixture
def older(late_client: Any) -> Any:
    return invoice_due(late_client, TODAY - dt.timedelta(days=40), "1000")


@pytest.fixture
def newer(late_client: Any) -> Any:
    return invoice_due(late_client, TODAY - dt.timedelta(days=10), "500")


@pytest.fixture
def task(late_client: Any) -> Task:
    return open_task(late_client, "call", because="14 days overdue", due_on=TODAY, on=TODAY, by="system")


def call(client: Any, outcome: str, **facts: Any) -> ContactLog:
    facts = {"key": "call-1", "happened_at": timezone.now()} | facts
    return log_call(client, outcome=outcome, on=TODAY, by=CLERK, **facts)


def test_a_promise_covers_the_oldest_invoice_first(late_client, older, newer, task):
    call(late_client, "promised", about=[newer, older], amount=Decimal("1200"), promised_for=FRIDAY, tasks=[task])
    promised = {p.invoice_id: (p.amount, p.promised_for) for p in Promise.objects.all()}
    assert promised == {older.pk: (Decimal(1000), FRIDAY), newer.pk: (Decimal(200), FRIDAY)}
    assert ContactLog.objects.get().invoices == [older.pk, newer.pk]
    task.refresh_from_db()
    assert task.closed_on == TODAY


def test_more_than_is_open_is_refused_and_leaves_no_log_behind(late_client, older, newer, task):
    with pytest.raises(Refused, match=r"1500.00 EUR is all that is open"):
        call(late_client, "promised", about=[older, newer], amount=Decimal(1501), promised_for=FRIDAY, tasks=[task])
    assert not ContactLog.objects.exists() and not Promise.objects.exists()
    task.refresh_from_db()
    assert task.closed_on is None


@pytest.mark.parametrize(
    ("facts", "where"), [({"promised_for": FRIDAY}, "amount"), ({"amount": Decimal(100)}, "promised_for")]
)
def test_a_promise_has_an_amount_and_a_day(late_client, older, facts, where):
    with pytest.raises(Refused) as refused:
        call(late_client, "promised", about=[older], **facts)
    assert refused.value.where == where


def test_the_same_call_sent_twice_happens_once(late_client, older, task):
    facts = {"about": [older], "amount": Decimal(400), "promised_for": FRIDAY, "tasks": [task]}
    assert call(late_client, "promised", **facts) == call(late_client, "promised", **facts)
    assert ContactLog.objects.count() == Promise.objects.count() == 1


def test_a_dispute_marks_the_invoice_and_keeps_the_words(late_client, older, newer):
    call(late_client, "disputes", about=[newer], said="Two hours too many", reason="price", revisit_on=FRIDAY)
    dispute = Dispute.objects.get()
    assert (dispute.invoice_id, dispute.text, dispute.reason, dispute.revisit_on) == (
        newer.pk, "Two hours too many", "price", FRIDAY,
    )  # fmt: skip


def test_saying_it_is_paid_pauses_every_invoice_it_is_about_and_looks_for_the_money(late_client, older, newer):
    call(late_client, "claims_paid", about=[older, newer], paid_on=TODAY - dt.timedelta(days=2))
    assert set(Task.objects.filter(kind="matching").values_list("invoice", flat=True)) == {older.pk, newer.pk}
    assert Pause.objects.count() == 2


def test_asking_for_a_plan_is_a_task_for_the_oldest(late_client, older, newer):
    call(late_client, "wants_plan", about=[newer, older], said="Three parts?")
    assert Task.objects.get(kind="plan_request").invoice_id == older.pk


def test_no_answer_puts_the_call_off_until_tomorrow(late_client, older, task):
    call(late_client, "no_answer", tasks=[task])
    task.refresh_from_db()
    assert (task.closed_on, task.snoozed_until) == (None, TODAY + dt.timedelta(days=1))


def test_the_right_person_takes_the_place_of_the_wrong_one_and_is_called_next(late_client, older, task):
    wrong = late_client.contacts.get()
    right = {"name": "Jonas Petersen", "phone": "+49 40 66969 900", "email": "jonas@client.example"}
    call(late_client, "wrong_person", contact=wrong, right_person=right, tasks=[task])
    assert list(Contact.objects.filter(client=late_client, is_active=True).values_list("name", flat=True)) == [
        "Jonas Petersen"
    ]
    task.refresh_from_db()
    assert task.closed_on is None and task.snoozed_until is None


def test_a_wrong_person_without_a_right_one_is_a_search_for_a_contact(late_client, older, task):
    call(late_client, "wrong_person", contact=late_client.contacts.get(), tasks=[task])
    task.refresh_from_db()
    assert task.closed_on == TODAY
    assert Task.objects.get(kind="contact").client == late_client


def test_an_invoice_of_somebody_else_is_refused(company, late_client):
    other = invoice_due(make_client(company, "C-0009"), TODAY - dt.timedelta(days=9))
    with pytest.raises(Refused, match="another client"):
        call(late_client, "promised", about=[other], amount=Decimal(5), promised_for=FRIDAY)


def test_nothing_open_leaves_nothing_to_promise(late_client):
    with pytest.raises(Refused, match="Nothing is open"):
        call(late_client, "wants_plan")
