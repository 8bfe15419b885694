"""Rules where a client is: what late payment may cost it there, and what holds before one goes to court.

Between businesses, never consumers; the rules themselves are data, in jurisdictions.toml, each with its source. What is
not there is not known to us, which does not mean that there is no rule. It is shown, and it is no legal advice.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

TOPICS = {
    "interest": "Interest", "compensation": "Compensation and fees", "notice": "Notice and payment periods",
    "contact": "When and how often", "small_claims": "Small claims and payment orders", "limitation": "Limitation",
}  # fmt: skip
EU = frozenset([
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
])  # fmt: skip
REGIONS = {
    "US": {
        "CALIFORNIA": "CA", "FLORIDA": "FL", "ILLINOIS": "IL", "MARYLAND": "MD", "MASSACHUSETTS": "MA",
        "MINNESOTA": "MN", "NEW MEXICO": "NM", "NEW YORK": "NY", "OREGON": "OR", "TEXAS": "TX", "WASHINGTON": "WA",
    },
    "GB": {"SCT": "SCOTLAND", "NIR": "NORTHERN IRELAND"},
}  # fmt: skip
# An address in Great Britain names a county; what it does not say lies in England or Wales.
UNLESS_NAMED = {"GB": "ENGLAND"}
ELSEWHERE = {"GB": ("SCOTLAND", "NORTHERN IRELAND")}


class LocalRule(NamedTuple):
    """One rule of a place: what it is about, what it says, where that stands, and as of when."""

    topic: str
    says: str
    source: str
    as_of: date


def rules_for(country: str, region: str = "") -> list[LocalRule]:
    """What holds where a client is, by topic; empty where nothing is known.

    ``country`` is two letters, ``region`` a state or region as an address has it. A member of the EU has at least the
    rules of the EU: a rule of its own takes their place on the same topic, the European courts stand beside its own.

    >>> [rule.topic for rule in rules_for("DE")]
    ['interest', 'compensation', 'notice', 'small_claims', 'small_claims', 'limitation']
    >>> [rule.says for rule in rules_for("US", "or") if rule.topic == "small_claims"]
    ['Up to USD 10,000.']
    >>> rules_for("ZZ")
    []
    """
    book, country = _book(), country.strip().upper()
    own = [*_read(book["country"].get(country, ())), *_read(_regional(book, country, region))]
    if country in EU:
        known = {rule.topic for rule in own}
        own += [rule for rule in _read(book["eu"]["rules"]) if rule.topic not in known]
        own += _read(book["eu"]["courts"])
    order = list(TOPICS)
    return sorted(own, key=lambda rule: order.index(rule.topic))


def _regional(book: dict[str, Any], country: str, region: str) -> Iterable[dict[str, Any]]:
    place = " ".join(region.upper().replace(".", " ").split())
    code = REGIONS.get(country, {}).get(place, place)
    if country in UNLESS_NAMED and code not in ELSEWHERE[country]:
        code = UNLESS_NAMED[country]
    rules: Iterable[dict[str, Any]] = book["region"].get(country, {}).get(code, ())
    return rules


def _read(rules: Iterable[dict[str, Any]]) -> list[LocalRule]:
    return [LocalRule(**{"as_of": _book()["as_of"], **rule}) for rule in rules]


@cache
def _book() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
