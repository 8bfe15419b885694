"""What the two import commands share: their arguments, the mapping, the profile, and the file of refused rows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.commands import AnswerCommand, WrongUsage
from core.csvfile import lines
from core.errors import Refused
from imports.cells import Reading
from imports.services.answers import Answer, FileRefused, refused_rows
from imports.services.profiles import reading_of, save_profile
from imports.sheet import read_sheet

SHOWN = 20  # errors a person is shown; --json has them all
BY = "import"


class ImportCommand(AnswerCommand):
    """Read a file by a mapping, take what it says, answer with counts and every error."""

    kind = ""
    known_keys: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="a CSV file")
        parser.add_argument(
            "--map", action="append", default=[], metavar="KEY=COLUMN,...",
            help=f"which column is what, by its heading or its number as #3; keys: {', '.join(self.known_keys)}",
        )
        parser.add_argument("--currency", default="", help="the currency of the amounts where no column says it")
        parser.add_argument("--company", default="", metavar="CODE", help="the company, where several exist")
        parser.add_argument("--decimal", choices=[".", ","], default=".", help="the sign before the decimals")
        parser.add_argument("--profile", default="", metavar="NAME", help="save the mapping, or use a saved one")
        parser.add_argument(
            "--skip-bad", type=Path, metavar="REFUSED.csv", help="take the good rows, write the others here"
        )
        parser.add_argument("--dry-run", action="store_true", help="answer the same, save nothing")

    def answer(self, **options: Any) -> dict[str, Any]:
        content = _content(options["file"])
        reading = self._reading(options)
        try:
            answer = self.take(content, reading, options)
        except FileRefused as refused:
            error = {"code": refused.code, "message": refused.message, "where": refused.where}
            return {**self.told(refused.answer), "error": error}
        if options["profile"] and not options["dry_run"]:
            save_profile(options["profile"], self.kind, reading, by=BY)
        if options["skip_bad"]:
            _write_refused(options["skip_bad"], content, answer)
        return self.told(answer)

    def take(self, content: bytes, reading: Reading, options: dict[str, Any]) -> Answer:
        raise NotImplementedError

    def told(self, answer: Answer) -> dict[str, Any]:
        raise NotImplementedError

    def found_trouble(self, answer: Any) -> bool:
        return "error" in answer

    def as_text(self, answer: Any) -> str:
        counts = [f"{name.replace('_', ' ')}: {n:,}" for name, n in answer.items() if isinstance(n, int)]
        said = [", ".join(counts)]
        for currency, sums in answer.get("per_currency", {}).items():
            said.append(f"{sums['count']:,} items in {currency}, together {sums['total']}")
        for kind in ("errors", "warnings"):
            listed = answer[kind]
            said += [
                f"{kind[:-1]}, line {t['line']}{', ' + t['column'] if t['column'] else ''}: {t['message']}"
                for t in listed[:SHOWN]
            ]
            if len(listed) > SHOWN:
                said.append(f"… and {len(listed) - SHOWN:,} more {kind}; --json lists them all")
        if "error" in answer:
            said.append(answer["error"]["message"])
        return "\n".join(said)

    def _reading(self, options: dict[str, Any]) -> Reading:
        given = Reading(
            mapping=parse_map(",".join(options["map"]), self.known_keys),
            date_format=options.get("date_format") or "",
            currency=options["currency"].upper(),
            decimal=options["decimal"],
            round_half_up=options.get("round") == "half-up",
        )
        if options["profile"] and not given.mapping:
            return reading_of(options["profile"], self.kind, given)
        return given


def parse_map(text: str, known: tuple[str, ...]) -> dict[str, str]:
    """`k=COL,k2=COL2` as a dictionary; a comma within a heading is kept, since only a known key begins a new pair.

    >>> parse_map("number=No, of invoice,total=Sum", ("number", "total"))
    {'number': 'No, of invoice', 'total': 'Sum'}
    """
    pairs = re.split(r",\s*(?=[a-z_]+=)", text) if text.strip() else []
    mapping: dict[str, str] = {}
    for pair in pairs:
        key, sign, column = pair.partition("=")
        key, column = key.strip(), column.strip()
        if not sign or not column:
            raise WrongUsage(f"«{pair}» is no mapping. Write --map key=COLUMN,key=COLUMN; keys: {', '.join(known)}.")
        if key in mapping:
            raise WrongUsage(f"«{key}» is mapped twice: to «{mapping[key]}» and «{column}».")
        mapping[key] = column
    return mapping


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.", code="file", where="file") from None


def _write_refused(path: Path, content: bytes, answer: Answer) -> None:
    header, rows = refused_rows(read_sheet(content), answer)
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines(header, rows))
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.", code="file", where="skip-bad") from None
