"""Lists to choose from: countries and currencies by name, time zones."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from django.utils.translation import get_language

from core.money import currency_codes

Choices = list[tuple[str, str]]


def countries() -> Choices:
    """Every country by its name in the reader's language."""
    return [("", ""), *_countries(get_language() or "en")]


def currencies() -> Choices:
    """Every currency: its code, then its name in the reader's language."""
    return _currencies(get_language() or "en")


@cache
def time_zones() -> Choices:
    """Places of the tz database, by continent."""
    named = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    return [("", ""), ("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in named)]


@cache
def _countries(language: str) -> Choices:
    names = Locale.parse(language, sep="-").territories
    known = [(code, name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _NOT_ISO]
    return sorted(known, key=lambda pair: pair[1])


@cache
def _currencies(language: str) -> Choices:
    names = Locale.parse(language, sep="-").currencies
    return [(code, f"{code} · {names.get(code, code)}") for code in currency_codes()]


_NOT_ISO = {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO", "AC", "CP", "DG", "EA", "IC", "TA", "CQ"}
