"""Corrections and papers at the desk: credit by line, receipts, the statement of account, documents for clients."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from core.models import CompanyDocument
from invoices.models import CreditNote, Invoice
from invoices.services.drafting import LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice, void_invoice
from outbox.models import Message
from payments.models import Receipt, Refund
from payments.services import issue_credit_note, unapplied_cash
from payments.services.receipts import make_receipt
from tests.cast import CLERK, TODAY, make_invoice, make_manager, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        client.force_login(clerk)
        yield client


@pytest.fixture
def invoice(late_client: Any) -> Invoice:
    lines = [
        LineDraft("Design", Decimal(24), Decimal(120), Decimal(19), unit="h"),
        LineDraft("Books", Decimal(5), Decimal(95), Decimal(7)),
    ]
    return issue_invoice(draft_invoice(late_client, lines, by=CLERK), on=TODAY, by=CLERK)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("\u00a0", " ").split())


def form_of(desk: Any, url: str) -> dict[str, Any]:
    return {"key": desk.get(url).context["form"]["key"].value()}


def test_the_page_shows_what_is_left_of_each_line_and_what_the_note_comes_to(desk: Any, invoice: Invoice) -> None:
    issue_credit_note(invoice, {1: Decimal(4)}, reason="x", key="c0", on=TODAY, by=CLERK)
    pay(invoice.client, "3000")
    url = f"/invoices/{invoice.pk}/credit/"
    page = text(desk.get(url))
    assert "20 h left" in page and "Can still be credited" in page
    shown = desk.get(url + "?all=1")
    assert shown.context["form"]["line-1"].value() == "20"
    answer = desk.post(url, form_of(desk, url) | {"line-1": "20", "do": "look"})
    assert answer.status_code == 200
    assert "€2,856.00" in text(answer) and "Set free" in text(answer)
    assert CreditNote.objects.count() == 1


def test_a_credit_note_is_issued_once_and_its_page_leads_back(desk: Any, invoice: Invoice) -> None:
    url = f"/invoices/{invoice.pk}/credit/"
    given = form_of(desk, url) | {"line-1": "4", "line-2": "", "reason": "fewer hours", "do": "issue"}
    first, again = desk.post(url, given), desk.post(url, given)
    note = CreditNote.objects.get()
    assert first.url == again.url == f"/credit-notes/{note.pk}/"
    page = text(desk.get(first.url))
    assert "fewer hours" in page and "€571.20" in page and str(invoice) in page
    assert note.number in text(desk.get(f"/invoices/{invoice.pk}/"))
    assert note.number in text(desk.get("/credit-notes/"))
    assert note.number in b"".join(desk.get("/credit-notes/?format=csv")).decode()
    assert "Nothing was credited" not in text(desk.get("/credit-notes/?q=nobody"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"line-1": "25", "reason": "x"}, "24 of 24 can still be credited"), ({"line-1": "4"}, "Say why"),
        ({"reason": "x"}, "Say which lines"), ({"line-1": "many", "reason": "x"}, "Write an amount such as"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong_and_keeps_what_was_written(
    desk: Any, invoice: Invoice, given: dict[str, str], says: str
) -> None:
    url = f"/invoices/{invoice.pk}/credit/"
    answer = desk.post(url, form_of(desk, url) | given | {"do": "issue"})
    assert answer.status_code == 422 and says in text(answer)
    assert not CreditNote.objects.exists()


def test_a_credit_note_is_sent_and_can_be_undone(desk: Any, invoice: Invoice) -> None:
    note = issue_credit_note(invoice, None, reason="x", key="c0", on=TODAY, by=CLERK)
    url = f"/credit-notes/{note.pk}/send/"
    assert "Mara Winter" in text(desk.get(url))
    contact = invoice.client.contacts.get()
    assert desk.post(url, {"contact": contact.pk}).url == f"/credit-notes/{note.pk}/"
    assert Message.objects.get(kind="credit_note").payload["contact"] == contact.pk
    assert "Undo" in text(desk.get(f"/credit-notes/{note.pk}/"))


def test_its_pdf_and_its_xml_are_there(desk: Any, invoice: Invoice) -> None:
    note = issue_credit_note(invoice, {1: Decimal(1)}, reason="x", key="c0", on=TODAY, by=CLERK)
    pdf, xml = (desk.get(f"/credit-notes/{note.pk}/credit-note.{kind}") for kind in ("pdf", "xml"))
    assert pdf.content.startswith(b"%PDF") and b"381" in xml.content


def test_what_was_taken_back_is_written_anew_and_both_say_so(desk: Any, invoice: Invoice) -> None:
    answer = desk.post(f"/invoices/{invoice.pk}/replace/", follow=True)
    assert "stands: void it" in text(answer)
    void_invoice(invoice, reason="wrong", on=TODAY, by=CLERK)
    assert "Write it anew" in text(desk.get(f"/invoices/{invoice.pk}/"))
    made = desk.post(f"/invoices/{invoice.pk}/replace/")
    draft = Invoice.objects.drafts().get()
    assert made.url == f"/invoices/{draft.pk}/edit/"
    assert f"In the place of {invoice}" in text(desk.get(f"/invoices/{draft.pk}/"))
    assert "A draft is to replace it" in text(desk.get(f"/invoices/{invoice.pk}/"))


def test_an_invoice_is_sent_again_with_words_of_ours(desk: Any, invoice: Invoice) -> None:
    url = f"/invoices/{invoice.pk}/again/"
    contact = invoice.client.contacts.get()
    assert desk.post(url, {"contact": contact.pk, "words": "As you asked."}).url == f"/invoices/{invoice.pk}/"
    message = Message.objects.get(kind="invoice_again")
    assert message.payload["words"] == "As you asked."
    assert f"/invoices/{invoice.pk}/again/" in text(desk.get(f"/invoices/{invoice.pk}/"))


def test_a_receipt_is_made_at_the_payment_and_listed(desk: Any, late_client: Any) -> None:
    payment = pay(late_client, "400")
    assert "Make it" in text(desk.get(f"/payments/{payment.pk}/"))
    desk.post(f"/payments/{payment.pk}/receipt/", {"do": "send"})
    receipt = Receipt.objects.get()
    assert Message.objects.get().kind == "receipt"
    assert receipt.number in text(desk.get(f"/payments/{payment.pk}/"))
    assert receipt.number in text(desk.get("/receipts/"))
    assert receipt.number in b"".join(desk.get("/receipts/?format=csv")).decode()
    assert desk.get(f"/receipts/{receipt.pk}/receipt.pdf").content.startswith(b"%PDF")


def test_the_statement_adds_up_and_so_does_its_file(desk: Any, invoice: Invoice) -> None:
    client = invoice.client
    other = make_invoice(client, "100", on=TODAY - dt.timedelta(days=40))
    issue_credit_note(invoice, {2: Decimal(1)}, reason="x", key="c0", on=TODAY, by=CLERK)
    pay(client, "150", how={f"invoice:{other.pk}": Decimal(100)})
    shown = desk.get(f"/clients/{client.pk}/statement/")
    (account,) = shown.context["accounts"]
    owed = sum(each.balance for each in Invoice.objects.open()) - unapplied_cash(client)["EUR"]
    assert account.balance == account.closing == owed
    first = account.movements[0]
    assert (first.label, first.amount) == (f"Invoice {other}", 100)
    later = desk.get(f"/clients/{client.pk}/statement/?since={TODAY.isoformat()}").context["accounts"][0]
    assert (later.opening, later.closing) == (100, owed)
    rows = b"".join(desk.get(f"/clients/{client.pk}/statement/?format=csv")).decode()
    assert str(invoice) in rows and "-50.00" in rows
    assert "Credit note" in b"".join(desk.get(f"/clients/{client.pk}/statement/?format=csv&what=moved")).decode()


def test_the_statement_of_who_owes_nothing_says_so_and_goes_by_mail(desk: Any, late_client: Any) -> None:
    url = f"/clients/{late_client.pk}/statement/"
    assert "The balance is zero" in text(desk.get(url))
    assert desk.post(url + "send/", {"contact": late_client.contacts.get().pk}).url == url
    assert Message.objects.get().kind == "statement"


def test_money_back_needs_the_permission_and_is_offered_to_who_has_it(desk: Any, late_client: Any) -> None:
    pay(late_client, "400")
    url = f"/clients/{late_client.pk}/pay-back/"
    given = form_of(desk, url) | {"amount": "400", "currency": "EUR", "reason": "paid twice"}
    answer = desk.post(url, given)
    assert answer.status_code == 422 and "You may not pay money back" in text(answer)
    assert url not in text(desk.get(f"/clients/{late_client.pk}/statement/"))
    desk.force_login(make_manager())
    assert url in text(desk.get(f"/clients/{late_client.pk}/statement/"))
    assert desk.post(url, given).status_code == 302
    payment = Refund.objects.get().payment
    assert "paid twice" in text(desk.get(f"/payments/{payment.pk}/"))
    assert not desk.get("/payments/?tab=left").context["page"].object_list
    assert desk.get(url).status_code == 302


def test_a_document_for_clients_is_uploaded_listed_and_taken_away(desk: Any, company: Any) -> None:
    assert "No document yet" in text(desk.get("/company/documents/"))
    file = SimpleUploadedFile("w9.pdf", b"%PDF-1.7 form")
    desk.post("/company/documents/new/", {"file": file, "kind": "tax_form", "name": "Form W-9"})
    document = CompanyDocument.objects.get()
    assert "Form W-9" in text(desk.get("/company/documents/"))
    assert desk.get(f"/company/documents/{document.pk}/").content == b"%PDF-1.7 form"
    bad = desk.post("/company/documents/new/", {"file": SimpleUploadedFile("a.pdf", b"x"), "kind": "other"})
    assert bad.status_code == 422
    desk.post(f"/company/documents/{document.pk}/remove/")
    assert "No document yet" in text(desk.get("/company/documents/"))


def test_looking_changes_nothing(desk: Any, invoice: Invoice) -> None:
    receipt = make_receipt(pay(invoice.client, "10"), on=TODAY, by=CLERK)
    for url in (f"/invoices/{invoice.pk}/replace/", f"/payments/{receipt.payment_id}/receipt/"):
        assert desk.get(url).status_code == 405


def test_the_timeline_says_what_was_credited_and_leads_there(desk: Any, invoice: Invoice) -> None:
    note = issue_credit_note(invoice, {1: Decimal(4)}, reason="fewer hours", key="c0", on=TODAY, by=CLERK)
    page = text(desk.get(f"/clients/{invoice.client_id}/timeline/?kind=money"))
    assert f"€571.20 of invoice {invoice} credited by {note}" in page and "fewer hours" in page
    assert f"/credit-notes/{note.pk}/" in page


@pytest.mark.parametrize(
    ("page", "from_page", "named"),
    [("statement", "statement/", "Mail the link"), ("file/wishes", "file/", "Ask by mail")],
)  # fmt: skip
def test_the_link_to_a_page_of_theirs_is_mailed_once_and_can_be_undone(
    desk: Any, late_client: Any, page: str, from_page: str, named: str
) -> None:
    url = f"/clients/{late_client.pk}/{page}/link/"
    shown = text(desk.get(f"/clients/{late_client.pk}/{from_page}"))
    assert f'href="{url}"' in shown and named in shown
    given = form_of(desk, url) | {"contact": late_client.contacts.get().pk}
    first = text(desk.post(url, given, follow=True))
    message = Message.objects.get(kind="page_link")
    assert "On its way to Mara Winter in ten seconds" in first and f"/outbox/{message.pk}/undo/" in first
    assert message.payload["page"] in url
    desk.post(url, given)
    desk.post(url, given | form_of(desk, url))
    desk.post(f"/outbox/{message.pk}/undo/")
    desk.post(url, given)
    assert Message.objects.filter(kind="page_link").count() == 1
    desk.post(url, given | form_of(desk, url))
    assert Message.objects.filter(kind="page_link").count() == 2


def test_without_a_reader_the_link_goes_nowhere_and_the_form_says_so(desk: Any, late_client: Any) -> None:
    url = f"/clients/{late_client.pk}/statement/link/"
    given = form_of(desk, url) | {"contact": late_client.contacts.get().pk}
    late_client.contacts.update(email="")
    assert desk.post(url, given).status_code == 422 and not Message.objects.exists()
