"""manage.py interest: what a claim has earned by a day, with the derivation. Nothing is read or written."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser

from core.commands import AnswerCommand, WrongUsage, iso_date
from core.dates import half_year
from core.errors import Refused
from core.money import TooFine, parse_amount, places
from invoices.interest import RULES, Claim, Payment, Rule, late_interest
from invoices.rates import MissingRate, RateStep, contract_rate


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
        add("--rule", choices=sorted(RULES), default="CONTRACT", help="how interest is worked out (default: CONTRACT)")
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
        rule = _rule(options)
        if rule.charges and not options["rate"]:
            raise MissingRate("contract", half_year(claim.first_day))
        return late_interest(claim, options["until"], options["rate"], rule).to_json()

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
    """The rule chosen, with what the command line says otherwise."""
    asked = {name: options[name] for name in ("day_count", "rounding", "first") if options[name]}
    return replace(RULES[options["rule"]], compound_monthly=options["compound"] == "monthly", **asked)


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
