"""Case 24: bounces unseen, blocked mails «queued» for ever (invoiceninja#11917; OCA #447).

A mail that comes back does not count as served, raises a task once and is seen on the client with the provider's
words; the next message goes to somebody else there, and the report of bounces says who cannot be reached since when.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from ar_collections.models import Served, Task
from audit.models import Event
from clients.models import Contact
from clients.services import clear_bounce, save_contact
from core.errors import Refused
from outbox.hearing import hear_delivery
from outbox.models import Message
from outbox.services import send_again
from tests.cast import CLERK, invoice_due, make_client
from tests.collecting import DAY, a_day, days_pass, sent_to, served

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 11, 9)  # a Monday
LATE = DUE + DAY
WORDS = "550 5.1.1 <ap@client.example>: no such user"


def comes_back(message: Message, said: str = WORDS, event: str = "bounced", **facts: Any) -> None:
    at = message.sent_at + dt.timedelta(minutes=2)
    assert hear_delivery(event, at=at, now=at, said=said, key=message.key, **facts)


@pytest.fixture
def reminded(late_client):
    """The client's reminder of the day the invoice was late; it left."""
    invoice_due(late_client, DUE)
    a_day(late_client.company, LATE)
    (message,) = sent_to(late_client)
    return message


def test_what_came_back_is_not_served_and_is_raised_once(reminded, late_client):
    assert Served.objects.filter(message=reminded).exists()
    for _n in range(3):
        comes_back(reminded)
    assert not Served.objects.filter(message=reminded).exists()
    task = Task.objects.get(client=late_client)
    assert (task.kind, task.detail) == ("delivery", WORDS) and "ap@client.example" in task.because
    contact = late_client.contacts.get()
    assert contact.bounced_because == WORDS and contact.bounced_at is not None
    assert Event.objects.filter(action="contact_bounced", client_id=late_client.pk).count() == 1


def test_the_same_step_goes_to_the_next_person_there(reminded, late_client):
    save_contact(late_client, None, {"name": "Jonas Falk", "email": "jonas@client.example"}, by=CLERK)
    comes_back(reminded)
    days_pass(late_client.company, LATE, LATE + 3 * DAY)
    _came_back, second = sent_to(late_client)
    assert (second.to_addr, second.on) == ("jonas@client.example", LATE + DAY)
    assert served(late_client.invoices.get()) == [("first_overdue", LATE + DAY)]


def test_what_nobody_got_keeps_nothing_back(late_client):
    """Five days lie between two reminders; one that came back was none, and the next person hears the day after."""
    late_client.contacts.create(name="Jonas Falk", email="jonas@client.example")
    invoice = invoice_due(late_client, DUE - 7 * DAY)
    days_pass(late_client.company, DUE - 6 * DAY, LATE)
    *_first, message = sent_to(late_client)
    assert message.on == LATE
    comes_back(message)
    days_pass(late_client.company, LATE + DAY, LATE + DAY)
    assert served(invoice)[-1] == ("reminder_1", LATE + DAY)
    assert sent_to(late_client)[-1].to_addr == "jonas@client.example"


def test_where_nobody_is_left_somebody_is_to_be_found_and_then_it_goes_on(reminded, late_client):
    comes_back(reminded)
    days_pass(late_client.company, LATE + DAY, LATE + 2 * DAY)
    assert len(sent_to(late_client)) == 1
    assert set(Task.objects.values_list("kind", flat=True)) == {"delivery", "contact"}
    contact = late_client.contacts.get()
    save_contact(late_client, contact, {"email": "accounts@client.example"}, by=CLERK)
    contact.refresh_from_db()
    assert (contact.bounced_at, contact.bounced_because) == (None, "")
    a_day(late_client.company, LATE + 3 * DAY)
    assert [m.to_addr for m in sent_to(late_client)] == ["ap@client.example", "accounts@client.example"]
    assert served(late_client.invoices.get()) == [("first_overdue", LATE + 3 * DAY)]


def test_delivered_first_and_come_back_later_it_came_back(reminded, late_client):
    comes_back(reminded)
    comes_back(reminded, "250 ok", "delivered")
    reminded.refresh_from_db()
    assert reminded.delivery == "bounced" and late_client.contacts.get().bounced_at


def test_a_full_mailbox_marks_nobody_and_the_stage_stays_served(reminded, late_client):
    comes_back(reminded, "452 4.2.2 mailbox full", "deferred")
    assert late_client.contacts.get().bounced_at is None and not Task.objects.exists()
    assert served(late_client.invoices.get()) == [("first_overdue", LATE)]


def test_what_the_provider_would_not_send_is_open_again_and_blames_no_address(reminded, late_client):
    comes_back(reminded, "blocked: content", is_address=False)
    assert late_client.contacts.get().bounced_at is None
    assert "may be right" in Task.objects.get().because
    a_day(late_client.company, LATE + DAY)
    assert served(late_client.invoices.get()) == [("first_overdue", LATE + DAY)]


def test_one_address_of_two_clients_is_no_good_for_either(reminded, late_client, company):
    other = make_client(company, "C-0007", email="AP@client.example")
    make_client(company, "C-0008", email="other@client.example")
    comes_back(reminded)
    assert other.contacts.get().bounced_at
    assert Contact.objects.filter(bounced_at=None).count() == 1


def test_it_is_sent_again_by_hand_once_the_address_is_right_and_serves_then(reminded, late_client):
    comes_back(reminded)
    contact = late_client.contacts.get()
    clear_bounce(contact, by=CLERK)
    assert Event.objects.filter(action="contact_bounce_cleared", client_id=late_client.pk).get().summary == WORDS
    with pytest.raises(Refused):
        clear_bounce(contact, by=CLERK)
    again = send_again(reminded, on=LATE, now=reminded.not_before, by=CLERK)
    days_pass(late_client.company, LATE, LATE)
    again.refresh_from_db()
    assert again.state == "sent"
    assert served(late_client.invoices.get()) == [("first_overdue", LATE)]


def test_the_client_and_the_report_show_it_and_the_address_is_put_right_there(reminded, late_client, client, clerk):
    client.force_login(clerk)
    page = reverse("dashboard:bounced")
    assert "No mail came back" in client.get(page).content.decode()
    comes_back(reminded)
    escaped = WORDS.replace("<", "&lt;").replace(">", "&gt;")
    file = client.get(reverse("dashboard:client", args=[late_client.pk])).content.decode()
    assert escaped in file and "write again" in file
    report = client.get(page).content.decode()
    assert all(said in report for said in (late_client.name, "ap@client.example", escaped, "nobody else to write to"))
    rows = b"".join(client.get(page + "?format=csv")).decode().splitlines()
    assert "not reachable since" in rows[0] and "ap@client.example" in rows[1] and len(rows) == 2
    assert "Nobody like that" in client.get(page + "?q=somebody-else").content.decode()
    shown = client.get(reverse("dashboard:outbox") + "?state=bounced").content.decode()
    assert "Came back" in shown and reminded.subject in shown
    said = client.get(reverse("dashboard:outbox_message", args=[reminded.pk])).content.decode()
    assert "This message came back" in said and escaped in said
    contact = late_client.contacts.get()
    assert client.get(reverse("dashboard:contact_again", args=[contact.pk])).status_code == 405
    answer = client.post(reverse("dashboard:contact_again", args=[contact.pk]), {"next": page}, follow=True)
    assert answer.redirect_chain[0][0] == page and "is written to again" in answer.content.decode()
    contact.refresh_from_db()
    assert contact.bounced_at is None
