"""From an empty list to a sent invoice with the keyboard alone; a batch followed to its end and undone; the look."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clients.models import Wishes
from core.services import today
from invoices.models import Invoice
from outbox.models import Message
from tests.cast import make_client, make_draft, make_invoice
from tests.looking import seen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]


def tab_to(page: Any, what: str, most: int = 80) -> None:
    """Press Tab until the focus is on what a person would look for: a selector."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(what) => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"Tab never came to {what}")


def test_from_an_empty_list_to_a_sent_invoice_with_the_keyboard_alone(desk, worker, company, good_client):
    worker.begin()
    desk.clock.set_fixed_time(timezone.now())  # «g» and then «i» are one wish within a second or so
    desk.goto("/invoices/")
    expect(desk.locator("main")).to_contain_text("Create your first invoice")
    keys = desk.keyboard
    keys.press("n")
    desk.wait_for_url("**/invoices/new/")
    tab_to(desk, "[name=client]")
    keys.type("Osprey")
    tab_to(desk, "[name=lines-0-description]")
    keys.type("Interface design")
    tab_to(desk, "[name=lines-0-quantity]")
    keys.type("3")
    tab_to(desk, "[name=lines-0-unit_price]")
    keys.type("120.50")
    tab_to(desk, "[name=lines-0-tax_percent]")
    keys.type("19")
    expect(desk.locator("[data-totals]")).to_contain_text("€430.19")
    expect(desk.locator("[data-totals]")).to_contain_text("Due in 30 days")
    keys.press("Control+Enter")
    desk.wait_for_url(re.compile(r"/invoices/\d+/$"))
    keys.press("g")
    keys.press("i")
    desk.wait_for_url("**/invoices/")
    tab_to(desk, "a[href*='tab=draft']")
    keys.press("Enter")
    desk.wait_for_url("**tab=draft**")
    keys.press("j")
    keys.press("x")
    expect(desk.locator("[data-bulk-bar]")).to_contain_text("1 selected")
    keys.press("e")
    expect(desk.locator("h1")).to_contain_text("Send 1 invoice?")
    expect(desk.locator("main")).to_contain_text("ap@client.example")
    assert not Message.objects.exists()
    expect(desk.locator("[data-save]")).to_be_focused()
    keys.press("Enter")  # sends
    expect(desk.locator("h1")).to_contain_text("1 invoice put into the outbox")
    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.total) == (f"LO-{today(company).year}-0001", Decimal("430.19"))
    assert Message.objects.get().payload["invoice"] == invoice.pk


def test_a_batch_is_followed_to_its_end_and_its_mails_are_taken_back(desk, worker, company, good_client):
    for amount in ("100", "200", "300"):
        make_draft(good_client, amount)
    silent = make_client(company, "C-4", email=None, name="Silent & Sons")
    make_draft(silent)
    desk.goto("/invoices/?tab=draft")
    desk.check("[data-check-all]")
    desk.click("[data-bulk-bar] button[value=send]")
    expect(desk.locator("#refused")).to_contain_text("Silent & Sons")
    desk.click("[data-save]")
    desk.wait_for_selector("[data-progress]")
    worker.begin()
    expect(desk.locator("h1")).to_contain_text("3 invoices put into the outbox")
    desk.click("main form[action$='/undo/'] button")
    expect(desk.locator("[data-said-by-server]")).to_contain_text("Undone: 3 mails were not sent")
    expect(desk.locator("main form[action$='/undo/']")).to_have_count(0)
    assert list(Message.objects.values_list("state", flat=True)) == ["cancelled"] * 3


def test_the_pages_of_invoicing_are_accessible_and_fit(desk, worker, company, good_client, clerk, monkeypatch):
    worker.begin()
    monkeypatch.setattr("invoices.mails.attached", lambda *_told: ("LO-1.pdf", "application/pdf", b"%PDF"))
    clerk.email = "ada@lumenoak.example"
    clerk.save()
    parts = [{"percent": "50", "days": 14}, {"percent": "50", "days": 30}]
    halves = company.terms.create(name="Half now, half later", net_days=30, parts=parts, discount_percent=0)
    french = make_client(
        company, "C-5", country="FR", tax_number="FR40303265045", po_required=True, terms=halves, name="Café Lumière",
    )  # fmt: skip
    told = [{"label": "Cost centre", "value": "4711"}, {"label": "Buyer", "value": ""}]
    Wishes.objects.create(client=french, extra_fields=told, told_by="Mara", told_at=timezone.now())
    sent = make_invoice(good_client, "250", on=today(company))
    make_draft(make_client(company, "C-4", email=None, name="Silent & Sons"))
    for amount in ("100", "2400"):
        make_draft(good_client, amount)
    desk.goto(f"/invoices/new/?client={french.pk}")
    desk.fill("[name=lines-0-description]", "Interface design")
    desk.fill("[name=lines-0-unit_price]", "1200")
    expect(desk.locator("[data-totals]")).to_contain_text("Due in 14 days")
    found = seen(desk, "editor")
    draft = make_draft(french, "1200")
    for name, address in (
        ("page", f"/invoices/{draft.pk}/"), ("wishes", f"/clients/{french.pk}/file/wishes/"),
        ("ways", f"/clients/{french.pk}/file/ways/"), ("file", f"/clients/{french.pk}/file/"),
    ):  # fmt: skip
        desk.goto(address)
        found += seen(desk, name)
    draft.delete()
    desk.goto(f"/invoices/{sent.pk}/send/")
    desk.wait_for_selector("iframe.mail")
    found += seen(desk, "send")
    desk.set_viewport_size({"width": 1440, "height": 1000})
    desk.goto("/invoices/?tab=all")
    desk.check("[data-check-all]")
    found += seen(desk, "list")
    desk.set_viewport_size({"width": 1440, "height": 1000})
    desk.click("[data-bulk-bar] button[value=send]")
    desk.wait_for_selector("#refused")
    found += seen(desk, "preview")
    desk.click("[data-save]")
    expect(desk.locator("h1")).to_contain_text("put into the outbox")
    found += seen(desk, "result")
    assert not found, "\n".join(found)
