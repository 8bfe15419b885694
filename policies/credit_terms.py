"""The terms on which a company sells on credit: which version is in force, and publishing the next.

A company has none until somebody publishes a version: the text as shipped is a proposal to be read first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.services import record
from core.errors import Refused
from core.models import Company, as_text

from .models import CreditTerms
from .terms_text import SHIPPED

TEXTS = tuple(f"{part}_{language}" for language in ("en", "de", "fr") for part in ("title", "text"))


def terms_in_force(company: Company, on: dt.date) -> CreditTerms | None:
    """The version in force on a day, the latest not after it; None where the company has published none by then."""
    return CreditTerms.objects.filter(company=company, effective_from__lte=on).first()


def latest_terms(company: Company) -> CreditTerms | None:
    """The version published last, whether it is in force yet or not: the one to tell clients about."""
    return CreditTerms.objects.filter(company=company).first()


def shipped_terms() -> dict[str, str]:
    """Title and text as shipped, in every language: a proposal to be read, changed and published."""
    return dict(SHIPPED)


def next_terms(company: Company) -> dict[str, str]:
    """What the next version begins from: the words of the latest, or those as shipped."""
    latest = latest_terms(company)
    return {name: str(getattr(latest, name)) for name in TEXTS} if latest else shipped_terms()


def new_terms_version(
    company: Company, texts: Mapping[str, str], *, effective_from: dt.date, on: dt.date, by: Any
) -> CreditTerms:
    """Publish a version of a company's credit terms; invoices issued from its day on name it.

    ``texts`` has a title and a text in every language, all needed: a client reads the terms in its own. The first
    version may begin today, a later one tomorrow at the earliest, because what was issued today names the old one.
    Refused otherwise, and on the day of another version.
    """
    words = {name: str(texts.get(name, "")).strip() for name in TEXTS}
    for name, said in words.items():
        if not said:
            raise Refused(_("Every language needs its title and text: write this one too."), code="text", where=name)
    is_first = not CreditTerms.objects.filter(company=company, effective_from__lte=on).exists()
    if effective_from < on or (effective_from == on and not is_first):
        raise Refused(
            _("The first version begins today or later.") if is_first
            else _("A later version begins tomorrow at the earliest; what was issued today names the one before."),
            code="past", where="effective_from",
        )
    try:
        with transaction.atomic():
            terms = CreditTerms.objects.create(
                company=company, effective_from=effective_from, made_by=as_text(by)[:150], **words
            )
            record(by, "credit_terms_published", terms, summary=str(terms))
    except IntegrityError:
        raise Refused(
            _("There already is a version from %(day)s; choose another day.") % {"day": effective_from.isoformat()},
            code="same_day", where="effective_from",
        ) from None
    return terms


def publish_shipped_terms(company: Company, *, on: dt.date, by: Any) -> CreditTerms:
    """Publish the terms as shipped from today; a company that has terms in force keeps them."""
    with transaction.atomic():
        Company.objects.select_for_update().get(pk=company.pk)
        return terms_in_force(company, on) or new_terms_version(
            company, shipped_terms(), effective_from=on, on=on, by=by
        )


def sections_of(text: str) -> list[tuple[str, list[str]]]:
    """A text as headings with their paragraphs: blocks stand apart by an empty line, a heading begins with «## ».

    >>> sections_of("First.\\n\\n## Paying\\n\\nBy the day\\nnamed.\\n\\nThank you.")
    [('', ['First.']), ('Paying', ['By the day\\nnamed.', 'Thank you.'])]
    """
    sections: list[tuple[str, list[str]]] = []
    for block in (block.strip() for block in text.replace("\r\n", "\n").split("\n\n")):
        if block.startswith("## "):
            heading, _break, rest = block[3:].partition("\n")
            sections.append((heading.strip(), [rest.strip()] if rest.strip() else []))
        elif block:
            if not sections:
                sections.append(("", []))
            sections[-1][1].append(block)
    return sections
