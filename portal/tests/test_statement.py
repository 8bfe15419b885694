"""The statement: nothing of it before the mailed code; all of it behind it, for one client and half an hour."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from clients.models import Contact
from core.models import PaymentMethod
from invoices.models import LinkCode, LinkView, ShareLink
from invoices.services.codes import code_of
from invoices.services.linking import link_for, link_for_statement, link_passed_on, rotate_link, token_of
from outbox.kinds import kind_of
from outbox.models import Message
from payments.models import Checkout
from portal.tests.test_door import everything
from tests.cast import TODAY, make_client, make_invoice, pay

NOON = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
INSIDE = ("pay/", "pdf/", "csv/", "invoices/1/", "receipts/1/", "documents/1/")


@pytest.fixture(autouse=True)
def that_day():
    cache.clear()
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def link(late_client):
    return link_for_statement(late_client, late_client.contacts.get(), timezone.now())


def address(link, token=""):
    return f"/s/{link.pk}/{token or token_of(link)}/"


def opened(link, browser=None):
    """A browser in which somebody has typed the code."""
    browser = browser or Browser()
    browser.post(address(link) + "code/")
    code = LinkCode.objects.filter(link=link).first()
    answer = browser.post(address(link) + "open/", {"code": code_of(code)})
    assert answer.status_code == 303, answer.content
    return browser


def words(answer):
    said = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(said.replace("\u00a0", " ").replace("\u202f", " ").split())


def test_before_the_code_nothing_of_it_is_shown(link, client, late_client):
    invoice = make_invoice(late_client, "777.77")
    page = client.get(address(link))
    assert page.status_code == 200
    assert "777" not in words(page) and str(invoice.number) not in words(page)
    assert "@client.example" not in page.content.decode()
    for path in INSIDE:
        answer = client.get(address(link) + path)
        assert (answer.status_code, answer.headers["Location"]) == (303, address(link)), path
    assert client.post(address(link) + "pay/", {"claim": f"invoice:{invoice.pk}"}).status_code == 303
    assert not Checkout.objects.exists()


def test_the_code_opens_all_that_is_open(link, client, late_client):
    first, second = make_invoice(late_client, "1000", on=TODAY - 40 * DAY), make_invoice(late_client, "250.50")
    make_invoice(late_client, "70", currency="USD")
    pay(late_client, "400", how={f"invoice:{first.pk}": Decimal(400)})
    said = words(opened(link).get(address(link)))
    for part in (
        "Open: €850.50", "Open: $70.00", str(first.number), "€600.00", "of €1,000.00", "10 days overdue",
        str(second.number), "€250.50", "Close the statement on this device",
    ):
        assert part in said, part


def test_a_client_who_owes_nothing_is_thanked(link):
    assert "Nothing is open. Thank you." in words(opened(link).get(address(link)))


def test_the_mail_has_the_code_and_no_link_and_no_invoice(link, client, late_client):
    invoice = make_invoice(late_client, "777.77")
    client.post(address(link) + "code/")
    message = Message.objects.get(kind="link_code")
    mail = kind_of("link_code").compose(message, timezone.now())
    code = code_of(LinkCode.objects.get())
    assert mail.to_addr == "ap@client.example" and code in mail.text and code in mail.html
    assert code not in mail.subject and "/s/" not in mail.text
    assert "777" not in mail.text and str(invoice.number) not in mail.text
    assert code not in str(Message.objects.values()) and code not in str(LinkCode.objects.values())


def test_the_code_is_not_kept_with_the_mail_that_was_sent(link, client, settings):
    from invoices.services.kept_links import with_tokens, without_tokens

    client.post(address(link) + "code/")
    mail = kind_of("link_code").compose(Message.objects.get(), timezone.now())
    code = code_of(LinkCode.objects.get())
    for text in (mail.text, mail.html):
        kept = without_tokens(text)
        assert code not in kept and with_tokens(kept) == text


def test_asking_says_the_same_whether_anybody_can_be_written_to(link, client, good_client):
    Contact.objects.filter(client=good_client).update(email="")
    unknown = link_for_statement(good_client, good_client.contacts.get(), timezone.now())
    answers = [client.post(address(one) + "code/") for one in (link, unknown)]
    assert [answer.status_code for answer in answers] == [303, 303]
    pages = [client.get(answer.headers["Location"]) for answer in answers]
    neutral = [
        re.sub(r'value="[^"]{40,}"', "", page.content.decode()).replace(address(one), "").replace(one.client.name, "")
        for one, page in zip((link, unknown), pages, strict=True)
    ]
    assert neutral[0] == neutral[1]
    assert Message.objects.count() == 1 and LinkCode.objects.count() == 2


def test_one_mail_a_minute_however_often_somebody_asks(link, client, that_day):
    for _ in range(3):
        client.post(address(link) + "code/")
    assert Message.objects.count() == 1
    that_day.shift(dt.timedelta(seconds=61))
    client.post(address(link) + "code/")
    assert Message.objects.count() == 2


def test_a_code_that_ran_out_or_was_replaced_is_not_mailed(link, client, that_day):
    client.post(address(link) + "code/")
    first = Message.objects.get()
    assert kind_of("link_code").may_go(first, timezone.now()) == ""
    assert kind_of("link_code").may_go(first, timezone.now() + dt.timedelta(minutes=10))
    that_day.shift(dt.timedelta(seconds=61))
    client.post(address(link) + "code/")
    assert kind_of("link_code").may_go(first, timezone.now())


def test_wrong_codes_are_refused_in_words_and_the_right_one_after_five_too(link, client):
    client.post(address(link) + "code/")
    right = code_of(LinkCode.objects.get())
    for n in range(5):
        answer = client.post(address(link) + "open/", {"code": f"{(int(right) + n + 1) % 10**6:06d}"})
        assert answer.status_code == 422 and "does not open the statement" in words(answer)
    assert client.post(address(link) + "open/", {"code": right}).status_code == 422
    assert "statement" not in client.cookies


def test_guessing_from_one_address_is_stopped(link, client):
    client.post(address(link) + "code/")
    answers = [client.post(address(link) + "open/", {"code": "0"}).status_code for _ in range(21)]
    assert answers[-1] == 429 and set(answers[:-1]) == {422}


def test_asking_for_codes_from_one_address_is_stopped(link, client):
    answers = [client.post(address(link) + "code/").status_code for _ in range(11)]
    assert answers[-1] == 429


def test_the_cookie_is_for_this_link_this_site_and_no_script(link, settings):
    settings.SESSION_COOKIE_SECURE = True
    cookie = opened(link).cookies["statement"]
    assert cookie["httponly"] and cookie["secure"] and cookie["samesite"] == "Strict"
    assert cookie["path"] == f"/s/{link.pk}/" and cookie["max-age"] == 1800


def test_half_an_hour_later_it_is_shut_whatever_the_browser_keeps(link, that_day, late_client):
    make_invoice(late_client, "777.77")
    browser = opened(link)
    kept = browser.cookies["statement"].value
    that_day.shift(dt.timedelta(minutes=31))
    browser.cookies["statement"] = kept
    assert "777" not in words(browser.get(address(link)))


def test_the_cookie_of_one_statement_opens_no_other(link, good_client, late_client):
    make_invoice(good_client, "888.88")
    other = link_for_statement(good_client, good_client.contacts.get(), timezone.now())
    browser = opened(link)
    stolen = browser.cookies["statement"].value
    for value in (stolen, stolen.replace(f"{link.pk}.", f"{other.pk}.", 1), f"{other.pk}.1", f"{other.pk}.1:x:y"):
        thief = Browser()
        thief.cookies["statement"] = value
        assert "888" not in words(thief.get(address(other))), value


def test_a_new_token_shuts_what_was_opened_under_the_old_one(link, late_client):
    make_invoice(late_client, "777.77")
    browser = opened(link)
    rotate_link(link, by="test", at=timezone.now())
    assert "777" not in words(browser.get(address(link)))


def test_it_is_closed_at_a_click(link, late_client):
    make_invoice(late_client, "777.77")
    browser = opened(link)
    browser.post(address(link) + "close/")
    assert "777" not in words(browser.get(address(link)))


def test_looking_changes_nothing(link, late_client, client):
    make_invoice(late_client)
    browser = opened(link)
    browser.get(address(link) + "invoices/1/")
    before = everything()
    for one in (client, browser):
        for path in ("", "code/", "open/", "close/", "seen/", *INSIDE):
            one.get(address(link) + path)
            one.head(address(link) + path)
    assert everything() == before


def test_the_staff_need_no_code_and_count_as_nobody(link, client, clerk, late_client):
    make_invoice(late_client, "777.77")
    client.force_login(clerk)
    page = client.get(address(link))
    assert "€777.77" in words(page) and b"data-seen" not in page.content
    assert client.post(address(link) + "code/").status_code == 303
    assert not LinkCode.objects.exists() and not LinkView.objects.exists()


def test_from_the_invoice_to_the_statement_and_its_code(late_client, client):
    invoice = make_invoice(late_client)
    make_invoice(late_client, "50")
    one = link_for(invoice, late_client.contacts.get(), timezone.now())
    answer = client.post(f"/i/{one.pk}/{token_of(one)}/statement/")
    theirs = ShareLink.objects.get(kind="statement")
    assert answer.headers["Location"] == address(theirs) + "code/#code"
    assert theirs.contact == one.contact and Message.objects.get().kind == "link_code"


def test_who_got_a_link_passed_on_sees_no_other_invoice_and_no_statement(late_client, client):
    invoice = make_invoice(late_client)
    make_invoice(late_client, "55.55")
    one = link_passed_on(invoice, "jo@client.example", timezone.now())
    at = f"/i/{one.pk}/{token_of(one)}/"
    said = words(client.get(at))
    assert "55.55" not in said and "See all and pay together" not in said and "Forward to a colleague" not in said
    assert client.post(at + "statement/").headers["Location"] == at
    assert not ShareLink.objects.filter(kind="statement").exists() and not Message.objects.exists()


# ── Paying together ─────────────────────────────────────────────────────


@pytest.fixture
def card(company, settings):
    settings.PAYMENT_PROVIDERS = ["sandbox"]
    return PaymentMethod.objects.create(company=company, kind="card", provider="sandbox")


def chosen(*invoices):
    return [f"invoice:{invoice.pk}" for invoice in invoices]


def hidden(page):
    return dict(re.findall(r'type="hidden" name="(key|sum)" value="([^"]*)"', page.content.decode()))


def test_what_is_ticked_is_paid_together(link, late_client, card):
    first, second = make_invoice(late_client, "1000"), make_invoice(late_client, "250.50")
    make_invoice(late_client, "9")
    browser = opened(link)
    page = browser.get(address(link) + "pay/", {"claim": chosen(first, second)})
    assert "Together €1,250.50" in words(page) and f"{first.number} {second.number}" in words(page)
    sent = {"claim": chosen(first, second), **hidden(page)}
    answer = browser.post(address(link) + "pay/", sent)
    assert answer.status_code == 303 and "/sandbox/" in answer.headers["Location"]
    checkout = Checkout.objects.get()
    assert checkout.amount == Decimal("1250.50")
    assert {key: Decimal(amount) for key, amount in checkout.split.items()} == {
        f"invoice:{first.pk}": Decimal("1000"), f"invoice:{second.pk}": Decimal("250.50")
    }
    browser.post(address(link) + "pay/", sent)
    assert Checkout.objects.count() == 1, "the same form again begins nothing more"


def test_claims_of_others_foreign_currencies_and_nonsense_are_nothing(link, late_client, good_client, card):
    own, dollars = make_invoice(late_client, "10"), make_invoice(late_client, "70", currency="USD")
    foreign = make_invoice(good_client, "888.88")
    browser = opened(link)
    keys = [*chosen(own, foreign, dollars), "invoice:99999999999999999999", "charge:1", "payment:1", "", "invoice:x"]
    said = words(browser.get(address(link) + "pay/", {"claim": keys}))
    assert "Together €10.00" in said and "888" not in said and "$70" not in said
    for sent in ({"claim": keys}, {"claim": chosen(foreign)}, {}):
        assert browser.post(address(link) + "pay/", sent).status_code == 422
    assert not Checkout.objects.exists()


def test_a_forged_sum_or_a_sum_that_has_changed_is_shown_again_and_not_charged(link, late_client, card):
    invoice = make_invoice(late_client, "1000")
    browser = opened(link)
    shown = hidden(browser.get(address(link) + "pay/", {"claim": chosen(invoice)}))
    forged = {"claim": chosen(invoice), "key": shown["key"], "sum": f"invoice:{invoice.pk}=1", "amount": "1"}
    assert browser.post(address(link) + "pay/", forged).status_code == 422
    pay(late_client, "400", how={f"invoice:{invoice.pk}": Decimal(400)})
    answer = browser.post(address(link) + "pay/", {"claim": chosen(invoice), **shown})
    assert answer.status_code == 422 and "€600.00" in words(answer)
    assert not Checkout.objects.exists()


def test_files_of_others_are_not_there(link, late_client, good_client):
    foreign = make_invoice(good_client)
    browser = opened(link)
    assert browser.get(address(link) + f"invoices/{foreign.pk}/").status_code == 404
    assert browser.get(address(link) + "invoices/99999999999999999999999/").status_code == 404
    own = make_invoice(late_client)
    answer = browser.get(address(link) + f"invoices/{own.pk}/")
    assert answer.status_code == 200 and b"".join(answer).startswith(b"%PDF")


def test_the_table_for_their_books(link, late_client):
    invoice = make_invoice(late_client, "1000")
    answer = opened(link).get(address(link) + "csv/")
    assert answer["Content-Disposition"].startswith("attachment")
    rows = answer.content.decode().splitlines()
    assert rows[0] == "document,kind,issued,due,currency,total,open"
    assert rows[1] == f"{invoice.number},invoice,2026-11-18,2026-12-18,EUR,1000.00,1000.00"


@pytest.mark.parametrize(("language", "word"), [("de", "Kontoauszug"), ("fr", "relevé")])
def test_it_speaks_the_readers_language(company, client, language, word):
    reader = make_client(company, "C-77", language=language)
    make_invoice(reader)
    link = link_for_statement(reader, reader.contacts.get(), timezone.now())
    assert word in words(client.get(address(link)))
    assert word in words(opened(link).get(address(link)))


def test_a_link_that_ran_out_is_asked_for_anew_by_mail_to_the_address_on_file(link, client):
    at = address(link)
    ShareLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())
    assert client.get(at).status_code == 404
    assert client.post(at).content == client.post(address(link, "x" * 43)).content
    message = Message.objects.get(kind="page_link")
    mail = kind_of("page_link").compose(message, timezone.now())
    assert mail.to_addr == "ap@client.example" and at in mail.text
    assert client.get(at).status_code == 200, "the mail renewed it"
