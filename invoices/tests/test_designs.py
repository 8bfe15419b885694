"""Every document in both designs on both papers, as the client or the company chose, frozen with what was issued."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pytest
from django.utils import timezone
from pypdf import PdfReader

from clients.models import Wishes
from core.services import read_file
from invoices import pdf
from invoices.credit_notes import credit_note_document, freeze_credit_note
from invoices.documents import freeze, invoice_document
from invoices.models import CreditNote, CreditNoteLine, Invoice
from invoices.pdf import invoice_pdf, letter_pdf, pro_forma_pdf, statement_pdf
from invoices.services.drafting import LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice
from invoices.services.pro_forma import make_pro_forma
from invoices.tests.test_pdf import A4, LETTER, sheet_of, text_of
from payments.models import Receipt
from payments.receipt_document import freeze_receipt, receipt_document
from policies.models import Terms
from tests.cast import CLERK, TODAY, make_client, make_draft, make_invoice, pay

pytestmark = pytest.mark.once  # what stands on paper does not depend on the database

HALVES = [{"days": 14, "percent": "50"}, {"days": 30, "percent": "50"}]
SHEETS = {"A4": A4, "Letter": LETTER}


@pytest.fixture(params=[("ledger", "A4"), ("plain", "A4"), ("ledger", "Letter"), ("plain", "Letter")], ids="-".join)
def look(request):
    return request.param


def in_look(company, look):
    design, paper = look
    return make_client(company, "C-0042", name="Harbour Lane Coffee", design=design, paper=paper)


def pages_of(content: bytes) -> int:
    return len(PdfReader(io.BytesIO(content)).pages)


def test_an_invoice_of_four_lines_fits_one_sheet_in_every_look(company, look):
    client = in_look(company, look)
    lines = [
        LineDraft(f"Work {n}", Decimal(n), Decimal("120.50"), detail="What was done", tax_percent=Decimal(rate))
        for n, rate in enumerate((19, 19, 7, 7), 1)
    ]
    invoice = issue_invoice(draft_invoice(client, lines, by=CLERK), on=TODAY, by=CLERK)
    content = read_file(invoice_pdf(invoice).sha256)
    said = text_of(content)
    assert (sheet_of(content), pages_of(content)) == (SHEETS[look[1]], 1)
    for part in ("Harbour Lane Coffee", "Oranienstr. 58", "What was done", "Total due", "interest of 12% a year"):
        assert part in said, part


def test_every_other_document_comes_in_every_look(company, look):
    client = in_look(company, look)
    invoice = make_invoice(client, "1000", tax="19", on=TODAY - dt.timedelta(days=60))
    items = [(invoice, invoice.balance)]
    payment = pay(client, "200")
    receipt = Receipt(payment=payment, number="R-1", made_on=TODAY, frozen=freeze_receipt(payment))
    note = CreditNote.objects.create(
        company=company, client=client, invoice=invoice, series=invoice.series, seq=1, number="CN-1", key="1",
        issued_on=TODAY, reason="Half of it was not delivered", currency="EUR", net=Decimal(500), tax=Decimal(95),
        total=Decimal(595), frozen=freeze_credit_note(invoice, left=Decimal(595), freed=Decimal(100)), issued_by=CLERK,
    )  # fmt: skip
    CreditNoteLine.objects.create(
        credit_note=note, description="Interface design", quantity=Decimal("0.5"), unit_price=Decimal(1000),
        tax_percent=Decimal(19), net=Decimal(500),
    )
    pro_forma = make_pro_forma(make_draft(client), pay_by=TODAY + dt.timedelta(days=7), on=TODAY, by=CLERK)
    printed = {
        "€1,190.00": statement_pdf(client, items, TODAY),
        "Final notice": letter_pdf(client, None, subject="Final notice", paragraphs=["Dear"], items=items, on=TODAY),
        "not an invoice": read_file(pro_forma_pdf(pro_forma).sha256),
        "Half of it was not delivered": pdf.print_document("pdf/credit_note.html", credit_note_document(note)),
        "We have received your payment": pdf.print_document("pdf/receipt.html", receipt_document(receipt)),
    }  # fmt: skip
    for words, content in printed.items():
        assert words in text_of(content)
        assert (sheet_of(content), pages_of(content)) == (SHEETS[look[1]], 1), words


def test_the_design_is_the_clients_or_else_the_companys_and_is_frozen_with_the_invoice(company):
    company.design, company.paper = "plain", "Letter"
    company.save()
    usual, choosy = make_client(company), make_client(company, "C-2", design="ledger", paper="A4")
    of_usual, of_choosy = (invoice_document(make_invoice(client)).head for client in (usual, choosy))
    assert (of_usual.design, of_usual.paper, of_choosy.design, of_choosy.paper) == ("plain", "Letter", "ledger", "A4")
    invoice = make_invoice(usual)
    usual.design, usual.paper = "ledger", "A4"
    usual.save()
    kept = invoice_document(Invoice.objects.get(pk=invoice.pk)).head
    assert (kept.design, kept.paper) == ("plain", "Letter")


def test_an_invoice_frozen_before_there_were_designs_looks_as_it_did(late_client):
    invoice = make_invoice(late_client)
    for name in ("design", "paper", "extra_fields"):
        invoice.frozen.pop(name)
    head = invoice_document(invoice).head
    assert (head.design, head.paper) == ("ledger", "A4")


def test_the_plain_design_is_black_on_white():
    css = pdf.stylesheet("plain", "#0f5f57")
    assert "#0f5f57" not in css and "border-radius" not in css.split("The design «plain»")[1]
    assert "var(" not in css and "var(" not in pdf.stylesheet("ledger", "#0f5f57")


def test_a_companys_colour_is_on_its_paper_and_a_false_one_is_not():
    assert "#aa3300" in pdf.stylesheet("ledger", "#aa3300")
    job = pdf.job_of("<p>x</p>", accent="red; } body { background: url(file:///etc/passwd)", design="ledger", xml=b"",
                     day=None)  # fmt: skip
    assert "passwd" not in "".join(job["stylesheets"].values())


def test_what_the_client_wants_is_on_the_cover_page_and_in_the_facts(late_client):
    Wishes.objects.create(
        client=late_client, extra_fields=[{"label": "Cost centre", "value": "4711-B"}], cover_page=True,
        cover_text="For M. Winter, building 7.\nBudget 2026.", told_by="x", told_at=timezone.now(),
    )
    invoice = make_invoice(late_client)
    reader = PdfReader(io.BytesIO(read_file(invoice_pdf(invoice).sha256)))
    cover, page = (page.extract_text() for page in reader.pages)
    assert "For M. Winter, building 7.\nBudget 2026." in cover and "Cost centre" in cover and "€1,000.00" in cover
    assert "4711-B" in page and "building 7" not in page
    Wishes.objects.update(cover_page=False)
    assert "cover" not in freeze(make_draft(late_client))


def terms_of(client, **facts):
    client.terms = Terms.objects.create(company=client.company, name="As agreed", **facts)
    client.save()


def test_instalments_stand_beside_the_account_each_with_its_day(late_client):
    terms_of(late_client, net_days=30, late_percent=Decimal(12), parts=HALVES)
    said = text_of(read_file(invoice_pdf(make_invoice(late_client, "1001.01")).sha256))
    for part in (
        "Invoice total", "in 2 parts", "€500.51: 14 days from 18 November — by 2 December 2026", "Instalment 1 of 2",
        "Instalment 2 of 2", "30 days from 18 November — by 18 December 2026", "€500.50",
        "On each part that is unpaid after its day we may charge interest of 12% a year.",
    ):
        assert part in said, part


def test_the_paper_of_an_invoice_in_parts_does_not_move_with_the_money(late_client):
    terms_of(late_client, net_days=30, parts=HALVES)
    invoice = make_invoice(late_client)
    before = invoice_document(invoice)
    pay(late_client, "500", how={f"invoice:{invoice.pk}": Decimal(500)})
    paid = Invoice.objects.get(pk=invoice.pk)
    assert paid.due_on != invoice.due_on and invoice_document(paid) == before


def test_the_offer_for_paying_early_says_what_it_comes_to(late_client):
    terms_of(late_client, net_days=30, discount_percent=Decimal(2), discount_days=10, late_percent=Decimal(12))
    said = text_of(read_file(invoice_pdf(make_invoice(late_client, "1200")).sha256))
    assert said.count("2 % discount, €24.00, if paid by 28 November 2026: then please pay €1,176.00.") == 2
    assert said.index("How to pay") < said.index("If it is paid late") < said.index("interest of 12% a year")
