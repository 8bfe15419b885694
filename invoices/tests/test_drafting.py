"""Drafts keep exactly the numbers their totals were worked out from."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import Refused
from invoices.models import Invoice
from invoices.services.drafting import LineDraft, draft_invoice
from tests.cast import CLERK

pytestmark = pytest.mark.django_db


def line(quantity: str = "1", price: str = "1", tax: str = "0") -> LineDraft:
    return LineDraft("Cable", Decimal(quantity), Decimal(price), Decimal(tax))


@pytest.mark.parametrize(
    ("written", "code", "said"),
    [
        (line("1.66666", "10000"), "too_fine", "quantity has more than 4 decimals"),
        (line("1.33333", "10000"), "too_fine", "quantity has more than 4 decimals"),
        (line(price="0.1234567"), "too_fine", "price has more than 6 decimals"),
        (line(tax="19.0005"), "too_fine", "tax has more than 3 decimals"),
        (line("1e20"), "range", "quantity is more than can be kept"),
        (line(price="1e20"), "range", "price is more than can be kept"),
        (line("NaN"), "range", "quantity is more than can be kept"),
        (line("9999999999", "9999999999999"), "range", "more than can be kept"),
    ],
)
def test_a_line_that_cannot_be_kept_as_written_is_refused_by_its_line(good_client, written, code, said):
    with pytest.raises(Refused, match=said) as refused:
        draft_invoice(good_client, [line(), written], by=CLERK)
    assert refused.value.code == code
    assert refused.value.where in ("line 2", "lines")
    assert not Invoice.objects.exists()


def test_zeros_behind_the_last_place_are_no_finer_number(good_client):
    draft = draft_invoice(good_client, [line("1.500000", "10.0000000", "19.0000")], by=CLERK)
    assert draft.total == Decimal("17.85")
