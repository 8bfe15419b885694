"""The people of the demo book, all made up: two companies, their clients, how those pay and what they buy.

Addresses are on .example domains, telephone numbers in ranges kept free for fiction where a country has one.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any, NamedTuple


class Person(NamedTuple):
    name: str
    role: str
    email: str
    phone: str
    language: str = ""
    department: str = ""


class Buyer(NamedTuple):
    """A client and its habit: it pays ``late`` days after the due date (low, high), but not what ``hangs``.

    ``hangs`` are days past due today, one invoice each that nobody paid.
    """

    number: str
    name: str
    legal_name: str
    place: tuple[str, str, str, str]  # street, postal code, city, country
    language: str
    time_zone: str
    late: tuple[int, int]
    size: int  # a usual invoice, net, in whole units
    invoices: int
    people: tuple[Person, ...]
    hangs: tuple[int, ...] = ()
    net_days: int = 30
    region: str = ""
    po_required: bool = False
    part_payer: bool = False


BERLIN: dict[str, Any] = {
    "code": "LO", "name": "Lumen & Oak Studio", "legal_name": "Lumen & Oak Studio GmbH",
    "tagline": "Interfaces, brands and the words on them", "street": "Oranienstraße 58", "postal_code": "10969",
    "city": "Berlin", "country": "DE", "tax_number": "DE136695976",
    "register_entry": "Amtsgericht Charlottenburg, HRB 555147 B · Geschäftsführung: Ida Lindqvist",
    "email": "billing@lumenoak.example", "phone": "+49 30 23125 147", "time_zone": "Europe/Berlin", "language": "en",
    "currency": "EUR", "paper": "A4",
}
BERLIN_BANK = {"bank_name": "Commerzbank", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}

PORTLAND: dict[str, Any] = {
    "code": "LOUS", "name": "Lumen & Oak Studio, Inc.", "legal_name": "Lumen & Oak Studio, Inc.",
    "tagline": "Interfaces, brands and the words on them", "street": "1427 NW Flanders Street", "postal_code": "97209",
    "city": "Portland", "region": "OR", "country": "US", "tax_number": "EIN 00-0555147",
    "email": "billing@lumenoak-us.example", "phone": "+1 503 555 0147", "time_zone": "America/Los_Angeles",
    "language": "en", "currency": "USD", "paper": "Letter", "accent": "#1d4f73",
}
PORTLAND_BANK = {
    "bank_name": "First Bank of Willamette", "account_number": "000123456789", "routing_number": "123006800",
}
PORTLAND_METHODS = {
    "transfer": "",
    "cheque": "Payable to Lumen & Oak Studio, Inc., 1427 NW Flanders Street, Portland, OR 97209",
    "cash": "At the front desk, on weekdays until 5 p.m.",
}
BERLIN_METHODS = {
    "transfer": "", "cheque": "Zahlbar an Lumen & Oak Studio GmbH", "cash": "Im Studio, werktags bis 17 Uhr",
}


def _ap(name: str, domain: str, phone: str, language: str = "") -> Person:
    return Person(name, "accounts_payable", f"{_mailbox(name)}@{domain}.example", phone, language, "Accounts payable")


def _head(name: str, domain: str, phone: str, role: str = "owner") -> Person:
    return Person(name, role, f"{_mailbox(name)}@{domain}.example", phone)


def _mailbox(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().replace("ø", "o").replace("ß", "ss").replace("ı", "i"))
    return ".".join(re.findall("[a-z]+", plain.encode("ascii", "ignore").decode()))


EURO_CLIENTS: tuple[Buyer, ...] = (
    Buyer("C-0101", "Harbour Lane Coffee", "Harbour Lane Coffee GmbH", ("Speicherstadt 14", "20457", "Hamburg", "DE"),
          "de", "Europe/Berlin", (3, 11), 2600, 5,
          (_ap("Mara Winter", "harbourlane", "+49 40 66969 921"),
           _head("Jonas Petersen", "harbourlane", "+49 40 66969 900")), hangs=(23,)),
    Buyer("C-0102", "Osprey Logistics", "Osprey Logistics AG", ("Überseeallee 3", "20457", "Hamburg", "DE"),
          "de", "Europe/Berlin", (-6, 0), 6900, 6,
          (_ap("Birte Claussen", "osprey", "+49 40 66969 310"),)),
    Buyer("C-0103", "Ferreira & Filhos", "Ferreira & Filhos, Lda.", ("Rua das Flores 112", "4050-262", "Porto", "PT"),
          "en", "Europe/Lisbon", (6, 14), 5100, 3,
          (_ap("João Ferreira", "ferreira-filhos", "+351 22 555 0118"),
           _head("Marta Ferreira", "ferreira-filhos", "+351 22 555 0100")), hangs=(61, 96)),
    Buyer("C-0104", "Kestrel Analytics", "Kestrel Analytics Ltd", ("21 Tabernacle Street", "EC2A 4DE", "London", "GB"),
          "en", "Europe/London", (4, 10), 3400, 6,
          (_ap("Priya Nair", "kestrel-analytics", "+44 20 7946 0872"),
           _head("Tom Ashdown", "kestrel-analytics", "+44 20 7946 0870", "approver")), po_required=True, hangs=(34,)),
    Buyer("C-0105", "Studio Halvorsen", "Studio Halvorsen AS", ("Møllergata 9", "0179", "Oslo", "NO"),
          "en", "Europe/Oslo", (2, 9), 1260, 5, (_ap("Erik Halvorsen", "halvorsen", "+47 22 55 01 94"),), hangs=(18,)),
    Buyer("C-0106", "Nordlicht Apotheken", "Nordlicht Apotheken OHG", ("Holstenstraße 77", "24103", "Kiel", "DE"),
          "de", "Europe/Berlin", (3, 12), 7700, 4,
          (_ap("Buchhaltung Nordlicht", "nordlicht", "+49 431 555 0177"),
           _head("Dr. Silke Thomsen", "nordlicht", "+49 431 555 0170")), hangs=(12,)),
    Buyer("C-0107", "Maison Vauclair", "Maison Vauclair SARL", ("14 rue de Turenne", "75003", "Paris", "FR"),
          "fr", "Europe/Paris", (-5, 0), 2900, 5, (_ap("Élise Vauclair", "vauclair", "+33 1 99 00 41 20", "fr"),)),
    Buyer("C-0108", "Atelier Brasseur", "Atelier Brasseur SAS", ("8 quai Saint-Antoine", "69002", "Lyon", "FR"),
          "fr", "Europe/Paris", (5, 12), 1850, 4,
          (_ap("Hugo Brasseur", "brasseur", "+33 4 65 71 08 15", "fr"),
           _head("Claire Morel", "brasseur", "+33 4 65 71 08 10")), hangs=(27,)),
    Buyer("C-0109", "Bergmann Werkzeuge", "Bergmann Werkzeuge GmbH & Co. KG",
          ("Industriestraße 40", "42551", "Velbert", "DE"),
          "de", "Europe/Berlin", (-4, 0), 4300, 5,
          (_ap("Kreditoren Bergmann", "bergmann-werkzeuge", "+49 221 4710 440"),), net_days=14),
    Buyer("C-0110", "Alpenrand Touren", "Alpenrand Touren GmbH", ("Maximilianstraße 2", "6020", "Innsbruck", "AT"),
          "de", "Europe/Vienna", (3, 10), 2100, 5,
          (_ap("Theresa Moser", "alpenrand", "+43 512 555 019"),), part_payer=True, hangs=(16,)),
    Buyer("C-0111", "Zilver Fietsen", "Zilver Fietsen B.V.", ("Witte de Withstraat 30", "3012 BR", "Rotterdam", "NL"),
          "en", "Europe/Amsterdam", (-3, 0), 3150, 5, (_ap("Sanne de Wit", "zilver", "+31 10 555 0143"),)),
    Buyer("C-0112", "Fennek Film", "Fennek Film UG", ("Karl-Marx-Straße 121", "12043", "Berlin", "DE"),
          "de", "Europe/Berlin", (8, 16), 980, 4, (_ap("Leyla Aydın", "fennek", "+49 30 23125 660"),), hangs=(72,)),
    Buyer("C-0113", "Lindgren & Co Möbler", "Lindgren & Co Möbler AB", ("Götgatan 15", "116 46", "Stockholm", "SE"),
          "en", "Europe/Stockholm", (-4, 0), 5600, 5, (_ap("Anna Lindgren", "lindgren-mobler", "+46 8 465 004 20"),)),
    Buyer("C-0114", "Praxis Dr. Okafor", "Praxis Dr. Okafor", ("Bahnhofstraße 5", "60329", "Frankfurt am Main", "DE"),
          "de", "Europe/Berlin", (4, 10), 640, 5, (_ap("Empfang Okafor", "praxis-okafor", "+49 69 90009 050"),)),
    Buyer("C-0115", "Verlag Steinadler", "Steinadler Verlag GmbH", ("Kaufingerstraße 18", "80331", "München", "DE"),
          "de", "Europe/Berlin", (4, 9), 3800, 5,
          (_ap("Gregor Haas", "steinadler", "+49 89 99998 330"),), net_days=14, hangs=(20,)),
    Buyer("C-0116", "Grünfink Gärten", "Grünfink Gärten e.K.", ("Lindenallee 12", "14467", "Potsdam", "DE"),
          "de", "Europe/Berlin", (5, 14), 720, 3, (), hangs=(6,)),
    Buyer("C-0117", "Ravn Keramik", "Ravn Keramik ApS", ("Vesterbrogade 24", "1620", "København", "DK"),
          "en", "Europe/Copenhagen", (2, 8), 1700, 5,
          (_ap("Freja Ravn", "ravn-keramik", "+45 33 55 01 42"),),
          hangs=(15,)),
    Buyer("C-0118", "Tessuto Lombardi", "Tessuto Lombardi S.r.l.", ("Via Tortona 31", "20144", "Milano", "IT"),
          "en", "Europe/Rome", (3, 10), 4100, 5,
          (_ap("Paolo Lombardi", "tessuto-lombardi", "+39 02 5550 0187"),),
          hangs=(29,)),
    Buyer("C-0119", "Castellum Immobilien", "Castellum Immobilien GmbH", ("Neumarkt 8", "50667", "Köln", "DE"),
          "de", "Europe/Berlin", (-2, 0), 2450, 5,
          (_ap("Rechnungswesen Castellum", "castellum", "+49 221 4710 812"),), hangs=(17,)),
)

DOLLAR_CLIENTS: tuple[Buyer, ...] = (
    Buyer("1001", "Cascade Outfitters", "Cascade Outfitters LLC",
          ("2210 SE Division Street", "97202", "Portland", "US"),
          "en", "America/Los_Angeles", (-6, 0), 5200, 5,
          (_ap("Dana Whitfield", "cascade-outfitters", "+1 503 555 0132"),), region="OR"),
    Buyer("1002", "Bluebird Diagnostics", "Bluebird Diagnostics, Inc.",
          ("900 Lenora Street", "98121", "Seattle", "US"),
          "en", "America/Los_Angeles", (3, 9), 8400, 5,
          (_ap("Marcus Lee", "bluebird-dx", "+1 206 555 0168"),
           _head("Gwen Tran", "bluebird-dx", "+1 206 555 0160", "approver")),
          region="WA", po_required=True, hangs=(19,)),
    Buyer("1003", "Mesa Verde Roasters", "Mesa Verde Roasters LLC", ("41 Canyon Road", "87501", "Santa Fe", "US"),
          "en", "America/Denver", (5, 12), 1450, 4,
          (_ap("Rosa Delgado", "mesaverde", "+1 505 555 0119"),), region="NM", hangs=(38,)),
    Buyer("1004", "Harlow & Finch Books", "Harlow & Finch Books, Inc.", ("77 Bowery", "10002", "New York", "US"),
          "en", "America/New_York", (-3, 0), 2700, 4,
          (_ap("Imani Brooks", "harlowfinch", "+1 212 555 0155"),), region="NY", hangs=(3,)),
    Buyer("1005", "Lone Pine Dental Group", "Lone Pine Dental Group, PA",
          ("1800 W Koenig Lane", "78756", "Austin", "US"),
          "en", "America/Chicago", (4, 11), 1900, 4,
          (_ap("Accounts Payable", "lonepine", "+1 512 555 0187"),), region="TX", hangs=(9,)),
    Buyer("1006", "Tidewater Boatworks", "Tidewater Boatworks, Inc.", ("12 Dock Street", "21401", "Annapolis", "US"),
          "en", "America/New_York", (6, 14), 3900, 3,
          (_ap("Walt Emerson", "tidewater", "+1 410 555 0121"),
           _head("Susan Emerson", "tidewater", "+1 410 555 0120")), region="MD", hangs=(47, 80)),
    Buyer("1007", "Prairie Sun Energy", "Prairie Sun Energy Cooperative",
          ("305 Locust Street", "50309", "Des Moines", "US"),
          "en", "America/Chicago", (-5, 0), 6100, 5,
          (_ap("Kirsten Olson", "prairiesun", "+1 515 555 0146"),), region="IA"),
    Buyer("1008", "Copper Kettle Kitchens", "Copper Kettle Kitchens LLC",
          ("615 E 3rd Street", "55101", "Saint Paul", "US"),
          "en", "America/Chicago", (4, 12), 1150, 3,
          (_ap("Noor Haddad", "copperkettle", "+1 651 555 0173"),), region="MN", part_payer=True, hangs=(95,)),
)

WORK: tuple[tuple[str, str, Decimal], ...] = (
    ("Interface design", "h", Decimal("120")),
    ("Design system hand-over", "", Decimal("1450")),
    ("Usability sessions", "", Decimal("95")),
    ("Illustration set", "", Decimal("640")),
    ("Front-end work", "h", Decimal("110")),
    ("Brand guidelines, update", "", Decimal("980")),
    ("Copywriting", "h", Decimal("85")),
    ("Photography, day", "", Decimal("760")),
    ("Hosting and care, month", "", Decimal("180")),
    ("Accessibility review", "", Decimal("1200")),
)

OPENS_AT_ONCE = ("C-0102", "C-0109", "C-0106", "1001")  # read their mail on the day it comes
