"""By which rule an invoice bears interest, day after day: the policy that holds for it, in its versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from django.db.models import Min

from core.errors import Refused
from invoices.interest import CONTRACT, NONE, Claim, Quiet, Rule
from invoices.models import InterestNotice, Invoice
from invoices.rates import RateStep
from invoices.services.parts import plans_of
from invoices.services.rules import rates_for, rule_of
from invoices.spans import Held, Span, spans
from policies.models import CompanyPolicy, InterestRule, Policy
from policies.precedence import chosen_for

DAY = dt.timedelta(days=1)
_quarrels: list[Callable[[int], list[Quiet]]] = []


def register_quarrels(find: Callable[[int], list[Quiet]]) -> None:
    """Let an app that stands above say on which days which amount of an invoice (by its id) was disputed."""
    _quarrels.append(find)


def disputed_days(invoice: Invoice) -> list[Quiet]:
    """The days on which an invoice, or an amount of it, was disputed."""
    return [quiet for find in _quarrels for quiet in find(invoice.pk)]


class Policies:
    """The versions of policies with their rules, and the rates, each asked for once: for one night or one page."""

    def __init__(self) -> None:
        self._usual: dict[int, str] = {}
        self._versions: dict[tuple[str, dt.date], list[tuple[Policy, dt.date, Rule]]] = {}
        self._rates: dict[tuple[Rule, Decimal, dt.date, dt.date, str], tuple[RateStep, ...]] = {}

    def name_for(self, invoice: Invoice) -> str:
        """The name of the policy that holds for an invoice: its own, else its client's, its segment's, the company's.

        Empty where the company has none.
        """
        near = chosen_for(invoice.client, invoice.policy_name).name
        if near:
            return near
        if invoice.company_id not in self._usual:
            choice = CompanyPolicy.objects.filter(company=invoice.company_id).first()
            self._usual[invoice.company_id] = choice.name if choice else ""
        return self._usual[invoice.company_id]

    def in_force(self, invoice: Invoice, on: dt.date) -> Policy | None:
        """The version that holds for an invoice on a day; None where none does."""
        versions = self.versions(self.name_for(invoice), on)
        return versions[-1][0] if versions else None

    def rule(self, invoice: Invoice, on: dt.date) -> Rule:
        """The rule in force for an invoice on a day; by contract where the company has no policy."""
        versions = self.versions(self.name_for(invoice), on)
        return versions[-1][2] if versions else CONTRACT

    def versions(self, name: str, on: dt.date) -> list[tuple[Policy, dt.date, Rule]]:
        """Each version of a policy begun by a day with the rule it charges by; twice where the rule itself changed."""
        if not name:
            return []
        if (name, on) not in self._versions:
            rows = list(Policy.objects.filter(name=name, effective_from__lte=on).order_by("effective_from"))
            ends = [*(row.effective_from for row in rows[1:]), on + DAY]
            found = []
            for row, end in zip(rows, ends, strict=False):  # a name without a version has none
                changed = InterestRule.objects.filter(
                    code=row.interest, effective_from__gt=row.effective_from, effective_from__lt=end
                )
                days = sorted(changed.values_list("effective_from", flat=True))
                found += [(row, day, _rule_on(row.interest, day)) for day in (row.effective_from, *days)]
            self._versions[name, on] = found
        return self._versions[name, on]

    def rates(self, rule: Rule, percent: Decimal, start: dt.date, until: dt.date, source: str) -> tuple[RateStep, ...]:
        """``rates_for``, asked once."""
        own = rule.percent is None and not rule.series
        key = (rule, percent if own else Decimal(0), start, until, source if own else "")
        if key not in self._rates:
            self._rates[key] = rates_for(rule, invoice_percent=percent, start=start, until=until, source=source)
        return self._rates[key]


def _rule_on(code: str, day: dt.date) -> Rule:
    """The rule of a code on a day; a rule whose first version begins later charges nothing before it."""
    try:
        return rule_of(code, day)
    except Refused:
        if InterestRule.objects.filter(code=code).exists():
            return NONE
        raise


def first_due(invoice: Invoice) -> dt.date:
    """The day the first of it was due; the due day of an invoice in parts moves on when that is paid."""
    assert invoice.due_on is not None
    return plans_of([invoice.pk])[invoice.pk][0].due_on if invoice.in_parts else invoice.due_on


def spans_of(invoice: Invoice, on: dt.date, policies: Policies | None = None) -> list[Span]:
    """By which rule an invoice bears interest on which days, as seen from a day.

    Empty before anything lets it bear interest, and while the version in force charges none.
    """
    if invoice.due_on is None:
        return []
    versions = (policies or Policies())
    held = versions.versions(versions.name_for(invoice), on)
    if held and not held[-1][2].charges:
        return []
    due = first_due(invoice)
    told = InterestNotice.objects.standing().filter(invoice=invoice).aggregate(on=Min("interest_from"))["on"]
    if not held:
        return spans(due, [Held(dt.date.min, CONTRACT, starts_by(CONTRACT, invoice, due, told))])
    rows, seen = [], set[int]()
    for policy, from_on, rule in held:
        one = Held(
            from_on, rule, starts_by(rule, invoice, due, told), version=policy.pk,
            already_overdue=policy.already_overdue,  # type: ignore[arg-type]
            chosen_on=policy.already_overdue_from,
        )
        rows.append(replace(one, already_overdue="activation") if policy.pk in seen else one)
        seen.add(policy.pk)
    return spans(due, rows)


def starts_by(rule: Rule, invoice: Invoice, due_on: dt.date, told: dt.date | None) -> dt.date | None:
    """The first day that bears interest by a rule; None where none does, as things stand.

    By contract the day a notice named (``told``) or that was chosen when the item was taken over, at the percentage
    printed in the terms; by law so many days after the due date. An item taken over for which no day was chosen bears
    none before our own notice. Never before the day after the due date.
    """
    if not rule.charges or (uses_terms(rule) and invoice.late_percent <= 0):
        return None
    earliest = Claim(Decimal(0), invoice.currency, due_on).starts_on(rule)
    chosen = invoice.intake.interest_from if invoice.intake else None
    named = [day for day in (told, chosen) if day is not None]
    if rule.starts == "notice" or invoice.is_taken_over:
        if not named:
            return None
        floor = min(named) if rule.starts == "notice" else chosen or min(named)
        return max(floor, earliest)
    return earliest


def uses_terms(rule: Rule) -> bool:
    """It charges the percentage printed in the terms of the invoice."""
    return rule.percent is None and not rule.series
