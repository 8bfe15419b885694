"""Invoices at the desk: written, issued, sent, voided; each figure with what it is made of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from core.roles import MANAGER, give_role
from invoices.models import Charge, Entry, Invoice, ShareLink
from invoices.pdf import CouldNotPrint
from invoices.services.charging import charge_interest, give_interest_notice
from invoices.services.issuing import void_invoice, was_sent
from invoices.services.linking import link_for, record_view
from invoices.services.sending import send_invoice
from outbox.models import Message
from outbox.services import cancel
from tests.cast import TODAY, invoice_due, make_client, make_draft, make_invoice, pay

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        yield client


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(answer: Any) -> str:
    return answer.content.decode()


def written(client: Any, *lines: tuple[str, str, str], do: str = "save", **heading: Any) -> dict[str, Any]:
    data = {"client": client.pk, "currency": "EUR", "do": do, "lines-TOTAL_FORMS": len(lines), "lines-INITIAL_FORMS": 0}
    for n, (what, quantity, price) in enumerate(lines):
        data |= {f"lines-{n}-description": what, f"lines-{n}-quantity": quantity, f"lines-{n}-unit_price": price}
        data |= {f"lines-{n}-tax_percent": "19", f"lines-{n}-tax_category": "S"}
    return data | heading


def test_every_tab_counts_and_sums_the_filtered_set(desk, late_client, good_client, django_assert_max_num_queries):
    invoice_due(late_client, TODAY - dt.timedelta(days=40), "500")
    make_invoice(good_client, "100")
    make_draft(good_client, "7")
    pay(make_invoice(good_client, "30").client, "30", how="exact")
    with django_assert_max_num_queries(25):
        answer = desk.get("/invoices/")
    tabs = {tab["key"]: (tab["count"], tab["sums"]) for tab in answer.context["tabs"]}
    assert tabs["draft"] == (1, {"EUR": Decimal(7)})
    assert tabs["open"] == (2, {"EUR": Decimal(600)})
    assert tabs["overdue"] == (1, {"EUR": Decimal(500)})
    assert tabs["paid"] == (1, {"EUR": Decimal(30)})
    found = desk.get("/invoices/?q=Osprey").context["tabs"]
    assert next(tab for tab in found if tab["key"] == "overdue")["count"] == 0


def test_a_bucket_of_the_aging_table_opens_to_its_invoices(desk, late_client):
    days = {0: "current", 1: "1-30", 30: "1-30", 31: "31-60", 61: "61-90", 91: "90+", 400: "90+"}
    for late in days:
        invoice_due(late_client, TODAY - dt.timedelta(days=late), str(1000 + late))
    for bucket in set(days.values()):
        rows = desk.get("/invoices/", {"due": bucket, "tab": "open"}).context["rows"]
        assert {int(i.total) - 1000 for i, _ in rows} == {late for late, name in days.items() if name == bucket}


def test_no_invoice_yet_says_what_to_do(desk):
    assert "Create your first invoice" in text(desk.get("/invoices/"))


def test_a_draft_is_kept_changed_and_thrown_away(desk, late_client):
    desk.post("/invoices/new/", written(late_client, ("Design", "2", "100"), ("", "1", "")))
    draft = Invoice.objects.get()
    assert (draft.total, draft.lines.count(), draft.number) == (Decimal(238), 1, None)
    page = url("invoice_edit", draft.pk)
    assert "Design" in text(desk.get(page))
    desk.post(page, written(late_client, ("Design", "3", "100"), version=1))
    draft.refresh_from_db()
    assert draft.total == Decimal(357)
    clash = desk.post(page, written(late_client, ("Design", "4", "100"), version=1))
    assert "Somebody else changed this draft" in text(clash)
    desk.post(url("invoice_delete", draft.pk))
    assert not Invoice.objects.exists()


def test_a_line_without_a_price_is_refused_by_its_number(desk, late_client):
    answer = desk.post("/invoices/new/", written(late_client, ("Design", "2", "")))
    assert answer.status_code == 422
    assert "Line 1, Price" in text(answer)
    assert not Invoice.objects.exists()


def test_an_invoice_without_lines_is_refused(desk, late_client):
    answer = desk.post("/invoices/new/", written(late_client))
    assert "needs at least one line" in text(answer)


def test_adding_a_line_and_looking_at_the_totals_keep_nothing(desk, late_client):
    answer = desk.post("/invoices/new/", written(late_client, ("Design", "2", "100"), do="line"))
    assert text(answer).count("data-line") == 2
    answer = desk.post("/invoices/new/", written(late_client, ("Design", "2", "100"), do="totals"))
    assert "€238.00" in text(answer) and "Due in 30 days — by 18 December 2026" in text(answer)
    fragment = text(desk.post(url("invoice_totals"), written(late_client, ("Design", "2", "100"))))
    assert "€238.00" in fragment and "<html" not in fragment
    assert not Invoice.objects.exists()


def test_issuing_gives_the_number_and_the_day(desk, late_client):
    answer = desk.post("/invoices/new/", written(late_client, ("Design", "2", "100"), do="issue"), follow=True)
    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.due_on) == ("LO-2026-0001", dt.date(2026, 12, 18))
    assert "Issued as LO-2026-0001, due by 18 December 2026" in text(answer)


def test_issuing_and_sending_can_be_undone_for_ten_seconds(desk, late_client):
    answer = desk.post("/invoices/new/", written(late_client, ("Design", "2", "100"), do="send"), follow=True)
    message = Message.objects.get()
    assert message.not_before == NOON + dt.timedelta(seconds=10)
    assert url("outbox_undo", message.pk) in text(answer)


def test_what_may_not_be_issued_stays_a_draft_with_the_reason(desk, company):
    strict = make_client(company, "C-3", po_required=True)
    answer = desk.post("/invoices/new/", written(strict, ("Design", "1", "5"), do="issue"), follow=True)
    assert "pays only with a purchase order number" in text(answer)
    assert Invoice.objects.get().issued_at is None


def test_the_page_opens_every_figure_to_what_it_is_made_of(desk, late_client, django_assert_max_num_queries):
    invoice = invoice_due(late_client, TODAY - dt.timedelta(days=5), "500")
    pay(late_client, "120", reference="TRX 9")
    with django_assert_max_num_queries(45):
        page = text(desk.get(url("invoice", invoice.pk)))
    assert "€380.00" in page and "TRX 9" in page and "receivable ← revenue" in page
    assert "5 days overdue" in page


def test_an_issued_invoice_is_voided_with_a_reason_while_nothing_was_paid(desk, late_client):
    invoice = make_invoice(late_client, "500")
    assert desk.post(url("invoice_void", invoice.pk), {"reason": " "}).status_code == 422
    desk.post(url("invoice_void", invoice.pk), {"reason": "Wrong client"})
    invoice.refresh_from_db()
    assert invoice.voided_because == "Wrong client"
    paid = make_invoice(late_client, "50")
    pay(late_client, "50", how={f"invoice:{paid.pk}": Decimal(50)})
    refused = desk.post(url("invoice_void", paid.pk), {"reason": "Wrong"})
    assert "can no longer be voided" in text(refused)


def test_the_mail_is_seen_before_it_goes_and_looking_changes_nothing(desk, late_client):
    invoice = make_invoice(late_client, "500")
    page = desk.get(url("invoice_send", invoice.pk))
    assert f"Invoice {invoice.number}" in text(page) and f"{invoice.number}.pdf" in text(page)
    assert not ShareLink.objects.exists() and not Message.objects.exists()
    desk.post(url("invoice_send", invoice.pk), {"contact": late_client.contacts.get().pk})
    assert Message.objects.get().payload["invoice"] == invoice.pk


def test_without_an_address_sending_says_so_and_leads_to_a_contact(desk, company):
    silent = make_client(company, "C-7", email=None)
    invoice = make_invoice(silent, "75")
    page = text(desk.get(url("invoice_send", invoice.pk)))
    assert "nobody with an e-mail address that works" in page and url("contact_new", silent.pk) in page


def test_the_private_link_is_made_renewed_and_shut(desk, late_client):
    invoice = make_invoice(late_client, "75")
    desk.post(url("link_make", invoice.pk))
    link = ShareLink.objects.get()
    assert f"/i/{link.pk}/" in text(desk.get(url("invoice", invoice.pk)))
    desk.post(url("link_rotate", link.pk))
    link.refresh_from_db()
    assert link.version == 2
    desk.post(url("link_revoke", link.pk))
    link.refresh_from_db()
    assert link.revoked_at == NOON


def test_a_draft_says_when_it_would_be_due_and_is_not_offered_to_be_sent(desk, late_client):
    draft = make_draft(late_client)
    assert "18 December 2026, if issued today" in text(desk.get(url("invoice", draft.pk)))
    page = text(desk.get(url("invoice_send", draft.pk)))
    assert "A draft is not sent" in page and "until then it can be undone" not in page and "data-save" not in page


def test_a_draft_has_no_document_and_no_link(desk, late_client):
    draft = make_draft(late_client)
    assert desk.get(url("invoice_pdf", draft.pk)).status_code == 404
    answer = desk.post(url("link_make", draft.pk), follow=True)
    assert "Only an issued invoice has a page" in text(answer)


def test_the_document_is_the_pdf_the_client_gets(desk, late_client):
    answer = desk.get(url("invoice_pdf", make_invoice(late_client, "75").pk))
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_what_cannot_be_kept_is_said_beside_its_field_and_in_the_totals(desk, good_client):
    for quantity, price in (("1.66666", "10000"), ("1e5", "10"), ("100000000000000", "10000000000000")):
        assert desk.post("/invoices/new/", written(good_client, ("Hours", quantity, price))).status_code == 422
        assert desk.post("/invoices/totals/", written(good_client, ("Hours", quantity, price))).status_code == 200
    assert not Invoice.objects.exists()


def test_a_form_sent_a_second_time_writes_and_mails_nothing_again(desk, good_client):
    form = desk.get("/invoices/new/").context["form"]
    data = written(good_client, ("Hours", "2", "100"), do="send", key=form["key"].value())
    assert f'value="{form["key"].value()}"' in text(desk.post("/invoices/new/", data | {"do": "totals"}))
    first = desk.post("/invoices/new/", data)
    invoice = Invoice.objects.get()
    with time_machine.travel(NOON + dt.timedelta(minutes=5), tick=False):
        again = desk.post("/invoices/new/", data, follow=True)
        pressed_twice = desk.post(url("invoice_issue", invoice.pk), {"do": "send"}, follow=True)
    assert first.url == again.redirect_chain[0][0] == url("invoice", invoice.pk)
    assert "nothing was written again" in text(again)
    assert "nothing was done again" in text(pressed_twice)
    assert (Invoice.objects.count(), Message.objects.count()) == (1, 1)


def test_nonsense_in_the_number_of_lines_is_refused_and_is_no_crash(desk, good_client):
    for rows in ("x", "²", ""):
        data = written(good_client, ("Hours", "2", "100"), do="line") | {"lines-TOTAL_FORMS": rows}
        assert desk.post("/invoices/new/", data).status_code == 200
        assert desk.post("/invoices/new/", data | {"do": "save"}).status_code == 422
    assert not Invoice.objects.exists()


def test_what_was_only_looked_at_is_still_voided(desk, good_client):
    invoice = make_invoice(good_client)
    message = send_invoice(invoice, on=TODAY, by="Ada")
    desk.post(url("outbox_preview", message.pk))
    assert "Invoice" in text(desk.get(url("outbox_message", message.pk)))
    assert not ShareLink.objects.exists()
    cancel(message, by="Ada")
    assert void_invoice(invoice, reason="wrong", on=TODAY, by="Ada").voided_at


def test_a_link_that_was_handed_out_or_opened_keeps_an_invoice_from_being_voided(desk, good_client):
    handed_out, opened, made = make_invoice(good_client), make_invoice(good_client), make_invoice(good_client)
    desk.post(url("link_make", handed_out.pk))
    record_view(link_for(opened, None, NOON), NOON)
    link_for(made, None, NOON)  # a mail that could not be written to its end leaves one behind
    assert [was_sent(invoice) for invoice in (handed_out, opened, made)] == [True, True, False]


def test_a_preview_that_cannot_be_printed_is_said(desk, good_client, monkeypatch):
    message = send_invoice(make_invoice(good_client), on=TODAY, by="Ada")
    monkeypatch.setattr("invoices.mails.attached", fails)
    answer = desk.post(url("outbox_preview", message.pk), follow=True)
    assert "The PDF could not be made: the printer is out." in text(answer)


def fails(*_args: Any) -> None:
    raise CouldNotPrint("the printer is out.")


def test_interest_is_waived_one_by_one_or_all_of_it_with_a_reason(desk, clerk, late_client):
    invoice = invoice_due(late_client, TODAY - dt.timedelta(days=100), "1000")
    notice = TODAY - dt.timedelta(days=90)
    give_interest_notice(invoice, interest_from=notice, on=notice, by="Ada")
    for until in (60, 30, 0):
        charge_interest(invoice, until=TODAY - dt.timedelta(days=until), on=TODAY, by="Ada")
    first, second, *_rest, third = Charge.objects.order_by("pk")
    page = text(desk.get(url("invoice", invoice.pk)))
    assert url("charge_waive", first.pk) not in page and url("charges_waive", invoice.pk) not in page
    refused = desk.post(url("charge_waive", first.pk), {"reason": "Goodwill"})
    assert refused.status_code == 422 and "You may not waive" in text(refused)
    give_role(clerk, MANAGER)
    page = text(desk.get(url("invoice", invoice.pk)))
    assert url("charge_waive", first.pk) in page and url("charges_waive", invoice.pk) in page
    assert desk.post(url("charge_waive", first.pk), {"reason": " "}).status_code == 422
    page = text(desk.post(url("charge_waive", first.pk), {"reason": "Goodwill"}, follow=True))
    assert url("charge_waive", first.pk) not in page and url("charge_waive", second.pk) in page
    desk.post(url("charges_waive", invoice.pk), {"reason": "Settled with their director"})
    assert not Charge.objects.filter(balance__gt=0).exists()
    assert Entry.objects.filter(kind="waiver").values_list("memo", flat=True).distinct().count() == 2
    assert desk.post(url("charge_waive", third.pk), {"reason": "again"}).status_code == 422
