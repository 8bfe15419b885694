"""Late interest: published answers, our own derivations, and a day-by-day count that must agree with the engine."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dates import add_months
from core.errors import Refused
from invoices.interest import CONTRACT, NONE, Claim, DayCount, Interest, Payment, Rule, days_between, late_interest
from invoices.rates import MissingRate, RateStep, contract_rate

DUE = date(2026, 1, 1)
PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "cases" / "worked_examples.json"


def interest(
    principal: str, percent: str, days: int, *, currency: str = "EUR", due: date = DUE, rule: Rule = CONTRACT
) -> Interest:
    claim = Claim(Decimal(principal), currency, due)
    return late_interest(claim, due + timedelta(days), contract_rate(Decimal(percent)), rule)


# id: (principal, percent a year, days late, currency, exact answer). All act/365, simple, rounded once, half up.
EXAMPLES = {
    "UK-05": ("2500", "12.5", 30, "GBP", "25.68"),
    "UK-06": ("500", "12.5", 14, "GBP", "2.40"),
    "UK-09": ("12000", "13", 90, "GBP", "384.66"),
    "UK-11": ("5000", "12.5", 30, "GBP", "51.37"),
    "UK-12": ("1000", "12.5", 30, "GBP", "10.27"),
    "UK-14": ("100", "8.5", 60, "GBP", "1.40"),
    "DE-02": ("10000", "6.62", 181, "EUR", "328.28"),
    "DE-03": ("10000", "10.62", 181, "EUR", "526.64"),
    "DE-06": ("1000", "5.12", 25, "EUR", "3.51"),
    "DE-07": ("10000", "9.0", 30, "EUR", "73.97"),
    "FR-01": ("5000", "10.0", 30, "EUR", "41.10"),
    "US-01": ("1000", "60", 60, "USD", "98.63"),  # 5 percent a month, times twelve
    "SW-01": ("100", "8.0", 20, "USD", "0.44"),
    "SW-03": ("100", "0", 20, "USD", "0.00"),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_published_example_comes_out_exactly(example: str) -> None:
    principal, percent, days, currency, exact = EXAMPLES[example]
    assert str(interest(principal, percent, days, currency=currency).total) == exact


def test_de_05_a_month_of_thirty_days_is_a_twelfth_of_the_year() -> None:
    claim = Claim(Decimal(420), "EUR", date(2016, 8, 2))
    rates = contract_rate(Decimal("8.12"))
    thirty = late_interest(claim, date(2016, 9, 2), rates, replace(CONTRACT, day_count="30/360"))
    assert thirty.total == Decimal("2.84")
    assert (thirty.lines[0].from_on, thirty.lines[0].days) == (date(2016, 8, 3), 30)
    assert late_interest(claim, date(2016, 9, 2), rates).total == Decimal("2.90")


def test_by_360_days_the_31st_is_no_day_of_its_own() -> None:
    assert days_between(date(2026, 1, 30), date(2026, 1, 31), "30/360") == 0
    assert days_between(date(2026, 1, 31), date(2026, 2, 28), "30/360") == 28
    assert days_between(date(2026, 1, 31), date(2027, 1, 31), "30/360") == 360


def test_de_10_what_is_paid_by_the_due_date_bears_nothing() -> None:
    for days in (0, -1, -30):
        answer = interest("10000", "9", days)
        assert (answer.total, answer.days, answer.lines) == (0, 0, ())


def test_the_examples_here_are_the_published_ones() -> None:
    if not PUBLISHED.exists():
        pytest.skip("the collection of published examples is not beside the project")
    published = {row["id"]: row for row in json.loads(PUBLISHED.read_text())}
    for example, (principal, percent, days, _, exact) in EXAMPLES.items():
        row = published[example]
        inputs = row["inputs"]
        rate = inputs.get("rate", inputs.get("base", 0) + inputs.get("margin", 0))
        rate = inputs["monthly_rate"] * 12 if "monthly_rate" in inputs else rate
        assert Decimal(exact) == Decimal(str(row["exact_recomputed"])), example
        assert Decimal(principal) == inputs.get("principal", inputs.get("outstanding")), example
        assert Decimal(percent) == Decimal(str(rate)), example
        assert days == inputs.get("days", inputs.get("overdue_days")), example


def test_a_part_payment_lowers_the_balance_from_the_day_after_it() -> None:
    """1,000 at 12 percent, 400 paid on day 30, settled on day 59: neither 19.40 nor 11.64."""
    claim = Claim(Decimal(1000), "EUR", DUE, (Payment(DUE + timedelta(30), Decimal(400)),))
    answer = late_interest(claim, DUE + timedelta(59), contract_rate(Decimal(12)))
    assert answer.total == Decimal("15.58")
    assert [(line.days, line.balance) for line in answer.lines] == [(30, 1000), (29, 600)]
    assert answer.to_json() == {
        "total": "15.58",
        "days": 59,
        "compensation": "0.00",
        "lines": [
            {"from": "2026-01-02", "to": "2026-01-31", "days": 30, "balance": "1000.00", "rate": "12",
             "source": "contract", "amount": "9.863014"},
            {"from": "2026-02-01", "to": "2026-03-01", "days": 29, "balance": "600.00", "rate": "12",
             "source": "contract", "amount": "5.720548"},
        ],
    }


def test_the_settling_payment_ends_the_interest_whatever_day_is_asked_about() -> None:
    paid = (Payment(DUE + timedelta(30), Decimal(400)), Payment(DUE + timedelta(59), Decimal(600)))
    claim = Claim(Decimal(1000), "EUR", DUE, paid)
    for later in (59, 60, 400):
        answer = late_interest(claim, DUE + timedelta(later), contract_rate(Decimal(12)))
        assert answer.total == Decimal("15.58")


def test_a_new_rate_applies_from_its_first_day() -> None:
    claim = Claim(Decimal(10000), "EUR", date(2026, 4, 15))
    rates = [
        RateStep(date(2026, 7, 1), Decimal("10.40"), "H2"),
        RateStep(date(2026, 1, 1), Decimal("10.15"), "H1"),
    ]
    answer = late_interest(claim, date(2026, 8, 20), rates)
    assert answer.total == Decimal("356.66")
    assert [(line.days, str(line.percent), round(float(line.exact), 2)) for line in answer.lines] == [
        (76, "10.15", 211.34), (51, "10.40", 145.32),
    ]


def test_monthly_compounding_takes_whole_months_as_twelfths_and_days_after_them() -> None:
    """5 CFR 1315.17: 1,500 at 6 percent for two months and fifteen days."""
    rule = replace(CONTRACT, compound_monthly=True, day_count="act/360")
    answer = late_interest(Claim(Decimal(1500), "USD", DUE), date(2026, 3, 16), contract_rate(Decimal(6)), rule)
    assert answer.total == Decimal("18.83")
    assert [str(line.balance) for line in answer.lines] == ["1500.00", "1507.50", "1515.04"]


def test_the_prompt_payment_example_by_360_days() -> None:
    by_360 = replace(CONTRACT, day_count="act/360")
    assert interest("1500", "6.5", 10, currency="USD", rule=by_360).total == Decimal("2.71")
    assert interest("10000", "10", 90, rule=by_360).total == Decimal("250.00")
    assert interest("10000", "10", 90).total == Decimal("246.58")


def test_rounding_the_daily_amount_first_is_a_setting() -> None:
    daily = replace(CONTRACT, rounding="daily")
    assert interest("5000", "12.25", 101, currency="GBP", rule=daily).total == Decimal("169.68")
    assert interest("5000", "12.25", 101, currency="GBP").total == Decimal("169.49")


def test_half_a_unit_is_rounded_up() -> None:
    """1.395 exactly, which a float would call 1.39."""
    assert interest("93", "73", 15, currency="GBP").lines[0].exact == Fraction("2.79")
    assert interest("93", "36.5", 15, currency="GBP").total == Decimal("1.40")
    assert interest("1200", "10", 30, currency="JPY").total == Decimal(10)
    assert interest("1000.000", "12", 30, currency="KWD").total == Decimal("9.863")


def test_interest_by_contract_begins_on_the_day_the_notice_named() -> None:
    named = date(2026, 2, 7)
    claim = Claim(Decimal(1000), "EUR", DUE, interest_from=named)
    before = late_interest(claim, named - timedelta(1), contract_rate(Decimal(12)))
    first = late_interest(claim, named, contract_rate(Decimal(12)))
    assert (before.total, before.lines) == (0, ())
    assert [(line.from_on, line.days) for line in first.lines] == [(named, 1)]
    assert first.total == Decimal("0.33")
    assert first.days == 37


def test_a_notice_never_lets_interest_begin_before_the_invoice_is_late() -> None:
    claim = Claim(Decimal(1000), "EUR", DUE, interest_from=date(2025, 12, 1))
    assert late_interest(claim, DUE + timedelta(30), contract_rate(Decimal(12))).lines[0].from_on == date(2026, 1, 2)


def test_what_was_paid_before_interest_begins_bears_none() -> None:
    claim = Claim(Decimal(1000), "EUR", DUE, (Payment(date(2025, 12, 20), Decimal(400)),), date(2026, 2, 7))
    assert [line.balance for line in late_interest(claim, date(2026, 2, 7), contract_rate(Decimal(12))).lines] == [600]


def test_a_payment_taken_back_raises_the_balance_again() -> None:
    moves = (Payment(DUE + timedelta(10), Decimal(1000)), Payment(DUE + timedelta(20), Decimal(-1000)))
    answer = late_interest(Claim(Decimal(1000), "EUR", DUE, moves), DUE + timedelta(30), contract_rate(Decimal(12)))
    assert [(line.from_on.day, line.to_on.day, line.days) for line in answer.lines] == [(2, 11, 10), (22, 31, 10)]


def test_interest_first_leaves_more_principal_to_bear_interest() -> None:
    """BGB 367: the payment of day 30 covers 9.86 of interest, and 390.14 of the principal."""
    claim = Claim(Decimal(1000), "EUR", DUE, (Payment(DUE + timedelta(30), Decimal(400)),))
    answer = late_interest(claim, DUE + timedelta(59), contract_rate(Decimal(12)), replace(CONTRACT, first="interest"))
    assert [str(line.balance) for line in answer.lines] == ["1000.00", "609.86"]
    assert answer.total == Decimal("15.68")


def test_more_than_is_owed_is_refused_with_the_payment_named() -> None:
    claim = Claim(Decimal(1000), "EUR", DUE, (Payment(DUE + timedelta(30), Decimal("1009.87")),))
    with pytest.raises(Refused, match=r"payment of 1009\.87 on 2026-01-31 is more than the 1009\.86 owed") as refused:
        late_interest(claim, DUE + timedelta(59), contract_rate(Decimal(12)))
    assert (refused.value.code, refused.value.where) == ("overpaid", "payment 2026-01-31")


@pytest.mark.parametrize(
    ("claim", "code", "where"),
    [
        (Claim(Decimal("1000.005"), "EUR", DUE), "too_fine", "principal"),
        (Claim(Decimal("1000.5"), "JPY", DUE), "too_fine", "principal"),
        (Claim(Decimal(-1), "EUR", DUE), "negative", "principal"),
        (Claim(Decimal(1), "EUR", DUE, (Payment(DUE, Decimal("0.001")),)), "too_fine", "payment 2026-01-01"),
    ],
)
def test_amounts_nobody_owes_are_refused(claim: Claim, code: str, where: str) -> None:
    with pytest.raises(Refused) as refused:
        late_interest(claim, DUE + timedelta(30), contract_rate(Decimal(12)))
    assert (refused.value.code, refused.value.where) == (code, where)


def test_a_day_before_the_first_rate_is_refused_and_no_rate_is_assumed() -> None:
    rates = [RateStep(date(2026, 2, 1), Decimal(12), "given")]
    with pytest.raises(MissingRate, match="2026-H1"):
        late_interest(Claim(Decimal(1000), "EUR", DUE), DUE + timedelta(59), rates)


def test_a_rule_that_charges_nothing_needs_no_rate() -> None:
    answer = late_interest(Claim(Decimal(1000), "EUR", DUE), DUE + timedelta(59), [], NONE)
    assert (answer.total, answer.days) == (0, 59)


UK = Rule(
    "X-UK",
    compensation=((Decimal(0), Decimal(40)), (Decimal(1000), Decimal(70)), (Decimal(10000), Decimal(100))),
    compensation_currency="GBP",
)


@pytest.mark.parametrize(
    ("principal", "lump"),
    [("500", 40), ("999.99", 40), ("1000", 70), ("5000", 70), ("9999.99", 70), ("10000", 100), ("12000", 100)],
)
def test_compensation_is_a_lump_sum_by_the_size_of_the_claim_beside_the_interest(principal: str, lump: int) -> None:
    answer = interest(principal, "12.5", 14, currency="GBP", rule=UK)
    assert answer.compensation == lump
    assert answer.total == interest(principal, "12.5", 14, currency="GBP").total


def test_no_compensation_before_the_claim_is_late_nor_in_another_currency() -> None:
    assert interest("500", "12.5", 0, currency="GBP", rule=UK).compensation == 0
    assert interest("500", "12.5", 14, currency="EUR", rule=UK).compensation == 0


# ── What holds for every claim ──────────────────────────────────────────


@st.composite
def claims(draw: st.DrawFn) -> tuple[Claim, date, list[RateStep]]:
    principal = draw(st.integers(1, 10**7))
    rest, payments = principal, []
    for _ in range(draw(st.integers(0, 4))):
        share = draw(st.integers(0, rest))
        if share:
            payments.append(Payment(DUE + timedelta(draw(st.integers(-20, 500))), Decimal(share) / 100))
            rest -= share
    first = RateStep(date.min, Decimal(draw(st.integers(0, 3000))) / 100, "a")
    later = draw(st.lists(st.integers(-10, 500), max_size=3, unique=True))
    rates = [RateStep(DUE + timedelta(n), Decimal(draw(st.integers(0, 3000))) / 100, "b") for n in later]
    until = DUE + timedelta(draw(st.integers(-5, 500)))
    return Claim(Decimal(principal) / 100, "EUR", DUE, tuple(payments)), until, [first, *rates]


def exactly(answer: Interest) -> Fraction:
    return sum((line.exact for line in answer.lines), Fraction())


def day_by_day(claim: Claim, until: date, rates: list[RateStep]) -> Fraction:
    """The slow way, straight from the words: each day, the balance of that morning at the rate of that day."""
    total, day = Fraction(), claim.first_day
    while day <= until:
        balance = claim.principal - sum(p.amount for p in claim.payments if p.on < day)
        percent = [step.percent for step in sorted(rates, key=lambda step: step.from_on) if step.from_on <= day][-1]
        total += Fraction(balance) * Fraction(percent) / 100 / 365
        day += timedelta(1)
    return total


@given(claims())
def test_the_pieces_come_to_the_same_as_counting_day_by_day(made: tuple[Claim, date, list[RateStep]]) -> None:
    claim, until, rates = made
    answer = late_interest(claim, until, rates)
    assert exactly(answer) == day_by_day(claim, until, rates)
    assert abs(Fraction(answer.total) - exactly(answer)) <= Fraction(1, 200)


@given(claims(), st.integers(1, 500), st.sampled_from(["act/365", "act/360", "30/360"]))
def test_a_period_bears_what_its_parts_bear(
    made: tuple[Claim, date, list[RateStep]], cut: int, convention: DayCount
) -> None:
    claim, until, rates = made
    rule = replace(CONTRACT, day_count=convention)
    middle = min(DUE + timedelta(cut), until)
    early = late_interest(claim, middle, rates, rule)
    late = late_interest(replace(claim, interest_from=middle + timedelta(1)), until, rates, rule)
    assert exactly(early) + exactly(late) == exactly(late_interest(claim, until, rates, rule))


@given(claims())
def test_paying_interest_first_never_lowers_the_interest(made: tuple[Claim, date, list[RateStep]]) -> None:
    claim, until, rates = made
    by_interest = late_interest(claim, until, rates, replace(CONTRACT, first="interest"))
    assert exactly(by_interest) >= exactly(late_interest(claim, until, rates))


@given(claims())
def test_the_lines_follow_one_another_without_gap_or_overlap_while_anything_is_owed(
    made: tuple[Claim, date, list[RateStep]],
) -> None:
    claim, until, rates = made
    lines = late_interest(claim, until, rates).lines
    owed = [claim.first_day + timedelta(n) for n in range((until - claim.first_day).days + 1)]
    owed = [day for day in owed if claim.principal > sum(p.amount for p in claim.payments if p.on < day)]
    counted = [line.from_on + timedelta(n) for line in lines for n in range(line.days)]
    assert counted == owed
    assert all(line.to_on == line.from_on + timedelta(line.days - 1) for line in lines)


@given(st.integers(1, 10**7), st.integers(0, 2400), st.integers(1, 36))
def test_whole_months_compound_by_the_closed_formula(cents: int, percent: int, months: int) -> None:
    claim = Claim(Decimal(cents) / 100, "USD", DUE)
    rule = replace(CONTRACT, compound_monthly=True)
    answer = late_interest(claim, add_months(DUE, months), contract_rate(Decimal(percent) / 100), rule)
    assert exactly(answer) == Fraction(cents, 100) * ((1 + Fraction(percent, 120000)) ** months - 1)
