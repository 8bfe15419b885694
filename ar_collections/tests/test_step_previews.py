"""The words of reminders in the admin: begun from those shipped, refused at the field, tried, sent to oneself, kept."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from ar_collections.models import Served
from ar_collections.step_previews import StepPreviews
from core.errors import Refused
from core.services import today
from invoices.models import ShareLink
from outbox.models import Message
from outbox.services import deliver
from policies.models import StepText
from policies.services import policy_of, save_step_text
from policies.services.step_texts import check_step_text
from tests.cast import invoice_due, make_client, make_manager
from tests.collecting import a_day, sent_to

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)  # a Wednesday
NOW = dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC)


@pytest.fixture
def browser(company) -> Browser:
    user = make_manager()
    User.objects.filter(pk=user.pk).update(email="vera@lumenoak.example")
    browser = Browser()
    browser.force_login(User.objects.get(pk=user.pk))
    return browser


def address(step: str = "reminder_1", tone: str = "plain", language: str = "en") -> str:
    asked = {"policy": "standard", "words": f"{step}|{tone}", "language": language}
    return f"/admin/policies/steptext/write/?{urlencode(asked)}"


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_the_words_shipped_pass_their_own_check_for_every_step(company, language):
    policy = policy_of(company, ON)
    for step in (step for step in policy.steps.all() if step.sends_mail):
        text = StepText(policy_name="standard", step=step.code, tone=step.tone, language=language)
        subject, words = StepPreviews().shipped(policy, text)
        assert "{{ total }}" in subject + words and "%" not in words
        check_step_text("standard", step.code, step.tone, language, subject, words, on=ON)


def test_the_page_begins_with_the_words_that_hold_and_keeps_what_is_written(browser):
    page = browser.get(address()).content.decode()
    assert "{{ total }} is overdue since {{ due }}." in page and "The words shipped hold" in page
    answer = browser.post(address(), {"subject": "About {{ total }}", "text": "It is late.", "client": "", "save": "1"})
    assert answer.status_code == 302
    row = StepText.objects.get()
    assert (row.step, row.tone, row.language, row.subject, row.made_by) == (
        "reminder_1", "plain", "en", "About {{ total }}", "Vera",
    )
    page = browser.get(address()).content.decode()
    assert "It is late." in page and "Our own words hold" in page
    browser.post(address(), {"reset": "1"})
    assert "The words shipped hold" in browser.get(address()).content.decode()


def test_words_left_as_shipped_are_not_kept_as_our_own(browser, company):
    policy = policy_of(company, ON)
    subject, text = StepPreviews().shipped(policy, StepText(step="reminder_1", tone="plain", language="en"))
    browser.post(address(), {"subject": "Mine", "text": text.replace("\n", "\r\n"), "client": "", "save": "1"})
    row = StepText.objects.get()
    assert (row.subject, row.text) == ("Mine", "") and subject != "Mine"


def test_what_is_refused_is_said_at_the_field_and_what_was_written_stays(browser):
    answer = browser.post(address(), {"subject": "Last chance", "text": "Pay {{ totl }}.", "client": "", "save": "1"})
    page = answer.content.decode()
    assert "did you mean “{{ total }}”?" in page and "Pay {{ totl }}." in page
    assert not StepText.objects.exists()
    page = browser.post(address(), {"subject": "Last chance", "text": "", "client": "", "try": "1"}).content.decode()
    assert "“Last chance” cannot be said" in page


def test_the_preview_shows_made_up_data_as_mail_and_letter_and_keeps_nothing(browser):
    given = {"subject": "About {{ number }}", "text": "Dear <b>{{ contact }}</b>", "client": "", "try": "1"}
    page = browser.post(address("final_notice", "formal"), given, follow=True).content.decode()
    assert "About LO-20" in page
    query = address("final_notice", "formal").partition("?")[2]
    mail = browser.get(f"/admin/policies/steptext/mail/?{query}")
    assert "Dear &lt;b&gt;Mara Winter&lt;/b&gt;" in mail.content.decode(), "what is written is text, never markup"
    assert "LO-2041" in mail.content.decode() and "'unsafe-inline'" in mail["Content-Security-Policy"]
    letter = browser.get(f"/admin/policies/steptext/letter/?{query}")
    assert letter.content.startswith(b"%PDF")
    assert not StepText.objects.exists() and not Message.objects.exists() and not ShareLink.objects.exists()


def test_the_preview_on_a_client_shows_what_it_owes_today(browser, late_client):
    on = today(late_client.company)
    invoice = invoice_due(late_client, on - dt.timedelta(days=9), "321")
    given: dict[str, Any] = {"subject": "", "text": "{{ client }} owes {{ total }} for {{ numbers }}."}
    browser.post(address(), {**given, "client": str(late_client.pk), "try": "1"})
    mail = browser.get(f"/admin/policies/steptext/mail/?{address().partition('?')[2]}").content.decode()
    assert f"{late_client.name} owes €321.00 for {invoice}." in mail
    assert not Served.objects.exists() and not ShareLink.objects.exists()


def test_a_test_goes_to_whoever_asks_and_is_no_message_to_the_client(browser, late_client):
    invoice_due(late_client, today(late_client.company) - dt.timedelta(days=9), "321")
    given = {"subject": "About {{ total }}", "text": "Hello.", "client": str(late_client.pk), "test": "1"}
    browser.post(address("reminder_2", "firm"), given)
    (message,) = Message.objects.all()
    deliver(timezone.now() + dt.timedelta(minutes=1))
    message.refresh_from_db()
    assert (message.state, message.to_addr, message.cc_addr) == ("sent", "vera@lumenoak.example", "")
    assert message.subject == "Test: About €321.00" and "This is a test." in message.text
    assert message.attachments[0]["name"].startswith("letter-")
    assert not Served.objects.exists() and message.party == ""


def test_own_words_reach_the_mail_in_the_language_they_are_written_for(company, late_client):
    """And neither a name nor a number of the client's can put anything else into it."""
    save_step_text(
        "standard", "first_overdue", "friendly", "en", "{{ client }}: {{ total }}", "Hello {{ client }}.", on=ON, by="v"
    )
    late_client.name = "Evil {{ total }}\r\nBcc: eve@evil.test <script>x</script>"
    late_client.save()
    german = make_client(company, "D-1", language="de", email="de@client.example")
    for client in (late_client, german):
        invoice_due(client, ON - dt.timedelta(days=1))
    a_day(company, ON)
    (english,) = sent_to(late_client)
    assert english.subject.startswith("Evil {{ total }} Bcc: eve@evil.test") and "\n" not in english.subject
    assert "<script>" not in english.html and "&lt;script&gt;" in english.html
    assert "fällig" in sent_to(german)[0].text, "German keeps the words shipped"


def test_a_notice_stands_in_the_message_whatever_the_own_words_leave_out(company, late_client):
    save_step_text("standard", "reissue", "firm", "en", "", "The invoice is attached.", on=ON, by="v")
    Served.objects.create(invoice=(invoice := invoice_due(late_client, ON - dt.timedelta(days=31))), step="reminder_2",
                          channel="letter", on=ON - dt.timedelta(days=9))  # fmt: skip
    a_day(company, ON)
    (message,) = sent_to(late_client)
    assert "The invoice is attached." in message.text and "interest is charged from that day" in message.text
    assert "Please pay by" in message.text and invoice.interest_notices.get().interest_from == ON + dt.timedelta(days=7)


def test_who_may_not_write_words_does_not_see_the_page(company):
    clerk = User.objects.create_user("clerk", password="x", is_staff=True)
    browser = Browser()
    browser.force_login(clerk)
    assert browser.get(address()).status_code == 403


def test_what_cannot_be_shown_is_said_in_its_place(browser, late_client):
    """The client it is tried on owes nothing (any more)."""
    invoice_due(late_client, today(late_client.company) - dt.timedelta(days=9), "321")
    browser.post(address(), {"subject": "", "text": "Hello.", "client": str(late_client.pk), "try": "1"})
    session = browser.session
    owes_nothing = make_client(late_client.company, "C-9")
    session["step_text_draft"] = session["step_text_draft"] | {"client": str(owes_nothing.pk)}
    session.save()
    for page in ("mail", "letter"):
        answer = browser.get(f"/admin/policies/steptext/{page}/?{address().partition('?')[2]}")
        assert answer.status_code == 422 and "There is nothing to remind" in answer.content.decode()


def test_words_given_back_where_none_may_stand_are_refused_on_the_page(browser, monkeypatch):
    def refuse(*_args: Any, **_more: Any) -> None:
        raise Refused("The step “reminder_1” is firm; choose that tone.", where="tone")

    monkeypatch.setattr("policies.admin_step_texts.save_step_text", refuse)
    page = browser.post(address(), {"reset": "1"}, follow=True)
    assert page.status_code == 200 and "choose that tone" in page.content.decode()
