"""Rules of late interest in versions, and the reference rates they are worked out with."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.services import record
from core.dates import add_months, half_year, half_year_start
from core.errors import Refused
from core.models import as_text
from policies.interest import RULES, Rule, check_rule, up_to
from policies.models import InterestRule, Policy, ReferenceRate
from policies.rate_files import NewRate

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


def _plain(number: Decimal | int | None) -> Decimal | None:
    """Without the zeros the column adds, so that a derivation reads the same wherever its rule comes from."""
    return None if number is None else Decimal(f"{Decimal(number).normalize():f}")


# ── Reference rates ─────────────────────────────────────────────────────


def add_rate(
    series: str, *, from_on: dt.date, valid_through: dt.date, percent: Decimal, source: str, by: Any
) -> ReferenceRate:
    """Enter what a reference rate was from a day through a day, percent a year, with where it was published.

    Refused where it ends before it begins, has no source, is no percentage, or overlaps what is entered already.
    """
    values = NewRate(series.strip(), from_on, valid_through, percent, source.strip())
    _check_new_rate(values)
    with transaction.atomic():
        over = _overlapping(values)
        if over is not None:
            raise Refused(_overlap_said(values, over), code="overlap", where="from_on")
        return _enter(values, by)


def withdraw_rate(rate: ReferenceRate, *, reason: str, by: Any) -> ReferenceRate:
    """Take a wrong row out of use, for a reason that is kept; what was worked out with it keeps its derivation.

    Refused without a reason, and where it is withdrawn already.
    """
    if not reason.strip():
        raise Refused("Write why this rate is withdrawn.", code="reason", where="reason")
    with transaction.atomic():
        rate = ReferenceRate.objects.select_for_update().get(pk=rate.pk)
        if rate.withdrawn_at is not None:
            raise Refused("This rate is withdrawn already.", code="withdrawn")
        rate.withdrawn_at, rate.withdrawn_by = timezone.now(), as_text(by)[:150]
        rate.withdrawn_because = reason.strip()[:300]
        rate.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_because"])
        record(by, "rate_withdrawn", rate, summary=f"{rate}: {rate.withdrawn_because}")
    return rate


def check_rate(rate: ReferenceRate, *, by: Any) -> ReferenceRate:
    """Keep that a second person compared the row with its source.

    Refused for the person who entered it, and for a row that is checked or withdrawn already.
    """
    who = as_text(by)[:150]
    with transaction.atomic():
        rate = ReferenceRate.objects.select_for_update().get(pk=rate.pk)
        if rate.withdrawn_at is not None:
            raise Refused("This rate is withdrawn; there is nothing to check.", code="withdrawn")
        if rate.checked_by:
            raise Refused(f"{rate.checked_by} has checked this rate already.", code="checked")
        if rate.entered_by == who:
            raise Refused("You entered this rate yourself; a second person checks it.", code="second_person")
        rate.checked_by = who
        rate.save(update_fields=["checked_by"])
        record(by, "rate_checked", rate, summary=str(rate))
    return rate


@dataclass
class Taken:
    """What became of the rows of a file: entered, there already, refused with a sentence."""

    created: list[NewRate] = field(default_factory=list)
    unchanged: list[NewRate] = field(default_factory=list)
    refused: list[tuple[NewRate, str]] = field(default_factory=list)


def take_rates(rates: Sequence[NewRate], *, by: Any, dry_run: bool = False) -> Taken:
    """Enter the rows of a file that are not there yet, all or (where one is refused) none.

    What is entered already with the same percentage for all its days is left as it is, so a second time changes
    nothing. A row that contradicts one that stands is refused: withdraw that one first.
    """
    taken = Taken()
    try:
        with transaction.atomic():
            for rate in rates:
                try:
                    _check_new_rate(rate)
                except Refused as refused:
                    taken.refused.append((rate, refused.message))
                    continue
                over = _overlapping(rate)
                if over is None:
                    _enter(rate, by)
                    taken.created.append(rate)
                elif over.percent == rate.percent and over.covers(rate.from_on) and over.covers(rate.valid_through):
                    taken.unchanged.append(rate)
                else:
                    taken.refused.append((rate, _overlap_said(rate, over)))
            if taken.refused or dry_run:
                raise _NotKept
    except _NotKept:
        if taken.refused:
            taken.created = []
    return taken


class _NotKept(Exception):
    """Nothing of a file is kept."""


def _check_new_rate(rate: NewRate) -> None:
    if not re.fullmatch(r"[a-z0-9_]{2,40}", rate.series):
        raise Refused(
            "A reference rate is named in small letters, digits and underscores, such as ecb_mro_reference.",
            code="series", where="series",
        )  # fmt: skip
    if rate.valid_through < rate.from_on:
        raise Refused(
            f"The rate ends on {rate.valid_through}, before it begins on {rate.from_on}.", where="valid_through"
        )
    if not rate.percent.is_finite() or not -100 <= rate.percent < 1000 or rate.percent != round(rate.percent, 4):
        raise Refused(
            f"{rate.percent} is not a percentage a year: from -100 to under 1000, with at most four decimals.",
            code="percent", where="percent",
        )  # fmt: skip
    if not rate.source:
        raise Refused("Write where the rate was published.", code="no_source", where="source")
    if "\x00" in rate.source:
        raise Refused("The source holds a character that cannot be kept; write it anew.", code="source", where="source")
    if len(rate.source) > 300:
        raise Refused("The source is longer than 300 letters; shorten it.", code="source", where="source")


def _overlapping(rate: NewRate) -> ReferenceRate | None:
    """A standing row of the series that shares a day with it."""
    rows = ReferenceRate.objects.standing().select_for_update().filter(series=rate.series)
    return rows.filter(from_on__lte=rate.valid_through, valid_through__gte=rate.from_on).first()


def _overlap_said(rate: NewRate, over: ReferenceRate) -> str:
    return (
        f"«{rate.series}» is {over.percent.normalize():f} % from {over.from_on} through {over.valid_through} already "
        f"({over.source}). Withdraw that row first, or choose other days."
    )


def _enter(rate: NewRate, by: Any) -> ReferenceRate:
    row = ReferenceRate.objects.create(
        series=rate.series, from_on=rate.from_on, valid_through=rate.valid_through, percent=rate.percent,
        source=rate.source, entered_by=as_text(by)[:150],
    )  # fmt: skip
    record(by, "rate_entered", row, summary=f"{row} through {row.valid_through}")
    return row


# ── What is missing ─────────────────────────────────────────────────────


@dataclass(frozen=True)
class MissingRow:
    """A half-year without a rate, of a series that a policy in force works with."""

    series: str
    from_on: dt.date
    valid_through: dt.date
    policies: tuple[str, ...]

    @property
    def period(self) -> str:
        return half_year(self.from_on)


def missing_rows(on: dt.date, name: str | None = None) -> list[MissingRow]:
    """The reference rates of the half-year of a day that policies in force (or the one named) need and nobody entered.

    What a withdrawn row said does not count.
    """
    names = [name] if name else Policy.objects.filter(effective_from__lte=on).values_list("name", flat=True).distinct()
    needed: dict[str, list[str]] = {}
    for policy in (Policy.objects.in_force(each, on) for each in sorted(set(names))):
        if policy is not None and (series := _series_of(policy.interest, on)):
            needed.setdefault(series, []).append(policy.name)
    begins = half_year_start(on)
    entered = ReferenceRate.objects.standing().filter(from_on__lte=begins, valid_through__gte=begins)
    there = set(entered.values_list("series", flat=True))
    ends = add_months(begins, 6) - dt.timedelta(1)
    return [MissingRow(s, begins, ends, tuple(who)) for s, who in sorted(needed.items()) if s not in there]


def _series_of(code: str, on: dt.date) -> str:
    try:
        rule = rule_of(code, on)
    except Refused:
        return ""
    return rule.series if rule.charges else ""


# ── Rules ───────────────────────────────────────────────────────────────

RULE_FIELDS = (*_SAME[1:], *_NUMBERS, "country", "compensation")


def add_interest_rule(
    code: str, *, effective_from: dt.date, values: Mapping[str, Any], on: dt.date, by: Any
) -> InterestRule:
    """The next version of a rule, or the first of a new one; a rule shipped by code is followed like any other.

    Refused: what contradicts itself (``policies.interest.check_rule``), a version of a known rule that begins today
    or earlier, two on one day. A reference rate nobody has entered yet is allowed; see ``warning_about``.
    """
    code = code.strip().upper()
    row = InterestRule(code=code, effective_from=effective_from, made_by=as_text(by)[:150], **values)
    row.compensation = [[str(least), str(lump)] for least, lump in row.compensation]
    check_rule(rule_from(row))
    if row.country and not re.fullmatch("[A-Z]{2}", row.country):
        raise Refused("A country is two capitals, such as NO.", where="country")
    known = code in RULES or InterestRule.objects.filter(code=code).exists()
    if known and effective_from <= on:
        raise Refused(
            "A version of a rule begins tomorrow at the earliest, so that today stays explained.",
            where="effective_from",
        )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            record(by, "interest_rule_made", row, summary=f"{row}: {row.title}")
    except IntegrityError:
        raise Refused(
            f"«{code}» already has a version from {effective_from.isoformat()}; choose another day.",
            where="effective_from",
        ) from None
    return row


def rate_today(rule: Rule, on: dt.date) -> str:
    """The percentage of a rule in the half-year of a day, in words, as for a debt that becomes late on that day."""
    if not rule.charges:
        return "none"
    if rule.percent is not None:
        return f"{rule.percent:f} %"
    if not rule.series:
        return "as printed in the terms of the invoice"
    begins = half_year_start(on)
    row = ReferenceRate.objects.standing().filter(series=rule.series, from_on__lte=begins, valid_through__gte=begins)
    rate = row.first()
    if rate is None:
        return f"no rate of {rule.series} is entered for {half_year(on)}"
    reference = Decimal(f"{rate.percent.normalize():f}")
    return f"{rule.percent_at(reference):f} % ({up_to(reference, rule.reference_up_to):f} + {rule.margin:f})"


def warning_about(rule: Rule) -> str:
    """A sentence where a rule asks for a reference rate of which no row is entered; empty otherwise."""
    if not rule.series or ReferenceRate.objects.standing().filter(series=rule.series).exists():
        return ""
    return (
        f"No rate of «{rule.series}» is entered yet: interest by the rule {rule.code} is refused until one is. Look "
        "whether the name is right."
    )
