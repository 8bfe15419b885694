"""What the client's page says: in every state, in every language, and nothing that is not so."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from ar_collections.models import Promise, Served
from core.models import Company
from disputes.services import open_dispute
from invoices.models import Intake
from invoices.services.drafting import Heading, LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice, void_invoice
from invoices.services.linking import link_for, token_of
from policies.models import CompanyPolicy
from policies.services import policy_of
from portal.pages import next_reminder
from tests.cast import CLERK, TODAY, make_client, make_invoice, pay

NOON = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def that_day():
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        yield


def text_of(client, invoice, query="", path="", expect=200):
    """The words of the page, spaces made plain."""
    link = link_for(invoice, invoice.client.contacts.first(), timezone.now())
    answer = client.get(f"/i/{link.pk}/{token_of(link)}/{path}{query}")
    assert answer.status_code == expect
    said = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(said.replace("\u00a0", " ").replace("\u202f", " ").replace("&nbsp;", " ").split())


def test_an_open_invoice_says_what_by_when_and_how(client, late_client):
    said = text_of(client, make_invoice(late_client, "5748.89", po_number="PO-88213"))
    for part in (
        "€5,748.89", "Due in 30 days — by 18 December 2026", "DE89 3704 0044 0532 0130 00", "COBADEFFXXX",
        "PO-88213", "Issued 18 November 2026", "Due 18 December 2026", "Paying from another device?",
        "I have already paid", "I will pay on …", "Something is wrong", "I need a plan",
        "billing@lumenoak.example", "Our bank details never change by e-mail",
    ):
        assert part in said, part
    assert said.index("DE89 3704") < said.index("Recipient")


def test_the_words_follow_the_day(client, late_client):
    invoice = make_invoice(late_client, on=TODAY - 38 * DAY)
    assert "8 days overdue — was due on 10 November 2026" in text_of(client, invoice)
    assert "Due today — 18 November 2026" in text_of(client, make_invoice(late_client, on=TODAY - 30 * DAY))


def test_part_paid_shows_the_rest_and_what_was_paid(client, late_client):
    invoice = make_invoice(late_client, "1000")
    pay(late_client, "400")
    invoice.refresh_from_db()
    said = text_of(client, invoice)
    assert "Still to pay €600.00" in said and "of €1,000.00" in said and "-€400.00" in said
    assert "Pay €600.00" in said


def test_paid_thanks_and_asks_for_nothing(client, late_client):
    invoice = make_invoice(late_client, "1000")
    pay(late_client, "1000")
    invoice.refresh_from_db()
    said = text_of(client, invoice)
    assert "Paid €1,000.00" in said and "Thank you." in said
    for gone in ("IBAN", "I have already paid", "I will pay on", "What happens next", "Pay €"):
        assert gone not in said, gone


def test_void_says_cancelled_and_shows_no_document(client, late_client):
    invoice = void_invoice(make_invoice(late_client, "1000"), reason="Wrong client", on=TODAY, by=CLERK)
    said = text_of(client, invoice)
    assert "This invoice was cancelled. There is nothing to pay." in said
    assert "Interface design" not in said and "IBAN" not in said and "PDF" not in said
    text_of(client, invoice, path="pdf/", expect=303)


def test_disputed_says_so_and_that_reminders_wait(client, late_client):
    invoice = make_invoice(late_client, "1000")
    open_dispute(invoice, reason="price", text="too much", on=TODAY, by="client")
    said = text_of(client, invoice)
    assert "You told us that something is wrong: price or amount. Somebody looks at it and answers you." in said
    assert "Until then we send no reminders about this invoice." in said


def test_where_only_a_part_is_disputed_the_page_promises_no_silence(client, late_client):
    """The rest of the invoice is chased on, so the page may not say otherwise."""
    invoice = make_invoice(late_client, "1000")
    open_dispute(invoice, reason="price", text="", amount=Decimal("100"), on=TODAY, by="client")
    assert "Until then we send no reminders" not in text_of(client, invoice)


def test_an_item_taken_over_offers_its_statement(client, late_client):
    draft = draft_invoice(late_client, [LineDraft("Open item 4711", Decimal(1), Decimal(250))], by=CLERK)
    draft.intake = Intake.objects.create(company=late_client.company, source="book.csv", taken_by=CLERK)
    draft.save()
    invoice = issue_invoice(draft, on=TODAY, by=CLERK)
    said = text_of(client, invoice)
    assert "€250.00" in said and "1 × " not in said
    link = link_for(invoice, late_client.contacts.get(), timezone.now())
    answer = client.get(f"/i/{link.pk}/{token_of(link)}/pdf/")
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")


def test_the_pdf_comes_under_the_number_of_the_invoice(client, late_client):
    invoice = make_invoice(late_client)
    link = link_for(invoice, None, timezone.now())
    answer = client.get(f"/i/{link.pk}/{token_of(link)}/pdf/")
    assert answer["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'


def test_other_open_invoices_are_a_number_and_a_sum_per_currency(client, late_client):
    invoice = make_invoice(late_client, "1000")
    assert "Also open with us" not in text_of(client, invoice)
    for amount in ("100", "50"):
        make_invoice(late_client, amount)
    make_invoice(late_client, "70", currency="USD")
    paid = make_invoice(late_client, "9")
    pay(late_client, "9", how="exact")
    said = text_of(client, invoice)
    assert "2 other invoices are open: €150.00" in said and "1 other invoice is open: $70.00" in said
    assert str(paid.number) not in said


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ["Zu zahlen", "5.748,89 €", "Fällig in 30 Tagen — bis zum 18. Dezember 2026", "Ich zahle am …"]),
        ("fr", ["Montant à payer", "5 748,89 €", "À payer sous 30 jours — au plus tard le 18 décembre 2026"]),
    ],
)
def test_the_page_is_in_the_clients_language(client, company, language, words):
    invoice = make_invoice(make_client(company, language=language), "5748.89")
    said = text_of(client, invoice)
    for word in words:
        assert word in said, word
    assert "Amount due" in text_of(client, invoice, query="?lang=en")
    assert "Amount due" not in text_of(client, invoice, query="?lang=xx")


def test_the_contacts_language_comes_before_the_clients(client, company):
    buyer = make_client(company, language="de")
    buyer.contacts.update(language="fr")
    assert "Montant à payer" in text_of(client, make_invoice(buyer))


def test_how_long_a_promise_may_be_is_the_policys(client, late_client):
    """14 days after the due date, as the standard policy says."""
    assert "Up to 1 January 2027; we send no reminders until then" in text_of(client, make_invoice(late_client))
    overdue = make_invoice(late_client, on=TODAY - 60 * DAY)
    assert "Up to 2 December 2026" in text_of(client, overdue)
    for _ in range(2):
        Promise.objects.create(
            client=late_client, invoice=overdue, amount=Decimal(1), currency="EUR", promised_for=TODAY,
            pauses_until=TODAY, made_on=TODAY, made_by="client", by_client=True, withdrawn_on=TODAY,
        )
    said = text_of(client, overdue)
    assert "Another day needs a word with us" in said and "Send this date" not in said


def test_what_happens_next_names_the_next_step_of_the_ladder(client, late_client):
    said = text_of(client, make_invoice(late_client))
    assert "If nothing happens, we remind you on 11 December 2026 or soon after." in said
    assert "On what is unpaid after 18 December 2026 we may charge interest of 12% a year." in said


def test_the_next_reminder_is_the_first_one_not_yet_sent(late_client, company):
    policy = policy_of(company, TODAY)
    invoice = make_invoice(late_client, on=TODAY - 35 * DAY)  # due five days ago: one day late was four days ago
    assert next_reminder(invoice, policy, TODAY) == TODAY
    Served.objects.create(invoice=invoice, step="first_overdue", channel="mail", on=TODAY - 4 * DAY)
    assert next_reminder(invoice, policy, TODAY) == TODAY + 5 * DAY, "day 8 is a Saturday"


def test_a_rate_of_nothing_is_not_spoken_of(client, late_client):
    late_client.terms.late_percent = 0
    late_client.terms.save()
    assert "interest" not in text_of(client, make_invoice(late_client))


def test_a_company_without_a_policy_still_has_a_page(client, late_client):
    CompanyPolicy.objects.all().delete()
    said = text_of(client, make_invoice(late_client))
    assert "Amount due" in said and "we remind you" not in said


NASTY = '<script>alert(1)</script><img src=x onerror=alert(1)>"\'></td>{{ 7|add:7 }}{% now "Y" %}'


def test_whatever_people_wrote_is_shown_as_they_wrote_it(client, company):
    """Every text of client, company, contact, lines and note; none of it becomes markup."""
    Company.objects.update(name=NASTY, legal_name=NASTY, tagline=NASTY, register_entry=NASTY, phone=NASTY[:40])
    company.refresh_from_db()
    company.payment_methods.update(instructions=NASTY)
    company.bank_accounts.update(holder=NASTY, bank_name=NASTY)
    buyer = make_client(company, "C-9", name=NASTY, legal_name=NASTY, street=NASTY, city=NASTY, tax_number=NASTY[:40])
    buyer.contacts.update(name=NASTY, department=NASTY[:80])
    line = LineDraft(NASTY, Decimal(1), Decimal(100), detail=NASTY, unit="<b>")
    draft = draft_invoice(buyer, [line], heading=Heading(note=NASTY, po_number=NASTY[:80]), by=CLERK)
    invoice = issue_invoice(draft, on=TODAY, by=CLERK)
    open_dispute(invoice, reason="other", text=NASTY, on=TODAY, by="client")
    link = link_for(invoice, buyer.contacts.first(), timezone.now())
    page = client.get(f"/i/{link.pk}/{token_of(link)}/").content.decode()
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6
    assert re.findall(r"<script[^>]*>", page) == ['<script src="/static/js/client.js" defer>']
    assert not re.findall(r"<[^>]+\son\w+\s*=", page)
    assert "{{ 7|add:7 }}" in page
