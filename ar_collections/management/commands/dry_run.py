"""dry_run: what a policy's draft would do in the days to come, beside the version in force. Nothing is written."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from ar_collections.services.dry_run import MOST_DAYS, Question, dry_run
from core.commands import AnswerCommand, WrongUsage, iso_date
from core.models import Company
from core.services import company_named, latest_today, today


class Command(AnswerCommand):
    help = "Tries a policy's draft (or its latest version) on today's book for the next days; nothing is written."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("policy", help="the name of a policy: its open draft, else its latest version")
        parser.add_argument("--days", type=int, default=None, help="for so many days from today on (90)")
        parser.add_argument("--past", type=int, default=0, help="and what it would have sent on so many days gone by")
        parser.add_argument("--against", default="", metavar="VERSION", help="compare with the version of this day")
        parser.add_argument("--on", type=iso_date, default=None, help="the day taken for today, YYYY-MM-DD")
        parser.add_argument("--company", default="", help="the code of one company, where several exist")
        parser.add_argument("--csv", type=Path, default=None, metavar="FILE", help="every step of every invoice")

    def answer(self, **options: Any) -> dict[str, Any]:
        past = int(options["past"])
        days = int(options["days"]) if options["days"] is not None else 0 if past else 90
        if not (0 <= days <= MOST_DAYS and 0 <= past <= MOST_DAYS) or days + past == 0:
            raise WrongUsage(f"--days and --past take a number from 1 to {MOST_DAYS}.")
        company = company_named(str(options["company"])) if options["company"] else None
        asked = Question(
            str(options["policy"]), options["on"] or _today(company), days, past, str(options["against"]), company
        )
        with ExitStack() as opened:
            path = options["csv"]
            file = opened.enter_context(path.open("w", encoding="utf-8", newline="")) if path else None
            return dry_run(asked, progress=self.progress, file=file)

    def as_text(self, answer: Any) -> str:
        lines = []
        if answer["days"]:
            now = "what is in force, " if answer["against_is_now"] else ""
            lines += [f"{answer['policy']}, {answer['tried']}, beside {now}{answer['against']}:"]
            lines += [f"{answer['from']} to {answer['to']}, {answer['messages']} messages, {answer['tasks']} tasks"]
            lines += [*_steps(answer), *_figures(answer)]
        if "past" in answer:
            past = answer["past"]
            sent = past["sent"]["messages"]
            lines += [f"{past['from']} to {past['to']}: {past['messages']} messages; {sent} were sent"]
            lines += [*_steps(past), f"  {past['differences']['count']} differences to what was sent"]
        return "\n".join([*lines, *answer.get("assumed", ())])


def _today(company: Company | None) -> date:
    """Wherever it is latest, where several companies are asked about."""
    return today(company) if company else latest_today()


def _steps(answer: dict[str, Any]) -> list[str]:
    return [
        f"  {step}: {found['invoices']} invoices in {found['messages'] or found['tasks']}"
        f" {'messages' if found['messages'] else 'tasks'}, "
        + ", ".join(f"{total} {currency}" for currency, total in found["sums"].items())
        for step, found in answer["per_step"].items()
    ]


def _figures(answer: dict[str, Any]) -> list[str]:
    first, cash, found = answer["first_day"], answer["cash_only"], answer["differences"]
    lines = [f"  first day: {first['messages']} messages on {first['on']}" if first["on"] else "  nothing leaves"]
    for name in ("interest", "noted", "fees", "compensation"):
        lines += [f"  {name} {c}: {sums['tried']} (compared: {sums['against']})" for c, sums in answer[name].items()]
    lines += [f"  no rate of {missing}: interest by it is not counted" for missing in answer["missing_rates"]]
    lines += [f"  newly cash-only: {cash['count']} clients (compared: {cash['against_count']})"]
    return [*lines, f"  {found['count']} differences for {found['clients']} clients"]
