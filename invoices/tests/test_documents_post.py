"""Where a document is addressed to."""

import pytest

from clients.services.filing import remove_address, save_address
from invoices.documents import freeze, invoice_document
from tests.cast import CLERK, make_invoice

pytestmark = pytest.mark.django_db


def test_an_invoice_goes_to_the_address_for_post_and_stays_addressed_so(late_client):
    facts = {"kind": "post", "street": "PO Box 12", "postal_code": "97201", "city": "Portland", "country": "US"}
    post = save_address(late_client, None, facts, by=CLERK)
    invoice = make_invoice(late_client)
    assert "PO Box 12" in invoice_document(invoice).head.recipient.lines
    remove_address(post, by=CLERK)
    assert "PO Box 12" in invoice_document(invoice).head.recipient.lines
    assert freeze(make_invoice(late_client))["buyer"]["street"] == late_client.street
