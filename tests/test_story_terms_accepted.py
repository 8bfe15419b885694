"""Acceptance: «firm policies, told in advance». The terms are published, sent, read, accepted, and named on invoices.

«The credit terms in versions, sent and accepted by signed link (who, when, which version), shown on invoices and in
the portal; clients without acceptance are a list.»
"""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from ar_collections.services.terms_sending import send_terms, send_terms_to_all
from audit.models import Event
from clients.models import Acceptance
from clients.services.accepting import acceptance_of, record_acceptance_on_paper
from core.errors import Refused
from invoices.documents import invoice_document
from outbox.kinds import kind_of
from outbox.models import Message
from policies.credit_terms import new_terms_version, publish_shipped_terms, shipped_terms
from reports.acceptances import clients_without_acceptance
from tests.cast import CLERK, make_client, make_invoice

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()
LATER = TODAY + dt.timedelta(days=30)


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


def link_in(message):
    return "/t/" + re.search(r"/t/(\d+/[\w-]{43}/)", kind_of("credit_terms").compose(message, timezone.now()).text)[1]


def names(company, on=TODAY, **which):
    return [client.name for client in clients_without_acceptance(company, on, **which)]


def test_from_publishing_to_acceptance(company, late_client, good_client):
    # Before anything is published there is nothing to accept, and invoices name nothing.
    assert names(company) == []
    before = make_invoice(late_client, on=TODAY - dt.timedelta(days=1))
    with pytest.raises(Refused, match="No credit terms are published yet"):
        send_terms(late_client, on=TODAY, by=CLERK)

    terms = publish_shipped_terms(company, on=TODAY, by=CLERK)
    assert names(company) == ["Harbour Lane Coffee", "Osprey Logistics"]

    # They are sent to everybody; again, to nobody twice.
    sent = send_terms_to_all(company, on=TODAY, by=CLERK)
    assert len(sent.messages) == 2 and not sent.left_out
    assert not send_terms_to_all(company, on=TODAY, by=CLERK).messages
    assert {row.sent_on for row in clients_without_acceptance(company, TODAY)} == {TODAY}

    # The mail brings a link and the text; the client reads, writes a name, ticks, accepts.
    message = Message.objects.get(party=f"client:{late_client.pk}")
    mail = kind_of("credit_terms").compose(message, timezone.now())
    assert mail.subject == "Credit terms of Lumen & Oak Studio: please read and accept"
    assert mail.attachments[0][0] == f"credit-terms-{TODAY.isoformat()}.pdf"
    assert mail.attachments[0][2].startswith(b"%PDF")
    browser = Browser()
    browser.get(link_in(message))
    browser.post(link_in(message) + "seen/")
    assert [row.seen_at is not None for row in clients_without_acceptance(company, TODAY)] == [True, False]
    browser.post(link_in(message) + "accept/", {"accepted_by": "Mara Winter", "agrees": "on"})

    kept = acceptance_of(late_client, TODAY)
    assert (kept.accepted_by, kept.terms, kept.way) == ("Mara Winter", terms, "link")
    assert Event.objects.get(action="terms_accepted").client_id == late_client.pk
    assert names(company) == ["Osprey Logistics"]

    # An invoice names them for good; the one from before names none.
    invoice = make_invoice(late_client, on=TODAY)
    assert invoice.frozen["credit_terms"]["id"] == terms.pk
    assert invoice_document(invoice).credit_terms.startswith("Terms that apply: Credit terms of ")
    assert invoice_document(before).credit_terms == "" and "credit_terms" not in before.frozen
    new_terms_version(company, shipped_terms() | {"title_en": "New"}, effective_from=LATER, on=TODAY, by=CLERK)
    assert "New" not in invoice_document(invoice).credit_terms


def test_a_later_version_is_told_before_it_begins_and_accepted_anew(company, late_client):
    first = publish_shipped_terms(company, on=TODAY, by=CLERK)
    signed = record_acceptance_on_paper(
        late_client, first, accepted_by="Mara Winter", accepted_on=TODAY - dt.timedelta(days=2), on=TODAY, by=CLERK
    )
    assert (signed.way, signed.recorded_by) == ("paper", CLERK) and names(company) == []
    with pytest.raises(Refused, match="has accepted these terms already"):
        send_terms(late_client, on=TODAY, by=CLERK)

    second = new_terms_version(company, shipped_terms(), effective_from=LATER, on=TODAY, by=CLERK)
    (row,) = clients_without_acceptance(company, TODAY)
    assert row.accepted_earlier == first.effective_from
    assert names(company, terms=first) == []
    message = send_terms(late_client, on=TODAY, by=CLERK)
    mail = kind_of("credit_terms").compose(message, timezone.now())
    assert "these are the terms on which we sell to you" in mail.text and mail.text.count("From ") == 1
    page = Browser().get(link_in(message)).content.decode()
    assert "These terms begin on" in page
    Browser().post(link_in(message) + "accept/", {"accepted_by": "Mara Winter", "agrees": "on"})
    assert acceptance_of(late_client, TODAY).terms == first
    assert acceptance_of(late_client, LATER).terms == second
    with pytest.raises(Refused, match="later version has taken the place"):
        send_terms(late_client, terms=first, on=LATER, by=CLERK)


def test_who_cannot_be_written_to_is_named_and_waiting_mail_is_not_doubled(company, late_client):
    publish_shipped_terms(company, on=TODAY, by=CLERK)
    make_client(company, "C-9", name="Nobody There", email=None)
    sent = send_terms_to_all(company, on=TODAY, by=CLERK)
    assert [client.name for client, _why in sent.left_out] == ["Nobody There"]
    assert "add a contact" in sent.left_out[0][1]
    assert send_terms(late_client, on=TODAY, by=CLERK) == sent.messages[0]
    assert [row.can_be_written_to for row in clients_without_acceptance(company, TODAY)] == [True, False]


def test_terms_accepted_while_the_mail_waits_are_not_sent(company, late_client):
    terms = publish_shipped_terms(company, on=TODAY, by=CLERK)
    message = send_terms(late_client, on=TODAY, by=CLERK)
    record_acceptance_on_paper(late_client, terms, accepted_by="M", accepted_on=TODAY, on=TODAY, by=CLERK)
    assert "has accepted" in kind_of("credit_terms").may_go(message, timezone.now())


def test_an_acceptance_is_refused_without_a_name_for_foreign_terms_and_for_a_day_to_come(company, late_client):
    terms = publish_shipped_terms(company, on=TODAY, by=CLERK)
    paper = {"accepted_by": "M", "accepted_on": TODAY, "on": TODAY, "by": CLERK}
    for wrong, where in (
        ({"accepted_by": "  "}, "accepted_by"), ({"accepted_on": LATER}, "accepted_on"),
        ({"contact": make_client(company, "C-9").contacts.get()}, "contact"),
    ):
        with pytest.raises(Refused) as refused:
            record_acceptance_on_paper(late_client, terms, **(paper | wrong))
        assert refused.value.where == where
    assert not Acceptance.objects.exists()


@pytest.mark.parametrize(
    ("language", "subject", "line"),
    [
        ("de", "Zahlungs- und Kreditbedingungen von Lumen & Oak Studio: bitte lesen und annehmen", "Es gelten: "),
        ("fr", "Conditions de paiement et de crédit de Lumen & Oak Studio : à lire et à accepter", "Conditions app"),
    ],
)
def test_mail_page_and_invoice_speak_the_clients_language(company, language, subject, line):
    publish_shipped_terms(company, on=TODAY, by=CLERK)
    client = make_client(company, "C-9", language=language)
    mail = kind_of("credit_terms").compose(send_terms(client, on=TODAY, by=CLERK), timezone.now())
    assert mail.subject == subject and "Hello" not in mail.text
    invoice = make_invoice(client, on=TODAY)
    assert invoice_document(invoice).credit_terms.startswith(line)
