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

from audit.models import Event
from core.dates import show_day
from core.errors import Refused
from invoices.models import Charge
from invoices.services.charging import standing_fees
from outbox.hearing import hear_delivery
from policies.editor import Editor
from policies.models import Policy
from policies.services import new_version, policy_of
from policies.services.guard_rails import seed_guard_rails
from policies.services.no_country import not_looked_at
from policies.services.versions import steps_of
from policies.services.versions import what_is_wrong as wrong
from tests.cast import CLERK, invoice_due, make_client, make_company
from tests.collecting import a_day, a_step, sent_to, served

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
    sent_on(norway, -8, -7, 1, 2, 13, 14, 15, 21, 27, 28, 29, 30, 33, 43, 44, 45, 46, 47)
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
    sent_on(norway, 14, 30)
    earned = accrued(invoice, day(40)).interest
    assert earned.total == (Decimal(10000) * 12 * 40 / 36500).quantize(Decimal("0.01")), "40 days since the due date"


# When it is sent: the rails are held against what was really sent, and where no country is named against the client's.


def sent_on(company: Any, *days: int) -> None:
    for n in days:
        a_day(company, day(n))


def fees_of(invoice: Any) -> list[dt.date]:
    return list(Charge.objects.filter(invoice=invoice, kind="fee").order_by("pk").values_list("charged_on", flat=True))


def without_a_country(company: Any, *steps: dict[str, Any]) -> None:
    policy_for_norway(company, list(steps), jurisdictions="", interest="CONTRACT")


def test_a_policy_that_names_no_country_is_kept_to_the_rules_of_the_client_s_country(norway):
    """Seven days to pay and a fee on day eight: lawful for one client, not for the other; the policy says so."""
    step = a_step("first", 8, tone="firm", mandatory=True, pay_within_days=7, interest_notice_days=7, fee=FEE)
    without_a_country(norway, step)
    here = make_client(norway, "C-0001", country="NO", time_zone="Europe/Oslo")
    there = make_client(norway, "C-0002", country="CH", email="ap@two.example")
    invoices = [invoice_due(client, DUE) for client in (here, there)]
    sent_on(norway, 8)
    assert [fees_of(invoice) for invoice in invoices] == [[], [day(8)]]
    strict, free = sent_to(here)[0].text, sent_to(there)[0].text
    assert show_day(day(22), "en") in strict and show_day(day(15), "en") not in strict and "35.00" not in strict
    assert show_day(day(14), "en") in free and "35.00" in free
    begins = [invoice.interest_notices.get().interest_from for invoice in invoices]
    assert begins == [day(23), day(15)], "interest begins after the days to pay"
    barred = Event.objects.get(action="fee_not_charged")
    assert barred.client_id == here.pk and "“No fee before the 14th day” (NO)" in barred.summary


def test_fees_are_counted_by_what_was_charged_not_by_the_ladder_of_the_day(norway):
    """Each version charges two at most; across a change of version the third is not charged, nor shown."""
    policy_for_norway(norway, norwegian())
    client = make_client(norway, country="NO", time_zone="Europe/Oslo")
    invoice = invoice_due(client, DUE)
    sent_on(norway, 14, 30)
    later = [a_step("another", 45, pay_within_days=14, fee=FEE), a_step("last", 60, pay_within_days=14, fee=FEE)]
    new_version(
        policy_of(norway, day(31)), effective_from=day(32), changes={}, steps=later, on=day(31), by=CLERK
    )
    sent_on(norway, 47)
    assert [code for code, _on in served(invoice)] == ["reminder", "collection", "another"]
    assert fees_of(invoice) == [day(14), day(30)]
    assert "a fee of" not in sent_to(client)[-1].text


def test_a_fee_taken_back_is_none(norway):
    policy_for_norway(norway, norwegian())
    client = make_client(norway, country="NO", time_zone="Europe/Oslo")
    client.contacts.create(name="Jonas Falk", email="jonas@client.example")
    invoice = invoice_due(client, DUE)
    sent_on(norway, 14)
    at = dt.datetime.combine(day(14), dt.time(14), tzinfo=dt.UTC)
    assert hear_delivery("bounced", at=at, now=at, said="550 5.1.1 gone", key=sent_to(client)[0].key)
    sent_on(norway, 15, 30)
    assert fees_of(invoice) == [day(14), day(15), day(30)] and len(standing_fees(invoice)) == 2


def test_the_first_reminder_that_is_really_sent_is_free_in_germany(norway):
    """The friendly one was passed over, so the first that reaches the client is the one with the fee: it is free."""
    fee = {"NOK": "5"}
    steps = [
        a_step("friendly", 1, tone="friendly"), a_step("first", 8, pay_within_days=7, fee=fee),
        a_step("second", 21, pay_within_days=7, fee=fee),
    ]  # fmt: skip
    policy_for_norway(norway, steps, jurisdictions="DE")
    invoice = invoice_due(make_client(norway, country="DE"), DUE)
    sent_on(norway, 8)
    assert [code for code, _on in served(invoice)] == ["first"] and fees_of(invoice) == []
    assert " fee" not in sent_to(invoice.client)[0].text
    sent_on(norway, 21)
    assert fees_of(invoice) == [day(21)] and "a fee of NOK" in sent_to(invoice.client)[1].text


def test_a_currency_of_which_no_highest_fee_is_known_is_refused(norway):
    assert refusals(norway, {"code": "reminder", "fee": {"NOK": "35", "EUR": "500"}}) == (
        "“reminder” charges a fee in EUR, and “Highest fee” (NO) says what is allowed in NOK only; take EUR out, or "
        "enter what the rule allows in it."
    )


def test_who_names_no_country_is_told_what_nobody_checked(norway):
    ladder = steps_of(policy_of(norway, START))
    (said,) = not_looked_at({"jurisdictions": "", "interest": "CONTRACT"}, ladder, effective_from=START)
    assert said.startswith("No country is named, so no rule was checked; in NO it breaks “Fourteen days to pay”. Name")
    assert not_looked_at({"jurisdictions": "SE"}, ladder, effective_from=START) == []
    assert Editor("standard", {"interest": "CONTRACT"}, ladder, on=START).context()["not_looked_at"] == [said]
