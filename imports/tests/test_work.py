"""Completed work from a file: read row by row, refused by line, kept once."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from imports.cells import Reading
from imports.services.answers import FileRefused
from imports.services.work import Worked, as_json, import_work
from invoices.models import CompletedWork
from invoices.services.work import remove_work
from invoices.services.work_invoicing import invoice_work
from tests.cast import CLERK, TODAY, make_client

pytestmark = pytest.mark.django_db

WORDS = {
    "client": "who", "what": "what", "done_on": "day", "amount": "sum", "quantity": "n", "price": "rate", "tax": "tax",
    "po": "po", "key": "id",
}  # fmt: skip
HEAD = "who,what,day,sum,n,rate,tax,po,id"
GOOD = "C-0001,Workshop,2026-11-16,,2.5,80,19,PO-1,T-1"


def take(*rows, on=TODAY, **how):
    content = "\n".join((HEAD, *rows)).encode()
    reading = Reading(WORDS, "%Y-%m-%d", currency=how.pop("currency", ""))
    return import_work(content, Worked(reading, **how), on=on, by=CLERK)


@pytest.fixture(autouse=True)
def clients(good_client, late_client):
    return good_client, late_client


def test_an_amount_or_quantity_times_price_is_kept_and_waits(good_client):
    answer = take(GOOD, "C-0042,Repair,2026-11-17,120.50,,,,,")
    assert as_json(answer) == {
        "rows": 2, "created": 2, "unchanged": 0, "refused": 0, "errors": [], "warnings": [],
        "per_currency": {"EUR": {"count": 2, "total": "358.50"}},
    }
    work = CompletedWork.objects.get(key="T-1")
    assert (work.client, work.description, work.quantity, work.unit_price, work.tax_percent, work.gross) == (
        good_client, "Workshop", Decimal("2.5"), 80, 19, 238
    )
    assert (work.done_on, work.po_number) == (dt.date(2026, 11, 16), "PO-1")


def test_a_second_time_changes_nothing_also_without_keys_and_after_it_was_invoiced(company):
    rows = GOOD, "C-0042,Repair,2026-11-17,120.50,,,,,", "C-0042,Repair,2026-11-17,120.50,,,,,"
    assert take(*rows).counts["created"] == 3, "the same row twice in one file is twice the work"
    assert take(*rows).counts == {"unchanged": 3}
    invoice_work(company, on=TODAY, by=CLERK)
    assert take(*rows).counts == {"unchanged": 3} and CompletedWork.objects.count() == 3


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        ("C-9999,Workshop,2026-11-16,10,,,,,", "who", "no client of that number"),
        ("C-0001,,2026-11-16,10,,,,,", "what", "stands on the invoice"),
        ("C-0001,Workshop,16.11.2026,10,,,,,", "day", "is not a date in the format"),
        ("C-0001,Workshop,2026-11-19,10,,,,,", "day", "still to be done"),
        ("C-0001,Workshop,2026-11-16,,,,,,", "rate", "neither an amount nor a price"),
        ("C-0001,Workshop,2026-11-16,10,2,,,,", "n", "needs the price of one"),
        ("C-0001,Workshop,2026-11-16,10,2,6,,,", "sum", "is 12.00, the amount says 10.00"),
        ("C-0001,Workshop,2026-11-16,10.001,,,,,", "sum", "more decimals than EUR"),
        ("C-0001,Workshop,2026-11-16,ten,,,,,", "sum", "is not an amount"),
        ("C-0001,Workshop,2026-11-16,10,,,a lot,,", "tax", "is not a number"),
        ("C-0001,Workshop,2026-11-16,10,,,120,,", "tax", "between 0 and 100"),
        ("C-0001,Workshop,2026-11-16,-10,,,,,", "rate", "worth more than nothing"),
        ("C-0042,Other,2026-11-16,10,,,,,T-1", "id", "stands for other work already"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_taken_is_named_by_line_and_nothing_is_kept(row, column, sentence):
    with pytest.raises(FileRefused, match="nothing was saved") as refused:
        take(GOOD, row)
    (trouble,) = refused.value.answer.errors
    assert (trouble.line, trouble.column) == (3, column) and sentence in trouble.message
    assert not CompletedWork.objects.exists()


def test_the_good_rows_can_be_taken_and_a_check_keeps_nothing():
    bad = "C-9999,Workshop,2026-11-16,10,,,,,"
    assert take(GOOD, bad, skip_bad=True, dry_run=True).counts["created"] == 1 and not CompletedWork.objects.exists()
    assert take(GOOD, bad, skip_bad=True).refused_lines == {3} and CompletedWork.objects.count() == 1


def test_what_was_taken_off_the_list_stays_off_when_the_list_is_taken_in_again(company):
    take(GOOD)
    remove_work(CompletedWork.objects.get(), at=timezone.now(), by=CLERK)
    answer = take(GOOD, "C-0042,Repair,2026-11-17,120.50,,,,,")
    assert answer.counts == {"unchanged": 1, "created": 1}
    (warning,) = answer.warnings
    assert (warning.line, warning.column) == (2, "what") and "took this work off the list" in warning.message
    assert [i.client.number for i in invoice_work(company, on=TODAY, by=CLERK).invoices] == ["C-0042"]


def test_the_tax_category_and_the_reason_for_no_tax(good_client):
    head = HEAD.replace(",po,", ",category,") + ",why"
    words = {key: column for key, column in WORDS.items() if key != "po"}
    reading = Reading(words | {"tax_category": "category", "no_tax_because": "why"}, "%Y-%m-%d")

    def taken(row):
        return import_work(f"{head}\n{row}".encode(), Worked(reading), on=TODAY, by=CLERK)

    taken("C-0001,Workshop,2026-11-16,10,,,,e,T-1,Exempt as training")
    work = CompletedWork.objects.get()
    assert (work.tax_category, work.exemption_reason) == ("E", "Exempt as training")
    for row, column in (("C-0001,A,2026-11-16,10,,,,Q,,", "category"), ("C-0001,A,2026-11-16,10,,,19,AE,,", "tax")):
        with pytest.raises(FileRefused) as refused:
            taken(row)
        assert [trouble.column for trouble in refused.value.answer.errors] == [column]


def test_a_long_list_asks_for_each_thing_once(django_assert_max_num_queries):
    rows = [f"C-0001,Hour {n},2026-11-16,10,,,,," for n in range(120)]
    take(GOOD)
    with django_assert_max_num_queries(40):
        assert take(*rows).counts["created"] == 120


def test_the_currency_is_the_clients_unless_the_file_says_one(company):
    make_client(company, "C-7", currency="USD")
    take("C-7,Workshop,2026-11-16,10,,,,,", GOOD)
    assert sorted(CompletedWork.objects.values_list("currency", flat=True)) == ["EUR", "USD"]
    assert set(take("C-7,Repair,2026-11-16,10,,,,,", currency="CHF").per_currency) == {"CHF"}


def test_the_command_answers_in_json(tmp_path, capsys):
    file = tmp_path / "hours.csv"
    file.write_text(f"{HEAD}\n{GOOD.replace('2026-11-16', '2026-01-16')}\n")
    mapped = ",".join(f"{key}={column}" for key, column in WORDS.items())
    call_command("import_work", str(file), "--map", mapped, "--date-format", "%Y-%m-%d", "--json", "--dry-run")
    assert json.loads(capsys.readouterr().out)["created"] == 1 and not CompletedWork.objects.exists()
    call_command("import_work", str(file), "--map", mapped, "--date-format", "%Y-%m-%d", "--json")
    assert json.loads(capsys.readouterr().out)["per_currency"] == {"EUR": {"count": 1, "total": "238.00"}}
    assert CompletedWork.objects.count() == 1
    with pytest.raises(SystemExit) as ended:
        call_command("import_work", str(file), "--map", "client=who", "--date-format", "%Y-%m-%d", "--json")
    assert ended.value.code == 1 and json.loads(capsys.readouterr().out)["error"]["code"] == "mapping"
