"""The planner at work: tasks, who cannot be written to, what closes itself, and what a failed mail leaves behind."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ar_collections.mails import expires
from ar_collections.models import Served, StageChange, Task
from ar_collections.reports import next_step, queue
from ar_collections.services.deciding import owing
from ar_collections.services.desk import close_task
from ar_collections.services.planning import plan
from ar_collections.services.stages import stage_of
from clients.models import Contact
from core.errors import Refused
from disputes.services import close_dispute, open_dispute
from invoices.models import Invoice
from invoices.services.issuing import void_invoice
from outbox import transport
from outbox.models import Message
from outbox.services import deliver, send_again
from payments.models import Allocation
from payments.services import deallocate
from tests.cast import CLERK, invoice_due, make_client, make_draft, pay
from tests.collecting import a_day, days_pass, sent_to, served

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)  # a Wednesday


def ago(days: int) -> dt.date:
    return ON - dt.timedelta(days=days)


def test_one_call_for_all_that_is_due_and_what_comes_later_joins_the_open_one(late_client):
    company = late_client.company
    first, second = invoice_due(late_client, ago(14)), invoice_due(late_client, ago(13))
    a_day(company, ON)
    a_day(company, ON + dt.timedelta(days=1))
    task = Task.objects.get(kind="call")
    assert {row.invoice for row in task.served.all()} == {first, second}
    assert task.because == "An invoice reached the call step, 14 days overdue"


def test_what_becomes_due_after_the_days_call_was_made_is_a_call_of_its_own(late_client):
    """The call is logged; the same day a dispute of another invoice ends."""
    company = late_client.company
    first, second = invoice_due(late_client, ago(14)), invoice_due(late_client, ago(14))
    dispute = open_dispute(second, reason="price", on=ago(20), by="client")
    a_day(company, ON)
    done = Task.objects.get(kind="call")
    close_task(done, because="spoke", on=ON, by=CLERK)
    close_dispute(dispute, outcome="the price is right", on=ON, by=CLERK)
    a_day(company, ON)
    again = Task.objects.get(kind="call", closed_on=None)
    assert [row.invoice for row in done.served.all()] == [first]
    assert [row.invoice for row in again.served.all()] == [second]
    close_task(again, because="spoke once more", on=ON, by=CLERK)
    invoice_due(late_client, ago(15))
    a_day(company, ON)
    assert Task.objects.filter(kind="call").count() == 3


def test_a_small_sum_is_a_call_of_low_priority_and_is_not_forgotten(late_client):
    invoice_due(late_client, ago(14), "249.99")
    a_day(late_client.company, ON)
    assert Task.objects.get(kind="call").low_priority
    other = make_client(late_client.company, "C-0900")
    invoice_due(other, ago(14), "250")
    a_day(late_client.company, ON)
    assert not Task.objects.get(kind="call", client=other).low_priority


def test_a_call_closes_itself_when_what_it_was_about_is_paid(late_client):
    company = late_client.company
    first, _second = invoice_due(late_client, ago(14), "100"), invoice_due(late_client, ago(14), "900")
    a_day(company, ON)
    pay(late_client, "100", on=ON, how={f"invoice:{first.pk}": Decimal(100)})
    a_day(company, ON)
    assert Task.objects.get(kind="call").closed_on is None
    pay(late_client, "900", on=ON)
    a_day(company, ON)
    assert Task.objects.get(kind="call").closed_because == "Paid"


def test_nobody_to_write_to_is_a_task_and_the_step_does_not_count_as_served(late_client):
    company = late_client.company
    client = make_client(company, "C-0700", email=None)
    invoice = invoice_due(client, ago(1))
    for on in (ON, ON + dt.timedelta(days=1)):
        assert a_day(company, on).waiting == {(invoice.pk, "first_overdue"): "address"}
    assert Task.objects.filter(kind="contact", client=client).count() == 1
    assert not Served.objects.exists() and not Message.objects.exists()
    Contact.objects.create(client=client, name="Ira Bloom", email="ira@bloom.example")
    a_day(company, ON + dt.timedelta(days=2))
    assert served(invoice) == [("first_overdue", ON + dt.timedelta(days=2))]
    assert Task.objects.get(kind="contact").closed_because == "There is a contact now"


def test_the_telephone_does_not_wait_for_a_letter_that_nobody_can_get(late_client):
    client = make_client(late_client.company, "C-0700", email=None)
    invoice_due(client, ago(61))
    a_day(late_client.company, ON)
    assert set(Task.objects.filter(client=client).values_list("kind", flat=True)) == {"call", "contact", "review"}


def test_a_review_waits_for_the_final_notice(late_client):
    """Whoever was given fourteen days has had them before anybody decides how to go on; the notice before it, seven."""
    invoice_due(late_client, ago(61))
    days_pass(late_client.company, ON, ON + dt.timedelta(days=23))
    review = Task.objects.get(kind="review")
    again, final = [m for m in sent_to(late_client) if m.subject.startswith(("Invoice", "Final"))][:2]
    assert final.on >= again.on + dt.timedelta(days=7) and review.due_on == final.on + dt.timedelta(days=14)


def test_a_refused_address_opens_the_steps_again_and_raises_a_task(late_client, monkeypatch):
    """Case 24: a message that failed does not count as served."""
    company, invoice = late_client.company, invoice_due(late_client, ago(1))

    class No(transport.Folder):
        def hand_over(self, letter, before_body):
            raise transport.Rejected("550 no such user", for_ever=True)

    plan(company, ON, by="system")
    with monkeypatch.context() as patched:
        patched.setattr(transport, "current", lambda: No(transport.Path("nowhere")))
        patched.setattr(No, "open", lambda self: False)
        deliver(Message.objects.get().not_before)
    failed = Message.objects.get()
    assert failed.state == "failed"
    assert not Served.objects.filter(invoice=invoice).exists()
    assert "550 no such user" in Task.objects.get(kind="delivery").detail
    assert a_day(company, ON).planned == 0, "not twice on one day"
    again = send_again(failed, on=ON, now=failed.not_before, by=CLERK)
    deliver(again.not_before)
    again.refresh_from_db()
    assert again.state == "sent"
    assert served(invoice) == [("first_overdue", ON)]


def test_what_a_person_sends_again_in_the_evening_still_waits_for_the_mail_server_the_next_morning(late_client):
    company = late_client.company
    invoice_due(late_client, ago(1))
    a_day(company, ON)
    again = send_again(Message.objects.get(), on=ON, now=Message.objects.get().not_before, by=CLERK)
    plan(company, ON + dt.timedelta(days=1), by="system")
    again.refresh_from_db()
    assert again.state == "pending"


def test_a_client_is_reminded_then_under_final_notice_then_cleared(late_client):
    company = late_client.company
    invoice_due(late_client, ago(8))
    a_day(company, ON)
    assert stage_of(late_client) == "reminded"
    days_pass(company, ON + dt.timedelta(days=13), ON + dt.timedelta(days=40))
    assert stage_of(late_client) == "final_notice"
    pay(late_client, "1100", on=ON + dt.timedelta(days=41))
    a_day(company, ON + dt.timedelta(days=41))
    assert stage_of(late_client) == "current"
    assert list(StageChange.objects.order_by("pk").values_list("stage_to", flat=True)) == [
        "reminded", "final_notice", "current",
    ]


def test_a_letter_goes_by_mail_and_has_to_be_posted_with_a_copy_to_the_next_contact(late_client):
    Contact.objects.create(client=late_client, name="Noor Haddad", role="approver", email="noor@client.example")
    invoice_due(late_client, ago(21))
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert message.cc_addr == "noor@client.example" and message.to_addr == "ap@client.example"
    assert [a["name"] for a in message.attachments] == [f"letter-{ON}.pdf"]
    assert Task.objects.filter(kind="letter").count() == 1


def test_the_balance_at_the_end_of_any_day_is_that_of_the_entries_up_to_it(late_client):
    invoice = invoice_due(late_client, ago(1))
    pay(late_client, "400", on=ago(3))
    second = pay(late_client, "600", on=ON)
    deallocate(Allocation.objects.get(payment=second), on=ON + dt.timedelta(days=3), by=CLERK)
    expected = {4: "1000", 3: "600", 1: "600", 0: None, -2: None, -3: "600"}
    for days, owed in expected.items():
        row = owing(late_client.company, ago(days)).filter(pk=invoice.pk).first()
        assert (row.owed if row else None) == (Decimal(owed) if owed else None), days
    assert not owing(late_client.company, ago(32)).exists(), "not issued yet"


def test_the_queue_is_ordered_by_money_at_risk_with_a_fixed_number_of_queries(company, clerk):
    def fill(first: int, count: int) -> None:
        for n in range(first, first + count):
            invoice_due(make_client(company, f"Q-{n}", owner=clerk), ago(14), str(100 * n))

    now = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
    fill(1, 3)
    a_day(company, ON)
    with CaptureQueriesContext(connection) as few:
        queue([company], ON, now)
    fill(4, 5)
    a_day(company, ON)
    with CaptureQueriesContext(connection) as many:
        rows = queue([company], ON, now)
    assert len(many) == len(few) <= 8
    assert [row.at_risk for row in rows] == [800, 700, 600, 500, 400, 300, 200, 100]
    assert [row.task.low_priority for row in rows] == [False] * 6 + [True] * 2
    first = rows[0]
    assert (first.days_overdue, first.phone, first.local_time.hour) == (14, "+49 40 5550 9921", 13)
    assert first.reason.startswith("An invoice reached the call step")


def test_the_next_step_is_named_with_its_day(late_client):
    invoice = invoice_due(late_client, ago(1))
    a_day(late_client.company, ON)
    upcoming = next_step(late_client, ON)
    assert (upcoming.step.code, upcoming.on, upcoming.invoice) == ("reminder_1", ago(1) + dt.timedelta(days=8), invoice)
    pay(late_client, "1000", on=ON)
    assert next_step(late_client, ON) is None


def test_a_quiet_day_asks_few_questions(late_client):
    invoice_due(late_client, ON + dt.timedelta(days=60))
    with CaptureQueriesContext(connection) as asked:
        plan(late_client.company, ON, by="system")
    assert len(asked) <= 14
    assert not any(q["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for q in asked.captured_queries)


def test_void_and_draft_are_never_reminded(late_client):
    make_draft(late_client)
    void_invoice(invoice_due(late_client, ago(1)), reason="wrong client", on=ago(1), by=CLERK)
    a_day(late_client.company, ON)
    assert not Message.objects.exists() and Invoice.objects.count() == 2


def test_what_is_refused_after_the_sending_does_not_undo_it(late_client, monkeypatch):
    def no(*_given, **_facts):
        raise Refused("interest cannot begin here")

    monkeypatch.setattr("ar_collections.services.serving.give_interest_notice", no)
    invoice = invoice_due(late_client, ago(30))
    a_day(late_client.company, ON)
    assert [m.state for m in sent_to(late_client)] == ["sent"]
    assert ("reissue", ON) in served(invoice)
    assert Task.objects.get(key__startswith="follow:").detail == "interest cannot begin here"


def test_at_the_end_of_the_ladder_a_statement_comes_every_thirty_days_and_the_decision_is_asked_for_again(late_client):
    """Case 35 (killbill#708): what happens after the last step."""
    company, invoice = late_client.company, invoice_due(late_client, ago(89))
    for step, channel in (("reissue", "mail"), ("final_notice", "letter")):
        Served.objects.create(invoice=invoice, step=step, channel=channel, on=ago(40))
    days_pass(company, ON, ON + dt.timedelta(days=2))
    review = Task.objects.get(kind="review")
    assert [step for step, _on in served(invoice)][-1] == "statement"
    close_task(review, because="wait a month", on=ON + dt.timedelta(days=3), by=CLERK)
    days_pass(company, ON + dt.timedelta(days=3), ON + dt.timedelta(days=62))
    statements = [on for step, on in served(invoice) if step == "statement"]
    assert [(on - invoice.due_on).days for on in statements] == [90, 122, 150], "day 120 is a Saturday"
    again = Task.objects.exclude(pk=review.pk).get(kind="review")
    assert again.due_on == invoice.due_on + dt.timedelta(days=120) and again.closed_on is None
    assert all(m.attachments[0]["name"].startswith("statement-") for m in sent_to(late_client))


def test_a_reminder_expires_with_the_companys_day_and_not_with_the_utc_one(late_client):
    """Berlin's Wednesday ends at eleven in the evening, UTC."""
    invoice_due(late_client, ago(1))
    plan(late_client.company, ON, by="system")
    message = Message.objects.get()
    ends = dt.datetime(2026, 11, 18, 23, tzinfo=dt.UTC)
    with CaptureQueriesContext(connection) as asked:
        assert not expires(message, ends - dt.timedelta(seconds=1))
        assert expires(message, ends)
    assert len(asked) == 0
