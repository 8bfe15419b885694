"""`manage.py import_rates`: published reference rates, from our collection (JSON) or a plain CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.commands import AnswerCommand, WrongUsage
from policies.rate_files import NewRate, read_rates
from policies.services.rates import take_rates

LARGEST = 5 * 2**20
SHOWN = 20  # a person is shown so many; --json has them all


class Command(AnswerCommand):
    help = (
        "Enter reference rates from a file: the collection statutory_rates.json, or a CSV with the columns series, "
        "from, valid_through, percent, source. One refused row keeps out all; a second time changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="a JSON or CSV file")
        parser.add_argument("--dry-run", action="store_true", help="answer the same, save nothing")

    def answer(self, **options: Any) -> dict[str, Any]:
        path: Path = options["file"]
        content = _content(path)
        found = read_rates(content, path.name)
        taken = take_rates(found.rates, by=f"import of {path.name}", dry_run=options["dry_run"] or bool(found.errors))
        errors = [{"where": where, "message": message} for where, message in found.errors]
        errors += [{"where": rate.where, "message": message} for rate, message in taken.refused]
        return {
            "rows": len(found.rates) + len(found.errors),
            "created": 0 if errors else len(taken.created),
            "unchanged": len(taken.unchanged),
            "refused": len(errors),
            "series": _by_series(found.rates),
            "doubtful": [
                {"where": rate.where, "percent": f"{rate.percent:f}", "source": rate.source}
                for rate in found.rates if rate.is_doubtful
            ],
            "ignored": found.ignored,
            "errors": errors,
        }  # fmt: skip

    def found_trouble(self, answer: Any) -> bool:
        return bool(answer["errors"])

    def as_text(self, answer: Any) -> str:
        said = [f"{answer['created']} entered, {answer['unchanged']} there already, {answer['refused']} refused"]
        said += [f"{code}: {s['rows']} rows, {s['from']} through {s['valid_through']}"
                 for code, s in answer["series"].items()]  # fmt: skip
        said += [f"to be checked, {row['where']} at {row['percent']} %: {row['source']}" for row in answer["doubtful"]]
        said += [f"error, {row['where']}: {row['message']}" for row in answer["errors"][:SHOWN]]
        if len(answer["errors"]) > SHOWN:
            said.append(f"… and {len(answer['errors']) - SHOWN} more errors; --json lists them all")
        if answer["errors"]:
            said.append("Nothing was entered.")
        if answer["ignored"]:
            said.append(f"No series of rates, passed over: {', '.join(answer['ignored'])}")
        return "\n".join(said)


def _by_series(rates: Sequence[NewRate]) -> dict[str, Any]:
    """Of each series, how many rows and from which day through which."""
    series: dict[str, Any] = {}
    for rate in rates:
        known = series.setdefault(rate.series, {"rows": 0, "from": rate.from_on, "valid_through": rate.valid_through})
        known["rows"] += 1
        known["from"] = min(known["from"], rate.from_on)
        known["valid_through"] = max(known["valid_through"], rate.valid_through)
    return series


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise WrongUsage(f"{path} is larger than {LARGEST // 2**20} MB; rates need far less.")
        return path.read_bytes()
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}.") from None
