"""What a page asks of the database does not grow with its rows: lists, the statement, the client's pages."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client
from core.models import Company
from invoices.services.drafting import LineDraft
from invoices.services.linking import link_for_statement, token_of
from invoices.services.recurring import Schedule, make_recurring
from invoices.services.work import Done, record_work
from payments.services.crediting import issue_credit_note
from payments.services.hearing import needing_person
from payments.services.receipts import make_receipt
from payments.tests.provided import AT, begin, heard, offer_card
from policies.models import Terms
from tests.cast import CLERK, TODAY, make_client, make_draft, make_invoice, pay

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
HALVES = [{"percent": "50", "days": 14}, {"percent": "50", "days": 30}]
LISTS = [
    "/clients/", "/invoices/", "/invoices/?tab=overdue", "/payments/", "/payments/events/?tab=all", "/credit-notes/",
    "/receipts/", "/work/", "/recurring/",
]


@pytest.fixture
def noon() -> Any:
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        yield


def fill(client: Client, n: int) -> None:
    """One of everything that a list shows."""
    made = TODAY - 40 * DAY
    in_parts = client.company.terms.get(name="Halves")
    assert make_invoice(client, terms=client.company.terms.get(name="Early")).discount == 20
    whole, halves = make_invoice(client, on=made), make_invoice(client, on=made, terms=in_parts)
    make_draft(client)
    issue_credit_note(whole, reason="Less was done", lines={1: Decimal("0.1")}, key=f"note-{client.pk}-{n}",
                      on=TODAY, by=CLERK)  # fmt: skip
    payment = pay(client, "100", how={f"invoice:{halves.pk}": Decimal(90)})
    make_receipt(payment, on=TODAY, by=CLERK)
    heard(begin(halves, "50").checkout)
    record_work(client, Done("Consulting", made, Decimal(80)), on=TODAY, by=CLERK)
    make_recurring(client, Schedule(f"Hosting {n}", TODAY + DAY), [LineDraft("Hosting", Decimal(1), Decimal(80))],
                   on=TODAY, by=CLERK)  # fmt: skip


def asked(browser: Any, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as said:
        answer = browser.get(address)
        list(getattr(answer, "streaming_content", ()))
    assert answer.status_code == 200, address
    return [query["sql"] for query in said]


@pytest.fixture
def company_in_parts(company: Company, noon: None) -> Company:
    Terms.objects.create(company=company, name="Halves", net_days=30, parts=HALVES, late_percent=12)
    Terms.objects.create(company=company, name="Early", net_days=30, discount_percent=2, discount_days=10)
    offer_card(company)
    return company


def test_no_list_asks_more_where_more_rows_stand_on_it(client, clerk, company_in_parts):
    client.force_login(clerk)
    fill(make_client(company_in_parts, "C-0"), 0)
    few = {address: asked(client, address) for address in LISTS for _ in range(2)}
    for n in range(1, 5):
        fill(make_client(company_in_parts, f"C-{n}"), n)
    for address in LISTS:
        many = asked(client, address)
        assert len(many) <= len(few[address]), (address, len(few[address]), len(many), more(few[address], many))


def test_no_page_of_a_client_asks_more_where_more_is_open(client, clerk, company_in_parts):
    client.force_login(clerk)
    one = make_client(company_in_parts, "C-0")
    link = link_for_statement(one, one.contacts.get(), AT)
    pages = [f"/clients/{one.pk}/statement/", f"/clients/{one.pk}/", f"/s/{link.pk}/{token_of(link)}/"]
    fill(one, 0)
    few = {address: asked(client, address) for address in pages for _ in range(2)}
    for n in range(1, 5):
        fill(one, n)
    for address in pages:
        many = asked(client, address)
        assert len(many) <= len(few[address]), (address, len(few[address]), len(many), more(few[address], many))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a small table from end to end")
def test_what_waits_among_all_words_of_providers_is_found_by_an_index(company):
    assert "provider_event_waits" in needing_person(company).order_by().explain()


def more(few: list[str], many: list[str]) -> list[str]:
    """The questions that were asked more often, for whoever has to mend it."""
    heads = [sql[:150] for sql in few]
    return [f"{sum(q[:150] == head for q in many)}x {head}" for head in dict.fromkeys(q[:150] for q in many)
            if sum(q[:150] == head for q in many) > heads.count(head)]  # fmt: skip
