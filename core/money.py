"""Money as arithmetic: places per currency, rounding, splitting, reading and writing amounts.

Pure: an amount is a Decimal and its ISO 4217 code stands beside it. Storing is core.fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

from babel import Locale
from babel.numbers import NumberPattern, get_currency_symbol, parse_pattern
from iso4217 import Currency

_PLACES: dict[str, int] = {c.code: c.exponent for c in Currency if c.exponent is not None}

# What separates thousands, by the sign that separates the decimals: Swiss apostrophes and every space in use.
_THOUSANDS = {".": ",'’ \u00a0\u202f", ",": ".'’ \u00a0\u202f"}
_LONGEST = 14  # digits before the decimals; a money column holds 15


class TooFine(ValueError):
    """A written amount has more decimals than its currency."""


def places(currency: str) -> int:
    """How many decimals a currency has (ISO 4217 minor unit). Raises ValueError for what is no currency.

    >>> places("EUR"), places("JPY"), places("KWD"), places("CLF")
    (2, 0, 3, 4)
    >>> places("EURO")
    Traceback (most recent call last):
    ...
    ValueError: «EURO» is not a currency. Write its three-letter ISO 4217 code, for example EUR or USD.
    """
    try:
        return _PLACES[currency]
    except KeyError:
        raise ValueError(
            f"«{currency}» is not a currency. Write its three-letter ISO 4217 code, for example EUR or USD."
        ) from None


def currency_codes() -> list[str]:
    """Every currency money can be kept in, in alphabetical order; metals and test codes are none.

    >>> "JPY" in currency_codes(), "XAU" in currency_codes()
    (True, False)
    """
    return sorted(_PLACES)


def smallest(currency: str) -> Decimal:
    """The minor unit of a currency.

    >>> smallest("EUR"), smallest("JPY")
    (Decimal('0.01'), Decimal('1'))
    """
    return Decimal(1).scaleb(-places(currency))


def round_money(amount: Decimal, currency: str, rounding: str = ROUND_HALF_UP) -> Decimal:
    """The amount in the currency's own places: commercial rounding unless a rule says otherwise.

    >>> round_money(Decimal("2.345"), "EUR"), round_money(Decimal("1199.5"), "JPY")
    (Decimal('2.35'), Decimal('1200'))
    """
    return _amount(amount).quantize(smallest(currency), rounding=rounding)


def is_exact(amount: Decimal, currency: str) -> bool:
    """Whether the amount is no finer than the currency's minor unit.

    >>> is_exact(Decimal("15.5800"), "EUR"), is_exact(Decimal("15.585"), "EUR")
    (True, False)
    """
    return round_money(amount, currency) == amount


def split(amount: Decimal, weights: Sequence[Decimal | int], currency: str) -> list[Decimal]:
    """Share an amount by weights so that the parts always add up: the largest remainders get the last units.

    Equal remainders: the earlier part gets it. Raises ValueError where there is nothing to share by.

    >>> split(Decimal("100.00"), [1, 1, 1], "EUR")
    [Decimal('33.34'), Decimal('33.33'), Decimal('33.33')]
    >>> split(Decimal("-10"), [1, 2], "JPY")
    [Decimal('-3'), Decimal('-7')]
    """
    if not is_exact(amount, currency):
        raise ValueError(f"{amount} is finer than {currency} allows; round it before it is split.")
    total = sum((Fraction(w) for w in weights), Fraction())
    if any(w < 0 for w in weights) or total <= 0:
        raise ValueError("An amount is split by weights that are zero or more, and at least one above zero.")
    unit = smallest(currency)
    units = int(abs(amount) / unit)
    ideal = [units * Fraction(w) / total for w in weights]
    shares = [int(share) for share in ideal]
    by_remainder = sorted(range(len(ideal)), key=lambda i: shares[i] - ideal[i])
    for i in by_remainder[: units - sum(shares)]:
        shares[i] += 1
    sign = -1 if amount < 0 else 1
    return [sign * share * unit for share in shares]


def plain(amount: Decimal, currency: str) -> str:
    """The amount as JSON and CSV carry it: digits, a dot, the currency's own places.

    Raises ValueError for an amount finer than the currency, which nobody owes.

    >>> plain(Decimal("15.5800"), "EUR"), plain(Decimal("1200.0000"), "JPY"), plain(Decimal("-0.00"), "EUR")
    ('15.58', '1200', '0.00')
    """
    if not is_exact(amount, currency):
        raise ValueError(f"{amount} is finer than {currency} allows; round it first.")
    return f"{round_money(amount, currency) + 0:f}"


@lru_cache(maxsize=4096)  # a page says the same sums again and again
def show(amount: Decimal, currency: str, language: str) -> str:
    """The amount as a reader of that language writes it, always with the currency's own places.

    >>> show(Decimal("5748.89"), "EUR", "en"), show(Decimal("5748.89"), "EUR", "de").replace("\u00a0", " ")
    ('€5,748.89', '5.748,89 €')
    >>> show(Decimal("1200.0000"), "JPY", "en")
    '¥1,200'
    """
    pattern = _currency_pattern(language, currency, places(currency))
    return str(pattern.apply(round_money(amount, currency) + 0, _locale(language), currency, currency_digits=False))


def show_whole(amount: Decimal, currency: str, language: str) -> str:
    """The amount without its decimals, for a key figure whose exact value stands one click away.

    >>> show_whole(Decimal("5748.89"), "EUR", "en"), show_whole(Decimal("0.40"), "KWD", "en").replace("\u00a0", " ")
    ('€5,749', 'KWD 0')
    """
    whole = _amount(amount).quantize(Decimal(1), rounding=ROUND_HALF_UP) + 0
    pattern = _currency_pattern(language, currency, 0)
    return str(pattern.apply(whole, _locale(language), currency, currency_digits=False))


def parse_amount(text: str, currency: str, decimal: str = ".", rounding: str | None = None) -> Decimal:
    """Read an amount somebody else wrote, or say why not (ValueError, TooFine); nothing is guessed.

    ASCII digits, an optional minus, at most the currency's decimals after `decimal`, and thousands separators
    only where every group has three digits and one sign is used. With `rounding` finer amounts are rounded.

    >>> parse_amount("1,234.50", "EUR"), parse_amount("1.234,50", "EUR", decimal=",")
    (Decimal('1234.50'), Decimal('1234.50'))
    >>> parse_amount("1.234", "EUR")
    Traceback (most recent call last):
    ...
    core.money.TooFine: «1.234» has more decimals than EUR allows (2). Correct the amount or choose to round it.
    """
    digits = places(currency)
    example = "1234.50".replace(".", decimal) if digits else "1234"
    amount, fineness = _read(text, decimal, f"is not an amount. Write digits only, for example {example}.")
    if fineness > digits and rounding is None:
        raise TooFine(
            f"«{_shortened(text)}» has more decimals than {currency} allows ({digits}). "
            "Correct the amount or choose to round it."
        )
    return round_money(amount, currency, rounding or ROUND_HALF_UP) + 0


def parse_number(text: str, digits: int, decimal: str = ".") -> Decimal:
    """Read a quantity, a price or a percentage as `parse_amount` reads an amount: at most so many decimals.

    >>> parse_number("1,234.5", 4), parse_number("0,125", 6, decimal=",")
    (Decimal('1234.5'), Decimal('0.125'))
    >>> parse_number("12,50", 4)
    Traceback (most recent call last):
    ...
    ValueError: «12,50» is not a number. Write digits only, for example 1234.5.
    """
    example = "1234.5".replace(".", decimal)
    number, fineness = _read(text, decimal, f"is not a number. Write digits only, for example {example}.")
    if fineness > digits:
        raise TooFine(f"«{_shortened(text)}» has more than {digits} decimals. Write at most {digits}.")
    return number + 0


def _read(text: str, decimal: str, otherwise: str) -> tuple[Decimal, int]:
    """The number written and how many decimals it was written with."""
    matched = _amount_pattern(decimal).fullmatch(text.strip(" \t\u00a0\u202f"))
    if matched is None:
        raise ValueError(f"«{_shortened(text)}» {otherwise}")
    whole = re.sub("[^0-9]", "", matched["whole"])
    fraction = matched["fraction"] or ""
    if len(whole.lstrip("0")) > _LONGEST:
        raise ValueError(f"«{_shortened(text)}» is too large: {_LONGEST} digits before the decimals are the most.")
    return Decimal(f"{matched['sign']}{whole}.{fraction or '0'}"), len(fraction)


@lru_cache
def _amount_pattern(decimal: str) -> re.Pattern[str]:
    if decimal not in _THOUSANDS:
        raise ValueError(f"«{decimal}» cannot separate decimals: it is a point or a comma.")
    separator = f"[{re.escape(_THOUSANDS[decimal])}]"
    grouped = rf"[0-9]{{1,3}}(?P<separator>{separator})[0-9]{{3}}(?:(?P=separator)[0-9]{{3}})*"
    whole = rf"(?P<whole>{grouped}|[0-9]{{1,30}})"
    return re.compile(rf"(?P<sign>-?){whole}(?:{re.escape(decimal)}(?P<fraction>[0-9]{{1,30}}))?")


@lru_cache
def _currency_pattern(language: str, currency: str, digits: int) -> NumberPattern:
    """The standard pattern of a language with our decimals; a symbol of letters keeps a blank from the figures."""
    locale = _locale(language)
    pattern = re.sub(r"\.0+", "." + "0" * digits if digits else "", locale.currency_formats["standard"].pattern)
    if get_currency_symbol(currency, locale)[-1].isalpha():
        pattern = re.sub("¤(?=[#0])", "¤\u00a0", pattern)
    return parse_pattern(pattern)


@lru_cache
def _locale(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"))


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


def _amount(amount: Decimal) -> Decimal:
    if not isinstance(amount, Decimal):
        raise TypeError(f"An amount is a Decimal, not {type(amount).__name__} {amount!r}.")
    return amount
