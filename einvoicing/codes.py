"""Code lists an e-invoice speaks in: countries, units of measure, ways to pay, reasons for no tax."""

from __future__ import annotations


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


COUNTRIES = _codes(
    """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW
    BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
    FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS
    IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM
    MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS
    PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK
    TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XI YE YT ZA ZM ZW"""
)  # ISO 3166-1 as the norm takes it, with XI for Northern Ireland
EU = _codes("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")

SEPA_TRANSFER, TRANSFER, CARD, CHEQUE, CASH = "58", "30", "48", "20", "10"  # UNTDID 4461

# Why no tax is charged, as machines read it (VATEX); what is exempt (E) says so in words of its own.
REASON_CODES = {"AE": "VATEX-EU-AE", "K": "VATEX-EU-IC", "G": "VATEX-EU-G", "O": "VATEX-EU-O"}

_UNITS = {
    "HUR": "h hr hrs hour hours std stunde stunden heure heures",
    "DAY": "d day days tag tage jour jours",
    "WEE": "week weeks woche wochen semaine semaines wk wks",
    "MON": "month months monat monate mois mo",
    "ANN": "year years jahr jahre an ans année années yr yrs",
    "MIN": "min minute minutes minuten",
    "KGM": "kg kilo kilogram kilograms kilogramm kilogramme kilogrammes",
    "GRM": "g gram grams gramm gramme grammes",
    "TNE": "t tonne tonnes tonnen",
    "MTR": "m metre metres meter meters mètre mètres",
    "KMT": "km kilometre kilometres kilometer kilometers kilomètre kilomètres",
    "CMT": "cm",
    "MMT": "mm",
    "MTK": "m² m2 qm sqm",
    "MTQ": "m³ m3 cbm",
    "LTR": "l litre litres liter liters",
    "KWH": "kwh",
    "H87": "pc pcs piece pieces stk stck stück pce pièce pièces",
    "SET": "set sets satz sätze",
    "PR": "pair pairs paar paare paire paires",
    "XBX": "box boxes karton kartons carton cartons",
    "LS": "lump flat pauschal pauschale forfait",
    "P1": "% percent prozent pourcent",
}
_UNIT_OF = {word: code for code, words in _UNITS.items() for word in words.split()}


def unit_code(word: str) -> str:
    """The UN/ECE code of a unit as people write it; «one» (C62) where the word is none we know.

    >>> unit_code("h"), unit_code("Std."), unit_code("Stück"), unit_code("m²"), unit_code(""), unit_code("crates")
    ('HUR', 'HUR', 'H87', 'MTK', 'C62', 'C62')
    """
    return _UNIT_OF.get(word.strip().rstrip(".").lower(), "C62")
