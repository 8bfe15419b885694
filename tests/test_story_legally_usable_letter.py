"""Case 20: a letter that can be used later (invoiceninja#8716), with proof of sending (#2864, #1196).

The letter is stored byte for byte with the message, its Message-ID, the server's reply, the time and the reader; staff
find it from the client's file and by the outbox, and nobody can change it any more.
"""

from __future__ import annotations

import datetime as dt
import email
import hashlib
import io
from email import policy as mail_policy

import pypdf
import pytest
from django.db import DatabaseError, transaction
from django.test import Client as Browser
from django.urls import reverse

from ar_collections.models import Served
from core.services import read_file
from outbox.models import Message
from outbox.services import deliver
from outbox.tests.conftest import use
from outbox.tests.sink import Sink
from tests.cast import invoice_due, make_manager
from tests.collecting import a_day

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)  # a Wednesday


@pytest.fixture
def sent(late_client, settings):
    """The final notice, handed over to a mail server: the message as kept, and the bytes the server took."""
    invoice = invoice_due(late_client, ON - dt.timedelta(days=45))
    for step, ago in (("reminder_1", 30), ("reminder_2", 24), ("reissue", 15)):
        Served.objects.create(invoice=invoice, step=step, channel="mail", on=ON - dt.timedelta(days=ago))
    a_day(late_client.company, ON, send=False)
    with Sink() as server:
        use(server, settings)
        deliver(dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC))
        ((recipients, raw),) = server.letters
    return Message.objects.get(), recipients, raw


def letter_in(raw: bytes) -> bytes:
    mail = email.message_from_bytes(raw, policy=mail_policy.default)
    (letter,) = [part for part in mail.iter_attachments() if part.get_filename().startswith("letter")]
    return letter.get_payload(decode=True)


def test_what_is_stored_is_what_left_byte_for_byte(sent):
    message, _recipients, raw = sent
    (kept,) = [file for file in message.attachments if file["name"].startswith("letter")]
    assert read_file(kept["sha256"]) == letter_in(raw)
    assert hashlib.sha256(letter_in(raw)).hexdigest() == kept["sha256"]
    said = " ".join(pypdf.PdfReader(io.BytesIO(letter_in(raw))).pages[0].extract_text().split())
    assert "This is our final notice" in said and "1,000.00" in said


def test_the_proof_of_sending_is_kept_with_it(sent):
    message, recipients, raw = sent
    mail = email.message_from_bytes(raw, policy=mail_policy.default)
    assert message.state == "sent" and message.reply.startswith("250")
    assert mail["Message-ID"] == message.message_id
    assert recipients == [message.to_addr] and message.to_name
    assert message.handing_at and message.sent_at and message.handing_at <= message.sent_at
    assert mail["Auto-Submitted"] == "auto-generated"


def test_nobody_changes_what_was_sent(sent):
    message, _recipients, _raw = sent
    for changes in ({"text": "else"}, {"to_addr": "x@y.test"}, {"attachments": []}, {"message_id": "<x@y>"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Message.objects.filter(pk=message.pk).update(**changes)
    with pytest.raises(DatabaseError), transaction.atomic():
        message.delete()


def test_staff_find_it_from_the_clients_file_and_download_the_same_bytes(sent, late_client):
    message, _recipients, raw = sent
    browser = Browser()
    browser.force_login(make_manager())
    page = reverse("dashboard:outbox_message", args=[message.pk])
    timeline = browser.get(reverse("dashboard:client_timeline", args=[late_client.pk])).content.decode()
    found = browser.get(reverse("dashboard:outbox"), {"q": late_client.name}).content.decode()
    assert page in timeline and page in found
    shown = browser.get(page).content.decode()
    for proof in (message.message_id.strip("<>"), message.to_addr, message.reply):
        assert proof in shown
    number = 1 + [file["name"].startswith("letter") for file in message.attachments].index(True)
    download = browser.get(reverse("dashboard:outbox_attachment", args=[message.pk, number]))
    assert download.content == letter_in(raw) and "attachment" in download["Content-Disposition"]
