"""A document as XML in OASIS UBL 2.1, EN 16931: an Invoice or a CreditNote; equal facts, equal bytes.

The order of the elements is the schema's.
"""

from __future__ import annotations

from decimal import Decimal
from xml.etree.ElementTree import Element

from .document import CREDIT_NOTE, Account, Adjustment, Document, Line, Party, Payment, TaxGroup
from .xml import Writer, amount, as_bytes, number

CUSTOMIZATION = "urn:cen.eu:en16931:2017"
_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_xml = Writer({
    "inv": f"{_UBL}:Invoice-2", "cn": f"{_UBL}:CreditNote-2", "cac": f"{_UBL}:CommonAggregateComponents-2",
    "cbc": f"{_UBL}:CommonBasicComponents-2",
})  # fmt: skip
_in, _text = _xml.into, _xml.text


def to_ubl(document: Document) -> bytes:
    """The XML of a document, UTF-8; ``rules.missing`` says beforehand whether a receiver will take it."""
    takes_back = document.kind == CREDIT_NOTE
    root = _xml.root("cn:CreditNote" if takes_back else "inv:Invoice")
    _head(root, document, takes_back)
    _party(_in(_in(root, "cac:AccountingSupplierParty"), "cac:Party"), document.seller)
    _party(_in(_in(root, "cac:AccountingCustomerParty"), "cac:Party"), document.buyer)
    _delivery(root, document)
    if document.payment:
        for account in document.payment.accounts or (None,):
            _means(root, document.payment, account)
    if document.terms:
        _text(_in(root, "cac:PaymentTerms"), "cbc:Note", document.terms)
    for adjustment in document.adjustments:
        _adjustment(root, adjustment, document.currency)
    tax = _in(root, "cac:TaxTotal")
    _money(tax, "cbc:TaxAmount", document.totals.tax, document.currency)
    for group in document.groups:
        _group(tax, group, document.currency)
    _totals(root, document)
    for line in document.lines:
        _line(root, line, document.currency, takes_back)
    return as_bytes(root)


def _head(root: Element, document: Document, takes_back: bool) -> None:
    _text(root, "cbc:CustomizationID", CUSTOMIZATION)
    _text(root, "cbc:ID", document.number)
    _text(root, "cbc:IssueDate", document.issued_on.isoformat())
    if document.due_on and not takes_back:
        _text(root, "cbc:DueDate", document.due_on.isoformat())
    _text(root, "cbc:CreditNoteTypeCode" if takes_back else "cbc:InvoiceTypeCode", document.kind)
    for note in document.notes:
        _text(root, "cbc:Note", note)
    _text(root, "cbc:DocumentCurrencyCode", document.currency)
    _text(root, "cbc:BuyerReference", document.buyer_reference)
    if document.period_from or document.period_to:
        period = _in(root, "cac:InvoicePeriod")
        for tag, day in (("cbc:StartDate", document.period_from), ("cbc:EndDate", document.period_to)):
            _text(period, tag, day.isoformat() if day else "")
    if document.order:
        _text(_in(root, "cac:OrderReference"), "cbc:ID", document.order)
    for preceding in document.preceding:
        reference = _in(_in(root, "cac:BillingReference"), "cac:InvoiceDocumentReference")
        _text(reference, "cbc:ID", preceding.number)
        _text(reference, "cbc:IssueDate", preceding.issued_on.isoformat() if preceding.issued_on else "")


def _party(node: Element, party: Party) -> None:
    _text(node, "cbc:EndpointID", party.email, schemeID="EM")
    if party.number:
        _text(_in(node, "cac:PartyIdentification"), "cbc:ID", party.number)
    if party.trading_name and party.trading_name != party.name:
        _text(_in(node, "cac:PartyName"), "cbc:Name", party.trading_name)
    address = _in(node, "cac:PostalAddress")
    _text(address, "cbc:StreetName", party.address.street)
    _text(address, "cbc:CityName", party.address.city)
    _text(address, "cbc:PostalZone", party.address.postal_code)
    _text(address, "cbc:CountrySubentity", party.address.region)
    _text(_in(address, "cac:Country"), "cbc:IdentificationCode", party.address.country)
    for scheme, told in (("VAT", party.vat_number), ("TAX", party.tax_number)):
        if told:
            registered = _in(node, "cac:PartyTaxScheme")
            _text(registered, "cbc:CompanyID", told)
            _text(_in(registered, "cac:TaxScheme"), "cbc:ID", scheme)
    _text(_in(node, "cac:PartyLegalEntity"), "cbc:RegistrationName", party.name)
    if party.contact or party.phone or party.email:
        contact = _in(node, "cac:Contact")
        _text(contact, "cbc:Name", party.contact)
        _text(contact, "cbc:Telephone", party.phone)
        _text(contact, "cbc:ElectronicMail", party.email)


def _delivery(root: Element, document: Document) -> None:
    within = any(group.category == "K" for group in document.groups)
    if not (document.delivered_on or within):
        return
    delivery = _in(root, "cac:Delivery")
    _text(delivery, "cbc:ActualDeliveryDate", document.delivered_on.isoformat() if document.delivered_on else "")
    if within:  # BR-IC-12: the country it was delivered to
        country = _in(_in(_in(delivery, "cac:DeliveryLocation"), "cac:Address"), "cac:Country")
        _text(country, "cbc:IdentificationCode", document.buyer.address.country)


def _means(root: Element, payment: Payment, account: Account | None) -> None:
    means = _in(root, "cac:PaymentMeans")
    words = {"name": " ".join(payment.words.split())} if payment.words else {}
    _text(means, "cbc:PaymentMeansCode", payment.code, **words)
    _text(means, "cbc:PaymentID", payment.reference)
    if account is None:
        return
    to = _in(means, "cac:PayeeFinancialAccount")
    _text(to, "cbc:ID", account.iban or account.number)
    _text(to, "cbc:Name", account.holder)
    if account.bic:
        _text(_in(to, "cac:FinancialInstitutionBranch"), "cbc:ID", account.bic)


def _adjustment(root: Element, adjustment: Adjustment, currency: str) -> None:
    node = _in(root, "cac:AllowanceCharge")
    _text(node, "cbc:ChargeIndicator", "true" if adjustment.is_charge else "false")
    _text(node, "cbc:AllowanceChargeReason", adjustment.reason)
    _money(node, "cbc:Amount", adjustment.amount, currency)
    _category(_in(node, "cac:TaxCategory"), adjustment.category, adjustment.percent)


def _group(tax: Element, group: TaxGroup, currency: str) -> None:
    part = _in(tax, "cac:TaxSubtotal")
    _money(part, "cbc:TaxableAmount", group.net, currency)
    _money(part, "cbc:TaxAmount", group.tax, currency)
    _category(_in(part, "cac:TaxCategory"), group.category, group.percent, group.reason_code, group.reason)


def _totals(root: Element, document: Document) -> None:
    totals, currency = document.totals, document.currency
    sums = _in(root, "cac:LegalMonetaryTotal")
    _money(sums, "cbc:LineExtensionAmount", totals.lines, currency)
    _money(sums, "cbc:TaxExclusiveAmount", totals.net, currency)
    _money(sums, "cbc:TaxInclusiveAmount", totals.total, currency)
    _money(sums, "cbc:AllowanceTotalAmount", totals.allowances, currency)
    _money(sums, "cbc:ChargeTotalAmount", totals.charges, currency)
    _money(sums, "cbc:PrepaidAmount", totals.paid, currency)
    if totals.rounding:
        _money(sums, "cbc:PayableRoundingAmount", totals.rounding, currency)
    _money(sums, "cbc:PayableAmount", totals.due, currency)


def _line(root: Element, line: Line, currency: str, takes_back: bool) -> None:
    node = _in(root, "cac:CreditNoteLine" if takes_back else "cac:InvoiceLine")
    _text(node, "cbc:ID", line.number)
    quantity = "cbc:CreditedQuantity" if takes_back else "cbc:InvoicedQuantity"
    _text(node, quantity, number(line.quantity), unitCode=line.unit)
    _money(node, "cbc:LineExtensionAmount", line.net, currency)
    item = _in(node, "cac:Item")
    _text(item, "cbc:Description", line.detail)
    _text(item, "cbc:Name", line.name)
    _category(_in(item, "cac:ClassifiedTaxCategory"), line.category, line.percent)
    _text(_in(node, "cac:Price"), "cbc:PriceAmount", number(line.price), currencyID=currency)


def _category(node: Element, category: str, percent: Decimal, reason_code: str = "", reason: str = "") -> None:
    """A tax category; what is outside the scope of tax has no rate, not even 0 (BR-O-05)."""
    _text(node, "cbc:ID", category)
    _text(node, "cbc:Percent", "" if category == "O" else number(percent))
    _text(node, "cbc:TaxExemptionReasonCode", reason_code)
    _text(node, "cbc:TaxExemptionReason", reason)
    _text(_in(node, "cac:TaxScheme"), "cbc:ID", "VAT")


def _money(node: Element, tag: str, value: Decimal, currency: str) -> None:
    _text(node, tag, amount(value), currencyID=currency)
