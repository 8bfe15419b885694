"""What a file probably means, for a person to confirm: which column is which, which format its dates have.

Pure, and only ever a proposal: an import takes nothing that was not confirmed or given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from core.dates import parse_date

_FORMATS = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d%m%Y",
    "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
    "%y%m%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d 00:00:00.000000000", "%Y%m%d.0", "%d-%m-%Y %H:%M",
    "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y 0:00", "%d/%m/%Y 0:00",
)  # fmt: skip

# The headings other systems write, without spaces and signs, the most usual first.
_HEADINGS: dict[str, tuple[str, ...]] = {
    key: tuple(words.split())
    for key, words in {
        "number": (
            "invoicenumber invoiceno invno invoice invoiceid docid documentnumber documentno docnumber number "
            "rechnungsnummer rechnungsnr belegnummer belegnr rechnung numerofacture nofacture facture reference"
        ),
        "client": (
            "customerid customernumber customerno custnumber custno cust clientnumber clientno clientid "
            "accountnumber accountno debtor debtorno customer client kundennummer kundennr debitor "
            "debitorennummer kunde numeroclient noclient codeclient account"
        ),
        "client_name": "customername namecustomer clientname custname companyname kundenname nomclient name",
        "issued_on": (
            "invoicedate issuedate issued issuedon postingdate documentdate docdate date rechnungsdatum "
            "belegdatum datum datefacture documentcreatedate"
        ),
        "due_on": (
            "duedate dueindate dueon due paymentdue maturity faelligkeit fälligkeit fälligam faelligam "
            "netduedate echeance échéance datecheance"
        ),
        "total": (
            "invoiceamount totalamount amount total gross grossamount totalopenamount betrag brutto "
            "bruttobetrag summe montant montantttc totalttc convertedusd"
        ),
        "balance": (
            "balance openamount open stillopen outstanding amountdue openbalance offenerbetrag offen saldo solde "
            "resteapayer"
        ),
        "settled_on": "settleddate settledon paiddate paidon paymentdate bezahltam zahlungsdatum datepaiement",
        "currency": "currency currencycode curr invoicecurrency waehrung währung whg devise monnaie",
        "po": "ponumber purchaseorder po orderno ordernumber yourorder bestellnummer bestellung commande",
        "disputed": "disputed dispute indispute strittig litige",
        "contact_name": "contactname contact attention attn contactperson ansprechpartner nomcontact",
        "email": "email mail emailaddress contactemail courriel adressemail",
        "phone": "phone telephone phonenumber tel telefon telefonnummer mobile",
        "company": "companycode entity legalentity mandant buchungskreis societe",
        "name": "name clientname customername companyname namecustomer firma kundenname nom raisonsociale",
        "role": "role contactrole function rolle funktion fonction",
        "language": "language lang languagecode sprache langue",
        "time_zone": "timezone tz zeitzone fuseauhoraire",
        "country": "country countrycode land laendercode pays",
        "terms_days": (
            "termsdays paymentterms netdays creditdays terms zahlungsziel zahlungszieltage delaipaiement"
        ),
        "credit_limit": "creditlimit limit kreditlimit limitecredit encours",
        "what": (
            "description whatwasdone service task item text beschreibung leistung bezeichnung designation prestation"
        ),
        "done_on": "doneon datedone servicedate deliverydate workdate date leistungsdatum lieferdatum datum date",
        "amount": "amount net netamount total betrag netto nettobetrag summe montant montantht",
        "quantity": "quantity qty hours menge anzahl stunden quantite quantité heures",
        "price": "unitprice price rate hourlyrate preis einzelpreis stundensatz prixunitaire prix",
        "unit": "unit einheit unite unité",
        "tax": "taxpercent tax vat vatpercent taxrate mwst ust steuersatz tva tauxtva",
        "tax_category": "taxcategory vatcategory taxcode steuerkategorie steuerschluessel categorietva codetva",
        "no_tax_because": "reasonfornotax exemptionreason exemption steuerbefreiung befreiungsgrund motifexoneration",
        "key": "key id externalid entryid reference referenz schluessel schlüssel cle",
        "vat_id": "vatid vatnumber taxid taxnumber ustid ustidnr tva numerotva",
    }.items()
}
_MISSPELT = 0.86  # likeness from which a heading counts as a known one with a slip


def suggest_mapping(headers: Sequence[str], keys: Iterable[str]) -> dict[str, str]:
    """A column for each of our words, where one looks right; a column is proposed once, a repeated heading never.

    >>> suggest_mapping(["Invocie Number", "customerID", "Due Date", "Colour"], ["number", "client", "due_on", "total"])
    {'number': 'Invocie Number', 'client': 'customerID', 'due_on': 'Due Date'}
    """
    scored = [
        (score, -rank, position, key)
        for key in keys
        for position, header in enumerate(headers)
        if header and headers.count(header) == 1
        for score, rank in [_likeness(header, _HEADINGS[key])]
        if score >= _MISSPELT
    ]
    chosen: dict[str, int] = {}
    for _, _, position, key in sorted(scored, key=lambda found: (-found[0], -found[1], found[2])):
        if key not in chosen and position not in chosen.values():
            chosen[key] = position
    return {key: headers[chosen[key]] for key in keys if key in chosen}


def suggest_date_formats(values: Iterable[str]) -> list[str]:
    """The formats that fit every value; several mean that only a person can tell, none that the column mixes them.

    >>> suggest_date_formats(["1/2/2013", "1/15/2013"])
    ['%m/%d/%Y']
    >>> suggest_date_formats(["1/2/2013", "3/4/2013"])
    ['%d/%m/%Y', '%m/%d/%Y']
    >>> suggest_date_formats(["26-04-2011", "04/26/2011"])
    []
    """
    filled = {value for value in values if value}
    return [fmt for fmt in _FORMATS if filled and all(fits(value, fmt) for value in filled)]


def fits(value: str, fmt: str) -> bool:
    """Whether a text is a date in a format.

    >>> fits("26/4/2011", "%d/%m/%Y"), fits("26/4/2011", "%m/%d/%Y")
    (True, False)
    """
    try:
        parse_date(value, fmt)
    except ValueError:
        return False
    return True


def _likeness(header: str, known: Sequence[str]) -> tuple[float, int]:
    """How much a heading is like the nearest known one, and the rank of that one."""
    bare = re.sub(r"[\W_]+", "", header.casefold())
    if bare in known:
        return 1.0, known.index(bare)
    if len(bare) < 5:
        return 0.0, 0
    score, rank = max((SequenceMatcher(None, bare, word).ratio(), -rank) for rank, word in enumerate(known))
    return score, -rank
