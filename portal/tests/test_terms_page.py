"""The page of our credit terms: the same door as an invoice's, nothing by a GET, one acceptance per version."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.apps import apps
from django.core.cache import cache
from django.utils import timezone

from clients.models import Acceptance
from invoices.models import LinkView, ShareLink
from invoices.services.linking import link_for, link_for_terms, revoke_link, rotate_link, token_of
from outbox.models import Message
from policies.credit_terms import new_terms_version, publish_shipped_terms, shipped_terms
from policies.models import CreditTerms
from tests.cast import CLERK, make_client, make_invoice

TODAY = timezone.now().date()
MARA = {"accepted_by": "Mara Winter", "agrees": "on"}


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def terms(company):
    return publish_shipped_terms(company, on=TODAY, by=CLERK)


@pytest.fixture
def link(terms, late_client):
    return link_for_terms(late_client, terms, late_client.contacts.get(), timezone.now())


def address(link, token=None):
    return f"/t/{link.pk}/{token or token_of(link)}/"


def everything():
    return {model._meta.label: sorted(map(str, model.objects.values_list())) for model in apps.get_models()}


def test_the_client_reads_and_accepts(link, client, late_client):
    page = client.get(address(link))
    assert page.status_code == 200
    read = page.content.decode()
    assert "Payment in advance" in read and late_client.name in read and "Accept the terms" in read
    answer = client.post(address(link) + "accept/", MARA)
    assert (answer.status_code, answer.headers["Location"]) == (303, address(link) + "#told")
    kept = Acceptance.objects.get()
    assert (kept.client, kept.terms, kept.contact) == (late_client, link.terms, link.contact)
    assert (kept.accepted_by, kept.way, kept.recorded_by) == ("Mara Winter", "link", "client")
    read = client.get(address(link)).content.decode()
    assert "Accepted by Mara Winter on" in read and "Accept the terms" not in read


def test_looking_records_nothing_and_following_every_link_neither(link, client):
    before = everything()
    for path in ("", "accept/", "present/", "seen/", "?lang=de"):
        for method in (client.get, client.head):
            method(address(link) + path)
    assert everything() == before


def test_accepting_twice_keeps_the_first(link, client):
    client.post(address(link) + "accept/", MARA)
    client.post(address(link) + "accept/", MARA | {"accepted_by": "Somebody Else"})
    assert Acceptance.objects.get().accepted_by == "Mara Winter"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"accepted_by": "Mara Winter"}, "Tick this to accept the terms."),
        ({"agrees": "on"}, "This field is required."),
        ({"agrees": "on", "accepted_by": "   "}, "This field is required."),
        ({"agrees": "on", "accepted_by": "\u200b \u2060"}, "Write the name of the person who accepts."),
        ({"agrees": "on", "accepted_by": "x" * 151}, "at most 150 characters"),
    ],
)
def test_without_a_name_and_a_tick_nothing_is_accepted(link, client, sent, said):
    answer = client.post(address(link) + "accept/", sent)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not Acceptance.objects.exists()


def test_staff_see_the_page_and_accept_nothing(link, client, clerk):
    client.force_login(clerk)
    assert "signed in as staff" in client.get(address(link)).content.decode()
    client.post(address(link) + "accept/", MARA)
    client.post(address(link) + "seen/")
    assert not Acceptance.objects.exists() and not LinkView.objects.exists()


def test_every_link_that_does_not_open_shows_one_and_the_same_page(link, client, company, terms):
    wrong, unknown = address(link, "x" * 43), f"/t/987654321/{token_of(link)}/"
    old = address(link)
    rotate_link(link, by="test", at=timezone.now())
    other = make_client(company, "C-7", name="Quite Another GmbH")
    revoked = link_for_terms(other, terms, other.contacts.get(), timezone.now())
    shut = address(revoked)
    foreign = address(revoked, token_of(link))
    revoke_link(revoked, by="test", at=timezone.now())
    expired = make_client(company, "C-8")
    late = link_for_terms(expired, terms, expired.contacts.get(), timezone.now())
    ShareLink.objects.filter(pk=late.pk).update(expires_at=timezone.now())
    answers = [client.get(at) for at in (wrong, unknown, old, shut, foreign, address(late))]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert client.post(wrong + "accept/", MARA).status_code in (200, 404)
    assert not Acceptance.objects.exists()


def test_the_token_of_an_invoice_does_not_open_the_terms(link, client, late_client):
    """The kind is part of what is signed: one number and token never lead to two pages."""
    make_invoice(late_client)
    assert client.get(f"/i/{link.pk}/{token_of(link)}/").status_code == 404
    assert client.get(f"/p/{link.pk}/{token_of(link)}/").status_code == 404


def test_guessing_is_slowed_down(link, client):
    codes = [client.get(address(link, "x" * 43)).status_code for _attempt in range(12)]
    assert codes[:10] == [404] * 10 and codes[-1] == 429
    assert client.get(address(link)).status_code == 200  # a link that is right opens at once


def test_one_link_floods_nobody(link, client):
    codes = [client.post(address(link) + "accept/", {}).status_code for _attempt in range(22)]
    assert codes[0] == 422 and codes[-1] == 429


def test_a_fresh_link_goes_to_the_address_on_file_only(link, client):
    old = address(link)
    rotate_link(link, by="test", at=timezone.now())
    for _twice in range(2):
        answer = client.post(old)
        assert "If that link was one of ours" in answer.content.decode()
    message = Message.objects.get()
    assert (message.kind, message.payload["contact"]) == ("credit_terms", link.contact.pk)


def test_terms_that_were_replaced_are_not_accepted_any_more(link, client, company):
    day = TODAY + dt.timedelta(days=9)
    new_terms_version(company, shipped_terms(), effective_from=day, on=TODAY, by=CLERK)
    assert "Accept the terms" in client.get(address(link)).content.decode()  # the new ones have not begun
    with time_machine.travel(dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC), tick=False):
        page = client.get(address(link)).content.decode()
        assert "Newer terms have taken the place of these" in page and "Accept the terms" not in page
        assert client.post(address(link) + "accept/", MARA).status_code == 422
        assert not Acceptance.objects.exists()
        client.post(address(link) + "present/")
    message = Message.objects.get()
    assert CreditTerms.objects.get(pk=message.payload["terms"]).effective_from == day


def test_nothing_loads_from_elsewhere_and_nothing_is_kept_by_caches(link, client):
    page = client.get(address(link))
    assert page.headers["Cache-Control"] == "private, no-store" and page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert " style=" not in page.content.decode()


@pytest.mark.parametrize(("language", "words"), [("de", "Vorauszahlung"), ("fr", "Paiement d’avance")])
def test_the_page_speaks_the_readers_language(link, client, language, words):
    page = client.get(address(link) + f"?lang={language}")
    assert words in page.content.decode() and page.headers["Content-Language"] == language


def test_an_invoice_leads_to_the_terms_it_was_issued_on(terms, client, late_client):
    invoice = make_invoice(late_client, on=TODAY)
    to_invoice = link_for(invoice, late_client.contacts.get(), timezone.now())
    at = f"/i/{to_invoice.pk}/{token_of(to_invoice)}/"
    page = client.get(at).content.decode()
    assert "Terms that apply: Credit terms of" in page and f'href="{at}terms/"' in page
    read = client.get(at + "terms/").content.decode()
    assert "Payment in advance" in read and "Accept the terms" not in read
    assert not Acceptance.objects.exists()


def test_where_no_terms_are_published_an_invoice_names_none(client, late_client):
    invoice = make_invoice(late_client, on=TODAY)
    to_invoice = link_for(invoice, late_client.contacts.get(), timezone.now())
    at = f"/i/{to_invoice.pk}/{token_of(to_invoice)}/"
    assert "Terms that apply" not in client.get(at).content.decode()
    assert client.get(at + "terms/").status_code == 303
