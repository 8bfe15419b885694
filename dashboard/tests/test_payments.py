"""Payments at the desk: recorded once, put where they belong, taken back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from clients.services.status import set_status
from payments.models import Payment
from payments.services import unallocated
from tests.cast import TODAY, invoice_due, make_client, make_invoice, make_manager, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        client.force_login(clerk)
        yield client


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(answer: Any) -> str:
    return answer.content.decode()


def received(client: Any, amount: str, **facts: Any) -> dict[str, Any]:
    return {
        "key": f"form:{amount}",
        "client": client.pk,
        "amount": amount,
        "currency": "EUR",
        "received_on": TODAY.isoformat(),
        "method": "transfer",
        "how": "oldest",
    } | facts


def test_no_payment_yet_says_what_to_do(desk):
    assert "Record a payment" in text(desk.get("/payments/"))


def test_first_the_client_then_what_they_owe(desk, late_client):
    invoice = make_invoice(late_client, "500")
    assert "Whom is it from?" in text(desk.get("/payments/new/"))
    page = text(desk.get(f"/payments/new/?client={late_client.pk}&invoice={invoice.pk}"))
    assert invoice.number in page and 'value="500"' in page


def test_a_payment_is_recorded_once_however_often_it_is_sent(desk, late_client):
    old = invoice_due(late_client, TODAY - dt.timedelta(days=50), "100")
    new = make_invoice(late_client, "100")
    for _ in range(2):
        desk.post("/payments/new/", received(late_client, "120"))
    assert Payment.objects.count() == 1
    for invoice, left in ((old, 0), (new, 80)):
        invoice.refresh_from_db()
        assert invoice.balance == left


def test_by_hand_it_goes_where_it_is_written(desk, late_client):
    invoice_due(late_client, TODAY - dt.timedelta(days=50), "100")
    new = make_invoice(late_client, "100")
    desk.post("/payments/new/", received(late_client, "60", how="hand", **{f"claim-invoice:{new.pk}": "60"}))
    new.refresh_from_db()
    assert new.balance == 40
    nothing = desk.post("/payments/new/", received(late_client, "61", how="hand"))
    assert "Write an amount beside at least one of them" in text(nothing)


def test_more_than_is_owed_is_refused_by_hand_and_waits_otherwise(desk, late_client):
    invoice = make_invoice(late_client, "100")
    refused = desk.post(
        "/payments/new/", received(late_client, "150", how="hand", **{f"claim-invoice:{invoice.pk}": "150"})
    )
    assert refused.status_code == 422
    assert not Payment.objects.exists()
    answer = desk.post("/payments/new/", received(late_client, "151"), follow=True)
    assert "€51.00 is not put to anything yet" in text(answer)


def test_a_payment_of_tomorrow_is_refused(desk, late_client):
    answer = desk.post("/payments/new/", received(late_client, "5", received_on="2026-11-19"))
    assert "cannot have been received in the future" in text(answer)


def test_cash_on_account_is_put_to_an_invoice_and_taken_back(desk, late_client):
    payment = pay(late_client, "80", how="none")
    invoice = make_invoice(late_client, "100")
    page = url("payment", payment.pk)
    assert "€80.00 is not put to anything yet" in text(desk.get(page))
    desk.post(page, {"how": "oldest"})
    assert unallocated(payment) == 0
    desk.post(url("allocation_take_back", payment.allocations.get().pk))
    invoice.refresh_from_db()
    assert (invoice.balance, unallocated(payment)) == (Decimal(100), Decimal(80))
    assert "taken back" in text(desk.get(page))


def test_the_list_keeps_unapplied_cash_on_a_tab_of_its_own(desk, company, late_client, django_assert_max_num_queries):
    make_invoice(late_client, "100")
    pay(late_client, "100", how="exact", reference="APPLIED")
    pay(late_client, "9", how="none", reference="LOOSE")
    for n in range(20):
        pay(make_client(company, f"C-{n}"), "1", how="none")
    with django_assert_max_num_queries(25):
        page = text(desk.get("/payments/"))
    assert "APPLIED" in page and "LOOSE" in page
    left = text(desk.get("/payments/?tab=left"))
    assert "APPLIED" not in left and "LOOSE" in left


def test_a_payment_recorded_wrongly_is_taken_back_with_a_reason(desk, good_client):
    invoice = make_invoice(good_client, "80")
    payment = pay(good_client, "100")
    assert url("payment_take_back", payment.pk) in text(desk.get(url("payment", payment.pk)))
    assert desk.post(url("payment_take_back", payment.pk), {"reason": ""}).status_code == 422
    answer = desk.post(url("payment_take_back", payment.pk), {"reason": "Came from Osprey"}, follow=True)
    assert answer.context["state"] == "taken_back"
    assert "Came from Osprey" in text(answer)
    assert url("payment_take_back", payment.pk) not in text(answer)
    invoice.refresh_from_db()
    assert invoice.balance == 80
    for tab, shown in (("all", []), ("left", []), ("back", [(payment, "taken_back")])):
        assert desk.get(f"/payments/?tab={tab}").context["rows"] == shown
    assert "Payment of €100.00 taken back" in text(desk.get(url("client", good_client.pk)))


def test_a_payment_the_bank_returned_is_told_apart_and_so_is_the_invoice_that_loses_its_cash(desk, good_client):
    payment = pay(good_client, "100", how="none")
    set_status(good_client, "cash_only", because="late", source="hand", on=TODAY, by=make_manager())
    invoice = make_invoice(good_client, "80")
    page = url("payment_take_back", payment.pk)
    assert "bounced cheque, recalled debit" in text(desk.get(page))
    answer = desk.post(page, {"reason": "recalled", "returned_by_bank": "on"}, follow=True)
    assert f"{invoice.number} was issued against cash in advance, and €80.00 of it is no longer there" in text(answer)
    assert "Returned by the bank" in text(answer)
    history = text(desk.get(url("client_timeline", good_client.pk)))
    assert "Payment of €100.00 returned by the bank" in history
    assert "The cash an invoice was issued against is no longer there" in history


def test_cash_that_an_invoice_waits_for_is_refused_elsewhere_with_a_sentence(desk, good_client):
    old = make_invoice(good_client, "70")
    payment = pay(good_client, "100", how="none")
    set_status(good_client, "cash_only", because="late", source="hand", on=TODAY, by=make_manager())
    invoice = make_invoice(good_client, "80")
    page = url("payment", payment.pk)
    answer = desk.post(page, {"how": "hand", f"claim-invoice:{old.pk}": "70"})
    assert answer.status_code == 422
    said = f"{invoice.number} was issued against 80.00 EUR of this cash. Put it to {invoice.number} first"
    assert said in text(answer)
    assert unallocated(payment) == 100
