"""`manage.py invoice_work`: issue completed work that waits, as every night does by itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from core.commands import AnswerCommand
from core.errors import Refused
from core.models import Company
from core.money import plain
from core.services import today
from invoices.services.work_invoicing import Invoiced, Left, invoice_work

BY = "command"


class Command(AnswerCommand):
    help = "Issue completed work: one invoice per client and currency, or per order. A second time changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--company", default="", metavar="CODE", help="the company, where several exist")
        parser.add_argument("--send", action="store_true", help="mail every invoice that is issued")

    def answer(self, **options: Any) -> dict[str, Any]:
        now = timezone.now()
        companies = Company.objects.order_by("pk")
        if options["company"]:
            companies = companies.filter(code__iexact=options["company"])
            if not companies:
                raise Refused(f"There is no company «{options['company']}».", code="company", where="company")
        send_from = now if options["send"] else None
        done = [invoice_work(c, send_from=send_from, on=today(c, now), by=BY) for c in companies]
        return as_json(done)

    def found_trouble(self, answer: Any) -> bool:
        return bool(answer["refused"])

    def as_text(self, answer: Any) -> str:
        said = [f"{i['number']} for {i['client']}: {i['total']} {i['currency']}" for i in answer["invoices"]]
        said += [f"left: {r['client']}, {r['total']} {r['currency']}: {r['message']}" for r in answer["refused"]]
        said += [f"not mailed: {n['number']}: {n['message']}" for n in answer.get("not_sent", ())]
        return "\n".join(said) or "No completed work waits."


def as_json(done: list[Invoiced]) -> dict[str, Any]:
    """What was issued, together per currency, and what was left with its sentence."""
    invoices = [invoice for each in done for invoice in each.invoices]
    sums: dict[str, tuple[int, Decimal]] = {}
    for invoice in invoices:
        count, total = sums.get(invoice.currency, (0, Decimal(0)))
        sums[invoice.currency] = (count + 1, total + invoice.total)
    told: dict[str, Any] = {
        "invoices": [
            {
                "number": invoice.number, "client": invoice.client.number, "currency": invoice.currency,
                "total": plain(invoice.total, invoice.currency), "works": invoice.works.count(),
            }
            for invoice in invoices
        ],
        "per_currency": {
            currency: {"count": count, "total": plain(total, currency)}
            for currency, (count, total) in sorted(sums.items())
        },
        "refused": [_left(left) for each in done for left in each.left],
    }
    if not_sent := [{"number": i.number, "message": why} for each in done for i, why in each.not_sent]:
        told["not_sent"] = not_sent
    return told


def _left(left: Left) -> dict[str, Any]:
    total = sum((work.gross for work in left.works), Decimal(0))
    return {
        "client": left.client.number, "currency": left.currency, "works": len(left.works),
        "total": plain(total, left.currency), "code": left.code, "message": left.sentence,
    }
