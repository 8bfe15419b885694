"""How to pay, in the words of the active language: the ways a company offers, with everything they need to work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import segno
from babel.numbers import format_decimal
from django.utils.translation import gettext as _

from core.references import epc_payload, is_rf_reference, spaced


@dataclass(frozen=True)
class Row:
    """A label and what stands beside it; ``copy`` is what a copy button takes, where there is one."""

    label: str
    value: str
    copy: str = ""


@dataclass(frozen=True)
class Way:
    """One way to pay: its kind, a heading, the details as rows, a sentence, and a QR code as a data address."""

    kind: str
    title: str
    rows: tuple[Row, ...] = ()
    text: str = ""
    qr: str = ""

    @property
    def to_copy(self) -> tuple[Row, ...]:
        """What a banking app asks for first: the account and the reference."""
        return tuple(row for row in self.rows if row.copy)

    @property
    def to_compare(self) -> tuple[Row, ...]:
        """What only confirms that the account is the right one."""
        return tuple(row for row in self.rows if not row.copy)


def ways_to_pay(
    facts: Mapping[str, Any], *, amount: Decimal, currency: str, reference: str, number: str
) -> tuple[Way, ...]:
    """The ways frozen with an invoice, in the company's order; ``amount`` in ``currency`` goes into the QR code.

    A QR code stands only beside a euro transfer to an IBAN that checks out: a wrong one would send money astray.
    """
    ways = []
    for method in facts["methods"]:
        if method["kind"] == "transfer":
            ways.append(_transfer(facts["bank"], method["instructions"], amount, currency, reference or number))
        elif method["kind"] == "cheque":
            ways.append(_cheque(facts["seller"], method["instructions"], number))
        else:
            text = method["instructions"] or _("At our office, against a receipt.")
            ways.append(Way("cash", _("Cash"), text=text))
    return tuple(ways)


def _transfer(bank: Mapping[str, str], instructions: str, amount: Decimal, currency: str, reference: str) -> Way:
    rows = [Row(_("Recipient"), bank["holder"])]
    if bank["iban"]:
        rows.append(Row("IBAN", spaced(bank["iban"]), bank["iban"]))
    else:
        rows.append(Row(_("Account number"), bank["account_number"], bank["account_number"]))
        if bank["routing_number"]:
            rows.append(Row(_("Routing number (ACH)"), bank["routing_number"], bank["routing_number"]))
    if bank["bic"]:
        rows.append(Row("BIC", bank["bic"]))
    if bank["bank_name"]:
        rows.append(Row(_("Bank"), bank["bank_name"]))
    shown = spaced(reference) if is_rf_reference(reference) else reference
    rows.append(Row(_("Reference"), shown, reference))
    qr = _qr(bank, amount, reference) if currency == "EUR" else ""
    return Way("transfer", _("Bank transfer"), tuple(rows), instructions, qr)


def _cheque(seller: Mapping[str, str], instructions: str, number: str) -> Way:
    default = _("Make it out to %(payee)s and write %(number)s on it.")
    return Way("cheque", _("Cheque"), text=instructions or default % {"payee": seller["legal_name"], "number": number})


def _qr(bank: Mapping[str, str], amount: Decimal, reference: str) -> str:
    try:
        payload = epc_payload(bank["holder"], bank["iban"], bank["bic"], amount, reference)
    except ValueError:
        return ""
    code = segno.make(payload, error="m", micro=False, encoding="utf-8", boost_error=False)
    address: str = code.svg_data_uri(border=0, dark="#14211e", light=None, xmldecl=False, svgns=True, omitsize=True)
    return address


def late_terms(late_percent: Decimal, due: str, language: str) -> str:
    """What a client is told about paying late: the rate of the terms, in percent a year; empty where there is none."""
    if late_percent <= 0:
        return ""
    return _("On what is unpaid after %(due)s we may charge interest of %(rate)s a year.") % {
        "due": due, "rate": percent(late_percent, language),
    }


def percent(value: Decimal, language: str) -> str:
    """A percentage as a reader of that language writes it.

    >>> percent(Decimal("12.000"), "en"), percent(Decimal("5.25"), "de").replace("\u00a0", " ")
    ('12%', '5,25 %')
    """
    space = "" if language == "en" else "\u00a0"
    return f"{format_decimal(value.normalize(), '0.###', locale=language)}{space}%"

