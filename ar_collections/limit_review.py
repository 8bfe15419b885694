"""The limit that a client's own behaviour speaks for: up by a step with proof, down at once on a warning sign.

Pure: ``behaviour`` says how the client paid; here it becomes a proposal, with every reason and the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any

from .behaviour import FEWEST, Behaviour, full_months

FIGURES = 3  # figures a limit is rounded to: 15,625 is 15,600


@dataclass(frozen=True)
class Rules:
    """What the credit policy says about limits in one currency; None where it names no such sum, 0 where no count."""

    starting: Decimal | None = None
    highest: Decimal | None = None
    raise_months: int = 6
    raise_on_time: int = 90
    raise_percent: int = 25
    cut_on_time: int = 60
    cut_days_late: int = 20
    cut_percent: int = 50
    most_promises: int = 2
    most_returned: int = 1
    most_overdue_days: int = 60


@dataclass(frozen=True)
class Standing:
    """The limit in force, if any, and when a review last raised and last lowered it."""

    limit: Decimal | None = None
    raised_on: date | None = None
    cut_on: date | None = None


@dataclass(frozen=True)
class Reason:
    """One rule: what was seen, what the rule asks for, and what it led to: up, keep, down or nothing."""

    code: str
    saw: Any
    needs: Any = None
    leads_to: str = ""


@dataclass(frozen=True)
class Line:
    """One line of the arithmetic: what, and the amount; steps up and down are signed."""

    code: str
    amount: Decimal
    percent: int | None = None


@dataclass(frozen=True)
class Proposal:
    """The limit proposed, how risky the client is, and why; ``move`` is up, down, keep or first."""

    risk: str
    move: str
    current: Decimal | None
    proposed: Decimal
    reasons: tuple[Reason, ...]
    arithmetic: tuple[Line, ...]


def propose(behaviour: Behaviour, rules: Rules, standing: Standing) -> Proposal:
    """The next limit by the client's own behaviour, in whole units of the currency.

    A warning sign takes the policy's percentage off in one go, once for the same signs; proof of reliability adds a
    step, at most to the highest limit of the policy and not again before the same proof was given anew. Who has no
    limit yet begins with the most it owed in a year, unproven at most with the starting limit.

    >>> good = Behaviour(date(2026, 7, 1), months=6, judged=6, on_time=6, on_time_percent=Decimal(100),
    ...                  days_late=Decimal(0), peak=Decimal(1800))
    >>> found = propose(good, Rules(starting=Decimal(5000)), Standing(Decimal(5000)))
    >>> found.risk, found.move, str(found.proposed), [(line.code, str(line.amount)) for line in found.arithmetic]
    ('low', 'up', '6250', [('limit', '5000'), ('step_up', '1250'), ('proposed', '6250')])
    """
    warnings, proof = _warnings(behaviour, rules), _proof(behaviour, rules)
    reasons = [*proof, *warnings]
    proven = all(reason.leads_to == "up" for reason in proof)
    risk = "high" if warnings else "low" if proven else "medium"
    base, first = _base(behaviour, rules, standing, proven=proven and not warnings)
    lines = [first]
    if warnings:
        if _cut_already(behaviour, standing):
            reasons.append(Reason("cut_already", standing.cut_on, leads_to="keep"))
        else:
            lines.append(Line("step_down", _percent(-base, rules.cut_percent), rules.cut_percent))
    elif proven:
        lines += _step_up(base, behaviour, rules, standing, reasons)
    total = sum((line.amount for line in lines), Decimal(0))
    proposed = base if len(lines) == 1 else tidy(total, ROUND_DOWN)
    if proposed != total:
        lines.append(Line("rounding", proposed - total))
    move = "first" if standing.limit is None else _direction(proposed, standing.limit)
    return Proposal(
        risk, move, standing.limit, proposed, tuple(reasons), (*lines, Line("proposed", proposed))
    )


def tidy(amount: Decimal, rounding: str) -> Decimal:
    """A limit as people say it: whole units, and from the fourth figure on zeros.

    >>> [str(tidy(Decimal(n), ROUND_DOWN)) for n in ("15625", "6250", "147.33", "0.5")]
    ['15600', '6250', '147', '0']
    >>> str(tidy(Decimal("147.33"), ROUND_UP))
    '148'
    """
    unit = Decimal(10) ** max(0, amount.adjusted() + 1 - FIGURES)
    return (amount / unit).to_integral_value(rounding=rounding) * unit


def _warnings(behaviour: Behaviour, rules: Rules) -> list[Reason]:
    """The signs each of which lowers a limit."""
    share, late = behaviour.on_time_percent, behaviour.days_late
    found = []
    if share is not None and behaviour.judged >= FEWEST and share < rules.cut_on_time:
        found.append(Reason("share_low", share, rules.cut_on_time, "down"))
    if late is not None and late >= rules.cut_days_late:
        found.append(Reason("days_late_high", late, rules.cut_days_late, "down"))
    if rules.most_overdue_days and behaviour.overdue_days >= rules.most_overdue_days:
        found.append(Reason("overdue_long", behaviour.overdue_days, rules.most_overdue_days, "down"))
    if rules.most_promises and behaviour.broken_promises >= rules.most_promises:
        found.append(Reason("promises_broken", behaviour.broken_promises, rules.most_promises, "down"))
    if rules.most_returned and behaviour.returned >= rules.most_returned:
        found.append(Reason("payments_returned", behaviour.returned, rules.most_returned, "down"))
    return found


def _proof(behaviour: Behaviour, rules: Rules) -> list[Reason]:
    """What has to be true, all of it, before a limit grows."""
    share = behaviour.on_time_percent if behaviour.on_time_percent is not None else Decimal(0)
    facts: Sequence[tuple[str, Any, Any, bool]] = [
        ("months", behaviour.months, rules.raise_months, behaviour.months >= rules.raise_months),
        ("invoices", behaviour.judged, FEWEST, behaviour.judged >= FEWEST),
        ("share", share, rules.raise_on_time, share >= rules.raise_on_time),
        ("days_late", behaviour.days_late, rules.cut_days_late, (behaviour.days_late or 0) < rules.cut_days_late),
        ("trend", behaviour.trend, "", behaviour.trend != "worse"),
        ("overdue", behaviour.overdue, Decimal(0), not behaviour.overdue),
        ("promises", behaviour.broken_promises, 0, not behaviour.broken_promises),
        ("returned", behaviour.returned, 0, not behaviour.returned),
    ]
    return [Reason(code, saw, needs, "up" if holds else "keep") for code, saw, needs, holds in facts]


def _base(behaviour: Behaviour, rules: Rules, standing: Standing, *, proven: bool) -> tuple[Decimal, Line]:
    """The limit in force; without one the most that was owed, and for the unproven at most the starting limit."""
    if standing.limit is not None:
        return standing.limit, Line("limit", standing.limit)
    peak = tidy(behaviour.peak, ROUND_UP)
    if rules.starting is not None and (not peak or (not proven and peak > rules.starting)):
        return rules.starting, Line("starting", rules.starting)
    return peak, Line("peak", peak)


def _cut_already(behaviour: Behaviour, standing: Standing) -> bool:
    """The signs of today led to a cut before; nothing has come since."""
    if standing.cut_on is None:
        return False
    return behaviour.last_sign_on is None or behaviour.last_sign_on <= standing.cut_on


def _step_up(
    base: Decimal, behaviour: Behaviour, rules: Rules, standing: Standing, reasons: list[Reason]
) -> list[Line]:
    if standing.raised_on is not None:
        since = full_months(standing.raised_on, behaviour.as_of)
        proven_anew = since >= rules.raise_months
        reasons.append(Reason("last_step", since, rules.raise_months, "up" if proven_anew else "keep"))
        if not proven_anew:
            return []
    lines = [Line("step_up", _percent(base, rules.raise_percent), rules.raise_percent)]
    if rules.highest is not None and base + lines[0].amount > rules.highest:
        room = max(rules.highest, base)
        reasons.append(Reason("highest", base + lines[0].amount, rules.highest, "keep"))
        lines.append(Line("above_highest", room - base - lines[0].amount))
    return lines


def _percent(base: Decimal, percent: int) -> Decimal:
    """So many percent, in whole units towards zero."""
    return (base * percent / 100).to_integral_value(rounding=ROUND_DOWN)


def _direction(proposed: Decimal, current: Decimal) -> str:
    if proposed == current:
        return "keep"
    return "up" if proposed > current else "down"
