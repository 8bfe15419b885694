"""Search at the desk: straight to the only hit, else a list by kind."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from tests.cast import make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Any, clerk: Any) -> Any:
    client.force_login(clerk)
    return client


def look(desk: Any, words: str) -> Any:
    return desk.get(reverse("dashboard:search"), {"q": words})


def test_the_only_hit_opens_at_once(desk, late_client):
    assert look(desk, "Harbour").url == reverse("dashboard:client", args=[late_client.pk])
    invoice = make_invoice(late_client, "812.35")
    assert look(desk, "812.35").url == reverse("dashboard:invoice", args=[invoice.pk])
    assert look(desk, "5550 9921").url == reverse("dashboard:client", args=[late_client.pk])


def test_several_hits_stand_by_kind(desk, late_client, good_client):
    make_invoice(late_client, "812.35")
    make_invoice(good_client, "812.35")
    page = look(desk, "812.35").content.decode()
    assert "2 hits for “812.35”" in page and "<h2>Invoices</h2>" in page and "Osprey Logistics · €812.35" in page


def test_nothing_found_says_what_to_try(desk, late_client):
    page = look(desk, "<b>zebra</b>").content.decode()
    assert "Nothing found for “&lt;b&gt;zebra&lt;/b&gt;”" in page and "telephone number" in page
    assert "What are you looking for?" in look(desk, "").content.decode()


def test_a_search_asks_the_database_little(desk, late_client, good_client, django_assert_max_num_queries):
    for each in (late_client, good_client):
        make_invoice(each, "812.35")
    with django_assert_max_num_queries(25):
        assert look(desk, "812.35").status_code == 200


def test_what_was_found_is_handed_out_as_a_file(desk, late_client, good_client):
    for each in (late_client, good_client):
        make_invoice(each, "812.35")
    answer = desk.get(reverse("dashboard:search"), {"q": "812.35", "format": "csv"})
    sheet = b"".join(answer.streaming_content).decode()
    assert "Osprey Logistics" in sheet and "Harbour Lane Coffee" in sheet and sheet.count("invoice") >= 2
