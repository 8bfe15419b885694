"""The client's page in a real browser: accessible in every state and size, working without JavaScript."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from ar_collections.models import ContactLog, Promise
from disputes.services import open_dispute
from invoices.models import LinkView
from invoices.services.linking import link_for, token_of
from tests.cast import make_client, make_invoice, pay
from tests.test_look import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


def path_of(invoice: Any) -> str:
    link = link_for(invoice, invoice.client.contacts.get(), timezone.now())
    return f"/i/{link.pk}/{token_of(link)}/"


@pytest.mark.once
def test_every_state_is_accessible_fits_and_obeys_the_content_security_policy(page, company, late_client):
    today = timezone.now().astimezone(company.zone).date()
    open_one = make_invoice(late_client, "5748.89", on=today, tax="19", po_number="PO-88213")
    overdue = make_invoice(late_client, "1000", on=today - 45 * DAY)
    pay(late_client, "300", how={f"invoice:{overdue.pk}": Decimal(300)}, on=today)
    paid = make_invoice(late_client, "70", on=today)
    pay(late_client, "70", how={f"invoice:{paid.pk}": Decimal(70)}, on=today)
    german = make_client(company, "C-3", language="de", name="Speicherstadt Kaffeerösterei GmbH & Co. KG")
    disputed = make_invoice(german)
    open_dispute(disputed, reason="price", text="Zu teuer", on=today, by="client")
    french = make_invoice(make_client(company, "C-4", language="fr"), "12345678.90", on=today)
    addresses = [path_of(invoice) for invoice in (open_one, overdue, paid, disputed, french)]
    addresses += [addresses[0] + "paid/", addresses[0] + "query/", f"/i/1/{'x' * 43}/"]
    assert [line for address in addresses for line in check(page, address)] == []


def test_a_refused_answer_is_accessible_and_in_sight(page, company, late_client):
    today = timezone.now().astimezone(company.zone).date()
    address = path_of(make_invoice(late_client, on=today))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    page.click("#promise summary")
    page.fill("#promise_promised_for", (today + 400 * DAY).isoformat())
    page.click("#promise form button")
    assert page.locator("#promise [role=alert]").inner_text().startswith("This was not sent:")
    top = page.evaluate("document.querySelector('#promise [role=alert]').getBoundingClientRect().top")
    assert 0 <= top < 844
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.input_value("#promise_promised_for") == (today + 400 * DAY).isoformat()


@pytest.mark.parametrize("scripts", [False, True], ids=["without JavaScript", "with JavaScript"])
def test_a_promise_from_a_telephone(browser, live_server, company, late_client, scripts):
    """The whole way: the page sends no referrer, so the browser posts «Origin: null», and the form still arrives."""
    today = timezone.now().astimezone(company.zone).date()
    invoice = make_invoice(late_client, on=today)
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, java_script_enabled=scripts
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(path_of(invoice))
    page.click("#promise summary")
    page.fill("#promise_promised_for", (today + 33 * DAY).isoformat())
    page.click("#promise form button")
    page.wait_for_url("**/#told")
    assert page.locator("#told").inner_text().count("We send no reminders about this invoice") == 1
    context.close()
    assert Promise.objects.get().promised_for == today + 33 * DAY
    assert ContactLog.objects.get().outcome == "promised"


def test_it_counts_as_seen_when_a_browser_shows_it_but_not_to_us(page, live_server, late_client, clerk, client):
    address = path_of(make_invoice(late_client))
    page.goto(address)
    assert not LinkView.objects.exists()
    with page.expect_response(lambda answer: answer.url.endswith("/seen/") and answer.status == 204):
        pass
    assert LinkView.objects.count() == 1
    client.force_login(clerk)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(path_of(make_invoice(late_client)))
    page.wait_for_timeout(2_500)
    assert LinkView.objects.count() == 1


def test_the_iban_is_copied_first_and_the_code_waits_on_a_telephone(page, live_server, late_client):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path_of(make_invoice(late_client)))
    buttons = page.locator(".bank dl button")
    assert buttons.first.get_attribute("aria-label") == "Copy IBAN"
    buttons.first.click()
    assert page.evaluate("navigator.clipboard.readText()") == "DE89370400440532013000"
    assert page.locator("[data-said]").inner_text() == "Copied"
    assert not page.locator(".qr img").is_visible()
    page.click(".scan summary")
    assert page.locator(".qr img").is_visible()
    page.set_viewport_size({"width": 1200, "height": 900})
    page.reload()
    assert page.locator(".qr img").is_visible() and not page.locator(".scan summary").is_visible()
