"""limit_review: the limit that every client's own behaviour speaks for on a day, with reasons and arithmetic."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandParser

from ar_collections.limit_words import arithmetic_as_json, behaviour_as_json, reasons_as_json
from ar_collections.services.reviewing import Reviewed, propose_limits, save_proposals
from clients.models import Client
from core.commands import AnswerCommand, iso_date
from core.errors import Refused
from core.models import Company
from core.money import plain
from policies.credit import credit_policy_of


class Command(AnswerCommand):
    help = "Proposes a credit limit for every client from how it paid up to a day; with --save the proposals are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--as-of", type=iso_date, required=True, help="judged at the end of this day, YYYY-MM-DD")
        parser.add_argument("--company", default="", help="the code of one company, where several exist")
        parser.add_argument("--client", default="", help="the number of one client")
        parser.add_argument("--all", action="store_true", help="also clients who were never invoiced by that day")
        parser.add_argument("--save", action="store_true", help="keep the proposals; changes wait for a person")

    def answer(self, **options: Any) -> dict[str, Any]:
        as_of, number = options["as_of"], str(options["client"])
        companies = Company.objects.filter(code=options["company"]) if options["company"] else Company.objects.all()
        if options["company"] and not companies:
            raise Refused(f"There is no company with the code “{options['company']}”.", code="no_company",
                          where="company")
        if number and not Client.objects.filter(company__in=companies, number=number).exists():
            raise Refused(f"There is no client with the number “{number}”.", code="no_client", where="client")
        found, saved = [], 0
        for company in companies:
            clients = Client.objects.filter(company=company, number=number) if number else None
            reviewed = list(propose_limits(company, as_of, clients, without_history=bool(options["all"])))
            found += [_as_json(company, r) for r in reviewed]
            if options["save"]:
                policy = credit_policy_of(company, as_of)
                saved += len(save_proposals(company, as_of, reviewed, policy, by="limit_review"))
        answer: dict[str, Any] = {"as_of": as_of, "proposals": found}
        return answer | ({"waiting": saved} if options["save"] else {})

    def as_text(self, answer: Any) -> str:
        day: dt.date = answer["as_of"]
        lines = [f"{day.isoformat()}: {len(answer['proposals'])} proposals"]
        for p in answer["proposals"]:
            lines.append(
                f"{p['client']} {p['name']}: {p['current'] or '–'} → {p['proposed']} {p['currency']} "
                f"({p['move']}, {p['risk']} risk)"
            )
            lines += [f"    {line['amount']:>12}  {line['says']}" for line in p["arithmetic"]]
            lines += [f"    {reason['leads_to'] or '·':>4}: {reason['says']}" for reason in p["reasons"]]
        if "waiting" in answer:
            lines.append(f"{answer['waiting']} wait for approval")
        return "\n".join(lines)


def _as_json(company: Company, reviewed: Reviewed) -> dict[str, Any]:
    proposal, currency = reviewed.proposal, reviewed.currency
    return {
        "company": company.code,
        "client": reviewed.client.number,
        "name": reviewed.client.name,
        "currency": currency,
        "risk": proposal.risk,
        "move": proposal.move,
        "current": None if proposal.current is None else plain(proposal.current, currency),
        "proposed": plain(proposal.proposed, currency),
        "behaviour": behaviour_as_json(reviewed.behaviour, currency),
        "reasons": reasons_as_json(proposal, currency),
        "arithmetic": arithmetic_as_json(proposal, currency),
    }
