"""Signed links: one live link per invoice and contact, what opens it and what no longer does."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import connection
from django.test import override_settings

from audit.models import Event
from clients.models import Contact
from invoices.models import LinkView, ShareLink
from invoices.services.linking import (
    find,
    is_view_only,
    link_for,
    only_looking,
    record_view,
    revoke_link,
    rotate_link,
    token_of,
    url_of,
    was_ours,
)
from tests.cast import make_draft, make_invoice, pay

NOW = dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def link(late_client):
    invoice = make_invoice(late_client)
    return link_for(invoice, late_client.contacts.get(), NOW)


def opens(link, token=None, at=NOW):
    return find("invoice", link.pk, token_of(link) if token is None else token, at)


def test_a_link_opens_with_its_token_and_with_nothing_else(link):
    assert opens(link) == link
    assert len(token_of(link)) == 43
    for wrong in ("", "x" * 43, token_of(link)[:-1], token_of(link) + "A", token_of(link).swapcase(), "ä" * 43):
        assert opens(link, wrong) is None
    assert find("statement", link.pk, token_of(link), NOW) is None
    assert find("invoice", link.pk + 1, token_of(link), NOW) is None


def test_nothing_in_the_database_opens_a_link(link):
    """A leaked dump is useless: the token is made of the row and a key that lies elsewhere."""
    token = token_of(link)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM invoices_sharelink")
        assert token not in str(cursor.fetchall())
    with override_settings(LINK_KEY="q" * 60):
        assert token_of(link) != token
        assert opens(link, token) is None


def test_a_new_key_still_honours_the_links_of_the_old_one_and_signs_with_itself(link, settings):
    old_token, old_key = token_of(link), settings.LINK_KEY
    settings.LINK_KEY, settings.LINK_KEY_FALLBACKS = "n" * 60, [old_key]
    assert opens(link, old_token) == link
    assert token_of(link) != old_token
    settings.LINK_KEY_FALLBACKS = []
    assert opens(link, old_token) is None


def test_there_is_one_live_link_per_invoice_and_contact(link, late_client):
    second = Contact.objects.create(client=late_client, name="Jo Reed", email="jo@client.example")
    again = link_for(link.invoice, link.contact, NOW + DAY)
    assert again.pk == link.pk and token_of(again) == token_of(link)
    assert link_for(link.invoice, second, NOW).pk != link.pk
    assert link_for(link.invoice, None, NOW).pk == link_for(link.invoice, None, NOW).pk
    assert ShareLink.objects.count() == 3


def test_it_ends_60_days_after_the_due_date(link):
    end = dt.datetime.combine(link.invoice.due_on + 61 * DAY, dt.time(), tzinfo=dt.UTC)
    assert link.expires_at == end
    assert opens(link, at=end - dt.timedelta(seconds=1)) == link
    assert opens(link, at=end) is None


def test_each_mail_that_carries_it_renews_it_for_60_days(link):
    late = link.expires_at - 10 * DAY
    renewed = link_for(link.invoice, link.contact, late)
    assert renewed.pk == link.pk
    assert renewed.expires_at == late + 60 * DAY


def test_no_token_lives_longer_than_a_year(link):
    ShareLink.objects.filter(pk=link.pk).update(created_at=NOW)
    link.refresh_from_db()
    much_later = NOW + 320 * DAY
    successor = link_for(link.invoice, link.contact, much_later)
    assert successor.pk != link.pk
    assert opens(link, at=much_later) is None
    assert successor.expires_at - much_later <= 365 * DAY


def test_an_invoice_due_in_the_far_future_does_not_make_a_link_for_ever(late_client):
    late_client.terms.net_days = 365
    late_client.terms.save()
    link = link_for(make_invoice(late_client), None, NOW)
    assert link.expires_at - link.created_at <= 365 * DAY + dt.timedelta(seconds=1)


def test_after_payment_it_can_be_looked_at_for_90_days(link, late_client):
    with time_machine.travel(NOW + 10 * DAY, tick=False):
        pay(late_client, "1000")
    link.refresh_from_db()
    link.invoice.refresh_from_db()
    assert is_view_only(link)
    assert link.expires_at < NOW + 99 * DAY
    assert opens(link, at=NOW + 99 * DAY) == link
    assert opens(link, at=NOW + 100 * DAY) is None


def test_a_fresh_link_to_an_invoice_paid_long_ago_opens(link, late_client):
    with time_machine.travel(NOW, tick=False):
        pay(late_client, "1000")
    late = NOW + 200 * DAY
    assert opens(link, at=late) is None
    fresh = link_for(link.invoice, link.contact, late)
    assert opens(fresh, at=late + 59 * DAY) == fresh
    assert opens(fresh, at=late + 60 * DAY) is None


def test_the_link_of_a_person_who_left_opens_nothing_any_more(link):
    token = token_of(link)
    Contact.objects.filter(pk=link.contact_id).update(is_active=False)
    assert opens(link, token) is None
    assert was_ours("invoice", link.pk, token) == link


def test_looking_makes_and_renews_no_link(link):
    before = ShareLink.objects.values().get()
    with only_looking():
        assert "/i/…/" in url_of(link_for(link.invoice, link.contact, NOW + 300 * DAY))
        assert "/i/…/" in url_of(link_for(link.invoice, None, NOW))
    assert ShareLink.objects.values().get() == before
    assert link_for(link.invoice, link.contact, NOW).pk == link.pk


def test_revoking_shuts_it_at_once_and_for_good(link, clerk):
    token = token_of(link)
    revoke_link(link, by=clerk, at=NOW)
    revoke_link(link, by=clerk, at=NOW + DAY)
    assert opens(link, token) is None
    assert Event.objects.filter(action="link_revoked", object_id=str(link.pk)).count() == 1
    assert link_for(link.invoice, link.contact, NOW).pk != link.pk


def test_a_new_version_replaces_the_token_at_once(link, clerk):
    old = token_of(link)
    rotate_link(link, by=clerk, at=NOW)
    assert opens(link, old) is None
    assert opens(link, token_of(link)) == link


def test_an_old_token_is_recognised_only_to_mail_a_new_link(link, clerk):
    old = token_of(link)
    rotate_link(link, by=clerk, at=NOW)
    assert was_ours("invoice", link.pk, old) == link
    assert was_ours("invoice", link.pk, "x" * 43) is None
    assert was_ours("invoice", 10**9, old) is None


def test_a_draft_is_never_shown(late_client):
    link = link_for(make_draft(late_client), None, NOW)
    assert opens(link) is None


def test_reloading_within_half_an_hour_is_one_view(link):
    assert record_view(link, NOW) is not None
    assert record_view(link, NOW + dt.timedelta(minutes=29)) is None
    assert record_view(link, NOW + dt.timedelta(minutes=31)) is not None
    assert LinkView.objects.filter(link=link).count() == 2


def test_the_address_is_made_of_the_settings_alone(link, settings):
    settings.PUBLIC_URL = "https://ar.firm.example"
    assert url_of(link) == f"https://ar.firm.example/i/{link.pk}/{token_of(link)}/"


