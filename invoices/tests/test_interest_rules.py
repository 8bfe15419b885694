"""What a rule adds to the plain arithmetic: grace, cap, legal maximum, a later start, disputes, pauses, costs."""

import json
import os
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Refused
from invoices.interest import CONTRACT, Claim, Interest, Payment, Quiet, Rule, late_interest, rounded
from invoices.rates import RateStep, contract_rate

DUE = date(2026, 1, 1)
RATE = contract_rate(Decimal(12))
A_FEW = settings(max_examples=400 if os.environ.get("AR_NIGHTLY") == "1" else 40, deadline=None)


def claim(*payments: tuple[int, int], **facts) -> Claim:
    """1,000 EUR due on 1 January; payments as (day of lateness, amount)."""
    return Claim(
        Decimal(1000), "EUR", DUE, tuple(Payment(DUE + timedelta(n), Decimal(a)) for n, a in payments), **facts
    )


def at(late: int) -> date:
    return DUE + timedelta(late)


def exactly(answer: Interest) -> Fraction:
    return sum((line.exact for line in answer.lines), Fraction())


# ── When it starts ──────────────────────────────────────────────────────


def test_interest_starts_so_many_days_after_the_due_date():
    rule = Rule("X", starts="days", starts_days=30)
    assert late_interest(claim(), at(29), RATE, rule).lines == ()
    first = late_interest(claim(), at(31), RATE, rule)
    assert [(line.from_on, line.days) for line in first.lines] == [(at(30), 2)]
    assert first.days == 31


def test_a_notice_of_a_later_day_still_puts_it_off():
    rule = Rule("X", starts="days", starts_days=5)
    assert late_interest(claim(interest_from=at(20)), at(30), RATE, rule).lines[0].from_on == at(20)
    assert late_interest(claim(interest_from=at(2)), at(30), RATE, rule).lines[0].from_on == at(5)


# ── Grace ───────────────────────────────────────────────────────────────

GRACE = Rule("X", grace_days=10, compensation=((Decimal(0), Decimal(40)),), compensation_currency="EUR")


@pytest.mark.parametrize(("paid_on", "until", "total", "lump"), [
    (10, 10, "0.00", 0), (10, 60, "0.00", 0), (None, 10, "0.00", 0),
    (11, 60, "3.62", 40), (None, 11, "3.62", 40),
])  # fmt: skip
def test_nothing_is_charged_when_all_is_paid_within_the_days_of_grace_and_all_days_count_after_it(
    paid_on, until, total, lump
):
    made = claim((paid_on, 1000)) if paid_on else claim()
    answer = late_interest(made, at(until), RATE, GRACE)
    assert (str(answer.total), answer.compensation) == (total, lump)
    assert bool(answer.lines) == (total != "0.00")


def test_a_part_paid_within_grace_does_not_save_the_rest():
    answer = late_interest(claim((5, 400), (20, 600)), at(30), RATE, GRACE)
    assert [(line.days, line.balance) for line in answer.lines] == [(5, 1000), (15, 600)]


def test_by_interest_first_a_payment_within_grace_goes_to_the_invoice_as_nothing_else_is_owed():
    answer = late_interest(claim((5, 1000)), at(60), RATE, replace(GRACE, first="interest"))
    assert (answer.total, answer.left.principal) == (0, 0)


def test_of_an_invoice_in_parts_every_part_has_its_days_of_grace():
    falls_due = [(0, -500), (5, 500), (30, -500), (45, 500)]
    parts = replace(claim(*falls_due), principal=Decimal(0), whole=Decimal(1000))
    answer = late_interest(parts, at(60), RATE, GRACE)
    assert [(line.from_on, line.days, line.balance) for line in answer.lines] == [(at(31), 15, 500)]


# ── Cap and legal maximum ───────────────────────────────────────────────


def test_a_cap_ends_the_interest_and_the_line_says_so():
    answer = late_interest(claim(cuts=(at(100),)), at(365), RATE, Rule("X", cap_percent=Decimal(5)))
    assert answer.total == Decimal("50.00")
    assert "no more than" not in answer.lines[0].source
    assert answer.lines[1].source == "contract; no more than 5 % of the claim"
    assert late_interest(claim(), at(150), RATE, Rule("X", cap_percent=Decimal(5))).total == Decimal("49.32")


def test_the_cap_is_of_the_whole_claim_where_it_falls_due_in_parts():
    parts = replace(claim((0, -500)), principal=Decimal(0), whole=Decimal(1000))
    assert late_interest(parts, at(3650), RATE, Rule("X", cap_percent=Decimal(5))).total == Decimal("50.00")


def test_a_rate_above_the_legal_maximum_is_clipped_and_the_line_says_so():
    rates = [RateStep(date.min, Decimal("9.5"), "H1"), RateStep(at(20), Decimal(12), "H2")]
    answer = late_interest(claim(), at(29), rates, Rule("X", legal_maximum=Decimal(10)))
    assert [(str(line.percent), line.source) for line in answer.lines] == [
        ("9.5", "H1"),
        ("10", "H2; legal maximum of 10 % instead of 12 %"),
    ]
    assert answer.total == Decimal("7.68")


# ── Disputes and extensions ─────────────────────────────────────────────

DISPUTED = Quiet(at(11), at(20), Decimal(400), disputed=True)


def test_a_disputed_amount_bears_nothing_while_it_is_disputed_where_the_rule_lets_it_rest():
    answer = late_interest(claim(quiet=(DISPUTED,)), at(30), RATE, Rule("X", runs_in_dispute=False))
    assert [(line.from_on, line.days, line.balance, line.source) for line in answer.lines] == [
        (at(1), 10, 1000, "contract"),
        (at(11), 10, 600, "contract; disputed: 400.00 bears none"),
        (at(21), 10, 1000, "contract"),
    ]
    assert answer.total == Decimal("8.55")


def test_where_interest_runs_on_in_a_dispute_it_changes_nothing():
    plain = late_interest(claim(), at(30), RATE)
    disputed = late_interest(claim(quiet=(DISPUTED,)), at(30), RATE, CONTRACT)
    assert (disputed.total, {line.source for line in disputed.lines}) == (plain.total, {"contract"})


def test_a_dispute_without_end_and_above_what_is_owed_leaves_nothing_to_bear_interest():
    lasting = replace(DISPUTED, until_on=None)
    answer = late_interest(claim((15, 700), quiet=(lasting,)), at(30), RATE, Rule("X", runs_in_dispute=False))
    assert [(line.days, line.balance) for line in answer.lines] == [(10, 1000), (5, 600), (15, 0)]
    assert answer.total == Decimal("4.27")


def test_in_an_agreed_pause_nothing_bears_interest_whatever_the_rule_says_of_disputes():
    pause = Quiet(at(11), at(20), because="extension agreed")
    answer = late_interest(claim(quiet=(pause, DISPUTED)), at(30), RATE)
    assert [(line.days, str(line.exact > 0)) for line in answer.lines] == [(10, "True"), (10, "False"), (10, "True")]
    assert answer.lines[1].source == "contract; extension agreed: 1000.00 bears none"


def test_a_quiet_amount_nobody_can_owe_is_refused():
    with pytest.raises(Refused) as refused:
        late_interest(claim(quiet=(Quiet(DUE, None, Decimal("0.001")),)), at(30), RATE)
    assert (refused.value.code, refused.value.where) == ("too_fine", f"quiet {DUE}")


# ── Costs, interest, principal ──────────────────────────────────────────


def left(answer: Interest) -> tuple[str, ...]:
    return tuple(str(amount) for amount in (answer.left.costs, answer.left.interest, answer.left.principal))


def test_bgb_367_a_payment_fills_costs_then_interest_then_the_claim():
    rule = Rule("X", first="interest")
    costs = (Payment(at(20), Decimal(40)),)
    for paid, expected in [
        (0, ("40", "9.86", "1000")), (30, ("10", "9.86", "1000")), (45, ("0", "4.86", "1000")),
        (400, ("0", "0.00", "649.86")),
    ]:  # fmt: skip
        assert left(late_interest(claim(*[(30, paid)] * bool(paid), costs=costs), at(30), RATE, rule)) == expected


def test_principal_first_leaves_interest_and_costs_as_open_claims():
    costs = (Payment(at(20), Decimal(40)),)
    assert left(late_interest(claim((30, 1000), costs=costs), at(30), RATE)) == ("40", "9.86", "0")
    assert left(late_interest(claim((30, 1005), costs=costs), at(30), RATE)) == ("40", "4.86", "0")
    with pytest.raises(Refused, match=r"more than the 1049\.86 owed"):
        late_interest(claim((30, 1050), costs=costs), at(30), RATE)


def test_costs_bear_no_interest():
    with_costs = late_interest(claim(costs=(Payment(at(1), Decimal(500)),)), at(300), RATE)
    assert exactly(with_costs) == exactly(late_interest(claim(), at(300), RATE))


def test_the_derivation_is_the_same_bytes_whatever_order_the_facts_come_in():
    quiet = (DISPUTED, Quiet(at(40), at(50), because="extension agreed"))
    one = claim((30, 300), (30, -100), (35, 200), quiet=quiet, costs=(Payment(at(30), Decimal(40)),))
    other = replace(one, payments=one.payments[::-1])
    rule = Rule("X", first="interest", runs_in_dispute=False, cap_percent=Decimal(3), legal_maximum=Decimal(11))
    written = [json.dumps(late_interest(made, at(200), RATE, rule).to_json()) for made in (one, other)]
    assert written[0] == written[1] == json.dumps(late_interest(one, at(200), RATE, rule).to_json())


# ── What holds for every claim and rule ─────────────────────────────────


@st.composite
def whatever(draw: st.DrawFn) -> tuple[Claim, date, list[RateStep], Rule]:
    principal = draw(st.integers(1, 10**7))
    days, rest, payments = st.integers(-20, 500), principal, []
    for _ in range(draw(st.integers(0, 4))):
        share = draw(st.integers(0, rest))
        payments += [Payment(at(draw(days)), Decimal(share) / 100)]
        rest -= share
    quiet = []
    for _ in range(draw(st.integers(0, 2))):
        begins, lasts = draw(days), draw(st.none() | st.integers(0, 200))
        amount = draw(st.none() | st.integers(0, principal))
        quiet.append(Quiet(
            at(begins), None if lasts is None else at(begins + lasts),
            None if amount is None else Decimal(amount) / 100, draw(st.booleans()),
        ))  # fmt: skip
    rule = Rule(
        "X", day_count=draw(st.sampled_from(["act/365", "act/360", "30/360"])), compound_monthly=draw(st.booleans()),
        first=draw(st.sampled_from(["principal", "interest"])), rounding=draw(st.sampled_from(["once", "daily"])),
        grace_days=draw(st.sampled_from([0, 0, 10])), runs_in_dispute=draw(st.booleans()),
        cap_percent=draw(st.none() | st.integers(1, 30).map(Decimal)),
        legal_maximum=draw(st.none() | st.integers(1, 30).map(Decimal)),
    )  # fmt: skip
    rates = [RateStep(date.min, Decimal(draw(st.integers(0, 3000))) / 100, "a")]
    rates += [RateStep(at(draw(days)), Decimal(draw(st.integers(0, 3000))) / 100, "b")]
    made = Claim(Decimal(principal) / 100, "EUR", DUE, tuple(payments), quiet=tuple(quiet))
    return made, at(draw(st.integers(-5, 500))), rates, rule


@A_FEW
@given(whatever(), st.lists(st.integers(-5, 520), min_size=1, max_size=3))
def test_a_period_earns_what_its_parts_earn_however_it_is_cut(made, cuts):
    owed, until, rates, rule = made
    whole = late_interest(owed, until, rates, rule)
    cut = late_interest(replace(owed, cuts=tuple(at(n) for n in cuts)), until, rates, rule)
    assert exactly(cut) == exactly(whole)
    assert (cut.total, cut.left) == (whole.total, whole.left)
    for n in cuts:
        assert not any(line.from_on < at(n) <= line.to_on for line in cut.lines)


@A_FEW
@given(whatever())
def test_nothing_is_ever_below_zero_and_cap_and_legal_maximum_hold(made):
    owed, until, rates, rule = made
    answer = late_interest(owed, until, rates, rule)
    assert answer.total >= 0
    assert all(line.exact >= 0 and line.balance >= 0 for line in answer.lines)
    if rule.cap_percent is not None:
        assert answer.total <= owed.principal * rule.cap_percent / 100
    if rule.legal_maximum is not None:
        assert all(line.percent <= rule.legal_maximum for line in answer.lines)


@A_FEW
@given(whatever())
def test_money_is_kept_what_came_and_what_is_left_is_all_that_was_owed(made):
    owed, until, rates, rule = made
    answer = late_interest(owed, until, rates, replace(rule, cap_percent=None))
    if answer.left is not None:
        paid = sum(p.amount for p in owed.payments if p.on <= until)
        assert answer.left.principal + answer.left.interest == owed.principal + answer.total - paid


@A_FEW
@given(whatever(), st.integers(1, 14))
def test_months_compounded_and_taken_up_again_earn_what_they_earn_in_one(made, months):
    """At a whole month the claim may be taken over as it stands: what was earned is part of what bears interest."""
    owed, _until, rates, rule = made
    year, month = divmod(months, 12)
    middle, until = date(2026 + year, month + 1, 1), date(2027 + year, month + 1, 1)
    simple = replace(rule, compound_monthly=True, cap_percent=None, grace_days=0, first="principal", rounding="once")
    unpaid = replace(owed, payments=(), quiet=(), principal=Decimal(1000))
    whole = late_interest(replace(unpaid, cuts=(middle + timedelta(1),)), until, rates, simple)
    early = exactly(late_interest(unpaid, middle, rates, simple))
    late = [line for line in whole.lines if line.from_on > middle]
    assert early + sum(line.exact for line in late) == exactly(whole)
    assert not late or late[0].balance == rounded(1000 + early, 2)
