"""The contract every command keeps: see core/commands.py."""

import json
import threading
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError

from core.commands import AnswerCommand, as_json, iso_date
from core.errors import Refused


class Counting(AnswerCommand):
    """Answers with a count, finds trouble above 2 and refuses above 5."""

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("count", type=int)

    def answer(self, **options: Any) -> dict[str, Any]:
        for done in range(1, options["count"] + 1):
            self.progress(done, options["count"], "beans")
        if options["count"] > 5:
            raise Refused("Six beans are too many. Take five.", code="too_many", where="count")
        return {"count": options["count"], "on": date(2026, 1, 31)}

    def as_text(self, answer: Any) -> str:
        return f"{answer['count']} beans"

    def found_trouble(self, answer: Any) -> bool:
        return answer["count"] > 2


def run(*arguments: str) -> tuple[int, str, str]:
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command(Counting(), *arguments, stdout=out, stderr=err, skip_checks=True)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue(), err.getvalue()


def test_an_answer_is_text_for_a_person_and_json_alone_on_request() -> None:
    assert run("2")[:2] == (0, "2 beans\n")
    code, out, err = run("2", "--json")
    assert (code, json.loads(out)) == (0, {"count": 2, "on": "2026-01-31"})
    assert err == "2 of 2 beans\n" or err.startswith("1 of 2 beans\n")


def test_a_finding_is_printed_and_ends_with_1() -> None:
    code, out, _ = run("3", "--json")
    assert (code, json.loads(out)["count"]) == (1, 3)


def test_a_refusal_ends_with_1_and_says_code_message_and_place() -> None:
    code, out, _ = run("6", "--json")
    error = {"code": "too_many", "message": "Six beans are too many. Take five.", "where": "count"}
    assert (code, json.loads(out)) == (1, {"error": error})
    code, out, err = run("6")
    assert (code, out) == (1, "")
    assert err.endswith("count: Six beans are too many. Take five.\n")


def test_progress_is_said_at_most_once_a_second_and_always_at_the_end() -> None:
    _, _, err = run("5", "--json")
    assert err.splitlines()[-1] == "5 of 5 beans"
    assert len(err.splitlines()) <= 3


def test_json_never_carries_a_bare_decimal() -> None:
    with pytest.raises(TypeError, match="money is written by core"):
        as_json({"total": Decimal("15.58")})


def test_a_date_on_the_command_line_is_iso_and_nothing_else() -> None:
    assert iso_date("2026-01-31") == date(2026, 1, 31)
    for wrong in ("20260131", "2026-W05-6", "31.01.2026", "2026-02-30", ""):
        with pytest.raises(Exception, match="is not a date"):
            iso_date(wrong)


class Broken(Counting):
    """Meets a database that is not as it should be."""

    def answer(self, **options: Any) -> dict[str, Any]:
        raise OperationalError(["no such table: core_company", "connection refused\nIs it running?"][options["count"]])


@pytest.mark.parametrize(
    ("which", "code", "says"), [("0", "not_migrated", "manage.py migrate"), ("1", "database", "connection refused")]
)
def test_a_database_that_is_not_ready_is_a_sentence_and_no_traceback(which: str, code: str, says: str) -> None:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command(Broken(), which, "--json", stdout=out, stderr=StringIO(), skip_checks=True)
    error = json.loads(out.getvalue())["error"]
    assert error["code"] == code and says in error["message"]


def test_work_that_says_nothing_says_that_it_goes_on() -> None:
    heard = threading.Event()

    class Slow(Counting):
        def answer(self, **options: Any) -> dict[str, Any]:
            assert heard.wait(60)
            return {"count": 1, "on": date(2026, 1, 31)}

    class Listening(StringIO):
        def write(self, text: str) -> int:
            if "at work" in text:
                heard.set()
            return super().write(text)

    err = Listening()
    call_command(Slow(), "1", stdout=StringIO(), stderr=err, skip_checks=True)
    assert "at work for" in err.getvalue()
