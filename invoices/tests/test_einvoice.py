"""The e-invoice of our documents: valid by schema and schematron, refused at issue where it could not be."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.services.status import set_status
from core.errors import Refused
from core.models import BankAccount
from core.services import read_file
from einvoicing.tests.checks import findings
from invoices.documents import invoice_document
from invoices.einvoice import einvoice_of, einvoice_xml
from invoices.models import Invoice
from invoices.services.drafting import Heading, LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice
from invoices.services.work import Done, record_work
from invoices.services.work_invoicing import invoice_work
from payments.services import issue_credit_note
from policies.models import Terms
from tests.cast import CLERK, TODAY, make_client, make_company, make_invoice, make_manager, pay

pytestmark = pytest.mark.django_db


def test_a_plain_invoice_is_a_valid_e_invoice(good_client) -> None:
    invoice = make_invoice(good_client, "1000", tax="19", po_number="PO-7")
    stored = einvoice_xml(invoice)
    assert stored is not None
    xml = read_file(stored.sha256)
    assert findings(xml) == []
    for said in (b">LO-", b">1190.00<", b">DE89370400440532013000<", b">PO-7<", invoice.reference.encode()):
        assert said in xml


def test_the_xml_is_made_once_and_keeps_its_bytes(good_client) -> None:
    invoice = make_invoice(good_client, "1000", tax="19")
    first = einvoice_xml(invoice)
    type(good_client).objects.filter(pk=good_client.pk).update(name="Quite another name")
    assert einvoice_xml(type(invoice).objects.get(pk=invoice.pk)) == first


def xml_of(document: Any) -> str:
    """The XML of an issued document, which has to be valid."""
    stored = einvoice_xml(document)
    assert stored is not None
    xml = read_file(stored.sha256)
    assert findings(xml) == []
    return xml.decode()


def said(xml: str, name: str) -> list[str]:
    """What stands in every element of that name."""
    return [" ".join(found.itertext()) for found in ElementTree.fromstring(xml).iterfind(f".//{{*}}{name}")]


def issued(client: Any, *lines: LineDraft, **heading: Any) -> Invoice:
    draft = draft_invoice(client, lines, heading=Heading(**heading), by=CLERK)
    return issue_invoice(draft, on=TODAY, by=CLERK)


def sold(tax: str = "19", category: str = "", *, quantity: str = "1", price: str = "100", **facts: Any) -> LineDraft:
    return LineDraft(
        "Design", Decimal(quantity), Decimal(price), tax_percent=Decimal(tax), tax_category=category, **facts
    )


def abroad(company: Any, country: str, tax_number: str = "", language: str = "en") -> Any:
    return make_client(company, f"X-{country}", country=country, tax_number=tax_number, language=language)


def test_several_rates_exempt_and_reductions_stand_on_one_invoice(good_client) -> None:
    reason = "Exempt as training, § 4 Nr. 21 UStG"
    lines = [
        sold("19", quantity="2.5", price="99.999999", unit="Std."), sold("7", price="14.455", quantity="2.0001"),
        sold("0", "E", exemption_reason=reason), sold("0"), sold("19", price="-10", detail="Discount"),
    ]  # fmt: skip
    xml = xml_of(issued(good_client, *lines))
    assert said(xml, "ExemptionReason") == [reason]
    assert said(xml, "BilledQuantity") == ["2.5", "2.0001", "1", "1", "-1"]
    assert said(xml, "ChargeAmount") == ["99.999999", "14.455", "100", "100", "10"]
    assert 'unitCode="HUR"' in xml


@pytest.mark.parametrize(
    ("language", "category", "country", "number", "words"),
    [
        ("en", "AE", "AT", "ATU13585627", "Reverse charge"),
        ("de", "AE", "AT", "ATU13585627", "Steuerschuldnerschaft des Leistungsempfängers"),
        ("fr", "AE", "FR", "FR40303265045", "Autoliquidation"),
        ("de", "K", "AT", "ATU13585627", "Steuerfreie innergemeinschaftliche Lieferung"),
        ("fr", "K", "FR", "FR40303265045", "Livraison intracommunautaire exonérée de TVA"),
        ("de", "G", "CH", "", "Steuerfreie Ausfuhrlieferung"),
        ("fr", "G", "CH", "", "Exportation exonérée de TVA"),
        ("en", "O", "US", "", "Not subject to VAT"),
        ("de", "O", "CH", "", "Nicht steuerbar"),
        ("fr", "O", "CH", "", "Non soumis à la TVA"),
    ],
)
def test_what_bears_no_tax_says_so_in_the_words_of_the_law(
    company, language: str, category: str, country: str, number: str, words: str
) -> None:
    invoice = issued(abroad(company, country, number, language), sold("0", category))
    xml = xml_of(invoice)
    assert said(xml, "ExemptionReason")[0].startswith(words)
    assert said(xml, "ExemptionReasonCode") == [f"VATEX-EU-{'IC' if category == 'K' else category}"]
    assert any(note.startswith(words) for note in invoice_document(invoice).tax_notes)
    if category == "K":
        assert said(xml, "CountryID") == ["DE", country, country]  # seller, buyer, where it was delivered


def test_the_sums_on_paper_name_every_category(company) -> None:
    client = abroad(company, "AT", "ATU13585627", "de")
    lines = [sold(), sold("0"), sold("0", "E", exemption_reason="§ 19 UStG"), sold("0", "AE", price="300")]
    rows = [(row.label.replace("\u00a0", " "), row.value.replace("\u00a0", " ")) for row in
            invoice_document(issued(client, *lines)).totals]  # fmt: skip
    assert rows == [
        ("Netto", "600,00 €"), ("USt. 19 % auf 100,00 €", "19,00 €"),
        ("Steuerschuldnerschaft des Leistungsempfängers auf 300,00 €", "0,00 €"),
        ("Befreit von USt.: 100,00 €", "0,00 €"), ("USt. 0 % auf 100,00 €", "0,00 €"),
    ]


def test_a_reason_of_ones_own_keeps_the_words_that_reverse_charge_needs(company) -> None:
    client = abroad(company, "AT", "ATU13585627")
    xml = xml_of(issued(client, sold("0", "AE", exemption_reason="Section 13b"), sold("0", "AE")))
    reason, = said(xml, "ExemptionReason")
    assert reason.startswith("Reverse charge") and reason.endswith("Section 13b")


@pytest.mark.parametrize(
    ("category", "country", "number", "term", "field"),
    [
        ("AE", "AT", "", "BT-48", "client.tax_number"), ("K", "AT", "", "BT-48", "client.tax_number"),
        ("K", "DE", "DE129274202", "BT-80", "client.country"), ("G", "AT", "", "BT-55", "client.country"),
        ("", "UK", "", "BT-55", "client.country"),
    ],
)
def test_what_is_missing_is_refused_at_issue_by_term_and_field(
    company, category: str, country: str, number: str, term: str, field: str
) -> None:
    draft = draft_invoice(abroad(company, country, number), [sold("0", category)], by=CLERK)
    with pytest.raises(Refused, match=rf"EN 16931, {term}: ") as no:
        issue_invoice(draft, on=TODAY, by=CLERK)
    assert (no.value.code, no.value.where) == ("einvoice", field)
    draft.refresh_from_db()
    assert draft.number is None and draft.issued_at is None


def test_work_that_lacks_something_stays_on_the_list_with_the_term_and_is_invoiced_once_it_is_there(company) -> None:
    client = abroad(company, "AT")
    work = record_work(client, Done("Design", TODAY, Decimal(100), tax_category="AE"), on=TODAY, by=CLERK)
    (left,) = invoice_work(company, on=TODAY, by=CLERK).left
    work.refresh_from_db()
    assert left.code == "einvoice" and "BT-48: Buyer VAT identifier" in work.refused_because
    type(client).objects.update(tax_number="ATU13585627")
    (invoice,) = invoice_work(company, on=TODAY, by=CLERK).invoices
    xml_of(invoice)


def test_what_is_outside_the_scope_of_tax_gets_an_invoice_of_its_own(company) -> None:
    client = abroad(company, "CH")
    draft = draft_invoice(client, [sold("0", "O"), sold("19")], by=CLERK)
    with pytest.raises(Refused, match=r"stands on an invoice of its own; .*BT-151"):
        issue_invoice(draft, on=TODAY, by=CLERK)
    for category, percent in (("O", 0), ("S", 19)):
        done = Done(category, TODAY, Decimal(100), tax_category=category, tax_percent=Decimal(percent))
        record_work(client, done, on=TODAY, by=CLERK)
    made = invoice_work(company, on=TODAY, by=CLERK)
    assert len(made.invoices) == 2 and not made.left
    for invoice in made.invoices:
        xml_of(invoice)


def test_a_company_without_a_tax_number_is_told_before_its_first_invoice(company, good_client) -> None:
    type(company).objects.update(tax_number="")
    with pytest.raises(Refused, match=r"Enter the company's VAT or tax number .* BT-31: Seller VAT identifier"):
        make_invoice(type(good_client).objects.get(pk=good_client.pk), tax="19")


def test_outside_the_union_an_invoice_without_an_e_invoice_is_no_trouble() -> None:
    company = make_company("us", country="US", currency="USD", tax_number="")
    assert einvoice_xml(make_invoice(make_client(company, country="US"), tax="8")) is None
    type(company).objects.update(tax_number="12-3456789")
    invoice = make_invoice(make_client(type(company).objects.get(), "C-2", country="US"), tax="8")
    xml = xml_of(invoice)
    assert said(xml, "ProprietaryID") == ["000123456789"] and "021000021" in said(xml, "Information")[0]
    assert said(xml, "PaymentReference") == [invoice.reference]


def test_a_client_without_a_country_is_in_ours(company) -> None:
    assert said(xml_of(make_invoice(make_client(company, country=""), tax="19")), "CountryID") == ["DE", "DE"]


@pytest.mark.parametrize(("currency", "price", "total"), [("JPY", "1234.5", "1470.00"), ("USD", "10.01", "11.91")])
def test_other_currencies(company, currency: str, price: str, total: str) -> None:
    client = make_client(company, currency=currency)
    assert said(xml_of(issued(client, sold(price=price))), "GrandTotalAmount") == [total]


def test_three_decimals_have_no_e_invoice_and_are_issued_all_the_same(company) -> None:
    client = make_client(company, currency="KWD")
    assert einvoice_xml(issued(client, sold(price="1.235"))) is None
    assert said(xml_of(issued(client, sold("0", price="1.230"))), "GrandTotalAmount") == ["1.23"]


def test_every_instalment_stands_in_the_terms(company, good_client) -> None:
    halves = [{"percent": "50", "days": 14}, {"percent": "50", "days": 30}]
    terms = Terms.objects.create(company=company, name="Halves", net_days=30, parts=halves)
    invoice = make_invoice(good_client, "1000", tax="19", terms=terms)
    pay(good_client, "595", how={f"invoice:{invoice.pk}": Decimal(595)})
    invoice.refresh_from_db()
    first, second = TODAY + dt.timedelta(days=14), TODAY + dt.timedelta(days=30)
    assert invoice.in_parts and invoice.due_on == second
    xml = xml_of(invoice)
    assert said(xml, "DueDateDateTime") == [f"{first:%Y%m%d}"]  # as it was issued, whatever was paid since
    assert said(xml, "Description") == [
        "Instalment 1 of 2: €595.00, 14 days from 18 November — by 2 December 2026\n"
        "Instalment 2 of 2: €595.00, 30 days from 18 November — by 18 December 2026"
    ]


def test_the_offer_for_paying_early_stands_in_the_terms(company, good_client) -> None:
    terms = Terms.objects.create(
        company=company, name="2 in 7", net_days=30, discount_percent=Decimal(2), discount_days=7
    )
    words, = said(xml_of(make_invoice(good_client, "1000", tax="19", terms=terms)), "Description")
    assert words.replace("\u00a0", " ").endswith("\n2 % discount, €23.80, if paid by 25 November 2026")


def test_every_account_is_named_and_another_way_where_none_is_offered(company, good_client) -> None:
    BankAccount.objects.create(
        company=company, currency="EUR", holder="Lumen", iban="DE33100205000001194700", position=2
    )
    assert said(xml_of(make_invoice(good_client, tax="19")), "IBANID") == [
        "DE89370400440532013000", "DE33100205000001194700",
    ]
    xml = xml_of(make_invoice(good_client, tax="19", ways=["cheque"]))
    assert "IBANID" not in xml and "<ram:TypeCode>20<" in xml


def test_the_day_of_the_service_the_order_and_what_the_client_wants_to_read(good_client) -> None:
    fields = [{"label": "Leitweg-ID", "value": "04011000-12345-34"}, {"label": "Cost centre", "value": "77"}]
    first, last = dt.date(2026, 10, 1), dt.date(2026, 10, 31)
    xml = xml_of(issued(
        good_client, sold(), po_number="PO-9", service_from=first, service_to=last, note="Thank you.",
        extra_fields=fields,
    ))  # fmt: skip
    assert said(xml, "BuyerReference") == ["04011000-12345-34"] and said(xml, "IssuerAssignedID") == ["PO-9"]
    assert said(xml, "Content") == ["Cost centre: 77", "Thank you."]
    assert said(xml, "OccurrenceDateTime") == ["20261031"]
    assert (said(xml, "StartDateTime"), said(xml, "EndDateTime")) == (["20261001"], ["20261031"])
    assert said(xml_of(make_invoice(good_client, tax="19")), "OccurrenceDateTime") == [f"{TODAY:%Y%m%d}"]


def test_cash_it_was_issued_against_is_what_was_paid(late_client) -> None:
    pay(late_client, "250", how="none")
    set_status(late_client, "cash_only", because="late", source="hand", on=TODAY, by=make_manager())
    invoice = make_invoice(late_client, "200", tax="19")
    xml = xml_of(invoice)
    assert (said(xml, "TotalPrepaidAmount"), said(xml, "DuePayableAmount")) == (["238.00"], ["0.00"])
    paper = invoice_document(invoice)
    assert (paper.amount, paper.total, paper.ways, paper.late_terms) == ("€0.00", "€238.00", (), "")
    assert paper.due_words == "Paid in advance: nothing is left to pay."
    assert [(row.label, row.value) for row in paper.paid] == [("Paid in advance", "-€238.00"), ("Left to pay", "€0.00")]


def test_a_credit_note_is_one_too_and_names_its_invoice(good_client) -> None:
    invoice = issued(good_client, sold(quantity="10"), sold("7", quantity="3", price="0.333"))
    note = issue_credit_note(
        invoice, {1: Decimal("2.5"), 2: Decimal(1)}, reason="Too much", key="cn-1", on=TODAY, by=CLERK
    )
    xml = xml_of(note)
    assert "<ram:TypeCode>381<" in xml and said(xml, "IssuerAssignedID") == [invoice.number]
    assert said(xml, "GrandTotalAmount") == [f"{note.total:.2f}"]
    rest = issue_credit_note(invoice, reason="All", key="cn-2", on=TODAY, by=CLERK)
    assert said(xml_of(rest), "TypeCode")[0] == "381"


def test_an_item_taken_over_has_none(company, good_client) -> None:
    assert einvoice_of(Invoice(company=company, client=good_client, intake_id=1, issued_on=TODAY)) is None


LINES = st.lists(
    st.builds(
        sold, st.sampled_from(["19", "7", "0", "5.5"]), quantity=st.decimals("0.0001", 999, places=4).map(str),
        price=st.decimals("0.01", 999, places=6).map(str), unit=st.sampled_from(["h", "", "Stück"]),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@settings(
    max_examples=100 if os.environ.get("AR_NIGHTLY") else 8, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lines=LINES, currency=st.sampled_from(["EUR", "EUR", "JPY"]), takes_back=st.data())
def test_whatever_is_sold_and_taken_back_is_valid(good_client, lines: Any, currency: str, takes_back: Any) -> None:
    draft = draft_invoice(good_client, [*lines, sold(price="50")], heading=Heading(currency=currency), by=CLERK)
    invoice = issue_invoice(draft, on=TODAY, by=CLERK)
    xml_of(invoice)
    some = {
        line.position: takes_back.draw(st.decimals("0.0001", line.quantity, places=4)) for line in invoice.lines.all()
    }
    for n, wanted in enumerate((some, None)):
        try:
            note = issue_credit_note(invoice, wanted, reason="r", key=f"cn-{invoice.pk}-{n}", on=TODAY, by=CLERK)
        except Refused as no:
            assert no.code in ("nothing", "nothing_left")
        else:
            xml_of(note)
