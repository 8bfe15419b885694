"""A client's credit in a browser: the pages on a desk, in the dark and on a telephone, and a decision by keyboard."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from clients.models import CreditDecision
from clients.services.checks import enter_check
from clients.services.deciding import decide_credit
from clients.services.filing import add_document, save_key_date, save_profile
from clients.services.limits import set_limit
from core.services import today
from policies.credit_terms import new_terms_version, shipped_terms
from tests.browser import signed_in
from tests.cast import CLERK, invoice_due, make_draft, make_manager
from tests.looking import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(page: Any, live_server: Any, client: Any, company: Any) -> Any:
    return signed_in(page, live_server, client, make_manager())


@pytest.fixture
def known(late_client: Any, company: Any) -> Any:
    """A client with something of everything on file."""
    on = today(company)
    new_terms_version(company, shipped_terms(), effective_from=on, on=on, by=CLERK)
    invoice_due(late_client, on - dt.timedelta(days=20), "700")
    set_limit(late_client, Decimal(1000), "EUR", because="test", source="import", on=on, by=CLERK)
    facts = {"provider": "Agency", "score": Decimal(52), "flags": ["young_company"], "findings": "One year old."}
    enter_check(late_client, facts, on=on, by=CLERK, documents=[("report.txt", b"52 of 100")])
    add_document(late_client, "order.txt", b"order", "contract", by=CLERK)
    save_profile(late_client, None, {"kind": "website", "url": "harbourlane.example"}, by=CLERK)
    save_key_date(late_client, None, {"kind": "founded", "day": 3, "month": 5, "year": 2014}, on=on, by=CLERK)
    return late_client


def test_the_pages_of_a_client_are_accessible_and_fit(desk, known, company):
    decision = decide_credit(known, on=today(company), by=CLERK)
    draft = make_draft(known, "900")
    names = ("client", "client_credit", "client_about", "client_timeline", "check_new", "status_set", "document_new")
    places = [reverse(f"dashboard:{name}", args=[known.pk]) for name in names]
    places += [reverse("dashboard:credit_memo", args=[decision.pk]), reverse("dashboard:invoice", args=[draft.pk])]
    places += ["/credit/?tab=unlimited", "/credit/?tab=terms"]
    found = [line for place in places for line in check(desk, place)]
    assert not found, "\n".join(found)


def test_a_component_opens_by_keyboard_and_the_decision_is_made_with_what_the_policy_says(desk, known):
    desk.goto(reverse("dashboard:client_credit", args=[known.pk]))
    row = desk.locator(".parts summary").first
    row.focus()
    desk.keyboard.press("Enter")
    desk.locator(".parts details[open] a").first.wait_for()
    desk.get_by_role("button", name="Decide so").click()
    desk.wait_for_selector("text=Decided: stricter terms")
    assert CreditDecision.objects.get().outcome == "stricter"
    assert "Stricter terms" in desk.inner_text("h1")
