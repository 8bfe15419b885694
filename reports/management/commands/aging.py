"""`manage.py aging`: what is open as of any day, by age."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from core.commands import AnswerCommand, iso_date
from core.services import company_named
from invoices.aging import BUCKETS
from reports.aging import aging, aging_by_client

COLUMNS = (*BUCKETS, "unapplied", "total", "charges")


class Command(AnswerCommand):
    help = "What is open at the end of a day, per currency, by days past due; it ties to the ledger on every day."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--on", type=iso_date, required=True, metavar="DATE", help="the day, past or future")
        parser.add_argument("--by", choices=["client"], help="a row per client beside the sums")
        parser.add_argument("--company", metavar="CODE", help="one company only")

    def answer(self, **options: Any) -> dict[str, Any]:
        company = company_named(options["company"]) if options["company"] else None
        answer = {currency: one.as_json() for currency, one in aging(options["on"], company).items()}
        if options["by"] == "client":
            for currency, rows in aging_by_client(options["on"], company).items():
                answer[currency]["clients"] = [row.as_json() for row in rows]
        return answer

    def as_text(self, answer: Any) -> str:
        if not answer:
            return "Nothing is open."
        lines = [_line("", COLUMNS)]
        for currency, sums in answer.items():
            lines.append(_line(currency, [sums[column] for column in COLUMNS]))
            lines += [
                _line(f"  {row['client']} {row['name']}", [row[column] for column in COLUMNS])
                for row in sums.get("clients", ())
            ]
            lines.append(
                f"  {sums['open_count']:,} invoices open, {sums['overdue_count']:,} of them overdue: "
                f"{sums['overdue_total']} {currency}"
            )
        return "\n".join(lines)


def _line(name: str, cells: Any) -> str:
    return f"{name[:34]:<34}" + "".join(f"{cell:>14}" for cell in cells)
