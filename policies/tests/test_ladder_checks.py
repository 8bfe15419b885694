"""What a policy may not say is refused in a sentence that names the step and what to do, and nothing is made."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from core.errors import Refused
from policies.ladder_checks import wrong_with_ladder
from policies.models import Policy
from policies.services import new_version, policy_of
from policies.services.guard_rails import seed_guard_rails
from policies.services.versions import steps_of, what_is_wrong
from tests.cast import CLERK, TODAY

pytestmark = pytest.mark.django_db
TOMORROW = TODAY + dt.timedelta(days=1)


def refused(company: Any, steps: dict[str, dict[str, Any]] | None = None, **values: Any) -> str:
    """The sentence with which a version of the default policy is refused, changed step by step and in its values."""
    policy = policy_of(company, TODAY)
    ladder = [step | (steps or {}).get(step["code"], {}) for step in steps_of(policy)]
    with pytest.raises(Refused) as caught:
        new_version(policy, effective_from=TOMORROW, changes=values, steps=ladder, on=TODAY, by=CLERK)
    assert Policy.objects.count() == 1, "nothing half-made"
    assert caught.value.where, "it says which field"
    return caught.value.message


def test_the_ladder_as_shipped_is_right(company):
    policy = policy_of(company, TODAY)
    new_version(policy, effective_from=TOMORROW, changes={}, steps=steps_of(policy), on=TODAY, by=CLERK)
    assert Policy.objects.count() == 2


STEPS: dict[str, tuple[dict[str, dict[str, Any]], str]] = {
    "one day, one channel": (
        {"reminder_1": {"offset_days": 1}},
        "Two steps fall on day +1 by mail: “Late since yesterday” and “First reminder”; move one of them by a day.",
    ),
    "one code": ({"call_2": {"code": "call_1"}}, "The code “call_1” stands twice; every step has its own."),
    "a second call": (
        {"reminder_2": {"offset_days": 33, "also_call": True, "pay_within_days": None}},
        "“Second reminder” asks for a call on the day of “Call after the second invoice”; one call is enough.",
    ),
    "after hand-over": (
        {"review": {"moves_stage_to": "handed_over"}},
        "“Statement of account” comes on day +90, after “Decide what to do” hands the claim over on day +60; move it "
        "before that day or take it out.",
    ),
    "no room": (
        {"reminder_1": {"pay_within_days": 14}},
        "“Second reminder” comes on day +21, before day +22, by which “First reminder” asks to pay; move it to day 22 "
        "or later.",
    ),
    "the review too early": (
        {"final_notice": {"pay_within_days": 21}},
        "“Decide what to do” comes on day +60, before day +66, by which “Final notice” asks to pay; move it to day 66 "
        "or later.",
    ),
    "repeats too soon": (
        {"statement": {"pay_within_days": 14, "repeats_every_days": 7}},
        "“Statement of account” repeats every 7 days and gives 14 days to pay; let it repeat no sooner than that.",
    ),
    "a fee before it is due": (
        {"pre_due": {"fee": {"EUR": "5"}}},
        "“Due in a week” goes on day -7, when nothing is late yet, and cannot charge a fee; take that out, or move it "
        "after the due date.",
    ),
    "a threat before it is due": (
        {"pre_due": {"tone": "firm"}},
        "“Due in a week” goes on day -7, when nothing is late yet; choose a courteous or a friendly tone.",
    ),
    "mandatory with a condition": (
        {"reissue": {"only_for": "slow"}},
        "“Invoice sent again, notice of interest” is mandatory and has a condition, so that it would be skipped for "
        "some; take out one of the two.",
    ),
    "mandatory with a minimum": (
        {"final_notice": {"minimum": {"EUR": "50"}}},
        "“Final notice” is mandatory and has a condition, so that it would be skipped for some; take out one of the "
        "two.",
    ),
    "a mandatory call": (
        {"call_1": {"mandatory": True}},
        "“Call” is mandatory, and only a mail or a letter can be; choose another channel or lift it.",
    ),
    "a notice without a day": (
        {"final_notice": {"pay_within_days": None}},
        "“Final notice” is a formal notice and names no day by which to pay; write within how many days.",
    ),
    "no days at all": (
        {"reminder_1": {"pay_within_days": 0}},
        "“First reminder” says to pay within 0 days; write 1 or more, or leave it empty.",
    ),
    "interest from the very day": (
        {"reissue": {"interest_notice_days": 0}},
        "“Invoice sent again, notice of interest” says to charge interest after 0 days; write 1 or more, or leave it "
        "empty.",
    ),
    "no currency": (
        {"reminder_2": {"fee": {"XXY": "5"}}},
        "“Second reminder” charges a fee that is none: “XXY” is no currency; write EUR, NOK or another code.",
    ),
    "no sum": (
        {"reminder_2": {"fee": {"EUR": "-5"}}},
        "“Second reminder” charges a fee that is none: “EUR -5” is not above zero; leave the currency out instead.",
    ),
    "a sum finer than its currency": (
        {"reminder_2": {"fee": {"JPY": "5.5"}}},
        "“Second reminder” charges a fee that is none: “JPY 5.5” has more decimals than JPY allows (0); write fewer.",
    ),
    "beyond the calendar": (
        {"statement": {"repeats_every_days": 3651}},
        "“Statement of account” says to repeat every 3651 days, over ten years; write 3650 or fewer.",
    ),
    "no address": (
        {"reminder_2": {"recipients": "ada@client.example, Bo"}},
        "“Second reminder” goes in copy to “Bo”, which is no e-mail address; write addresses with commas between.",
    ),
    "a call with the invoice": (
        {"call_1": {"attach_invoice": True}},
        "“Call” is a call, and the invoice goes with a mail or a letter only; take it out, or choose another channel.",
    ),
    "no channel": (
        {"call_1": {"channel": "pigeon"}},
        "“Call”, channel: Value 'pigeon' is not a valid choice.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STEPS)
def test_a_step_that_contradicts_the_ladder_is_refused(company, case):
    steps, sentence = STEPS[case]
    assert refused(company, steps) == sentence


VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "notice without interest": (
        {"interest": "NONE"},
        "“Invoice sent again, notice of interest” gives notice of interest, and this policy charges none; empty its "
        "days of notice or choose a rule.",
    ),
    "no such rule": ({"interest": "ATLANTIS"}, "There is no rule of late interest «ATLANTIS»."),
    "no such day": (
        {"quiet_periods": ["12-24 to 01-01", "02-30"]},
        "“02-30” is no quiet period: write month and day, such as 12-24 to 01-01.",
    ),
    "consumers by a rule of business": (
        {"for_consumers": True, "interest": "DE-B2B"},
        "The rule DE-B2B is for businesses, and the clients of this policy are consumers; choose a rule for consumers, "
        "such as CONTRACT.",
    ),
    "no date": (
        {"already_overdue": "chosen"},
        "What is already overdue bears interest from a chosen date, and the date is missing; write it.",
    ),
    "no country of ours": (
        {"jurisdictions": "NO ZZ"},
        "Of ZZ no rule is known, only of DE, DK, EU, FI, FR, GB, NO, SE, US; add one under “Guard rails” with its "
        "source, or take the country out.",
    ),
    "a window inside out": (
        {"window_opens": dt.time(17), "window_closes": dt.time(9)},
        "The window closes at 09:00, before it opens at 17:00; exchange the two.",
    ),
    "beyond the calendar": (
        {"spacing_days": 3651}, "3651 days between two messages are over ten years; write 3650 or fewer.",
    ),
    "a currency that is none": (
        {"minimum": {"EURO": "5"}},
        "The smallest sum for a message is none: “EURO” is no currency; write EUR, NOK or another code.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_a_value_that_contradicts_the_policy_is_refused(company, case):
    seed_guard_rails("test")
    values, sentence = VALUES[case]
    assert refused(company, **values).startswith(sentence)


def test_the_first_reminder_of_those_who_pay_late_leaves_room_for_nobody_else(company):
    """A step for slow payers and one for good payers never meet, so that neither waits for the other."""
    first = {"only_for": "slow", "pay_within_days": 20}
    steps = {"reminder_1": first, "reminder_2": {"only_for": "reliable"}, "reissue": {"offset_days": 31}}
    policy = policy_of(company, TODAY)
    ladder = [step | steps.get(step["code"], {}) for step in steps_of(policy)]
    assert what_is_wrong("standard", {}, ladder, effective_from=TOMORROW) == []
    ladder[4]["only_for"] = "slow"
    (wrong,) = what_is_wrong("standard", {}, ladder, effective_from=TOMORROW)
    assert (wrong.step, wrong.where) == ("reminder_2", "offset_days")


def test_values_as_json_has_them_make_the_same_version(company):
    """A draft is kept as JSON; the version made of it knows times and dates again."""
    policy = policy_of(company, TODAY)
    values = {"window_opens": "08:30:00", "already_overdue": "chosen", "already_overdue_from": "2026-11-01"}
    made = new_version(policy, effective_from=TOMORROW, changes=values, steps=None, on=TODAY, by=CLERK)
    assert (made.window_opens, made.already_overdue_from) == (dt.time(8, 30), dt.date(2026, 11, 1))


@pytest.mark.parametrize(
    "first, second, refused",
    [
        ({}, {}, ["a"]),
        ({}, {"minimum": {"EUR": "100"}}, []),
        ({}, {"only_for": "slow"}, []),
        ({"mandatory": True}, {}, []),
        ({"minimum": {"EUR": "100"}}, {}, ["a"]),
        ({}, {"offset_days": 9}, []),
        ({}, {"channel": "call"}, []),
    ],
)
def test_of_a_mail_and_a_letter_on_one_day_the_first_has_to_have_somebody_to_go_to(first, second, refused):
    """A client gets one message a day, the furthest step; a call is none."""
    steps = [
        {"code": "a", "title": "A", "offset_days": 8, "channel": "mail"} | first,
        {"code": "b", "title": "B", "offset_days": 8, "channel": "letter"} | second,
    ]
    found = wrong_with_ladder(steps)
    assert [one.step for one in found if "would never be sent" in one.sentence] == refused


def test_every_later_stage_leaves_room_not_only_the_next():
    """The next one is at the same hour by letter; the one after it is the one too early."""
    steps = [
        {"code": "a", "title": "A", "offset_days": 8, "channel": "mail", "pay_within_days": 14},
        {"code": "b", "title": "B", "offset_days": 8, "channel": "letter", "minimum": {"EUR": "100"}},
        {"code": "c", "title": "C", "offset_days": 15, "channel": "mail"},
        {"code": "d", "title": "D", "offset_days": 20, "channel": "review"},
    ]
    found = [one.step for one in wrong_with_ladder(steps)]
    assert found == ["c", "d"]
