"""Acceptance 25: viewed by a scanner or by staff; link secrecy.

«A bare GET/HEAD never records viewed, promise or dispute; staff preview never counts; tokens 256-bit HMAC, nothing
secret at rest, revocable, expiring, one invoice or one client only.»
"""

from __future__ import annotations

import base64
import datetime as dt
import re
import uuid

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from ar_collections.models import ContactLog, Promise
from disputes.models import Dispute
from invoices.models import LinkView, ShareLink
from invoices.services.linking import revoke_link, token_of
from invoices.services.sending import send_invoice
from outbox.kinds import kind_of
from outbox.models import Message
from outbox.services import deliver
from tests.cast import CLERK, TODAY, make_client, make_invoice

SCANNERS = ("Mozilla/5.0 SafeLinks", "Barracuda Sentinel (EE)", "", "curl/8.5")
ANSWERS = ("", "pdf/", "seen/", "paid/", "promise/", "query/", "plan/")


@pytest.fixture
def mail(late_client):
    """An invoice went out; this is the mail in the client's inbox."""
    cache.clear()
    message = send_invoice(make_invoice(late_client), on=TODAY, by=CLERK)
    return kind_of("invoice").compose(message, timezone.now())


def link_in(mail):
    return "/i/" + re.search(r"/i/(\d+/[\w-]{43}/)", mail.text)[1]


def recorded():
    return LinkView.objects.count(), Promise.objects.count(), Dispute.objects.count(), ContactLog.objects.count()


def test_the_scanner_the_clerk_and_the_client(mail, clerk, late_client):
    address = link_in(mail)

    # The mail gateway follows every link it finds, under several names, by GET and by HEAD.
    for name in SCANNERS:
        for answer in ANSWERS:
            for method in ("get", "head"):
                getattr(Browser(), method)(address + answer, headers={"User-Agent": name})
    assert recorded() == (0, 0, 0, 0)

    # A clerk looks at what the client will see, beacon and all.
    staff = Browser()
    staff.force_login(clerk)
    staff.get(address)
    staff.post(address + "seen/")
    staff.post(address + "promise/", {"key": uuid.uuid4(), "promised_for": TODAY + dt.timedelta(days=3), "amount": "1"})
    assert recorded() == (0, 0, 0, 0)

    # The client opens it in a browser, which says so, and promises a day.
    client = Browser()
    client.get(address)
    client.post(address + "seen/")
    day = timezone.now().astimezone(late_client.company.zone).date() + dt.timedelta(days=3)
    client.post(address + "promise/", {"key": uuid.uuid4(), "promised_for": day, "amount": "1000"})
    assert recorded() == (1, 1, 0, 1)


def test_the_token_is_256_bits_and_nothing_secret_lies_at_rest(mail, tmp_path):
    """Whoever carries the whole database away opens no invoice with it; we still show the mail as it was sent."""
    at = timezone.now() + dt.timedelta(minutes=1)
    deliver(at)
    sent = Message.objects.get(state="sent")
    mail = kind_of("invoice").compose(sent, at)
    link = ShareLink.objects.get()
    token = token_of(link)
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    dump = tmp_path / "dump.json"
    call_command("dumpdata", output=str(dump), verbosity=0)
    assert (sent.text_as_sent, sent.html_as_sent) == (mail.text, mail.html)
    assert token in mail.text and token in mail.html
    assert str(link.pk) in dump.read_text() and token not in dump.read_text()


def test_a_link_is_revocable_and_expiring_and_opens_one_invoice_only(mail, company, client):
    address, link = link_in(mail), ShareLink.objects.get()
    assert client.get(address).status_code == 200

    foreign = make_invoice(make_client(company, "C-8", name="Quite Another"))
    message = send_invoice(foreign, on=TODAY, by=CLERK)
    other = link_in(kind_of("invoice").compose(message, timezone.now()))
    swapped = re.sub(r"/i/\d+/", f"/i/{other.split('/')[2]}/", address)
    assert client.get(swapped).status_code == 404

    ShareLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())
    expired = client.get(address)
    ShareLink.objects.filter(pk=link.pk).update(expires_at=timezone.now() + dt.timedelta(days=1))
    assert client.get(address).status_code == 200
    revoke_link(link, by=CLERK, at=timezone.now())
    revoked = client.get(address)
    assert expired.status_code == revoked.status_code == 404
    assert expired.content == revoked.content == client.get(swapped).content
