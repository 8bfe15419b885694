"""A document as XML in UN/CEFACT's Cross Industry Invoice, profile EN 16931 of Factur-X 1.09: equal facts, equal bytes.

The order of the elements is the schema's.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from xml.etree.ElementTree import Element

from .document import Account, Adjustment, Document, Line, Party, Payment, TaxGroup
from .xml import Writer, amount, as_bytes, number

PROFILE = "urn:cen.eu:en16931:2017"
_UNCEFACT = "urn:un:unece:uncefact:data:standard"
_SPACES = {
    "rsm": f"{_UNCEFACT}:CrossIndustryInvoice:100",
    "ram": f"{_UNCEFACT}:ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_UNCEFACT}:UnqualifiedDataType:100",
    "qdt": f"{_UNCEFACT}:QualifiedDataType:100",
}
_xml = Writer(_SPACES)
_in, _text = _xml.into, _xml.text


def to_cii(document: Document) -> bytes:
    """The XML of a document, UTF-8; ``rules.missing`` says beforehand whether a receiver will take it."""
    root = _xml.root("rsm:CrossIndustryInvoice")
    context = _in(root, "rsm:ExchangedDocumentContext")
    _text(_in(context, "ram:GuidelineSpecifiedDocumentContextParameter"), "ram:ID", PROFILE)
    head = _in(root, "rsm:ExchangedDocument")
    _text(head, "ram:ID", document.number)
    _text(head, "ram:TypeCode", document.kind)
    _day(head, "ram:IssueDateTime", document.issued_on)
    for note in document.notes:
        _text(_in(head, "ram:IncludedNote"), "ram:Content", note)
    trade = _in(root, "rsm:SupplyChainTradeTransaction")
    for line in document.lines:
        _line(trade, line)
    _agreement(trade, document)
    _delivery(trade, document)
    _settlement(trade, document)
    return as_bytes(root)


def _line(trade: Element, line: Line) -> None:
    item = _in(trade, "ram:IncludedSupplyChainTradeLineItem")
    _text(_in(item, "ram:AssociatedDocumentLineDocument"), "ram:LineID", line.number)
    product = _in(item, "ram:SpecifiedTradeProduct")
    _text(product, "ram:Name", line.name)
    _text(product, "ram:Description", line.detail)
    price = _in(_in(item, "ram:SpecifiedLineTradeAgreement"), "ram:NetPriceProductTradePrice")
    _text(price, "ram:ChargeAmount", number(line.price))
    _text(_in(item, "ram:SpecifiedLineTradeDelivery"), "ram:BilledQuantity", number(line.quantity), unitCode=line.unit)
    settled = _in(item, "ram:SpecifiedLineTradeSettlement")
    _tax_of(_in(settled, "ram:ApplicableTradeTax"), line.category, line.percent)
    sums = _in(settled, "ram:SpecifiedTradeSettlementLineMonetarySummation")
    _text(sums, "ram:LineTotalAmount", amount(line.net))


def _agreement(trade: Element, document: Document) -> None:
    agreed = _in(trade, "ram:ApplicableHeaderTradeAgreement")
    _text(agreed, "ram:BuyerReference", document.buyer_reference)
    _party(_in(agreed, "ram:SellerTradeParty"), document.seller)
    _party(_in(agreed, "ram:BuyerTradeParty"), document.buyer)
    if document.order:
        _text(_in(agreed, "ram:BuyerOrderReferencedDocument"), "ram:IssuerAssignedID", document.order)


def _party(node: Element, party: Party) -> None:
    _text(node, "ram:ID", party.number)
    _text(node, "ram:Name", party.name)
    if party.trading_name and party.trading_name != party.name:
        _text(_in(node, "ram:SpecifiedLegalOrganization"), "ram:TradingBusinessName", party.trading_name)
    if party.contact or party.phone or party.email:
        contact = _in(node, "ram:DefinedTradeContact")
        _text(contact, "ram:PersonName", party.contact)
        if party.phone:
            _text(_in(contact, "ram:TelephoneUniversalCommunication"), "ram:CompleteNumber", party.phone)
        if party.email:
            _text(_in(contact, "ram:EmailURIUniversalCommunication"), "ram:URIID", party.email)
    address = _in(node, "ram:PostalTradeAddress")
    _text(address, "ram:PostcodeCode", party.address.postal_code)
    _text(address, "ram:LineOne", party.address.street)
    _text(address, "ram:CityName", party.address.city)
    _text(address, "ram:CountryID", party.address.country)
    _text(address, "ram:CountrySubDivisionName", party.address.region)
    if party.email:
        _text(_in(node, "ram:URIUniversalCommunication"), "ram:URIID", party.email, schemeID="EM")
    for scheme, told in (("FC", party.tax_number), ("VA", party.vat_number)):
        if told:
            _text(_in(node, "ram:SpecifiedTaxRegistration"), "ram:ID", told, schemeID=scheme)


def _delivery(trade: Element, document: Document) -> None:
    delivered = _in(trade, "ram:ApplicableHeaderTradeDelivery")
    if any(group.category == "K" for group in document.groups):  # BR-IC-12: the country it was delivered to
        address = _in(_in(delivered, "ram:ShipToTradeParty"), "ram:PostalTradeAddress")
        _text(address, "ram:CountryID", document.buyer.address.country)
    if document.delivered_on:
        event = _in(delivered, "ram:ActualDeliverySupplyChainEvent")
        _day(event, "ram:OccurrenceDateTime", document.delivered_on)


def _settlement(trade: Element, document: Document) -> None:
    settled = _in(trade, "ram:ApplicableHeaderTradeSettlement")
    if document.payment:
        _text(settled, "ram:PaymentReference", document.payment.reference)
    _text(settled, "ram:InvoiceCurrencyCode", document.currency)
    if document.payment:
        for account in document.payment.accounts or (None,):
            _means(settled, document.payment, account)
    for group in document.groups:
        _group(settled, group)
    if document.period_from or document.period_to:
        period = _in(settled, "ram:BillingSpecifiedPeriod")
        if document.period_from:
            _day(period, "ram:StartDateTime", document.period_from)
        if document.period_to:
            _day(period, "ram:EndDateTime", document.period_to)
    for adjustment in document.adjustments:
        _adjustment(settled, adjustment)
    if document.terms or document.due_on:
        terms = _in(settled, "ram:SpecifiedTradePaymentTerms")
        _text(terms, "ram:Description", document.terms)
        if document.due_on:
            _day(terms, "ram:DueDateDateTime", document.due_on)
    _totals(settled, document)
    for preceding in document.preceding:
        reference = _in(settled, "ram:InvoiceReferencedDocument")
        _text(reference, "ram:IssuerAssignedID", preceding.number)
        if preceding.issued_on:
            _day(reference, "ram:FormattedIssueDateTime", preceding.issued_on, space="qdt")


def _means(settled: Element, payment: Payment, account: Account | None) -> None:
    means = _in(settled, "ram:SpecifiedTradeSettlementPaymentMeans")
    _text(means, "ram:TypeCode", payment.code)
    _text(means, "ram:Information", payment.words)
    if account is None:
        return
    to = _in(means, "ram:PayeePartyCreditorFinancialAccount")
    _text(to, "ram:IBANID", account.iban)
    _text(to, "ram:AccountName", account.holder)
    _text(to, "ram:ProprietaryID", "" if account.iban else account.number)
    if account.bic:
        _text(_in(means, "ram:PayeeSpecifiedCreditorFinancialInstitution"), "ram:BICID", account.bic)


def _group(settled: Element, group: TaxGroup) -> None:
    tax = _in(settled, "ram:ApplicableTradeTax")
    _text(tax, "ram:CalculatedAmount", amount(group.tax))
    _text(tax, "ram:TypeCode", "VAT")
    _text(tax, "ram:ExemptionReason", group.reason)
    _text(tax, "ram:BasisAmount", amount(group.net))
    _text(tax, "ram:CategoryCode", group.category)
    _text(tax, "ram:ExemptionReasonCode", group.reason_code)
    _rate(tax, group.category, group.percent)


def _adjustment(settled: Element, adjustment: Adjustment) -> None:
    node = _in(settled, "ram:SpecifiedTradeAllowanceCharge")
    _text(_in(node, "ram:ChargeIndicator"), "udt:Indicator", "true" if adjustment.is_charge else "false")
    _text(node, "ram:ActualAmount", amount(adjustment.amount))
    _text(node, "ram:Reason", adjustment.reason)
    _tax_of(_in(node, "ram:CategoryTradeTax"), adjustment.category, adjustment.percent)


def _totals(settled: Element, document: Document) -> None:
    totals = document.totals
    sums = _in(settled, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    _text(sums, "ram:LineTotalAmount", amount(totals.lines))
    _text(sums, "ram:ChargeTotalAmount", amount(totals.charges))
    _text(sums, "ram:AllowanceTotalAmount", amount(totals.allowances))
    _text(sums, "ram:TaxBasisTotalAmount", amount(totals.net))
    _text(sums, "ram:TaxTotalAmount", amount(totals.tax), currencyID=document.currency)
    if totals.rounding:
        _text(sums, "ram:RoundingAmount", amount(totals.rounding))
    _text(sums, "ram:GrandTotalAmount", amount(totals.total))
    _text(sums, "ram:TotalPrepaidAmount", amount(totals.paid))
    _text(sums, "ram:DuePayableAmount", amount(totals.due))


def _tax_of(tax: Element, category: str, percent: Decimal) -> None:
    _text(tax, "ram:TypeCode", "VAT")
    _text(tax, "ram:CategoryCode", category)
    _rate(tax, category, percent)


def _rate(tax: Element, category: str, percent: Decimal) -> None:
    """What is outside the scope of tax has no rate, not even 0 (BR-O-05)."""
    if category != "O":
        _text(tax, "ram:RateApplicablePercent", number(percent))


def _day(parent: Element, tag: str, day: dt.date, space: str = "udt") -> None:
    _text(_in(parent, tag), f"{space}:DateTimeString", f"{day:%Y%m%d}", format="102")
