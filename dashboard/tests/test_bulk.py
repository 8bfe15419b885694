"""Many invoices at the desk: seen before it happens, begun once, listed with what failed, taken back together."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from core.jobs import run_job
from core.models import Job
from core.services import store_file
from invoices import bulk
from invoices.models import Invoice
from outbox.models import Message
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice

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
    return str(answer.content.decode())


def pks(*invoices: Invoice) -> dict[str, Any]:
    return {"pk": [invoice.pk for invoice in invoices]}


def run(answer: Any) -> Job:
    return run_job(int(answer.url.rstrip("/").split("/")[-1]), timezone.now)


def test_the_preview_says_how_many_how_much_to_whom_and_what_would_be_refused(desk, company, good_client):
    strict = make_client(company, "C-3", po_required=True)
    other = make_client(company, "C-5", currency="USD")
    rows = [make_draft(good_client, "100"), make_draft(strict, "70"), make_draft(other, "30")]
    page = text(desk.post(url("bulk"), pks(*rows) | {"do": "send"}))
    assert "Send 2 invoices?" in page and "€100.00" in page and "$30.00" in page and "€70.00" in page
    assert "ap@client.example" in page and "pays only with a purchase order number" in page
    assert page.count('type="hidden" name="pk"') == 2
    assert Invoice.objects.drafts().count() == 3 and not Job.objects.exists()


def test_nothing_selected_and_an_unknown_act_lead_back_with_the_reason(desk, good_client):
    assert "tick the invoices first" in text(desk.post(url("bulk"), {"do": "send"}, follow=True))
    assert "tick the invoices first" in text(desk.post(url("bulk"), {"do": "zip"}, follow=True))
    draft = make_draft(good_client)
    assert "nothing that can be done" in text(desk.post(url("bulk"), pks(draft) | {"do": "burn"}, follow=True))
    assert desk.post(url("bulk_start"), pks(draft) | {"do": "burn", "key": "k"}).url == url("invoices")
    assert not Job.objects.exists()


def test_all_of_the_filtered_list_is_taken_and_no_more(desk, good_client, late_client):
    make_draft(good_client)
    make_draft(late_client)
    make_invoice(good_client)
    told = {"do": "issue", "all": "yes", "tab": "draft", "q": "Osprey"}
    plan = desk.post(url("bulk"), told).context["plan"]
    assert [one.invoice.client for one in plan.good] == [good_client] and not plan.refused


def test_pressed_twice_it_begins_once(desk, good_client):
    told = pks(make_draft(good_client)) | {"do": "send", "key": "once"}
    first, again = desk.post(url("bulk_start"), told), desk.post(url("bulk_start"), told)
    assert first.url == again.url and Job.objects.count() == 1


def test_the_result_lists_what_failed_with_a_link_to_mend_it_and_undoes_the_mails(desk, company, good_client):
    silent = make_client(company, "C-4", email=None, name="Silent & Sons")
    one, two = make_draft(good_client), make_draft(silent)
    begun = desk.post(url("bulk_start"), pks(one, two) | {"do": "send", "key": "k"})
    assert "Waiting for the worker" in text(desk.get(begun.url))
    assert desk.get(begun.url + "progress/").json()["state"] == "waiting"
    run(begun)
    assert desk.get(begun.url + "progress/").json()["next"] == begun.url
    page = text(desk.get(begun.url))
    assert "1 invoice put into the outbox" in page and "Silent &amp; Sons" in page
    assert url("contact_new", silent.pk) in page and "1 mail leaves in seconds" in page
    with time_machine.travel(NOON + dt.timedelta(seconds=9), tick=False):
        page = text(desk.post(begun.url + "undo/", follow=True))
    assert "Undone: 1 mail was not sent" in page and Message.objects.get().state == "cancelled"
    one.refresh_from_db()
    assert one.issued_at is not None


def test_after_ten_seconds_nothing_is_taken_back_and_the_page_says_so(desk, good_client):
    begun = desk.post(url("bulk_start"), pks(make_draft(good_client)) | {"do": "send", "key": "k"})
    run(begun)
    with time_machine.travel(NOON + dt.timedelta(seconds=11), tick=False):
        assert "leaves in seconds" not in text(desk.get(begun.url))
        assert "1 mail had left already" in text(desk.post(begun.url + "undo/", follow=True))
    assert Message.objects.get().state == "pending"


def test_a_batch_whose_worker_died_is_told_from_the_books_and_gone_on_with_once(desk, company, good_client):
    rows = [make_draft(good_client), make_draft(good_client)]
    begun = desk.post(url("bulk_start"), pks(*rows) | {"do": "send", "key": "k"})
    bulk.act_on(
        rows[0].pk, "send", company=company, since=NOON, not_before=NOON + bulk.AT_MOST, on=TODAY, by=CLERK
    )  # fmt: skip
    Job.objects.update(state="failed", error="The worker was stopped while it ran, and nothing was saved.")
    page = text(desk.get(begun.url))
    assert "1 invoice is left" in page and "nothing is done twice" in page and "nothing was saved" not in page
    next_one = desk.post(begun.url + "go-on/")
    assert desk.post(begun.url + "go-on/").url == next_one.url
    run(next_one)
    assert Message.objects.count() == 2 and Invoice.objects.issued().count() == 2


def test_a_stopped_batch_says_what_is_left(desk, good_client):
    begun = desk.post(url("bulk_start"), pks(make_draft(good_client)) | {"do": "issue", "key": "k"})
    desk.post(begun.url + "stop/")
    run(begun)
    page = text(desk.get(begun.url))
    assert "0 invoices issued" in page and "It was stopped" in page
    run(desk.post(begun.url + "go-on/"))
    assert Invoice.objects.issued().count() == 1
    finished = url("bulk_run", Job.objects.latest("pk").pk)
    assert "Nothing of this batch is left" in text(desk.post(finished + "go-on/", follow=True))


def test_a_batch_of_another_company_is_not_found(desk, good_client):
    begun = desk.post(url("bulk_start"), pks(make_draft(good_client)) | {"do": "issue", "key": "k"})
    other = make_company("zz")
    desk.post(reverse("dashboard:choose_company"), {"company": other.pk})
    assert desk.get(begun.url).status_code == 404
    assert desk.post(begun.url + "stop/").status_code == 404


def printed(invoice: Invoice) -> Invoice:
    Invoice.objects.filter(pk=invoice.pk).update(pdf=store_file(b"%PDF of one", "application/pdf"))
    return invoice


def test_a_few_printed_documents_are_saved_at_once_and_others_are_prepared(desk, good_client, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    one = printed(make_invoice(good_client))
    answer = desk.post(url("bulk"), pks(one) | {"do": "zip"})
    assert answer["Content-Type"] == "application/zip" and "invoices-2026-11-18.zip" in answer["Content-Disposition"]
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == [f"{one.number}.pdf", "index.csv"]
    two = make_invoice(good_client)
    begun = desk.post(url("bulk"), pks(one, two) | {"do": "zip"})
    assert desk.get(begun.url).status_code == 200 and desk.get(begun.url + "invoices.zip").status_code == 404
    printed(two)
    run(begun)
    assert "2 documents are ready" in text(desk.get(begun.url))
    assert len(zipfile.ZipFile(io.BytesIO(desk.get(begun.url + "invoices.zip").content)).namelist()) == 3


def test_an_invoice_is_duplicated_once_and_what_was_left_out_is_said(desk, good_client):
    first = make_invoice(good_client, "250", tax="19", po_number="PO-7")
    told = {"key": "copy:1"}
    answer = desk.post(url("invoice_duplicate", first.pk), told, follow=True)
    desk.post(url("invoice_duplicate", first.pk), told)
    draft = Invoice.objects.drafts().get()
    assert (draft.total, draft.po_number, draft.terms) == (first.total, "", first.terms)
    assert answer.redirect_chain[0][0] == url("invoice_edit", draft.pk)
    assert "PO-7 is left out" in text(answer)


def test_a_duplicate_says_that_terms_and_reader_are_others_now(desk, company, good_client):
    contact = good_client.contacts.get()
    first = make_invoice(good_client, contact=contact)
    good_client.terms = company.terms.create(name="Net 14", net_days=14)
    good_client.save()
    contact.is_active = False
    contact.save()
    page = text(desk.post(url("invoice_duplicate", first.pk), follow=True))
    assert "the client&#x27;s are Net 14 by now" in page and "can no longer be written to" in page
    draft = Invoice.objects.drafts().get()
    assert (draft.terms, draft.contact) == (first.terms, None)


def test_the_mail_is_shown_in_any_language_and_a_test_goes_to_oneself(desk, clerk, late_client, monkeypatch):
    monkeypatch.setattr("invoices.mails.attached", lambda *_told: ("x.pdf", "application/pdf", b"%PDF"))
    invoice, contact = make_invoice(late_client), late_client.contacts.get()
    page = text(desk.get(url("invoice_send", invoice.pk)))
    assert "no e-mail address" in page and 'value="test"' not in page
    clerk.email = "ada@lumenoak.example"
    clerk.save()
    shown = desk.post(url("invoice_send", invoice.pk), {"contact": contact.pk, "language": "de", "do": "look"})
    assert "Rechnung" in text(shown) and f"contact={contact.pk}&amp;in=de" in text(shown)
    mail = desk.get(url("invoice_mail", invoice.pk), {"contact": contact.pk, "in": "fr"})
    assert "Facture" in text(mail) or "facture" in text(mail)
    assert "sandbox" in mail["Content-Security-Policy"] and mail["X-Frame-Options"] == "SAMEORIGIN"
    assert desk.get(url("invoice_mail", invoice.pk), {"contact": "9999"}).status_code == 404
    told = {"contact": contact.pk, "language": "de", "do": "test", "key": "k"}
    sent = desk.post(url("invoice_send", invoice.pk), told, follow=True)
    desk.post(url("invoice_send", invoice.pk), told)
    message = Message.objects.get()
    assert (message.kind, message.payload["to"], message.party) == ("invoice_test", "ada@lumenoak.example", "")
    assert "the client gets nothing" in text(sent)
    assert "Test of an invoice" in text(desk.get("/outbox/"))
