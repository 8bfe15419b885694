"""The shells: run_day, why, and the two ticks."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from ar_collections import tasks
from ar_collections.models import Hold, Task
from ar_collections.services.days import run_day
from ar_collections.services.planning import plan
from ar_collections.services.promising import promise_payment
from ar_collections.tasks import charge_late_interest, plan_reminders
from core.models import Company, Tick
from invoices.models import Charge, InterestNotice
from outbox.models import Message
from tests.cast import invoice_due, make_client, make_company, pay

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)


def ask(*arguments: str) -> Any:
    out = io.StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_run_day_plans_then_sends_and_then_has_nothing_left_to_do(late_client):
    invoice_due(late_client, ON - dt.timedelta(days=1))
    invoice_due(late_client, ON - dt.timedelta(days=14))
    assert ask("run_day", "--on", "2026-11-18") == {
        "on": "2026-11-18", "planned": 1, "cancelled": 0, "sent": 0, "failed": 0, "unknown": 0, "interest_posted": {},
        "per_step": {
            "call_1": {"messages": 0, "invoices": 1}, "first_overdue": {"messages": 1, "invoices": 1},
            "reminder_1": {"messages": 1, "invoices": 1},
        },
    }
    assert Message.objects.get().state == "pending"
    sent = ask("run_day", "--on", "2026-11-18", "--send")
    assert (sent["planned"], sent["sent"]) == (0, 1)
    assert set(sent["per_step"]) == {"first_overdue", "reminder_1"}
    again = ask("run_day", "--on", "2026-11-18", "--send")
    assert (again["planned"], again["sent"], again["per_step"]) == (0, 0, {})


def test_run_day_looks_up_each_policy_once(late_client):
    invoice_due(late_client, ON - dt.timedelta(days=1))
    with CaptureQueriesContext(connection) as said:
        run_day([late_client.company], ON, send=False, by="test")
    asked = Counter(name for q in said for name in re.findall(r'FROM "policies_(\w+)"', q["sql"]))
    reminding = {"companypolicy": 1, "segment": 1, "policy": 1, "step": 1}
    interest = {"policychoice": 1, "policy": 1, "interestrule": 2, "referencerate": 1}  # the versions with their rules
    assert asked == Counter(reminding) + Counter(interest) + Counter({"creditpolicy": 1})


def test_what_was_planned_and_not_sent_is_planned_afresh_the_next_day(late_client):
    invoice_due(late_client, ON - dt.timedelta(days=1))
    ask("run_day", "--on", "2026-11-18")
    next_day = ask("run_day", "--on", "2026-11-19", "--send")
    assert (next_day["planned"], next_day["cancelled"], next_day["sent"]) == (1, 1, 1)


def test_run_day_is_a_persons_act_that_no_hold_stops(late_client):
    company = late_client.company
    invoice_due(late_client, ON - dt.timedelta(days=1))
    Hold.objects.create(company=company, reason="import")
    assert ask("run_day", "--on", "2026-11-18", "--send")["sent"] == 1


def test_a_message_already_held_goes_when_a_person_runs_the_day(late_client):
    invoice_due(late_client, ON - dt.timedelta(days=1))
    hold = Hold.objects.create(company=late_client.company, reason="new")
    with time_machine.travel(dt.datetime(2026, 11, 18, 9, tzinfo=dt.UTC)):
        plan_reminders()
    assert Message.objects.get().state == "held"
    assert ask("run_day", "--on", "2026-11-18", "--send")["sent"] == 1
    hold.refresh_from_db()
    assert hold.released


def test_run_day_posts_interest_and_says_how_much(late_client):
    invoice = invoice_due(late_client, dt.date(2026, 9, 30))
    InterestNotice.objects.create(
        invoice=invoice, interest_from=dt.date(2026, 10, 1), given_on=dt.date(2026, 9, 30), given_by="test"
    )
    assert ask("run_day", "--on", "2026-10-31")["interest_posted"] == {"EUR": "10.19"}
    assert ask("run_day", "--on", "2026-10-31")["interest_posted"] == {}


def test_an_empty_database_answers_with_nothing_and_an_unknown_company_is_refused():
    assert ask("run_day", "--on", "2026-11-18")["per_step"] == {}
    out = io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("run_day", "--on", "2026-11-18", "--company", "nobody", "--json", stdout=out)
    assert left.value.code == 1
    assert json.loads(out.getvalue())["error"]["code"] == "no_company"


def test_company_narrows_the_day(late_client):
    other = make_company("two")
    for client in (late_client, make_client(other)):
        invoice_due(client, ON - dt.timedelta(days=1))
    assert ask("run_day", "--on", "2026-11-18", "--company", "two", "--send")["sent"] == 1
    assert Message.objects.get().payload["company"] == other.pk


def test_why_shows_every_guard_and_the_message(late_client):
    free, promised = (invoice_due(late_client, ON - dt.timedelta(days=days)) for days in (1, 8))
    promise_payment(promised, Decimal(500), ON + dt.timedelta(days=3), on=ON, by="client")
    answer = ask("why", late_client.number, "--on", "2026-11-18")
    by_invoice = {step["invoice"]: step for step in answer["steps"]}
    assert by_invoice[str(free)]["verdict"] == "serve"
    assert by_invoice[str(free)]["reached_on"] == "2026-11-18"
    held = by_invoice[str(promised)]
    assert held["verdict"] == "promise" and held["step"] == "reminder_1"
    reasons = {g["guard"]: g["because"] for g in held["guards"] if not g["passes"]}
    assert reasons == {"promise": "promised for 2026-11-21"}
    assert answer["message"]["items"] == [[str(free), "first_overdue"]]
    assert not Message.objects.exists(), "nothing is written"
    ask("run_day", "--on", "2026-11-18", "--send")
    after = ask("why", late_client.number, "--on", "2026-11-18")
    assert after["steps"][0]["verdict"] == "promise" and after["message"]["state"] == "sent"


@pytest.mark.parametrize(
    ("set_up", "guard"), [("credit", "credit"), ("weekend", "window"), ("nobody", "address"), ("spacing", "spacing")]
)
def test_why_names_the_guard(late_client, set_up, guard):
    company, on = late_client.company, ON
    client = make_client(company, "W-1", email=None if set_up == "nobody" else "ap@w.example")
    invoice_due(client, ON - dt.timedelta(days=8))
    if set_up == "credit":
        pay(client, "1000", on=ON, how="none")
    if set_up == "weekend":
        on = dt.date(2026, 11, 21)
    if set_up == "spacing":
        late = invoice_due(client, ON - dt.timedelta(days=2))
        ask("run_day", "--on", "2026-11-17", "--send")
        assert late.served.exists()
        invoice_due(client, ON - dt.timedelta(days=22))
    answer = ask("why", "W-1", "--on", on.isoformat())
    assert {step["verdict"] for step in answer["steps"] if step["step"] != "call_1"} == {guard}
    assert answer["message"] is None


def test_the_ticks_run_for_every_company_on_its_own_day(company):
    """At ten in the evening in Berlin it is the morning of the next day in Auckland."""
    far = make_company("far", time_zone="Pacific/Auckland", country="NZ")
    here, there = make_client(company), make_client(far, time_zone="Pacific/Auckland", country="NZ")
    for client in (here, there):
        invoice_due(client, dt.date(2026, 11, 18))
    Company.objects.create(code="bare", name="No policy yet", legal_name="No policy yet", country="DE")
    with time_machine.travel(dt.datetime(2026, 11, 18, 21, tzinfo=dt.UTC)):
        plan_reminders()
        charge_late_interest()
    (message,) = Message.objects.all()
    assert message.party == f"client:{there.pk}" and message.on == dt.date(2026, 11, 19)
    kept = Tick.objects.get(name="collections.plan").result
    assert kept["far"] == {"messages": 1, "cancelled": 0, "tasks": 0}
    assert "uses no policy" in kept["bare"]["refused"]
    assert not Charge.objects.exists() and not Task.objects.exists()


def test_what_goes_wrong_at_one_company_keeps_no_other_from_its_reminders_and_fails_the_tick(company, monkeypatch):
    other = make_company("two")
    for client in (make_client(company), make_client(other)):
        invoice_due(client, ON - dt.timedelta(days=1))

    def goes_wrong(at, *given, **facts):
        if at == company:
            raise IntegrityError("twice")
        return plan(at, *given, **facts)

    monkeypatch.setattr(tasks, "plan", goes_wrong)
    with time_machine.travel(dt.datetime(2026, 11, 18, 9, tzinfo=dt.UTC)), pytest.raises(tasks.CompaniesFailed):
        plan_reminders()
    assert Message.objects.get().payload["company"] == other.pk
    assert Tick.objects.get(name="collections.plan").error == "CompaniesFailed(\"lo: IntegrityError('twice')\")"


def test_a_company_without_a_policy_refuses_the_day_before_anything_is_done(late_client):
    invoice_due(late_client, ON - dt.timedelta(days=1))
    Company.objects.create(code="zz", name="No policy yet", legal_name="No policy yet", country="DE")
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("run_day", "--on", "2026-11-18", "--json", stdout=out)
    assert json.loads(out.getvalue())["error"]["code"] == "no_policy"
    assert not Message.objects.exists()
