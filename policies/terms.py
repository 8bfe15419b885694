"""Payment terms: what is refused, on which days an invoice falls due, and how those days are said to a client."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal, NamedTuple

from babel.numbers import format_decimal

from core.dates import add_months, is_business_day, month_end, next_business_day, show_day
from core.errors import Refused
from core.money import show

_VAGUE = re.compile(
    r"\b(?:"
    # English
    r"(?:up)?on (?:\w+ )?receipt|at receipt|(?:up)?on presentation|at sight|immediate(?:ly)?|asap|as soon as possible"
    r"|at once|promptly|(?:right|straight) away|without delay|(?:due|payable|pay) now|at your (?:earliest )?convenience"
    # German
    r"|sofort\w*|(?:bei|sofort nach) (?:rechnungs)?(?:erhalt|eingang)|umgehend|unverz(?:ü|ue)glich|baldm(?:ö|oe)glichst"
    r"|so bald wie m(?:ö|oe)glich|schnellstm(?:ö|oe)glich"
    # French
    r"|(?:à|a) (?:la )?r(?:é|e)ception|imm(?:é|e)diat(?:e|ement)?|d(?:è|e)s (?:que possible|r(?:é|e)ception)"
    r"|sans d(?:é|e)lai|au plus vite"
    r")(?!\w)"
)


def refuse_vague(text: str) -> None:
    """Terms name a number of days: words that leave the day open are Refused, with the reason.

    >>> refuse_vague("Net 30")
    >>> refuse_vague("Due upon receipt")
    Traceback (most recent call last):
    ...
    core.errors.Refused: «upon receipt» does not say which day: ... for example 14, and the invoice prints the date.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().replace(".", "").split())
    vague = _VAGUE.search(plain)
    if vague:
        raise Refused(
            f"«{vague[0]}» does not say which day: nobody can tell when such an invoice is late, so it is paid last. "
            "Give a number of days, for example 14, and the invoice prints the date.",
            code="vague_terms",
            where="terms",
        )


Rule = Literal["net", "month_end", "day_of_month"]
Shift = Literal["", "next", "previous"]
PartKind = Literal["deposit", "part"]
LONGEST_DAYS = 365
_NO_DAYS: frozenset[date] = frozenset()


class Instalment(NamedTuple):
    """So many percent of the total, so many days after the day of issue."""

    percent: Decimal
    days: int


@dataclass(frozen=True)
class TermsRule:
    """Payment terms as arithmetic.

    ``net_days`` count from the day of issue, or from the end of its month (month_end). With a ``day_of_month``, where
    31 is the last of every month, they are the least before the next such day. The days of ``parts`` count from the
    day of issue. ``shift`` moves a day without banks. Percentages are of the total.
    """

    net_days: int
    rule: Rule = "net"
    day_of_month: int | None = None
    shift: Shift = ""
    parts: tuple[Instalment, ...] = ()
    deposit_percent: Decimal = Decimal(0)
    deposit_days: int | None = None
    discount_percent: Decimal = Decimal(0)
    discount_days: int | None = None


class DuePart(NamedTuple):
    """So many percent of the total are due on a day."""

    kind: PartKind
    due_on: date
    percent: Decimal


class DueDays(NamedTuple):
    """On which days an invoice falls due, the deposit first; and until when the early-payment discount is given."""

    parts: tuple[DuePart, ...]
    discount_until: date | None = None

    @property
    def first(self) -> date:
        return self.parts[0].due_on

    @property
    def last(self) -> date:
        return self.parts[-1].due_on


def check_rule(rule: TermsRule) -> None:
    """Terms name a day, at least one after the invoice, and their percentages come to the whole; else Refused.

    >>> check_rule(TermsRule(30, parts=(Instalment(Decimal(50), 14), Instalment(Decimal(40), 30))))
    Traceback (most recent call last):
    ...
    core.errors.Refused: The instalments come to 90 % of the invoice. Change them so that they come to 100 %.
    """
    if rule.net_days < 1:
        raise Refused(
            "Terms are at least one day. Give a number of days, for example 14.", code="vague_terms", where="terms"
        )
    if rule.net_days > LONGEST_DAYS:
        raise Refused(f"Terms are at most {LONGEST_DAYS} days.", code="too_long", where="net_days")
    needs_day = rule.rule == "day_of_month" or rule.day_of_month is not None
    if needs_day and not 1 <= (rule.day_of_month or 0) <= 31:
        raise Refused("Say which day of the month, 1 to 31; 31 is its last day.", code="no_day", where="day_of_month")
    _check_parts(rule)
    _check_discount(rule)


def due_days(rule: TermsRule, issued_on: date, holidays: Collection[date] = _NO_DAYS) -> DueDays:
    """On which days an invoice issued on a day falls due, in order; ``holidays`` are days without banks.

    Refused as ``check_rule`` says. A day moved to the business day before never reaches the day of issue.

    >>> due_days(TermsRule(14), date(2026, 11, 21)).last
    datetime.date(2026, 12, 5)
    >>> due_days(TermsRule(1, "month_end", 31), date(2026, 2, 28)).last  # the end of next month, not 28 March
    datetime.date(2026, 3, 31)
    >>> due_days(TermsRule(10, "month_end", shift="next"), date(2026, 9, 30), {date(2026, 10, 12)}).last
    datetime.date(2026, 10, 13)
    >>> halves = TermsRule(30, parts=(Instalment(Decimal(50), 14), Instalment(Decimal(50), 30)))
    >>> [part.due_on.isoformat() for part in due_days(halves, date(2026, 11, 21)).parts]
    ['2026-12-05', '2026-12-21']
    """
    check_rule(rule)

    def moved(day: date) -> date:
        return _shifted(day, rule.shift, issued_on, holidays)

    days = [("part", _plain_due(rule, issued_on), 100 - rule.deposit_percent)]
    if rule.parts:
        days = [("part", issued_on + timedelta(days=part.days), part.percent) for part in rule.parts]
    if rule.deposit_percent:
        assert rule.deposit_days is not None
        deposit_on = min(issued_on + timedelta(days=rule.deposit_days), days[0][1])
        days = [("deposit", deposit_on, rule.deposit_percent), *days]
    parts = tuple(DuePart(kind, moved(day), Decimal(share)) for kind, day, share in days)  # type: ignore[arg-type]
    until = issued_on + timedelta(days=rule.discount_days) if rule.discount_percent and rule.discount_days else None
    return DueDays(parts, min(until, parts[-1].due_on) if until else None)


def longest_days(rule: TermsRule, issued_on: date) -> int:
    """How many days of credit the terms give an invoice of that day: up to its last part, as if banks never closed.

    >>> longest_days(TermsRule(10, "month_end"), date(2026, 11, 21))
    19
    """
    if rule.parts:
        return max(part.days for part in rule.parts)
    return (_plain_due(rule, issued_on) - issued_on).days


def due_date(issued_on: date, net_days: int) -> date:
    """An invoice falls due so many calendar days after the day it was issued; zero or fewer days are Refused.

    >>> due_date(date(2026, 11, 21), 14)
    datetime.date(2026, 12, 5)
    """
    return due_days(TermsRule(net_days), issued_on).last


def _plain_due(rule: TermsRule, issued_on: date) -> date:
    """The day on which the whole, or what the deposit leaves, falls due before it is moved."""
    begins = month_end(issued_on) if rule.rule == "month_end" else issued_on
    earliest = begins + timedelta(days=rule.net_days)
    if rule.rule == "net" or rule.day_of_month is None:
        return earliest
    # From the first of its month each time, so that the 31st stays the 31st after a short month.
    first = earliest.replace(day=1)
    days = (_in_month(add_months(first, n), rule.day_of_month) for n in (0, 1))
    return next(day for day in days if day >= earliest)


def _in_month(first: date, day: int) -> date:
    last = month_end(first)
    return last if day >= last.day else first.replace(day=day)


def _shifted(day: date, shift: Shift, issued_on: date, holidays: Collection[date]) -> date:
    if shift == "previous":
        before = day
        while not is_business_day(before, holidays):
            before -= timedelta(days=1)
        if before > issued_on:
            return before
    return next_business_day(day, holidays) if shift else day


def _check_parts(rule: TermsRule) -> None:
    deposit = rule.deposit_percent
    if not 0 <= deposit < 100:
        raise Refused("A deposit is between 0 and 99 percent.", code="deposit", where="deposit_percent")
    if deposit and not rule.deposit_days:
        raise Refused("Say within how many days the deposit is paid.", code="deposit", where="deposit_days")
    first = rule.parts[0].days if rule.parts else rule.net_days if rule.rule == "net" else LONGEST_DAYS
    if deposit and (rule.deposit_days or 0) >= first:
        raise Refused(
            f"The deposit comes first: give it fewer than {first} days.", code="deposit", where="deposit_days"
        )
    if not rule.parts:
        return
    if rule.rule != "net":
        raise Refused(
            "The days of instalments count from the day of the invoice; choose that for these terms.",
            code="parts", where="rule",
        )
    if any(part.percent <= 0 for part in rule.parts) or any(part.days < 1 for part in rule.parts):
        raise Refused(
            "Every instalment is above 0 percent and at least one day after the invoice.", code="parts", where="parts"
        )
    if any(later.days <= earlier.days for earlier, later in pairwise(rule.parts)):
        raise Refused("Each instalment falls due later than the one before it.", code="parts", where="parts")
    if max(part.days for part in rule.parts) > LONGEST_DAYS:
        raise Refused(f"Terms are at most {LONGEST_DAYS} days.", code="too_long", where="parts")
    whole = deposit + sum(part.percent for part in rule.parts)
    if whole != 100:
        what = "Deposit and instalments come" if deposit else "The instalments come"
        raise Refused(
            f"{what} to {whole.normalize():f} % of the invoice. Change them so that they come to 100 %.",
            code="parts", where="parts",
        )


def _check_discount(rule: TermsRule) -> None:
    if bool(rule.discount_percent) != bool(rule.discount_days):
        where = "discount_days" if rule.discount_percent else "discount_percent"
        raise Refused(
            "An early-payment discount is a percentage and the days within which it is given.", code="discount",
            where=where,
        )
    if not rule.discount_percent:
        return
    if not 0 < rule.discount_percent <= 50:
        raise Refused("A discount is at most 50 percent.", code="discount", where="discount_percent")
    if rule.parts or rule.deposit_percent:
        raise Refused(
            "An early-payment discount goes with a single due day; leave it out, or the instalments and the deposit.",
            code="discount", where="discount_percent",
        )
    if rule.rule == "net" and (rule.discount_days or 0) >= rule.net_days:
        raise Refused(
            f"The discount is for paying early: give it fewer than {rule.net_days} days.", code="discount",
            where="discount_days",
        )


def due_words(due_on: date, on: date, language: str) -> str:
    """How a screen or a mail says when an invoice is due, seen from a day: in days and as a date.

    >>> due_words(date(2026, 12, 5), date(2026, 11, 21), "en")
    'Due in 14 days — by 5 December 2026'
    >>> due_words(date(2026, 12, 5), date(2026, 12, 5), "de")
    'Heute fällig — 5. Dezember 2026'
    >>> due_words(date(2026, 12, 5), date(2026, 12, 8), "fr")
    '3 jours de retard — échéance le 5 décembre 2026'
    """
    days = (due_on - on).days
    which = "today" if days == 0 else "ahead" if days > 0 else "late"
    return _phrase(which, abs(days), language, due=show_day(due_on, language))


def terms_words(issued_on: date, due_on: date, language: str) -> str:
    """How paper says it, true on whatever day it is read: the days from the date of issue, and the date.

    >>> terms_words(date(2026, 11, 21), date(2026, 12, 5), "en")
    '14 days from 21 November — by 5 December 2026'
    >>> terms_words(date(2026, 12, 28), date(2027, 1, 11), "de")
    '14 Tage ab dem 28. Dezember 2026 — bis zum 11. Januar 2027'
    """
    days = (due_on - issued_on).days
    issued = show_day(issued_on, language, "yearless" if issued_on.year == due_on.year else "long")
    return _phrase("paper" if days > 0 else "by", days, language, due=show_day(due_on, language), issued=issued)


def part_words(kind: str, number: int, count: int, language: str) -> str:
    """What a part of an invoice is called; ``number`` counts the instalments without the deposit.

    >>> part_words("part", 1, 2, "en"), part_words("deposit", 0, 2, "de"), part_words("part", 2, 2, "fr")
    ('Instalment 1 of 2', 'Anzahlung', 'Échéance 2 sur 2')
    >>> part_words("part", 1, 1, "en")  # after a deposit
    'Balance'
    """
    which = "deposit" if kind == "deposit" else "part" if count > 1 else "rest"
    return _phrase(which, number, language, n=str(number), count=str(count))


def later_words(amount: Decimal, currency: str, due_on: date, language: str) -> str:
    """What of an invoice is not due yet, and when it is.

    >>> later_words(Decimal(500), "EUR", date(2026, 12, 21), "en")
    'Not yet due: €500.00, by 21 December 2026'
    """
    return _phrase("later", 2, language, amount=show(amount, currency, language), due=show_day(due_on, language))


def early_words(percent: Decimal, discount: Decimal, currency: str, until: date, language: str) -> str:
    """The early-payment offer: the percentage, what it comes to, and the last day on which it is given.

    >>> early_words(Decimal(2), Decimal(24), "EUR", date(2026, 11, 28), "en").replace("\u00a0", " ")
    '2 % discount, €24.00, if paid by 28 November 2026'
    """
    share = format_decimal(percent.normalize(), "0.###", locale=language[:2])
    amount = show(discount, currency, language)
    return _phrase("early", 2, language, percent=f"{share}\u00a0%", amount=amount, due=show_day(until, language))


def _phrase(which: str, days: int, language: str, **words: str) -> str:
    one, many = _PHRASES.get(language[:2], _PHRASES["en"])[which]
    return (one if days == 1 else many).format(days=days, **words)


# Whole phrases per language, for one day and for several: pure code has no gettext, and a client never gets a mixture.
_PHRASES = {
    "en": {
        "ahead": ("Due in 1 day — by {due}", "Due in {days} days — by {due}"),
        "today": ("Due today — {due}", "Due today — {due}"),
        "late": ("1 day overdue — was due on {due}", "{days} days overdue — was due on {due}"),
        "paper": ("1 day from {issued} — by {due}", "{days} days from {issued} — by {due}"),
        "by": ("Due by {due}", "Due by {due}"),
        "deposit": ("Deposit", "Deposit"),
        "part": ("Instalment {n} of {count}", "Instalment {n} of {count}"),
        "rest": ("Balance", "Balance"),
        "later": ("", "Not yet due: {amount}, by {due}"),
        "early": ("", "{percent} discount, {amount}, if paid by {due}"),
    },
    "de": {
        "ahead": ("Fällig in 1 Tag — bis zum {due}", "Fällig in {days} Tagen — bis zum {due}"),
        "today": ("Heute fällig — {due}", "Heute fällig — {due}"),
        "late": ("1 Tag überfällig — war fällig am {due}", "{days} Tage überfällig — war fällig am {due}"),
        "paper": ("1 Tag ab dem {issued} — bis zum {due}", "{days} Tage ab dem {issued} — bis zum {due}"),
        "by": ("Fällig bis zum {due}", "Fällig bis zum {due}"),
        "deposit": ("Anzahlung", "Anzahlung"),
        "part": ("{n}. Rate von {count}", "{n}. Rate von {count}"),
        "rest": ("Restbetrag", "Restbetrag"),
        "later": ("", "Noch nicht fällig: {amount}, bis zum {due}"),
        "early": ("", "{percent} Skonto, {amount}, bei Zahlung bis zum {due}"),
    },
    "fr": {
        "ahead": ("À payer sous 1 jour — au plus tard le {due}", "À payer sous {days} jours — au plus tard le {due}"),
        "today": ("À payer aujourd’hui — {due}", "À payer aujourd’hui — {due}"),
        "late": ("1 jour de retard — échéance le {due}", "{days} jours de retard — échéance le {due}"),
        "paper": (
            "1 jour à compter du {issued} — au plus tard le {due}",
            "{days} jours à compter du {issued} — au plus tard le {due}",
        ),
        "by": ("À payer au plus tard le {due}", "À payer au plus tard le {due}"),
        "deposit": ("Acompte", "Acompte"),
        "part": ("Échéance {n} sur {count}", "Échéance {n} sur {count}"),
        "rest": ("Solde", "Solde"),
        "later": ("", "Pas encore dû : {amount}, au plus tard le {due}"),
        "early": ("", "{percent} d’escompte, {amount}, pour un paiement au plus tard le {due}"),
    },
}
