"""One field that finds a client, an invoice, an amount, a telephone number or a reference."""

import datetime as dt

import pytest

from clients.models import Contact
from reports.search import search
from tests.cast import make_client, make_company, make_draft, make_invoice, pay

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def book(one_book):
    with one_book():
        company = make_company()
        client = make_client(company, "0042", name="Harbour Lane Coffee", email="mara@harbour.example")
        Contact.objects.filter(client=client).update(name="Mara Winter", phone="+49 (0)40 5550-9921")
        make_invoice(client, "5748.89", on=dt.date(2026, 10, 1), po_number="PO-7731")
        make_invoice(client, "100", on=dt.date(2026, 10, 2))
        make_draft(client, "5748.89")
        pay(client, "48.89", on=dt.date(2026, 10, 20), reference="TRX 99/1")
        other = make_company("us", currency="USD")
        make_invoice(make_client(other, "0042", name="Harbour View", email="x@view.example"), "5748.89")
    return company


def hits(company, words):
    return [(found.kind, found.title) for found in search(company, words)]


CLIENT = ("client", "Harbour Lane Coffee")
FIRST, SECOND = ("invoice", "LO-2026-0001"), ("invoice", "LO-2026-0002")


@pytest.mark.parametrize(
    "words",
    [
        "harbour",
        "0042",
        "mara winter",
        "MARA@harbour",
        "040 5550",
        "+49 40 5550 9921",
        "0049 40 55509921",
        "(040) 5550/9921",
    ],
)
def test_a_client_is_found_by_name_number_person_address_and_telephone(book, words):
    assert hits(book, words)[0] == CLIENT


@pytest.mark.parametrize(
    "words",
    [
        "LO-2026-0001",
        "lo-2026-0001",
        "PO-7731",
        "5748.89",
        "5,748.89",
        "5.748,89",
        "5748,89 EUR",
        "€5,748.89",
        "5700.00",
    ],
)
def test_an_invoice_is_found_by_number_order_total_and_balance(book, words):
    assert FIRST in hits(book, words) and SECOND not in hits(book, words)


def test_an_exact_number_comes_first(book):
    assert hits(book, "LO-2026-0002")[0] == SECOND


@pytest.mark.parametrize("words", ["TRX 99", "48.89"])
def test_a_payment_is_found_by_reference_and_amount(book, words):
    assert ("payment", "€48.89 received 20 October 2026") in hits(book, words)


@pytest.mark.parametrize(
    "words", ["", "  ", "nobody at all", "'; DROP TABLE--", "%", "_", "\\", "9" * 300, "+", "NaN", "1e5"]
)
def test_what_leads_nowhere_finds_nothing(book, words):
    assert hits(book, words) == []


def test_drafts_and_other_companies_are_not_found(book):
    assert len(hits(book, "5748.89")) == 1 and not hits(book, "Harbour View")


def test_a_search_takes_a_handful_of_queries(book, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        search(book, "harbour 12")
