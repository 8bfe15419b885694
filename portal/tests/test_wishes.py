"""«What would help your team pay faster?»: asked, kept in the file, from an invoice or by a link of its own."""

from __future__ import annotations

import io
import uuid

import pytest
from django.core.cache import cache
from django.utils import timezone

from ar_collections.models import ContactLog
from clients.models import Client, Wishes
from core.services import read_file
from invoices.models import ShareLink
from invoices.services.linking import link_for, link_for_wishes, link_passed_on, token_of
from invoices.services.passing import send_page_link
from outbox.kinds import kind_of
from tests.cast import CLERK, TODAY, make_invoice

PDF = b"%PDF-1.7 our own form"


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def link(late_client):
    return link_for_wishes(late_client, late_client.contacts.get(), timezone.now())


def address(link):
    return f"/w/{link.pk}/{token_of(link)}/"


def said(**more):
    return {"key": str(uuid.uuid4()), "po_required": "on", "label_1": "Cost centre", "value_1": "4711"} | more


def upload(content=PDF, name="form.pdf"):
    file = io.BytesIO(content)
    file.name = name
    return file


def test_what_is_told_is_kept_in_the_file_and_shown_again(link, client, late_client):
    sent = said(cover_page="on", cover_text="For Ms Winter", note="Before the 20th", own_form=upload())
    answer = client.post(address(link), sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, address(link) + "#told")
    kept = Wishes.objects.get(client=late_client)
    assert kept.extra_fields == [{"label": "Cost centre", "value": "4711"}]
    assert (kept.cover_page, kept.cover_text, kept.note) == (True, "For Ms Winter", "Before the 20th")
    assert kept.own_form_name == "form.pdf" and read_file(kept.own_form.sha256) == PDF
    assert Client.objects.get(pk=late_client.pk).po_required
    page = client.get(address(link)).content.decode()
    assert 'value="Cost centre"' in page and "We have form.pdf." in page
    assert "Thank you: this is how we know it." in page
    log = ContactLog.objects.get()
    assert (log.channel, log.direction, log.outcome) == ("portal", "in", "note")


def test_the_same_form_again_tells_it_once(link, client):
    sent = said()
    client.post(address(link), sent)
    client.post(address(link), sent)
    assert ContactLog.objects.count() == 1 and Wishes.objects.get().version == 1


def test_from_an_invoice_and_back(late_client, client):
    invoice = make_invoice(late_client)
    one = link_for(invoice, late_client.contacts.get(), timezone.now())
    at = f"/i/{one.pk}/{token_of(one)}/"
    assert f'href="{at}wishes/"' in client.get(at).content.decode()
    assert client.post(at + "wishes/", said()).headers["Location"] == at + "wishes/#told"
    assert Wishes.objects.filter(client=late_client).exists()


def test_who_got_the_invoice_passed_on_tells_nothing(late_client, client):
    one = link_passed_on(make_invoice(late_client), "jo@client.example", timezone.now())
    at = f"/i/{one.pk}/{token_of(one)}/"
    assert client.post(at + "wishes/", said()).headers["Location"] == at
    assert "wishes/" not in client.get(at).content.decode() and not Wishes.objects.exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"label_1": "", "value_1": "4711"}, "Write what this field is called."),
        ({"own_form": upload(b"<html>", "form.pdf")}, "We cannot keep this file."),
        ({"own_form": upload(b"MZ", "form.exe")}, "We cannot keep this file."),
        ({"label_2": "cost centre", "value_2": "1"}, "Something here cannot be kept."),
        ({"label_1": "x" * 41}, "at most 40 characters"),
    ],
)
def test_what_cannot_be_kept_is_said_and_nothing_is(link, client, more, words):
    answer = client.post(address(link), said(**more))
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Wishes.objects.exists() and not ContactLog.objects.exists()


def test_more_fields_than_the_page_first_shows_are_not_lost(link, client, late_client):
    fields = {f"label_{n}": f"Field {n}" for n in range(1, 6)}
    client.post(address(link), said(**fields))
    page = client.get(address(link)).content.decode()
    assert 'value="Field 5"' in page and 'name="label_6"' in page and 'name="label_7"' not in page


def test_files_are_limited_within_a_day(link, client):
    for n in range(6):
        answer = client.post(address(link), said(own_form=upload(PDF + b"%d" % n)))
    assert answer.status_code == 422 and "That were many files today." in answer.content.decode()


def test_looking_and_staff_change_nothing(link, client, clerk):
    client.get(address(link))
    client.force_login(clerk)
    client.post(address(link), said())
    assert not Wishes.objects.exists() and not ContactLog.objects.exists()


def test_the_link_comes_by_mail(late_client):
    contact = late_client.contacts.get()
    message = send_page_link(late_client, "wishes", contact, on=TODAY, by=CLERK, not_before=timezone.now(), key="1")
    mail = kind_of("page_link").compose(message, timezone.now())
    assert address(ShareLink.objects.get(kind="wishes")) in mail.text
    assert "What would help your team pay" in mail.subject
