"""References a bank carries: the ISO 11649 creditor reference and the EPC QR payload for a euro transfer. Pure."""

from __future__ import annotations

import re
from decimal import Decimal

from stdnum import bic as bic_numbers
from stdnum import iban as iban_numbers
from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

from .money import plain

_LONGEST = 21  # behind «RF» and the check digits


def rf_reference(text: str) -> str:
    """The ISO 11649 reference of a document number: its letters and digits behind two check digits.

    A number longer than the 21 characters there are gives its last 21, where the sequence stands. ValueError
    where it has no letter or digit.

    >>> rf_reference("539007547034"), rf_reference("18K5"), rf_reference("LO-2026-0147")
    ('RF18539007547034', 'RF6518K5', 'RF14LO20260147')
    """
    body = re.sub(r"[^A-Z0-9]", "", text.upper())[-_LONGEST:]
    if not body:
        raise ValueError(f"«{text}» cannot become a payment reference: it has no letter or digit.")
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


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


def epc_payload(
    holder: str, iban: str, bic: str, amount: Decimal, reference: str = "", *, text: str = "", purpose: str = ""
) -> str:
    """The text of an EPC QR code (EPC069-12, version 002, UTF-8) that fills in a euro transfer.

    A structured reference or a free text, never both. ``amount`` is in euro, from 0.01 to 999,999,999.99.
    ValueError for a false IBAN, BIC or reference, and without a holder.

    >>> epc_payload("Lantern Oak", "DE33100205000001194700", "", Decimal("123.45"), "RF6518K5").split("\\n")[5:]
    ['Lantern Oak', 'DE33100205000001194700', 'EUR123.45', '', 'RF6518K5']
    """
    holder, text = " ".join(holder.split()), " ".join(text.split())
    if not holder:
        raise ValueError("A transfer needs the name of the account holder.")
    if not iban_numbers.is_valid(iban):
        raise ValueError(f"«{iban}» is not a valid IBAN.")
    if bic and not bic_numbers.is_valid(bic):
        raise ValueError(f"«{bic}» is not a valid BIC.")
    if reference and text:
        raise ValueError("A transfer carries a reference or a text, not both.")
    if reference and not is_rf_reference(reference):
        raise ValueError(f"«{reference}» is not a valid payment reference.")
    if not Decimal("0.01") <= amount <= Decimal("999999999.99"):
        raise ValueError("A QR code for a transfer takes 0.01 to 999,999,999.99 euro.")
    lines = [
        "BCD", "002", "1", "SCT", bic_numbers.compact(bic), holder[:70], iban_numbers.compact(iban),
        f"EUR{plain(amount, 'EUR')}", purpose, iso11649.compact(reference), text[:140],
    ]
    payload = "\n".join(lines).rstrip("\n")
    if len(payload.encode()) > 331:
        raise ValueError("Name and text are too long for a QR code; shorten the text.")
    return payload
