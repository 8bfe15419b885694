"""Payment terms in words: what is refused, when a net term falls due, and how a due date is said to a client."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

from core.dates import show_day
from core.errors import Refused

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


def due_date(issued_on: date, net_days: int) -> date:
    """An invoice falls due so many calendar days after the day it was issued; zero or fewer days are Refused.

    >>> due_date(date(2026, 11, 21), 14)
    datetime.date(2026, 12, 5)
    """
    if net_days < 1:
        message = "Terms are at least one day. Give a number of days, for example 14."
        raise Refused(message, code="vague_terms", where="terms")
    return issued_on + timedelta(days=net_days)


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
    },
    "de": {
        "ahead": ("Fällig in 1 Tag — bis zum {due}", "Fällig in {days} Tagen — bis zum {due}"),
        "today": ("Heute fällig — {due}", "Heute fällig — {due}"),
        "late": ("1 Tag überfällig — war fällig am {due}", "{days} Tage überfällig — war fällig am {due}"),
        "paper": ("1 Tag ab dem {issued} — bis zum {due}", "{days} Tage ab dem {issued} — bis zum {due}"),
        "by": ("Fällig bis zum {due}", "Fällig bis zum {due}"),
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
    },
}
