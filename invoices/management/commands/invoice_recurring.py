"""`manage.py invoice_recurring`: issue what comes again and again and is due, as it happens by itself every night."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from core.commands import AnswerCommand, iso_date
from core.errors import Refused
from core.models import Company
from core.money import plain
from core.services import company_named, today
from invoices.models import RecurringRun
from invoices.services.recurring_runs import Ran, run_recurring

BY = "command"


class Command(AnswerCommand):
    help = "Issue recurring invoices whose day has come, each day once. A second time changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--company", default="", metavar="CODE", help="the company, where several exist")
        parser.add_argument("--dry-run", action="store_true", help="keep nothing; say what would be issued")
        parser.add_argument("--on", type=iso_date, metavar="DATE", help="with --dry-run: what it would be on that day")

    def answer(self, **options: Any) -> dict[str, Any]:
        now, on, dry_run = timezone.now(), options["on"], options["dry_run"]
        if on is not None and not dry_run:
            raise Refused("Only a dry run asks about another day; add --dry-run.", code="on", where="on")
        companies = [company_named(options["company"])] if options["company"] else Company.objects.order_by("pk")
        ran = [
            run_recurring(company, send_from=now, dry_run=dry_run, on=on or today(company, now), by=BY)
            for company in companies
        ]
        return {"dry_run": dry_run} | as_json(ran)

    def found_trouble(self, answer: Any) -> bool:
        return bool(answer["refused"])

    def as_text(self, answer: Any) -> str:
        would = "would be issued: " if answer["dry_run"] else ""
        said = [
            f"{would}{i['name']}, {i['due_on']}: {i['number']} for {i['client']}, {i['total']} {i['currency']}"
            for i in answer["invoices"]
        ]
        said += [f"refused: {r['name']}, {r['due_on']}, {r['client']}: {r['message']}" for r in answer["refused"]]
        said += [f"not mailed: {r['name']}, {r['due_on']}, {r['client']}: {r['message']}" for r in answer["not_sent"]]
        return "\n".join(said) or "No recurring invoice is due."


def as_json(done: list[Ran]) -> dict[str, Any]:
    """What was issued, together per currency; what was refused, or not mailed, with its sentence."""
    sums: dict[str, tuple[int, Decimal]] = {}
    invoices = []
    for run in (run for each in done for run in each.issued):
        invoice = run.invoice
        assert invoice is not None
        count, total = sums.get(invoice.currency, (0, Decimal(0)))
        sums[invoice.currency] = (count + 1, total + invoice.total)
        invoices.append(_named(run) | {
            "number": invoice.number, "currency": invoice.currency, "total": plain(invoice.total, invoice.currency),
        })  # fmt: skip
    return {
        "invoices": invoices,
        "per_currency": {
            currency: {"count": count, "total": plain(total, currency)}
            for currency, (count, total) in sorted(sums.items())
        },
        "refused": [_named(run) | {"message": run.refused_because} for each in done for run in each.refused],
        "not_sent": [_named(run) | {"message": run.refused_because} for each in done for run in each.not_sent],
    }


def _named(run: RecurringRun) -> dict[str, Any]:
    day: dt.date = run.on
    return {"name": run.recurring.name, "client": run.recurring.client.number, "due_on": day.isoformat()}
