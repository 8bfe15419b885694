"""Today: the calls of the day in words, figures that lead to what they are made of, and what an empty desk says."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.models import ContactLog, Task
from ar_collections.services.desk import open_task
from ar_collections.services.promising import promise_payment
from core.dates import is_business_day
from core.services import today
from dashboard.reports.upcoming import next_reminders
from tests.cast import CLERK, invoice_due, make_client, make_invoice, pay

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


def to_call(company: Any, on: dt.date, number: str, amount: str = "900") -> Task:
    client = make_client(company, number, name=f"{number} Ltd")
    invoice_due(client, on - days(20), amount)
    return open_task(client, "call", because="20 days overdue", due_on=on, on=on, by="system")


def figure(page: Any, label: str) -> dict[str, Any]:
    return next(one for one in page.context["kpis"] if one["label"].startswith(label))


@pytest.mark.parametrize(("calls", "heading"), [(1, "One call"), (9, "Nine calls"), (12, "12 calls")])
def test_the_heading_says_in_words_how_many_calls_there_are(desk, company, on, calls, heading):
    for n in range(calls):
        to_call(company, on, f"C-{n}", str(300 + n))
    page = desk.get("/")
    assert f"<h1>{heading} to make today</h1>" in page.content.decode()
    assert len(page.context["calls"]) == min(calls, 5)


def test_a_call_logged_here_goes_on_here(desk, company, on):
    first, second = to_call(company, on, "C-1", "900"), to_call(company, on, "C-2", "300")
    answer = desk.post("/", {"client": first.client_id, "key": "form:1", "outcome": "spoke"})
    assert answer["Location"] == f"/?log={second.client_id}"
    assert "1 left, 1 done." in desk.get("/").content.decode()


def test_a_refused_call_is_shown_here_with_what_was_typed_wherever_it_stood(desk, company, on):
    for n in range(6):
        to_call(company, on, f"C-{n}", str(900 - n))
    last = Task.objects.order_by("-pk")[0]
    page = desk.post("/", {"client": last.client_id, "key": "form:1", "outcome": "promised", "amount": "1x"})
    assert page.status_code == 422
    assert page.context["calls"][0].client == last.client
    assert 'value="1x"' in page.content.decode()
    assert not ContactLog.objects.exists()


def test_overdue_is_compared_with_last_week_and_leads_to_its_invoices(desk, company, late_client, on):
    invoice_due(late_client, on - days(20), "1000")
    invoice_due(late_client, on - days(3), "500")
    pay(late_client, "600", on=on - days(1))
    page = desk.get("/")
    overdue = figure(page, "Overdue")
    assert (overdue["value"], overdue["note"], overdue["tone"]) == ("€900", "€100 less than last week", "good")
    assert overdue["foot"] == "2 invoices · 1 client"
    listed = desk.get(overdue["url"])
    assert sum(invoice.balance for invoice in listed.context["page"]) == 900


def test_what_is_promised_and_broken_is_said(desk, late_client, on):
    promise_payment(invoice_due(late_client, on - days(20)), Decimal(400), on, on=on - days(1), by=CLERK)
    promise_payment(invoice_due(late_client, on - days(20)), Decimal(215), on - days(3), on=on - days(9), by=CLERK)
    promised = figure(desk.get("/"), "Promised")
    assert (promised["value"], promised["foot"]) == ("€400", "1 promise · 1 due today")
    assert (promised["note"], promised["tone"]) == ("1 promise of €215 was broken", "warn")


def test_two_currencies_are_never_added_and_one_is_looked_at_after_the_other(desk, late_client, on):
    invoice_due(late_client, on - days(20), "1000")
    make_invoice(late_client, "70", on=on - days(50), currency="USD")
    page = desk.get("/")
    assert figure(page, "Overdue")["value"] == "€1,000"
    assert "?currency=USD" in page.content.decode()
    dollars = desk.get("/?currency=USD")
    assert figure(dollars, "Overdue")["value"] == "$70"
    assert figure(dollars, "Overdue")["foot"] == "1 invoice"
    figures = re.sub(r'(?s)<section class="panel (?:queue|feed)".*?</section>', "", dollars.content.decode())
    assert "$70" in figures and "€" not in figures


def test_every_row_of_the_aging_table_opens_the_invoices_it_counts(desk, late_client, on):
    for late, amount in ((-5, "10"), (12, "20"), (40, "30"), (70, "40"), (100, "50")):
        invoice_due(late_client, on - days(late), amount)
    for row in desk.get("/").context["ages"]:
        listed = desk.get(row["url"]).context["page"]
        assert (row["count"], row["amount"]) == (len(listed.object_list), sum(invoice.balance for invoice in listed))


def test_the_weeks_of_the_chart_stand_in_a_table_too(desk, late_client, on):
    invoice_due(late_client, on - days(20), "1000")
    pay(late_client, "250", on=on)
    page = desk.get("/")
    chart = page.context["cash"]["chart"]
    assert sum(value or 0 for value in chart["series"][0]["values"]) == 250
    assert "€250.00</td>" in page.content.decode()


def test_an_empty_desk_names_the_next_step_that_comes_by_itself(desk, company, late_client, on):
    due_on = on + days(1)
    while not is_business_day(due_on + days(1)):
        due_on += days(1)
    invoice_due(late_client, due_on, "1000")
    leaving = next_reminders(company, on)
    assert leaving is not None and leaving.reminders == 1 and leaving.on > on
    text = desk.get("/").content.decode()
    assert "Nothing to chase today" in text
    assert "Next step: 1 reminder leaves on " in text


def test_of_a_large_book_the_empty_desk_names_only_the_day(desk, company, late_client, on, monkeypatch):
    monkeypatch.setattr("dashboard.reports.upcoming.SMALL_BOOK", 0)
    invoice_due(late_client, on + days(5), "1000")
    assert "Next step: what is due then is planned on " in desk.get("/").content.decode()


def test_an_empty_book_says_what_to_do_first(desk):
    text = desk.get("/").content.decode()
    assert "The book is empty" in text and "/import/" in text
    assert "No reminder is due within the next ten days." in text


def test_the_figures_are_a_file_with_a_row_per_currency(desk, late_client, on):
    invoice_due(late_client, on - days(20), "1000")
    make_invoice(late_client, "70", on=on - days(50), currency="USD")
    answer = desk.get("/?format=csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert [line.split(",")[1:3] for line in lines[1:]] == [["EUR", "1000.00"], ["USD", "70.00"]]


def test_the_page_asks_as_often_however_much_there_is(desk, company, on, django_assert_max_num_queries):
    for n in range(12):
        task = to_call(company, on, f"C-{n}", str(300 + n))
        promise_payment(task.client.invoices.get(), Decimal(5), on + days(2), on=on, by=CLERK)
        pay(task.client, "10", on=on)
    with django_assert_max_num_queries(55):
        assert desk.get("/").status_code == 200
