"""Cases 25 and 1: from the mail's link on a telephone to «paid», with and without JavaScript, and back at the desk.

The client opens the link, pays by card, the receipt comes by itself, no reminder follows, and staff see it all.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from core.models import PaymentMethod
from invoices.models import LinkCode
from invoices.services.codes import code_of
from invoices.services.sending import send_invoice
from outbox.models import Message
from outbox.services import deliver
from payments.models import Checkout, Payment, Receipt
from payments.services.receipts import send_receipts
from tests.cast import CLERK, invoice_due
from tests.collecting import DAY, days_pass, sent_to

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
TELEPHONE = {"width": 390, "height": 844}


@pytest.fixture
def on(company, settings, live_server) -> dt.date:
    """Today, at a company that takes cards, reached at the address of the test's own server."""
    cache.clear()
    settings.PUBLIC_URL = live_server.url
    settings.PAYMENT_PROVIDERS = ["sandbox"]
    PaymentMethod.objects.create(company=company, kind="card", provider="sandbox")
    return timezone.now().astimezone(company.zone).date()


@pytest.fixture(params=[False, True], ids=["without JavaScript", "with JavaScript"])
def telephone(request, browser, live_server):
    context = browser.new_context(
        base_url=live_server.url, viewport=TELEPHONE, java_script_enabled=request.param, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


def mailed(invoice: Any, on: dt.date) -> str:
    """The invoice went out; the address that stands in the mail."""
    message = send_invoice(invoice, on=on, by=CLERK)
    deliver(message.not_before)
    message.refresh_from_db()
    assert message.state == "sent"
    found = re.search(r"https?://\S+/i/\d+/[\w-]{43}/", message.text_as_sent)
    assert found
    return found[0]


def mails(kind: str) -> list[Message]:
    return list(Message.objects.filter(kind=kind, state="sent").order_by("pk"))


def receipts_go(company: Any, on: dt.date) -> None:
    """The tick that sends receipts, and the mail that leaves."""
    send_receipts(company, now=timezone.now(), on=on, by="system")
    deliver(timezone.now() + dt.timedelta(minutes=1))


def test_paid_by_card_from_the_mails_link(telephone, company, late_client, good_client, on, client, clerk):
    invoice, twin = invoice_due(late_client, on - DAY), invoice_due(good_client, on - DAY)
    telephone.goto(mailed(invoice, on))
    assert "€1,000.00" in telephone.inner_text(".due .amt")
    assert telephone.locator(".go").first.bounding_box()["y"] < TELEPHONE["height"] - 54, "to pay, nobody scrolls"

    telephone.click("button.go[name=what]")
    telephone.wait_for_url("**/sandbox/**")
    telephone.click("button[value=success]")
    telephone.wait_for_url("**/i/**")
    assert "Paid" in telephone.inner_text(".due .lbl") and "Thank you." in telephone.inner_text(".due")

    receipts_go(company, on)
    receipt = Receipt.objects.get()
    (mail,) = mails("receipt")
    assert mail.to_addr == "ap@client.example" and receipt.number in mail.text_as_sent
    telephone.reload()
    assert f"Receipt {receipt.number}" in telephone.inner_text(".papers")
    taken = telephone.request.get(telephone.get_attribute(".papers a", "href"))
    assert taken.ok and taken.body().startswith(b"%PDF")

    days_pass(company, on + DAY, on + 7 * DAY)
    assert sent_to(late_client) == [] and sent_to(good_client), "who paid is left alone, who did not is reminded"
    twin.refresh_from_db()
    assert twin.balance == 1000

    client.force_login(clerk)
    payment = Payment.objects.get()
    said = client.get(reverse("dashboard:payment", args=[payment.pk])).content.decode()
    assert str(invoice.number) in said and "1,000.00" in said
    assert "Settled" in client.get(reverse("dashboard:invoice", args=[invoice.pk])).content.decode()


def test_while_the_debit_is_on_its_way_nobody_is_reminded(telephone, company, late_client, on):
    invoice = invoice_due(late_client, on - DAY)
    address = mailed(invoice, on)
    telephone.goto(address)
    telephone.click("button.go[name=what]")
    telephone.wait_for_url("**/sandbox/**")
    telephone.click("button[value=delayed]")
    telephone.wait_for_url("**/i/**")
    assert "is on its way to us" in telephone.inner_text(".due")
    assert telephone.locator("button[name=what]").count() == 0

    days_pass(company, on + DAY, on + 4 * DAY)
    assert sent_to(late_client) == []

    telephone.goto(f"/sandbox/{Checkout.objects.get().key}/")
    telephone.click("button[value=arrive]")
    telephone.goto(address)
    assert "Thank you." in telephone.inner_text(".due")
    invoice.refresh_from_db()
    assert invoice.balance == 0


def test_two_invoices_paid_together_behind_the_code(telephone, company, late_client, on):
    first, second = invoice_due(late_client, on - DAY, "1000"), invoice_due(late_client, on + 9 * DAY, "250.50")
    telephone.goto(mailed(first, on))
    assert "1 other invoice is open: €250.50" in telephone.inner_text("main")
    telephone.click("form[action*='statement/'] button")
    telephone.wait_for_url("**/s/**/code/**")
    assert "250.50" not in telephone.content() and str(second.number) not in telephone.content()

    deliver(timezone.now() + dt.timedelta(seconds=1))
    (mail,) = mails("link_code")
    code = re.search(r"№ \d+: (\d{6})", mail.text_as_sent)[1]
    assert code == code_of(LinkCode.objects.get())
    telephone.fill("#six", code)
    telephone.click("button.go")
    telephone.wait_for_selector(".claims")
    telephone.click(".claims button.go")
    telephone.wait_for_url("**/pay/?**")
    assert "€1,250.50" in telephone.inner_text(".due")
    telephone.click(".due button.go")
    telephone.wait_for_url("**/sandbox/**")
    telephone.click("button[value=success]")
    telephone.wait_for_url("**/checkout/**")
    telephone.click("a.go")
    assert "Nothing is open. Thank you." in telephone.inner_text("main")
    for invoice in (first, second):
        invoice.refresh_from_db()
        assert invoice.balance == 0
    assert Payment.objects.get().amount == first.total + second.total
