"""Whether a VAT or tax number can exist: its length, form and check digit. Not whether somebody registered it."""

from __future__ import annotations

import re
from typing import Any

from babel import Locale
from stdnum import get_cc_module
from stdnum.at import tin as at_tin
from stdnum.de import stnr
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidLength, ValidationError
from stdnum.fi import ytunnus
from stdnum.fr import siren, siret
from stdnum.gb import utr
from stdnum.it import codicefiscale
from stdnum.no import orgnr as no_orgnr
from stdnum.se import orgnr as se_orgnr
from stdnum.us import tin

from core.errors import Refused

# A number of the tax office that is no VAT id, where firms write it in the same place.
_OTHERS: dict[str, tuple[Any, ...]] = {
    "AT": (at_tin,), "DE": (stnr,), "FI": (ytunnus,), "FR": (siren, siret), "GB": (utr,), "IT": (codicefiscale,),
    "NO": (no_orgnr,), "SE": (se_orgnr,), "US": (tin,),
}  # fmt: skip
# How the number of a country looks, for the sentence that refuses one.
_LOOKS = {
    "AT": "ATU and 8 digits", "BE": "BE and 10 digits", "CH": "CHE, 9 digits and MWST, TVA or IVA",
    "DE": "DE and 9 digits", "DK": "DK and 8 digits", "ES": "ES and 9 characters", "FI": "FI and 8 digits",
    "FR": "FR, 2 characters and 9 digits", "GB": "GB and 9 or 12 digits", "GR": "EL and 9 digits",
    "IE": "IE, 7 digits and 1 or 2 letters", "IT": "IT and 11 digits", "LU": "LU and 8 digits",
    "NL": "NL, 9 digits, B and 2 digits", "PL": "PL and 10 digits", "PT": "PT and 9 digits", "SE": "SE and 12 digits",
    "US": "9 digits, such as an EIN 12-3456789",
}  # fmt: skip
_LABEL = re.compile(
    r"^(?:VAT|TVA|MWST|UST|UID|EIN|TIN|SSN|ITIN|TAX)[-\s.]*(?:ID|IDNR|NO|NR|NUMBER)?[\s.:#]*(?=[A-Z]*\d)"
)
_SIGNS = re.compile(r"[\W_]+")
_LABEL_ALONE = re.compile(r"^(?:VAT|TVA|MWST|UST|UID|EIN|TIN|SSN|ITIN|TAX)(?:ID)?(?:NO|NR|NUMBER)?(?=[A-Z]*\d)")
_SWISS_ENDING = re.compile(r"^(CHE\d{9})(?:MWST|TVA|IVA|TPV|VAT)$")
_EU = frozenset(state.upper() for state in eu_vat.MEMBER_STATES) | {"EL"}
_CHECKED = _EU | {"AU", "CA", "CH", "GB", "NO", "US"}  # elsewhere firms write other numbers too: taken as written


def check_tax_number(number: str, country: str) -> None:
    """Refuse a VAT or tax number that cannot exist, naming the rule it breaks; leave what no rule is known for.

    ``country`` is where the client is, two letters; letters in front of the number come before it, since a firm may
    be registered for VAT elsewhere. Rules: python-stdnum, after each country's own publication.

    >>> check_tax_number("DE 136 695 976", "DE")
    >>> check_tax_number("DE136695977", "DE")
    Traceback (most recent call last):
    ...
    core.errors.Refused: “DE136695977” is not a VAT number (Germany): its check digit does not match the others. ...
    """
    written = number.strip().upper()
    if not written:
        return
    bare = _LABEL.sub("", written)
    of, rules = _rules_for(bare, country.upper())
    broken: list[ValidationError] = []
    for rule in rules:
        try:
            rule.validate(bare)
            return
        except ValidationError as error:
            broken.append(error)
    if not broken:
        return
    looks = f" Such a number is {_LOOKS[of]}." if of in _LOOKS else ""
    kind = "tax number" if of == "US" else "VAT number"
    place = Locale("en").territories.get(of, of)
    raise Refused(
        f"“{number.strip()}” is not a {kind} ({place}): {_said(broken)}.{looks} Compare it with the client's own "
        "paper, or leave it empty for now.",
        code="tax_number", where="tax_number",
    )


def ways_written(number: str, country: str) -> frozenset[str]:
    """A number without spaces, signs and labels, as it stands and with its country in front; empty where there is none.

    Two numbers are the same where they share one of these.

    >>> sorted(ways_written("VAT no. de 136.695.976", "DE")), sorted(ways_written("136695976", "DE"))
    (['DE136695976'], ['136695976', 'DE136695976'])
    >>> ways_written("USt-IdNr. DE 136 695 976", "AT") == ways_written("VAT ID: DE136695976", "")
    True
    >>> sorted(ways_written("CHE-107.787.577 MWST", "CH")), sorted(ways_written(" - ", "CH"))
    (['CHE107787577'], [])
    """
    bare = _SWISS_ENDING.sub(r"\1", _LABEL_ALONE.sub("", _SIGNS.sub("", number.upper())))
    if not bare:
        return frozenset()
    prefix = {"GR": "EL"}.get(country.upper(), country.upper())
    return frozenset({bare, f"{prefix}{bare}" if bare[0].isdigit() else bare})


def _rules_for(bare: str, country: str) -> tuple[str, list[Any]]:
    """The country whose number it claims to be, and the rules of which one must accept it."""
    prefix = bare[:2]
    if prefix in _EU and (prefix == country or prefix in ("EL", "XI") or bare[2:3].isdigit() or bare[:3] == "ATU"):
        return ("GR" if prefix == "EL" else prefix), [eu_vat]
    if bare.startswith("CHE"):
        return "CH", _modules("CH")
    if prefix == "GB" and bare[2:3].isdigit():
        return "GB", _modules("GB")[:1]
    return country, _modules(country)


def _modules(country: str) -> list[Any]:
    vat = get_cc_module(country, "vat") if country in _CHECKED else None
    more = [get_cc_module("CH", "uid")] if country == "CH" else []
    return [rule for rule in (vat, *more, *_OTHERS.get(country, ())) if rule is not None]


def _said(broken: list[ValidationError]) -> str:
    """The nearest miss: a wrong check digit is nearer than a wrong form, and a wrong length the farthest."""
    kinds = [type(error) for error in broken]
    if InvalidChecksum in kinds:
        return "its check digit does not match the others"
    if InvalidComponent in kinds:
        return "one of its parts does not exist"
    if any(kind is not InvalidLength for kind in kinds):
        return "it is not written as such a number is"
    return "its length is wrong"
