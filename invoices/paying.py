"""How to pay: which ways are offered for an invoice and a sum, and each in words with everything it needs to work."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import segno
from babel.numbers import format_decimal
from django.conf import settings
from django.utils.translation import gettext as _

from clients.models import Client, ClientWay
from core.models import BankAccount, Company, PaymentMethod
from core.money import plain
from core.references import epc_payload, is_rf_reference, spaced

from .models import Invoice


@dataclass(frozen=True)
class Row:
    """A label and what stands beside it; ``copy`` is what a copy button takes, where there is one."""

    label: str
    value: str
    copy: str = ""


@dataclass(frozen=True)
class Way:
    """One way to pay: its kind, a heading, the details as rows, a sentence, and a QR code as a data address.

    ``epc`` is what the code says. ``provider`` stands on a card or wallet: the payment begins with ``start_checkout``.
    """

    kind: str
    title: str
    rows: tuple[Row, ...] = ()
    text: str = ""
    qr: str = ""
    provider: str = ""
    epc: str = ""

    @property
    def qr_print(self) -> str:
        """The QR code for paper, as a picture of few points: its lines would take a tenth of the time of printing."""
        return f"data:image/png;base64,{base64.b64encode(_in_grey(_code(self.epc))).decode()}" if self.epc else ""

    @property
    def to_copy(self) -> tuple[Row, ...]:
        """What a banking app asks for first: the account and the reference."""
        return tuple(row for row in self.rows if row.copy)

    @property
    def to_compare(self) -> tuple[Row, ...]:
        """What only confirms that the account is the right one."""
        return tuple(row for row in self.rows if not row.copy)


OfferedWay = Way


def ways_for(invoice: Invoice, amount: Decimal, client: Client | None = None) -> tuple[OfferedWay, ...]:
    """How an amount of an issued invoice can be paid now, in the active language; the quickest first.

    Transfer, cheque and cash are what was frozen at issue. A card is offered as things stand today: by the company and
    for this client (``client``, where it is at hand), invoice and sum, and only while its provider can be reached.
    """
    from .documents import facts_of

    currency = invoice.currency
    card = card_for(client or invoice.client, currency, amount, [invoice])
    ways = ways_to_pay(
        facts_of(invoice), amount=amount, currency=currency, reference=invoice.reference, number=str(invoice.number)
    )
    here = [_card(card.instructions or _("Here, at once."), card.provider)] if card else []
    return (*here, *(way for way in ways if way.kind != "card"))


def card_for(
    client: Client, currency: str, amount: Decimal, invoices: Iterable[Invoice] = ()
) -> PaymentMethod | None:
    """The card or wallet by which a client may pay a sum of all these invoices at once; None where it may not."""
    for method in offered(client.company, client, currency, amount):
        if method.kind == "card" and all(not invoice.ways or "card" in invoice.ways for invoice in invoices):
            return method
    return None


def offered(
    company: Company, client: Client, currency: str, amount: Decimal | None = None, chosen: Sequence[str] = ()
) -> list[PaymentMethod]:
    """The ways a company offers a client for a currency and a sum (None: any), in its order.

    ``chosen`` are the kinds named for one invoice, where only those are to be offered. A transfer needs an account in
    that currency, a card a provider that is set up.
    """
    of_client = dict(ClientWay.objects.filter(client=client).values_list("method", "is_offered"))
    found = []
    for method in company.payment_methods.all():
        if not of_client.get(method.pk, method.is_active) or (chosen and method.kind not in chosen):
            continue
        if is_usable(method, currency) and (amount is None or _fits(amount, method.smallest, method.largest)):
            found.append(method)
    return found


def takes_too_little(invoice: Invoice) -> bool:
    """Whether every way offered for a draft is meant for other sums than its total, and none is a transfer.

    Without any way at all nothing is said here: a company may be paid otherwise.
    """
    ways = offered(invoice.company, invoice.client, invoice.currency, chosen=invoice.ways)
    return bool(ways) and not any(
        way.kind == "transfer" or _fits(invoice.total, way.smallest, way.largest) for way in ways
    )


def is_usable(method: PaymentMethod, currency: str) -> bool:
    """Whether a way to pay has what it needs for a currency: an account of ours, or a provider that is set up."""
    if method.currency and method.currency != currency:
        return False
    if method.kind == "transfer":
        return bool(accounts(method.company, currency).exists())
    return method.kind != "card" or method.provider in settings.PAYMENT_PROVIDERS


def accounts(company: Company, currency: str) -> Any:
    """The company's accounts in use for a currency, in their order."""
    return BankAccount.objects.filter(company=company, currency=currency, is_active=True).order_by("position", "pk")


def freeze_ways(invoice: Invoice) -> dict[str, Any]:
    """What an invoice keeps of how it can be paid: the ways offered, their limits, our accounts; plain JSON."""
    methods = offered(invoice.company, invoice.client, invoice.currency, chosen=invoice.ways)
    kept = ("holder", "bank_name", "iban", "bic", "account_number", "routing_number")
    banks = [
        {name: getattr(account, name) for name in kept} for account in accounts(invoice.company, invoice.currency)
    ] if any(method.kind == "transfer" for method in methods) else []
    return {
        "bank": banks[0] if banks else None,
        "banks": banks,
        "methods": [_kept(method, invoice.currency) for method in methods],
    }


def _kept(method: PaymentMethod, currency: str) -> dict[str, str]:
    kept = {"kind": method.kind, "instructions": method.instructions}
    limits = {"smallest": method.smallest, "largest": method.largest}
    return kept | {name: plain(limit, currency) for name, limit in limits.items() if limit is not None}


def ways_to_pay(
    facts: Mapping[str, Any], *, amount: Decimal, currency: str, reference: str, number: str
) -> tuple[Way, ...]:
    """The ways frozen with an invoice, in the company's order; ``amount`` in ``currency`` goes into the QR code.

    A way that does not take the sum is left out; where none would be left, the transfers stay. Every account of ours
    in the currency is named. A QR code stands only beside the first euro transfer, to an IBAN that checks out: a wrong
    one would send money astray.
    """
    fitting = [method for method in facts["methods"] if _fits(amount, *_limits(method))] or [
        method for method in facts["methods"] if method["kind"] == "transfer"
    ]
    ways: list[Way] = []
    for method in fitting:
        if method["kind"] == "transfer":
            banks = facts.get("banks") or [facts["bank"]]
            ways += _transfers(banks, method["instructions"], amount, currency, reference or number)
        elif method["kind"] == "cheque":
            ways.append(_cheque(facts["seller"], method["instructions"], number))
        elif method["kind"] == "card":
            ways.append(_card(method["instructions"] or _("On your private page: the link is in our e-mail.")))
        else:
            text = method["instructions"] or _("At our office, against a receipt.")
            ways.append(Way("cash", _("Cash"), text=text))
    return tuple(ways)


def _fits(amount: Decimal, smallest: Decimal | None, largest: Decimal | None) -> bool:
    return (smallest is None or amount >= smallest) and (largest is None or amount <= largest)


def _limits(method: Mapping[str, str]) -> tuple[Decimal | None, Decimal | None]:
    smallest, largest = method.get("smallest"), method.get("largest")
    return Decimal(smallest) if smallest else None, Decimal(largest) if largest else None


def _card(text: str, provider: str = "") -> Way:
    return Way("card", _("Card or wallet"), text=text, provider=provider)


def _transfers(
    banks: Sequence[Mapping[str, str]], instructions: str, amount: Decimal, currency: str, reference: str
) -> list[Way]:
    first, *others = banks
    return [_transfer(first, instructions, amount, currency, reference, _("Bank transfer"))] + [
        _transfer(bank, "", amount, currency, reference, _("Or to our account at %(bank)s") % {
            "bank": bank["bank_name"] or bank["iban"][:4] or bank["account_number"][-4:]
        }, with_qr=False)
        for bank in others
    ]


def _transfer(
    bank: Mapping[str, str], instructions: str, amount: Decimal, currency: str, reference: str, title: str, *,
    with_qr: bool = True,
) -> Way:
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
    epc = _epc(bank, amount, reference) if with_qr and currency == "EUR" else ""
    return Way("transfer", title, tuple(rows), instructions, _qr(epc), epc=epc)


def _cheque(seller: Mapping[str, str], instructions: str, number: str) -> Way:
    default = _("Make it out to %(payee)s and write %(number)s on it.")
    return Way("cheque", _("Cheque"), text=instructions or default % {"payee": seller["legal_name"], "number": number})


def _epc(bank: Mapping[str, str], amount: Decimal, reference: str) -> str:
    try:
        return epc_payload(bank["holder"], bank["iban"], bank["bic"], amount, reference)
    except ValueError:
        return ""


def _qr(epc: str) -> str:
    if not epc:
        return ""
    address: str = _code(epc).svg_data_uri(
        border=0, dark="#14211e", light=None, xmldecl=False, svgns=True, omitsize=True
    )
    return address


def _code(epc: str) -> segno.QRCode:
    return segno.make(epc, error="m", micro=False, encoding="utf-8", boost_error=False)


def _in_grey(code: segno.QRCode, points: int = 4) -> bytes:
    """A QR code as a PNG in shades of grey, which is printed as it is; one in black and white is made colour first."""
    modules = [b"".join((b"\0" if is_dark else b"\xff") * points for is_dark in row) for row in code.matrix]
    size = len(modules) * points
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join((b"\0" + row) * points for row in modules), 1)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )


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

