"""Case 33: several channels at one level, and a proof of what left (OCA #488, #522).

One level mails, encloses a letter that somebody posts, the invoice and the statement, and asks for a call on the same
day; copies go by role and to an address of the step. The mail has the server's word, the letter its task.
"""

from __future__ import annotations

import datetime as dt

import pytest

from ar_collections.models import Served, Task
from ar_collections.services.desk import close_task
from clients.models import Contact
from outbox.models import Message
from outbox.services import deliver
from outbox.tests.conftest import use
from outbox.tests.sink import Sink
from policies.models import Step
from policies.services import new_version, policy_of
from tests.cast import CLERK, invoice_due
from tests.collecting import a_day, sent_to

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)  # a Wednesday
DAY = dt.timedelta(days=1)


def changed(company, by_code: dict[str, dict]) -> None:
    """The next version of the company's policy, with some fields of some steps changed."""
    policy = policy_of(company, ON)
    fields = [f.name for f in Step._meta.concrete_fields if f.name not in ("id", "policy")]
    steps = [{name: getattr(s, name) for name in fields} | by_code.get(s.code, {}) for s in policy.steps.all()]
    new_version(policy, effective_from=ON, changes={}, steps=steps, on=ON - DAY, by=CLERK)


@pytest.fixture
def everything(late_client):
    """The second reminder by every way there is."""
    Contact.objects.create(client=late_client, name="Noor", email="noor@client.example", role="owner")
    changed(late_client.company, {"reminder_2": {
        "also_call": True, "cc_role": "owner", "cc_next_contact": False, "recipients": "books@tax.example",
        "attach_invoice": True, "attach_statement": True,
    }})  # fmt: skip
    return invoice_due(late_client, ON - 21 * DAY)


def test_one_level_by_mail_letter_and_telephone_each_once(late_client, everything):
    for _again in range(2):
        a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    names = [file["name"] for file in message.attachments]
    assert [name.split("-")[0] for name in names] == ["letter", "LO", "statement"]
    tasks = Task.objects.filter(client=late_client, closed_on=None)
    assert sorted(tasks.values_list("kind", flat=True)) == ["call", "letter"]
    channels = Served.objects.filter(invoice=everything, outcome="served").values_list("step", "channel")
    assert sorted(channels)[-1][0] == "reminder_2" and len(set(channels)) == len(channels)


def test_every_reader_of_the_copy_gets_it_once_and_the_server_says_so(late_client, everything, settings):
    a_day(late_client.company, ON, send=False)
    with Sink() as server:
        use(server, settings)
        deliver(dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC))
        ((recipients, _raw),) = server.letters
    message = Message.objects.get(kind="notice")
    assert recipients == [message.to_addr, "noor@client.example", "books@tax.example"]
    assert message.cc_addr == "noor@client.example, books@tax.example"
    assert message.reply.startswith("250") and message.sent_at and message.message_id


def test_a_copy_the_server_will_not_take_is_said_and_the_mail_goes_all_the_same(late_client, everything, settings):
    a_day(late_client.company, ON, send=False)
    with Sink(**{"rcpt:books@tax.example": "550 no such user"}) as server:
        use(server, settings)
        deliver(dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC))
    message = Message.objects.get(kind="notice")
    assert message.state == "sent" and "books@tax.example" in message.reply


def test_the_letter_is_a_task_until_somebody_has_posted_it(late_client, everything):
    a_day(late_client.company, ON)
    task = Task.objects.get(kind="letter")
    assert "Post the letter" in task.because
    close_task(task, because="posted, registered mail RR 123", on=ON, by=CLERK)
    task.refresh_from_db()
    assert (task.closed_on, task.closed_because) == (ON, "posted, registered mail RR 123")
