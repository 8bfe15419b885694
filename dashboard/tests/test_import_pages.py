"""Import at the desk: the file, its columns, its one date format, the check, the import, and what is refused."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from ar_collections.models import Hold
from clients.models import Client
from core import jobs
from core.models import Job
from core.uploads import LARGEST_UPLOAD
from imports.models import ImportProfile
from invoices.models import Invoice
from tests.cast import TODAY

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)

GOOD = """Invoice No;Customer No;Customer Name;Invoice Date;Due Date;Amount;Open;E-Mail
000417;0042;Café Münch;03.09.2026;03.10.2026;1.240,00;1.240,00;ap@muench.example
000418;0042;Café Münch;01.10.2026;31.10.2026;980,50;480,50;ap@muench.example
000419;0107;Osprey;15.10.2026;14.11.2026;3.175,25;3.175,25;
"""
WITH_A_BAD_ROW = GOOD.replace("3.175,25;3.175,25", "abc;3.175,25")
EITHER_WAY = "number,client,issued,due,total\n1,A,03/04/2026,05/06/2026,10\n2,A,04/04/2026,06/06/2026,10\n"


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any, monkeypatch: Any) -> Any:
    monkeypatch.setattr(jobs, "ring", lambda task, pk: jobs.run_job(pk, timezone.now))  # the worker, at once
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        yield client


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(answer: Any) -> str:
    return answer.content.decode()


def upload(desk: Any, content: str | bytes, kind: str = "open_items", name: str = "open.csv", **more: Any) -> Any:
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content, "text/csv")
    return desk.post(url("imports"), {"kind": kind, "file": file, **more})


def chosen(page: Any, **changes: Any) -> dict[str, Any]:
    """What the form of the columns holds when nothing is changed on it, and the changes."""
    form = page.context["form"]
    data = {name: form[name].value() or "" for name in form.fields}
    fitting = form.formats.fitting
    data["date_format"] = fitting[0] if len(fitting) == 1 else ""
    return {name: value for name, value in (data | changes).items() if value not in (None, False)}


def check(desk: Any, content: str, **changes: Any) -> tuple[Any, Any]:
    """Upload and check; the page of the columns, and the answer to its form."""
    columns = upload(desk, content).url
    page = desk.get(columns)
    return page, desk.post(columns, chosen(page, **changes), follow=True)


def take(desk: Any, answer: Any, **told: str) -> Any:
    return desk.post(answer.request["PATH_INFO"] + "take/", told, follow=True)


def test_the_page_begins_with_a_sample_of_each_kind(desk):
    assert "Nothing was imported yet" in text(desk.get(url("imports")))
    for kind in ("open_items", "clients"):
        sample = desk.get(url("import_sample", kind))
        assert sample.headers["Content-Disposition"].startswith("attachment") and b"Client number" in sample.content
    assert desk.get(url("import_sample", "secrets")).status_code == 404


def test_earlier_imports_are_handed_out_as_a_file(desk):
    take(desk, check(desk, desk.get(url("import_sample", "open_items")).content.decode())[1])
    sheet = b"".join(desk.get(url("imports"), {"format": "csv"}).streaming_content).decode()
    assert sheet.count("open_items") == 1 and ",done," in sheet


@pytest.mark.parametrize("kind", ["open_items", "clients"])
def test_our_own_sample_goes_in_without_a_question(desk, kind):
    sample = desk.get(url("import_sample", kind)).content.decode()
    columns = upload(desk, sample, kind).url
    page = desk.get(columns)
    answer = desk.post(columns, chosen(page), follow=True)
    assert "Everything can be taken" in text(answer)
    assert "Done" in text(take(desk, answer))
    assert set(Client.objects.values_list("number", flat=True)) == {"0042", "0107"}


def test_a_file_is_looked_at_checked_and_imported_with_its_leading_zeros(desk):
    page, answer = check(desk, GOOD)
    assert page.context["form"]["decimal"].value() == ","
    assert "DD.MM.YYYY" in text(page) and "The only format that fits every date" in text(page)
    shown = text(answer)
    assert "Everything can be taken" in shown and "000417" in shown and "3 September 2026" in shown
    assert "€1,240.00" in shown and "€5,395.75" in shown
    assert not Invoice.objects.exists() and not Client.objects.exists()

    done = take(desk, answer)
    assert "3 open items were taken over" in text(done)
    assert set(Invoice.objects.values_list("number", flat=True)) == {"000417", "000418", "000419"}
    assert str(Invoice.objects.get(number="000418").balance.normalize()) == "480.5"
    assert url("outbox_hold", Hold.objects.get().pk) in text(done)
    assert "1 client of this file has no contact" in text(done)
    assert "open.csv" in text(desk.get(url("imports")))


def test_the_same_check_is_imported_once_however_often_it_is_asked_for(desk):
    answer = check(desk, GOOD)[1]
    first, second = take(desk, answer), take(desk, answer)
    assert first.request["PATH_INFO"] == second.request["PATH_INFO"]
    assert Job.objects.filter(arguments__dry_run=False).count() == 1
    assert "This was imported" in text(desk.get(answer.request["PATH_INFO"]))


def test_a_second_time_there_is_nothing_new(desk):
    take(desk, check(desk, GOOD)[1])
    answer = check(desk, GOOD)[1]
    assert "There is nothing new in this file" in text(answer)
    assert "nothing that can be imported" in text(take(desk, answer))


def test_a_bad_row_is_shown_with_line_column_and_value_and_left_out_only_when_somebody_says_so(desk):
    answer = check(desk, WITH_A_BAD_ROW)[1]
    shown = text(answer)
    assert "1 row cannot be taken" in shown
    assert "<td>Amount</td>" in shown and "abc" in shown and "is not an amount" in shown
    assert "Say that the refused rows are to be left out" in text(take(desk, answer))
    assert not Invoice.objects.exists()

    done = take(desk, answer, skip_bad="yes")
    assert "2 open items were taken over" in text(done) and "1 row was left out" in text(done)
    refused = desk.get(done.request["PATH_INFO"] + "REFUSED.csv")
    header, row = refused.content.decode().splitlines()
    assert header.startswith("line,reason,Invoice No") and row.startswith("4,") and "000419" in row


def test_where_several_formats_fit_a_person_is_asked_and_nothing_is_guessed(desk):
    page, answer = check(desk, EITHER_WAY)
    assert answer.status_code == 422 and "Which one is it?" in text(answer)
    assert "DD/MM/YYYY" in text(page) and "MM/DD/YYYY" in text(page) and " checked" not in text(page)
    answer = check(desk, EITHER_WAY, date_format="%d/%m/%Y")[1]
    assert "3 April 2026" in text(answer)


def test_a_format_that_does_not_fit_is_refused(desk):
    answer = check(desk, EITHER_WAY, date_format="%Y-%m-%d")[1]
    assert answer.status_code == 422 and "Not every date is YYYY-MM-DD" in text(answer)


def test_mixed_dates_are_refused_with_examples(desk):
    mixed = EITHER_WAY + "3,A,2026-04-26,26/06/2026,10\n"
    answer = check(desk, mixed)[1]
    assert answer.status_code == 422
    assert "2026-04-26» (line 4: YYYY-MM-DD)" in text(answer)
    assert not Job.objects.exists()


def test_a_word_in_a_column_of_dates_refuses_its_row_alone(desk):
    page, answer = check(desk, GOOD.replace("14.11.2026", "soon"))
    assert "«soon» on line 4 is no date; its row will be refused" in text(page)
    assert "1 row cannot be taken" in text(answer) and "Due Date" in text(answer)


def test_every_needed_column_has_to_be_named_and_none_twice(desk):
    answer = check(desk, GOOD, map_total="")[1]
    assert answer.status_code == 422 and "Say which column holds it" in text(answer)
    answer = check(desk, GOOD, map_client="#1")[1]
    assert answer.status_code == 422 and "This column is already" in text(answer)


def test_a_mapping_is_kept_under_a_name_and_used_for_the_next_file(desk):
    odd = GOOD.replace("Invoice No", "A").replace("Customer No", "B").replace("Amount", "C")
    columns = upload(desk, odd).url
    page = desk.get(columns)
    told = chosen(page, map_number="#1", map_client="#2", map_total="#6", profile="Old ledger")
    assert "Everything can be taken" in text(desk.post(columns, told, follow=True))
    kept = ImportProfile.objects.get()
    assert kept.mapping["number"] == "A" and kept.date_format == "%d.%m.%Y" and kept.options["decimal"] == ","

    again = upload(desk, odd, profile=kept.pk).url
    answer = desk.post(again, chosen(desk.get(again)), follow=True)
    assert "Everything can be taken" in text(answer)
    wrong = upload(desk, odd, "clients", profile=kept.pk)
    assert wrong.status_code == 422 and "This mapping is for Open items" in text(wrong)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 a workbook", "workbook"), (b"", "empty"), (b"number,total\n", "no rows below it"),
        (b'number,total\n"1,2\n', "cannot be read as CSV"), (b"%PDF-1.7", "a PDF"),
    ],
)  # fmt: skip
def test_what_is_no_csv_is_refused_in_words_and_not_kept(desk, content, words):
    answer = upload(desk, content)
    assert answer.status_code == 422 and words in text(answer)


def test_a_file_above_ten_megabytes_is_refused_while_it_comes_in(desk):
    rows = b"".join(itertools.repeat(b"x" * 1024 + b"\n", LARGEST_UPLOAD // 1024))
    answer = upload(desk, b"number\n" + rows)
    assert answer.status_code == 422 and "larger than 10 MB" in text(answer)


def test_hostile_cells_are_shown_as_text(desk):
    hostile = GOOD.replace("Café Münch", "<script>alert(1)</script>").replace("000417", "=cmd|1")
    page, answer = check(desk, hostile)
    for shown in (text(page), text(answer)):
        assert "<script>alert" not in shown and "&lt;script&gt;" in shown


def test_progress_is_told_as_json_and_leads_on(desk, monkeypatch):
    monkeypatch.setattr(jobs, "ring", lambda task, pk: None)  # no worker
    answer = check(desk, GOOD)[1]
    assert "Waiting for the worker" in text(answer)
    place = answer.request["PATH_INFO"]
    told = desk.get(place + "progress/").json()
    assert told["state"] == "waiting" and told["next"] == place
    jobs.run_job(Job.objects.get().pk, timezone.now)
    assert desk.get(place + "progress/").json()["state"] == "done"


def test_an_import_that_failed_says_why_and_leads_back_to_the_columns(desk, monkeypatch):
    answer = check(desk, GOOD)[1]
    monkeypatch.setattr(jobs, "_works", {"import_open_items": lambda arguments, by, told: 1 / 0})
    done = text(take(desk, answer))
    assert "Nothing was imported" in done and "Change the columns" in done


def test_what_is_not_there_is_not_found(desk):
    columns = url("import_columns", "open_items", "0" * 64)
    for place in (columns, url("import_run", 9), url("import_refused", 9), url("import_progress", 9)):
        assert desk.get(place).status_code == 404
    assert desk.get(upload(desk, GOOD).url.replace("open_items", "salaries")).status_code == 404


def test_pages_ask_the_database_little(desk, django_assert_max_num_queries):
    answer = check(desk, GOOD)[1]
    done = take(desk, answer)
    for place in (url("imports"), answer.request["PATH_INFO"], done.request["PATH_INFO"], upload(desk, GOOD).url):
        with django_assert_max_num_queries(25):
            assert desk.get(place).status_code == 200
