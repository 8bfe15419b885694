"""References a bank carries: the ISO 11649 creditor reference and the EPC QR payload for a euro transfer. Pure."""

from __future__ import annotations

import re
from decimal import Decimal

from stdnum import bic as bic_numbers
from stdnum import iban as iban_numbers
from stdnum import iso11649

from .money import plain

_LONGEST_RF = 25


def rf_reference(text: str) -> str:
    """The ISO 11649 reference of a document number: letters and digits of the number behind two check digits.

    ValueError where the number has no letter or digit, or more than 21 of them.

    >>> rf_reference("539007547034"), rf_reference("18K5"), rf_reference("LO-2026-0147")
    ('RF18539007547034', 'RF6518K5', 'RF14LO20260147')
    """
    body = re.sub(r"[^A-Z0-9]", "", text.upper())
    if not body or len(body) > _LONGEST_RF - 4:
        raise ValueError(f"«{text}» cannot become a payment reference: it needs 1 to 21 letters and digits.")
    digits = "".join(str(int(c, 36)) for c in f"{body}RF00")
    return f"RF{98 - int(digits) % 97:02d}{body}"


def is_rf_reference(text: str) -> bool:
    """Whether a text is a valid ISO 11649 reference, spaces allowed.

    >>> is_rf_reference("RF18 5390 0754 7034"), is_rf_reference("RF214377")
    (True, False)
    """
    return bool(iso11649.is_valid(text))


def spaced(reference: str) -> str:
    """A reference or IBAN in groups of four, as people read it.

    >>> spaced("RF18539007547034")
    'RF18 5390 0754 7034'
    """
    return " ".join(reference[i : i + 4] for i in range(0, len(reference), 4))


def epc_payload(holder: str, iban: str, bic: str, amount: Decimal, reference: str) -> str:
    """The text of an EPC QR code (EPC069-12, version 002) for a euro transfer with a structured reference.

    ``amount`` is in euro, from 0.01 to 999,999,999.99. ValueError for a false IBAN, BIC or reference.
    """
    if not iban_numbers.is_valid(iban):
        raise ValueError(f"«{iban}» is not a valid IBAN.")
    if bic and not bic_numbers.is_valid(bic):
        raise ValueError(f"«{bic}» is not a valid BIC.")
    if not is_rf_reference(reference):
        raise ValueError(f"«{reference}» is not a valid payment reference.")
    if not Decimal("0.01") <= amount <= Decimal("999999999.99"):
        raise ValueError("A QR code for a transfer takes 0.01 to 999,999,999.99 euro.")
    lines = [
        "BCD", "002", "1", "SCT", bic, holder[:70], iban_numbers.compact(iban), f"EUR{plain(amount, 'EUR')}", "",
        iso11649.compact(reference), "",
    ]
    return "\n".join(lines).rstrip("\n")
