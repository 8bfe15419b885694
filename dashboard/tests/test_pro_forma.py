"""A pro forma at the desk: made from a draft, sent, paid; and where its invoice is refused, the sentence."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine

from clients.services.status import set_status
from invoices.models import Invoice, ProForma, ShareLink
from invoices.services.drafting import delete_draft
from invoices.services.pro_forma import cancel_pro_forma, make_pro_forma
from outbox.models import Message
from payments.models import Payment
from tests.cast import CLERK, TODAY, make_draft, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        client.force_login(clerk)
        yield client


@pytest.fixture
def pro_forma(late_client):
    return make_pro_forma(make_draft(late_client), TODAY + dt.timedelta(days=14), on=TODAY, by=CLERK)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("\u00a0", " ").split())


def test_it_is_made_from_a_draft_and_the_draft_says_so(desk, late_client):
    draft = make_draft(late_client)
    assert f"/invoices/{draft.pk}/pro-forma/" in text(desk.get(f"/invoices/{draft.pk}/"))
    assert desk.post(f"/invoices/{draft.pk}/pro-forma/", {"pay_by": "2026-11-17"}).status_code == 422
    page = text(desk.post(f"/invoices/{draft.pk}/pro-forma/", {"pay_by": "2026-12-02"}, follow=True))
    assert "LO-PF-2026-0001" in page and "€1,000.00" in page and "Still missing" in page
    page = text(desk.get(f"/invoices/{draft.pk}/"))
    assert "LO-PF-2026-0001 asks for this draft to be paid in advance by 2 Dec 2026" in page
    assert f"/invoices/{draft.pk}/pro-forma/" not in page
    assert "cancel LO-PF-2026-0001 first" in text(desk.post(f"/invoices/{draft.pk}/delete/", follow=True))


def test_an_empty_list_says_what_it_is_for_and_a_full_one_shows_them_by_what_became_of_them(desk, late_client):
    assert "Ask for payment in advance" in text(desk.get("/pro-formas/"))
    one = make_pro_forma(make_draft(late_client), TODAY, on=TODAY, by=CLERK)
    assert one.number in text(desk.get("/pro-formas/"))
    pay(late_client, "1000", pro_forma=one)
    assert "LO-2026-0001" in text(desk.get("/pro-formas/?tab=paid"))
    rows = b"".join(desk.get("/pro-formas/?tab=paid&format=csv").streaming_content).decode("utf-8-sig")
    assert "LO-PF-2026-0001,Harbour Lane Coffee,2026-11-18" in rows


def test_the_mail_is_looked_at_and_sent_and_the_paper_is_there(desk, pro_forma):
    page = text(desk.get(f"/pro-formas/{pro_forma.pk}/send/"))
    assert "not an invoice" in page and "LO-PF-2026-0001.pdf" in page and not ShareLink.objects.exists()
    contact = pro_forma.invoice.client.contacts.get()
    assert desk.post(f"/pro-formas/{pro_forma.pk}/send/", {"contact": contact.pk}).status_code == 302
    assert Message.objects.get().kind == "pro_forma"
    assert desk.get(f"/pro-formas/{pro_forma.pk}/pro-forma.pdf").content.startswith(b"%PDF")
    desk.post(f"/pro-formas/{pro_forma.pk}/link/")
    assert "/p/" in text(desk.get(f"/pro-formas/{pro_forma.pk}/"))


def received(pro_forma, amount, **facts):
    return {
        "key": "form:1", "client": pro_forma.invoice.client_id, "amount": amount, "currency": "EUR",
        "received_on": TODAY.isoformat(), "method": "transfer", "how": "oldest", "pro_forma": pro_forma.pk,
    } | facts


def test_the_payment_form_offers_it_and_its_money_issues_the_invoice(desk, pro_forma):
    page = text(desk.get(f"/payments/new/?client={pro_forma.invoice.client_id}&pro_forma={pro_forma.pk}"))
    assert "LO-PF-2026-0001 · €1,000.00 · 2 Dec 2026" in page and 'value="1000"' in page
    page = text(desk.post("/payments/new/", received(pro_forma, "400"), follow=True))
    assert "kept for LO-PF-2026-0001; €600.00 is still missing" in page
    assert "Payments</span><em>" not in page, "it waits for nobody"
    kept = text(desk.get(f"/payments/{Payment.objects.get().pk}/"))
    assert "Kept for the pro forma LO-PF-2026-0001" in kept and "Put it there" not in kept
    rest = received(pro_forma, "600", key="form:2")
    page = text(desk.post("/payments/new/", rest, follow=True))
    assert "LO-2026-0001 is issued and paid" in page
    assert desk.post("/payments/new/", rest).status_code == 302 and Payment.objects.count() == 2


def test_without_one_the_payment_form_does_not_ask(desk, good_client):
    assert "For the pro forma" not in text(desk.get(f"/payments/new/?client={good_client.pk}"))


def test_paid_and_refused_it_says_why_and_is_issued_once_that_is_mended(desk, pro_forma):
    client = pro_forma.invoice.client
    set_status(client, "closed", because="adverse press", source="policy", on=TODAY, by="system")
    page = text(desk.post("/payments/new/", received(pro_forma, "1000"), follow=True))
    assert "its invoice could not be issued" in page and "no longer sell" in page
    assert "no longer sell" in text(desk.post(f"/pro-formas/{pro_forma.pk}/release/", follow=True))
    set_status(client, "open", because="a mistake", source="policy", on=TODAY, by="system")
    assert "is issued and paid" in text(desk.post(f"/pro-formas/{pro_forma.pk}/release/", follow=True))
    assert Invoice.objects.get().balance == 0


def test_it_is_cancelled_with_a_reason(desk, pro_forma):
    assert desk.post(f"/pro-formas/{pro_forma.pk}/cancel/", {"reason": ""}).status_code == 422
    page = text(desk.post(f"/pro-formas/{pro_forma.pk}/cancel/", {"reason": "Ordered elsewhere"}, follow=True))
    assert "Ordered elsewhere" in page and "Still missing" not in page
    desk.post(f"/invoices/{pro_forma.invoice_id}/delete/")
    assert "LO-PF-2026-0001" in text(desk.get(f"/pro-formas/{pro_forma.pk}/"))
    assert ProForma.objects.get().invoice is None


def test_money_recorded_wrongly_for_it_no_longer_stands_on_its_page(desk, pro_forma):
    desk.post("/payments/new/", received(pro_forma, "400"))
    payment = Payment.objects.get()
    assert list(desk.get(f"/pro-formas/{pro_forma.pk}/").context["payments"]) == [payment]
    desk.post(f"/payments/{payment.pk}/back/", {"reason": "Came from somebody else"})
    shown = desk.get(f"/pro-formas/{pro_forma.pk}/").context
    assert (list(shown["payments"]), shown["arrived"], shown["missing"]) == ([], 0, 1000)


def test_the_timeline_leads_to_one_whose_draft_was_thrown_away(desk, late_client, pro_forma):
    draft = pro_forma.invoice
    cancel_pro_forma(pro_forma, "ordered twice", on=TODAY, by=CLERK)
    delete_draft(draft, by=CLERK)
    page = f"/pro-formas/{pro_forma.pk}/"
    assert f'href="{page}"' in text(desk.get(f"/clients/{late_client.pk}/timeline/"))
    assert desk.get(page).status_code == 200
