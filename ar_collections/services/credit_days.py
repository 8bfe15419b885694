"""A day of credit: expired decisions, status by what happened, limits whose review has come, and who has to be told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from clients.services.deciding import expire_decisions
from core.models import Company
from policies.credit import credit_policy_of
from policies.models import CreditPolicy, Policy

from .credit_letters import tell_credit
from .reviewing import review_limits
from .trust import Judged, judge_status


@dataclass(frozen=True)
class CreditDay:
    """What was done: decisions fallen back to the policy, clients moved, limits proposed, notices planned."""

    decided: int
    judged: Judged
    proposed: int
    told: int

    def to_json(self) -> dict[str, int]:
        """Only what happened, for the log of the tick."""
        counts = {
            "decided": self.decided, "moved": len(self.judged.moved), "lifted": len(self.judged.lifted),
            "to_review": self.judged.to_review, "proposed": self.proposed, "told": self.told,
        }
        return {name: count for name, count in counts.items() if count}


def look_after_credit(
    company: Company, on: dt.date, *, by: Any, now: dt.datetime | None = None, hold_allowed: bool = True,
    credit_policy: CreditPolicy | None = None, policy: Policy | None = None,
) -> CreditDay:
    """Everything about credit that falls on a business date; a second time changes nothing.

    Without ``now`` notices leave at the opening of each client's window, and no hold stops them. ``credit_policy`` and
    ``policy`` are those in force on the day, where they are known already. Refused where there is no credit policy.
    """
    decided = expire_decisions(company, on, by)
    rules = credit_policy or credit_policy_of(company, on)
    judged = judge_status(company, on, by=by, policy=rules)
    proposed = review_limits(company, on, by=by, policy=rules)
    told = tell_credit(company, on, by=by, now=now, hold_allowed=hold_allowed, policy=policy)
    return CreditDay(len(decided), judged, len(proposed), len(told))
