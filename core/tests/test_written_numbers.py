"""Numbers as people write them: strict groups, ASCII digits, and never a hundred times what was meant."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django import forms
from django.utils.translation import override

from dashboard.forms.fields import AmountField

READ = [
    ("en", "1,234.50", "1234.50"), ("en", "12,50", "12.50"), ("en", "1234", "1234"), ("en", "-3", "-3"),
    ("de", "1.234,50", "1234.50"), ("de", "12.50", "12.50"), ("de", "0,125", "0.125"), ("fr", "1 234,5", "1234.5"),
]  # fmt: skip
REFUSED = [
    ("en", "1,5"), ("en", "1,23,456"), ("en", "1e5"), ("en", "1_000"), ("en", "١٢"), ("en", "NaN"), ("en", "1.23456"),
    ("en", "1,0000"), ("de", "1.5"), ("de", "12,50 EUR"), ("en", "100000000000000000000"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "written", "meant"), READ)
def test_a_number_is_read_as_its_reader_means_it(language, written, meant):
    with override(language):
        assert AmountField().clean(written) == Decimal(meant)


@pytest.mark.parametrize(("language", "written"), REFUSED)
def test_what_could_mean_something_else_is_refused_with_what_to_write(language, written):
    with override(language), pytest.raises(forms.ValidationError):
        AmountField().clean(written)


def test_a_price_keeps_six_decimals_and_no_more():
    assert AmountField(digits=6).clean("0.001234") == Decimal("0.001234")
    with pytest.raises(forms.ValidationError, match="At most 6 decimals"):
        AmountField(digits=6).clean("0.0012345")


def test_an_empty_number_is_none_where_it_is_not_required():
    assert AmountField(required=False).clean("  ") is None
    with pytest.raises(forms.ValidationError):
        AmountField().clean("")


def test_what_was_kept_is_written_back_in_the_readers_way():
    with override("de"):
        assert AmountField().prepare_value(Decimal("1234.5000")) == "1234,5"
