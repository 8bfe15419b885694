"""Case 1: a reminder for a paid invoice (akaunting#259; Xero and Odoo both say «reconcile first»).

The balance is read again inside the sending: what was paid, promised, disputed or paused since planning is dropped.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ar_collections.models import Served
from ar_collections.services.pausing import pause_chasing
from ar_collections.services.promising import promise_payment
from disputes.services import open_dispute
from invoices.services.issuing import void_invoice
from invoices.services.sending import send_invoice
from outbox import transport
from outbox.models import Message
from outbox.services import deliver
from tests.cast import CLERK, invoice_due, make_invoice, pay
from tests.collecting import a_day, sent_to, served

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 11, 9)  # a Monday
LATE = dt.date(2026, 11, 10)


def leaves(message: Message) -> Message:
    deliver(message.not_before)
    message.refresh_from_db()
    return message


def planned(client) -> Message:
    a_day(client.company, LATE, send=False)
    return Message.objects.get(kind="notice", party=f"client:{client.pk}")


def test_what_is_paid_between_planning_and_sending_is_not_reminded(late_client):
    invoice = invoice_due(late_client, DUE)
    message = planned(late_client)
    assert Served.objects.filter(invoice=invoice, step="first_overdue").exists()
    pay(late_client, "1000", on=LATE)
    message = leaves(message)
    assert message.state == "cancelled"
    assert "paid" in message.reason
    assert not Served.objects.filter(invoice=invoice).exists()


def test_the_paid_invoice_is_dropped_and_the_other_one_still_reminded(late_client):
    paid, open_one = invoice_due(late_client, DUE, "300"), invoice_due(late_client, DUE, "500")
    message = planned(late_client)
    pay(late_client, "300", on=LATE, how={f"invoice:{paid.pk}": Decimal(300)})
    message = leaves(message)
    assert message.state == "sent"
    assert str(open_one) in message.text and str(paid) not in message.text
    assert "€500.00" in message.subject
    assert served(open_one) == [("first_overdue", LATE)] and served(paid) == []


def test_a_part_payment_changes_the_figure_that_is_sent(late_client):
    """Case 11: the letter shows total, paid and balance, and not the full total."""
    invoice = invoice_due(late_client, DUE)
    message = planned(late_client)
    pay(late_client, "400", on=LATE)
    message = leaves(message)
    assert "€600.00" in message.subject
    assert "€600.00 (of €1,000.00, paid €400.00)" in message.text
    assert served(invoice) == [("first_overdue", LATE)]


@pytest.mark.parametrize("answer", ["promise", "pause", "dispute"])
def test_an_answer_given_before_the_mail_leaves_stops_it(late_client, answer):
    invoice = invoice_due(late_client, DUE)
    message = planned(late_client)
    if answer == "promise":
        promise_payment(invoice, Decimal(1000), LATE + dt.timedelta(days=5), on=LATE, by="client")
    elif answer == "pause":
        pause_chasing(late_client, reason="on holiday", until=LATE + dt.timedelta(days=5), on=LATE, by=CLERK)
    else:
        open_dispute(invoice, reason="price", text="too much", on=LATE, by="client")
    assert leaves(message).state == "cancelled"
    assert sent_to(late_client) == []


def test_a_payment_dated_tomorrow_does_not_stop_the_reminder_of_today(late_client):
    invoice = invoice_due(late_client, DUE)
    pay(late_client, "1000", on=LATE + dt.timedelta(days=1))
    a_day(late_client.company, LATE)
    assert served(invoice) == [("first_overdue", LATE)]
    a_day(late_client.company, LATE + dt.timedelta(days=8))
    assert len(sent_to(late_client)) == 1


@pytest.fixture
def while_it_is_handed_over(monkeypatch):
    """Something happens once, after a mail was written and before a byte of it leaves."""

    def arrange(act) -> None:
        todo, hand_over = [act], transport.Folder.hand_over

        def meanwhile(self, letter, before_body):
            def last_moment():
                while todo:
                    todo.pop()()
                before_body()

            return hand_over(self, letter, last_moment)

        monkeypatch.setattr(transport.Folder, "hand_over", meanwhile)

    return arrange


def test_what_is_paid_while_the_mail_is_handed_over_is_not_reminded(late_client, while_it_is_handed_over):
    invoice = invoice_due(late_client, DUE)
    message = planned(late_client)
    while_it_is_handed_over(lambda: pay(late_client, "1000", on=LATE))
    message = leaves(message)
    assert (message.state, message.reason) == ("pending", "something was paid or said while it was written")
    assert leaves(message).state == "cancelled"
    assert sent_to(late_client) == [] and not Served.objects.filter(invoice=invoice).exists()


def test_part_paid_while_it_is_handed_over_it_is_written_anew(late_client, while_it_is_handed_over):
    invoice_due(late_client, DUE)
    message = planned(late_client)
    while_it_is_handed_over(lambda: pay(late_client, "400", on=LATE))
    assert leaves(message).state == "pending"
    message = leaves(message)
    assert message.state == "sent" and "€600.00" in message.subject


def test_an_invoice_voided_while_it_is_handed_over_does_not_leave(late_client, while_it_is_handed_over):
    invoice = make_invoice(late_client, on=LATE)
    message = send_invoice(invoice, on=LATE, by=CLERK)

    def voided_by_somebody_who_saw_it_wait():
        row = Message.objects.filter(pk=message.pk)
        lease = row.get().lease_token
        row.update(state="pending", lease_token=None)
        invoice.links.all().delete()
        void_invoice(invoice, reason="wrong client", on=LATE, by=CLERK)
        row.update(state="claimed", lease_token=lease)

    while_it_is_handed_over(voided_by_somebody_who_saw_it_wait)
    found = leaves(message)
    assert (found.state, found.reason) == ("pending", f"{invoice} changed while it was written")
    found = leaves(message)
    assert (found.state, found.reason) == ("cancelled", f"{invoice} was voided")
