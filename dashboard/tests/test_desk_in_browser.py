"""An import from the file to the held batch and its release, in a browser; and the pages that have a number."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from ar_collections.models import Hold
from ar_collections.services.planning import plan
from core.services import today
from invoices.models import Invoice
from outbox.models import Message
from outbox.services import deliver, enqueue
from tests.cast import TODAY, make_invoice
from tests.looking import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BOOK = """Invoice No,Customer No,Customer Name,Invoice Date,Due Date,Amount,E-Mail
000417,0042,Northgate Supplies,03/09/2026,13/10/2026,1240.00,ap@northgate.example
000418,0042,Northgate Supplies,01/10/2026,31/10/2026,abc,ap@northgate.example
000419,0107,Willow & Ash,02/10/2026,30/10/2026,310.20,pay@willow.example
"""


def test_a_file_becomes_open_items_and_its_first_reminders_are_released_by_a_person(desk, worker, company):
    desk.goto("/import/")
    desk.set_input_files("[name=file]", {"name": "book.csv", "mimeType": "text/csv", "buffer": BOOK.encode()})
    desk.click("[data-save]")
    desk.wait_for_selector("text=Which column is what?")
    assert "000417" in desk.inner_text("[data-examples=map_number]")
    desk.select_option("[name=map_client]", label="Invoice No")
    assert "000417" in desk.inner_text("[data-examples=map_client]")
    desk.select_option("[name=map_client]", label="Customer No")
    assert desk.is_checked("[name=date_format][value='%d/%m/%Y']")
    desk.click("[data-save]")

    desk.wait_for_selector("[data-progress]")
    worker.begin()
    desk.wait_for_selector("text=1 row cannot be taken")
    assert desk.inner_text(".cols .side >> nth=0").count("«abc» is not an amount") == 1
    assert not Invoice.objects.exists()
    desk.check("[name=skip_bad]")
    desk.keyboard.press("Control+Enter")

    desk.wait_for_selector("text=2 open items were taken over")
    assert set(Invoice.objects.values_list("number", flat=True)) == {"000417", "000419"}
    with desk.expect_download() as refused:
        desk.click(".todo a[download]")
    assert "000418" in refused.value.path().read_text()

    noon = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)
    plan(company, TODAY, by="test", now=noon)
    desk.click("text=See the held messages")
    assert "2 messages wait for you" in desk.inner_text("h1")
    assert "Northgate Supplies" in desk.inner_text("main") and "ap@northgate.example" in desk.inner_text("main")
    desk.click("text=Preview >> nth=0")
    desk.wait_for_selector("text=What it would say now")
    mail = desk.frame_locator("iframe.mail")
    assert "Northgate" in mail.locator("body").inner_text() or "Willow" in mail.locator("body").inner_text()
    desk.go_back()
    desk.goto(reverse("dashboard:outbox_hold", args=[Hold.objects.get().pk]))
    desk.click("text=Release 2 messages")
    assert Message.objects.filter(state="held").count() == 2  # the tick is asked for first
    desk.check("#release [name=looked]")
    desk.click("text=Release 2 messages")
    desk.wait_for_selector("text=2 messages released")
    assert Message.objects.filter(state="pending").count() == 2


@pytest.mark.once
def test_the_pages_with_a_number_are_accessible_and_fit(desk, worker, company, late_client):
    worker.begin()
    invoice = make_invoice(late_client, "250", on=today(company))
    told = {"invoice": invoice.pk, "contact": late_client.contacts.get().pk}
    now = timezone.now()
    sent = enqueue("new_link:1", "new_link", f"client:{late_client.pk}", today(company), told, now)
    deliver(now)
    waiting = enqueue("new_link:2", "new_link", f"client:{late_client.pk}", today(company), told, now)
    hold = Hold.objects.create(company=company, reason="import", detail="3 open items of book.csv")
    enqueue("notice:1", "notice", f"client:{late_client.pk}", today(company),
            {"client": late_client.pk, "company": company.pk, "items": [[invoice.pk, "pre_due", 1]]}, now,
            hold.key)  # fmt: skip
    places = [reverse("dashboard:outbox_message", args=[pk]) for pk in (sent.pk, waiting.pk)]
    places.append(reverse("dashboard:outbox_hold", args=[hold.pk]))
    desk.goto("/import/")
    desk.set_input_files("[name=file]", {"name": "book.csv", "mimeType": "text/csv", "buffer": BOOK.encode()})
    desk.click("[data-save]")
    desk.wait_for_selector("text=Which column is what?")
    places.append(desk.url)
    desk.click("[data-save]")
    desk.wait_for_selector("text=1 row cannot be taken")
    places.append(desk.url)
    desk.check("[name=skip_bad]")
    desk.click("text=Import 2 open items")
    desk.wait_for_selector("text=2 open items were taken over")
    places.append(desk.url)
    found = [line for place in places for line in check(desk, place, context="main")]
    assert not found, "\n".join(found)
