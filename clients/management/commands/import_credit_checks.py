"""`manage.py import_credit_checks`: what a provider found out about clients, from its file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from clients.services.checks import ChecksRefused, upload_checks
from core.commands import AnswerCommand
from core.errors import Refused
from core.models import Company
from core.services import company_named, today

BY = "import"
SHOWN = 20  # errors a person is shown; --json has them all


class Command(AnswerCommand):
    help = "Enter the credit checks of a JSON or CSV file, all of them or none; a second time changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="a .json or .csv file; client is the client's number")
        parser.add_argument("--company", default="", metavar="CODE", help="the company, where several exist")
        parser.add_argument("--dry-run", action="store_true", help="answer the same, save nothing")

    def answer(self, **options: Any) -> dict[str, Any]:
        file: Path = options["file"]
        try:
            content = file.read_bytes()
        except OSError as error:
            raise Refused(f"{file} cannot be read: {error.strerror}.", code="file", where="file") from None
        company = company_named(options["company"]) if options["company"] else _only_company()
        media = file.suffix.lower().lstrip(".")
        try:
            counts = upload_checks(
                content, media, company=company, on=today(company), by=BY, dry_run=options["dry_run"]
            )  # fmt: skip
        except ChecksRefused as refused:
            return {
                "errors": [asdict(trouble) for trouble in refused.troubles],
                "error": {"code": refused.code, "message": refused.message, "where": refused.where},
            }
        return {**counts, "errors": []}

    def found_trouble(self, answer: Any) -> bool:
        return "error" in answer

    def as_text(self, answer: Any) -> str:
        if "error" not in answer:
            return f"rows: {answer['rows']:,}, created: {answer['created']:,}, unchanged: {answer['unchanged']:,}"
        listed = answer["errors"]
        said = [f"line {t['line']}, {t['field']}: {t['message']}" for t in listed[:SHOWN]]
        if len(listed) > SHOWN:
            said.append(f"… and {len(listed) - SHOWN:,} more; --json lists them all")
        return "\n".join(["Nothing was saved.", *said])


def _only_company() -> Company:
    companies = list(Company.objects.order_by("pk")[:2])
    if not companies:
        raise Refused("There is no company here yet; set one up first.", code="company", where="company")
    if len(companies) > 1:
        raise Refused("There are several companies; say which one by --company.", code="company", where="company")
    return companies[0]
