"""The pages that have a number: a client's file, an invoice, a payment, the forms below them, set-up and the policies;
on a desk, in the dark and on a telephone. And what one does there without a mouse."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from ar_collections.services.pausing import pause_chasing
from ar_collections.services.promising import promise_payment
from arledger.setup.services import new_setup_token
from core.services import today
from disputes.services import open_dispute
from invoices.models import Invoice
from invoices.services.linking import link_for
from payments.models import Payment
from policies.models import Policy
from tests.cast import CLERK, invoice_due, make_draft, make_invoice, pay
from tests.looking import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def book(company: Any, late_client: Any) -> dict[str, Any]:
    """A client with something of everything."""
    on = today(company, timezone.now())
    late = invoice_due(late_client, on - dt.timedelta(days=45), "1200")
    soon = invoice_due(late_client, on + dt.timedelta(days=9), "300")
    open_dispute(late, reason="price", text="Too dear", on=on, by=CLERK)
    promise_payment(soon, Decimal(300), on + dt.timedelta(days=12), on=on, by=CLERK)
    pause_chasing(late_client, reason="Holiday", until=on + dt.timedelta(days=5), on=on, by=CLERK)
    link_for(late, late_client.contacts.get(), timezone.now())
    return {"client": late_client, "late": late, "soon": soon, "cash": pay(late_client, "50", on=on, how="none")}


@pytest.mark.once
def test_the_pages_with_a_number_are_accessible_everywhere(desk, book):
    client, late = book["client"], book["late"]
    pages = {
        "client": client.pk, "client_edit": client.pk, "client_log": client.pk, "client_promise": client.pk,
        "contact_new": client.pk, "invoice": late.pk, "invoice_send": late.pk, "invoice_dispute": book["soon"].pk,
        "invoice_edit": make_draft(client).pk, "payment": book["cash"].pk,
    }  # fmt: skip
    found = []
    for name, pk in pages.items():
        found += check(desk, reverse(f"dashboard:{name}", args=[pk]))
    found += check(desk, reverse("dashboard:payment_new") + f"?client={client.pk}")
    assert "\n".join(found) == ""


@pytest.mark.once
def test_set_up_is_accessible_everywhere(page):
    token = new_setup_token(timezone.now())
    found = []
    for name in ("company", "bank", "mail", "policy", "account"):
        found += check(page, reverse("setup_step", args=[token, name]))
    assert "\n".join(found) == ""


def test_the_policy_pages_stay_within_the_content_security_policy(desk, company, clerk):
    User.objects.filter(pk=clerk.pk).update(is_superuser=True)
    policy = Policy.objects.get()
    for name in ("policies_policy_change", "policies_policy_new_version"):
        desk.goto(reverse(f"admin:{name}", args=[policy.pk]))
        assert desk.locator("h1").count() >= 1


def test_the_totals_follow_what_is_written_and_ctrl_enter_keeps_the_draft(desk, late_client):
    desk.goto(reverse("dashboard:invoice_new") + f"?client={late_client.pk}")
    desk.fill("[name=lines-0-description]", "Design")
    desk.fill("[name=lines-0-quantity]", "2")
    desk.fill("[name=lines-0-unit_price]", "100")
    desk.fill("[name=lines-0-tax_percent]", "19")
    desk.wait_for_selector("[data-totals] >> text=€238.00")
    assert "Due in 30 days" in desk.inner_text("[data-totals]")
    desk.keyboard.press("Control+Enter")
    desk.wait_for_selector("text=A draft: it has no number")
    assert Invoice.objects.get().total == 238


def test_a_line_written_before_the_tax_was_proposed_bears_it_all_the_same(desk, late_client):
    make_invoice(late_client, "10", tax="19")
    desk.goto(reverse("dashboard:invoice_new"))
    desk.route("**/invoices/totals/**", lambda route: (desk.wait_for_timeout(600), route.continue_()))
    desk.select_option("[name=client]", str(late_client.pk))
    desk.fill("[name=lines-0-description]", "Design")
    desk.fill("[name=lines-0-unit_price]", "100")
    desk.wait_for_selector("[data-totals] >> text=€119.00")
    assert desk.input_value("[name=lines-0-tax_percent]") == "19"
    desk.fill("[name=lines-0-tax_percent]", "7")
    desk.wait_for_selector("[data-totals] >> text=€107.00")


def test_amounts_by_hand_are_asked_only_by_hand(desk, late_client):
    invoice = invoice_due(late_client, dt.date(2026, 10, 1), "500")
    desk.goto(reverse("dashboard:payment_new") + f"?client={late_client.pk}")
    field = f"[name='claim-invoice:{invoice.pk}']"
    assert not desk.is_visible(field)
    desk.fill("[name=amount]", "120")
    desk.click("text=as I write below")
    desk.fill(field, "120")
    desk.keyboard.press("Control+Enter")
    desk.wait_for_selector("text=Where it went")
    assert Payment.objects.get().allocations.get().amount == 120
