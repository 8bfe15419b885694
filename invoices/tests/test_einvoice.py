"""The e-invoice of our documents: valid by schema and schematron, refused at issue where it could not be."""

from __future__ import annotations

import pytest

from core.services import read_file
from einvoicing.tests.checks import findings
from invoices.einvoice import einvoice_xml
from tests.cast import make_invoice

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
