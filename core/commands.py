"""What every management command shares: --json, the three exit codes, progress on stderr.

A command is a shell: it parses, reads the clock, calls one verb or one report, and prints.
"""

from __future__ import annotations

import json
import threading
import time
from abc import abstractmethod
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from core.dates import parse_date
from core.errors import Refused


class WrongUsage(CommandError):
    """The command line itself makes no sense: exit 2, the sentence on stderr."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=2)


def iso_date(text: str) -> date:
    """A date of the command line, for `add_argument("--on", type=iso_date)`: YYYY-MM-DD and nothing else."""
    try:
        if len(text) != 10:
            raise ValueError
        return parse_date(text, "%Y-%m-%d")
    except ValueError:
        raise ArgumentTypeError(f"«{text}» is not a date. Write it as YYYY-MM-DD, for example 2026-04-15.") from None


class AnswerCommand(BaseCommand):
    """A command that answers a question.

    Exit 0: done or clean. Exit 1: refused (`{"error": {"code", "message", "where"}}`), or what it looked
    for was found (`found_trouble`). Exit 2: wrong usage. With --json stdout carries JSON alone.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the answer as JSON, and nothing else on stdout")

    @abstractmethod
    def answer(self, **options: Any) -> dict[str, Any] | list[Any]:
        """The answer, ready for JSON: money already as text, dates as dates or text. Raises Refused."""

    def as_text(self, answer: Any) -> str:
        """The same answer for a person; the JSON itself where a command has no better form."""
        return as_json(answer)

    def found_trouble(self, answer: Any) -> bool:
        """Whether the answer is a finding that must end with exit 1 (check_ledger)."""
        return False

    def handle(self, *args: Any, **options: Any) -> None:
        wants_json = options["json"]
        try:
            with self._at_work():
                answer = self.answer(**options)
        except Refused as refused:
            self._refuse(refused, wants_json)
        except (OperationalError, ProgrammingError) as error:
            self._refuse(_of_the_database(error), wants_json)
        self.stdout.write(as_json(answer) if wants_json else self.as_text(answer))
        if self.found_trouble(answer):
            raise SystemExit(1)

    def _refuse(self, refused: Refused, wants_json: bool) -> None:
        if wants_json:
            error = {"code": refused.code, "message": str(refused), "where": refused.where}
            self.stdout.write(as_json({"error": error}))
        else:
            self.stderr.write(f"{refused.where}: {refused}" if refused.where else str(refused))
        raise SystemExit(1)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Say every few seconds that the work goes on, where nothing else is said of how far it is."""
        ended, began = threading.Event(), time.monotonic()

        def say() -> None:
            while not ended.wait(2.0):
                if time.monotonic() - getattr(self, "_said_at", began) >= 2.0:
                    self.stderr.write(f"at work for {time.monotonic() - began:.0f} s")

        threading.Thread(target=say, daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def progress(self, done: int, total: int, what: str) -> None:
        """Say on stderr how far the work is, «1,200 of 2,466 rows»: at most once a second, and at the end."""
        now = time.monotonic()
        if done < total and now - getattr(self, "_said_at", 0.0) < 1.0:
            return
        self._said_at = now
        line = f"{done:,} of {total:,} {what}"
        if self.stderr.isatty():
            self.stderr.write(f"\r{line}", ending="\n" if done >= total else "")
        else:
            self.stderr.write(line)


def _of_the_database(error: Exception) -> Refused:
    """What a person does where the tables are not there or the server is not."""
    words = str(error).strip().splitlines()[0]
    if "no such table" in words or "does not exist" in words:
        message = f"The database has not been set up, or is of an older version ({words}). Run “manage.py migrate”."
        return Refused(message, code="not_migrated")
    return Refused(f"The database does not answer: {words}. Look at DATABASE_URL and its server.", code="database")


def as_json(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False, indent=2, default=_plain_date)


def _plain_date(value: object) -> str:
    """Only dates are turned into text here: an amount must already carry its currency's own places."""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} is not ready for JSON: money is written by core.money.plain")
