"""An invoice is disputed, wholly or in part, and the matter is closed with a sentence."""

from decimal import Decimal

import pytest

from core.errors import Refused
from disputes.models import Dispute
from disputes.services import close_dispute, open_dispute
from tests.cast import CLERK, TODAY, make_draft, make_invoice, pay

pytestmark = pytest.mark.django_db


def test_a_disputed_invoice_has_one_open_dispute(late_client):
    invoice = make_invoice(late_client)
    dispute = open_dispute(invoice, reason="price", text="agreed on 900", on=TODAY, by="client")
    assert open_dispute(invoice, reason="other", on=TODAY, by="client") == dispute
    assert list(Dispute.objects.open_on(TODAY)) == [dispute]


def test_closing_needs_a_sentence_and_ends_it_that_day(late_client):
    dispute = open_dispute(make_invoice(late_client), reason="price", on=TODAY, by=CLERK)
    with pytest.raises(Refused, match="how it ended"):
        close_dispute(dispute, outcome=" ", on=TODAY, by=CLERK)
    close_dispute(dispute, outcome="Price confirmed by mail.", on=TODAY, by=CLERK)
    assert not Dispute.objects.open_on(TODAY).exists()


@pytest.mark.parametrize("amount", ["0", "1000.01", "0.001"])
def test_not_more_than_is_owed_can_be_disputed(late_client, amount):
    with pytest.raises(Refused):
        open_dispute(make_invoice(late_client), reason="price", amount=Decimal(amount), on=TODAY, by=CLERK)


def test_what_is_not_owed_cannot_be_disputed(late_client):
    with pytest.raises(Refused, match="Only an issued invoice"):
        open_dispute(make_draft(late_client), reason="price", on=TODAY, by=CLERK)
    invoice = make_invoice(late_client)
    pay(late_client, "1000")
    with pytest.raises(Refused, match="Nothing is owed"):
        open_dispute(invoice, reason="price", on=TODAY, by=CLERK)
