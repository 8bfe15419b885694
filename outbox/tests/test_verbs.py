"""The verbs of the outbox, one after the other."""

import datetime as dt

import pytest

from audit.models import Event
from core.errors import Refused
from outbox import services
from outbox.models import Message
from outbox.services import NewMessage

from .conftest import NOW, after, deliver, only

pytestmark = pytest.mark.django_db
ON = NOW.date()


def audited():
    return list(Event.objects.order_by("id").values_list("action", "actor"))


# enqueue


def test_enqueue_is_the_same_message_however_often_it_is_called(put):
    first = put(payload={"n": 1})
    again = put(payload={"n": 2})
    assert first.pk == again.pk and again.payload == {"n": 1}
    assert Message.objects.count() == 1


def test_the_message_id_comes_from_the_key_alone(put, settings):
    settings.MAIL_DOMAIN = "us.test"
    ids = {put(f"note:{n}").message_id for n in range(3)}
    assert len(ids) == 3 and all(i.startswith("<ar-") and i.endswith("@us.test>") for i in ids)
    message_id = put("note:0").message_id
    Message.objects.all().delete()
    assert put("note:0").message_id == message_id


def test_enqueue_many_puts_in_what_is_new_and_answers_with_all(note, django_assert_max_num_queries):
    def new(n):
        return NewMessage(f"note:{n}", "note", f"client:{n}", ON, NOW)

    services.enqueue_many([new(1), new(2)])
    Message.objects.filter(key="note:1").update(state="cancelled")
    with django_assert_max_num_queries(25):
        found = services.enqueue_many(new(n) for n in range(1, 501))
    assert len(found) == Message.objects.count() == 500
    assert found["note:1"].state == "cancelled" and found["note:500"].state == "pending"
    assert found["note:7"].pk
    assert services.enqueue_many([]) == {}


def test_a_bell_rings_when_one_message_is_put_in(put, django_capture_on_commit_callbacks, monkeypatch):
    from core import doorbell

    rung = []
    monkeypatch.setattr(doorbell, "_ring_now", lambda task, ids: rung.append(task))
    with django_capture_on_commit_callbacks(execute=True):
        put()
    assert rung == ["outbox.deliver"]


# release, discard


def test_what_is_held_goes_when_it_is_released_and_not_before(put, sink):
    put("note:1", held_for="hold:1"), put("note:2", held_for="hold:1"), put("note:3", held_for="hold:2")
    assert deliver()["sent"] == 0
    assert services.release("hold:1", by="Ada") == 2
    assert deliver()["sent"] == 2
    assert services.release("hold:1", by="Ada") == 0
    assert Message.objects.get(key="note:3").state == "held"
    assert audited() == [("release_messages", "Ada")]


def test_what_is_discarded_is_cancelled_and_its_kind_hears_of_it(put, sink, heard):
    put("note:1", held_for="hold:1"), put("note:2", held_for="hold:1"), put("note:3")
    assert services.discard("hold:1", by="Ada") == 2
    assert heard == [("note:1", "cancelled"), ("note:2", "cancelled")]
    assert services.discard("hold:1", by="Ada") == 0
    assert Message.objects.get(key="note:1").resolved_by == "Ada"
    assert audited() == [("discard_messages", "Ada")]


def test_what_was_held_and_never_let_go_does_not_leave_by_a_copy(put, sink):
    discarded = put("note:1", held_for="approval:7:2026-11-18")
    services.discard("approval:7:2026-11-18", by="Ada")
    discarded.refresh_from_db()
    with pytest.raises(Refused, match="held for a person and never left"):
        services.send_again(discarded, on=discarded.on, now=discarded.not_before, by="Ada")
    assert Message.objects.count() == 1


# cancel, undo


def test_a_message_that_waits_or_is_held_can_be_cancelled(put, heard):
    assert services.cancel(put("note:1"), by="Ada", reason="wrong client").state == "cancelled"
    services.cancel(put("note:2", held_for="hold:1"), by="Ada")
    assert heard == [("note:1", "cancelled"), ("note:2", "cancelled")]
    assert audited() == [("cancel_message", "Ada"), ("cancel_message", "Ada")]


@pytest.mark.parametrize("state", ["sent", "failed", "cancelled", "unknown"])
def test_what_has_gone_cannot_be_cancelled(put, heard, state):
    message = put()
    Message.objects.update(state=state)
    with pytest.raises(Refused) as refused:
        services.cancel(message, by="Ada")
    assert refused.value.code == "not_waiting" and not heard and not audited()


def test_undo_takes_back_before_the_instant_and_not_after(put, sink):
    message = put(not_before=after(seconds=10))
    assert services.undo(message, now=after(seconds=9), by="Ada").state == "cancelled"
    message = put("note:2", not_before=after(seconds=10))
    with pytest.raises(Refused) as refused:
        services.undo(message, now=after(seconds=10), by="Ada")
    assert refused.value.code == "too_late"
    assert deliver(after(seconds=10))["sent"] == 1


# send again


@pytest.mark.parametrize("state", ["sent", "failed", "cancelled", "unknown"])
def test_sending_again_is_a_new_message_with_a_message_id_of_its_own(put, sink, state):
    first = put()
    Message.objects.update(state=state)
    again = services.send_again(first, on=ON + dt.timedelta(days=1), now=NOW, by="Ada")
    assert (again.key, again.state, again.on) == ("note:1:r1", "pending", ON + dt.timedelta(days=1))
    assert again.message_id != first.message_id and again.payload == first.payload
    deliver()
    third = services.send_again(again, on=ON, now=NOW, by="Ada")
    assert third.key == "note:1:r2"
    first.refresh_from_db()
    assert first.state == state


def test_what_still_waits_is_not_sent_again(put):
    for key, held_for in (("note:1", ""), ("note:2", "hold:1")):
        with pytest.raises(Refused) as refused:
            services.send_again(put(key, held_for=held_for), on=ON, now=NOW, by="Ada")
        assert refused.value.code == "still_waiting"
    assert Message.objects.count() == 2


# resolve


@pytest.fixture
def lost(put, sink, heard):
    sink.answers["body"] = "drop"
    put()
    deliver()
    heard.clear()
    return only()


def test_a_person_says_that_it_arrived(lost, heard):
    message = services.resolve_unknown(lost, True, by="Ada")
    assert (message.state, message.resolved_by, message.sent_at) == ("sent", "Ada", lost.handing_at)
    assert heard == [("note:1", "sent")] and audited() == [("resolve_message", "Ada")]


def test_a_person_says_that_it_did_not_arrive(lost, heard):
    message = services.resolve_unknown(lost, False, by="Ada")
    assert (message.state, message.reason) == ("failed", "It did not arrive.")
    assert heard == [("note:1", "failed")]


def test_only_what_is_unknown_is_resolved(put):
    with pytest.raises(Refused):
        services.resolve_unknown(put(), True, by="Ada")


# health


def test_health_counts_what_a_person_has_to_know(put, sink):
    put("note:1", held_for="hold:1"), put("note:2", not_before=after(hours=1))
    for n, state in enumerate(["failed", "unknown", "unknown", "sent"]):
        put(f"other:{n}")
        Message.objects.filter(key=f"other:{n}").update(state=state)
    health = services.health(NOW)
    assert (health["waiting"], health["held"], health["failed"], health["unknown"]) == (0, 1, 1, 2)
    assert services.health(after(hours=1))["waiting"] == 1
    assert (health["since"], health["last_error"], health["paused_at"]) == (None, "", None)


def test_health_has_the_words_to_a_message_that_was_put_back(put, sink):
    sink.answers["rcpt"] = "451 greylisted"
    put()
    deliver()
    health = services.health(NOW)
    assert (health["waiting"], health["last_error"]) == (1, "451 greylisted")


# expire on its own


def test_expire_can_be_asked_before_planning(note, put, heard):
    note(expires=lambda message, now: message.on < now.date())
    put()
    assert services.expire(NOW) == 0
    assert services.expire(after(days=1)) == 1
    assert services.expire(after(days=1)) == 0
