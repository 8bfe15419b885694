"""Case 28: a document in the client's language with the dates and decimals of another (odoo#10313).

One client reads English, one German, one French. Whatever reaches them writes days and sums as they do: the invoice,
its mail, the reminder, the page behind the link. A contact who reads something else than the office gets it in theirs.
"""

from __future__ import annotations

import datetime as dt
import html
import io
import re

import pytest
from django.utils import timezone
from pypdf import PdfReader

from core.services import read_file
from invoices.pdf import invoice_pdf
from invoices.services.linking import link_for, token_of
from invoices.services.sending import send_invoice
from outbox.models import Message
from outbox.services import deliver
from tests.cast import CLERK, TODAY, invoice_due, make_client, make_invoice
from tests.collecting import a_day, sent_to

pytestmark = pytest.mark.django_db

# How 1,234.50 euros and 18 December 2026 are written, and how they are not.
WRITTEN = {
    "en": ("€1,234.50", "18 December 2026"),
    "de": ("1.234,50 €", "18. Dezember 2026"),
    "fr": ("1 234,50 €", "18 décembre 2026"),
}
NOT_AS = {"en": r"1\.234,50|1 234,50|Dezember|décembre", "de": r"1,234\.50|1 234,50|December|décembre",
          "fr": r"1,234\.50|1\.234,50|December|Dezember"}  # fmt: skip


def words(text: str) -> str:
    """The text with its narrow and hard spaces as plain ones."""
    return " ".join(re.sub(r"[\u00a0\u202f]", " ", html.unescape(text)).split())


def is_theirs(text: str, language: str, *, day: bool = True) -> None:
    said, (amount, due) = words(text), WRITTEN[language]
    assert amount in said, said[:2000]
    assert not day or due in said, said[:2000]
    assert not re.search(NOT_AS[language], said), re.search(NOT_AS[language], said)


@pytest.fixture(params=["en", "de", "fr"])
def reader(request, company):
    return make_client(company, f"C-{request.param}", language=request.param)


def test_the_invoice_its_mail_and_the_page_are_written_as_the_client_writes(reader, client):
    invoice = make_invoice(reader, "1234.5")
    document = PdfReader(io.BytesIO(read_file(invoice_pdf(invoice).sha256)))
    is_theirs(" ".join(page.extract_text() for page in document.pages), reader.language)

    send_invoice(invoice, on=TODAY, by=CLERK)
    deliver(timezone.now() + dt.timedelta(minutes=1))
    mail = Message.objects.get(kind="invoice", state="sent")
    is_theirs(mail.text, reader.language)
    is_theirs(re.sub(r"<[^>]+>", " ", mail.html), reader.language)

    link = link_for(invoice, reader.contacts.get(), timezone.now())
    page = client.get(f"/i/{link.pk}/{token_of(link)}/", headers={"Accept-Language": "nl"})
    is_theirs(re.sub(r"<[^>]+>", " ", page.content.decode()), reader.language)


def test_the_reminder_is_written_as_the_client_writes(reader):
    invoice_due(reader, TODAY - dt.timedelta(days=1), "1234.5")
    a_day(reader.company, TODAY)
    (reminder,) = sent_to(reader)
    is_theirs(reminder.subject + reminder.text, reader.language, day=False)
    november = {"en": "17 November 2026", "de": "17. November 2026", "fr": "17 novembre 2026"}[reader.language]
    assert november in words(reminder.text)


def test_a_person_is_written_to_in_their_own_language_not_in_that_of_the_office(company):
    office = make_client(company, "C-9", language="de")
    office.contacts.update(language="fr")
    invoice_due(office, TODAY - dt.timedelta(days=1), "1234.5")
    a_day(company, TODAY)
    is_theirs(sent_to(office)[0].text, "fr", day=False)
