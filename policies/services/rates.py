"""Rules of late interest in versions, and the reference rates they are worked out with."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from core.errors import Refused
from policies.interest import RULES, Rule
from policies.models import InterestRule

_SAME = (
    "code", "charges", "day_count", "rounding", "compound_monthly", "first", "series", "which_half_year", "starts",
    "starts_days", "grace_days", "runs_in_dispute", "compensation_currency", "for_consumers", "title", "source",
)  # fmt: skip
_NUMBERS = ("percent", "margin", "reference_up_to", "cap_percent", "legal_maximum")


def rule_of(code: str, on: dt.date) -> Rule:
    """The rule of that code on a day: its latest version begun by then, otherwise the one shipped.

    Refused, naming the code, where there is neither.
    """
    versions = InterestRule.objects.filter(code=code)
    row = versions.filter(effective_from__lte=on).order_by("-effective_from").first()
    if row is not None:
        return rule_from(row)
    if code in RULES:
        return RULES[code]
    first = versions.order_by("effective_from").first()
    if first is not None:
        raise Refused(
            f"The rule of late interest «{code}» begins on {first.effective_from.isoformat()}, after "
            f"{on.isoformat()}. Choose another rule for that day.",
            code="no_rule", where="interest",
        )  # fmt: skip
    raise Refused(
        f"There is no rule of late interest «{code}». Known are {', '.join(rule_codes())}; another is added in the "
        "admin under «Interest rules».",
        code="no_rule", where="interest",
    )  # fmt: skip


def rule_codes() -> list[str]:
    """Every code there is a rule of: those shipped first, then those added, by name."""
    added = set(InterestRule.objects.values_list("code", flat=True)) - set(RULES)
    return [*RULES, *sorted(added)]


def rule_from(row: InterestRule) -> Rule:
    """A version as the arithmetic takes it."""
    same: dict[str, Any] = {name: getattr(row, name) for name in _SAME}
    numbers: dict[str, Any] = {name: _plain(getattr(row, name)) for name in _NUMBERS}
    tiers = tuple((Decimal(least), Decimal(lump)) for least, lump in row.compensation)
    return Rule(**same, **numbers, compensation=tiers)


def _plain(number: Decimal | None) -> Decimal | None:
    """Without the zeros the column adds, so that a derivation reads the same wherever its rule comes from."""
    return None if number is None else Decimal(f"{number.normalize():f}")
