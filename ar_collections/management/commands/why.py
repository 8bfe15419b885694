"""why: the decision about one client on one day, guard by guard."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from ar_collections.services.explaining import explain
from clients.models import Client
from core.commands import AnswerCommand, iso_date
from core.errors import Refused


class Command(AnswerCommand):
    help = "Says which steps a client's invoices have reached on a day, and which guard lets them pass or holds them."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("client", help="the client's number")
        parser.add_argument("--on", type=iso_date, required=True, help="the business date, YYYY-MM-DD")
        parser.add_argument("--company", default="", help="the code of one company, where several have this number")

    def answer(self, **options: Any) -> dict[str, Any]:
        found = Client.objects.select_related("company").filter(number=options["client"])
        if options["company"]:
            found = found.filter(company__code=options["company"])
        clients = list(found[:2])
        if not clients:
            number = options["client"]
            raise Refused(f"There is no client with the number “{number}”.", code="no_client", where="client")
        if len(clients) > 1:
            raise Refused("Several companies have this number; add --company CODE.", code="several", where="company")
        return explain(clients[0], options["on"])

    def as_text(self, answer: Any) -> str:
        lines = [f"{answer['client']} on {answer['on'].isoformat()}"]
        for step in answer["steps"]:
            held = [f"{g['guard']} ({g['because']})" for g in step["guards"] if not g["passes"]]
            lines.append(f"  {step['invoice']} {step['step']}: {step['verdict']}" + (f" — {held[0]}" if held else ""))
        if not answer["steps"]:
            lines.append("  no invoice has reached a step it was not served with")
        message = answer["message"]
        lines.append(f"  message: {message['state']}" if message else "  message: none")
        return "\n".join(lines)
