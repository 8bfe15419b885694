"""The published examples on interest, compensation and rates: each equal to the exact answer, or to the published one.

The collection lies beside the project where it is worked on; where it is absent those tests are passed over, and the
likeness below (other figures, the same shapes) holds the same ground.
"""

import datetime as dt
import json
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.core.management import call_command

from invoices.interest import CONTRACT, Claim, Interest, Rule, late_interest
from invoices.rates import RateStep, contract_rate
from invoices.services.rules import rates_for, rule_of
from policies.interest import RULES
from policies.models import ReferenceRate
from policies.rate_files import read_rates
from policies.services.rates import add_rate, take_rates

SHARED = Path(__file__).resolve().parents[3] / "shared"
EXAMPLES = SHARED / "cases" / "worked_examples.json"
RATES = SHARED / "data" / "rates" / "statutory_rates.json"
DUE = dt.date(2026, 1, 1)
IDS = [
    "UK-05", "UK-06", "UK-09", "UK-11", "UK-12", "UK-14", "DE-02", "DE-03", "DE-05", "DE-06", "DE-07", "DE-09", "DE-10",
    "FR-01", "FI-02", "NL-01", "IT-01", "ES-01", "US-01", "US-03", "SW-01", "SW-03",
]  # fmt: skip


@pytest.fixture(scope="module")
def examples():
    if not EXAMPLES.exists():
        pytest.skip("the collection of published examples is not beside the project")
    return {row["id"]: row for row in json.loads(EXAMPLES.read_text(), parse_float=Decimal, parse_int=Decimal)}


@pytest.fixture
def entered(db):
    """The published reference rates, entered as the command enters them."""
    if not RATES.exists():
        pytest.skip("the collection of published rates is not beside the project")
    assert not take_rates(read_rates(RATES.read_bytes(), RATES.name).rates, by="test").refused


def earned(principal, percent, days, *, currency="EUR", rule: Rule = CONTRACT) -> Interest:
    claim = Claim(Decimal(principal), currency, DUE)
    return late_interest(claim, DUE + dt.timedelta(int(days)), contract_rate(Decimal(percent)), rule)


def exactly(answer: Interest) -> Fraction:
    return sum((line.exact for line in answer.lines), Fraction())


def exact(row):
    return Decimal(row["exact_recomputed"]).quantize(Decimal("0.01"))


def percent_of(rule: Rule, period: str) -> Decimal:
    """The percentage of a rule for a whole half-year."""
    first = dt.date(int(period[:4]), 1 if period.endswith("1") else 7, 1)
    (step,) = rates_for(rule, invoice_percent=None, start=first, until=first)
    return step.percent


def asked(capsys, *arguments):
    call_command("interest", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_a_test_stands_for_every_example_of_the_collection_that_is_about_interest(examples):
    about = [code for code in examples if code.split("-")[0] in {"UK", "DE", "FR", "FI", "NL", "IT", "ES", "US", "SW"}]
    assert sorted(about) == sorted(IDS)
    written = Path(__file__).read_text()
    assert [code for code in IDS if f"def test_{code.lower().replace('-', '_')}" not in written] == []


# ── United Kingdom ──────────────────────────────────────────────────────


def uk(row) -> Interest:
    """By the rule as shipped, at the Bank Rate the example took: plus 8 points, or the rate it names."""
    given = row["inputs"]
    percent = given["rate"] if "rate" in given else given["base"] + RULES["UK"].margin
    return earned(given["principal"], percent, given["days"], currency="GBP", rule=RULES["UK"])


def test_uk_05(examples):
    assert uk(examples["UK-05"]).total == exact(examples["UK-05"]) == Decimal("25.68")


def test_uk_06_with_compensation_beside_it(examples):
    answer, published = uk(examples["UK-06"]), examples["UK-06"]["published_answer"]
    assert answer.total == exact(examples["UK-06"]) == published["interest"]
    assert answer.compensation == published["compensation"] == 40
    assert 500 + answer.total + answer.compensation == published["total"]


def test_uk_09_exactly_where_the_published_answer_is_in_whole_pounds(examples):
    answer, published = uk(examples["UK-09"]), examples["UK-09"]["published_answer"]
    assert answer.total == exact(examples["UK-09"]) == Decimal("384.66")
    assert answer.total.to_integral_value(ROUND_FLOOR) == published["interest"]
    assert answer.compensation == published["compensation"] == 100


def test_uk_11_at_the_bank_rate_it_took(examples):
    answer, published = uk(examples["UK-11"]), examples["UK-11"]["published_answer"]
    assert answer.total == exact(examples["UK-11"]) == published["interest"]
    assert answer.compensation == published["compensation"] == 70
    assert answer.total + answer.compensation == published["total"]


def test_uk_11_by_its_date_the_bank_rate_was_another(examples, entered, capsys):
    """The note of the example: 3.75 on 31 December 2025, so 11.75 percent and 48.29."""
    due = examples["UK-11"]["inputs"]["due_date"]
    answer = asked(capsys, "--rule=UK", "--principal=5000", "--currency=GBP", f"--due={due}", "--until=2026-06-20")
    assert (answer["total"], answer["compensation"]) == ("48.29", "70.00")


def test_uk_12(examples):
    assert uk(examples["UK-12"]).total == exact(examples["UK-12"]) == Decimal("10.27")


def test_uk_14_exactly_where_the_published_answer_cuts_off(examples):
    answer = uk(examples["UK-14"])
    assert answer.total == exact(examples["UK-14"]) == Decimal("1.40")
    floored = Decimal(int(exactly(answer) * 100)) / 100
    assert floored == examples["UK-14"]["published_answer"]["interest"]


# ── Germany ─────────────────────────────────────────────────────────────


def one_rate(capsys, row):
    """By the command, at the one rate of the example for the whole time."""
    given = row["inputs"]
    return asked(
        capsys, "--rate", str(given["rate"]), "--principal", str(given["principal"]), "--currency=EUR",
        "--due", given["due"], "--until", given["paid"],
    )  # fmt: skip


def test_de_02_at_one_rate(examples, capsys):
    answer = one_rate(capsys, examples["DE-02"])
    assert (Decimal(answer["total"]), answer["days"]) == (exact(examples["DE-02"]), 181)


def test_de_03_at_one_rate(examples, capsys):
    answer = one_rate(capsys, examples["DE-03"])
    assert (Decimal(answer["total"]), answer["days"]) == (exact(examples["DE-03"]), 181)


@pytest.mark.parametrize(("rule", "total"), [("DE-B2C", "328.69"), ("DE-B2B", "527.05")])
def test_de_02_and_de_03_day_by_day_the_first_of_july_bears_the_new_rate(examples, entered, capsys, rule, total):
    answer = asked(
        capsys, f"--rule={rule}", "--principal=10000", "--currency=EUR", "--due=2023-01-01", "--until=2023-07-01"
    )
    assert answer["total"] == total and total in examples["DE-02"]["note"] + examples["DE-03"]["note"]


def test_de_05_from_its_first_day_of_interest_by_months_of_thirty_days(examples):
    row = examples["DE-05"]
    first, last = (dt.date.fromisoformat(row["inputs"][name]) for name in ("frm", "to"))
    claim = Claim(row["inputs"]["principal"], "EUR", first - dt.timedelta(1))
    rates = contract_rate(row["inputs"]["rate"])
    answer = late_interest(claim, last, rates, replace(CONTRACT, day_count="30/360"))
    assert answer.total == exact(row) and answer.lines[0].from_on == first
    assert late_interest(claim, last, rates).total == Decimal("2.90")


def test_de_06(examples):
    assert earned("1000", "5.12", 25).total == exact(examples["DE-06"])


def test_de_07(examples):
    assert earned("10000", "9.0", 30).total == exact(examples["DE-07"])


def test_de_09_the_lump_sum_is_forty_euros_for_every_invoice_of_a_business_and_none_of_a_consumer(examples):
    claims = ["100", "10000", "250000"]  # C-585/20: one sum for each, even where all are claimed at once
    sums = [earned(amount, "10", 5, rule=RULES["DE-B2B"]).compensation for amount in claims]
    assert sums == [exact(examples["DE-09"])] * 3
    assert {earned(amount, "6", 5, rule=RULES["DE-B2C"]).compensation for amount in claims} == {0}


def test_de_10_paid_on_or_before_the_due_day(examples):
    for days in (0, -1, -30):
        answer = earned("10000", "10", days, rule=RULES["DE-B2B"])
        assert (answer.total, answer.compensation, answer.lines) == (exact(examples["DE-10"]), 0, ())


# ── France, and rates of other countries ────────────────────────────────


def test_fr_01_with_its_forty_euros(examples):
    answer = earned("5000", "10.0", 30, rule=RULES["FR"])
    assert (answer.total, answer.compensation) == (exact(examples["FR-01"]), 40)


def test_fi_02_the_reference_is_rounded_up_to_the_next_half_before_the_margin(examples, entered):
    row = examples["FI-02"]
    assert percent_of(rule_of("FI", DUE), row["inputs"]["period"]) == row["exact_recomputed"]


def statutory(row):
    return percent_of(rule_of("EU", DUE), row["inputs"]["period"])


def test_nl_01_ecb_and_eight_points(examples, entered):
    assert statutory(examples["NL-01"]) == examples["NL-01"]["exact_recomputed"]


def test_it_01_ecb_and_eight_points(examples, entered):
    assert statutory(examples["IT-01"]) == examples["IT-01"]["exact_recomputed"]


def test_es_01_ecb_and_eight_points_at_a_reference_of_zero(examples, entered):
    assert statutory(examples["ES-01"]) == examples["ES-01"]["exact_recomputed"]


def test_us_01_a_percentage_of_a_month_is_twelve_times_it_a_year(examples):
    given = examples["US-01"]["inputs"]
    answer = earned(given["principal"], given["monthly_rate"] * 12, given["days"], currency="USD")
    assert answer.total == exact(examples["US-01"])


@pytest.mark.django_db
def test_us_03_a_series_of_its_own_is_a_row_somebody_enters(examples):
    row = examples["US-03"]
    add_rate(
        "us_prompt_payment", from_on=dt.date(2026, 1, 1), valid_through=dt.date(2026, 6, 30),
        percent=row["published_answer"]["value"], source=row["source"], by="test",
    )  # fmt: skip
    assert percent_of(Rule("US-PPA", series="us_prompt_payment"), row["inputs"]["period"]) == row["exact_recomputed"]


# ── Software ────────────────────────────────────────────────────────────


def dunned(row) -> Interest:
    given = row["inputs"]
    return earned(given["outstanding"], given["rate"], given["overdue_days"])


def test_sw_01_the_interest_and_the_fee_are_two_things(examples):
    answer, published = dunned(examples["SW-01"]), examples["SW-01"]["published_answer"]
    assert answer.total == exact(examples["SW-01"])
    assert answer.total + examples["SW-01"]["inputs"]["fee"] == published["dunning_amount"]


def test_sw_03_no_rate_no_interest(examples):
    answer = dunned(examples["SW-03"])
    assert (answer.total, answer.compensation) == (exact(examples["SW-03"]), 0)


# ── A likeness, and what the examples leave open ────────────────────────


@pytest.mark.parametrize(
    ("rule", "currency", "principal", "percent", "days", "total", "lump"),
    [
        ("UK", "GBP", "2400", "12.75", 33, "27.67", 70),
        ("UK", "GBP", "999.99", "11.75", 90, "28.97", 40),
        ("UK", "GBP", "1000", "11.75", 90, "28.97", 70),
        ("UK", "GBP", "9999.99", "11.75", 10, "32.19", 70),
        ("UK", "GBP", "10000", "11.75", 10, "32.19", 100),
        ("DE-B2B", "EUR", "8000", "10.27", 181, "407.42", 40),
        ("DE-B2C", "EUR", "8000", "6.27", 181, "248.74", 0),
        ("FR", "EUR", "4500", "12.15", 30, "44.94", 40),
        ("FI", "EUR", "4500", "10.5", 30, "38.84", 40),
        ("EU", "EUR", "4500", "10.15", 30, "37.54", 40),
        ("NONE", "EUR", "4500", "10.15", 30, "0.00", 0),
    ],
)
def test_a_likeness_by_the_rules_as_shipped(rule, currency, principal, percent, days, total, lump):
    answer = earned(principal, percent, days, currency=currency, rule=RULES[rule])
    assert (str(answer.total), answer.compensation) == (total, lump)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rule", "reference", "percent"),
    [("EU", "1.85", "9.85"), ("FR", "1.85", "11.85"), ("FI", "1.85", "10"), ("FI", "2", "10"), ("FI", "2.0001", "10.5"),
     ("EU", "-0.5", "7.5")],
)  # fmt: skip
def test_a_likeness_of_the_rates(rule, reference, percent):
    ReferenceRate.objects.create(
        series="ecb_mro_reference", from_on=dt.date(2026, 1, 1), valid_through=dt.date(2026, 6, 30),
        percent=Decimal(reference), source="x", entered_by="x",
    )  # fmt: skip
    assert percent_of(RULES[rule], "2026-H1") == Decimal(percent)


def test_ten_thousand_over_a_change_of_rate_by_the_command(capsys):
    answer = asked(
        capsys, "--rate", "2026-01-01=10.15", "2026-07-01=10.40", "--principal=10000", "--currency=EUR",
        "--due=2026-04-15", "--until=2026-08-20",
    )  # fmt: skip
    assert answer["total"] == "356.66"
    assert [(line["days"], line["rate"], line["amount"]) for line in answer["lines"]] == [
        (76, "10.15", "211.342466"), (51, "10.40", "145.315068"),
    ]  # fmt: skip


def test_the_same_facts_give_the_same_bytes():
    claim = Claim(Decimal(10000), "EUR", dt.date(2026, 4, 15))
    rates = [RateStep(dt.date(2026, 7, 1), Decimal("10.40"), "b"), RateStep(dt.date(2026, 1, 1), Decimal("10.15"), "a")]
    texts = {json.dumps(late_interest(claim, dt.date(2026, 8, 20), r).to_json()) for r in (rates, rates[::-1])}
    assert len(texts) == 1
