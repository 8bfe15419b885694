"""Cases 6, 7, 10 and 12: one message per client, not one per invoice (OCA #470, #432); the highest stage leads.

Five overdue invoices, two currencies → one mail, total per currency. Each invoice keeps its own counter; a stage
marked as mandatory notice can never be skipped. Credits are netted and listed; a disputed amount leaves, the rest goes
on.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ar_collections.models import Served
from core.models import BankAccount
from disputes.services import close_dispute, open_dispute
from outbox.models import Message
from tests.cast import CLERK, invoice_due, make_client, make_invoice, pay
from tests.collecting import a_day, days_pass, sent_to, served

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)  # a Wednesday


def ago(days: int) -> dt.date:
    return ON - dt.timedelta(days=days)


def in_dollars(client, due_on: dt.date, amount: str):
    BankAccount.objects.get_or_create(
        company=client.company, currency="USD", defaults={"holder": "Lumen & Oak", "account_number": "1"}
    )
    return make_invoice(client, amount, on=due_on - dt.timedelta(days=30), currency="USD")


def test_five_overdue_invoices_two_currencies_one_mail_total_per_currency(late_client):
    euro = [invoice_due(late_client, ago(days), amount) for days, amount in ((1, "100"), (3, "200"), (9, "300.50"))]
    dollars = [in_dollars(late_client, ago(2), "70"), in_dollars(late_client, ago(10), "80")]
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert all(str(invoice) in message.text for invoice in euro + dollars)
    assert "€600.50 + $150.00" in message.subject
    assert message.text.count("Total:") == 2
    assert message.subject.startswith("Reminder:"), "the furthest step sets the tone"


def test_each_invoice_keeps_its_own_counter(late_client):
    young, old = invoice_due(late_client, ago(1)), invoice_due(late_client, ago(9))
    a_day(late_client.company, ON)
    assert served(young) == [("first_overdue", ON)]
    assert served(old) == [("reminder_1", ON)]


def test_at_least_five_days_lie_between_two_messages_except_for_steps_that_go_on_their_day(late_client):
    company = late_client.company
    invoice_due(late_client, ago(1))
    second = invoice_due(late_client, ago(8) + dt.timedelta(days=2))  # its first reminder falls two days later
    for on in (ON, ON + dt.timedelta(days=1), ON + dt.timedelta(days=2), ON + dt.timedelta(days=5)):
        a_day(company, on)
    assert [m.on for m in sent_to(late_client)] == [ON, ON + dt.timedelta(days=5)]
    assert served(second) == [("first_overdue", ON), ("reminder_1", ON + dt.timedelta(days=5))]


def test_what_spacing_held_back_rides_along_when_another_step_goes_on_its_day(late_client):
    company = late_client.company
    invoice_due(late_client, ago(1))
    waiting = invoice_due(late_client, ago(6))
    a_day(company, ON)
    invoice_due(late_client, ON + dt.timedelta(days=1))  # late on the second day after, a Friday
    days_pass(company, ON + dt.timedelta(days=1), ON + dt.timedelta(days=2))
    assert [m.on for m in sent_to(late_client)] == [ON, ON + dt.timedelta(days=2)]
    assert served(waiting) == [("first_overdue", ON), ("reminder_1", ON + dt.timedelta(days=2))]


def test_a_mandatory_notice_is_never_skipped_and_nothing_comes_before_it(late_client):
    """Found after a hundred days: the invoice again, then the final notice, then the rest; each has its time to pay."""
    invoice = invoice_due(late_client, ago(100))
    days_pass(late_client.company, ON, ON + dt.timedelta(days=21))
    messages = [step for step, _on in served(invoice) if step not in ("call_1", "call_2", "review")]
    assert messages == ["reissue", "final_notice", "statement"]
    assert [m.on for m in sent_to(late_client)] == [ON, ON + dt.timedelta(days=7), ON + dt.timedelta(days=21)]


def test_a_notice_other_items_need_stands_in_the_message_that_another_step_leads(late_client):
    old, older = invoice_due(late_client, ago(32), "100"), invoice_due(late_client, ago(46), "900")
    Served.objects.create(invoice=older, step="reissue", channel="mail", on=ago(16))
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert message.subject.startswith("Final notice")
    assert f"For {old}:" in message.text and "interest is charged from that day" in message.text
    assert old.interest_notices.get().interest_from == ON + dt.timedelta(days=7)


def test_credit_is_netted_and_listed_and_what_it_covers_is_not_reminded(late_client):
    """Case 12: the letter nets and lists credits; a net balance of zero or less gets no reminder."""
    company, invoice = late_client.company, invoice_due(late_client, ago(1))
    pay(late_client, "1000", on=ago(1), how="none")
    a_day(company, ON)
    assert sent_to(late_client) == []
    assert Message.objects.count() == 0, "it is not even planned"
    other = make_client(company, "C-0050")
    invoice_due(other, ago(1))
    pay(other, "250", on=ago(1), how="none")
    a_day(company, ON)
    (message,) = sent_to(other)
    assert "Payment received, not yet assigned: -€250.00" in message.text
    assert "Total: €750.00" in message.text and "€750.00" in message.subject
    assert served(invoice) == []


def test_only_the_disputed_amount_leaves_and_comes_back_when_it_is_settled(late_client):
    """Case 10: the undisputed remainder continues."""
    company, invoice = late_client.company, invoice_due(late_client, ago(1))
    dispute = open_dispute(invoice, reason="price", text="too many hours", amount=Decimal(200), on=ago(1), by="client")
    a_day(company, ON)
    (message,) = sent_to(late_client)
    assert "€800.00" in message.subject and "disputed €200.00" in message.text
    close_dispute(dispute, outcome="the hours are right", on=ON, by=CLERK)
    a_day(company, ON + dt.timedelta(days=7))
    assert "€1,000.00" in sent_to(late_client)[-1].subject


def test_a_client_with_everything_disputed_is_left_alone(late_client):
    invoice = invoice_due(late_client, ago(1))
    open_dispute(invoice, reason="delivery", text="never came", on=ago(1), by="client")
    assert a_day(late_client.company, ON).waiting == {(invoice.pk, "first_overdue"): "dispute"}
    assert sent_to(late_client) == []


def test_the_mail_speaks_the_language_of_its_reader(company):
    german = make_client(company, "D-1", language="de")
    french = make_client(company, "F-1", language="fr")
    for client in (german, french):
        invoice_due(client, ago(1))
    a_day(company, ON)
    assert "am 17. November 2026 fällig" in sent_to(german)[0].text
    assert "17 novembre 2026" in sent_to(french)[0].text and "Bonjour" in sent_to(french)[0].text
