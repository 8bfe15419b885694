"""The rules by which late interest is worked out: by contract, or as the law of a place says.

Pure. A rule says how; the percentages of the reference rates are rows with sources, never code.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

DayCount = Literal["act/365", "act/360", "30/360"]
Rounding = Literal["once", "daily"]
Appropriation = Literal["principal", "interest"]
Starts = Literal["due", "notice", "days"]


@dataclass(frozen=True)
class Rule:
    """How interest is worked out: by contract, or as a statute says. A row of data; the rates come separately.

    ``percent`` is the rule's own rate a year, ``series`` and ``margin`` a reference rate and what is added to it;
    with neither it is the percentage printed in the terms. ``compensation`` are lump sums by the size of the claim.
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
    for_consumers: bool | None = None
    title: str = ""
    source: str = ""

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


CONTRACT = Rule("CONTRACT", starts="notice", title="Contractual, from the date of the notice")
NONE = Rule("NONE", charges=False, title="No interest")
RULES = {rule.code: rule for rule in (CONTRACT, NONE)}
