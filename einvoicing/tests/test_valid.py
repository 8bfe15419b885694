"""What we write is what the norm asks for: schema and schematron find nothing, and find what is wrong."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from einvoicing import rules
from einvoicing.cii import to_cii
from einvoicing.codes import _UNITS as UNITS
from einvoicing.codes import COUNTRIES, REASON_CODES, unit_code
from einvoicing.document import CREDIT_NOTE, Address, Adjustment, Document, Preceding
from einvoicing.ubl import to_ubl

from .checks import codes_of, findings, rules_broken, schema_errors
from .documents import BUYER, DAY, SELLER, document, documents, line

CENT = Decimal("0.01")


@pytest.mark.once
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(documents())
def test_random_invoices_and_credit_notes_break_no_rule(made: Document) -> None:
    assert rules.missing(made) == [] and rules.broken(made) == []
    assert findings(to_cii(made)) == []
    assert findings(to_ubl(made)) == []


def off(made: Document, name: str, by: Decimal = CENT) -> Document:
    """The document with one of its sums wrong."""
    return replace(made, totals=replace(made.totals, **{name: getattr(made.totals, name) + by}))


WITH_ALL = document(
    line(), line("2", "14.46", "7", number=2),
    adjustments=(Adjustment(Decimal(10), "S", Decimal(19), "Regular customer"),
                 Adjustment(Decimal(5), "S", Decimal(7), "Freight", is_charge=True)),
    paid="100",
)  # fmt: skip


def test_the_document_that_the_next_tests_spoil_is_valid() -> None:
    assert rules.missing(WITH_ALL) == [] and rules.broken(WITH_ALL) == []
    assert findings(to_cii(WITH_ALL)) == [] and findings(to_ubl(WITH_ALL)) == []


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("BR-CO-10", "lines"), ("BR-CO-11", "allowances"), ("BR-CO-12", "charges"), ("BR-CO-13", "net"),
        ("BR-CO-14", "tax"), ("BR-CO-15", "total"), ("BR-CO-16", "due"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by", [CENT, -CENT])
def test_a_sum_wrong_by_a_cent_is_found_by_us_and_by_the_schematron(rule: str, name: str, by: Decimal) -> None:
    wrong = off(WITH_ALL, name, by)
    assert rule in {found.rule for found in rules.broken(wrong)}
    assert rule in rules_broken(to_cii(wrong))
    assert rule in rules_broken(to_ubl(wrong))


def test_tax_wrong_by_a_cent_breaks_br_co_17() -> None:
    """The schematron allows one unit each way (its tolerance); we allow nothing, and it finds what passes that."""
    group = WITH_ALL.groups[0]
    wrong = replace(WITH_ALL, groups=(replace(group, tax=group.tax + CENT), *WITH_ALL.groups[1:]))
    assert {found.rule for found in rules.broken(wrong)} == {"BR-CO-14", "BR-CO-17"}
    worse = replace(WITH_ALL, groups=(replace(group, tax=group.tax + Decimal("1.01")), *WITH_ALL.groups[1:]))
    assert {"BR-CO-14", "BR-CO-17", "BR-S-09"} <= rules_broken(to_cii(worse))


def test_a_line_wrong_by_a_cent_breaks_the_sum_of_its_rate() -> None:
    first = WITH_ALL.lines[0]
    wrong = replace(WITH_ALL, lines=(replace(first, net=first.net - CENT), *WITH_ALL.lines[1:]))
    assert {"BR-CO-10", "BR-S-08"} <= rules_broken(to_cii(wrong))


def test_the_schema_finds_what_is_out_of_place() -> None:
    xml = to_cii(document())
    assert schema_errors(xml.replace(b"ram:BuyerTradeParty", b"ram:BuyingTradeParty"))
    assert schema_errors(xml.replace(b">2880.00</ram:LineTotal", b">much</ram:LineTotal"))


EXEMPT, REVERSE = line(percent="0", category="E"), line(percent="0", category="AE")
WITHIN, EXPORT, OUTSIDE = (line(percent="0", category=category) for category in ("K", "G", "O"))
NO_NUMBER = replace(SELLER, vat_number="", tax_number="", number="")
NO_VAT_SELLER = replace(SELLER, vat_number="", tax_number="7", number="7")
NO_VAT = replace(BUYER, vat_number="")
HOME = replace(BUYER, address=Address("DE"))


@pytest.mark.parametrize(
    ("made", "term", "field"),
    [
        (document(number=""), "BT-1", "invoice.number"),
        (document(seller=replace(SELLER, name="")), "BT-27", "company.legal_name"),
        (document(seller=replace(SELLER, address=Address(""))), "BT-40", "company.country"),
        (document(buyer=replace(BUYER, name="")), "BT-44", "client.name"),
        (document(buyer=replace(BUYER, address=Address("UK"))), "BT-55", "client.country"),
        (document(seller=replace(SELLER, vat_number="ZZ136695976")), "BT-31", "company.tax_number"),
        (document(buyer=replace(BUYER, vat_number="123")), "BT-48", "client.tax_number"),
        (document(seller=NO_NUMBER), "BT-31", "company.tax_number"),
        (document(seller=replace(NO_NUMBER, number="7")), "BT-32", "company.tax_number"),
        (document(EXEMPT, groups=(replace(document(EXEMPT).groups[0], reason=""),)), "BT-120", "lines"),
        (document(line(percent="0")), "BT-119", "lines"),
        (document(REVERSE, buyer=NO_VAT), "BT-48", "client.tax_number"),
        (document(WITHIN, buyer=NO_VAT), "BT-48", "client.tax_number"),
        (document(WITHIN, seller=NO_VAT_SELLER), "BT-31", "company.tax_number"),
        (document(WITHIN, delivered_on=None), "BT-72", "invoice.service_to"),
        (document(line(price="-1")), "BT-146", "line 1"),
        (document(period_from=DAY, period_to=DAY - dt.timedelta(days=1)), "BT-74", "invoice.service_to"),
        (document(payment=replace(document().payment, accounts=())), "BT-84", "company.bank_accounts"),
        (document(line(), replace(OUTSIDE, number="2"), seller=NO_VAT_SELLER, buyer=NO_VAT), "BT-151", "lines"),
        (document(replace(line(), name=" ")), "BT-153", "line 1"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_by_term_and_field_and_breaks_the_document(
    made: Document, term: str, field: str
) -> None:
    found = [lack for lack in rules.missing(made) if (lack.term, lack.field) == (term, field)]
    assert found and found[0].blocks and found[0].name and found[0].says.endswith(".")
    assert findings(to_cii(made))


@pytest.mark.parametrize(
    ("made", "term"),
    [(document(WITHIN, buyer=HOME), "BT-80"), (document(EXPORT), "BT-55"), (document(due_on=None), "BT-9")],
)
def test_what_the_schematron_passes_over_is_named_all_the_same(made: Document, term: str) -> None:
    assert [lack.term for lack in rules.missing(made)] == [term]


def test_three_decimals_are_named_and_block_nothing() -> None:
    made = document(replace(line("1", "1.235"), net=Decimal("1.235")), currency="KWD", places=3)
    assert [(lack.term, lack.blocks) for lack in rules.missing(made)] == [("BT-112", False)]
    assert "BR-DEC-23" in rules_broken(to_cii(made))
    even = document(line("1", "10.000"), currency="KWD", places=3)
    assert rules.missing(even) == [] and findings(to_cii(even)) == []


def test_a_credit_note_names_what_it_takes_back_and_may_be_rounded() -> None:
    made = document(
        kind=CREDIT_NOTE, preceding=(Preceding("LO-2026-0100", DAY),), payment=None, due_on=None,
        terms="Taken off invoice LO-2026-0100.", rounding="-0.01",
    )
    assert rules.missing(made) == [] and rules.broken(made) == []
    xml = to_cii(made)
    assert findings(xml) == [] and b">381<" in xml and b">LO-2026-0100<" in xml and b">-0.01</ram:Rounding" in xml
    ubl = to_ubl(made)
    assert findings(ubl) == [] and b"CreditNoteLine" in ubl and b">LO-2026-0100<" in ubl and b">-0.01</cbc:Pay" in ubl


def test_signs_no_xml_may_carry_are_left_out() -> None:
    xml = to_cii(document(replace(line(), name="A\x0bB\x00C\ud800 & <D>\u2028E", detail=" \n ")))
    assert b"A BC &amp; &lt;D&gt; E" in xml and b"ram:Description" not in xml
    assert findings(xml) == []


def test_equal_facts_are_equal_bytes() -> None:
    assert to_cii(document()) == to_cii(document()) and to_ubl(document()) == to_ubl(document())


def test_our_code_lists_are_the_norms() -> None:
    norm = codes_of("DE", "XI")
    assert {code for code in norm if len(code) == 2 and code.isalpha()} == COUNTRIES
    assert set(UNITS) | {"C62"} <= codes_of("HUR", "C62")
    assert set(REASON_CODES.values()) <= codes_of("VATEX-EU-AE")


def test_a_unit_word_has_one_meaning() -> None:
    words = [word for given in UNITS.values() for word in given.split()]
    assert len(words) == len(set(words))
    assert {unit_code(word) for word in words} == set(UNITS)
