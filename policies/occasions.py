"""The occasions on which clients can be greeted, as shipped, and the words that may stand in a greeting.

When an occasion falls, and whom it reaches, is decided in collections.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import record
from core.errors import Refused
from core.models import Company

from .models import Occasion

KEY_DATES = ("birthday", "founded", "together", "other")
WORDS = ("name", "client", "company", "label", "years")
_WORD = re.compile(r"\{([^{}]*)\}")


class Seed(NamedTuple):
    """An occasion as shipped; ``subject`` and ``text`` are in English, German and French."""

    code: str
    name: str
    falls: dict[str, Any]
    subject: tuple[str, str, str]
    text: tuple[str, str, str]
    is_active: bool = True

    def fields(self) -> dict[str, Any]:
        """What a row of the database keeps of it, without its company."""
        languages = ("en", "de", "fr")
        subjects = {f"subject_{code}": words for code, words in zip(languages, self.subject, strict=True)}
        texts = {f"text_{code}": words for code, words in zip(languages, self.text, strict=True)}
        return {"name": self.name, **self.falls, **subjects, **texts, "is_active": self.is_active}


# Religious feasts are there and not in use: whether a client keeps them is for a person to know.
SEEDS = (
    Seed(
        "new_year", "New Year", {"rule": "fixed", "month": 1, "day": 1, "days_before": 3},
        ("All the best for the new year", "Alles Gute zum neuen Jahr", "Meilleurs vœux pour la nouvelle année"),
        (
            "thank you for working with us this year.\n\nWe wish you, and everybody at {client}, a good start into "
            "the new one: health, good work and some time for what matters.",
            "danke für die gute Zusammenarbeit in diesem Jahr.\n\nIhnen und allen bei {client} wünschen wir einen "
            "guten Start ins neue: Gesundheit, gute Arbeit und Zeit für das, was zählt.",
            "merci pour notre collaboration cette année.\n\nNous vous souhaitons, ainsi qu’à toute l’équipe de "
            "{client}, une belle année : la santé, de beaux projets et du temps pour l’essentiel.",
        ),
    ),
    Seed(
        "thanksgiving", "Thanksgiving",
        {"rule": "nth_weekday", "month": 11, "nth": 4, "weekday": 3, "days_before": 2, "countries": "US"},
        ("Happy Thanksgiving", "Alles Gute zu Thanksgiving", "Joyeux Thanksgiving"),
        (
            "this week is a good moment to say it: thank you for your trust in us.\n\nA happy Thanksgiving to you, "
            "your family and everybody at {client}.",
            "diese Woche ist ein guter Anlass, es zu sagen: danke für Ihr Vertrauen.\n\nIhnen, Ihrer Familie und "
            "allen bei {client} ein schönes Thanksgiving.",
            "cette semaine est l’occasion de le dire : merci de votre confiance.\n\nUn joyeux Thanksgiving à vous, "
            "à votre famille et à toute l’équipe de {client}.",
        ),
    ),
    Seed(
        "christmas", "Christmas", {"rule": "fixed", "month": 12, "day": 25, "days_before": 4},
        ("Merry Christmas from {company}", "Frohe Weihnachten von {company}", "Joyeux Noël de la part de {company}"),
        (
            "we wish you and your family a merry Christmas and quiet days.\n\nThank you for working with us.",
            "wir wünschen Ihnen und Ihrer Familie frohe Weihnachten und ruhige Tage.\n\nDanke für die gute "
            "Zusammenarbeit.",
            "nous vous souhaitons, à vous et à vos proches, un joyeux Noël et des jours paisibles.\n\nMerci pour "
            "notre collaboration.",
        ),
        is_active=False,
    ),
    Seed(
        "easter", "Easter", {"rule": "easter", "day": 0, "days_before": 3},
        ("Happy Easter", "Frohe Ostern", "Joyeuses Pâques"),
        (
            "we wish you and your family a happy Easter and a few free days in spring.",
            "wir wünschen Ihnen und Ihrer Familie frohe Ostern und ein paar freie Tage im Frühling.",
            "nous vous souhaitons, à vous et à vos proches, de joyeuses Pâques et quelques belles journées de "
            "printemps.",
        ),
        is_active=False,
    ),
    Seed(
        "birthday", "Birthday", {"rule": "key_date"},
        ("Happy birthday, {name}", "Herzlichen Glückwunsch zum Geburtstag", "Joyeux anniversaire, {name}"),
        (
            "happy birthday! We wish you a good day today and a good year ahead.",
            "herzlichen Glückwunsch zum Geburtstag! Wir wünschen Ihnen heute einen schönen Tag und ein gutes neues "
            "Lebensjahr.",
            "joyeux anniversaire ! Nous vous souhaitons une belle journée et une très bonne année.",
        ),
    ),
    Seed(
        "founded", "Founding of the business", {"rule": "key_date"},
        ("Congratulations to {client}", "Glückwunsch an {client}", "Félicitations à {client}"),
        (
            "{client} was founded on this day. Congratulations to you and to everybody who works there.\n\n{years} "
            "years: something to be proud of.",
            "an diesem Tag wurde {client} gegründet. Herzlichen Glückwunsch Ihnen und allen, die dort arbeiten.\n\n"
            "{years} Jahre: darauf darf man stolz sein.",
            "c’est en ce jour que {client} a été fondée. Félicitations à vous et à toute l’équipe.\n\n{years} ans : "
            "il y a de quoi être fier.",
        ),
    ),
    Seed(
        "together", "Start of working together", {"rule": "key_date"},
        ("Thank you for working with us", "Danke für die Zusammenarbeit", "Merci pour notre collaboration"),
        (
            "on this day {client} and {company} began to work together. Thank you; we look forward to what comes "
            "next.\n\nIt has been {years} years now.",
            "an diesem Tag haben {client} und {company} begonnen, zusammenzuarbeiten. Danke dafür; wir freuen uns auf "
            "alles, was kommt.\n\n{years} Jahre sind es nun.",
            "c’est en ce jour que {client} et {company} ont commencé à travailler ensemble. Merci ; nous nous "
            "réjouissons de la suite.\n\nCela fait {years} ans.",
        ),
    ),
    Seed(
        "other", "A day of their own", {"rule": "key_date"},
        ("{label}: all the best", "{label}: alles Gute", "{label} : tous nos vœux"),
        (
            "today is a special day for you: {label}. All the best from all of us.",
            "heute ist ein besonderer Tag für Sie: {label}. Alles Gute von uns allen.",
            "c’est un jour particulier pour vous : {label}. Tous nos vœux, de la part de toute l’équipe.",
        ),
    ),
)


def seed_occasions(company: Company, by: Any) -> int:
    """Give a company the occasions as shipped; those it has already stay as they are. Answers how many are new."""
    with transaction.atomic():
        known = set(Occasion.objects.filter(company=company).values_list("code", flat=True))
        new = [Occasion(company=company, code=seed.code, **seed.fields()) for seed in SEEDS if seed.code not in known]
        Occasion.objects.bulk_create(new)
        if new:
            record(by, "occasions_seeded", company, summary=", ".join(occasion.code for occasion in new))
    return len(new)


def check_occasion(fields: Mapping[str, Any]) -> None:
    """Refuse an occasion that never falls: without the facts its rule needs, or on a day that no month has."""
    rule, month, day = str(fields.get("rule")), fields.get("month"), fields.get("day")
    wanted = {"fixed": ("month", "day"), "nth_weekday": ("month", "nth", "weekday"), "easter": ("day",)}
    for name in wanted.get(rule, ()):
        if fields.get(name) is None:
            raise Refused(_("This rule needs it: write a number."), code="missing", where=name)
    if month is not None and not 1 <= month <= 12:
        raise Refused(_("A month is a number from 1 to 12."), code="month", where="month")
    of_leap_year = monthrange(2000, month)[1] if month is not None else 31
    if rule == "fixed" and day is not None and not 1 <= day <= of_leap_year:
        raise Refused(_("That month has no such day."), code="day", where="day")
    if rule == "nth_weekday" and not (1 <= fields["nth"] <= 5 and 0 <= fields["weekday"] <= 6):
        raise Refused(_("Write 1 to 5 (5: the last one), and a weekday from 0, Monday, to 6."), code="nth", where="nth")
    if rule == "key_date" and fields.get("code") not in KEY_DATES:
        raise Refused(
            _("A client's own day is one of: %(known)s.") % {"known": ", ".join(KEY_DATES)}, code="code", where="code"
        )
    for country in str(fields.get("countries") or "").split():
        if not re.fullmatch("[A-Z]{2}", country):
            raise Refused(_("Countries are two capital letters each, such as DE AT CH."), where="countries")
    for name in ("subject_en", "subject_de", "subject_fr", "text_en", "text_de", "text_fr"):
        try:
            check_words(str(fields.get(name) or ""))
        except Refused as refused:
            raise Refused(refused.message, code=refused.code, where=name) from None


def check_words(text: str) -> str:
    """The text itself. Refused where it names a word in braces that no greeting knows.

    >>> check_words("Hello {name}")
    'Hello {name}'
    """
    unknown = [word for word in _WORD.findall(text) if word not in WORDS]
    if unknown:
        raise Refused(
            _("“{%(word)s}” is not known here; in braces there may be: %(known)s.") % {
                "word": unknown[0], "known": ", ".join(f"{{{word}}}" for word in WORDS)
            },
            code="unknown_word",
        )
    return text
