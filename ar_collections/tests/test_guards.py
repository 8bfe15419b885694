"""Every guard of the planner with its own verdict: what it holds back, why it says so, and when it lets go."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.models import Served, Task
from ar_collections.services.coming import coming
from ar_collections.services.days import run_day
from ar_collections.services.explaining import explain
from ar_collections.services.pausing import claim_paid, end_pause, pause_chasing
from ar_collections.services.stages import move_stage
from clients.models import Client, Contact
from invoices.models import Extension
from outbox.models import Message
from policies.services.guard_rails import seed_guard_rails
from tests.cast import CLERK, TODAY, invoice_due, make_client, pay
from tests.collecting import DAY, a_day, a_step, policy_named, sent_to, served

pytestmark = pytest.mark.django_db


def ago(days: int) -> dt.date:
    return TODAY - days * DAY


def by_policy(client: Client, name: str = "own", **facts: Any) -> Client:
    """The client is treated by a policy of its own."""
    policy_named(name, **facts)
    Client.objects.filter(pk=client.pk).update(policy_name=name)
    client.refresh_from_db()
    return client


def verdicts(client: Client, on: dt.date = TODAY) -> dict[str, str]:
    return {step["step"]: step["verdict"] for step in explain(client, on)["steps"]}


def because(client: Client, guard: str, on: dt.date = TODAY) -> set[str]:
    steps = explain(client, on)["steps"]
    return {g["because"] for step in steps for g in step["guards"] if g["guard"] == guard}


def agreed(invoice: Any, until: dt.date, on: dt.date, **facts: Any) -> Extension:
    return Extension.objects.create(
        invoice=invoice, until_on=until, agreed_on=on, agreed_by=CLERK, reason="a large order", **facts
    )


def test_more_time_agreed_stops_the_ladder_and_it_goes_on_where_it_was(company, late_client):
    """Forty days after the due date it is not sent the notice of day 30: from the new date on it is the eighth day."""
    invoice = invoice_due(late_client, ago(8))
    a_day(company, TODAY)
    assert served(invoice) == [("reminder_1", TODAY)]
    until = TODAY + 20 * DAY
    agreed(invoice, until, TODAY)
    late = ago(0) + 14 * DAY
    assert verdicts(late_client, late) == {"reminder_2": "extension", "call_1": "extension"}
    assert because(late_client, "extension", late) == {f"more time was agreed, to {until.isoformat()}"}
    assert coming(late_client, late) == []
    for n in range(1, 40):
        run_day([company], TODAY + n * DAY, send=False, by="system")
    steps = dict(served(invoice))
    assert steps["call_1"] == until + 14 * DAY and "reminder_2" not in steps and "reissue" not in steps


def test_an_agreement_taken_back_counts_no_more(company, late_client):
    invoice = invoice_due(late_client, ago(8))
    agreed(invoice, TODAY + 20 * DAY, ago(2), withdrawn_on=TODAY, withdrawn_by=CLERK)
    assert verdicts(late_client) == {"reminder_1": "serve"}


def test_whom_others_collect_from_is_left_alone_until_it_is_taken_back(company, late_client):
    invoice_due(late_client, ago(21))
    for stage in ("final_notice", "handed_over"):
        move_stage(late_client, stage, because="the agency has it", on=ago(1), by=CLERK)
    assert set(verdicts(late_client).values()) == {"handed_over"}
    assert "others collect" in because(late_client, "handed_over").pop()
    assert verdicts(late_client, ago(2)) and set(verdicts(late_client, ago(2)).values()) == {"serve"}
    a_day(company, TODAY)
    assert not Message.objects.exists() and not Task.objects.filter(kind="call").exists()
    other = make_client(company, "C-0900")
    invoice_due(other, ago(1))
    assert verdicts(other) == {"first_overdue": "serve"}
    move_stage(late_client, "current", because="taken back", on=TODAY, by=CLERK)
    assert set(verdicts(late_client).values()) == {"serve"}


def test_said_to_be_paid_has_a_word_of_its_own(company, late_client):
    claimed, paused = invoice_due(late_client, ago(8)), invoice_due(late_client, ago(1))
    claim_paid(claimed, on=ago(1), by="client")
    pause = pause_chasing(late_client, invoice=paused, reason="ask Mara", until=TODAY + 3 * DAY, on=ago(1), by=CLERK)
    assert verdicts(late_client) == {"reminder_1": "claim", "first_overdue": "pause"}
    assert because(late_client, "claim") == {
        "", f"says it is paid; we look for the payment until {(TODAY + 6 * DAY).isoformat()}",
    }
    end_pause(pause, on=TODAY, by=CLERK)
    assert verdicts(late_client) == {"reminder_1": "claim", "first_overdue": "serve"}
    assert verdicts(late_client, TODAY + 7 * DAY)["reminder_1"] == "serve", "the time to look is over"


def test_mail_that_came_back_from_every_address(company, late_client):
    invoice_due(late_client, ago(1))
    Contact.objects.filter(client=late_client).update(bounced_at=timezone.now())
    assert verdicts(late_client) == {"first_overdue": "bounced"}
    assert because(late_client, "bounced") == {"mail to every address came back"}
    a_day(company, TODAY)
    assert Task.objects.get(client=late_client).kind == "contact"
    Contact.objects.create(client=late_client, name="Noor Haddad", email="noor@client.example")
    assert verdicts(late_client) == {"first_overdue": "serve"}


def test_below_the_smallest_sum_nothing_is_lost(company, late_client):
    """It is over all that is asked for: a second invoice brings both; a mandatory notice goes whatever the sum."""
    by_policy(late_client, minimum={"EUR": "50"})
    first = invoice_due(late_client, ago(8), "30")
    assert verdicts(late_client) == {"reminder_1": "minimum"}
    assert because(late_client, "minimum") == {"less than 50.00 EUR in all; it goes once the sum grows"}
    a_day(company, TODAY)
    assert not Served.objects.exists()
    second = invoice_due(late_client, TODAY, "20")
    a_day(company, TODAY + DAY)
    assert served(first) == [("reminder_1", TODAY + DAY)] and served(second) == [("first_overdue", TODAY + DAY)]
    pay(late_client, "20", on=TODAY + DAY, how={f"invoice:{second.pk}": Decimal(20)})
    assert verdicts(late_client, first.due_on + 21 * DAY)["reminder_2"] == "minimum"
    assert verdicts(late_client, first.due_on + 30 * DAY)["reissue"] == "serve"


def test_a_step_with_conditions_is_passed_over_and_holds_nothing_up(company, late_client):
    steps = [
        a_step("one", 1), a_step("for_large_sums", 5, minimum={"EUR": "500"}),
        a_step("for_slow_payers", 7, only_for="slow"), a_step("three", 13),
    ]  # fmt: skip
    by_policy(late_client, steps=steps, spacing_days=0)
    invoice = invoice_due(late_client, ago(1), "100")
    a_day(company, TODAY)
    on = invoice.due_on + 8 * DAY
    assert verdicts(late_client, on) == {"for_slow_payers": "only_for"}
    assert because(late_client, "only_for", on) == {"passed over: this step is only for slow payers"}
    assert verdicts(late_client, invoice.due_on + 6 * DAY) == {"for_large_sums": "step_minimum"}
    assert [(c.rung.code, c.on) for c in coming(late_client, TODAY + DAY)] == [("three", invoice.due_on + 13 * DAY)]
    for n in range(1, 14):
        a_day(company, TODAY + n * DAY)
    assert [step for step, _on in served(invoice)] == ["one", "three"]
    passed = Served.objects.filter(outcome="skipped").values_list("step", "because")
    assert set(passed) == {("for_large_sums", "three"), ("for_slow_payers", "three")}


def test_a_condition_that_is_met_later_lets_the_step_go(company, late_client):
    by_policy(late_client, steps=[a_step("large", 5, minimum={"EUR": "500"}), a_step("end", 40)], spacing_days=0)
    invoice = invoice_due(late_client, ago(5), "100")
    a_day(company, TODAY)
    assert not Served.objects.exists()
    invoice_due(late_client, ago(1), "400")
    a_day(company, TODAY)
    assert served(invoice) == [("large", TODAY)]


@pytest.mark.parametrize(
    ("paid_late", "kinds"),
    [
        ([], {"first"}), ([5], {"again"}), ([0, -2, 0], {"first", "reliable"}), ([9, 9, 0], {"again", "slow"}),
        ([9, 0, 0, 0], {"again"}),
    ],
)
def test_what_kind_of_payer_a_client_is(company, late_client, paid_late, kinds):
    """Days late of the bills that were settled; the open one says nothing yet."""
    all_kinds = ["slow", "reliable", "first", "again"]
    by_policy(late_client, steps=[a_step(kind, n + 1, only_for=kind) for n, kind in enumerate(all_kinds)])
    for n, days in enumerate(paid_late):
        due = ago(60 + n)
        bill = invoice_due(late_client, due)
        pay(late_client, "1000", on=due + days * DAY, how={f"invoice:{bill.pk}": Decimal(1000)})
    bad = invoice_due(make_client(company, "C-0900"), ago(60))
    pay(bad.client, "1000", on=TODAY)
    for n in range(4):
        invoice_due(late_client, ago(n + 1))
    steps = explain(late_client, TODAY)["steps"]
    assert {step["step"] for step in steps if step["verdict"] == "serve"} == kinds


def test_a_quiet_period_is_quiet_for_mails_and_calls_and_over_the_new_year(company, late_client):
    by_policy(late_client, steps=[a_step("mail", 1), a_step("call", 2, "call")], quiet_periods=["12-21 to 01-06"])
    invoice_due(late_client, dt.date(2026, 12, 20))
    for day in (22, 28):
        on = dt.date(2026, 12, day)
        assert verdicts(late_client, on) == {"mail": "quiet", "call": "quiet"}
    assert because(late_client, "quiet", on) == {"a quiet period: nobody is reminded"}
    assert [(c.rung.code, c.on) for c in coming(late_client, on)] == [
        ("mail", dt.date(2027, 1, 7)), ("call", dt.date(2027, 1, 7)),
    ]
    a_day(company, on)
    assert not Message.objects.exists() and not Task.objects.exists()
    a_day(company, dt.date(2027, 1, 7))
    assert len(sent_to(late_client)) == 1 and Task.objects.filter(kind="call").count() == 1


def test_bank_data_and_unmatched_payments_are_named_though_nothing_is_known_yet(company, late_client):
    invoice_due(late_client, ago(1))
    assert because(late_client, "bank_data") == because(late_client, "unmatched") == {"no bank data"}


def test_a_mail_and_a_call_of_one_step(company, late_client):
    by_policy(late_client, steps=[a_step("both", 3, also_call=True), a_step("later", 9)], spacing_days=0)
    invoice = invoice_due(late_client, ago(3))
    a_day(company, TODAY)
    rows = Served.objects.filter(invoice=invoice).order_by("channel").values_list("step", "channel", "outcome")
    assert list(rows) == [("both", "call", "served"), ("both", "mail", "served")]
    assert Task.objects.filter(kind="call").count() == 1 and len(sent_to(late_client)) == 1
    a_day(company, TODAY + DAY)
    assert Served.objects.count() == 2 and verdicts(late_client, TODAY + DAY) == {}
    a_day(company, TODAY + 6 * DAY)
    assert [code for code, _on in served(invoice)][-1] == "later"


def test_a_step_that_becomes_a_letter_with_a_version_is_not_served_again(company, late_client):
    invoice = invoice_due(late_client, ago(8))
    a_day(company, TODAY)
    by_policy(late_client, steps=[a_step("reminder_1", 8, "letter")])
    assert verdicts(late_client, TODAY + 6 * DAY) == {} and [step for step, _on in served(invoice)] == ["reminder_1"]


def test_a_mail_that_came_back_moves_what_comes_next_no_further_away(company, late_client):
    by_policy(late_client, steps=[a_step("one", 1), a_step("two", 2)], spacing_days=5)
    invoice_due(late_client, ago(1))
    a_day(company, TODAY)
    Message.objects.create(
        key="back", kind="notice", party=f"client:{late_client.pk}", on=TODAY + 2 * DAY, payload={},
        state="sent", delivery="bounced", not_before=dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC), message_id="<back>",
    )  # fmt: skip
    monday = TODAY + 5 * DAY
    assert [(c.rung.code, c.on) for c in coming(late_client, TODAY + 2 * DAY)] == [("two", monday)]
    a_day(company, monday)
    assert sent_to(late_client)[-1].on == monday


def test_the_next_stage_waits_for_the_day_by_which_the_last_reminder_asked_to_pay(company, late_client):
    """The second reminder went late, on day 28 instead of 21, and gave seven days: day 30 comes on day 35."""
    invoice = invoice_due(late_client, ago(30))
    Served.objects.create(invoice=invoice, step="reminder_2", channel="mail", on=ago(2))
    reissue = verdicts(late_client)
    assert reissue["reissue"] == "time_to_pay"
    assert because(late_client, "time_to_pay") == {f"the last reminder gave time to pay until {ago(-5)}"}
    assert [c.on for c in coming(late_client, TODAY) if c.rung.code == "reissue"] == [ago(-5)]
    assert verdicts(late_client, ago(-4))["reissue"] == "time_to_pay"
    assert verdicts(late_client, ago(-5))["reissue"] == "serve"


def test_a_longer_time_to_pay_by_the_law_of_the_clients_country_is_waited_for_too(company, late_client):
    """In Norway fourteen days, whatever the step says, where the policy names no country."""
    seed_guard_rails("test")
    Client.objects.filter(pk=late_client.pk).update(country="NO")
    late_client.refresh_from_db()
    invoice = invoice_due(late_client, ago(50))
    Served.objects.create(invoice=invoice, step="reissue", channel="mail", on=ago(8))
    assert verdicts(late_client)["final_notice"] == "time_to_pay"
    assert verdicts(late_client, ago(-6))["final_notice"] == "serve"


def test_a_call_is_made_meanwhile(company, late_client):
    invoice = invoice_due(late_client, ago(33))
    Served.objects.create(invoice=invoice, step="reissue", channel="mail", on=ago(3))
    assert "serve" in verdicts(late_client).values() and "final_notice" not in verdicts(late_client)
