"""Which credit status the policy asks for, from what is overdue and what happened: watch, cash-only or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

WATCH, CASH_ONLY = "watch", "cash_only"
NO_MORE_CREDIT = ("prepayment", "decline")  # what a flag has to lead to before the night takes credit away


@dataclass(frozen=True)
class Facts:
    """A client on a day: sums overdue per currency, days of the oldest, and signals since credit was last given.

    ``flags`` are those of valid checks that no decision has weighed yet, each with what the policy has it lead to.
    """

    overdue: Mapping[str, Decimal] = field(default_factory=dict)
    overdue_days: int = 0
    broken_promises: int = 0
    returned: int = 0
    flags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Bounds:
    """What the credit policy says; a count of 0 is no rule, a currency that is not named has no sum."""

    watch_days: int = 15
    cash_only_days: int = 60
    cash_only_sum: Mapping[str, Decimal] = field(default_factory=dict)
    cash_only_promises: int = 2
    cash_only_returned: int = 1


@dataclass(frozen=True)
class Rule:
    """A rule that applies: what was seen, from what on it applies, and the status it asks for."""

    code: str
    saw: Any
    needs: Any
    leads_to: str
    currency: str = ""


def status_asked_for(facts: Facts, bounds: Bounds) -> tuple[str, tuple[Rule, ...]]:
    """The strictest status that any rule asks for, with every rule that asks for it; empty where none does.

    A broken promise or a returned payment counts while something is overdue: once all is cleared it is forgiven.

    >>> late = Facts({"EUR": Decimal(900)}, overdue_days=61, broken_promises=1)
    >>> status, rules = status_asked_for(late, Bounds())
    >>> status, [(rule.code, rule.saw, rule.needs) for rule in rules]
    ('cash_only', [('days', 61, 60)])
    >>> status_asked_for(Facts({"EUR": Decimal(900)}, overdue_days=20), Bounds())[0]
    'watch'
    >>> status_asked_for(Facts(broken_promises=9, returned=9), Bounds())
    ('', ())
    """
    rules = _cash_only(facts, bounds)
    if rules:
        return CASH_ONLY, tuple(rules)
    if facts.overdue and facts.overdue_days >= bounds.watch_days:
        return WATCH, (Rule("days", facts.overdue_days, bounds.watch_days, WATCH),)
    return "", ()


def _cash_only(facts: Facts, bounds: Bounds) -> list[Rule]:
    found = [Rule("flag", flag, "", CASH_ONLY) for flag, outcome in facts.flags if outcome in NO_MORE_CREDIT]
    if not facts.overdue:
        return found
    if facts.overdue_days >= bounds.cash_only_days:
        found.append(Rule("days", facts.overdue_days, bounds.cash_only_days, CASH_ONLY))
    for currency, total in sorted(facts.overdue.items()):
        least = bounds.cash_only_sum.get(currency)
        if least is not None and total >= least:
            found.append(Rule("sum", total, least, CASH_ONLY, currency))
    if bounds.cash_only_promises and facts.broken_promises >= bounds.cash_only_promises:
        found.append(Rule("promises", facts.broken_promises, bounds.cash_only_promises, CASH_ONLY))
    if bounds.cash_only_returned and facts.returned >= bounds.cash_only_returned:
        found.append(Rule("returned", facts.returned, bounds.cash_only_returned, CASH_ONLY))
    return found
