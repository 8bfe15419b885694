"""Case 19: Norway (invoiceninja#4020; altinn.no, inkassoloven § 9, inkassoforskriften § 1-2).

A fee not before the 14th day, two at most, each no higher than the law lets it be; every notice carries a day of its
own by which to pay, at least 14 days ahead, and nothing of the next stage begins before it; interest keeps the original
due date. Whoever writes a policy for Norway that breaks one of these is told which, and the policy is not made.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from core.dates import show_day
from core.errors import Refused
from invoices.models import Charge
from policies.models import Policy
from policies.services import new_version, policy_of
from policies.services.guard_rails import seed_guard_rails
from policies.services.versions import steps_of
from policies.services.versions import what_is_wrong as wrong
from tests.cast import CLERK, invoice_due, make_client, make_company
from tests.collecting import a_step, days_pass, sent_to, served

pytestmark = pytest.mark.django_db
DUE = dt.date(2026, 6, 3)  # a Wednesday
START = dt.date(2026, 1, 1)
FEE = {"NOK": "35"}


def day(n: int) -> dt.date:
    return DUE + dt.timedelta(days=n)


def norwegian() -> list[dict[str, Any]]:
    """A ladder as Norway allows it: two fees, notices of 14 days, a notice of collection before a person decides."""
    return [
        a_step("pre_due", -7, tone="courteous"), a_step("friendly", 1, tone="friendly"),
        a_step("reminder", 14, pay_within_days=14, fee=FEE, moves_stage_to="reminded"),
        a_step(
            "collection", 30, "letter", tone="formal", mandatory=True, pay_within_days=14, fee=FEE,
            moves_stage_to="final_notice",
        ),
        a_step("review", 46, "review", tone="neutral"),
    ]  # fmt: skip


def policy_for_norway(company: Any, steps: list[dict[str, Any]], **values: Any) -> Policy:
    return new_version(
        policy_of(company, START), effective_from=START + dt.timedelta(days=1),
        changes={"jurisdictions": "NO", "interest": "CONTRACT"} | values, steps=steps, on=START, by=CLERK,
    )  # fmt: skip


@pytest.fixture
def norway(db):
    seed_guard_rails("test")
    return make_company("fjord", currency="NOK", country="NO", time_zone="Europe/Oslo")


def refusals(company: Any, *changed: dict[str, Any]) -> str:
    """What is said of the Norwegian ladder with these steps changed."""
    steps = [step | next((c for c in changed if c["code"] == step["code"]), {}) for step in norwegian()]
    before = Policy.objects.count()
    with pytest.raises(Refused) as caught:
        policy_for_norway(company, steps)
    assert Policy.objects.count() == before, "nothing is made"
    return caught.value.message


def test_our_own_ladder_is_not_lawful_there_and_every_reason_is_named(norway):
    ladder = steps_of(policy_of(norway, START))
    said = [
        one.sentence for one in wrong("standard", {"jurisdictions": "NO"}, ladder, effective_from=day(0))
    ]
    asks = "and “Fourteen days to pay” (NO) asks for at least 14; write 14 or more"
    assert said == [
        f"“First reminder” gives 7 days to pay, {asks}.", f"“Second reminder” gives 7 days to pay, {asks}.",
        # It asks to pay within seven days, and on the seventh the interest it gives notice of begins.
        f"“Invoice sent again, notice of interest” gives 6 days to pay, {asks}, and notice of interest from 15 days "
        "ahead.",
    ]
    assert wrong("standard", {"jurisdictions": "SE"}, ladder, effective_from=day(0)) == [], "Sweden asks for none of it"


def test_a_fee_too_early_too_often_or_too_high_is_refused_with_the_name_of_the_rule(norway):
    early = refusals(norway, {"code": "friendly", "fee": FEE, "pay_within_days": 14, "offset_days": 0})
    assert early.startswith("“friendly” goes on day +0, when nothing is late yet")
    early = refusals(norway, {"code": "reminder", "offset_days": 13})
    assert early == (
        "“reminder” charges a fee on day +13, and “No fee before the 14th day” (NO) allows none before day +14; move "
        "it, or take the fee out."
    )
    dear = refusals(norway, {"code": "reminder", "fee": {"NOK": "35.50"}})
    assert "“Highest fee” (NO) allows at most NOK 35; lower it." in dear
    again = refusals(norway, {"code": "reminder", "repeats_every_days": 14})
    assert "charges a fee every time it repeats, and “Two fees at most” (NO)" in again
    third = [*norwegian(), a_step("third", 60, fee=FEE, pay_within_days=14)]
    with pytest.raises(Refused, match="“third” would charge fee number 3, and “Two fees at most”"):
        policy_for_norway(norway, third)


def test_collection_only_after_a_notice_of_fourteen_days_that_has_run_out(norway):
    assert "“Fourteen days to pay” (NO) asks for at least 14" in refusals(
        norway, {"code": "collection", "pay_within_days": 13}
    )
    assert "“Notice before collection” (NO) asks for a mandatory notice of at least 14 days" in refusals(
        norway, {"code": "collection", "mandatory": False}
    )
    soon = refusals(norway, {"code": "review", "offset_days": 43})
    assert soon.startswith("“review” comes on day +43, before day +44, by which “collection” asks to pay")


def test_the_next_stage_leaves_room_for_the_day_a_notice_names(norway):
    assert refusals(norway, {"code": "collection", "offset_days": 27}) == (
        "“collection” comes on day +27, before day +28, by which “reminder” asks to pay; move it to day 28 or later."
    )
    made = policy_for_norway(norway, [*norwegian()[:2], *norwegian()[3:]])
    assert [step.code for step in made.steps.all()] == ["pre_due", "friendly", "collection", "review"]


def test_a_notice_carries_its_own_day_and_two_fees_are_charged_while_the_due_date_stays(norway):
    policy_for_norway(norway, norwegian())
    client = make_client(norway, country="NO", time_zone="Europe/Oslo")
    invoice = invoice_due(client, DUE)
    days_pass(norway, day(-8), day(50))
    assert served(invoice) == [
        ("pre_due", day(-7)), ("friendly", day(1)), ("reminder", day(14)), ("collection", day(30)), ("review", day(46)),
    ]  # fmt: skip
    reminder, notice = [message for message in sent_to(client) if message.on in (day(14), day(30))]
    for message in (reminder, notice):
        pay_by = message.on + dt.timedelta(days=14)
        assert show_day(pay_by, "en") in message.text, "each notice names the day by which to pay"
        assert not [on for _step, on in served(invoice) if message.on < on < pay_by], "nothing comes before it"
    fees = Charge.objects.filter(invoice=invoice, kind="fee").order_by("charged_on")
    assert [(fee.amount, fee.charged_on) for fee in fees] == [(Decimal(35), day(14)), (Decimal(35), day(30))]
    invoice.refresh_from_db()
    assert invoice.due_on == DUE and invoice.balance == invoice.total, "the claim itself and its due date stay"


def test_interest_by_a_norwegian_rule_runs_from_the_original_due_date(norway):
    """A rule an administrator adds: 12 % a year from the day after the due date; the notices move none of it."""
    from invoices.services.charging import accrued
    from policies.models import InterestRule

    InterestRule.objects.create(
        code="NO-FIXED", effective_from=dt.date(2000, 1, 1), title="Norway, fixed", country="NO", percent=Decimal(12),
        starts="due", source="forsinkelsesrenteloven § 3", made_by="test",
    )  # fmt: skip
    policy_for_norway(norway, norwegian(), interest="NO-FIXED", interest_posted="claimed")
    client = make_client(norway, country="NO", time_zone="Europe/Oslo")
    invoice = invoice_due(client, DUE, "10000")
    days_pass(norway, day(13), day(32))
    earned = accrued(invoice, day(40)).interest
    assert earned.total == (Decimal(10000) * 12 * 40 / 36500).quantize(Decimal("0.01")), "40 days since the due date"


def test_a_client_elsewhere_is_not_affected(norway):
    """A policy that names no country is held against no rule, whoever its clients are."""
    made = policy_for_norway(norway, steps_of(policy_of(norway, START)), jurisdictions="")
    assert made.steps.get(code="reminder_1").pay_within_days == 7
