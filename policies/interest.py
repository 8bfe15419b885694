"""The rules by which late interest is worked out: by contract, or as the law of a place says.

Pure. A rule says how; the percentages of the reference rates are rows with sources, never code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import Literal

from core.errors import Refused
from core.money import currency_codes

DayCount = Literal["act/365", "act/360", "30/360"]
Rounding = Literal["once", "daily"]
Appropriation = Literal["principal", "interest"]
Starts = Literal["due", "notice", "days"]


@dataclass(frozen=True)
class Rule:
    """How interest is worked out: by contract, or as a statute says. A row of data; the rates come separately.

    ``percent`` is the rule's own rate a year, ``series`` and ``margin`` a reference rate and what is added to it;
    with neither it is the percentage printed in the terms. ``compensation`` are lump sums by the size of the claim,
    one per invoice. ``source`` is where the rule is written, ``note`` what a person must see to besides.
    """

    code: str
    charges: bool = True
    day_count: DayCount = "act/365"
    rounding: Rounding = "once"
    compound_monthly: bool = False
    first: Appropriation = "principal"
    percent: Decimal | None = None
    series: str = ""
    margin: Decimal = Decimal(0)
    which_half_year: Literal["split", "fixed"] = "split"
    reference_up_to: Decimal | None = None
    starts: Starts = "due"
    starts_days: int = 0
    grace_days: int = 0
    cap_percent: Decimal | None = None
    legal_maximum: Decimal | None = None
    runs_in_dispute: bool = True
    compensation: tuple[tuple[Decimal, Decimal], ...] = ()  # (claims from, lump sum), ascending
    compensation_currency: str = ""
    for_consumers: bool | None = None  # True: consumers only, False: businesses only, None: either
    title: str = ""
    source: str = ""
    note: str = ""

    def compensation_for(self, principal: Decimal, currency: str) -> Decimal:
        """The lump sum for one late claim of that size; none in a currency the rule does not name.

        >>> uk = Rule("X", compensation=((Decimal(0), Decimal(40)), (Decimal(1000), Decimal(70))),
        ...           compensation_currency="GBP")
        >>> uk.compensation_for(Decimal("999.99"), "GBP"), uk.compensation_for(Decimal(1000), "GBP")
        (Decimal('40'), Decimal('70'))
        """
        if currency != self.compensation_currency or principal <= 0:
            return Decimal(0)
        return max((lump for least, lump in self.compensation if least <= principal), default=Decimal(0))

    def percent_at(self, reference: Decimal) -> Decimal:
        """The rate a year at a reference rate; see ``percent_at``.

        >>> Rule("X", margin=Decimal(8), reference_up_to=Decimal("0.5")).percent_at(Decimal("2.15"))
        Decimal('10.5')
        """
        return percent_at(reference, self.margin, self.reference_up_to)


def up_to(reference: Decimal, multiple: Decimal | None) -> Decimal:
    """A reference rate rounded up to the next multiple, as Finland and Belgium do (0.5); as it is without one.

    >>> [str(up_to(Decimal(text), Decimal("0.5"))) for text in ("2.15", "2", "-0.6")]
    ['2.5', '2.0', '-0.5']
    """
    if multiple is None:
        return reference
    return (reference / multiple).to_integral_value(ROUND_CEILING) * multiple


def percent_at(reference: Decimal, margin: Decimal, multiple: Decimal | None = None) -> Decimal:
    """The rate a year: a reference rate, rounded up where the rule says so, plus the margin; never below zero."""
    return max(up_to(reference, multiple) + margin, Decimal(0))


_EUR_40 = ((Decimal(0), Decimal(40)),)  # art. 6 of the directive; per invoice, CJEU C-585/20

CONTRACT = Rule("CONTRACT", starts="notice", title="Contractual, from the date of the notice",
                source="The percentage printed in the terms of the invoice.")  # fmt: skip
NONE = Rule("NONE", charges=False, title="No interest", source="Nothing is charged.")
EU = Rule(
    "EU", series="ecb_mro_reference", margin=Decimal(8), for_consumers=False,
    compensation=_EUR_40, compensation_currency="EUR",
    title="European Union, between businesses: ECB reference rate + 8 points",
    source="Directive 2011/7/EU, art. 2(6), 3 and 6; EUR 40 for every invoice, CJEU C-585/20.",
    note="The least a member state may grant; where its own law grants more, use the rule of that state.",
)  # fmt: skip
DE_B2B = Rule(
    "DE-B2B", series="de_basiszins", margin=Decimal(9), for_consumers=False,
    compensation=_EUR_40, compensation_currency="EUR",
    title="Germany, between businesses: base rate + 9 points",
    source="BGB § 247, § 288 (2) and (5).",
    note="A payment may go to costs, then interest, then the invoice (BGB § 367): a version of this rule says so.",
)  # fmt: skip
DE_B2C = Rule(
    "DE-B2C", series="de_basiszins", margin=Decimal(5), for_consumers=True,
    title="Germany, consumers: base rate + 5 points",
    source="BGB § 247, § 288 (1).",
    note="A consumer is in default only after a reminder, or 30 days after an invoice that says so (BGB § 286).",
)  # fmt: skip
FR = Rule(
    "FR", series="ecb_mro_reference", margin=Decimal(10), for_consumers=False,
    compensation=_EUR_40, compensation_currency="EUR",
    title="France, between businesses: ECB reference rate + 10 points",
    source="Code de commerce, L441-10 II and D441-5; due without a reminder.",
    note="The rate and the EUR 40 must be printed on the invoice (L441-9).",
)  # fmt: skip
FI = Rule(
    "FI", series="ecb_mro_reference", margin=Decimal(8), reference_up_to=Decimal("0.5"), for_consumers=False,
    compensation=_EUR_40, compensation_currency="EUR",
    title="Finland, between businesses: ECB reference rate, up to the next 0.5, + 8 points",
    source="Korkolaki 633/1982, § 4 a and § 12; perintälaki 513/1999, § 10 e.",
)  # fmt: skip
UK = Rule(
    "UK", series="boe_reference", margin=Decimal(8), which_half_year="fixed", for_consumers=False,
    compensation=(
        (Decimal(0), Decimal(40)), (Decimal(1000), Decimal(70)), (Decimal(10000), Decimal(100)),
    ),
    compensation_currency="GBP",
    title="United Kingdom, between businesses: Bank Rate + 8 points, fixed when interest starts to run",
    source="Late Payment of Commercial Debts (Interest) Act 1998, s. 4 and 5A; SI 2002/1675, art. 4.",
    note="Bank Rate of 31 December holds for interest that starts from January to June, that of 30 June after it.",
)  # fmt: skip
RULES = {rule.code: rule for rule in (EU, DE_B2B, DE_B2C, FR, FI, UK, CONTRACT, NONE)}


def check_rule(rule: Rule) -> None:
    """Refuse a rule that contradicts itself or leaves out where it is written; ``where`` names the field.

    >>> check_rule(Rule("NO", percent=Decimal(8), series="norges_bank", title="Norway", source="finansdepartementet"))
    Traceback (most recent call last):
    ...
    core.errors.Refused: A rule has a fixed rate or a reference rate, not both; empty one of them.
    """
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9-]{1,19}", rule.code):
        raise Refused("A code is two to twenty capitals, digits and hyphens, such as NO-B2B.", where="code")
    for name, value in (("title", rule.title), ("source", rule.source)):
        if not value.strip():
            raise Refused(f"Write the {name} of the rule.", code=f"no_{name}", where=name)
    _check_rate(rule)
    _check_limits(rule)
    _check_compensation(rule)


def _check_rate(rule: Rule) -> None:
    if rule.percent is not None and rule.series:
        raise Refused("A rule has a fixed rate or a reference rate, not both; empty one of them.", where="percent")
    if rule.percent is not None and not 0 <= rule.percent <= 1000:
        raise Refused("A fixed rate lies between 0 and 1000 percent a year.", where="percent")
    if not rule.series and rule.margin:
        raise Refused("Nothing is there to add the points to; name the reference rate.", where="series")
    if not rule.series and (rule.which_half_year == "fixed" or rule.reference_up_to is not None):
        raise Refused("Half-years and rounding up speak of a reference rate; name it.", where="series")
    if not -100 <= rule.margin <= 1000:
        raise Refused("What is added lies between -100 and 1000 points.", where="margin")


def _check_limits(rule: Rule) -> None:
    for name, value in (
        ("reference_up_to", rule.reference_up_to), ("cap_percent", rule.cap_percent),
        ("legal_maximum", rule.legal_maximum),
    ):  # fmt: skip
        if value is not None and value <= 0:
            raise Refused("Write a number above zero, or leave it empty.", where=name)
    if (rule.starts == "days") != (rule.starts_days > 0):
        where = "starts_days" if rule.starts == "days" else "starts"
        raise Refused("The number of days goes with the start «so many days after the due date».", where=where)


def _check_compensation(rule: Rule) -> None:
    if bool(rule.compensation) != bool(rule.compensation_currency):
        where = "compensation_currency" if rule.compensation else "compensation"
        raise Refused("Fixed compensation needs both its sums and their currency.", where=where)
    if rule.compensation_currency and rule.compensation_currency not in currency_codes():
        raise Refused(f"«{rule.compensation_currency}» is not a currency.", where="compensation_currency")
    tiers = [least for least, _lump in rule.compensation]
    if any(later <= earlier for earlier, later in pairwise(tiers)):
        raise Refused("The tiers must ascend: each begins at a higher claim than the one before.",
                      code="tiers", where="compensation")  # fmt: skip
    if any(least < 0 or lump < 0 for least, lump in rule.compensation):
        raise Refused("No claim and no lump sum is below zero.", code="tiers", where="compensation")
