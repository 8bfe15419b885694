"""Forward to a colleague: one address, a link of its own, no document, logged, few a day, nothing smuggled in."""

from __future__ import annotations

import uuid

import pytest
from django.core.cache import cache
from django.utils import timezone

from ar_collections.models import ContactLog
from audit.models import Event
from invoices.models import ShareLink
from invoices.services.linking import link_for, link_for_statement, link_passed_on, revoke_link, token_of
from outbox.kinds import kind_of
from outbox.models import Message
from tests.cast import make_invoice, pay


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def link(late_client):
    return link_for(make_invoice(late_client), late_client.contacts.get(), timezone.now())


def address(link):
    return f"/i/{link.pk}/{token_of(link)}/"


def forward(client, link, to, key=""):
    return client.post(address(link) + "forward/", {"key": key or str(uuid.uuid4()), "address": to})


def test_the_colleague_gets_a_link_of_their_own_and_no_document(link, client):
    assert forward(client, link, " Jo@Client.example ").status_code == 303
    theirs = ShareLink.objects.get(passed_on_to="jo@client.example")
    mail = kind_of("passed_on").compose(Message.objects.get(), timezone.now())
    assert (mail.to_addr, mail.cc_addr, mail.attachments) == ("jo@client.example", "", [])
    assert address(theirs) in mail.text and address(link) not in mail.text
    assert "Mara Winter passes" in mail.subject and "€1,000.00" in mail.text
    assert client.get(address(theirs)).status_code == 200
    log = ContactLog.objects.get()
    assert (log.channel, log.direction, log.said) == ("portal", "in", "Passed on to jo@client.example")
    assert Event.objects.filter(action="link_passed_on", summary="jo@client.example").exists()


NO_ADDRESS = [
    "", "jo", "jo@", "@client.example", "jo@client.example, max@client.example", "jo@client.example;max@client.example",
    "jo@client.example\r\nBcc: all@client.example", "jo@client.example\nSubject: x", "jo@client.example%0aBcc: x@y.zz",
    "Jo <jo@client.example>", '"jo@a.example,max"@client.example', '"a\\"b"@client.example', "jo@[127.0.0.1]",
    "jo@client.example\x00", "jö@client.example", "jo@localhost", "a" * 65 + "@client.example", "jo@client..example",
]


@pytest.mark.parametrize("to", NO_ADDRESS)
def test_what_is_not_one_plain_address_is_refused(link, client, to):
    answer = forward(client, link, to)
    assert answer.status_code == 422
    assert not Message.objects.exists() and not ContactLog.objects.exists()
    assert not ShareLink.objects.exclude(passed_on_to="").exists()


def test_the_same_form_and_the_same_address_again_send_nothing_more(link, client):
    key = str(uuid.uuid4())
    forward(client, link, "jo@client.example", key)
    forward(client, link, "jo@client.example", key)
    forward(client, link, "jo@client.example")
    assert Message.objects.count() == 1 and ShareLink.objects.exclude(passed_on_to="").count() == 1


def test_five_new_addresses_a_day_for_all_invoices_of_a_client(link, client, late_client):
    other = link_for(make_invoice(late_client), late_client.contacts.get(), timezone.now())
    answers = [forward(client, (link, other)[n % 2], f"jo{n}@client.example") for n in range(6)]
    assert [answer.status_code for answer in answers] == [303] * 5 + [422]
    assert b"Try again tomorrow" in answers[-1].content
    assert Message.objects.count() == 5


def test_a_link_passed_on_is_not_passed_on_again(late_client, client):
    theirs = link_passed_on(make_invoice(late_client), "jo@client.example", timezone.now())
    assert forward(client, theirs, "max@client.example").headers["Location"] == address(theirs)
    assert not Message.objects.exists()


def test_it_opens_this_invoice_and_nothing_of_the_client_beside_it(link, client, late_client):
    forward(client, link, "jo@client.example")
    theirs = ShareLink.objects.get(passed_on_to="jo@client.example")
    other = link_for(make_invoice(late_client, "77.77"), late_client.contacts.get(), timezone.now())
    assert client.get(f"/i/{other.pk}/{token_of(theirs)}/").status_code == 404
    statement = link_for_statement(late_client, late_client.contacts.get(), timezone.now())
    assert client.get(f"/s/{statement.pk}/{token_of(theirs)}/").status_code == 404
    assert client.get(f"/s/{theirs.pk}/{token_of(theirs)}/").status_code == 404


def test_an_answer_from_a_link_passed_on_names_who_gave_it(late_client, client):
    theirs = link_passed_on(make_invoice(late_client), "jo@client.example", timezone.now())
    client.post(address(theirs) + "plan/", {"key": str(uuid.uuid4()), "text": "Two halves"})
    assert ContactLog.objects.get().with_whom == "jo@client.example"


def test_shut_before_it_left_it_does_not_leave(link, client):
    forward(client, link, "jo@client.example")
    message = Message.objects.get()
    assert kind_of("passed_on").may_go(message, timezone.now()) == ""
    revoke_link(ShareLink.objects.get(passed_on_to="jo@client.example"), by="test", at=timezone.now())
    assert kind_of("passed_on").may_go(message, timezone.now())


def test_a_lost_link_of_a_colleague_comes_anew_to_the_client_alone(link, client):
    forward(client, link, "jo@client.example")
    theirs = ShareLink.objects.get(passed_on_to="jo@client.example")
    ShareLink.objects.filter(pk=theirs.pk).update(expires_at=timezone.now())
    client.post(address(theirs))
    message = Message.objects.get(kind="new_link")
    assert kind_of("new_link").compose(message, timezone.now()).to_addr == "ap@client.example"


def test_once_paid_there_is_nothing_to_pass_on(link, client, late_client):
    pay(late_client, "1000")
    assert forward(client, link, "jo@client.example").headers["Location"] == address(link)
    assert not Message.objects.exists()
