"""Credit checks: by hand, from a file or from a provider; all rows or none; a valid one is not bought twice."""

import datetime as dt
import json
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, transaction

from audit.models import Event
from clients import providers
from clients.models import CreditCheck, Document
from clients.providers import Found
from clients.services.checks import ChecksRefused, enter_check, order_check, upload_checks, valid_check
from core.errors import Refused
from tests.cast import CLERK, TODAY, make_client

pytestmark = pytest.mark.django_db
FACTS = {
    "provider": "Agency", "score": Decimal("81.5"), "rating": "B2", "recommended_limit": Decimal(12000),
    "flags": ["young_company"], "reference": "A-77", "findings": "Founded 2025.",
}  # fmt: skip


def enter(client, on=TODAY, again=False, **facts):
    return enter_check(client, FACTS | {"reference": ""} | facts, again=again, on=on, by=CLERK)


def test_a_check_keeps_what_was_found_its_documents_and_who_entered_it(late_client):
    report = ("report.pdf", b"%PDF-1.7 made up")
    check = enter_check(late_client, FACTS, on=TODAY, by=CLERK, documents=[report])
    kept = CreditCheck.objects.get()
    assert (kept.score, kept.currency, kept.entered_by) == (Decimal("81.50"), "EUR", CLERK)
    assert (kept.checked_on, kept.valid_until) == (TODAY, TODAY + dt.timedelta(days=365))
    assert check.documents.get().kind == "credit_check"
    assert Event.objects.get(action="credit_check_entered").client_id == late_client.pk
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        CreditCheck.objects.update(score=99)


def test_a_check_still_valid_asks_before_it_is_bought_again(late_client):
    enter(late_client)
    later = TODAY + dt.timedelta(days=30)
    with pytest.raises(Refused, match="valid until 2027-11-18") as refused:
        enter(late_client, on=later, provider="agency")
    assert refused.value.code == "still_valid"
    assert enter(late_client, on=later, again=True).checked_on == later
    assert enter(late_client, on=later, provider="Another house")
    last_day = later + dt.timedelta(days=365)
    with pytest.raises(Refused, match="valid until 2027-12-18"):
        enter(late_client, on=last_day)
    assert enter(late_client, on=last_day + dt.timedelta(days=1))
    assert valid_check(late_client, later, "Agency").checked_on == later


@pytest.mark.parametrize(
    ("facts", "where", "words"),
    [
        ({"provider": " "}, "provider", "Say who checked"),
        ({"checked_on": TODAY + dt.timedelta(days=1)}, "checked_on", "a day to come"),
        ({"valid_until": TODAY - dt.timedelta(days=1)}, "valid_until", "before the day of the check"),
        ({"score": Decimal(101)}, "score", "outside its scale, 0 (worst) to 100 (best)"),
        ({"scale_low": Decimal(5), "scale_high": Decimal(5)}, "scale_high", "two ends"),
        ({"recommended_limit": Decimal(-1)}, "recommended_limit", "zero or more"),
        ({"recommended_limit": Decimal("1.005")}, "recommended_limit", "places EUR has"),
        ({"currency": "EURO"}, "currency", "not a currency"),
        ({"flags": ["bad_hair"]}, "flags", "not a flag; known are insolvency"),
        ({"rating": "x" * 21}, "rating", "at most 20"),
        ({"scale_high": Decimal("1e9"), "score": None}, "scale_high", "no more than"),
        ({"colour": "red"}, "colour", "has no"),
    ],
)
def test_a_fact_that_makes_no_sense_is_refused_by_field(late_client, facts, where, words):
    with pytest.raises(Refused) as refused:
        enter(late_client, **facts)
    assert refused.value.where == where and words in str(refused.value)
    assert not CreditCheck.objects.exists()


def test_a_document_of_the_wrong_type_leaves_no_check_behind(late_client):
    with pytest.raises(Refused, match="not kept"):
        enter_check(late_client, FACTS, on=TODAY, by=CLERK, documents=[("tool.exe", b"MZ")])
    assert not CreditCheck.objects.exists() and not Document.objects.exists()


def test_one_reference_is_one_check(late_client):
    enter_check(late_client, FACTS, on=TODAY, by=CLERK)
    with pytest.raises(Refused, match="on file already"):
        enter_check(late_client, FACTS, again=True, on=TODAY, by=CLERK)


CSV = (
    "client,provider,reference,checked_on,score,scale_low,scale_high,recommended_limit,flags\n"
    "C-0042,Agency,A-1,2026-03-02,81,,,12000,young_company; no_accounts\n"
    "C-0001,Register,,2026-04-01,250,600,100,,\n"
)


def test_a_file_is_entered_whole_and_a_second_time_changes_nothing(company, good_client, late_client):
    answer = upload_checks(CSV.encode(), "csv", company=company, on=TODAY, by=CLERK)
    assert answer == {"rows": 2, "created": 2, "unchanged": 0}
    late = CreditCheck.objects.get(client=late_client)
    assert (late.flags, late.recommended_limit) == (["young_company", "no_accounts"], Decimal(12000))
    assert (late.checked_on, late.valid_until) == (dt.date(2026, 3, 2), dt.date(2027, 3, 2))
    assert late.raw["client"] == "C-0042"
    again = upload_checks(CSV.encode(), "csv", company=company, on=TODAY, by=CLERK)
    assert again == {"rows": 2, "created": 0, "unchanged": 2}
    assert CreditCheck.objects.count() == 2


def test_json_of_one_client_needs_no_number_and_no_amount_passes_through_a_float(late_client):
    content = b'{"checks": [{"provider": "Agency", "score": 81.05, "recommended_limit": 0.1, "flags": ["insolvency"]}]}'
    upload_checks(content, "json", client=late_client, on=TODAY, by=CLERK)
    check = CreditCheck.objects.get()
    assert (check.score, check.recommended_limit) == (Decimal("81.05"), Decimal("0.1"))
    assert (check.flags, check.checked_on) == (["insolvency"], TODAY)


def test_one_bad_row_refuses_the_whole_file_with_line_and_field(company, good_client, late_client):
    bad = CSV + "C-0042,Agency,A-2,2.3.2026,good,,,,\nC-9999,Agency,,2026-03-02,50,,,,\nC-0042,Agency,,,200,,,,\n"
    with pytest.raises(ChecksRefused, match=r"Nothing was saved\. Line 4, checked_on: «2\.3\.2026»") as refused:
        upload_checks(bad.encode(), "csv", company=company, on=TODAY, by=CLERK)
    assert [(t.line, t.field) for t in refused.value.troubles] == [
        (4, "checked_on"), (4, "score"), (5, "client"), (6, "score")
    ]  # fmt: skip
    assert refused.value.where == "4: checked_on"
    assert not CreditCheck.objects.exists()


def test_a_file_for_one_client_does_not_speak_of_another(good_client, late_client):
    with pytest.raises(ChecksRefused, match="of client C-0042, not of C-0001"):
        upload_checks(CSV.encode(), "csv", client=good_client, on=TODAY, by=CLERK)


@pytest.mark.parametrize(
    ("content", "media", "code"),
    [
        (b"[1, 2]", "json", "not_checks"), (b"{,}", "json", "not_json"), (b"\xff\xfe\x00", "json", "not_json"),
        (b"[]", "json", "empty"), (b"client,provider\n", "csv", "empty"), (b"", "csv", "empty"),
        (b"client,colour\nC-0042,red\n", "csv", "unknown_key"), (b'[{"colour": "red"}]', "json", "unknown_key"),
        (b"client,provider\nC-0042\n", "csv", "not_csv"), (b"provider\n\xe4\n", "csv", "not_csv"),
        (b'provider\n"open\n', "csv", "not_csv"), (b"x", "xml", "type"), (b"0" * (10 * 2**20 + 1), "csv", "too_large"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(company, content, media, code):
    with pytest.raises(Refused) as refused:
        upload_checks(content, media, company=company, on=TODAY, by=CLERK)
    assert refused.value.code == code


class Made:
    """A provider of the tests: asked, it counts."""

    name = "Made-up agency"

    def __init__(self):
        self.asked = 0

    def fetch(self, client):
        self.asked += 1
        facts = {"score": Decimal(66), "reference": f"{client.number}/{self.asked}"}
        return Found(facts, [("report.json", b'{"score": 66}')])


@pytest.fixture
def agency(monkeypatch):
    monkeypatch.setattr(providers, "_providers", {})
    made = Made()
    providers.register(made)
    return made


def test_a_provider_is_asked_once_while_its_check_is_valid(late_client, agency):
    check = order_check(late_client, "Made-up agency", on=TODAY, by=CLERK)
    assert (check.provider, check.score, check.documents.get().name) == ("Made-up agency", 66, "report.json")
    with pytest.raises(Refused, match="say that a new one is wanted"):
        order_check(late_client, "Made-up agency", on=TODAY, by=CLERK)
    assert agency.asked == 1
    order_check(late_client, "Made-up agency", again=True, on=TODAY, by=CLERK)
    assert agency.asked == CreditCheck.objects.count() == 2


def test_a_provider_nobody_knows_is_refused_with_those_who_are(late_client, agency):
    with pytest.raises(Refused, match="Known: Made-up agency"):
        order_check(late_client, "Other", on=TODAY, by=CLERK)


def run(*arguments):
    out = StringIO()
    try:
        call_command("import_credit_checks", *arguments, "--json", stdout=out)
    except SystemExit as ended:
        return ended.code, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False)
def test_the_command_answers_counts_or_every_error(company, good_client, late_client, tmp_path):
    file = tmp_path / "checks.csv"
    file.write_text(CSV)
    assert run(str(file), "--dry-run") == (0, {"rows": 2, "created": 2, "unchanged": 0, "errors": []})
    assert not CreditCheck.objects.exists()
    assert run(str(file))[1]["created"] == 2
    file.write_text(CSV.replace("81,,", "181,,").replace("A-1", "A-3"))
    code, said = run(str(file))
    assert code == 1 and said["error"]["code"] == "bad_rows"
    assert said["errors"] == [{"line": 2, "field": "score", "value": "181", "message": said["errors"][0]["message"]}]
    make_client(company, "C-0100")
    assert run(str(tmp_path / "none.csv"))[0] == 1


def test_texts_of_a_file_are_data(good_client):
    """No control character, no mark that turns the writing, no half character reaches a page or the database."""
    body = '{"provider": "A\\u0000gen\u202ecy", "findings": "one\\ntwo\\u0007"}'.encode()
    upload_checks(body, "json", client=good_client, on=TODAY, by=CLERK)
    check = CreditCheck.objects.get()
    assert (check.provider, check.findings, check.raw["provider"]) == ("Agency", "one\ntwo", "Agency")
    upload_checks("provider,rating\nB\x00ank,A\u202e1\n".encode(), "csv", client=good_client, on=TODAY, by=CLERK)
    assert CreditCheck.objects.filter(provider="Bank", rating="A1").exists()
    for half in (b'{"provider": "\\ud800"}', b'{"\\ud800": "x"}', b'{"provider": "a", "flags": ["\\ud800"]}'):
        with pytest.raises(Refused) as refused:
            upload_checks(half, "json", client=good_client, on=TODAY, by=CLERK)
        assert refused.value.code == "not_json"


def test_a_key_that_stands_twice_is_not_guessed_at(good_client):
    with pytest.raises(Refused, match="stands twice in one check") as refused:
        upload_checks(b'{"provider": "a", "score": 10, "score": 90}', "json", client=good_client, on=TODAY, by=CLERK)
    assert (refused.value.code, refused.value.where) == ("twice", "score")


def test_a_row_of_a_file_asks_few_questions(good_client, django_assert_max_num_queries):
    """Thousands of rows are entered while a browser waits and nobody else can write."""
    body = "provider,reference,score\n" + "".join(f"Bank,{n},50\n" for n in range(20))
    with django_assert_max_num_queries(20 * 5 + 10):
        assert upload_checks(body.encode(), "csv", client=good_client, on=TODAY, by=CLERK)["created"] == 20
    with pytest.raises(ChecksRefused, match="is on file already; a check is never changed"):
        upload_checks(b"provider,reference,score\nBank,7,51\n", "csv", client=good_client, on=TODAY, by=CLERK)
