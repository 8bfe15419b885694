"""manage.py interest: what a claim has earned by a day, with the derivation. Nothing is written.

With --rule the rule and its reference rates are those entered; with --rate alone nothing is read either.
"""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser

from core.commands import AnswerCommand, WrongUsage, iso_date
from core.errors import Refused
from core.money import TooFine, parse_amount, places
from invoices.interest import CONTRACT, Claim, Payment, Rule, late_interest
from invoices.rates import RateStep, contract_rate
from invoices.services.rules import rates_for, rule_of


class Command(AnswerCommand):
    help = (
        "Late interest on one claim. Example: manage.py interest --rate 12 --principal 1000 --currency EUR "
        "--due 2026-01-01 --until 2026-03-01 --payment 2026-01-31=400"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add = parser.add_argument
        add("--rate", nargs="+", action="extend", default=[], type=rate, metavar="PCT|FROM=PCT",
            help="percent a year; several, each with its first day, where it changed")
        add("--rule", default="", metavar="CODE", type=str.upper,
            help="the rule of late interest: EU, DE-B2B, DE-B2C, FR, FI, UK, CONTRACT, NONE or one added in the admin, "
            "with the reference rates entered (default: CONTRACT, which needs --rate)")
        add("--principal", required=True, metavar="X", help="the amount owed")
        add("--currency", required=True, type=currency, metavar="C")
        add("--due", required=True, type=iso_date, metavar="D", help="the day after it is the first with interest")
        add("--until", required=True, type=iso_date, metavar="D", help="the last day with interest")
        add("--interest-from", type=iso_date, metavar="D", help="the first day with interest, where a notice named it")
        add("--payment", nargs="+", action="extend", default=[], metavar="D=X",
            help="part payments; the day itself still bears interest on the old balance")
        add("--day-count", choices=["act/365", "act/360", "30/360"], help="days of the year (default: act/365)")
        add("--rounding", choices=["once", "daily"], help="once at the end (default), or the amount of a day first")
        add("--compound", choices=["monthly"], help="add the interest to the balance after every whole month")
        add("--first", choices=["principal", "interest"], help="what a payment reduces first (default: principal)")

    def answer(self, **options: Any) -> dict[str, Any]:
        claim = Claim(
            principal=_amount(options["principal"], options["currency"], "principal"),
            currency=options["currency"],
            due_on=options["due"],
            payments=tuple(_payment(text, options["currency"]) for text in options["payment"]),
            interest_from=options["interest_from"],
        )
        rule, until = _rule(options), options["until"]
        rates = options["rate"] or _rates(rule, claim, until)
        return late_interest(claim, until, rates, rule).to_json()

    def as_text(self, answer: Any) -> str:
        rows = [
            f"{line['from']} to {line['to']}  {line['days']:>5} days at {line['rate']:>7} % on {line['balance']:>14}"
            f"  {line['amount']:>16}  {line['source']}"
            for line in answer["lines"]
        ]
        total = f"Interest {answer['total']}, compensation {answer['compensation']}, {answer['days']} days late"
        return "\n".join([*rows, total])


def rate(text: str) -> RateStep:
    """«12», or «2026-07-01=10.40»: from that day on."""
    from_on, _, percent = text.rpartition("=")
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", percent):
        raise ArgumentTypeError(f"«{percent}» is not a rate. Write percent a year with a point, for example 10.15.")
    if not from_on:
        return contract_rate(Decimal(percent), "given")[0]
    return RateStep(iso_date(from_on), Decimal(percent), "given")


def currency(text: str) -> str:
    try:
        places(text)
    except ValueError as unknown:
        raise ArgumentTypeError(str(unknown)) from None
    return text


def _rule(options: dict[str, Any]) -> Rule:
    """The rule chosen, in its version of the last day asked about, with what the command line says otherwise."""
    rule = rule_of(options["rule"], options["until"]) if options["rule"] else CONTRACT
    asked = {name: options[name] for name in ("day_count", "rounding", "first") if options[name]}
    if options["compound"] == "monthly":
        asked["compound_monthly"] = True
    return replace(rule, **asked)


def _rates(rule: Rule, claim: Claim, until: date) -> tuple[RateStep, ...]:
    """The rates of the rule while anything is owed; nobody needs the rate of a half-year after the last payment."""
    starts_on, last = claim.starts_on(rule), claim.owed_until(until, rule)
    return rates_for(rule, invoice_percent=None, start=starts_on, until=last) if starts_on <= last else ()


def _payment(text: str, code: str) -> Payment:
    day, separator, amount = text.partition("=")
    if not separator:
        raise WrongUsage(f"«{text}» is not a payment. Write the day and the amount, for example 2026-01-31=400.")
    try:
        on = iso_date(day)
    except ArgumentTypeError as wrong:
        raise WrongUsage(str(wrong)) from None
    paid = _amount(amount, code, f"payment {day}")
    if paid <= 0:
        raise WrongUsage(f"The payment of {day} is not above zero. Write what was paid, for example {day}=400.")
    return Payment(on, paid)


def _amount(text: str, code: str, where: str) -> Decimal:
    try:
        return parse_amount(text, code)
    except TooFine as fine:
        raise Refused(str(fine), code="too_fine", where=where) from None
    except ValueError as wrong:
        raise WrongUsage(str(wrong)) from None
