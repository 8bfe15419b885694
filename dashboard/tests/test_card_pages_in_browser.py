"""Card payments in a browser: the sandbox's page and the desk's list, on a desk, in the dark and on a telephone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from core.roles import MANAGER, give_role
from core.services import today
from invoices.services.linking import link_for
from payments.models import Checkout, Payment, ProviderEvent
from payments.providers.sandbox import Sandbox
from payments.services.checkouts import start_checkout
from payments.services.hearing import hear
from payments.tests.provided import offer_card, word
from tests.browser import signed_in
from tests.cast import make_invoice

pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (requirements-dev.txt)")
pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def begun(company: Any, good_client: Any) -> Checkout:
    offer_card(company)
    return begin(good_client)


def begin(client: Any) -> Checkout:
    invoice, now = make_invoice(client, "1200", on=today(client.company)), timezone.now()
    link = link_for(invoice, client.contacts.first(), now)
    claims = {f"invoice:{invoice.pk}": Decimal(1200)}
    return start_checkout(link, claims, at=now, on=today(client.company, now)).checkout


def looks_right(page: Any, address: str) -> list[str]:
    from tests.looking import check

    return check(page, address)


def test_the_sandbox_is_paid_at_after_a_decline_and_an_extra_step(page: Any, begun: Checkout) -> None:
    address = reverse("providers:sandbox", args=[begun.key])
    assert looks_right(page, address) + looks_right(page, f"{address}confirm/") == []
    page.goto(address)
    page.click("text=The bank declines")
    assert "declined it" in page.inner_text("[role=alert]")
    page.click("text=The bank asks for an extra step")
    page.click("text=Yes, it is me")
    page.wait_for_url("**/i/**")
    assert Payment.objects.get().amount == 1200
    assert looks_right(page, address) == []


def test_the_desk_decides_about_money_that_is_off(
    page: Any, live_server: Any, client: Any, clerk: Any, good_client: Any, begun: Checkout
) -> None:
    give_role(clerk, MANAGER)
    signed_in(page, live_server, client, clerk)
    now = timezone.now()
    hear(Sandbox(), word(begun, amount=Decimal(1100), happened_at=now), at=now)
    hear(Sandbox(), word(begin(good_client), "pending", happened_at=now), at=now)
    hear(Sandbox(), word(begun, checkout="somebody", happened_at=now), at=now)
    events = reverse("dashboard:provider_events")
    strange = ProviderEvent.objects.get(checkout=None)
    found = looks_right(page, events) + looks_right(page, reverse("dashboard:event_settle", args=[strange.pk]))
    assert found == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(events)
    page.click("text=Take it as a payment")
    payment = Payment.objects.get()
    page.wait_for_url(f"**/payments/{payment.pk}/")
    assert looks_right(page, reverse("dashboard:payment_refund", args=[payment.pk])) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(reverse("dashboard:payment_refund", args=[payment.pk]))
    page.fill("[name=amount]", "100")
    page.fill("[name=reason]", "agreed")
    page.click("text=Give it back")
    page.wait_for_url(f"**/payments/{payment.pk}/")
    assert "agreed" in page.inner_text("#refunds")
