"""Recurring invoices at the desk: the next twelve dates before and after saving, pause, end, leave out, what waits."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from clients.services.status import set_status
from invoices.models import Invoice, RecurringInvoice, RecurringRun
from invoices.services.drafting import LineDraft
from invoices.services.recurring import Schedule, make_recurring
from invoices.services.recurring_runs import run_recurring
from tests.cast import CLERK, TODAY, make_client

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
TOLD = {
    "name": "Hosting", "every": "1", "unit": "month", "starts_on": "2026-12-31", "ends_on": "", "covers": "ahead",
    "sends": "on", "contact": "", "terms": "", "currency": "", "po_number": "", "note": "",
    "lines-TOTAL_FORMS": "2", "lines-INITIAL_FORMS": "0",
    "lines-0-description": "Hosting {month}", "lines-0-quantity": "1", "lines-0-unit_price": "80",
    "lines-0-tax_percent": "19", "lines-0-tax_category": "S", "lines-1-quantity": "1", "lines-1-tax_percent": "0",
    "lines-1-tax_category": "S",
}  # fmt: skip


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        client.force_login(clerk)
        yield client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("\u00a0", " ").split())


def make(client: Any, **facts: Any) -> RecurringInvoice:
    line = LineDraft("Hosting {month}", Decimal(1), Decimal(80), tax_percent=Decimal(19))
    schedule = Schedule(facts.pop("name", "Hosting"), facts.pop("starts_on", TODAY + DAY), **facts)
    return make_recurring(client, schedule, [line], on=TODAY, by=CLERK)


def night(company: Any, on: dt.date = TODAY + DAY) -> Any:
    return run_recurring(company, send_from=timezone.now(), on=on, by="system")


def test_an_empty_list_says_what_it_is_for_and_stands_in_the_rail(desk):
    page = text(desk.get("/recurring/"))
    assert "Write once what is invoiced again and again" in page and "/recurring/new/" in page
    assert 'href="/recurring/"' in text(desk.get("/"))


def test_the_next_twelve_dates_stand_on_the_page_before_and_after_it_is_kept(desk, good_client):
    assert desk.get("/recurring/new/").status_code == 200
    for address in ("/recurring/look/", "/recurring/new/"):
        looked = text(desk.post(address, TOLD | {"client": good_client.pk, "do": "look"}))
        for said in ("Thursday 31 December 2026", "Sunday 28 February 2027", "Wednesday 31 March 2027", "€95.20"):
            assert said in looked, said
        assert looked.count("2027</b>") == 11 and "«Hosting January 2027»" in looked
    assert not RecurringInvoice.objects.exists(), "it only looked"
    for _ in range(2):
        kept = desk.post("/recurring/new/", TOLD | {"client": good_client.pk, "do": "save"}, follow=True)
    page = text(kept)
    assert RecurringInvoice.objects.count() == 1 and page.count("Leave out: ") == 12
    assert "Sunday 28 February 2027" in page and "1 Mar 2027 to 31 Mar 2027" in page


def test_the_tax_of_where_the_client_is_is_proposed(desk, company, good_client):
    abroad = make_client(company, "C-5", country="US", city="Boston")
    for address in ("/recurring/new/", "/work/new/"):
        page = desk.get(address, {"client": abroad.pk}).content.decode()
        assert '<option value="O" selected>' in page, address
    one = make(good_client)
    assert 'name="lines-0-tax_percent" value="19"' in text(desk.get(f"/recurring/{one.pk}/edit/"))


def test_what_makes_no_sense_is_refused_at_its_field_and_nothing_is_kept(desk, good_client):
    told = TOLD | {"client": good_client.pk, "do": "save"}
    for wrong, said in (
        ({"ends_on": "2026-12-01"}, "It would end before the first invoice"), ({"every": "0"}, "greater than or equal"),
        ({"lines-0-description": "Hosting {mnth}"}, "{mnth} stands for nothing here"),
        ({"covers": ""}, "Say which time the invoice is for"), ({"starts_on": ""}, "required"),
        ({"lines-0-unit_price": ""}, "required"),
    ):  # fmt: skip
        answer = desk.post("/recurring/new/", told | wrong)
        assert answer.status_code == 422 and said in text(answer), wrong
    assert "would end before" in text(desk.post("/recurring/look/", told | {"ends_on": "2026-12-01"}))
    assert not RecurringInvoice.objects.exists()


def test_a_line_is_added_and_a_form_changed(desk, good_client):
    assert "lines-2-description" in text(desk.post("/recurring/new/", TOLD | {"do": "line"}))
    one = make(good_client)
    page = text(desk.get(f"/recurring/{one.pk}/edit/"))
    assert "Hosting {month}" in page and 'value="2026-11-19"' in page
    told = TOLD | {"version": "1", "lines-0-unit_price": "100", "do": "save"}
    assert "€119.00" in text(desk.post(f"/recurring/look/?recurring={one.pk}", told))
    assert "€119.00" in text(desk.post(f"/recurring/{one.pk}/edit/", told, follow=True))
    late = desk.post(f"/recurring/{one.pk}/edit/", told)
    assert late.status_code == 422 and "Somebody else changed this" in text(late)


def test_pause_says_that_missed_days_are_not_made_up_for_and_goes_on(desk, good_client):
    one = make(good_client)
    page = text(desk.post(f"/recurring/{one.pk}/pause/", follow=True))
    assert "Days missed while it is paused are not made up for" in page and f"/recurring/{one.pk}/resume/" in page
    assert f"/recurring/{one.pk}/" not in text(desk.get("/recurring/"))
    assert f"/recurring/{one.pk}/" in text(desk.get("/recurring/?tab=paused"))
    assert "Days missed" not in text(desk.post(f"/recurring/{one.pk}/resume/", follow=True))


def test_the_last_day_is_asked_for(desk, company, good_client):
    one = make(good_client)
    assert desk.get(f"/recurring/{one.pk}/end/").status_code == 200
    page = text(desk.post(f"/recurring/{one.pk}/end/", {"last_on": "2026-11-17"}, follow=True))
    assert "No invoice comes any more" in page and "no invoice after 17 November 2026" in page
    assert night(company).invoices == []
    assert f"/recurring/{one.pk}/" in text(desk.get("/recurring/?tab=ended"))
    assert f"/recurring/{one.pk}/" not in text(desk.get("/recurring/"))


def test_one_date_is_left_out_and_taken_back(desk, company, good_client):
    one = make(good_client)
    for said, left in (({}, True), ({"do": "take_back"}, False)):
        page = text(desk.post(f"/recurring/{one.pk}/skip/", {"day": "2026-11-19"} | said, follow=True))
        assert ("Issue it after all" in page) is left
    for day in ("2026-11-20", "", "9" * 40, "2026-02-31"):
        desk.post(f"/recurring/{one.pk}/skip/", {"day": day})
    assert not RecurringRun.objects.exists() and len(night(company).invoices) == 1


def test_what_was_refused_waits_with_the_sentence_and_counts_in_the_rail(desk, company, good_client, late_client):
    one = make(late_client)
    make(good_client)
    set_status(late_client, "cash_only", because="t", source="policy", on=TODAY, by="system")
    night(company)
    for address in ("/recurring/", f"/recurring/{one.pk}/"):
        page = text(desk.get(address))
        assert "buys for cash only" in page and "Issue now" in page and "Recurring</span><em>1</em>" in page
    run = RecurringRun.objects.stuck().get()
    page = text(desk.post(f"/recurring/days/{run.pk}/again/", {"next": "/recurring/"}, follow=True))
    assert page.count("buys for cash only") == 2, "as a banner and on the list"
    set_status(late_client, "open", because="t", source="policy", on=TODAY, by="system")
    assert "Issued: LO-2026-0002" in text(desk.post(f"/recurring/days/{run.pk}/again/", follow=True))
    assert Invoice.objects.count() == 2


def test_a_refused_day_stays_without_an_invoice_where_a_person_says_so(desk, company, late_client):
    make(late_client)
    set_status(late_client, "closed", because="t", source="policy", on=TODAY, by="system")
    night(company)
    run = RecurringRun.objects.get()
    page = text(desk.post(f"/recurring/days/{run.pk}/leave-out/", follow=True))
    assert "left out by Ada Kowalska" in page and "Waits for you" not in page


def test_an_invoice_nobody_could_be_mailed_is_named(desk, company):
    client = make_client(company, "C-5", email=None)
    make(client)
    night(company)
    page = text(desk.get("/recurring/"))
    assert "LO-2026-0001 is issued and was not mailed" in page and "Mail it now" in page


def test_the_list_as_csv(desk, good_client):
    make(good_client, name="=cmd", every=3)
    answer = b"".join(desk.get("/recurring/?format=csv").streaming_content).decode("utf-8-sig")
    header, row = answer.strip().splitlines()
    assert header.startswith("called,client number,client,how often") and row.startswith("'=cmd,C-0001")
    assert "every quarter" in row and "2026-11-19" in row and "95.20,EUR" in row


def test_a_long_list_asks_as_little_as_a_short_one(desk, good_client, django_assert_max_num_queries):
    for n in range(8):
        make(good_client, name=f"Hosting {n}")
    desk.get("/recurring/")
    with django_assert_max_num_queries(26):
        desk.get("/recurring/")


def test_who_is_no_member_of_staff_sees_nothing(client, good_client):
    one = make(good_client)
    for address in ("/recurring/", "/recurring/new/", f"/recurring/{one.pk}/", f"/recurring/{one.pk}/edit/"):
        assert client.get(address).status_code == 302
    assert client.post(f"/recurring/{one.pk}/pause/").status_code == 302
    one.refresh_from_db()
    assert one.paused_at is None
