"""A reminder in words: those shipped, or the company's own for the step; and the facts both are made of."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from django.utils.translation import gettext as _

from core.dates import show_day
from core.money import show
from invoices.paying import percent
from invoices.services.charging import uses_terms
from policies.models import Step, StepText
from policies.services import step_text_of
from policies.services.guard_rails import given_by, rails_at
from policies.step_texts import filled, names_in, paragraphs

from .notice_facts import Item, Reminder, sums_of
from .wording import (
    Facts,
    cash_only_words,
    claims_words,
    entitled_words,
    fee_words,
    interest_words,
    manner_of,
    paragraphs_of,
    pay_by_words,
    subject_of,
)


def subject_for(reminder: Reminder, language: str) -> str:
    """The subject of the mail and of the letter: our own where it can be said, else the one shipped."""
    facts = facts_for(reminder, reminder.step, reminder.told, language)
    own = text_for(reminder, reminder.step, language)
    values = _values(reminder, facts, spoken_of(reminder, reminder.step, reminder.told))
    said = filled(own.subject, values) if own and own.subject else None
    return said or subject_of(manner_of(reminder.step), facts)


def paragraphs_for(reminder: Reminder, language: str, *, on_paper: bool = False) -> list[str]:
    """The furthest step sets the tone; a mandatory notice that other items are served with is given beside it."""
    told = reminder.told
    said = _of_a_step(reminder, reminder.step, told, language, on_paper=on_paper)
    others = {item.step for item in told if item.step and item.step.mandatory and item.step != reminder.step}
    for step in sorted(others, key=lambda step: -step.offset_days):
        items = [item for item in told if item.step == step]
        numbers = ", ".join(str(item.invoice.number) for item in items)
        said.append(_("For %(numbers)s:") % {"numbers": numbers})
        said += _of_a_step(reminder, step, items, language, on_paper=on_paper)
    return said


def text_for(reminder: Reminder, step: Step, language: str) -> StepText | None:
    """Our own words for a step, or those that somebody tries out; None where the words shipped hold."""
    if reminder.draft is not None and step == reminder.step:
        return reminder.draft
    return step_text_of(step.policy.name, step.code, step.tone, language)


def _of_a_step(
    reminder: Reminder, step: Step, items: Sequence[Item], language: str, *, on_paper: bool
) -> list[str]:
    facts = facts_for(reminder, step, items, language)
    facts = replace(facts, by_post=facts.by_post and not on_paper)
    own = text_for(reminder, step, language)
    said = paragraphs(own.text, _values(reminder, facts, spoken_of(reminder, step, items))) if own and own.text else []
    if own is None or not said:
        return paragraphs_of(manner_of(step), facts)
    return said + _what_must_be_said(names_in(own.text), facts, step)


def _what_must_be_said(named: Sequence[str], facts: Facts, step: Step) -> list[str]:
    """What follows from a message stands in it, whether somebody's own words name it or not."""
    must: list[tuple[str, str]] = [
        ("pay_by", pay_by_words() if step.mandatory and facts.pay_by else ""),
        ("interest_notice", facts.interest_notice),
        ("interest", claims_words(facts)),
        ("compensation", claims_words(facts)),
        ("fees", fee_words(facts)),
        ("cash_only", cash_only_words() if facts.cash_only and step.sets_cash_only else ""),
    ]
    said = [words for name, words in must if words and name not in named]
    values = {
        "pay_by": facts.pay_by, "interest": facts.interest, "compensation": facts.compensation, "fees": facts.fees,
    }
    return [words % values if "%(" in words else words for words in dict.fromkeys(said)]


def _values(reminder: Reminder, facts: Facts, items: Sequence[Item]) -> Mapping[str, str]:
    """What stands for each name of ``policies.step_texts.NAMES``; empty where there is nothing to say."""
    first, _space, last = reminder.to.name.strip().rpartition(" ")
    late = max((reminder.on - item.due_on).days for item in items)
    return {
        "client": reminder.client.name, "contact": reminder.to.name, "first_name": first or last, "last_name": last,
        "number": facts.number, "numbers": ", ".join(str(item.invoice.number) for item in items),
        "count": str(facts.count), "total": facts.total, "owed": facts.owed, "due": facts.due,
        "days_late": str(late) if late > 0 else "",
        "pay_by": facts.pay_by, "interest_notice": facts.interest_notice or facts.entitled, "interest": facts.interest,
        "compensation": facts.compensation, "fees": facts.fees,
        "cash_only": cash_only_words() if facts.cash_only else "", "company": reminder.client.company.name,
        "sender": signature(reminder)[0],
    }


def signature(reminder: Reminder) -> list[str]:
    """The named manager of the account, where it has one, and the company."""
    owner = reminder.client.owner
    name = owner.get_full_name() if owner else ""
    return [line for line in (name, reminder.client.company.name) if line]


def facts_for(reminder: Reminder, step: Step, told: Sequence[Item], language: str) -> Facts:
    """What the words of a step say about the items served with it."""
    on, meant = reminder.on, spoken_of(reminder, step, told)
    first = min(meant, key=_by_age)
    total = _left(reminder, meant, language, lambda item: item.asked + item.charged)
    all_in = _amounts(reminder.net, language)
    given = given_by(step, rails_at(step.policy, reminder.client.country or reminder.client.company.country))
    pay_by = on + dt.timedelta(days=given.within) if given.within else None
    starts = _interest_starts(reminder, step, told, given.notice)
    to_come = [start for start in starts if start > on]
    if pay_by and to_come and pay_by >= min(to_come):
        pay_by = min(to_come) - dt.timedelta(days=1)  # the day of a payment still bears interest
    shown_pay_by = show_day(pay_by, language) if pay_by else ""
    return Facts(
        count=len(meant),
        number=str(first.invoice.number),
        total=total,
        owed=_left(reminder, meant, language, lambda item: item.asked),
        all_in="" if len(meant) == len(reminder.items) or step != reminder.step else all_in,
        due=show_day(first.due_on, language),
        oldest_due=show_day(first.due_on, language),
        pay_by=shown_pay_by,
        interest_notice=_interest_notice(starts, meant, on, language),
        may_charge=any(_needs_notice(item) for item in told),
        entitled=_entitled(told, on, shown_pay_by, language),
        interest=_sum("interest", told, language),
        compensation=_sum("compensation", told, language) if step.claims_interest else "",
        fees=_sum("fee_now", told, language),
        copied=reminder.copies_colleague,
        by_post=step.channel == "letter",
        cash_only=step.sets_cash_only or reminder.is_cash_only,
        may_be_cash_only=not reminder.is_cash_only,
        may_be_handed_over=reminder.may_be_handed_over,
        reminders_before=min(item.reminded for item in meant),
    )


def spoken_of(reminder: Reminder, step: Step, told: Sequence[Item]) -> Sequence[Item]:
    """Of which items the words of a step are true: sum, number, day and count all speak of these and no others.

    A look ahead speaks of what is still to fall due, an invoice sent again of itself, a statement of all that is open,
    any other reminder of all that is overdue, whether it is served with this message or was before. A notice given
    beside the leading one speaks of the items ``told`` with it.
    """
    if step != reminder.step:
        return told
    manner, on = manner_of(step), reminder.on
    if manner == "statement":
        return reminder.items
    if manner == "reissue":
        return [item for item in told if item.step and item.step.attach_invoice]
    if manner == "before_due":
        return [item for item in reminder.items if item.due_on >= on] or told
    return [item for item in reminder.items if item.due_on < on or (item.step and item.step.offset_days >= 0)]


def _left(reminder: Reminder, items: Sequence[Item], language: str, sum_of: Callable[[Item], Decimal]) -> str:
    """What is asked for some of the items once unapplied cash is taken off, the oldest of all first; per currency.

    Items that the cash would cover are named with what stands on them: the list below takes it off.
    """
    cash, meant = dict(reminder.cash), {item.invoice.pk for item in items}
    left: dict[str, Decimal] = defaultdict(Decimal)
    for item in sorted(reminder.items, key=_by_age):
        currency, amount = item.invoice.currency, sum_of(item)
        taken = min(cash.get(currency, Decimal(0)), amount)
        cash[currency] = cash.get(currency, Decimal(0)) - taken
        if item.invoice.pk in meant:
            left[currency] += amount - taken
    sums = {currency: amount for currency, amount in left.items() if amount}
    return _amounts(sums or sums_of(items), language)


def _by_age(item: Item) -> tuple[dt.date, int]:
    return item.due_on, item.invoice.pk or 0


def _needs_notice(item: Item) -> bool:
    """Its interest begins with a notice, at a rate that is known; otherwise the law gives it from a day on."""
    rule, invoice = item.rule, item.invoice
    if not rule.charges or not (rule.starts == "notice" or invoice.is_taken_over):
        return False
    return invoice.late_percent > 0 or not uses_terms(rule)


def _entitled(told: Sequence[Item], on: dt.date, pay_by: str, language: str) -> str:
    """By law: since when we are entitled to interest on what is late; and by when it is not claimed, where none is."""
    late = [
        item for item in told
        if item.rule.charges and item.rule.starts != "notice" and item.starts_on and item.starts_on <= on
    ]
    if not late:
        return ""
    still_to_claim = not any(item.is_charged for item in late)
    since = min(item.starts_on for item in late if item.starts_on)
    return entitled_words(show_day(since, language), pay_by if still_to_claim else "")


def _interest_starts(
    reminder: Reminder, step: Step, told: Sequence[Item], notice_days: int | None
) -> dict[dt.date, list[Item]]:
    """From which day which of the items a step gives notice for bear interest: as told before, or as told now."""
    starts: dict[dt.date, list[Item]] = defaultdict(list)
    if notice_days:
        notice = reminder.on + dt.timedelta(days=notice_days)
        for item in told:
            if item.step == step and _needs_notice(item):
                starts[item.starts_on or notice].append(item)
    return starts


def _interest_notice(
    starts: Mapping[dt.date, list[Item]], told: Sequence[Item], on: dt.date, language: str
) -> str:
    """The notice of interest in words; where it is not the same for all items, it names those it is about."""
    said = []
    for start, items in sorted(starts.items()):
        printed = [item for item in items if uses_terms(item.rule)]
        rates = sorted({item.invoice.late_percent for item in printed}) if len(printed) == len(items) else []
        words = interest_words(
            show_day(start, language), " / ".join(percent(rate, language) for rate in rates), is_running=start <= on
        )
        numbers = ", ".join(str(item.invoice.number) for item in items)
        names = _("For %(numbers)s:") % {"numbers": numbers}
        said.append(words if len(items) == len(told) else f"{names} {words}")
    return " ".join(said)


def _sum(of: str, told: Sequence[Item], language: str) -> str:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for item in told:
        sums[item.invoice.currency] += getattr(item, of)
    return _amounts({currency: amount for currency, amount in sums.items() if amount}, language)


def _amounts(sums: Mapping[str, Decimal], language: str) -> str:
    return " + ".join(show(amount, currency, language) for currency, amount in sorted(sums.items()))
