"""The door of the client's page: who gets in, what everybody else reads, and what a look leaves behind: nothing."""

from __future__ import annotations

import datetime as dt
import logging
import re

import pytest
from django.apps import apps
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from arledger.logs import MaskLinkTokens
from clients.models import Contact
from invoices.models import LinkView, ShareLink
from invoices.services.linking import link_for, revoke_link, rotate_link, token_of
from outbox.models import Message
from tests.cast import make_client, make_draft, make_invoice, pay

OTHER_PATHS = ("pdf/", "seen/", "paid/", "promise/", "query/", "plan/")


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def invoice(late_client):
    return make_invoice(late_client)


@pytest.fixture
def link(invoice):
    return link_for(invoice, invoice.client.contacts.get(), timezone.now())


def address(link, token=None):
    return f"/i/{link.pk}/{token or token_of(link)}/"


def everything():
    """Every row of every table."""
    return {model._meta.label: sorted(map(str, model.objects.values_list())) for model in apps.get_models()}


def closed(link):
    """One address per reason not to open: unknown number, wrong token, revoked, replaced, expired, draft."""
    wrong = address(link, "x" * 43)
    unknown = f"/i/987654321/{token_of(link)}/"
    gigantic = f"/i/{10**30}/{token_of(link)}/"
    replaced = address(link)
    rotate_link(link, by="test", at=timezone.now())
    other = link_for(make_invoice(link.client), None, timezone.now())
    revoked = address(other)
    revoke_link(other, by="test", at=timezone.now())
    old = link_for(make_invoice(link.client), None, timezone.now())
    ShareLink.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    draft = link_for(make_draft(link.client), None, timezone.now())
    return [wrong, unknown, gigantic, replaced, revoked, address(old), address(draft)]


def test_every_link_that_does_not_open_shows_one_and_the_same_page(link, client):
    answers = [client.get(at) for at in closed(link)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert b"Send me a new link" in answers[0].content
    assert all(dict(answer.headers) == dict(answers[0].headers) for answer in answers)


def test_the_same_holds_behind_every_other_address_of_a_link(link, client):
    for at in (address(link, "x" * 43), f"/i/987654321/{token_of(link)}/"):
        assert len({client.get(at + path).content for path in OTHER_PATHS}) == 1
        assert {client.get(at + path).status_code for path in OTHER_PATHS} <= {404, 429}


def test_a_link_opens_its_invoice_and_no_other(link, client, company):
    """Two clients, two invoices: the token of one opens nothing of the other, and the page names nobody else."""
    stranger = make_client(company, "C-7", name="Quite Another GmbH")
    other = make_invoice(stranger, "777.77")
    foreign = link_for(other, stranger.contacts.get(), timezone.now())
    assert client.get(address(foreign, token_of(link))).status_code == 404
    page = client.get(address(link)).content.decode()
    assert str(link.invoice.number) in page
    assert "Quite Another" not in page and "777.77" not in page


def test_looking_changes_nothing_at_all(link, client):
    """Acceptance 25: mail scanners fetch every link, by GET and HEAD, under every name."""
    client.get(address(link) + "pdf/")  # the document is printed once, on the first look
    before = everything()
    for path in ("", *OTHER_PATHS):
        for method in (client.get, client.head):
            method(address(link) + path)
            method(address(link) + path, headers={"User-Agent": "Mozilla/5.0 (compatible; SafeLinks)"})
    assert everything() == before


def test_a_browser_that_shows_the_page_counts_once(link):
    browser = Browser(enforce_csrf_checks=True)
    page = browser.get(address(link)).content.decode()
    token = re.search(r'data-csrf="([^"]+)"', page)[1]
    seen = re.search(r'data-seen="([^"]+)"', page)[1]
    said = {"X-CSRFToken": token, "Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert browser.post(seen, headers=said).status_code == 204
    assert browser.post(seen, headers=said).status_code == 204
    assert LinkView.objects.filter(link=link).count() == 1


def test_another_site_cannot_say_that_the_page_was_seen(link):
    browser = Browser(enforce_csrf_checks=True)
    page = browser.get(address(link)).content.decode()
    token = re.search(r'data-csrf="([^"]+)"', page)[1]
    seen = address(link) + "seen/"
    for said in (
        {},
        {"X-CSRFToken": "x" * 64},
        {"X-CSRFToken": token, "Origin": "https://elsewhere.example"},
        {"X-CSRFToken": token, "Origin": "null", "Sec-Fetch-Site": "cross-site"},
    ):
        assert browser.post(seen, headers=said).status_code == 403
    assert not LinkView.objects.exists()


def test_our_own_people_never_count(link, client, clerk):
    client.force_login(clerk)
    page = client.get(address(link))
    assert b"data-seen" not in page.content and b"signed in as staff" in page.content
    assert client.post(address(link) + "seen/").status_code == 204
    assert not LinkView.objects.exists()


def test_every_answer_forbids_keeping_telling_and_indexing(link, client):
    for at in (address(link), address(link) + "pdf/", address(link, "x" * 43)):
        headers = client.get(at).headers
        assert headers["Cache-Control"] == "private, no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_page_asks_nothing_of_anybody_else(link, client):
    page = client.get(address(link)).content.decode()
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', page)


def test_no_token_reaches_a_log_line(link, client, caplog):
    caplog.handler.addFilter(MaskLinkTokens())
    with caplog.at_level(logging.DEBUG):
        client.get(address(link))
        wrong = "y" * 43
        client.get(address(link, wrong))
        client.post(address(link) + "seen/", headers={"Origin": "https://elsewhere.example"})
    assert wrong not in caplog.text and token_of(link) not in caplog.text


def test_guessing_is_slowed_down_and_a_right_link_still_opens(link, client):
    for n in range(10):
        assert client.get(address(link, f"{n:043d}")).status_code == 404
    assert client.get(address(link, "z" * 43)).status_code == 429
    assert client.get(address(link)).status_code == 200
    assert client.get(address(link, "z" * 43), REMOTE_ADDR="203.0.113.9").status_code == 404


def test_a_fresh_link_goes_to_the_address_on_file_once_a_day(link, client):
    old = address(link)
    rotate_link(link, by="test", at=timezone.now())
    for _ in range(3):
        answer = client.post(old)
        assert answer.status_code == 200
    message = Message.objects.get()
    assert (message.kind, message.payload) == ("new_link", {"invoice": link.invoice.pk, "contact": link.contact.pk})


def test_whoever_asks_reads_the_same_words_and_a_guess_mails_nobody(link, client):
    old = address(link)
    rotate_link(link, by="test", at=timezone.now())
    genuine = client.post(old)
    guessed = client.post(address(link, "x" * 43))
    unknown = client.post(f"/i/987654321/{'x' * 43}/")
    assert genuine.content == guessed.content == unknown.content
    assert Message.objects.count() == 1


def test_asking_for_links_is_limited(link, client):
    for _ in range(5):
        assert client.post(address(link, "x" * 43)).status_code == 200
    assert client.post(address(link, "x" * 43)).status_code == 429


def test_the_fresh_link_does_not_follow_somebody_who_left(link, client):
    Contact.objects.filter(pk=link.contact.pk).update(is_active=False)
    successor = Contact.objects.create(client=link.client, name="Jo Reed", email="jo@client.example")
    old = address(link)
    rotate_link(link, by="test", at=timezone.now())
    client.post(old)
    assert Message.objects.get().payload["contact"] == successor.pk


def test_nobody_on_file_nobody_is_mailed_and_the_words_are_the_same(link, client):
    Contact.objects.all().delete()
    revoke_link(link, by="test", at=timezone.now())
    assert client.post(address(link)).status_code == 200
    assert not Message.objects.exists()


def test_asking_on_a_link_that_opens_again_leads_to_the_page(link, client):
    answer = client.post(address(link))
    assert (answer.status_code, answer.headers["Location"]) == (303, address(link))


def test_a_link_that_has_expired_may_have_been_renewed_by_a_mail(link, client):
    at = address(link)
    ShareLink.objects.filter(pk=link.pk).update(expires_at=timezone.now() - dt.timedelta(days=1))
    assert client.get(at).status_code == 404
    link_for(link.invoice, link.contact, timezone.now())
    assert client.get(at).status_code == 200


def test_a_paid_invoice_can_still_be_looked_at(link, client, late_client):
    pay(late_client, "1000")
    assert client.get(address(link)).status_code == 200


def test_a_brand_colour_is_six_digits_or_nothing(client, db):
    good = client.get("/i/brand-0f5f57.css")
    assert good.content == b":root { --brand: #0f5f57; }" and good["Content-Type"] == "text/css"
    for bad in ("ffffff", "red", "0f5f57}body{display:none", "12345"):
        assert client.get(f"/i/brand-{bad}.css").status_code == 404


def test_the_closed_page_speaks_the_readers_language_and_the_desk_its_own(link, client):
    """Whose link it was is not known, so the browser's wish counts; the desk is in one language, never in a mixture."""
    german = client.get(address(link, "x" * 43), headers={"Accept-Language": "de-AT,de;q=0.9"}).content.decode()
    assert "Senden Sie mir einen neuen Link" in german and '<html lang="de">' in german
    desk = client.get("/account/login/", headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="en">' in desk
