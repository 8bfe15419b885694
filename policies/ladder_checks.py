"""What a ladder and its policy may not say: contradictions found before a version is made, each in a sentence.

Pure. A sentence names the step and what to do. What the law of a country adds stands in ``policies.guard_rails``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from core.errors import Refused
from core.money import TooFine, parse_amount, places
from policies.guard_rails import StepValues, is_message, name_of
from policies.interest import Rule
from policies.quiet_periods import read_period

HANDED_OVER = "handed_over"
MOST_DAYS = 3650  # ten years: beyond, no calendar is sure to have the day
DAYS = {
    "spacing_days": "between two messages", "takeover_spacing_days": "between steps for items taken over",
    "promise_longest_days": "of the longest promise", "promise_grace_days": "of grace after a promised day",
    "claim_pause_days": "of pause after “already paid”", "bank_data_days": "of old bank data",
    "invoice_within_days": "until finished work is invoiced",
}  # fmt: skip
STEP_DAYS = {
    "offset_days": "to go", "pay_within_days": "to pay within", "repeats_every_days": "to repeat every",
    "interest_notice_days": "to charge interest after",
}  # fmt: skip
_EXCLUDE_EACH_OTHER = ({"slow", "reliable"}, {"first", "again"})
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+")
SUMS = {
    "minimum": "smallest sum for a message", "call_minimum": "smallest overdue sum for a call",
    "interest_dropped_under": "sum under which interest is dropped",
}  # fmt: skip


class Wrong(NamedTuple):
    """What is wrong: the sentence, the code of the step it speaks of ("" for the policy itself), and the field."""

    sentence: str
    step: str = ""
    where: str = ""


def wrong_with_ladder(steps: Sequence[StepValues], currencies: Collection[str] = ()) -> list[Wrong]:
    """What in a ladder contradicts itself. ``currencies`` are the codes there are; empty: not looked at.

    >>> first = {"code": "a", "title": "First", "offset_days": 8, "channel": "mail", "pay_within_days": 14}
    >>> second = {"code": "b", "title": "Second", "offset_days": 15, "channel": "mail"}
    >>> print(wrong_with_ladder([first, second])[0].sentence)
    “Second” comes on day +15, before day +22, by which “First” asks to pay; move it to day 22 or later.
    >>> wrong_with_ladder([first, second | {"offset_days": 22}])
    []
    """
    if not steps:
        return [Wrong("A policy needs at least one step.", where="steps")]
    in_order = sorted(steps, key=_offset)
    found = [*_twice(in_order), *_never_sent(in_order), *_after_handover(in_order), *_no_room(in_order)]
    for step in in_order:
        found += _of_a_step(step, currencies)
    return found


def wrong_with_values(
    values: Mapping[str, Any], rule: Rule | None, steps: Sequence[StepValues] = (), currencies: Collection[str] = ()
) -> list[Wrong]:
    """What in the values of a version contradicts itself or its ladder; ``rule`` is the one interest goes by.

    >>> from policies.interest import NONE
    >>> notice = {"code": "r", "title": "Invoice again", "offset_days": 30, "interest_notice_days": 7}
    >>> print(wrong_with_values({"interest": "NONE"}, NONE, [notice])[0].sentence)
    “Invoice again” gives notice of interest, and this policy charges none; empty its days of notice or choose a rule.
    """
    return [
        *_window(values), *_quiet(values), *_days(values), *_consumers(values, rule), *_already_overdue(values),
        *_no_interest(rule, steps), *_sums_of_policy(values, currencies),
    ]  # fmt: skip


def _offset(step: StepValues) -> int:
    return int(step["offset_days"])


def _wrong(step: StepValues, where: str, sentence: str) -> Wrong:
    return Wrong(f"{name_of(step)} {sentence}", str(step["code"]), where)


def _twice(steps: Sequence[StepValues]) -> Iterator[Wrong]:
    """Two steps of one code, or two on one day by one channel."""
    codes: set[str] = set()
    days: dict[tuple[int, str], StepValues] = {}
    for step in steps:
        code, day = str(step["code"]), (_offset(step), str(step["channel"]))
        if code in codes:
            yield Wrong(f"The code “{code}” stands twice; every step has its own.", code, "code")
        if day in days:
            both = f"{name_of(days[day])} and {name_of(step)}"
            yield Wrong(
                f"Two steps fall on day {day[0]:+d} by {day[1]}: {both}; move one of them by a day.", code,
                "offset_days",
            )  # fmt: skip
        codes.add(code)
        days[day] = step
    for step in steps:
        if step.get("also_call") and (_offset(step), "call") in days:
            other = days[(_offset(step), "call")]
            yield _wrong(step, "also_call", f"asks for a call on the day of {name_of(other)}; one call is enough.")


def _never_sent(steps: Sequence[StepValues]) -> Iterator[Wrong]:
    """A client gets one message a day: of a mail and a letter on one day the first has to have somebody to go to.

    It has where the second goes only to some; and a mandatory notice is given before whatever comes after it. Whoever
    wants mail and paper on one day makes one step of them: a letter goes by mail too.
    """
    messages = [step for step in steps if is_message(step)]
    for first, second in itertools.pairwise(messages):
        other = {str(first["channel"]), str(second["channel"])} == {"mail", "letter"}
        for_some = second.get("only_for") or second.get("minimum")
        if other and _offset(first) == _offset(second) and not for_some and not first.get("mandatory"):
            yield _wrong(
                first, "offset_days",
                f"would never be sent: {name_of(second)} goes to everybody on the same day, and a client gets one "
                "message a day. A letter goes by mail too: take one of the two out, move one by a day, or let "
                f"{name_of(second)} go only to some.",
            )  # fmt: skip


def _after_handover(steps: Sequence[StepValues]) -> Iterator[Wrong]:
    """Once a claim is handed over nobody but its new holder writes."""
    handover = next((step for step in steps if step.get("moves_stage_to") == HANDED_OVER), None)
    if handover is None:
        return
    for step in steps:
        if _offset(step) > _offset(handover):
            yield _wrong(
                step, "offset_days",
                f"comes on day {_offset(step):+d}, after {name_of(handover)} hands the claim over on day "
                f"{_offset(handover):+d}; move it before that day or take it out.",
            )  # fmt: skip


def _no_room(steps: Sequence[StepValues]) -> Iterator[Wrong]:
    """The next stage does not begin before the day by which a notice asks to pay; calls may be made meanwhile."""
    stages = [step for step in steps if is_message(step) or step.get("channel") == "review"]
    for place, step in enumerate(stages):
        within = step.get("pay_within_days")
        if not within or _offset(step) <= 0:
            continue
        pay_by = _offset(step) + int(within)
        for later in stages[place + 1 :]:
            if not _exclude(step, later) and _offset(step) < _offset(later) < pay_by:
                yield _wrong(
                    later, "offset_days",
                    f"comes on day {_offset(later):+d}, before day {pay_by:+d}, by which {name_of(step)} asks to pay; "
                    f"move it to day {pay_by} or later.",
                )  # fmt: skip
        repeats = step.get("repeats_every_days")
        if repeats and int(repeats) < int(within):
            yield _wrong(
                step, "repeats_every_days",
                f"repeats every {repeats} days and gives {within} days to pay; let it repeat no sooner than that.",
            )  # fmt: skip


def _exclude(one: StepValues, other: StepValues) -> bool:
    """Whether no client ever gets both."""
    return {one.get("only_for"), other.get("only_for")} in _EXCLUDE_EACH_OTHER


def _of_a_step(step: StepValues, currencies: Collection[str]) -> Iterator[Wrong]:
    yield from _before_due(step)
    yield from _notice(step)
    for field, what in (("fee", "charges a fee"), ("minimum", "has a smallest sum")):
        for said in _wrong_sums(step.get(field), currencies):
            yield _wrong(step, field, f"{what} that is none: {said}.")
    for address in _addresses(step.get("recipients")):
        if not _ADDRESS.fullmatch(address):
            yield _wrong(
                step, "recipients",
                f"goes in copy to “{address}”, which is no e-mail address; write addresses with commas between.",
            )  # fmt: skip
    for field in ("pay_within_days", "repeats_every_days", "interest_notice_days"):
        if step.get(field) == 0:
            yield _wrong(step, field, f"says {STEP_DAYS[field]} 0 days; write 1 or more, or leave it empty.")
    for field, what in STEP_DAYS.items():
        if abs(int(step.get(field) or 0)) > MOST_DAYS:
            yield _wrong(step, field, f"says {what} {step[field]} days, over ten years; write {MOST_DAYS} or fewer.")


def _before_due(step: StepValues) -> Iterator[Wrong]:
    """On the due date and before it nothing is late: no fee, no interest, no threat."""
    if _offset(step) > 0:
        return
    threats = {
        "fee": "charge a fee", "claims_interest": "claim interest", "interest_notice_days": "give notice of interest",
        "sets_cash_only": "make the client cash-only", "moves_stage_to": "move the stage",
    }  # fmt: skip
    for field, what in threats.items():
        if step.get(field):
            yield _wrong(
                step, field,
                f"goes on day {_offset(step):+d}, when nothing is late yet, and cannot {what}; take that out, or "
                "move it after the due date.",
            )  # fmt: skip
    if step.get("tone") in ("firm", "formal"):
        yield _wrong(
            step, "tone",
            f"goes on day {_offset(step):+d}, when nothing is late yet; choose a courteous or a friendly tone.",
        )  # fmt: skip


def _notice(step: StepValues) -> Iterator[Wrong]:
    """A mandatory notice is a message, for every client, and names the day by which to pay; so does a formal one."""
    formal = step.get("tone") == "formal" or step.get("moves_stage_to") == "final_notice"
    if step.get("mandatory") and not is_message(step):
        yield _wrong(
            step, "mandatory", "is mandatory, and only a mail or a letter can be; choose another channel or lift it.",
        )  # fmt: skip
    if step.get("mandatory") and (step.get("minimum") or step.get("only_for")):
        where = "minimum" if step.get("minimum") else "only_for"
        yield _wrong(
            step, where,
            "is mandatory and has a condition, so that it would be skipped for some; take out one of the two.",
        )  # fmt: skip
    if is_message(step) and (formal or step.get("mandatory")) and step.get("pay_within_days") is None:
        yield _wrong(
            step, "pay_within_days", "is a formal notice and names no day by which to pay; write within how many days.",
        )  # fmt: skip
    if not is_message(step):
        for field, what in (
            ("attach_invoice", "the invoice"), ("attach_statement", "the statement"), ("recipients", "a copy"),
        ):  # fmt: skip
            if step.get(field):
                only = "goes with a mail or a letter only; take it out, or choose another channel."
                yield _wrong(step, field, f"is a {step.get('channel')}, and {what} {only}")


def _window(values: Mapping[str, Any]) -> Iterator[Wrong]:
    opens, closes = values.get("window_opens"), values.get("window_closes")
    if opens is not None and closes is not None and closes <= opens:
        yield Wrong(
            f"The window closes at {closes:%H:%M}, before it opens at {opens:%H:%M}; exchange the two.", "",
            "window_closes",
        )  # fmt: skip


def _quiet(values: Mapping[str, Any]) -> Iterator[Wrong]:
    for period in values.get("quiet_periods") or ():
        try:
            read_period(str(period))
        except Refused as refused:
            yield Wrong(refused.message, "", "quiet_periods")


def _days(values: Mapping[str, Any]) -> Iterator[Wrong]:
    for field, what in DAYS.items():
        if int(values.get(field) or 0) > MOST_DAYS:
            yield Wrong(f"{values[field]} days {what} are over ten years; write {MOST_DAYS} or fewer.", "", field)


def _consumers(values: Mapping[str, Any], rule: Rule | None) -> Iterator[Wrong]:
    if not values.get("for_consumers") or rule is None:
        return
    if rule.for_consumers is False:
        yield Wrong(
            f"The rule {rule.code} is for businesses, and the clients of this policy are consumers; choose a rule for "
            "consumers, such as CONTRACT.", "", "interest",
        )  # fmt: skip
    elif rule.compensation:
        yield Wrong(
            f"The rule {rule.code} claims fixed compensation, which consumers do not owe; choose a rule without it.",
            "", "interest",
        )  # fmt: skip


def _already_overdue(values: Mapping[str, Any]) -> Iterator[Wrong]:
    if values.get("already_overdue") == "chosen" and not values.get("already_overdue_from"):
        yield Wrong(
            "What is already overdue bears interest from a chosen date, and the date is missing; write it.", "",
            "already_overdue_from",
        )  # fmt: skip


def _no_interest(rule: Rule | None, steps: Iterable[StepValues]) -> Iterator[Wrong]:
    if rule is None or rule.charges:
        return
    for step in steps:
        if step.get("interest_notice_days") is not None:
            yield _wrong(
                step, "interest_notice_days",
                "gives notice of interest, and this policy charges none; empty its days of notice or choose a rule.",
            )  # fmt: skip
        if step.get("claims_interest"):
            yield _wrong(
                step, "claims_interest",
                "claims interest, and this policy charges none; take that out or choose a rule.",
            )  # fmt: skip


def _sums_of_policy(values: Mapping[str, Any], currencies: Collection[str]) -> Iterator[Wrong]:
    for field, what in SUMS.items():
        for said in _wrong_sums(values.get(field), currencies):
            yield Wrong(f"The {what} is none: {said}.", "", field)


def _wrong_sums(sums: Mapping[str, Any] | None, currencies: Collection[str]) -> Iterator[str]:
    for code, amount in (sums or {}).items():
        if currencies and code not in currencies:
            yield f"“{code}” is no currency; write EUR, NOK or another code"
            continue
        try:
            positive = parse_amount(str(amount), code) > 0
        except TooFine:
            yield f"“{code} {amount}” has more decimals than {code} allows ({places(code)}); write fewer"
            continue
        except ValueError:
            positive = False
        if not positive:
            yield f"“{code} {amount}” is not above zero; leave the currency out instead"


def _addresses(written: Any) -> list[str]:
    return [address for address in (part.strip() for part in str(written or "").split(",")) if address]
