"""`manage.py check_ledger`: whether the books still say what must always be true of them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error
from django.utils import timezone

from arledger.invariants import check
from core.commands import AnswerCommand


class Command(AnswerCommand):
    help = "Check the books against their invariants. Exit 0: clean, 1: violated, 2: could not be checked."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--fast", action="store_true", help="only what can be asked every ten minutes")

    def answer(self, **options: Any) -> dict[str, Any]:
        try:
            return check(timezone.now(), fast=options["fast"], asked=lambda n, of: self.progress(n, of, "questions"))
        except Error as error:
            raise CommandError(f"The books could not be read: {error}", returncode=2) from error

    def found_trouble(self, answer: Any) -> bool:
        return bool(answer["violations"])

    def as_text(self, answer: Any) -> str:
        lines = []
        for violation in answer["violations"]:
            ids = ", ".join(str(each) for each in violation["ids"][:20])
            says = "; ".join(answer["checked"][violation["code"]])
            lines.append(f"{violation['code']} is violated {violation['count']:,} times ({says}): {ids}")
        if not lines:
            lines.append(f"Clean: {', '.join(answer['checked'])}.")
        lines += [f"{code} does not apply: {why}." for code, why in answer["not_applicable"].items()]
        return "\n".join(lines)
