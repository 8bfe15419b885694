"""What EN 16931 asks of a document before it is written: the facts that are missing, and the sums that must agree."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from .codes import COUNTRIES, EU, SEPA_TRANSFER, TRANSFER
from .document import Document

WITHOUT_TAX = frozenset({"Z", "E", "AE", "K", "G", "O"})
_CENT = Decimal("0.01")
TERMS = {
    "BT-1": "Invoice number", "BT-9": "Payment due date", "BT-27": "Seller name", "BT-31": "Seller VAT identifier",
    "BT-32": "Seller tax registration identifier", "BT-40": "Seller country code", "BT-44": "Buyer name",
    "BT-48": "Buyer VAT identifier", "BT-55": "Buyer country code", "BT-72": "Actual delivery date",
    "BT-74": "Invoicing period end date", "BT-80": "Deliver to country code", "BT-84": "Payment account identifier",
    "BT-112": "Invoice total amount with VAT", "BT-119": "VAT category rate", "BT-120": "VAT exemption reason text",
    "BT-146": "Item net price", "BT-151": "Invoiced item VAT category code", "BT-153": "Item name",
    "BG-25": "Invoice line",
}  # fmt: skip


class Missing(NamedTuple):
    """A fact the norm asks for and the document lacks: its business term, our field, and what to do about it."""

    term: str
    field: str
    says: str
    blocks: bool = True  # whether a sale in the European Union has to wait for it

    @property
    def name(self) -> str:
        """What the norm calls the term."""
        return TERMS[self.term]


class Broken(NamedTuple):
    """A rule of the norm that the sums of a document break."""

    rule: str
    says: str


def expected(document: Document) -> bool:
    """Whether whoever gets this document counts on an e-invoice: it is sold from a country of the European Union."""
    return document.seller.address.country in EU


def missing(document: Document) -> list[Missing]:
    """What has to be entered before the document is a valid e-invoice; nothing where it is one already."""
    return [
        *_parties(document), *_tax(document), *_cross_border(document), *_lines(document), *_paying(document),
        *_decimals(document),
    ]


def _parties(document: Document) -> Iterator[Missing]:
    seller, buyer = document.seller, document.buyer
    if not document.number:
        yield Missing("BT-1", "invoice.number", "The document has no number.")
    if not seller.name:
        yield Missing("BT-27", "company.legal_name", "Enter the legal name of the company in its settings.")
    if not buyer.name:
        yield Missing("BT-44", "client.name", "Enter the name of the client.")
    for term, party, field, where in (
        ("BT-40", seller, "company.country", "the company's country in its settings"),
        ("BT-55", buyer, "client.country", "the client's country"),
    ):
        if party.address.country not in COUNTRIES:
            yield Missing(term, field, f"Enter {where} as two letters, such as DE or US.")
    for term, party, field, whose in (
        ("BT-31", seller, "company.tax_number", "company"), ("BT-48", buyer, "client.tax_number", "client"),
    ):
        prefix = party.vat_number[:2]
        if party.vat_number and prefix not in COUNTRIES and prefix != "EL":  # BR-CO-09
            yield Missing(term, field, f"Write the {whose}'s VAT number with the two letters of its country in front.")
    if not (seller.number or seller.vat_number):  # BR-CO-26
        yield Missing("BT-31", "company.tax_number", "Enter the company's VAT or tax number in its settings.")


def _tax(document: Document) -> Iterator[Missing]:
    categories = {line.category for line in document.lines} | {group.category for group in document.groups}
    seller = document.seller
    known = bool(seller.vat_number or seller.tax_number or seller.number)
    if categories & {"S", "Z", "E", "AE"} and known and not (seller.vat_number or seller.tax_number):
        yield Missing("BT-32", "company.tax_number", "Enter the company's VAT or tax number in its settings.")
    if len(categories) > 1 and "O" in categories:  # BR-O-11
        yield Missing(
            "BT-151", "lines", "What is outside the scope of tax stands on an invoice of its own; take those lines out."
        )
    for group in document.groups:
        if group.category == "S" and group.percent <= 0:
            yield Missing("BT-119", "lines", "A standard rate is above 0 percent; choose another tax category.")
        if group.category in WITHOUT_TAX - {"Z"} and not (group.reason or group.reason_code):
            yield Missing("BT-120", "lines", "Say why the line is exempt from tax, with the law it rests on.")


def _cross_border(document: Document) -> Iterator[Missing]:
    """Reverse charge, delivery within the EU and export name both sides by their VAT numbers and countries."""
    categories = {group.category for group in document.groups}
    seller, buyer = document.seller, document.buyer
    to, home = buyer.address.country, seller.address.country
    if categories & {"K", "G"} and not seller.vat_number:
        yield Missing("BT-31", "company.tax_number", "Without tax across a border: enter the company's VAT number.")
    if categories & {"AE", "K"} and not buyer.vat_number:
        what = "Under reverse charge" if "AE" in categories else "For a delivery within the EU"
        yield Missing("BT-48", "client.tax_number", f"{what} the client's VAT number stands on the invoice; enter it.")
    if "K" in categories and (to not in EU | {"XI"} or to == home):
        yield Missing(
            "BT-80", "client.country",
            "A delivery within the EU goes to another member state; look at the client's country or the tax category.",
        )
    if "G" in categories and to in EU:
        yield Missing(
            "BT-55", "client.country",
            "An export leaves the European Union; look at the client's country or the tax category.",
        )
    if "K" in categories and not (document.delivered_on or document.period_from or document.period_to):
        yield Missing("BT-72", "invoice.service_to", "Enter the day of the delivery.")


def _lines(document: Document) -> Iterator[Missing]:
    if not document.lines:
        yield Missing("BG-25", "lines", "A document has at least one line.")
    for line in document.lines:
        if not line.name.strip():
            yield Missing("BT-153", f"line {line.number}", f"Line {line.number} has no description; write one.")
        if line.price < 0:
            yield Missing("BT-146", f"line {line.number}", f"Line {line.number}: a price is not below zero.")
    if document.period_from and document.period_to and document.period_to < document.period_from:
        yield Missing("BT-74", "invoice.service_to", "The service ends before it begins.")


def _paying(document: Document) -> Iterator[Missing]:
    if document.totals.due > 0 and not (document.due_on or document.terms):  # BR-CO-25
        yield Missing("BT-9", "invoice.terms", "Choose payment terms, so that there is a due date.")
    payment = document.payment
    if payment is None or payment.code not in (TRANSFER, SEPA_TRANSFER):
        return
    if not payment.accounts or any(not (account.iban or account.number) for account in payment.accounts):
        yield Missing("BT-84", "company.bank_accounts", "Enter the IBAN or number of the bank account.")


def _decimals(document: Document) -> Iterator[Missing]:
    totals = document.totals
    amounts = [totals.net, totals.tax, totals.total, totals.due, totals.paid, *(line.net for line in document.lines)]
    if any(amount != amount.quantize(_CENT) for amount in amounts):  # BR-DEC-09 … BR-DEC-23
        yield Missing(
            "BT-112", "lines",
            f"An e-invoice knows two decimals, and an amount in {document.currency} has three; "
            "round the prices so that the sums have two.",
            blocks=False,
        )


def broken(document: Document) -> list[Broken]:
    """Where the sums of a document do not agree: BR-CO-10 to BR-CO-17 of EN 16931, exactly and to the last unit."""
    totals = document.totals
    lines = sum((line.net for line in document.lines), Decimal(0))
    charges = sum((a.amount for a in document.adjustments if a.is_charge), Decimal(0))
    allowances = sum((a.amount for a in document.adjustments if not a.is_charge), Decimal(0))
    tax = sum((group.tax for group in document.groups), Decimal(0))
    found = [
        Broken(rule, f"{what} is {said}, and should be {right}.")
        for rule, what, said, right in (
            ("BR-CO-10", "The sum of the lines", totals.lines, lines),
            ("BR-CO-11", "The sum of the allowances", totals.allowances, allowances),
            ("BR-CO-12", "The sum of the charges", totals.charges, charges),
            ("BR-CO-13", "The net total", totals.net, totals.lines - totals.allowances + totals.charges),
            ("BR-CO-14", "The tax", totals.tax, tax),
            ("BR-CO-15", "The total", totals.total, totals.net + totals.tax),
            ("BR-CO-16", "What is to be paid", totals.due, totals.total - totals.paid + totals.rounding),
        )
        if said != right
    ]
    for group in document.groups:
        right = (group.net * group.percent / 100).quantize(_unit_of(document), rounding=ROUND_HALF_UP)
        if group.tax != right:
            what = f"The tax of {group.category} at {group.percent.normalize():f} %"
            found.append(Broken("BR-CO-17", f"{what} is {group.tax}, and should be {right}."))
    return found


def _unit_of(document: Document) -> Decimal:
    return Decimal(1).scaleb(-document.places)
