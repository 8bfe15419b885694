"""A version of our credit terms as a document for one client: on paper as on its page, in the reader's language."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import translation

from clients.models import Client, Contact
from core.dates import show_day
from policies.credit_terms import sections_of
from policies.models import CreditTerms

from . import pdf
from .documents import Paper, freeze, paper_of
from .models import Invoice


@dataclass(frozen=True)
class TermsDocument:
    """Title, day from which they apply, and the text as headings with their paragraphs; ready to print."""

    head: Paper
    title: str
    effective_from: dt.date
    day: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]


def terms_document(
    client: Client, terms: CreditTerms, contact: Contact | None = None, language: str = ""
) -> TermsDocument:
    """A version of the terms addressed to a client, in the language given or else the contact's."""
    about = Invoice(company=client.company, client=client, contact=contact, currency=client.currency)
    facts = freeze(about) | ({"language": language} if language else {})
    with translation.override(facts["language"]):
        return TermsDocument(
            head=paper_of(facts),
            title=terms.title(facts["language"]),
            effective_from=terms.effective_from,
            day=show_day(terms.effective_from, facts["language"]),
            sections=tuple(
                (heading, tuple(paragraphs)) for heading, paragraphs in sections_of(terms.text(facts["language"]))
            ),
        )


def terms_pdf(client: Client, terms: CreditTerms, contact: Contact | None = None, language: str = "") -> bytes:
    """The terms as PDF; equal words give equal bytes."""
    return pdf.print_document("pdf/terms.html", terms_document(client, terms, contact, language))


def terms_file_name(terms: CreditTerms, language: str) -> str:
    """The name the PDF is saved under: its title and day, without what a file system minds."""
    kept = "".join(c.lower() if c.isascii() and c.isalnum() else "-" for c in terms.title(language))
    words = "-".join(part for part in kept.split("-") if part) or "terms"
    return f"{words}-{terms.effective_from.isoformat()}.pdf"
