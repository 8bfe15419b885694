from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.money import (
    TooFine,
    currency_codes,
    is_exact,
    parse_amount,
    places,
    plain,
    round_money,
    show,
    show_whole,
    smallest,
    split,
)

currencies = st.sampled_from(currency_codes())


@st.composite
def money(draw: st.DrawFn) -> tuple[Decimal, str]:
    currency = draw(currencies)
    return draw(st.integers(-(10**12), 10**12)) * smallest(currency), currency


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("USD", 2), ("JPY", 0), ("ISK", 0), ("KWD", 3), ("IQD", 3), ("RSD", 2), ("CLF", 4), ("XCG", 2)],
)
def test_a_currency_has_the_decimals_of_iso_4217_and_not_those_a_locale_prefers(currency: str, digits: int) -> None:
    assert places(currency) == digits


def test_all_currencies_fit_a_money_column_of_ten_thousandths() -> None:
    assert len(currency_codes()) > 150
    assert {places(code) for code in currency_codes()} == {0, 2, 3, 4}


@pytest.mark.parametrize("code", ["EURO", "eur", "", "XXX", "XAU", "XTS", "DEM"])
def test_what_is_no_currency_is_named_in_a_sentence(code: str) -> None:
    with pytest.raises(ValueError, match=r"is not a currency\. Write its three-letter ISO 4217 code"):
        places(code)


def test_rounding_is_commercial_unless_a_rule_says_otherwise() -> None:
    assert round_money(Decimal("1.395"), "GBP") == Decimal("1.40")
    assert round_money(Decimal("-1.395"), "GBP") == Decimal("-1.40")
    assert round_money(Decimal("1.399"), "GBP", ROUND_DOWN) == Decimal("1.39")


def test_a_float_is_never_an_amount() -> None:
    with pytest.raises(TypeError, match="An amount is a Decimal, not float"):
        round_money(1.1, "EUR")  # type: ignore[arg-type]


@given(money(), st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_a_split_adds_up_and_no_part_is_a_minor_unit_off(amount: tuple[Decimal, str], weights: list[int]) -> None:
    value, currency = amount
    parts = split(value, weights, currency)
    assert sum(parts) == value
    for part, weight in zip(parts, weights, strict=True):
        assert is_exact(part, currency)
        assert abs(part * sum(weights) - value * weight) < smallest(currency) * sum(weights)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [2, -1]])
def test_a_split_needs_weights(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="split by weights"):
        split(Decimal("1.00"), weights, "EUR")


def test_an_amount_finer_than_its_currency_is_neither_split_nor_written() -> None:
    with pytest.raises(ValueError, match="finer than EUR allows"):
        split(Decimal("0.005"), [1, 1], "EUR")
    with pytest.raises(ValueError, match="finer than JPY allows"):
        plain(Decimal("1200.5"), "JPY")


@given(money())
def test_what_is_written_plainly_is_read_back_as_it_was(amount: tuple[Decimal, str]) -> None:
    value, currency = amount
    assert parse_amount(plain(value, currency), currency) == value
    digits = plain(value, currency).lstrip("-").partition(".")[2]
    assert len(digits) == places(currency)


@given(money(), st.sampled_from([(".", ","), (".", "'"), (".", " "), (",", "."), (",", "\u202f")]))
def test_thousands_separators_are_read_back_too(amount: tuple[Decimal, str], signs: tuple[str, str]) -> None:
    value, currency = amount
    decimal, thousands = signs
    written = f"{value:,.{places(currency)}f}".replace(",", "T").replace(".", decimal).replace("T", thousands)
    assert parse_amount(written, currency, decimal) == value


@pytest.mark.parametrize(
    "text",
    ["", " ", "NaN", "nan", "Infinity", "-inf", "1e3", "1E3", "1_000", "0x10", "１２", "٣", "²", "1.2.3", "1,23",
     "1,2345", "12,34.5", "1,234,56", "1'234,567", "1,234'567", "--1", "+1", "1-", "(1)", "1.", ".5", "€5", "5 EUR",
     "1 2", "1\n2", "1\t000"],
)
def test_what_is_not_plainly_an_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        parse_amount(text, "EUR")


@pytest.mark.parametrize(
    ("text", "currency", "decimal"),
    [("1.234", "EUR", "."), ("1,234", "EUR", ","), ("1200.0", "JPY", "."), ("1.2345", "KWD", ".")],
)
def test_more_decimals_than_the_currency_has_are_refused_not_guessed(text: str, currency: str, decimal: str) -> None:
    with pytest.raises(TooFine, match=f"more decimals than {currency} allows"):
        parse_amount(text, currency, decimal)


def test_finer_amounts_are_rounded_only_where_that_was_chosen() -> None:
    assert parse_amount("54273.285", "USD", rounding=ROUND_HALF_UP) == Decimal("54273.29")


def test_an_amount_no_column_holds_is_refused() -> None:
    assert parse_amount("99,999,999,999,999.99", "EUR") == Decimal("99999999999999.99")
    with pytest.raises(ValueError, match="too large"):
        parse_amount("100000000000000", "EUR")


def test_only_a_point_or_a_comma_separates_decimals() -> None:
    with pytest.raises(ValueError, match="a point or a comma"):
        parse_amount("1;2", "EUR", decimal=";")


@given(st.text(max_size=20), st.sampled_from([".", ","]))
@example("1\u0660", ".")
def test_no_text_whatever_slips_through_but_digits(text: str, decimal: str) -> None:
    try:
        amount = parse_amount(text, "EUR", decimal)
    except ValueError:
        return
    assert amount.is_finite()
    assert set(text) <= set("-0123456789.,'’ \t\u00a0\u202f")


@pytest.mark.parametrize(
    ("amount", "currency", "language", "shown"),
    [
        ("5748.89", "EUR", "en", "€5,748.89"),
        ("5748.89", "EUR", "de", "5.748,89 €"),
        ("5748.89", "EUR", "fr", "5 748,89 €"),
        ("1200.0000", "JPY", "en", "¥1,200"),
        ("1.5", "KWD", "de", "1,500 KWD"),
        ("1.5", "IQD", "en", "IQD 1.500"),
        ("-0.5", "USD", "en", "-$0.50"),
        ("0", "USD", "en-gb", "US$0.00"),
    ],
)
def test_an_amount_is_shown_as_the_reader_writes_it(amount: str, currency: str, language: str, shown: str) -> None:
    assert show(Decimal(amount), currency, language).replace("\u00a0", " ").replace("\u202f", " ") == shown


def test_a_key_figure_leaves_the_decimals_out() -> None:
    assert show_whole(Decimal("1234567.50"), "EUR", "en") == "€1,234,568"
