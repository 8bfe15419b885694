"""Short ways to let a company charge interest by law: the rates in force, and a policy that names the rule."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from core.models import Company
from policies.models import Policy, ReferenceRate
from policies.services import new_version, policy_of
from tests.cast import CLERK

ECB = {"2025-07-01": "2.15", "2026-01-01": "2.15", "2026-07-01": "2.40"}


def enter_rates(rates: dict[str, str] = ECB, series: str = "ecb_mro_reference") -> None:
    """A reference rate per half-year."""
    for first, percent in rates.items():
        begins = dt.date.fromisoformat(first)
        ends = dt.date(begins.year, 6, 30) if begins.month == 1 else dt.date(begins.year, 12, 31)
        ReferenceRate.objects.create(
            series=series, from_on=begins, valid_through=ends, percent=Decimal(percent), source="a published table",
            entered_by=CLERK,
        )


def charge_by(
    company: Company, rule: str, effective_from: dt.date, *, steps: Any = None, **changes: Any
) -> Policy:
    """The company's policy names another rule from a day on."""
    day_before = effective_from - dt.timedelta(days=1)
    return new_version(
        policy_of(company, day_before), effective_from=effective_from, changes={"interest": rule, **changes},
        steps=steps, on=day_before, by=CLERK,
    )
