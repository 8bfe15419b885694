"""What became of a mail: heard once, in any order, by whatever names it; what is not known is resolved by it."""

import datetime as dt
import itertools
from dataclasses import replace

import pytest

from audit.models import Event
from outbox import returns
from outbox.hearing import EVENTS, TooEarly, hear_delivery, same_mailbox
from outbox.kinds import Composed
from outbox.models import Message
from outbox.moves import move
from outbox.services import cancel

from .conftest import NOW, after, deliver, only

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch):
    """What came back, as those who registered for it hear it."""
    monkeypatch.setattr(returns, "_listeners", {})
    found = []
    returns.register("test", lambda message, what: found.append((what.event, what.address, what.said, what.is_copy)))
    return found


@pytest.fixture
def sent(put, sink):
    put()
    deliver()
    return only()


def hear(event="bounced", *, key="note:1", at=NOW, said="550 5.1.1 no such user", **facts):
    return hear_delivery(event, at=at, now=after(minutes=5), said=said, key=key, **facts)


def with_a_copy(message, now):
    return Composed("Ada", "ada@firm.test", "Hello", "Hello", cc_addr="bob@firm.test")


def unknown(put):
    message = put()
    move(message, "claimed", lease_token="0" * 32, lease_until=NOW, to_addr="ada@firm.test", subject="Hello")
    move(message, "handing", handing_at=NOW, lease_until=NOW)
    move(message, "unknown", unknown_at=NOW, reason="lost")
    return message


def test_what_became_of_it_is_kept_with_the_instant_and_the_words(sent, told):
    hear("delivered", said="250 ok", provider_id="p-1")
    message = only()
    assert (message.state, message.delivery, message.delivery_at) == ("sent", "delivered", NOW)
    assert (message.delivery_said, message.provider_id, told) == ("250 ok", "p-1", [])


def test_it_is_found_by_our_key_the_providers_id_or_the_message_id(sent, told):
    assert hear_delivery("delivered", at=NOW, now=NOW, message_id=sent.message_id.strip("<>")) == sent
    assert hear_delivery("delivered", at=NOW, now=NOW, provider_id=sent.message_id) == sent
    Message.objects.update(provider_id="p-9")
    assert hear_delivery("delivered", at=NOW, now=NOW, provider_id="p-9") == sent
    assert hear_delivery("bounced", at=NOW, now=NOW, key="other", provider_id="p-1", message_id="x@y") is None
    assert hear_delivery("bounced", at=NOW, now=NOW) is None
    assert told == []


def test_heard_twice_it_is_told_once(sent, told):
    for _n in range(3):
        hear()
    assert told == [("bounced", "ada@firm.test", "550 5.1.1 no such user", False)]
    assert Event.objects.filter(action="message_bounced").count() == 1


@pytest.mark.parametrize("order", list(itertools.permutations(EVENTS)))
def test_in_any_order_it_ends_the_same(sent, told, order):
    for event in order:
        hear(event, said=event)
    message = only()
    assert (message.delivery, message.delivery_said) == ("bounced", "bounced")
    assert [event for event, *_rest in told].count("bounced") == 1


def test_an_instant_in_the_future_is_taken_for_the_one_we_heard_it_at(sent, told):
    hear(at=NOW + dt.timedelta(days=400))
    assert only().delivery_at == after(minutes=5)


def test_what_is_said_of_the_copy_says_nothing_of_the_message(put, note, sink, told):
    note(compose=with_a_copy)
    put()
    deliver()
    hear(address="Bob@firm.test")
    assert only().delivery == "" and told == [("bounced", "Bob@firm.test", "550 5.1.1 no such user", True)]
    hear(address="stranger@firm.test")
    hear("delivered", address="ADA@firm.test")
    assert only().delivery == "delivered" and len(told) == 1


def test_each_copy_that_came_back_is_told_once(put, note, sink, told):
    note(compose=lambda message, now: replace(with_a_copy(message, now), more_copies=("eve@firm.test",)))
    put()
    deliver()
    for address in ("bob@firm.test", "BOB@firm.test", "eve@firm.test", "bob@firm.test"):
        hear(address=address)
    assert [address for _event, address, _said, is_copy in told if is_copy] == ["bob@firm.test", "eve@firm.test"]
    assert (only().delivery, only().copies_back) == ("", "bob@firm.test, eve@firm.test")


def test_where_there_is_one_reader_a_forwarded_address_is_still_that_reader(sent, told):
    hear(address="ada@elsewhere.test")
    assert told[0][1] == "ada@firm.test"


@pytest.mark.parametrize("event", ["deferred", "delivered", "complained"])
def test_evidence_that_it_left_makes_an_unknown_message_sent(put, told, heard, event):
    unknown(put)
    hear(event, by="Postmark")
    message = only()
    assert (message.state, message.sent_at, message.resolved_by) == ("sent", NOW, "Postmark")
    assert heard == [("note:1", "unknown"), ("note:1", "sent")]


def test_an_unknown_message_that_came_back_did_not_arrive(put, told, heard):
    unknown(put)
    hear()
    message = only()
    assert (message.state, message.delivery, message.reason) == ("failed", "bounced", "It came back.")
    assert heard[-1] == ("note:1", "failed") and len(told) == 1


def test_while_it_is_handed_over_it_is_heard_later(put, told):
    message = put()
    move(message, "claimed", lease_token="0" * 32, lease_until=NOW, to_addr="ada@firm.test")
    move(message, "handing", handing_at=NOW, lease_until=NOW)
    with pytest.raises(TooEarly):
        hear()
    assert only().state == "handing" and told == []


def test_what_never_left_cannot_come_back(put, told):
    message = put()
    assert hear() is None
    cancel(message, by="test")
    assert hear() is None and told == [] and only().delivery == ""


def test_an_event_of_another_name_is_refused(sent):
    with pytest.raises(ValueError, match="deferred, delivered"):
        hear("opened")


def test_one_mailbox_however_it_is_written():
    assert same_mailbox("a@bücher.example", "A@xn--bcher-kva.example")
    assert not same_mailbox("nonsense", "ada@firm.test")


# Refused while it is handed over: as good as come back.


@pytest.mark.parametrize(
    ("reply", "marks"),
    [("550 5.1.1 no such user", True), ("554 5.7.1 relaying denied", False), ("553 5.1.8 no such sender", False)],
)
def test_an_address_the_server_refuses_came_back_but_not_what_it_says_of_us(put, sink, told, reply, marks):
    sink.answers["rcpt"] = reply
    put()
    deliver()
    message = only()
    assert (message.state, message.delivery) == ("failed", "bounced" if marks else "")
    assert told == ([("bounced", "ada@firm.test", reply, False)] if marks else [])


@pytest.mark.parametrize("reply", ["450 4.2.0 greylisted", "452 4.2.2 full", "552 mailbox full", "552 5.2.2 full"])
def test_a_refusal_for_now_marks_nobody(put, sink, told, reply):
    """A full mailbox is one for now, also where the server's code sounds final (RFC 5321, 4.5.3.1.10)."""
    sink.answers["rcpt"] = reply
    put()
    deliver()
    assert (only().state, only().delivery, told) == ("pending", "", [])


def test_what_the_server_says_of_the_sender_or_the_body_is_not_about_the_address(put, sink, told):
    for stage in ("mail", "body"):
        sink.answers = {stage: "550 not from you"}
        put(f"note:{stage}")
        deliver()
    assert {m.state for m in Message.objects.all()} == {"failed"} and told == []


def test_a_copy_that_is_refused_is_told_and_the_message_is_sent(put, note, sink, told):
    note(compose=with_a_copy)
    sink.answers["rcpt:bob@firm.test"] = "550 5.1.1 gone"
    put()
    assert deliver()["sent"] == 1
    assert (only().state, only().delivery) == ("sent", "")
    assert told == [("bounced", "bob@firm.test", "550 5.1.1 gone", True)]
