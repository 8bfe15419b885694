"""manage.py import_rates: half-years with their sources, sparse series, doubts, and nothing twice."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command

from core.commands import WrongUsage
from policies.models import ReferenceRate

pytestmark = pytest.mark.django_db
PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "rates" / "statutory_rates.json"

# A likeness of the collection: the same shapes, other figures.
LIKENESS = {
    "moon_bank": {
        "rule": "rate in force on 1 Jan / 1 Jul",
        "values": {"2024-H1": 4.5, "2024-H2": 4.25, "2025-H1": 3.15, "2025-H2": 3},
        "sources": {
            "2024-H1..2024-H2": "the moon gazette",
            "2025-H1": "moon.example (unverified)",
            "2025-H2": "moon.example",
            "2026-H1": "NOT FOUND - do not hard-code",
        },
    },
    "moon_base": {
        "note": "sparse: value persists until next key",
        "values": {"2023-H2": -0.88, "2025-H1": 2.27},
        "sources": {"2023..2025-H2": "the moon's archive", "2026-H1": "expected 2.27", "2026-H2": "NOT FOUND"},
    },
    "moon_compensation": [[0, None, 40]],
    "moon_flat": 40,
}
CSV = "series,from,valid_through,percent,source\n"


@pytest.fixture
def take(capsys, tmp_path):
    """Write a file, import it, answer with the exit code, what stood on stdout, and what on stderr."""

    def take(content, *options, name="rates.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return ran(capsys, path, *options)

    return take


def ran(capsys, path, *options):
    code = 0
    try:
        call_command("import_rates", str(path), *options)
    except SystemExit as ended:
        code = int(ended.code or 0)
    except WrongUsage as wrong:
        return wrong.returncode, "", str(wrong)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def standing(series):
    rows = ReferenceRate.objects.standing().filter(series=series).order_by("from_on")
    return [(row.from_on.isoformat(), row.valid_through.isoformat(), f"{row.percent.normalize():f}") for row in rows]


def test_every_half_year_is_a_row_with_its_own_source(take):
    code, out, err = take(LIKENESS, "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert (answer["rows"], answer["created"], answer["unchanged"], answer["refused"]) == (10, 10, 0, 0)
    assert standing("moon_bank") == [
        ("2024-01-01", "2024-06-30", "4.5"), ("2024-07-01", "2024-12-31", "4.25"),
        ("2025-01-01", "2025-06-30", "3.15"), ("2025-07-01", "2025-12-31", "3"),
    ]  # fmt: skip
    first = ReferenceRate.objects.get(series="moon_bank", from_on=dt.date(2024, 1, 1))
    assert (first.source, first.entered_by, first.checked_by) == ("the moon gazette", "import of rates.json", "")
    assert answer["ignored"] == ["moon_compensation", "moon_flat"]


def test_a_sparse_series_holds_until_its_next_value_and_no_further_than_a_source_says(take):
    _code, out, _err = take(LIKENESS, "--json")
    assert [(begins, percent) for begins, _ends, percent in standing("moon_base")] == [
        ("2023-07-01", "-0.88"), ("2024-01-01", "-0.88"), ("2024-07-01", "-0.88"),
        ("2025-01-01", "2.27"), ("2025-07-01", "2.27"), ("2026-01-01", "2.27"),
    ]  # fmt: skip
    assert json.loads(out)["series"]["moon_base"] == {"rows": 6, "from": "2023-07-01", "valid_through": "2026-06-30"}
    assert [row["where"] for row in json.loads(out)["doubtful"]] == ["moon_bank 2025-H1", "moon_base 2026-H1"]


def test_the_second_time_nothing_changes(take):
    take(LIKENESS)
    before = list(ReferenceRate.objects.values_list("pk", "entered_at"))
    code, out, _err = take(LIKENESS, "--json")
    answer = json.loads(out)
    assert (code, answer["created"], answer["unchanged"]) == (0, 0, 10)
    assert list(ReferenceRate.objects.values_list("pk", "entered_at")) == before


def test_a_later_file_only_adds_what_is_new(take):
    take(LIKENESS)
    later = json.loads(json.dumps(LIKENESS))
    later["moon_bank"]["values"]["2026-H1"] = 2.9
    later["moon_bank"]["sources"]["2026-H1"] = "moon.example"
    answer = json.loads(take(later, "--json")[1])
    assert (answer["created"], answer["unchanged"]) == (1, 10)


def test_a_file_that_contradicts_what_stands_is_refused_as_a_whole(take):
    take(LIKENESS)
    other = json.loads(json.dumps(LIKENESS))
    other["moon_bank"]["values"] |= {"2025-H2": 3.5, "2026-H1": 2.9}
    other["moon_bank"]["sources"]["2026-H1"] = "moon.example"
    code, out, _err = take(other, "--json")
    answer = json.loads(out)
    assert (code, answer["created"], answer["refused"]) == (1, 0, 1)
    assert answer["errors"][0]["where"] == "moon_bank 2025-H2"
    assert "is 3 % from 2025-07-01 through 2025-12-31 already" in answer["errors"][0]["message"]
    assert len(standing("moon_bank")) == 4


def test_a_value_without_a_source_is_no_rate(take):
    bare = {"moon_bank": {"values": {"2025-H1": 3, "2025-H2": 3}, "sources": {"2025-H1": "x", "2025-H2": "NOT FOUND"}}}
    code, out, _err = take(bare, "--json")
    assert code == 1
    message = "The file names no source for this half-year. Add one under «sources»."
    assert json.loads(out)["errors"] == [{"where": "moon_bank 2025-H2", "message": message}]
    assert not ReferenceRate.objects.exists()


@pytest.mark.parametrize(
    ("series", "said"),
    [
        ({"values": {"0000-H1": 1}, "sources": {"0000": "x"}}, "«0000-H1» is not a half-year"),
        ({"values": {"9999-H2": 1}, "sources": {"9999-H2": "x"}}, "«9999-H2» is not a half-year"),
        ({"values": {"2025-H1": 1}, "sources": {"0000..9999": "x"}}, "names no source"),
        ({"values": {"2025-H1": 1}, "sources": ["x"]}, "names no source"),
        ({"values": {"2025-H1": 1}, "sources": {"2025-H1": "a\x00b"}}, "a character that cannot be kept"),
    ],
)
def test_what_no_calendar_or_column_can_hold_is_refused_with_a_sentence(take, series, said):
    code, out, _err = take({"moon_bank": series}, "--json")
    assert code == 1 and said in json.loads(out)["errors"][0]["message"]
    assert not ReferenceRate.objects.exists()


@pytest.mark.parametrize("content", [f"{CSV}a_b,2026-01-01,2026-06-30,1,{'x' * 140_000}\n", "x" * 140_000])
def test_a_cell_longer_than_a_csv_may_have_is_refused_with_a_sentence(take, content):
    code, out, _err = take(content, "--json", name="rates.csv")
    assert code == 1 and json.loads(out)["error"]["code"] == "not_csv"


def test_a_plain_csv_is_read_too_and_a_row_once_more_is_there_already(take):
    rows = f"{CSV}us_ppa,2026-01-01,2026-06-30,4.125,federalregister.gov\n\n"
    code, out, _err = take(rows, name="rates.csv")
    assert (code, "1 entered, 0 there already, 0 refused" in out) == (0, True)
    assert standing("us_ppa") == [("2026-01-01", "2026-06-30", "4.125")]
    assert "0 entered, 1 there already" in take("\ufeff" + rows, name="rates.csv")[1]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("us_ppa,2026-01-01,2026-06-30,4.1,", "Write where the rate was published"),
        ("us_ppa,2026-06-30,2026-01-01,4.1,x", "before it begins"),
        ("us_ppa,2026-01-01,2026-06-30,much,x", "«much» is not a percentage"),
        ("us_ppa,01.01.2026,2026-06-30,4.1,x", "is not a date"),
        ("US PPA,2026-01-01,2026-06-30,4.1,x", "small letters"),
        ("us_old,2025-12-01,2026-01-01,4.1,x", "Withdraw that row first"),
        ("us_ppa", "is not a date"),
    ],
)
def test_a_bad_line_of_a_csv_is_named_and_keeps_all_out(take, row, words):
    code, out, _err = take(f"{CSV}us_old,2025-07-01,2025-12-31,4,x\n{row}\n", "--json", name="rates.csv")
    answer = json.loads(out)
    assert (code, answer["created"]) == (1, 0)
    assert answer["errors"][0]["where"] == "line 3" and words in answer["errors"][0]["message"]
    assert not ReferenceRate.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        ("series,percent\n", "rates.csv", "column"), ("{", "rates.json", "not_json"), ("[]", "rates.json", "no_rates"),
        ('{"a": 1}', "rates.json", "no_rates"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_a_code(take, content, name, code):
    exit_code, out, _err = take(content, "--json", name=name)
    assert (exit_code, json.loads(out)["error"]["code"]) == (1, code)


def test_a_dry_run_answers_the_same_and_keeps_nothing(take):
    answer = json.loads(take(LIKENESS, "--dry-run", "--json")[1])
    assert answer["created"] == 10
    assert not ReferenceRate.objects.exists()


def test_a_file_that_is_not_there_is_wrong_usage(capsys, tmp_path):
    code, out, err = ran(capsys, tmp_path / "none.json")
    assert (code, out) == (2, "") and "cannot be read" in err


def test_the_collection_itself_is_taken_and_what_was_not_found_is_not_invented(capsys):
    if not PUBLISHED.exists():
        pytest.skip("the collection of published rates is not beside the project")
    code, out, _err = ran(capsys, PUBLISHED, "--json")
    answer = json.loads(out)
    assert (code, answer["errors"]) == (0, [])
    said = json.loads(PUBLISHED.read_text(), parse_float=Decimal, parse_int=Decimal)
    through = {code: series["valid_through"] for code, series in answer["series"].items()}
    assert through == {
        "ecb_mro_reference": "2026-06-30", "boe_reference": "2026-12-31", "de_basiszins": "2026-06-30",
    }  # fmt: skip
    for series in ("ecb_mro_reference", "boe_reference", "de_basiszins"):
        for period, percent in said[series]["values"].items():
            year, half = period.split("-H")
            row = ReferenceRate.objects.get(series=series, from_on=dt.date(int(year), 1 if half == "1" else 7, 1))
            assert row.percent == percent, (series, period)
    again = json.loads(ran(capsys, PUBLISHED, "--json")[1])
    assert (again["created"], again["unchanged"]) == (0, answer["created"])
