"""run_day: everything that falls on a business date, done now, for any date past or future."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from ar_collections.services.days import run_day
from core.commands import AnswerCommand, iso_date
from core.models import Company
from core.services import company_named


class Command(AnswerCommand):
    help = "Runs a day: promises judged, interest, reminders and calls as of the date; with --send messages leave."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--on", type=iso_date, required=True, help="the business date, YYYY-MM-DD")
        parser.add_argument("--send", action="store_true", help="send the messages; otherwise they stay planned")
        parser.add_argument("--company", default="", help="the code of one company, where several exist")

    def answer(self, **options: Any) -> dict[str, Any]:
        company, on, send = str(options["company"]), options["on"], bool(options["send"])
        companies = [company_named(company)] if company else Company.objects.all()
        return run_day(companies, on, send=send, by="run_day", progress=self.progress).to_json()

    def as_text(self, answer: Any) -> str:
        lines = [
            f"{answer['on'].isoformat()}: {answer['planned']} planned, {answer['sent']} sent, "
            f"{answer['cancelled']} cancelled, {answer['failed']} failed, {answer['unknown']} unknown"
        ]
        lines += [
            f"  {step}: {counts['invoices']} invoices in {counts['messages']} messages"
            for step, counts in answer["per_step"].items()
        ]
        lines += [f"  interest {total} {currency}" for currency, total in answer["interest_posted"].items()]
        return "\n".join(lines)
