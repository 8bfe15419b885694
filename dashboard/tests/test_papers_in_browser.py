"""Corrections and papers in a browser: credited by keyboard, and every page accessible at every size."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from clients.services.company_documents import add_company_document
from core.services import today
from invoices.models import CreditNote
from invoices.services.drafting import LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice
from payments.services import issue_credit_note
from payments.services.receipts import make_receipt
from tests.browser import signed_in
from tests.cast import CLERK, make_invoice, make_manager, pay
from tests.looking import check

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(page: Any, live_server: Any, client: Any, company: Any) -> Any:
    return signed_in(page, live_server, client, make_manager())


@pytest.fixture
def invoice(late_client: Any, company: Any) -> Any:
    lines = [
        LineDraft("Interface design", Decimal(24), Decimal(120), Decimal(19), unit="h"),
        LineDraft("Licence", Decimal(1), Decimal(1450), Decimal(19)),
        LineDraft("Books", Decimal(5), Decimal(95), Decimal(7)),
    ]
    return issue_invoice(draft_invoice(late_client, lines, by=CLERK), on=today(company), by=CLERK)


def test_part_of_an_invoice_is_credited_after_a_look_at_what_it_comes_to(desk: Any, invoice: Any) -> None:
    desk.goto(f"/invoices/{invoice.pk}/")
    desk.click("summary[aria-label='More for this invoice']")
    desk.click("text=Credit note")
    desk.get_by_label("1. Interface design").fill("4")
    desk.get_by_label("Why").fill("Four hours fewer than invoiced")
    desk.click("button[value=look]")
    desk.wait_for_selector("#comes-to >> text=€571.20")
    assert not CreditNote.objects.exists()
    desk.get_by_label("Why").press("Control+Enter")
    desk.wait_for_selector("h1:has-text('LO-CN-')")
    assert CreditNote.objects.get().total == Decimal("571.20")


def test_the_pages_are_accessible_and_fit(desk: Any, invoice: Any, company: Any) -> None:
    client, on = invoice.client, today(company)
    make_invoice(client, "310.20", on=on)
    receipt = make_receipt(pay(client, "400", on=on), on=on, by=CLERK)
    issue_credit_note(invoice, {1: Decimal(2)}, reason="Two hours fewer", key="c0", on=on, by=CLERK)
    whole = make_invoice(client, "99", on=on)
    note = issue_credit_note(whole, None, reason="Ordered twice", key="c1", on=on, by=CLERK)
    pay(client, "20", on=on, how="none")
    add_company_document(company, ("w9.pdf", b"%PDF-1.7"), kind="tax_form", name="Form W-9", on=on, by=CLERK)
    places = [
        f"/invoices/{invoice.pk}/credit/?all=1", f"/invoices/{invoice.pk}/", f"/invoices/{whole.pk}/", "/credit-notes/",
        f"/credit-notes/{note.pk}/", f"/credit-notes/{note.pk}/send/", f"/invoices/{invoice.pk}/again/", "/receipts/",
        f"/payments/{receipt.payment_id}/", f"/clients/{client.pk}/statement/", f"/clients/{client.pk}/pay-back/",
        f"/clients/{client.pk}/statement/link/", f"/clients/{client.pk}/file/wishes/link/",
        "/company/documents/", "/company/documents/new/",
    ]  # fmt: skip
    found = [line for place in places for line in check(desk, place, context="main")]
    assert not found, "\n".join(found)
