"""manage.py interest: the figures promised, JSON alone on stdout, and exits 0, 1 and 2 as the contract says."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from invoices.management.commands.interest import Command
from policies.models import InterestRule, ReferenceRate

ALWAYS = "--principal 1000 --currency EUR --due 2026-01-01 --until 2026-03-01"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(connections, "close_all", lambda: None)  # as a command ends; a test's database stays open

    def run(arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            Command().run_from_argv(["manage.py", "interest", "--skip-checks", *arguments.split()])
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_a_part_payment_is_answered_with_its_derivation(run: Any) -> None:
    code, out, err = run(f"{ALWAYS} --rate 12 --payment 2026-01-31=400 --json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "total": "15.58",
        "days": 59,
        "compensation": "0.00",
        "lines": [
            {"from": "2026-01-02", "to": "2026-01-31", "days": 30, "balance": "1000.00", "rate": "12",
             "source": "given", "amount": "9.863014"},
            {"from": "2026-02-01", "to": "2026-03-01", "days": 29, "balance": "600.00", "rate": "12",
             "source": "given", "amount": "5.720548"},
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "total"),
    [
        ("--rate 2026-01-01=10.15 2026-07-01=10.40 --principal 10000 --currency EUR --due 2026-04-15 "
         "--until 2026-08-20", "356.66"),
        ("--rate 6 --principal 1500 --currency USD --due 2026-01-01 --until 2026-03-16 --compound monthly "
         "--day-count act/360", "18.83"),
        ("--rate 8.12 --principal 420 --currency EUR --due 2016-08-02 --until 2016-09-02 --day-count 30/360", "2.84"),
        ("--rate 12.25 --principal 5,000 --currency GBP --due 2026-01-01 --until 2026-04-12 "
         "--rounding daily", "169.68"),
        ("--rate 12 --principal 1200 --currency JPY --due 2026-01-01 --until 2026-03-02", "24"),
        (f"--rate 12 {ALWAYS} --payment 2026-01-31=400 --first interest", "15.68"),
        (f"--rate 12 {ALWAYS} --payment 2026-01-31=200 2026-01-31=200", "15.58"),
        (f"--rate 12 {ALWAYS} --interest-from 2026-03-01", "0.33"),
        ("--rate 12 --principal 1000 --currency EUR --due 2026-01-01 --until 2025-12-01", "0.00"),
    ],
)
def test_every_option_does_what_it_says(run: Any, arguments: str, total: str) -> None:
    code, out, _ = run(f"{arguments} --json")
    assert code == 0
    assert json.loads(out)["total"] == total


def test_a_person_reads_the_same_figures_in_lines(run: Any) -> None:
    code, out, _ = run(f"{ALWAYS} --rate 12 --payment 2026-01-31=400")
    assert code == 0
    assert "30 days at      12 % on        1000.00          9.863014" in out
    assert "Interest 15.58, compensation 0.00, 59 days late" in out


@pytest.mark.parametrize(
    ("arguments", "code", "where", "says"),
    [
        (ALWAYS, "missing_rate", "contract 2026-H1", "no rate of «contract» for 2026-H1"),
        (f"{ALWAYS} --rate 2026-02-01=12", "missing_rate", "the rates given 2026-H1", "2026-H1"),
        (f"{ALWAYS} --rate 12 --payment 2026-01-31=2000", "overpaid", "payment 2026-01-31", "is more than the 1009.86"),
        (f"{ALWAYS} --rate 12 --payment 2026-01-31=1.005", "too_fine", "payment 2026-01-31", "more decimals than EUR"),
        (f"{ALWAYS.replace('1000', '1000.5').replace('EUR', 'JPY')} --rate 12", "too_fine", "principal", "than JPY"),
        (f"{ALWAYS.replace('1000', '-1000')} --rate 12", "negative", "principal", "below zero"),
    ],
)
def test_a_refusal_is_one_json_object_and_exit_1(run: Any, arguments: str, code: str, where: str, says: str) -> None:
    exit_code, out, err = run(f"{arguments} --json")
    error = json.loads(out)["error"]
    assert (exit_code, err) == (1, "")
    assert (error["code"], error["where"]) == (code, where)
    assert says in error["message"]


def test_a_refusal_for_a_person_is_a_sentence_on_stderr(run: Any) -> None:
    code, out, err = run(ALWAYS)
    assert (code, out) == (1, "")
    assert "There is no rate of «contract» for 2026-H1. Enter it with its source" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("", "required"),
        (f"{ALWAYS} --rate 12,5", "is not a rate"),
        (f"{ALWAYS} --rate -1", "is not a rate"),
        (f"{ALWAYS} --rate 2026-13-01=5", "is not a date"),
        (f"{ALWAYS.replace('EUR', 'EURO')} --rate 12", "is not a currency"),
        (f"{ALWAYS.replace('2026-03-01', '01.03.2026')} --rate 12", "is not a date"),
        (f"{ALWAYS.replace('2026-03-01', '2026-W10-7')} --rate 12", "is not a date"),
        (f"{ALWAYS.replace('1000', '1e3')} --rate 12", "is not an amount"),
        (f"{ALWAYS} --rate 12 --payment 400", "is not a payment"),
        (f"{ALWAYS} --rate 12 --payment 31.1.=400", "is not a date"),
        (f"{ALWAYS} --rate 12 --payment 2026-01-31=0", "not above zero"),
        (f"{ALWAYS} --rate 12 --day-count act/364", "invalid choice"),
    ],
)
def test_wrong_usage_is_exit_2_and_its_reason_goes_to_stderr(run: Any, arguments: str, says: str) -> None:
    code, out, err = run(f"{arguments} --json")
    assert (code, out) == (2, "")
    assert says in err


# ── By a rule, with the rates that are entered ──────────────────────────


def rate(series: str, period: str, percent: str) -> None:
    year, first = int(period[:4]), period.endswith("1")
    begins = dt.date(year, 1 if first else 7, 1)
    ends = dt.date(year, 6, 30) if first else dt.date(year, 12, 31)
    ReferenceRate.objects.create(
        series=series, from_on=begins, valid_through=ends, percent=Decimal(percent), source="the bank", entered_by="x"
    )


@pytest.fixture
def rates(db: None) -> None:
    for period, percent in (("2025-H1", "3.15"), ("2025-H2", "2.15"), ("2026-H1", "2.15")):
        rate("ecb_mro_reference", period, percent)
    rate("boe_reference", "2025-H1", "4.75")
    rate("de_basiszins", "2025-H2", "1.27")


OVER = "--currency EUR --due 2025-05-31 --until 2025-07-31"  # thirty days of June, 31 of July


@pytest.mark.parametrize(
    ("arguments", "total", "compensation"),
    [
        (f"--rule EU --principal 10000 {OVER}", "177.85", "40.00"),  # 30 days at 11.15, 31 at 10.15
        (f"--rule FR --principal 10000 {OVER}", "211.27", "40.00"),  # at 13.15 and 12.15
        (f"--rule fi --principal 10000 {OVER}", "183.70", "40.00"),  # at 11.5 and 10.5
        (f"--rule UK --principal 10000 {OVER.replace('EUR', 'GBP')}", "213.08", "100.00"),  # at 12.75 throughout
        (f"--rule EU --principal 10000 {OVER.replace('EUR', 'GBP')}", "177.85", "0.00"),
        ("--rule DE-B2B --principal 10000 --currency EUR --due 2025-12-01 --until 2025-12-31", "84.41", "40.00"),
        ("--rule DE-B2C --principal 10000 --currency EUR --due 2025-12-01 --until 2025-12-31", "51.53", "0.00"),
        (f"--rule NONE --principal 10000 {OVER}", "0.00", "0.00"),
        (f"--rule EU --rate 10 --principal 1000 {OVER}", "16.71", "40.00"),
        (f"--rule EU --principal 10000 --payment 2025-06-30=10000 {OVER.replace('2025-07-31', '2030-01-01')}", "91.64",
         "40.00"),  # paid: the rates of later half-years are nobody's business
        ("--rule EU --principal 10000 --currency EUR --due 2030-01-01 --until 2029-12-31", "0.00", "0.00"),
    ],
)  # fmt: skip
def test_a_rule_brings_its_rates_and_its_compensation(
    run: Any, rates: None, arguments: str, total: str, compensation: str
) -> None:
    code, out, err = run(f"{arguments} --json")
    assert (code, err) == (0, "")
    assert (json.loads(out)["total"], json.loads(out)["compensation"]) == (total, compensation)


def test_every_line_says_which_reference_rate_and_where_it_was_published(run: Any, rates: None) -> None:
    lines = json.loads(run(f"--rule EU --principal 10000 {OVER} --json")[1])["lines"]
    assert [(line["from"], line["rate"], line["source"]) for line in lines] == [
        ("2025-06-01", "11.15", "ecb_mro_reference 2025-H1 3.15 + 8 (the bank)"),
        ("2025-07-01", "10.15", "ecb_mro_reference 2025-H2 2.15 + 8 (the bank)"),
    ]


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ("--rule DE-B2B --principal 1 --currency EUR --due 2025-12-31 --until 2026-01-01", "de_basiszins 2026-H1"),
        ("--rule EU --principal 1 --currency EUR --due 2026-05-31 --until 2026-07-01", "ecb_mro_reference 2026-H2"),
        ("--rule UK --principal 1 --currency GBP --due 2025-06-30 --until 2025-07-01", "boe_reference 2025-H2"),
        ("--rule CONTRACT --principal 1 --currency EUR --due 2025-06-30 --until 2025-07-01", "contract 2025-H2"),
    ],
)
def test_a_rate_nobody_entered_is_exit_1_and_series_and_half_year_are_named(
    run: Any, rates: None, arguments: str, where: str
) -> None:
    code, out, err = run(f"{arguments} --json")
    error = json.loads(out)["error"]
    assert (code, err, error["code"], error["where"]) == (1, "", "missing_rate", where)
    series, period = where.split()
    assert f"«{series}» for {period}" in error["message"]


def test_a_rule_that_was_added_works_by_its_code_and_another_is_refused(run: Any, rates: None) -> None:
    asked = "--principal 1000 --currency EUR --due 2025-05-31 --until 2025-06-30 --json"
    code, out, _err = run(f"--rule NO {asked}")
    assert (code, json.loads(out)["error"]["code"]) == (1, "no_rule")
    InterestRule.objects.create(
        code="NO", effective_from=dt.date(2020, 1, 1), title="x", source="x", percent=Decimal("12.5"), grace_days=30
    )
    assert json.loads(run(f"--rule NO {asked}")[1])["total"] == "0.00"
    assert json.loads(run(f"--rule NO {asked.replace('06-30', '07-01')}")[1])["total"] == "10.62"
