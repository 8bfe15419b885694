"""The client's page of a pro forma: as private as an invoice's, and plain about what it is."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.cache import cache
from django.utils import timezone

from core.services import today
from invoices.models import LinkView, ShareLink
from invoices.services.linking import link_for_pro_forma, revoke_link, rotate_link, token_of
from invoices.services.pro_forma import cancel_pro_forma, make_pro_forma, send_pro_forma
from outbox.models import Message
from tests.cast import CLERK, make_client, make_draft, pay

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def pro_forma(late_client):
    on = today(late_client.company)
    return make_pro_forma(make_draft(late_client), on + dt.timedelta(days=14), on=on, by=CLERK)


@pytest.fixture
def link(pro_forma):
    return link_for_pro_forma(pro_forma, pro_forma.invoice.client.contacts.get(), timezone.now())


def address(link, token=None):
    return f"/p/{link.pk}/{token or token_of(link)}/"


def read(client, at):
    answer = client.get(at)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().replace("\u00a0", " ").split())


def test_it_says_what_it_is_how_much_until_when_and_how_to_pay(client, link, pro_forma):
    words = read(client, address(link))
    for part in (
        "Pro forma LO-PF-", "€1,000.00", "Please pay within 14 days — by", "not an invoice", "marked as paid",
        "DE89 3704 0044 0532 0130 00", "Interface design", "private link for Harbour Lane Coffee",
    ):
        assert part in words, part
    assert pro_forma.frozen["reference"] in words.replace(" ", "")


@pytest.mark.parametrize(("language", "part"), [("de", "keine Rechnung"), ("fr", "n’est pas une facture")])
def test_in_the_readers_language(client, link, language, part):
    assert part in read(client, f"{address(link)}?lang={language}")


def test_its_pdf_is_the_one_of_the_mail(client, link):
    answer = client.get(address(link) + "pdf/")
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    assert 'filename="LO-PF-' in answer["Content-Disposition"]


def test_part_of_it_paid_it_asks_for_the_rest(client, link, pro_forma):
    pay(pro_forma.invoice.client, "400", on=pro_forma.made_on, pro_forma=pro_forma)
    words = read(client, address(link))
    assert "Still to pay" in words and "€600.00" in words and "€400.00" in words


def test_paid_it_names_the_invoice_and_asks_for_nothing(client, link, pro_forma):
    pay(pro_forma.invoice.client, "1000", on=pro_forma.made_on, pro_forma=pro_forma)
    words = read(client, address(link))
    pro_forma.invoice.refresh_from_db()
    assert f"It became the invoice {pro_forma.invoice.number}" in words and "DE89" not in words


def test_cancelled_it_says_so_and_hands_out_no_paper(client, link, pro_forma):
    cancel_pro_forma(pro_forma, "Changed their mind", on=pro_forma.made_on, by=CLERK)
    words = read(client, address(link))
    assert "Please do not pay it" in words and "DE89" not in words
    assert client.get(address(link) + "pdf/").status_code == 303


def test_made_anew_it_is_found_under_the_old_address(client, link, pro_forma):
    cancel_pro_forma(pro_forma, "A later day", on=pro_forma.made_on, by=CLERK)
    anew = make_pro_forma(pro_forma.invoice, pro_forma.pay_by + dt.timedelta(days=7), on=pro_forma.made_on, by=CLERK)
    assert anew.number in read(client, address(link))


def test_links_that_do_not_open_show_one_and_the_same_page_and_leave_nothing(client, link, company):
    other_draft = make_draft(make_client(company, "C-9"))
    on = today(company)
    other = link_for_pro_forma(make_pro_forma(other_draft, on, on=on, by=CLERK), None, timezone.now())
    wrong, unknown = address(link, "x" * 43), f"/p/987654321/{token_of(link)}/"
    foreign, as_invoice = address(link, token_of(other)), f"/i/{link.pk}/{token_of(link)}/"
    replaced = address(link)
    rotate_link(link, by=CLERK, at=timezone.now())
    revoked = address(other)
    revoke_link(other, by=CLERK, at=timezone.now())
    answers = [client.get(at) for at in (wrong, unknown, foreign, as_invoice, replaced, revoked)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert not LinkView.objects.exists()


def test_it_is_private_and_a_look_counts_once_from_a_browser_and_never_from_staff(client, link, clerk):
    answer = client.get(address(link))
    assert answer["Cache-Control"] == "private, no-store" and answer["X-Robots-Tag"] == "noindex, nofollow"
    assert not LinkView.objects.exists(), "a scanner follows links; a GET is no look"
    client.post(address(link) + "seen/")
    client.post(address(link) + "seen/")
    assert LinkView.objects.count() == 1
    client.force_login(clerk)
    assert "signed in as staff" in read(client, address(link))
    ShareLink.objects.update(last_seen_at=None)
    client.post(address(link) + "seen/")
    assert LinkView.objects.count() == 1


def test_an_expired_link_can_be_asked_for_again_at_the_address_on_file(client, link, pro_forma):
    send_pro_forma(pro_forma, on=pro_forma.made_on, by=CLERK)
    ShareLink.objects.update(expires_at=timezone.now())
    assert client.get(address(link)).status_code == 404
    for _ in range(2):
        assert b"on its way" in client.post(address(link)).content
    assert Message.objects.filter(kind="pro_forma", key=f"new_link:{link.pk}:{pro_forma.made_on}").count() == 1
