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


@pytest.mark.parametrize(
    ("tax", "category", "reason", "said"),
    [
        ("0", "Q", "", "category «Q» is unknown; choose S, Z, E, AE, K, G or O"),
        ("0", "S", "", "a standard rate is above 0 percent"),
        ("19", "AE", "", "a line under reverse charge carries no tax"),
        ("7", "K", "", "a delivery within the EU carries no tax"),
        ("19", "Z", "", "a zero-rated line carries no tax"),
        ("0", "E", " ", "say why it is exempt from tax"),
        ("19", "S", "Section 19", "a reason for no tax belongs to a line without tax"),
        ("0", "", "Section 19", "a reason for no tax belongs to a line without tax"),
        ("0", "E", "x" * 201, "more than 200 characters"),
    ],
)
def test_what_a_line_may_not_say_about_its_tax_is_refused_by_its_line(good_client, tax, category, reason, said):
    wrong = LineDraft("Cable", Decimal(1), Decimal(1), Decimal(tax), category, exemption_reason=reason)
    with pytest.raises(Refused, match=f"Line 2: .*{said}") as refused:
        draft_invoice(good_client, [line(), wrong], by=CLERK)
    assert refused.value.where == "line 2"
    assert not Invoice.objects.exists()


def test_without_a_category_the_percentage_says_which(good_client):
    exempt = LineDraft("Cable", Decimal(1), Decimal(1), tax_category="E", exemption_reason=" Section 19 ")
    draft = draft_invoice(good_client, [line(tax="19"), line(), exempt], by=CLERK)
    kept = list(draft.lines.values_list("tax_category", "exemption_reason"))
    assert kept == [("S", ""), ("Z", ""), ("E", "Section 19")]
