"""Who has paid gets a receipt, by itself and once; credit notes and statements go by mail with their PDF."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from arledger.invariants import check
from audit.models import Event
from core import guards
from core.errors import Refused
from core.models import Tick
from core.services import read_file
from invoices.mails import file_name
from invoices.models import Invoice, Series
from invoices.pdf import credit_note_pdf, invoice_pdf
from invoices.services.sending import resend_invoice, send_invoice
from outbox.delivery import deliver
from outbox.kinds import kind_of
from outbox.models import Message
from payments.models import Payment, Receipt
from payments.receipt_document import receipt_pdf
from payments.services import issue_credit_note, take_back_payment
from payments.services.receipts import make_receipt, send_receipt, send_receipts
from payments.services.sending import send_credit_note, send_statement
from payments.tasks import RECEIPT_TICK, send_receipts_of_all
from tests.cast import CLERK, TODAY, make_client, make_company, make_invoice, pay

LATER = dt.timedelta(minutes=11)


@pytest.fixture
def client(db: None) -> Any:
    return make_client(make_company())


def run(client: Any, *, later: dt.timedelta = LATER, on: dt.date = TODAY) -> int:
    return send_receipts(client.company, now=timezone.now() + later, on=on, by="system")


def written(message: Message) -> Any:
    return kind_of(message.kind).compose(message, timezone.now())


def test_a_payment_is_confirmed_once_under_a_number_of_its_own(client: Any) -> None:
    invoice = make_invoice(client, "1000")
    payment = pay(client, "400", reference="thanks")
    assert (run(client), run(client)) == (1, 0)
    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.payment) == ("LO-R-2026-0001", payment)
    assert receipt.frozen["put"] == [
        {"kind": "invoice", "number": str(invoice.number), "amount": "400.00", "left": "600.00"}
    ]
    message = Message.objects.get(kind="receipt")
    assert message.key == f"receipt:{receipt.pk}:send:1"
    assert make_receipt(payment, on=TODAY, by=CLERK) == receipt
    assert check(timezone.now(), fast=False)["violations"] == []


def test_a_person_who_recorded_a_payment_has_ten_minutes_for_second_thoughts(client: Any) -> None:
    payment = pay(client, "400")
    assert run(client, later=dt.timedelta(minutes=9)) == 0
    take_back_payment(payment, reason="mistyped", on=TODAY, by=CLERK)
    assert run(client) == 0
    assert not Message.objects.filter(kind="receipt").exists()


def test_what_a_provider_confirmed_is_thanked_for_at_once(client: Any) -> None:
    pay(client, "400", method="card")
    assert run(client, later=dt.timedelta()) == 1


def test_nobody_is_thanked_for_money_from_before_the_takeover_or_from_long_ago(client: Any) -> None:
    pay(client, "40", method="opening")
    pay(client, "50", on=TODAY - dt.timedelta(days=90))
    late = pay(client, "60")
    assert run(client, later=dt.timedelta(days=8)) == 0
    assert run(client) == 1
    assert Receipt.objects.get().payment == late


def test_a_company_that_sends_none_by_itself_sends_none(client: Any) -> None:
    client.company.sends_receipts = False
    client.company.save()
    pay(client, "400")
    assert run(client) == 0


def test_without_an_address_the_receipt_is_made_and_waits(db: None) -> None:
    client = make_client(make_company(), email=None)
    pay(client, "400")
    assert run(client) == 1
    assert Receipt.objects.count() == 1 and not Message.objects.exists()
    with pytest.raises(Refused, match="add a contact"):
        send_receipt(Receipt.objects.get(), on=TODAY, by=CLERK)


def test_the_mail_carries_the_paper_and_says_what_came_in(client: Any) -> None:
    make_invoice(client, "1000")
    pay(client, "400")
    run(client)
    message = Message.objects.get(kind="receipt")
    mail = written(message)
    receipt = Receipt.objects.get()
    assert receipt.number in mail.subject and "€400.00" in mail.subject
    assert "€600.00 still open" in mail.text
    [(name, media, content)] = mail.attachments
    assert (name, media) == ("LO-R-2026-0001.pdf", "application/pdf")
    assert content == read_file(receipt_pdf(receipt).sha256)
    again = send_receipt(receipt, on=TODAY, by=CLERK)
    assert again == message  # one to the same person waits already


def test_a_payment_taken_back_meanwhile_is_not_confirmed(client: Any) -> None:
    payment = pay(client, "400")
    run(client)
    take_back_payment(payment, reason="bounced", on=TODAY, by=CLERK)
    deliver(timezone.now() + LATER)
    message = Message.objects.get(kind="receipt")
    assert message.state == "cancelled"
    with pytest.raises(Refused, match="taken back"):
        send_receipt(Receipt.objects.get(), on=TODAY, by=CLERK)


def test_the_tick_makes_the_receipts_of_every_company(client: Any) -> None:
    pay(client, "400", on=timezone.localdate(), method="card")
    send_receipts_of_all()
    assert Tick.objects.get(name=RECEIPT_TICK).result == {"lo": {"receipts": 1}}
    assert Payment.objects.get().receipt.made_on is not None


def test_a_receipt_says_for_ever_what_it_said(client: Any) -> None:
    payment = pay(client, "400")
    receipt = make_receipt(payment, on=TODAY, by=CLERK)
    first = receipt_pdf(receipt).sha256
    make_invoice(client, "400")
    receipt.refresh_from_db()
    assert receipt_pdf(receipt).sha256 == first
    assert receipt.frozen["kept"] == "400.00"


def test_a_credit_note_goes_by_mail_with_its_paper_and_leads_to_the_invoice(client: Any) -> None:
    invoice = make_invoice(client, "1000", tax="19")
    note = issue_credit_note(invoice, None, reason="ordered twice", key="c1", on=TODAY, by=CLERK)
    message = send_credit_note(note, on=TODAY, by=CLERK)
    assert send_credit_note(note, on=TODAY, by=CLERK) == message
    mail = written(message)
    assert note.number in mail.subject and str(invoice.number) in mail.subject
    assert "ordered twice" in mail.text and "/i/" in mail.text
    assert mail.attachments == [
        (f"{note.number}.pdf", "application/pdf", read_file(credit_note_pdf(note).sha256))
    ]
    assert Event.objects.filter(action="credit_note_sending").count() == 1


def test_a_statement_is_written_when_it_leaves(client: Any) -> None:
    invoice = make_invoice(client, "1000")
    message = send_statement(client, on=TODAY, by=CLERK)
    pay(client, "300")
    mail = written(message)
    assert str(invoice.number) in mail.text and "€700.00" in mail.text
    assert mail.attachments[0][2].startswith(b"%PDF")
    assert "/s/" in mail.text


def test_an_invoice_is_sent_again_byte_for_byte_under_a_new_cover(client: Any) -> None:
    invoice = make_invoice(client, "1000")
    first = send_invoice(invoice, on=TODAY, by=CLERK)
    original = written(first).attachments[0][2]
    Message.objects.filter(pk=first.pk).update(state="sent")
    again = resend_invoice(invoice, words="As you asked on the telephone.", on=TODAY, by=CLERK)
    assert (again.key, again.kind) == (f"invoice:{invoice.pk}:send:2", "invoice_again")
    mail = written(again)
    (cover, _media, letter), (name, _media, content) = mail.attachments
    assert (cover, name) == (f"cover-{file_name(invoice)}", file_name(invoice))
    assert content == original == read_file(invoice_pdf(Invoice.objects.get()).sha256)
    assert letter != original
    assert "As you asked on the telephone." in mail.text
    assert Event.objects.filter(action="invoice_sent_again", doc=f"invoice:{invoice.pk}").exists()
    with pytest.raises(Refused, match="at most 1000"):
        resend_invoice(invoice, words="x" * 1001, on=TODAY, by=CLERK)


def test_check_ledger_sees_a_gap_in_the_numbers_and_a_sum_that_was_changed(client: Any) -> None:
    receipt = make_receipt(pay(client, "400"), on=TODAY, by=CLERK)
    Series.objects.filter(kind="receipt").update(last=2)
    assert [found["code"] for found in check(timezone.now(), fast=False)["violations"]] == ["L8"]
    Series.objects.filter(kind="receipt").update(last=1)
    guards.remove(only="payments_receipt")
    Receipt.objects.filter(pk=receipt.pk).update(frozen={**receipt.frozen, "amount": "4000.00"})
    guards.install()
    assert [found["code"] for found in check(timezone.now(), fast=False)["violations"]] == ["L18"]


def test_a_receipt_that_cannot_be_made_keeps_no_other_back(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, other = pay(client, "400"), pay(client, "70")
    made = make_receipt

    def stumbles(payment: Payment, **how: Any) -> Receipt:
        if payment == broken:
            raise ValueError("a fact nobody thought of")
        return made(payment, **how)

    monkeypatch.setattr("payments.services.receipts.make_receipt", stumbles)
    assert run(client) == 1
    assert Receipt.objects.get().payment == other
