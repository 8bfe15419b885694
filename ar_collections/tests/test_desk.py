"""The verbs of the desk: what was said, what is to be done, where a client stands."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from ar_collections.models import ContactLog, Task
from ar_collections.services.contact_log import correct_contact_log, log_contact
from ar_collections.services.desk import assign_task, close_task, open_task, request_plan, skip_task, snooze_task
from ar_collections.services.stages import escalate, move_stage, stage_of
from audit.models import Event
from clients.models import Contact
from core.errors import Refused
from tests.cast import CLERK, invoice_due, make_client, pay
from tests.collecting import a_day

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)
AT = dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC)
CALL = {"channel": "call", "direction": "out", "happened_at": AT, "on": ON, "by": CLERK}


@pytest.fixture
def call(late_client) -> Task:
    invoice_due(late_client, ON - dt.timedelta(days=14))
    a_day(late_client.company, ON)
    return Task.objects.get(kind="call")


def test_a_conversation_closes_the_call_and_moves_the_stage(late_client, call):
    contact = late_client.contacts.get()
    entry = log_contact(
        late_client, key="k1", outcome="spoke", contact=contact, said="The cheque goes out Friday.", task=call, **CALL
    )
    call.refresh_from_db()
    assert call.closed_on == ON and call.closed_by == CLERK
    assert entry.with_whom == "Mara Winter" and stage_of(late_client) == "called"


@pytest.mark.parametrize("outcome", ["no_answer", "voicemail", "note"])
def test_no_answer_keeps_the_call_open_for_tomorrow(late_client, call, outcome):
    log_contact(late_client, key="k1", outcome=outcome, task=call, **CALL)
    call.refresh_from_db()
    assert call.closed_on is None and call.snoozed_until == ON + dt.timedelta(days=1)


def test_the_same_form_sent_twice_is_one_entry(late_client):
    first = log_contact(late_client, key="k1", outcome="spoke", said="once", **CALL)
    assert log_contact(late_client, key="k1", outcome="spoke", said="twice", **CALL).pk == first.pk
    assert ContactLog.objects.count() == 1


def test_wrong_person_saves_the_right_one_and_retires_the_other(late_client, call):
    wrong = late_client.contacts.get()
    log_contact(
        late_client, key="k1", outcome="wrong_person", contact=wrong, task=call,
        right_person={"name": "Ira Bloom", "email": "ira@bloom.example", "phone": "+49 40 1"}, **CALL,
    )
    wrong.refresh_from_db()
    assert not wrong.is_active
    assert Contact.objects.get(name="Ira Bloom").role == "accounts_payable"
    assert not Task.objects.filter(kind="contact").exists()


def test_wrong_person_without_a_name_is_something_to_find_out(late_client, call):
    log_contact(late_client, key="k1", outcome="wrong_person", contact=late_client.contacts.get(), task=call, **CALL)
    assert "Mara Winter is the wrong person" in Task.objects.get(kind="contact").because


def test_a_next_step_becomes_a_task_on_its_day(late_client):
    later = ON + dt.timedelta(days=2)
    log_contact(late_client, key="k1", outcome="spoke", next_step="Send the delivery note", next_on=later, **CALL)
    task = Task.objects.get()
    assert (task.because, task.due_on, task.kind) == ("Send the delivery note", later, "answer")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"outcome": "shouted"}, "outcome"), ({"channel": "pigeon"}, "channel"),
        ({"next_on": ON - dt.timedelta(days=1)}, "next_on"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(late_client, wrong, field):
    with pytest.raises(Refused) as refused:
        log_contact(late_client, **{"key": "k1", "outcome": "spoke", **CALL, **wrong})
    assert refused.value.where == field and not ContactLog.objects.exists()


def test_a_contact_of_another_client_is_refused(company, late_client):
    stranger = make_client(company, "C-9").contacts.get()
    with pytest.raises(Refused, match="another client"):
        log_contact(late_client, key="k1", outcome="spoke", contact=stranger, **CALL)


def test_a_correction_is_a_new_entry_and_the_old_one_cannot_be_changed(late_client):
    entry = log_contact(late_client, key="k1", outcome="spoke", said="Friday", **CALL)
    corrected = correct_contact_log(entry, key="k2", said="Friday next week", on=ON, by=CLERK)
    assert corrected.corrects == entry and ContactLog.objects.get(pk=entry.pk).said == "Friday"
    with pytest.raises(Refused, match="already corrected"):
        correct_contact_log(entry, key="k3", said="no", on=ON, by=CLERK)
    with pytest.raises(DatabaseError), transaction.atomic():
        ContactLog.objects.filter(pk=entry.pk).update(said="nothing")
    with pytest.raises(DatabaseError), transaction.atomic():
        ContactLog.objects.filter(pk=entry.pk).delete()


def test_a_task_is_put_off_handed_on_and_skipped_with_a_reason(late_client, call, clerk):
    with pytest.raises(Refused):
        snooze_task(call, ON, on=ON, by=CLERK)
    assert snooze_task(call, ON + dt.timedelta(days=3), on=ON, by=CLERK).snoozed_until == ON + dt.timedelta(days=3)
    assert assign_task(call, clerk, by=CLERK).owner == clerk
    with pytest.raises(Refused):
        skip_task(call, reason="  ", on=ON, by=CLERK)
    assert skip_task(call, reason="visits tomorrow", on=ON, by=CLERK).closed_because == "Skipped: visits tomorrow"
    with pytest.raises(Refused, match="done already"):
        close_task(call, because="again", on=ON, by=CLERK)
    acts = Event.objects.filter(object_type="collections.task", object_id=str(call.pk)).values_list("action", flat=True)
    assert set(acts) == {"task_snoozed", "task_assigned", "task_closed"}


def test_a_plan_is_asked_for_once_until_it_is_answered(late_client):
    invoice = invoice_due(late_client, ON)
    task = request_plan(invoice, text="three parts", on=ON, by="client")
    assert request_plan(invoice, text="three parts", on=ON, by="client").pk == task.pk
    close_task(task, because="agreed", on=ON, by=CLERK)
    assert request_plan(invoice, on=ON, by="client").pk != task.pk
    pay(late_client, "1000", on=ON)
    invoice.refresh_from_db()
    with pytest.raises(Refused):
        request_plan(invoice, on=ON, by="client")


def test_a_task_with_a_key_is_there_once(late_client):
    first = open_task(late_client, "answer", because="x", due_on=ON, on=ON, by=CLERK, key="only")
    assert open_task(late_client, "answer", because="y", due_on=ON, on=ON, by=CLERK, key="only").pk == first.pk


def test_stages_move_only_along_the_map_and_the_ladder_never_moves_them_back(late_client):
    move_stage(late_client, "reminded", because="first reminder", on=ON, by=CLERK)
    assert move_stage(late_client, "reminded", because="again", on=ON, by=CLERK) is None
    with pytest.raises(Refused, match="cannot move"):
        move_stage(late_client, "handed_over", because="too soon", on=ON, by=CLERK)
    move_stage(late_client, "final_notice", because="day 45", on=ON, by=CLERK)
    assert escalate(late_client, "reminded", because="another invoice", on=ON, by=CLERK) is None
    assert stage_of(late_client) == "final_notice"
