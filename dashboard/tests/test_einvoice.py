"""The e-invoice at the desk."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from core.services import read_file
from einvoicing.tests.checks import findings
from invoices.einvoice import einvoice_xml
from tests.cast import make_client, make_company, make_draft, make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    client.force_login(clerk)
    return client


def test_the_xml_is_saved_and_is_the_one_that_is_kept(desk, late_client):
    invoice = make_invoice(late_client, tax="19")
    address = reverse("dashboard:invoice_xml", args=[invoice.pk])
    assert address in desk.get(reverse("dashboard:invoice", args=[invoice.pk])).content.decode()
    answer = desk.get(address)
    stored = einvoice_xml(invoice)
    assert stored is not None and answer.content == read_file(stored.sha256)
    assert answer["Content-Type"] == "application/xml" and f"{invoice.number}.xml" in answer["Content-Disposition"]
    ubl = desk.get(address, {"syntax": "ubl"})
    assert b"<inv:Invoice " in ubl.content and findings(ubl.content) == []
    assert f"{invoice.number}-ubl.xml" in ubl["Content-Disposition"]
    assert desk.get(reverse("dashboard:invoice_xml", args=[make_draft(late_client).pk])).status_code == 404


def test_where_there_is_none_the_page_says_what_it_lacks(desk):
    company = make_company("us", country="US", currency="USD", tax_number="")
    invoice = make_invoice(make_client(company, country="US"), tax="8")
    answer = desk.get(reverse("dashboard:invoice_xml", args=[invoice.pk]), follow=True)
    assert "has no e-invoice. Enter the company&#x27;s VAT or tax number" in answer.content.decode()
