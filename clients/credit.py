"""Whether to trust a client, and how far: the credit policy applied to what was found out. Pure; every rule is named.

What a decision does to limit and status belongs to services/deciding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from core.money import plain, round_money

MILDEST_FIRST = ("accept", "stricter", "prepayment", "decline")
OTHERWISE = ("otherwise", "limit_otherwise")


class Finding(NamedTuple):
    """A flag that a check raised: which, who raised it, and when."""

    flag: str
    provider: str
    checked_on: date


@dataclass(frozen=True)
class CheckFacts:
    """The newest check of a client, and every flag that still counts.

    ``score`` lies between ``scale_low``, the worst, and ``scale_high``, the best; a scale may run downwards.
    ``recommended_limit`` is in the currency of the decision.
    """

    provider: str
    checked_on: date
    valid_until: date
    score: Decimal | None = None
    scale_low: Decimal = Decimal(0)
    scale_high: Decimal = Decimal(100)
    recommended_limit: Decimal | None = None
    findings: Sequence[Finding] = ()


@dataclass(frozen=True)
class PolicyFacts:
    """What the credit policy in force asks; scores are percent of the scale, the starting limit of one currency."""

    accept_score: int
    stricter_score: int
    prepayment_score: int
    flag_outcomes: Mapping[str, str]
    starting_limit: Decimal | None
    stricter_days: int
    stricter_limit_percent: int
    deposit_percent: int


@dataclass(frozen=True)
class History:
    """What stands already: the limit apart from earlier decisions (None: none was ever set), and the days to pay.

    A limit that an earlier decision cut is not cut again by the next one on the same facts.
    """

    current_limit: Decimal | None = None
    usual_days: int | None = None


class Rule(NamedTuple):
    """One rule as it was applied: what it says, what it saw, what it needs, and which decision it leads to."""

    code: str
    says: str
    saw: str
    needs: str
    leads_to: str


@dataclass(frozen=True)
class Outcome:
    """What the policy decides; ``limit`` None leaves the limit as it is, ``terms_days`` None the client's terms."""

    outcome: str
    terms_days: int | None = None
    limit: Decimal | None = None
    deposit_percent: int = 0
    rules: tuple[Rule, ...] = field(default=())

    def decisive(self) -> tuple[Rule, ...]:
        """The rules that led to the decision."""
        return decisive_of(self.rules, self.outcome)


def decisive_of(rules: Sequence[Rule], outcome: str) -> tuple[Rule, ...]:
    """The rules that led to an outcome; where a person decided otherwise than the policy, that alone."""
    otherwise = tuple(rule for rule in rules if rule.code in OTHERWISE)
    return otherwise or tuple(rule for rule in rules if rule.leads_to == outcome)


def score_percent(score: Decimal, low: Decimal, high: Decimal) -> Decimal:
    """Where a score stands on its scale, in percent from the worst to the best, to one place, never rounded up.

    >>> score_percent(Decimal(62), Decimal(0), Decimal(100)), score_percent(Decimal(250), Decimal(600), Decimal(100))
    (Decimal('62.0'), Decimal('70.0'))
    """
    if low == high:
        raise ValueError("A scale has two ends.")
    return ((score - low) / (high - low) * 100).quantize(Decimal("0.1"), rounding=ROUND_DOWN)


def strictest(outcomes: Sequence[str]) -> str:
    """The strictest of several decisions; accept where there is none.

    >>> strictest(["accept", "prepayment", "stricter"])
    'prepayment'
    """
    return max(outcomes, key=MILDEST_FIRST.index, default="accept")


def decide(
    check: CheckFacts | None, policy: PolicyFacts, history: History, *, currency: str, on: date, instead: str = ""
) -> Outcome:
    """The credit policy applied: the strictest of its rules decides, and every rule says what it saw.

    Without a valid check nothing better than stricter terms is decided; a flag counts even where its check is no
    longer valid. A check alone never lifts a limit: it grows by review; who has none yet gets at most the starting one.
    ``instead`` is what a person decided otherwise; the rules then still say what the policy would have done.

    >>> policy = PolicyFacts(70, 45, 25, {"insolvency": "decline"}, Decimal(5000), 14, 50, 20)
    >>> check = CheckFacts("Agency", date(2026, 3, 2), date(2027, 3, 2), Decimal(81), recommended_limit=Decimal(12000))
    >>> decided = decide(check, policy, History(), currency="EUR", on=date(2026, 3, 2))
    >>> decided.outcome, decided.limit, decided.terms_days
    ('accept', Decimal('5000.00'), None)
    >>> decide(None, policy, History(usual_days=30), currency="EUR", on=date(2026, 3, 2)).outcome
    'stricter'
    """
    rules = [*_check_rules(check, policy, on), *_flag_rules(check, policy), *_advice_rules(check, currency)]
    outcome = strictest([rule.leads_to for rule in rules])
    if instead and instead != outcome:
        rules.append(Rule("otherwise", "A person decided otherwise", f"by policy: {outcome}", "", instead))
        outcome = instead
    if outcome in ("prepayment", "decline"):
        return Outcome(outcome, rules=tuple(rules))
    limit, why = _limit(check if check is not None and on <= check.valid_until else None, policy, history, currency)
    if outcome == "accept":
        return Outcome(outcome, limit=limit, rules=(*rules, why))
    days = min(policy.stricter_days, history.usual_days or policy.stricter_days)
    rules += [why, Rule(
        "stricter_days", "Stricter terms: days to pay", f"{history.usual_days or 'no'} days agreed",
        f"at most {policy.stricter_days}", "",
    )]  # fmt: skip
    if limit is not None:
        whole, limit = limit, round_money(limit * policy.stricter_limit_percent / 100, currency, ROUND_DOWN)
        rules.append(Rule(
            "stricter_limit", f"Stricter terms: {policy.stricter_limit_percent} % of the limit",
            f"{policy.stricter_limit_percent} % of {plain(whole, currency)}", f"{plain(limit, currency)} {currency}",
            "",
        ))  # fmt: skip
    if policy.deposit_percent:
        rules.append(Rule("deposit", "Stricter terms: a deposit", "", f"{policy.deposit_percent} % of the total", ""))
    return Outcome(outcome, days, limit, policy.deposit_percent, tuple(rules))


def _check_rules(check: CheckFacts | None, policy: PolicyFacts, on: date) -> list[Rule]:
    """A valid check is needed, and its score decides."""
    needs = "a check that is valid on the day"
    if check is None:
        return [Rule("valid_check", "There is a valid credit check", "no check", needs, "stricter")]
    seen = f"{check.provider}, {check.checked_on.isoformat()}, valid until {check.valid_until.isoformat()}"
    if check.valid_until < on:
        return [Rule("valid_check", "There is a valid credit check", seen, needs, "stricter")]
    valid = Rule("valid_check", "There is a valid credit check", seen, needs, "accept")
    asked = (
        f"{policy.accept_score} % accept, {policy.stricter_score} % stricter terms, "
        f"{policy.prepayment_score} % prepayment, less decline"
    )
    if check.score is None:
        return [valid, Rule("score", "The score says how far", "no score", asked, "stricter")]
    percent = score_percent(check.score, check.scale_low, check.scale_high)
    scale = f"{check.score.normalize():f} on {check.scale_low.normalize():f} to {check.scale_high.normalize():f}"
    steps = zip((policy.accept_score, policy.stricter_score, policy.prepayment_score), MILDEST_FIRST, strict=False)
    leads_to = next((outcome for least, outcome in steps if percent >= least), "decline")
    return [valid, Rule("score", "The score says how far", f"{scale}: {percent} %", asked, leads_to)]


def _flag_rules(check: CheckFacts | None, policy: PolicyFacts) -> list[Rule]:
    return [
        Rule(
            f"flag_{finding.flag}", f"Flag: {finding.flag.replace('_', ' ')}",
            f"{finding.provider}, {finding.checked_on.isoformat()}", "no such flag",
            policy.flag_outcomes.get(finding.flag, "accept"),
        )
        for finding in (check.findings if check else ())
    ]


def _advice_rules(check: CheckFacts | None, currency: str) -> list[Rule]:
    """Whoever recommends a limit of nothing advises against credit."""
    if check is None or check.recommended_limit is None or check.recommended_limit > 0:
        return []
    return [Rule(
        "no_limit_recommended", "The check recommends a limit", f"{check.provider}: 0 {currency}", "more than nothing",
        "prepayment",
    )]  # fmt: skip


def _limit(
    check: CheckFacts | None, policy: PolicyFacts, history: History, currency: str
) -> tuple[Decimal | None, Rule]:
    """The limit before anything is made stricter, and how it came about.

    What the check recommends, at most the limit in force, or the starting limit where none was ever set; without a
    recommendation just that.
    """
    recommended = check.recommended_limit if check else None
    most = history.current_limit if history.current_limit is not None else policy.starting_limit
    saw = "; ".join(
        f"{label} {plain(amount, currency) if amount is not None else 'none'}"
        for label, amount in (
            ("recommended", recommended), ("start by policy", policy.starting_limit),
            ("in force", history.current_limit),
        )
    )
    if recommended is not None:
        limit: Decimal | None = recommended if most is None else min(recommended, most)
        needs = "the recommended limit, at most the limit in force, or else the start by policy; more comes by review"
    else:
        limit = most
        needs = "the limit in force, or the start by policy"
    limit = None if limit is None else round_money(limit, currency, ROUND_DOWN)
    result = "no limit" if limit is None else f"{plain(limit, currency)} {currency}"
    return limit, Rule("limit", f"The limit: {result}", saw, needs, "")
