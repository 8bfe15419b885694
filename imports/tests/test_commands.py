"""The two import commands: JSON alone on stdout, exit codes, profiles, the file of refused rows; and the jobs."""

import csv
import io
import json

import pytest
from django.core.management import call_command

from core import jobs
from core.services import store_file
from imports.models import ImportProfile
from invoices.models import Invoice
from tests.cast import make_company
from tests.real_data import (
    HIGHRADIUS,
    HIGHRADIUS_DATES,
    HIGHRADIUS_MAP,
    IBM,
    IBM_DATES,
    IBM_MAP,
    as_option,
    needs_highradius,
    needs_ibm,
)

pytestmark = pytest.mark.django_db

MAP = "number=no,client=id,issued_on=issued,due_on=due,total=sum"
HOW = ["--map", MAP, "--date-format", "%Y-%m-%d", "--currency", "EUR"]
GOOD = "007,C1,2026-09-01,2026-10-01,100.00"


@pytest.fixture
def file(tmp_path):
    def write(*rows):
        path = tmp_path / "open.csv"
        path.write_text("\n".join(["no,id,issued,due,sum", *rows]) + "\n")
        return str(path)

    return write


def run(*arguments, command="import_open_items"):
    """The answer and the exit code."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command(command, *arguments, "--json", stdout=out, stderr=err)
    except SystemExit as stopped:
        code = stopped.code
    return json.loads(out.getvalue()), code


def test_the_answer_is_json_with_the_keys_of_the_contract(file):
    make_company()
    answer, code = run(file(GOOD), *HOW)
    assert code == 0
    assert {
        key: answer[key]
        for key in ("rows", "created", "unchanged", "refused", "clients_created", "per_currency", "errors")
    } == {
        "rows": 1,
        "created": 1,
        "unchanged": 0,
        "refused": 0,
        "clients_created": 1,
        "per_currency": {"EUR": {"count": 1, "total": "100.00"}},
        "errors": [],
    }


def test_a_bad_row_ends_with_exit_1_its_line_its_column_and_its_value(file):
    make_company()
    answer, code = run(file(GOOD, "8,C1,01.09.2026,2026-10-01,5"), *HOW)
    assert code == 1 and answer["error"]["code"] == "bad_rows" and answer["error"]["where"] == "line 3"
    assert "«01.09.2026» (line 3)" in answer["error"]["message"]
    assert [(e["line"], e["column"], e["value"]) for e in answer["errors"]] == [(3, "issued", "01.09.2026")]
    assert (answer["created"], answer["refused"], answer["per_currency"]) == (0, 1, {})
    assert not Invoice.objects.exists()


def test_refused_rows_are_written_with_their_reasons_and_no_formula(file, tmp_path):
    make_company()
    refused = tmp_path / "refused.csv"
    answer, code = run(file(GOOD, "=1+1,C1,2026-09-01,2026-10-01,-5.00"), *HOW, "--skip-bad", str(refused))
    assert (code, answer["created"], answer["refused"]) == (0, 1, 1)
    header, line = csv.reader(refused.read_text().splitlines())
    assert header == ["line", "reason", "no", "id", "issued", "due", "sum"]
    assert line[0] == "3" and "above zero" in line[1] and line[2] == "'=1+1" and line[-1] == "-5.00"


def test_a_profile_is_saved_with_the_first_file_and_serves_the_second(file):
    make_company()
    run(file(GOOD), *HOW, "--profile", "sage")
    profile = ImportProfile.objects.get()
    assert (profile.kind, profile.date_format, profile.mapping["number"]) == ("open_items", "%Y-%m-%d", "no")
    answer, code = run(file(GOOD, GOOD.replace("007", "008")), "--profile", "sage")
    assert (code, answer["created"], answer["unchanged"]) == (0, 1, 1)
    answer, code = run(file(GOOD), "--profile", "sago")
    assert code == 1 and "sage" in answer["error"]["message"]


def test_a_refused_file_and_a_dry_run_save_no_profile(file):
    make_company()
    run(file("x"), *HOW, "--profile", "bad")
    run(file(GOOD), *HOW, "--profile", "dry", "--dry-run")
    assert not ImportProfile.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (
            ["--map", "number=nope,client=id,issued_on=issued,due_on=due,total=sum", "--date-format", "%Y-%m-%d"],
            "number",
        ),
        (["--map", "number=no", "--date-format", "%Y-%m-%d"], "client"),
        (["--map", MAP], "date_format"),
        (["--map", MAP, "--date-format", "%Y-%m-%d", "--currency", "EURO"], "currency"),
        (["--map", MAP, "--date-format", "%Y-%m-%d", "--company", "zz"], "company"),
    ],
)
def test_what_cannot_be_done_is_refused_and_says_where(file, arguments, where):
    make_company()
    answer, code = run(file(GOOD), *arguments)
    assert code == 1 and answer["error"]["where"] == where


def test_a_file_that_is_not_there_is_refused(tmp_path):
    answer, code = run(str(tmp_path / "none.csv"), *HOW)
    assert code == 1 and "cannot be read" in answer["error"]["message"]


def test_clients_are_imported_by_command(file, tmp_path):
    make_company()
    path = tmp_path / "clients.csv"
    path.write_text("id,mail,tz\n007,ap@acme.example,Europe/Vienna\n")
    answer, code = run(str(path), "--map", "client=id,email=mail,time_zone=tz", command="import_clients")
    assert (code, answer["created"], answer["contacts_created"]) == (0, 1, 1)


def test_an_import_runs_as_a_job_with_the_stored_file():
    make_company()
    stored = store_file(f"no,id,issued,due,sum\n{GOOD}\n8,C1,bad,2026-10-01,5\n".encode(), "text/csv")
    reading = {
        "mapping": dict(pair.split("=") for pair in MAP.split(",")),
        "date_format": "%Y-%m-%d",
        "currency": "EUR",
    }
    arguments = {"file": stored.sha256, "source": "open.csv", "reading": reading}
    from django.utils import timezone

    job = jobs.run_job(jobs.start_job("import_open_items", arguments, by="Ada").pk, timezone.now)
    assert job.state == "failed" and "line 3" in job.error and job.result["errors"][0]["column"] == "issued"
    job = jobs.run_job(jobs.start_job("import_open_items", arguments | {"skip_bad": True}, by="Ada").pk, timezone.now)
    assert job.state == "done" and job.result["created"] == 1 and (job.done, job.total) == (1, 1)


@needs_ibm
def test_the_book_of_2466_invoices_goes_in_whole_and_once():
    make_company("ibm", currency="USD")
    how = [str(IBM), "--map", as_option(IBM_MAP), "--date-format", IBM_DATES, "--currency", "USD"]
    answer, code = run(*how)
    assert code == 0 and (answer["rows"], answer["created"], answer["clients_created"]) == (2466, 2466, 100)
    assert answer["per_currency"] == {"USD": {"count": 2466, "total": "147703.18"}}
    assert not Invoice.objects.open().exists()
    assert Invoice.objects.filter(number__startswith="0").exists()
    answer, code = run(*how)
    assert code == 0 and (answer["created"], answer["unchanged"]) == (0, 2466)


@needs_highradius
@pytest.mark.once
def test_the_real_ledger_of_9681_items_is_refused_until_rounding_is_chosen_and_then_goes_in():
    make_company("hr", currency="USD")
    how = [str(HIGHRADIUS), "--map", as_option(HIGHRADIUS_MAP), "--date-format", HIGHRADIUS_DATES, "--currency", "USD"]
    answer, code = run(*how)
    assert code == 1 and answer["refused"] == 631 and not Invoice.objects.exists()
    answer, code = run(*how, "--round", "half-up")
    assert code == 0 and (answer["created"], answer["clients_created"]) == (9681, 694)
    assert sum("before it was issued" in w["message"] for w in answer["warnings"]) == 27
    assert answer["clients_without_contact"] == 694
    assert set(Invoice.objects.filter(number__endswith=".0").values_list("number", flat=True))
