"""Completed work at the desk: the list, adding, invoicing what was selected, taking off, CSV in and out."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from clients.services.limits import set_limit
from clients.services.status import set_status
from core.jobs import run_job
from core.models import Job
from invoices.models import CompletedWork, Invoice
from invoices.services.issuing import void_invoice
from invoices.services.work import Done, record_work
from invoices.services.work_invoicing import invoice_work
from outbox.models import Message
from tests.cast import CLERK, TODAY, make_client

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        client.force_login(clerk)
        yield client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("\u00a0", " ").split())


def done(client: Any, what: str = "Workshop", price: str = "100", *, days: int = 0, **facts: Any) -> CompletedWork:
    return record_work(client, Done(what, TODAY - days * DAY, Decimal(price), **facts), on=TODAY, by=CLERK)


def test_an_empty_list_says_what_it_is_for(desk):
    page = text(desk.get("/work/"))
    assert "Write down what is done" in page and "/work/new/" in page
    assert 'href="/work/"' in text(desk.get("/")), "it stands in the rail"


def test_what_waits_its_sum_and_what_waits_too_long(desk, good_client):
    done(good_client, "Workshop", "100", tax_percent=Decimal(19))
    done(good_client, "Forgotten", "50", days=9)
    page = text(desk.get("/work/"))
    assert "€169.00" in page and "Forgotten" in page and "9 days ago" in page
    late = text(desk.get("/work/?tab=late"))
    assert "Forgotten" in late and "Workshop for" not in late
    assert "Forgotten" not in text(desk.get("/work/?q=workshop"))


def test_each_client_s_status_and_credit_stand_beside_its_work(desk, good_client):
    done(good_client, "Workshop", "100")
    assert "Available credit" not in text(desk.get("/work/"))
    set_limit(good_client, Decimal(500), good_client.currency, because="t", source="import", on=TODAY, by=CLERK)
    assert "Available credit: €400.00" in text(desk.get("/work/"))
    set_status(good_client, "cash_only", because="t", source="policy", on=TODAY, by="system")
    page = text(desk.get("/work/"))
    assert "Available credit: none" in page and "Cash only" in page


def test_adding_once_however_often_it_is_sent_and_a_refusal_at_its_field(desk, good_client):
    told = {
        "key": "form:1", "client": good_client.pk, "description": "Workshop", "done_on": TODAY.isoformat(),
        "quantity": "2.5", "unit": "h", "unit_price": "80", "tax_percent": "19", "currency": "", "po_number": "PO-1",
        "tax_category": "S", "exemption_reason": "",
    }
    assert desk.post("/work/new/", told | {"done_on": (TODAY + DAY).isoformat()}).status_code == 422
    assert not CompletedWork.objects.exists()
    for _ in range(2):
        assert desk.post("/work/new/", told).status_code == 302
    assert CompletedWork.objects.get().gross == 238


def test_what_is_selected_is_invoiced_and_mailed_where_that_is_asked(desk, good_client, late_client):
    first, second = done(good_client, "A"), done(late_client, "B")
    assert desk.post("/work/invoice/", {"do": "issue"}).status_code == 302 and not Invoice.objects.exists()
    page = text(desk.post("/work/invoice/", {"pk": [first.pk], "do": "send"}, follow=True))
    assert "1 invoice is issued: LO-2026-0001" in page and Message.objects.get().kind == "invoice"
    page = text(desk.post("/work/invoice/", {"all": "yes", "do": "issue"}, follow=True))
    assert "LO-2026-0002" in page and Message.objects.count() == 1
    second.refresh_from_db()
    assert second.invoice.client == late_client


def test_what_is_refused_stays_on_the_list_with_the_sentence_and_counts_in_the_rail(desk, company):
    done(make_client(company, "C-5", po_required=True))
    page = text(desk.post("/work/invoice/", {"all": "yes", "do": "issue"}, follow=True))
    assert page.count("pays only with a purchase order number") == 2, "as a banner and beside the work"
    assert "Work</span><em>1</em>" in page
    assert "Workshop" in text(desk.get("/work/?tab=refused"))

    work = CompletedWork.objects.get()
    page = text(desk.get(f"/work/{work.pk}/"))
    assert "pays only with a purchase order number" in page and 'value="Workshop"' in page
    told = {
        "key": work.key, "description": "Workshop", "done_on": TODAY.isoformat(), "quantity": "1", "unit_price": "100",
        "tax_percent": "0", "po_number": "PO-9",
    }
    assert desk.post(f"/work/{work.pk}/", told | {"unit_price": "0"}).status_code == 422
    assert desk.post(f"/work/{work.pk}/", told).status_code == 302
    assert "LO-2026-0001" in text(desk.post("/work/invoice/", {"all": "yes", "do": "issue"}, follow=True))


def test_taken_off_the_list_and_back(desk, good_client):
    work = done(good_client)
    page = text(desk.post(f"/work/{work.pk}/remove/", follow=True))
    assert f"/work/{work.pk}/restore/" in page and not CompletedWork.objects.waiting().exists()
    assert "Workshop" in text(desk.get("/work/?tab=removed"))
    desk.post(f"/work/{work.pk}/restore/")
    assert CompletedWork.objects.waiting().exists()


def test_work_of_a_voided_invoice_waits_for_a_click(desk, company, good_client):
    work = done(good_client)
    (invoice,) = invoice_work(company, on=TODAY, by=CLERK).invoices
    void_invoice(invoice, reason="Wrong price", on=TODAY, by=CLERK)
    page = text(desk.post("/work/invoice/", {"all": "yes", "do": "issue"}, follow=True))
    assert "1 piece of work waits because its invoice was voided" in page and Invoice.objects.count() == 1
    assert "was voided: Wrong price" in page and f"/work/{work.pk}/release/" in page
    desk.post(f"/work/{work.pk}/release/")
    page = text(desk.post("/work/invoice/", {"pk": [work.pk], "do": "issue"}, follow=True))
    assert "1 invoice is issued: LO-2026-0002" in page


def test_days_to_invoice_stand_on_the_page(desk, company, good_client):
    done(good_client, days=4)
    done(good_client, days=1)
    invoice_work(company, on=TODAY, by=CLERK)
    page = text(desk.get("/work/"))
    assert "2.5 days" in page and "median 2.5, of 2 pieces" in page and "November 2026" in page


def test_the_list_as_csv_is_one_that_can_be_imported(desk, good_client):
    done(good_client, "=cmd", "80", unit="h", key="T-1")
    answer = b"".join(desk.get("/work/?format=csv").streaming_content).decode("utf-8-sig")
    header, row = answer.strip().splitlines()
    assert header.startswith("client number,client,what,done on,quantity") and "'=cmd" in row and "80.00" in row


def test_hours_are_imported_by_columns_check_and_take(desk, good_client, clerk):
    file = SimpleUploadedFile(
        "hours.csv", b"Client number,What was done,Done on,Quantity,Price\nC-0001,Workshop,2026-11-16,2.5,80.00\n",
        content_type="text/csv",
    )  # fmt: skip
    columns = desk.post("/import/", {"kind": "work", "file": file}).url
    page = text(desk.get(columns))
    assert "What was done" in page and "Currency where no column" not in page
    asked = {
        "map_client": "#1", "map_what": "#2", "map_done_on": "#3", "map_quantity": "#4", "map_price": "#5",
        "decimal": ".", "date_format": "%Y-%m-%d",
    }
    check = desk.post(columns, asked)
    run_job(Job.objects.get().pk, timezone.now)
    page = text(desk.get(check.url))
    assert "Workshop" in page and "€200.00" in page and not CompletedWork.objects.exists()
    taken = desk.post(f"{check.url}take/")
    run_job(Job.objects.latest("pk").pk, timezone.now)
    assert "1 piece of work waits for its invoice" in text(desk.get(taken.url))
    assert CompletedWork.objects.get().gross == 200
    assert desk.get("/import/samples/work.csv").status_code == 200


@pytest.mark.parametrize("said", ["9" * 30, "9" * 5000, "\u0661", "-1", "1.5", ""])
def test_a_number_that_no_row_has_finds_nothing_and_breaks_nothing(desk, good_client, said):
    done(good_client)
    assert desk.post("/work/invoice/", {"pk": [said]}).status_code == 302
    assert desk.post("/payments/new/", {"client": said}).status_code == 200
    assert desk.get("/work/", {"client": said}).status_code == 200
    assert desk.post("/invoices/new/", {"do": "line", "lines-TOTAL_FORMS": said}).status_code == 200
    asked = {"do": "client", "client": good_client.pk, "extra-TOTAL_FORMS": said}
    assert desk.post("/invoices/new/", asked).status_code == 200
    assert desk.post("/credit/greetings/leave-out/", {"contact": said}).status_code == 404
    assert desk.post("/outbox/", {"do": "cancel", "pk": [said]}).status_code == 302
    assert desk.get("/collections/", {"owner": said}).status_code == 200
    assert desk.get("/", {"log": said}).status_code == 200
    assert desk.post("/disputes/", {"dispute": said}).status_code == 404
    assert desk.post("/payments/new/", {"client": good_client.pk, "pro_forma": said}).status_code == 422
    assert not Invoice.objects.exists()
