"""deliver: every row of the state table, each with a server that behaves just so."""

import datetime as dt
import hashlib
import socket

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from core.errors import Refused
from core.models import Installation
from core.services import read_file
from outbox import delivery, moves, services, transport
from outbox.kinds import Composed, NothingToSay
from outbox.models import Message, Outage

from .conftest import NOW, after, deliver, later, only, use
from .sink import Sink

pytestmark = pytest.mark.django_db


def states():
    return dict(Message.objects.values_list("key", "state"))


# pending → claimed → handing → sent


def test_a_message_that_is_due_is_written_handed_over_and_sent_with_the_servers_words(put, sink, heard):
    put()
    before = timezone.now()
    assert deliver() == {"sent": 1, "cancelled": 0, "failed": 0, "unknown": 0, "put_back": 0, "stuck": 0}
    message = only()
    assert (message.state, message.reply, message.attempts) == ("sent", "250 queued", 1)
    assert before <= message.handing_at <= message.sent_at <= timezone.now()
    assert (message.lease_token, message.lease_until) == (None, None)
    assert heard == [("note:1", "sent")]
    [(recipients, letter)] = sink.read()
    assert recipients == ["ada@firm.test"]
    assert letter["Message-ID"] == message.message_id
    assert message.message_id == f"<ar-{hashlib.sha256(b'note:1').hexdigest()[:32]}@us.test>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_body(("plain",)).get_content() == "Hello there\n"
    assert "<p>Hello there</p>" in letter.get_body(("html",)).get_content()


def test_nothing_goes_before_its_time_and_nothing_twice(put, sink):
    put(not_before=after(minutes=10))
    assert deliver()["sent"] == 0
    assert deliver(after(minutes=10))["sent"] == 1
    assert deliver(after(days=1))["sent"] == 0
    assert len(sink.letters) == 1


def test_one_connection_serves_a_whole_drain(put, sink):
    for n in range(5):
        put(f"note:{n}")
    assert deliver()["sent"] == 5
    assert sink.connections == 1


def test_limit_only_and_stop_narrow_a_drain(put, sink):
    for n in range(5):
        put(f"note:{n}")
    assert deliver(limit=2)["sent"] == 2
    assert deliver(only=Q(key="note:4"))["sent"] == 1
    told = iter([False, True])
    assert deliver(stop=lambda: next(told))["sent"] == 1
    assert states() == {"note:0": "sent", "note:1": "sent", "note:2": "sent", "note:3": "pending", "note:4": "sent"}


def test_the_day_acted_as_of_and_the_clock_on_the_wall_are_two_things(put, sink):
    put(not_before=dt.datetime(2012, 1, 3, 9, tzinfo=dt.UTC))
    seen = []
    wall = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
    as_of = dt.datetime(2012, 1, 3, 9, tzinfo=dt.UTC)
    services.deliver(as_of, clock=lambda: seen.append(1) or wall)
    assert only().sent_at == only().handing_at == wall and seen


# claimed → cancelled


def test_what_may_not_go_any_more_is_cancelled_with_the_reason(note, put, sink, heard):
    note(may_go=lambda message, now: "paid on 17 November")
    put()
    assert deliver()["cancelled"] == 1
    assert (only().state, only().reason) == ("cancelled", "paid on 17 November")
    assert heard == [("note:1", "cancelled")] and not sink.letters


def test_a_message_with_nothing_left_to_say_is_cancelled(note, put, sink):
    def compose(message, now):
        raise NothingToSay("everything was paid")

    note(compose=compose)
    put()
    assert deliver()["cancelled"] == 1
    assert only().reason == "everything was paid" and not sink.letters


# claimed → pending, and failed once the attempts are used up


def test_a_no_for_now_before_the_body_is_tried_again_after_1_5_30_120_and_360_minutes_and_fails_at_the_eighth(
    put, sink, heard
):
    sink.answers["rcpt"] = "451 greylisted"
    put()
    now, waits = NOW, []
    for _ in range(7):
        assert deliver(now)["put_back"] == 1
        assert deliver(now)["put_back"] == 0
        waits.append((only().not_before - now) / dt.timedelta(minutes=1))
        now = only().not_before
    assert waits == [1, 5, 30, 120, 360, 360, 360]
    assert (only().state, only().reply, heard) == ("pending", "451 greylisted", [])
    assert deliver(now)["failed"] == 1
    assert only().state == "failed" and only().attempts == 8 and "8 attempts" in only().reason
    assert heard == [("note:1", "failed")] and not sink.letters


@pytest.mark.parametrize("stage", ["mail", "data"])
def test_a_no_for_now_at_any_stage_before_the_body_is_tried_again(put, sink, stage):
    sink.answers[stage] = "452 no room"
    put()
    assert deliver()["put_back"] == 1
    assert only().state == "pending" and only().handing_at is None
    del sink.answers[stage]
    assert deliver(after(minutes=1))["sent"] == 1


def test_a_connection_that_ends_before_the_body_is_no_harm(put, sink):
    put()
    sink.answers["mail"] = "drop"
    assert deliver()["put_back"] == 1
    assert only().state == "pending" and only().attempts == 1
    sink.answers.clear()
    assert deliver(after(minutes=1))["sent"] == 1 and len(sink.letters) == 1


def test_a_worker_that_died_before_handing_over_leaves_a_message_that_is_tried_again(put, sink):
    message = put()
    assert moves.move(message, "claimed", attempts=1, lease_token="0" * 32, lease_until=timezone.now() + delivery.LEASE)
    assert deliver()["sent"] == 0
    assert deliver(clock=later(minutes=6))["put_back"] == 1
    assert only().not_before == after(minutes=1)
    assert deliver(after(minutes=1))["sent"] == 1


def test_a_mail_that_cannot_be_written_waits_and_the_others_go(note, put, sink, caplog):
    def compose(message, now):
        if message.key == "note:0":
            raise ZeroDivisionError("in the template")
        return Composed("Ada", "ada@firm.test", "Hello", "Hello")

    note(compose=compose)
    put("note:0"), put("note:1")
    counts = deliver()
    assert (counts["sent"], counts["put_back"]) == (1, 1)
    assert "in the template" in Message.objects.get(key="note:0").reason
    caplog.clear()


def test_a_kind_nobody_registered_is_never_sent_and_says_so(put, sink, caplog):
    put(kind="unheard-of")
    assert deliver()["put_back"] == 1
    assert "unheard-of" in only().reason
    caplog.clear()


# claimed → failed


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_no_for_ever_before_the_body_fails_with_the_servers_words(put, sink, heard, stage):
    sink.answers[stage] = "550 no such user"
    put()
    assert deliver()["failed"] == 1
    message = only()
    assert (message.state, message.reply, message.to_addr) == ("failed", "550 no such user", "ada@firm.test")
    assert heard == [("note:1", "failed")]
    del sink.answers[stage]
    assert deliver(after(days=1))["sent"] == 0


def test_an_address_that_is_no_address_fails_before_anything_is_said_to_the_server(put, sink):
    put(payload={"to": "ada@firm.test, eve@evil.test"})
    assert deliver()["failed"] == 1
    assert "not one mail address" in only().reason and not sink.letters


def test_a_refused_message_does_not_spoil_the_next_one(put, sink):
    sink.answers["rcpt:gone@firm.test"] = "550 gone"
    put("note:1", payload={"to": "gone@firm.test"}), put("note:2")
    counts = deliver()
    assert (counts["failed"], counts["sent"], sink.connections) == (1, 1, 1)
    assert sink.recipients == [["ada@firm.test"]]


def test_a_refused_copy_does_not_hold_the_letter_back_and_is_told(note, put, sink):
    note(compose=lambda m, now: Composed("A", "ada@firm.test", "Hi", "Hi", cc_addr="boss@firm.test"))
    sink.answers["rcpt:boss@firm.test"] = "550 gone"
    put()
    assert deliver()["sent"] == 1
    assert sink.recipients == [["ada@firm.test"]]
    assert only().reply == "250 queued; copy to boss@firm.test refused: 550 gone"


def test_nothing_goes_to_the_copy_alone(note, put, sink):
    note(compose=lambda m, now: Composed("A", "ada@firm.test", "Hi", "Hi", cc_addr="boss@firm.test"))
    sink.answers["rcpt:ada@firm.test"] = "550 gone"
    put()
    assert deliver()["failed"] == 1 and not sink.letters


# the halt between 354 and the body


def test_handing_is_committed_after_the_354_and_before_the_body(put, sink):
    at_data, at_body = [], []
    sink.answers["data"] = lambda: at_data.append(1)
    sink.answers["body"] = lambda: at_body.append(1)
    told = []
    real = moves.move

    def watch(message, state, **changes):
        if state == "handing":
            told.append((len(at_data), len(at_body)))
        return real(message, state, **changes)

    put()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "move", watch)
        assert deliver()["sent"] == 1
    assert told == [(1, 0)]


def test_a_message_taken_over_by_somebody_else_is_not_handed_over(put, sink):
    put()

    def somebody_else(message, now):
        Message.objects.update(state="pending", lease_token=None, lease_until=None, not_before=after(hours=1))
        return Composed("Ada", "ada@firm.test", "Hello", "Hello")

    from outbox import kinds

    kinds.register(kinds.Kind("note", compose=somebody_else))
    assert deliver()["sent"] == 0
    assert only().state == "pending" and only().handing_at is None
    assert not sink.letters


# handing → pending, failed


def test_a_no_for_now_to_the_last_dot_is_tried_again_and_written_afresh(note, put, sink):
    turns = iter(["first", "second"])
    note(compose=lambda m, now: Composed("Ada", "ada@firm.test", next(turns), "Hello"))
    sink.answers["body"] = "451 try later"
    put()
    assert deliver()["put_back"] == 1
    assert (only().state, only().subject, only().reply) == ("pending", "first", "451 try later")
    del sink.answers["body"]
    assert deliver(after(minutes=1))["sent"] == 1
    assert only().subject == "second"
    assert [letter["Subject"] for _, letter in sink.read()] == ["second"]


def test_a_no_for_ever_to_the_last_dot_fails(put, sink, heard):
    sink.answers["body"] = "554 looks like spam"
    put()
    assert deliver()["failed"] == 1
    assert (only().state, only().reply, heard) == ("failed", "554 looks like spam", [("note:1", "failed")])


# handing → unknown


@pytest.mark.parametrize("answer", ["drop", "hm", "354 go on"])
def test_a_connection_lost_after_the_body_leaves_it_unknown_and_it_is_never_sent_again_by_machine(
    put, sink, heard, answer
):
    sink.answers["body"] = answer
    put()
    assert deliver()["unknown"] == 1
    message = only()
    assert message.state == "unknown" and message.unknown_at and message.reason
    assert heard == [("note:1", "unknown")]
    sink.answers.clear()
    sink.letters.clear()
    assert deliver(after(days=30))["sent"] == 0 and not sink.letters


def test_a_server_that_never_answers_leaves_it_unknown(put, sink, monkeypatch):
    monkeypatch.setattr(transport, "LONGEST_LOOK", 0.2)
    import threading

    waiting = threading.Event()
    sink.answers["body"] = lambda: waiting.wait(5) and None
    put()
    assert deliver()["unknown"] == 1
    assert "timed out" in only().reason
    waiting.set()


def test_a_worker_that_died_while_handing_over_leaves_it_unknown(put, sink, heard):
    message = put()
    now = timezone.now()
    moves.move(message, "claimed", attempts=1, lease_token="0" * 32, lease_until=now + delivery.LEASE)
    moves.move(message, "handing", handing_at=now, lease_until=now + delivery.LEASE)
    assert deliver()["unknown"] == 0
    assert deliver(clock=later(minutes=6))["unknown"] == 1
    assert only().state == "unknown" and heard == [("note:1", "unknown")]


def test_an_answer_that_comes_after_the_lease_ran_out_is_evidence_that_it_went(put, sink):
    def given_up():
        delivery._Drain(NOW, later(minutes=6), transport.current()).reclaim()

    sink.answers["data"] = None
    message = put()
    real = transport.Smtp.hand_over

    def slow(self, letter, before_body):
        said = real(self, letter, before_body)
        given_up()
        return said

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport.Smtp, "hand_over", slow)
        deliver()
    message.refresh_from_db()
    assert (message.state, message.resolved_by, message.reply) == ("sent", "mail server", "250 queued")


def test_more_than_five_unknown_in_ten_minutes_pause_sending_until_a_person_resumes_it(put, sink):
    from audit.models import Event

    sink.answers["body"] = "drop"
    for n in range(8):
        put(f"note:{n}")
    assert deliver()["unknown"] == 6
    paused = Installation.objects.get()
    assert paused.sending_paused_at and "6 messages within ten minutes" in paused.sending_paused_because
    assert services.health(NOW)["paused_because"] == paused.sending_paused_because
    sink.answers.clear()
    assert deliver()["sent"] == 0
    assert services.resume_sending("Ada") is True
    assert services.resume_sending("Ada") is False
    assert deliver()["sent"] == 2
    assert list(Event.objects.values_list("action", "actor").order_by("id")) == [
        ("pause_sending", "system"),
        ("resume_sending", "Ada"),
    ]


def test_five_unknown_or_six_spread_over_an_hour_do_not_pause(put, sink):
    sink.answers["body"] = "drop"
    for n in range(6):
        put(f"note:{n}", not_before=after(minutes=12 * n))
        services.deliver(after(minutes=12 * n), clock=later(minutes=12 * n))
    assert set(states().values()) == {"unknown"}
    assert services.paused_because() == ""


# the server is down


def test_while_the_server_is_down_messages_wait_and_the_outage_says_since_when_and_why(put, settings):
    with Sink() as server:
        use(server, settings)
    put("note:1"), put("note:2")
    for _ in range(20):
        assert deliver()["put_back"] == 0
    assert set(states().values()) == {"pending"}
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}
    health = services.health(NOW)
    outage = Outage.objects.get()
    assert health["waiting"] == 2 and health["since"] == outage.since and "refused" in health["last_error"].lower()
    with Sink() as server:
        use(server, settings)
        assert deliver()["sent"] == 2
    health = services.health(NOW)
    assert (health["waiting"], health["since"], health["last_error"]) == (0, None, "")


def test_a_server_that_says_no_at_the_door_is_an_outage_in_its_own_words(put, sink):
    sink.answers["hello"] = "554 you are blocked"
    put()
    deliver()
    assert services.health(NOW)["last_error"] == "554 you are blocked"
    assert only().state == "pending" and only().attempts == 0


def test_a_server_that_wants_a_login_we_do_not_have_is_an_outage_and_fails_no_message(put, sink):
    sink.answers["mail"] = "530 5.7.0 Authentication required"
    put("note:1"), put("note:2")
    assert deliver()["put_back"] == 1
    assert set(states().values()) == {"pending"}
    assert services.health(NOW)["last_error"] == "530 5.7.0 Authentication required"


def test_an_outage_is_over_as_soon_as_the_server_answers_even_with_nothing_to_send(put, sink):
    Outage.objects.create(since=NOW, said="connection refused")
    deliver()
    assert services.health(NOW)["since"] is None


def test_a_connection_the_server_closed_between_two_letters_is_opened_again(put, sink):
    put("note:1"), put("note:2")
    drops = iter([None, "drop", None])
    sink.answers["mail"] = lambda: next(drops)
    assert deliver()["sent"] == 2
    assert sink.connections == 2
    assert set(Message.objects.values_list("attempts", flat=True)) == {1}


# what is frozen


def test_what_was_handed_over_is_frozen_with_the_bytes_of_its_attachments(note, put, sink):
    pdf = b"%PDF-1.7 likeness"
    note(
        compose=lambda m, now: Composed(
            "Ada", "ada@firm.test", "Invoice", "See the PDF", attachments=[("RE 7.pdf", "application/pdf", pdf)],
            from_name="Lumen & Oak", reply_to="billing@us.test",
        )
    )  # fmt: skip
    put()
    deliver()
    message = only()
    [kept] = message.attachments
    assert kept == {
        "name": "RE 7.pdf", "media_type": "application/pdf", "size": len(pdf), "sha256": hashlib.sha256(pdf).hexdigest()
    }  # fmt: skip
    assert read_file(kept["sha256"]) == pdf
    [(_, letter)] = sink.read()
    [attached] = letter.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("RE 7.pdf", pdf)
    assert str(letter["From"]) == "Lumen & Oak <ar@us.test>" and letter["Reply-To"].addresses[0].domain == "us.test"
    for field in ("subject", "text", "html", "to_addr", "message_id", "key", "from_name"):
        with pytest.raises(DatabaseError), transaction.atomic():
            Message.objects.filter(pk=message.pk).update(**{field: "changed"})
    with pytest.raises(DatabaseError), transaction.atomic():
        message.delete()


# expiry


def test_a_notice_whose_day_is_over_is_cancelled_and_an_invoice_is_not(note, put, sink, heard):
    note(expires=lambda message, now: message.key.startswith("notice") and message.on < now.date())
    put("notice:1", not_before=after(days=1, hours=-1))
    put("notice:2", held_for="hold:1")
    put("invoice:1", not_before=after(days=1, hours=-1))
    assert deliver(NOW)["cancelled"] == 0
    counts = deliver(after(days=1))
    assert (counts["cancelled"], counts["sent"]) == (2, 1)
    assert states() == {"notice:1": "cancelled", "notice:2": "cancelled", "invoice:1": "sent"}
    assert heard == [("notice:1", "cancelled"), ("notice:2", "cancelled"), ("invoice:1", "sent")]


def test_who_acts_for_some_messages_ends_no_others(note, put, sink):
    note(expires=lambda message, now: message.on < now.date())
    put("notice:1", held_for="hold:1")
    put("notice:2", held_for="hold:1")
    assert deliver(after(days=1), only=Q(key="notice:2"))["cancelled"] == 1
    assert states() == {"notice:1": "held", "notice:2": "cancelled"}


# the hook


def test_the_hook_runs_in_the_transaction_that_sets_the_state(note, put, sink, caplog):
    def after_hook(message, state):
        Installation.objects.create()
        assert state == message.state == "sent"
        raise RuntimeError("the hook broke down")

    note(after=after_hook)
    put("note:1"), put("note:2", kind="other")
    assert deliver()["stuck"] == 1
    assert not Installation.objects.exists()
    assert Message.objects.get(key="note:1").state == "handing"
    caplog.clear()


def test_a_broken_hook_does_not_hold_up_the_others(note, put, sink, caplog):
    def after_hook(message, state):
        if message.key == "note:0":
            raise RuntimeError("the hook broke down")

    note(after=after_hook)
    put("note:0"), put("note:1")
    counts = deliver()
    assert (counts["sent"], counts["stuck"]) == (1, 1)
    put("note:2")
    counts = deliver(clock=later(minutes=6))
    assert (counts["sent"], counts["stuck"]) == (1, 1)
    caplog.clear()


# the database goes away


def test_what_the_server_said_is_kept_although_the_database_stumbled(put, sink, monkeypatch):
    from django.db import OperationalError

    stumbles = iter([True, True, False])
    real = delivery._Drain._sent

    def sent(self, message, said):
        if next(stumbles):
            raise OperationalError("server closed the connection")
        return real(self, message, said)

    class Outside:
        in_atomic_block = False

        def close(self):
            pass

    monkeypatch.setattr(delivery._Drain, "_sent", sent)
    monkeypatch.setattr(delivery, "connection", Outside())
    monkeypatch.setattr(delivery.time, "sleep", lambda seconds: None)
    put()
    assert deliver()["sent"] == 1


# no SMTP and no PDF inside a transaction


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_mail_is_written_or_a_server_is_spoken_to(note, put, sink, monkeypatch):
    import weasyprint

    asked = []

    def watch(owner, name):
        real = getattr(owner, name)

        def outside(*args, **kwargs):
            asked.append(name)
            assert not connection.in_atomic_block, f"{name} inside a transaction"
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, outside)

    watch(socket.socket, "connect")
    watch(socket.socket, "sendall")
    monkeypatch.setattr(weasyprint.HTML, "write_pdf", lambda self: b"%PDF-1.7 likeness")
    watch(weasyprint.HTML, "write_pdf")

    def compose(message, now):
        pdf = weasyprint.HTML(string="<p>Invoice</p>").write_pdf()
        return Composed("Ada", "ada@firm.test", "Hi", "Hi", attachments=[("a.pdf", "application/pdf", pdf)])

    note(compose=compose)
    put("note:1"), put("note:2", payload={"to": "nobody"})
    assert deliver()["sent"] == 2
    assert asked.count("write_pdf") == 2 and "connect" in asked and asked.count("sendall") > 8


# the table itself


def test_every_pair_of_states_is_a_move_of_the_table_or_refused(put):
    every = [state for state, _ in Message.STATES]
    assert {state for pair in moves.MOVES for state in pair} == set(every)
    for was in every:
        for state in every:
            message = Message(state=was, kind="note")
            if (was, state) not in moves.MOVES:
                with pytest.raises(ValueError):
                    moves.move(message, state)
    for end in ("sent", "failed", "cancelled"):
        assert not [pair for pair in moves.MOVES if pair[0] == end], end
    assert {state for was, state in moves.MOVES if was == "unknown"} == {"sent", "failed"}


def test_a_lease_stands_exactly_while_a_message_is_claimed_or_handed_over(put):
    message = put()
    with pytest.raises(DatabaseError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(state="claimed")
    with pytest.raises(DatabaseError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(lease_token="0" * 32)
    with pytest.raises(DatabaseError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(state="lost")


def test_of_two_who_read_the_same_message_one_takes_it(put):
    put()
    first, second = only(), only()
    lease = {"lease_token": "0" * 32, "lease_until": NOW}
    assert moves.move(first, "claimed", attempts=1, **lease) is True
    assert moves.move(second, "claimed", attempts=1, **lease) is False
    with pytest.raises(Refused):
        services.cancel(second, by="Ada")


def test_between_two_of_a_kind_to_one_party_lies_the_time_that_is_asked_for(put, note, sink):
    note(apart=dt.timedelta(hours=24))
    first = put("note:1")
    deliver(clock=lambda: NOW)
    put("note:2")
    put("note:3", party="client:2")
    done = deliver(after(hours=23), clock=lambda: after(hours=23))
    assert (done["sent"], done["put_back"]) == (1, 1)
    assert states() == {"note:1": "sent", "note:2": "pending", "note:3": "sent"}
    waiting = Message.objects.get(key="note:2")
    assert waiting.attempts == 0 and waiting.not_before > first.not_before
    assert deliver(waiting.not_before, clock=lambda: waiting.not_before)["sent"] == 1


def test_acting_as_of_another_day_looks_at_no_clock(put, note, sink):
    note(apart=dt.timedelta(hours=24))
    put("note:1")
    put("note:2")
    assert deliver(clock=lambda: after(days=40))["sent"] == 2
