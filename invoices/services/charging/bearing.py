"""By which rule an invoice bears interest, day after day: the policy that holds for it, in its versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from decimal import Decimal
from typing import Any, NamedTuple, cast

from django.db.models import Min, Q, Sum

from core.errors import Refused
from invoices.interest import CONTRACT, NONE, Claim, Quiet, Rule
from invoices.models import RECEIVABLE, Entry, InterestNotice, Invoice
from invoices.rates import RateStep
from invoices.services.parts import plans_of
from invoices.services.rules import rates_for, rule_of
from invoices.spans import Choice, Held, Span, spans
from policies.choices import EVER, History, Since, Subject, policies_by_day
from policies.models import InterestRule, Policy
from policies.services.choices import company_s_policy, history_of, segments_in, subject_of

DAY = dt.timedelta(days=1)
_quarrels: list[Callable[[int], list[Quiet]]] = []


def register_quarrels(find: Callable[[int], list[Quiet]]) -> None:
    """Let an app that stands above say on which days which amount of an invoice (by its id) was disputed."""
    _quarrels.append(find)


def disputed_days(invoice: Invoice) -> list[Quiet]:
    """The days on which an invoice, or an amount of it, was disputed."""
    return [quiet for find in _quarrels for quiet in find(invoice.pk)]


class Holding(NamedTuple):
    """A version of a policy, with the rule it charges by and the day from which it holds with that rule.

    ``chosen``: where, and from which day on, the policy was chosen in place of another.
    """

    policy: Policy
    from_on: dt.date
    rule: Rule
    chosen: Since | None = None

    @property
    def begins(self) -> bool:
        """The version itself begins on that day, so that what it says of overdue invoices holds."""
        was_chosen = self.chosen is not None and self.chosen.from_on == self.from_on
        return self.from_on == self.policy.effective_from and not was_chosen

    @property
    def posts(self) -> bool:
        """Its days are charged, now or later; not where interest is only noted, and where none is charged."""
        return self.rule.charges and self.policy.interest_posted != "noted"


class Policies:
    """The versions of policies with their rules, and the rates, each asked for once: for one night or one page."""

    def __init__(self) -> None:
        self._usual: dict[int, str] = {}
        self._changed: dict[int, tuple[int | None, History | None, Mapping[int, str]]] = {}
        self._lines: dict[Subject, tuple[Since, ...]] = {}
        self._versions: dict[tuple[str, dt.date], list[Holding]] = {}
        self._rates: dict[tuple[Rule, Decimal, dt.date, dt.date, str], tuple[RateStep, ...]] = {}

    def line(self, invoice: Invoice) -> tuple[Since, ...]:
        """Which policy holds for an invoice since when: its own, else its client's, its segment's, the company's.

        The name is empty where the company has none.
        """
        client = invoice.client
        if client.company_id not in self._usual:
            self._usual[client.company_id] = company_s_policy(client.company_id)
        usual = self._usual[client.company_id]
        return self.line_of(subject_of(client, invoice.pk, invoice.policy_name, usual))

    def line_of(self, asked: Subject) -> tuple[Since, ...]:
        """The same of an invoice of which only that is known; worked out once for all that are alike."""
        changed, segments = self.changes(asked.company, asked.client)
        alike = asked._replace(
            invoice=asked.invoice if ("invoice", asked.invoice) in changed else 0,
            client=asked.client if ("client", asked.client) in changed else 0,
        )
        if alike not in self._lines:
            self._lines[alike] = policies_by_day(alike, changed, segments)
        return self._lines[alike]

    def was_changed(self, company: int) -> bool:
        """Whether another policy was ever chosen for anybody in a company."""
        return bool(self.changes(company)[0])

    def changes(self, company: int, client: int | None = None) -> tuple[History, Mapping[int, str]]:
        """What was chosen anew in a company, with the present names of its segments where clients changed theirs.

        Read for the first client that is asked about alone, for a second one, or with none, for all of them.
        """
        whose, found, segments = self._changed.get(company, (client, None, {}))
        if found is None or whose not in (None, client):
            whose = client if found is None else None
            found = history_of(company, whose)
            segments = segments_in(found, company)
            self._changed[company] = whose, found, segments
        return found, segments

    def in_force(self, invoice: Invoice, on: dt.date) -> Policy | None:
        """The version that holds for an invoice on a day; None where none does."""
        held = self.holding(invoice, on)
        return held[-1].policy if held else None

    def rule(self, invoice: Invoice, on: dt.date) -> Rule:
        """The rule in force for an invoice on a day; by contract where the company has no policy."""
        held = self.holding(invoice, on)
        return held[-1].rule if held else CONTRACT

    def holding(self, invoice: Invoice, on: dt.date) -> list[Holding]:
        """Every version that held for an invoice by a day, one after the other; empty where the company has none."""
        return self.held(self.line(invoice), on)

    def held(
        self, line: Sequence[Since], on: dt.date, tried: Mapping[str, Sequence[Holding]] | None = None
    ) -> list[Holding]:
        """The versions of the policies that were chosen one after the other, each as long as it was; by a day.

        ``tried`` are the versions of a policy in place of its own.
        """
        found: list[Holding] = []
        for n, since in enumerate(line):
            last = min(line[n + 1].from_on - DAY if n + 1 < len(line) else on, on)
            versions = (tried or {}).get(since.name) or self.versions(since.name, on)
            if since.from_on == EVER:
                found += [one for one in versions if one.from_on <= last]
                continue
            begun = [one for one in versions if one.from_on <= since.from_on <= last]
            held = [one._replace(from_on=max(one.from_on, since.from_on), chosen=since) for one in versions]
            found += [*held[: len(begun)][-1:], *(one for one in held[len(begun) :] if one.from_on <= last)]
        return found

    def versions(self, name: str, on: dt.date) -> list[Holding]:
        """Each version of a policy begun by a day with the rule it charges by; twice where the rule itself changed."""
        if not name:
            return []
        if (name, on) not in self._versions:
            rows = list(Policy.objects.filter(name=name, effective_from__lte=on).order_by("effective_from"))
            self._versions[name, on] = _with_rules(rows, on)
        return self._versions[name, on]

    def with_version(self, policy: Policy, begins: dt.date, on: dt.date) -> list[Holding]:
        """The same where a version, kept or only thought of, begins on a day and all later ones are not there."""
        rows = list(Policy.objects.filter(name=policy.name, effective_from__lt=begins).order_by("effective_from"))
        tried = copy(policy)
        tried.effective_from = begins
        return _with_rules([*rows, tried], on)

    def rates(self, rule: Rule, percent: Decimal, start: dt.date, until: dt.date, source: str) -> tuple[RateStep, ...]:
        """``rates_for``, asked once."""
        own = rule.percent is None and not rule.series
        key = (rule, percent if own else Decimal(0), start, until, source if own else "")
        if key not in self._rates:
            self._rates[key] = rates_for(rule, invoice_percent=percent, start=start, until=until, source=source)
        return self._rates[key]


def _with_rules(rows: Sequence[Policy], on: dt.date) -> list[Holding]:
    ends = [*(row.effective_from for row in rows[1:]), on + DAY]
    found = []
    for row, end in zip(rows, ends, strict=False):  # a name without a version has none
        changed = InterestRule.objects.filter(
            code=row.interest, effective_from__gt=row.effective_from, effective_from__lt=end
        )
        days = sorted(changed.values_list("effective_from", flat=True))
        found += [Holding(row, day, _rule_on(row.interest, day)) for day in (row.effective_from, *days)]
    return found


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
    """By which rule an invoice bears interest on which days, and which of them are charged, as seen from a day.

    Empty before anything lets it bear interest. Days of a version that charges none are in no span.
    """
    if invoice.due_on is None:
        return []
    told = InterestNotice.objects.standing().filter(invoice=invoice).aggregate(on=Min("interest_from"))["on"]
    held = (policies or Policies()).holding(invoice, on)
    return spans_by(held, invoice, first_due(invoice), told, lambda day: not _settled_by(invoice, day))


def spans_by(
    held: Sequence[Holding], invoice: Invoice, due: dt.date, told: dt.date | None, was_owed: Callable[[dt.date], bool]
) -> list[Span]:
    """The same for versions that are known; what a version says of overdue invoices holds for those owed when it began.

    ``told`` is the day a notice named, ``was_owed`` says whether anything was open at the end of a day.
    """
    if not held:
        return spans(due, [Held(dt.date.min, CONTRACT, starts_by(CONTRACT, invoice, due, told))])
    rows = []
    for one in held:
        policy, from_on, rule = one.policy, one.from_on, one.rule
        choice = cast(Choice, policy.already_overdue)
        asks = one.begins and due < from_on
        if choice != "activation" and not (asks and was_owed(from_on - DAY)):
            choice = "activation"
        rows.append(Held(
            from_on, rule, starts_by(rule, invoice, due, told), choice, policy.already_overdue_from, policy.pk,
            posts=policy.interest_posted != "noted", by_choice=one.chosen,
        ))  # fmt: skip
    return spans(due, rows)


def _settled_by(invoice: Invoice, day: dt.date) -> bool:
    """Whether all of an invoice was paid or credited by the end of a day."""
    moves = Entry.objects.filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), invoice=invoice, effective_on__lte=day)
    sums: dict[str, Any] = moves.exclude(kind="issue").aggregate(
        paid=Sum("amount", filter=Q(cr=RECEIVABLE)), back=Sum("amount", filter=Q(dr=RECEIVABLE))
    )
    paid: Decimal = (sums["paid"] or Decimal(0)) - (sums["back"] or Decimal(0))
    return bool(paid >= invoice.total)


def posted_until(held: Sequence[Holding], on: dt.date) -> tuple[Policy, dt.date] | None:
    """By which version days are charged, and the last of them by a day; None where none ever are.

    Where the version in force charges none, or only notes it, what was earned before it began is still charged as the
    version before says. What was overdue is judged by the new version from the day that was chosen.
    """
    last = on
    for one in reversed(held):
        if one.posts:
            return one.policy, last
        first = one.from_on
        if one.policy.already_overdue == "due_date" and one.begins:
            return None
        if one.policy.already_overdue == "chosen" and one.policy.already_overdue_from and one.begins:
            first = min(first, one.policy.already_overdue_from)
        last = min(last, first - DAY)
    return None


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
