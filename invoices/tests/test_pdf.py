"""Documents as PDF: right on paper, the same bytes every time, and deaf to whatever text smuggles in."""

from __future__ import annotations

import datetime as dt
import io
import os
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.db import transaction
from pypdf import PdfReader

from core.models import BankAccount, StoredFile
from core.services import read_file
from invoices import pdf
from invoices.documents import freeze, invoice_document
from invoices.models import Intake, Invoice
from invoices.pdf import (
    CouldNotPrint,
    Printer,
    invoice_pdf,
    item_statement_pdf,
    letter_pdf,
    print_html,
    statement_pdf,
)
from invoices.services.drafting import Heading, LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice, pay

A4, LETTER = (595, 842), (612, 792)


def text_of(content: bytes) -> str:
    """The words in the order of reading, wherever a line ends."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def height_of(content: bytes, words: str) -> float:
    """How far above the foot of the first sheet the words stand, in points."""
    found: list[float] = []

    def seen(text: str, ctm: list[float], tm: list[float], _font: object, _size: object) -> None:
        if words in text:
            found.append(ctm[5] + ctm[3] * tm[5])

    PdfReader(io.BytesIO(content)).pages[0].extract_text(visitor_text=seen)
    return found[0]


def sheet_of(content: bytes) -> tuple[int, int]:
    box = PdfReader(io.BytesIO(content)).pages[0].mediabox
    return round(box.width), round(box.height)


def test_an_invoice_says_what_is_due_by_when_and_how_to_pay(late_client):
    invoice = make_invoice(late_client, "1000", tax="19", po_number="PO-88213")
    content = read_file(invoice_pdf(invoice).sha256)
    said = text_of(content)
    for part in (
        str(invoice.number), "€1,190.00", "30 days from 18 November — by 18 December 2026", "VAT 19% on €1,000.00",
        "DE89 3704 0044 0532 0130 00", "COBADEFFXXX", "PO-88213", "Mara Winter", "interest of 12% a year",
        "Page 1 of 1",
    ):
        assert part in said, part
    assert sheet_of(content) == A4


def test_a_company_in_the_states_prints_on_letter_with_its_account(db):
    company = make_company("wb", currency="USD", country="US", paper="Letter", region="OR", city="Portland")
    invoice = make_invoice(make_client(company, country="US"), "8400.50")
    content = read_file(invoice_pdf(invoice).sha256)
    said = text_of(content)
    assert sheet_of(content) == LETTER
    assert "$8,400.50" in said and "000123456789" in said and "021000021" in said
    assert "Portland, OR 10969" in said


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ["Rechnung", "30 Tage ab dem 18. November — bis zum 18. Dezember 2026", "1.190,00 €"]),
        ("fr", ["Facture", "30 jours à compter du 18 novembre — au plus tard le 18 décembre 2026", "1 190,00 €"]),
    ],
)
def test_a_document_is_in_the_language_of_its_reader(company, language, words):
    invoice = make_invoice(make_client(company, language=language), "1000", tax="19")
    said = text_of(read_file(invoice_pdf(invoice).sha256))
    for word in words:
        assert word in said


def test_the_same_invoice_gives_the_same_bytes_in_another_process(late_client):
    document = invoice_document(make_invoice(late_client))
    first = pdf.print_document("pdf/invoice.html", document)
    pdf._printer.stop()
    assert pdf.print_document("pdf/invoice.html", document) == first


def test_it_is_printed_once_and_kept_by_its_hash(late_client, monkeypatch):
    invoice = make_invoice(late_client)
    stored = invoice_pdf(invoice)
    monkeypatch.setattr(pdf, "print_document", lambda *_, **__: pytest.fail("printed twice"))
    assert invoice_pdf(Invoice.objects.get(pk=invoice.pk)) == stored
    assert StoredFile.objects.filter(media_type=pdf.PDF).count() == 1


def test_what_changes_after_issue_does_not_reach_the_document(late_client):
    """A new bank account or address is for later invoices."""
    invoice = make_invoice(late_client)
    BankAccount.objects.update(iban="GB33BUKB20201555555555", holder="Somebody else")
    late_client.name = late_client.legal_name = "New name"
    late_client.save()
    invoice.company.legal_name = "New seller"
    invoice.company.save()
    said = text_of(read_file(invoice_pdf(Invoice.objects.get(pk=invoice.pk)).sha256))
    assert "DE89 3704 0044 0532 0130 00" in said and "Harbour Lane Coffee" in said
    assert "New" not in said and "Somebody else" not in said


def test_drafts_and_items_taken_over_have_no_document(late_client):
    with pytest.raises(ValueError, match="no document"):
        invoice_pdf(make_draft(late_client))
    intake = Intake.objects.create(company=late_client.company, source="book.csv", taken_by=CLERK)
    draft = draft_invoice(late_client, [LineDraft("Open item", Decimal(1), Decimal(250))], by=CLERK)
    draft.intake = intake
    draft.save()
    taken = issue_invoice(draft, on=TODAY, by=CLERK)
    with pytest.raises(ValueError, match="no document"):
        invoice_pdf(taken)
    said = text_of(item_statement_pdf(taken, TODAY))
    assert f"Statement of {taken.number}" in said and "€250.00" in said


def test_a_statement_lists_what_is_open_takes_off_what_we_hold_and_adds_up(late_client):
    old = make_invoice(late_client, "1000", on=TODAY - dt.timedelta(days=60))
    new = make_invoice(late_client, "500")
    pay(late_client, "400", how={f"invoice:{old.pk}": Decimal(400)})
    pay(late_client, "50", how="none")
    items = [(invoice, Invoice.objects.get(pk=invoice.pk).balance) for invoice in (new, old)]
    content = statement_pdf(late_client, items, TODAY)
    said = text_of(content)
    for part in (str(old.number), str(new.number), "30 days overdue", "€600.00", "-€400.00", "-€50.00", "€1,050.00"):
        assert part in said, part
    assert said.index(str(old.number)) < said.index(str(new.number))
    whole, paid = height_of(content, "€1,000.00"), height_of(content, "-€400.00")
    assert paid < whole, "what was paid stands below the amount, not on what is open"


def test_a_letter_carries_the_words_it_is_given_and_the_items(late_client):
    invoice = make_invoice(late_client, "1000", on=TODAY - dt.timedelta(days=60))
    said = text_of(
        letter_pdf(
            late_client, None, subject="Second reminder", paragraphs=["Hello Mara,", "two\nlines <b>plain</b>"],
            items=[(invoice, invoice.balance)], on=TODAY, closing=["Kind regards", "Ada Kowalska"],
        )
    )
    for part in ("Second reminder", "two", "<b>plain</b>", "18 November 2026", "€1,000.00", "Ada Kowalska"):
        assert part in said, part


def test_never_inside_a_transaction(late_client, monkeypatch):
    invoice = make_invoice(late_client)
    with transaction.atomic(), pytest.raises(RuntimeError, match="after the commit"):
        invoice_pdf(invoice)


@pytest.fixture
def listener():
    """A server that nobody may ask."""
    asked: list[str] = []

    class Ear(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/again")
            self.end_headers()

        do_HEAD = do_POST = do_GET

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Ear)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


REACHING_OUT = """<link rel="stylesheet" href="{url}/a.css"><link rel="attachment" href="file://{secret}">
<link rel="attachment" href="{url}/b"><style>@import url({url}/c.css);
@font-face {{ font-family: x; src: url({url}/d.ttf) }}
body {{ background: url({url}/e.png); font-family: x }} p::before {{ content: url({url}/f.png) }}</style>
<img src="{url}/g.png"><img src="file://{secret}"><embed src="{url}/h.svg"><object data="{url}/i"></object>
<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}/j.png"/><use href="file://{secret}#x"/></svg>
<img src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Cimage href='{url}/k.png'/%3E%3C/svg%3E">
<img src="{url_upper}/l.png"><iframe src="{url}/m"></iframe><p>said</p>"""


def test_hostile_html_fetches_nothing_and_attaches_nothing(listener, tmp_path):
    """Even if markup of somebody else's reached the printer: no address is asked and no file is opened."""
    url, asked = listener
    secret = tmp_path / "secret.txt"
    secret.write_text("root:x:0:0:canary-7431")
    body = REACHING_OUT.format(url=url, url_upper=url.replace("http", "HTTP"), secret=secret)
    content = print_html(f"<html><body>{body}</body></html>")
    assert asked == []
    reader = PdfReader(io.BytesIO(content))
    assert not reader.attachments
    assert b"canary-7431" not in content and "canary" not in text_of(content)
    assert "said" in text_of(content)


def test_what_people_wrote_is_text_on_paper_and_reaches_nothing(listener, company):
    """The same payload as somebody's name, line, note and address: it is printed as it was written."""
    url, asked = listener
    evil = f'<img src="{url}/x.png"><link rel=attachment href="file:///etc/passwd"> {{{{ 7|add:7 }}}}'[:120]
    client = make_client(company, name=evil, legal_name=evil, street=evil, city="x")
    line = LineDraft(evil, Decimal(1), Decimal(100), detail=evil, unit="<b>")
    draft = draft_invoice(client, [line], heading=Heading(note=evil, po_number=evil[:80]), by=CLERK)
    content = read_file(invoice_pdf(issue_invoice(draft, on=TODAY, by=CLERK)).sha256)
    assert asked == []
    attached = PdfReader(io.BytesIO(content)).attachments
    assert list(attached) == ["factur-x.xml"] and b"root:" not in attached["factur-x.xml"][0]
    said = text_of(content).replace("\n", "")
    assert said.count("<img src=") >= 4
    assert "root:" not in said


def test_a_document_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(pdf, "WALL_SECONDS", 0.5)
    rows = "<tr><td>x</td></tr>" * 60_000
    with pytest.raises(CouldNotPrint, match="without an answer"):
        print_html(f"<table>{rows}</table>")
    monkeypatch.setattr(pdf, "WALL_SECONDS", 60)
    assert print_html("<p>next</p>").startswith(b"%PDF")


def test_the_process_is_bounded_and_knows_no_secret():
    print_html("<p>x</p>")
    child = pdf._printer._child
    limits = Path(f"/proc/{child.pid}/limits").read_text().splitlines()
    assert any(line.startswith("Max address space") and str(1 << 30) in line for line in limits)
    cpu = next(line for line in limits if line.startswith("Max cpu time")).split()
    assert int(cpu[3]) < 120
    environment = Path(f"/proc/{child.pid}/environ").read_text()
    assert "KEY" not in environment and "DATABASE" not in environment and "DJANGO" not in environment


def test_one_process_prints_many_and_is_replaced_after_its_turn(monkeypatch):
    monkeypatch.setattr(pdf, "PRINTS_PER_PROCESS", 3)
    printer = Printer()
    monkeypatch.setattr(pdf, "_printer", printer)
    seen = []
    for _ in range(4):
        print_html("<p>x</p>")
        seen.append(printer._child.pid if printer._child else None)
    assert seen[0] == seen[1] and seen[2] is None and seen[3] not in (None, seen[0])
    printer.stop()


def test_a_child_that_died_is_replaced():
    print_html("<p>x</p>")
    os.kill(pdf._printer._child.pid, 9)
    pdf._printer._child.wait()
    assert print_html("<p>y</p>").startswith(b"%PDF")


def test_a_false_iban_gets_no_qr_code(late_client):
    """A code that sends money astray is worse than none; the numbers still stand there."""
    BankAccount.objects.update(iban="DE89370400440532013001")
    document = invoice_document(make_invoice(late_client))
    assert document.ways[0].qr == "" and document.ways[0].rows


def test_the_qr_code_of_a_euro_transfer_carries_amount_and_reference(late_client):
    way = invoice_document(make_invoice(late_client)).ways[0]
    assert way.qr.startswith("data:image/svg+xml")


def test_freezing_is_plain_json_and_leaves_out_a_transfer_nobody_could_make(late_client):
    draft = make_draft(late_client)
    assert freeze(draft)["bank"]["iban"] == "DE89370400440532013000"
    draft.currency = "CHF"
    facts = freeze(draft)
    assert facts["bank"] is None
    assert [method["kind"] for method in facts["methods"]] == ["cheque", "cash"]
