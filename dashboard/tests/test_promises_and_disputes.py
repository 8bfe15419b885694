"""The lists of promises and of disputes: what stands on which tab, what closing one says, what a file holds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.services.promising import promise_payment, withdraw_promise
from core.services import today
from disputes.services import close_dispute, open_dispute
from tests.cast import CLERK, invoice_due, make_client, make_company, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def on(company: Any) -> dt.date:
    return today(company, timezone.now())


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    client.force_login(clerk)
    return client


def days(n: int) -> dt.timedelta:
    return dt.timedelta(days=n)


def promise(client: Any, on: dt.date, made: int, due: int, amount: str = "100", **facts: Any) -> Any:
    """A promise made some days ago for a day some days from now, on an invoice of its own."""
    invoice = invoice_due(client, on - days(30), "100")
    return promise_payment(invoice, Decimal(amount), on + days(due), on=on - days(made), by=CLERK, **facts)


def test_each_promise_stands_on_the_tab_of_what_became_of_it(desk, company, on):
    names = {}
    for name, made, due in (("Due", 5, 0), ("Grace", 5, -1), ("Running", 1, 6), ("Broken", 9, -3), ("Kept", 9, -2)):
        names[name] = make_client(company, f"C-{name}", name=f"{name} Ltd")
        kept = promise(names[name], on, made, due)
        if name == "Kept":
            pay(kept.client, "100", on=on - days(4))
    shown = {
        tab: {n for n in names if f"{n} Ltd" in desk.get(f"/promises/?tab={tab}").content.decode()}
        for tab in ("due", "running", "broken", "kept", "all")
    }
    assert shown == {
        "due": {"Due", "Grace"}, "running": {"Running"}, "broken": {"Broken"}, "kept": {"Kept"}, "all": set(names),
    }  # fmt: skip


def test_the_tabs_say_how_many_and_how_much_per_currency(desk, company, late_client, on):
    dollars = make_client(company, "C-7", currency="USD")
    promise(late_client, on, 2, 5)
    promise(late_client, on, 2, 0, "40")
    promise(dollars, on, 2, 5, "70")
    page = desk.get("/promises/")
    tallies = {tab["label"]: (tab["count"], tab["sum"]) for tab in page.context["tabs"]}
    assert tallies["Running"] == (2, "€100 · $70")
    assert tallies["Due today"] == (1, "€40")
    assert page.context["tab"] == "due"


def test_a_running_promise_can_be_withdrawn_and_the_list_comes_back(desk, late_client, on):
    running = promise(late_client, on, 1, 5)
    assert f"/promises/{running.pk}/withdraw/" in desk.get("/promises/?tab=running").content.decode()
    answer = desk.post(f"/promises/{running.pk}/withdraw/", {"next": "/promises/?tab=running"})
    assert answer["Location"] == "/promises/?tab=running"
    running.refresh_from_db()
    assert running.withdrawn_on == on


def test_who_promised_is_said(desk, late_client, on):
    promise(late_client, on, 1, 5, by_client=True)
    assert "by the client, on its page" in desk.get("/promises/").content.decode()


def test_the_file_holds_the_tab_and_hides_no_formula(desk, company, on):
    promise(make_client(company, "C-9", name="=HYPERLINK(1)"), on, 1, 5)
    withdraw_promise(promise(make_client(company, "C-8"), on, 1, 5), on=on, by=CLERK)
    answer = desk.get("/promises/?tab=running&format=csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("'=HYPERLINK(1),")


def test_without_promises_the_page_says_what_will_stand_here(desk):
    page = desk.get("/promises/").content.decode()
    assert "No open promises" in page and "/collections/" in page


def test_open_disputes_stand_by_the_day_to_look_again(desk, company, on):
    for number, revisit in (("C-1", 9), ("C-2", 2), ("C-3", 5)):
        open_dispute(
            invoice_due(make_client(company, number), on - days(3)), reason="price", text="Two hours too many",
            revisit_on=on + days(revisit), on=on, by=CLERK,
        )  # fmt: skip
    page = desk.get("/disputes/")
    assert [d.invoice.client.number for d in page.context["page"]] == ["C-2", "C-3", "C-1"]
    assert page.context["tabs"][0]["sum"] == "€3,000"


def test_a_dispute_is_closed_with_a_sentence(desk, late_client, on):
    dispute = open_dispute(invoice_due(late_client, on - days(3)), reason="order", on=on, by=CLERK)
    refused = desk.post("/disputes/", {"dispute": dispute.pk, "outcome": "  "})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.content.decode()
    desk.post("/disputes/", {"dispute": dispute.pk, "outcome": "Order number added, sent again"})
    dispute.refresh_from_db()
    assert (dispute.closed_on, dispute.outcome, dispute.closed_by) == (
        on, "Order number added, sent again", "Ada Kowalska",
    )  # fmt: skip
    assert "Order number added" in desk.get("/disputes/?tab=closed").content.decode()
    assert "No open disputes" in desk.get("/disputes/").content.decode()


def test_a_dispute_of_another_company_is_not_found_here(desk, on):
    elsewhere = make_client(make_company("us", currency="USD"), "1001")
    dispute = open_dispute(invoice_due(elsewhere, on - days(3)), reason="order", on=on, by=CLERK)
    for asked in (dispute.pk, "", "soon"):
        assert desk.post("/disputes/", {"dispute": asked, "outcome": "x"}).status_code == 404


def test_the_lists_ask_the_database_a_fixed_number_of_times(desk, company, on, django_assert_max_num_queries):
    for n in range(12):
        client = make_client(company, f"C-{n}")
        promise(client, on, 1, 5)
        dispute = open_dispute(invoice_due(client, on - days(3)), reason="price", on=on, by=CLERK)
        if n % 3 == 0:
            close_dispute(dispute, outcome="Explained", on=on, by=CLERK)
    for address in ("/promises/", "/disputes/", "/disputes/?tab=closed"):
        with django_assert_max_num_queries(25):
            assert desk.get(address).status_code == 200


def test_only_staff_see_them(client, company):
    for address in ("/", "/collections/", "/promises/", "/disputes/"):
        assert client.get(address).status_code == 302
