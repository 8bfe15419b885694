"""The outbox at the desk: what waits and what was sent, what a person may do, held batches, nothing that runs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.urls import reverse
from django.utils.html import escape

from ar_collections.models import Hold, Served
from ar_collections.services.holding import hold_first_run, release_hold
from ar_collections.services.planning import plan
from clients.models import Contact
from core.models import Installation
from core.services import store_file
from dashboard.reports.outbox import attention, rows_of
from outbox.models import Message
from outbox.moves import move
from outbox.services import deliver, enqueue
from tests.cast import TODAY, invoice_due, make_client, make_invoice

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)
SOON = NOON + dt.timedelta(minutes=5)


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        yield client


@pytest.fixture
def put(late_client: Any) -> Any:
    """A mail with a fresh link to an invoice of the late client, quick to write."""
    invoice = make_invoice(late_client, "250", on=TODAY)

    def put(key: str = "new_link:1", *, not_before: dt.datetime = NOON, **facts: Any) -> Message:
        told = {"invoice": invoice.pk, "contact": late_client.contacts.get().pk}
        return enqueue(key, "new_link", f"client:{late_client.pk}", TODAY, told, not_before, **facts)

    return put


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(answer: Any) -> str:
    return answer.content.decode()


def sent(message: Message) -> Message:
    deliver(NOON, clock=lambda: NOON)
    message.refresh_from_db()
    assert message.state == "sent", message.reason
    return message


def unknown(message: Message) -> Message:
    move(message, "claimed", attempts=1, lease_token=uuid.uuid4(), lease_until=SOON)
    move(message, "handing", handing_at=NOON, lease_until=SOON, subject="Lost", to_addr="ap@client.example")
    move(message, "unknown", unknown_at=NOON, reason="Connection unexpectedly closed")
    return message


def failed(message: Message) -> Message:
    move(message, "claimed", attempts=1, lease_token=uuid.uuid4(), lease_until=SOON)
    move(message, "failed", reason="The mail server refused it.", reply="550 no such user")
    return message


def test_an_empty_outbox_says_what_will_appear(desk):
    assert "Nothing waiting" in text(desk.get(url("outbox")))


def test_messages_stand_under_their_state_and_are_found_by_client_or_invoice(desk, put, good_client):
    failed(put("new_link:1"))
    put("new_link:2", not_before=SOON)
    page = text(desk.get(url("outbox")))
    assert page.count("data-row") == 2 and "Harbour Lane Coffee" in page and "550 no such user" in page
    assert text(desk.get(url("outbox") + "?state=failed")).count("data-row") == 1
    assert text(desk.get(url("outbox") + "?state=sent")).count("data-row") == 0
    number = Message.objects.first() and str(good_client.company.invoices.get().number)
    assert text(desk.get(url("outbox") + f"?q={number}")).count("data-row") == 2
    assert "No message like that" in text(desk.get(url("outbox") + "?q=Osprey"))
    assert "No message like that" in text(desk.get(url("outbox") + "?kind=notice"))


def test_the_filtered_set_as_csv(desk, put):
    failed(put("new_link:1"))
    put("new_link:2", not_before=SOON)
    answer = desk.get(url("outbox") + "?state=failed&format=csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert "Harbour Lane Coffee" in lines[1] and "ap@client.example" in lines[1] and "550 no such user" in lines[1]


def test_messages_of_another_company_are_not_in_this_outbox(desk, put, company):
    from tests.cast import make_company

    put()
    other = make_company("zz", name="Another")
    session = desk.session
    session["company"] = other.pk
    session.save()
    assert "Nothing waiting" in text(desk.get(url("outbox")))


def test_a_sent_message_is_shown_exactly_and_its_file_can_be_saved(desk, put):
    message = sent(put())
    page = desk.get(url("outbox_message", message.pk))
    shown = text(page)
    assert escape(message.subject) in shown and "written to" in shown and "ap@client.example" in shown
    assert f'src="/outbox/{message.pk}/html/" sandbox title=' in shown
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    eml = desk.get(url("outbox_eml", message.pk))
    assert eml.headers["Content-Disposition"].startswith("attachment; filename=")
    assert eml.content == (settings.MAIL_DIR / message.reply.removeprefix("written to ")).read_bytes()


def test_the_html_of_a_mail_stands_on_a_page_on_which_nothing_runs(desk, put):
    message = sent(put())
    answer = desk.get(url("outbox_html", message.pk))
    policy = answer.headers["Content-Security-Policy"]
    assert text(answer) == message.html_as_sent
    assert "sandbox" in policy and "default-src 'none'" in policy and "frame-ancestors 'self'" in policy
    assert "script-src 'none'" in policy and "form-action 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    waiting = put("new_link:2", not_before=SOON)
    assert desk.get(url("outbox_html", waiting.pk)).status_code == 404


def test_an_attachment_is_saved_never_shown(desk, put):
    message = put(not_before=SOON)
    files = [
        {"name": "a.pdf", "media_type": "application/pdf", "size": 3, "sha256": store_file(b"PDF", "x").sha256},
        {"name": "b.html", "media_type": "text/html", "size": 8, "sha256": store_file(b"<script>", "x").sha256},
    ]
    Message.objects.filter(pk=message.pk).update(attachments=files)
    first, second = (desk.get(url("outbox_attachment", message.pk, n)) for n in (1, 2))
    assert first.content == b"PDF" and first.headers["Content-Type"] == "application/pdf"
    assert second.headers["Content-Type"] == "application/octet-stream"
    for answer in (first, second):
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert desk.get(url("outbox_attachment", message.pk, 3)).status_code == 404
    desk.logout()
    assert desk.get(url("outbox_attachment", message.pk, 1)).status_code == 302


def test_a_preview_shows_what_it_would_say_and_keeps_nothing_of_it(desk, put):
    message = put(not_before=SOON)
    assert "Not written yet" in text(desk.get(url("outbox_message", message.pk)))
    assert desk.get(url("outbox_preview", message.pk)).status_code == 405
    page = text(desk.post(url("outbox_preview", message.pk), follow=True))
    assert "What it would say now" in page and "Mara Winter" in page
    assert "<html" in text(desk.get(url("outbox_html", message.pk)))
    message.refresh_from_db()
    assert (message.state, message.subject, message.html) == ("pending", "", "")


def test_a_preview_says_why_nothing_would_leave(desk, put, late_client):
    message = put(not_before=SOON)
    late_client.contacts.update(email="")
    page = text(desk.post(url("outbox_preview", message.pk), follow=True))
    assert "would not leave" in page and "cannot arrive" in page


def test_undo_works_before_it_leaves_and_is_refused_after(desk, put):
    message = put(not_before=SOON)
    assert "Undo" in text(desk.get(url("outbox_message", message.pk)))
    assert "it was not sent" in text(desk.post(url("outbox_undo", message.pk), follow=True))
    message.refresh_from_db()
    assert message.state == "cancelled"
    late = put("new_link:2")
    assert "too late" in text(desk.post(url("outbox_undo", late.pk), follow=True))
    late.refresh_from_db()
    assert late.state == "pending"


def test_a_failed_message_is_tried_again_under_a_key_of_its_own(desk, put):
    message = failed(put())
    assert attention(Message.objects.all(), NOON).count() == 1
    page = text(desk.post(url("outbox_again", message.pk), follow=True))
    again = Message.objects.exclude(pk=message.pk).get()
    assert again.key == f"{message.key}:r1" and again.message_id != message.message_id
    assert "It is sent again" in page and "Sent before" in page
    assert f'action="{url("outbox_undo", again.pk)}"' in page
    assert attention(Message.objects.all(), NOON).count() == 0
    refused = text(desk.post(url("outbox_again", again.pk), follow=True))
    assert "nothing to send again" in refused and Message.objects.count() == 2


@pytest.mark.parametrize(("do", "state"), [("arrived", "sent"), ("lost", "failed")])
def test_a_person_says_what_became_of_an_unknown_message(desk, put, clerk, do, state):
    message = unknown(put())
    assert "It did not arrive" in text(desk.get(url("outbox_message", message.pk)))
    desk.post(url(f"outbox_{do}", message.pk))
    message.refresh_from_db()
    assert (message.state, message.resolved_by) == (state, clerk.get_full_name())
    assert "nothing to resolve" in text(desk.post(url(f"outbox_{do}", message.pk), follow=True))


def test_what_was_ticked_is_cancelled_and_what_cannot_be_is_said(desk, put):
    first, second, gone = put("new_link:1"), put("new_link:2"), failed(put("new_link:3"))
    page = text(desk.post(url("outbox"), {"do": "cancel", "pk": [first.pk, second.pk, gone.pk]}, follow=True))
    assert "2 messages cancelled" in page and "only one that still waits can be cancelled" in page
    assert Message.objects.filter(state="cancelled").count() == 2


def test_sending_is_paused_with_a_reason_and_resumed(desk, put):
    put()
    assert "Say why" in text(desk.post(url("outbox_pause"), {"because": " "}, follow=True))
    page = text(desk.post(url("outbox_pause"), {"because": "A wrong rate in the policy"}, follow=True))
    assert "A wrong rate in the policy" in page and "Resume sending" in page
    assert deliver(NOON)["sent"] == 0
    desk.post(url("outbox_resume"))
    assert Installation.objects.get().sending_paused_at is None
    assert deliver(NOON)["sent"] == 1


# ── Held batches ────────────────────────────────────────────────────────


@pytest.fixture
def batch(company: Any, late_client: Any, good_client: Any) -> Hold:
    """A hold after an import, with a reminder for each of two clients."""
    hold = hold_first_run(company, detail="2 open items of book.csv", by="import")
    for each in (late_client, good_client):
        invoice_due(each, TODAY - dt.timedelta(days=1), "300")
    plan(company, TODAY, by="test", now=NOON)
    assert Message.objects.filter(state="held").count() == 2
    return hold


def test_a_held_batch_shows_every_message_it_would_send(desk, batch):
    page = text(desk.get(url("outbox_hold", batch.pk)))
    assert "2 messages wait for you" in page and "2 open items of book.csv" in page
    for words in ("Harbour Lane Coffee", "Osprey Logistics", "ap@client.example", "Late since yesterday", "€300.00"):
        assert words in page
    lines = b"".join(desk.get(url("outbox_hold", batch.pk) + "?format=csv").streaming_content).decode().splitlines()
    assert len(lines) == 3


def test_a_held_message_names_the_reader_it_will_go_to(desk, company, late_client):
    """The final notice addresses the owner, not accounts payable."""
    Contact.objects.create(client=late_client, name="Noor Haddad", role="owner", email="noor@client.example")
    invoice = invoice_due(late_client, TODAY - dt.timedelta(days=46), "300")
    Served.objects.create(invoice=invoice, step="reissue", channel="mail", on=TODAY - dt.timedelta(days=16))
    hold = hold_first_run(company, by="import")
    plan(company, TODAY, by="test", now=NOON)
    (row,) = rows_of(Message.objects.filter(state="held"))
    release_hold(hold, by="test")
    deliver(NOON)
    sent = Message.objects.get()
    assert sent.state == "sent" and sent.subject.startswith("Final notice")
    assert row.to_addr == sent.to_addr == "noor@client.example"


def test_nobody_releases_what_they_have_not_seen(desk, batch):
    place = url("outbox_release", batch.pk)
    assert "Tick that you have looked" in text(desk.post(place, {"count": "2"}, follow=True))
    assert "Meanwhile the batch has 2 messages" in text(desk.post(place, {"count": "1", "looked": "yes"}, follow=True))
    assert Message.objects.filter(state="held").count() == 2


def test_a_released_batch_leaves_and_is_decided_once(desk, batch, clerk):
    asked = {"count": "2", "looked": "yes"}
    assert "2 messages released" in text(desk.post(url("outbox_release", batch.pk), asked, follow=True))
    assert Message.objects.filter(state="pending").count() == 2
    batch.refresh_from_db()
    assert (batch.released, batch.ended_by) == (True, clerk.get_full_name())
    assert "already decided" in text(desk.post(url("outbox_discard", batch.pk), asked, follow=True))
    assert "Released by Ada Kowalska" in text(desk.get(url("outbox_hold", batch.pk)))
    message = Message.objects.filter(state="pending").first()
    assert message is not None
    assert "Held for a person" in text(desk.get(url("outbox_message", message.pk)))


def test_a_discarded_batch_sends_nothing_and_passes_its_steps_over(desk, batch):
    asked = {"count": "2", "looked": "yes"}
    assert "2 messages discarded" in text(desk.post(url("outbox_discard", batch.pk), asked, follow=True))
    assert set(Message.objects.values_list("state", flat=True)) == {"cancelled"}
    assert set(Served.objects.values_list("outcome", flat=True)) == {"skipped"}


def test_a_hold_without_messages_yet_says_so(desk, company):
    hold = hold_first_run(company, by="import")
    assert "Nothing planned yet" in text(desk.get(url("outbox_hold", hold.pk)))


def test_a_message_that_is_not_there_is_not_found(desk):
    for name in ("outbox_message", "outbox_html", "outbox_eml", "outbox_hold"):
        assert desk.get(url(name, 99)).status_code == 404
    for name in ("outbox_undo", "outbox_preview", "outbox_release"):
        assert desk.post(url(name, 99)).status_code == 404


def test_pages_ask_the_database_little_however_long_the_list(desk, company, django_assert_max_num_queries):
    hold = hold_first_run(company, by="import")
    for n in range(12):
        invoice_due(make_client(company, f"D-{n}"), TODAY - dt.timedelta(days=1), "300")
    plan(company, TODAY, by="test", now=NOON)
    message = Message.objects.filter(held_for=hold.key).first()
    assert message is not None
    for place in (url("outbox"), url("outbox_hold", hold.pk), url("outbox_message", message.pk)):
        with django_assert_max_num_queries(25):
            assert desk.get(place).status_code == 200
