"""Interest, fees and more time on the page of an invoice: every figure opens, and who may not waive is not asked."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from ar_collections.services.interest import claim_interest
from core.roles import MANAGER, give_role
from invoices.models import Charge, Extension, Invoice
from invoices.services.charging import give_interest_notice
from invoices.services.linking import link_for
from policies.services import policy_of
from portal.pages import page_of
from tests.by_law import charge_by, enter_rates
from tests.cast import CLERK, TODAY, invoice_due

pytestmark = pytest.mark.django_db

DUE = TODAY - dt.timedelta(days=40)


def url(name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC), tick=False):
        client.force_login(clerk)
        yield client


@pytest.fixture
def by_law(late_client: Any) -> Invoice:
    """10,000 due on 9 October 2026, by the directive."""
    enter_rates()
    charge_by(late_client.company, "EU", dt.date(2026, 9, 1))
    return invoice_due(late_client, DUE, "10000")


def test_what_was_earned_and_charged_opens_line_by_line_and_as_a_file(desk: Any, by_law: Invoice) -> None:
    page = text(desk.get(url("invoice", by_law.pk)))
    assert "earned since 10 Oct 2026" in page and "by the rule EU" in page and "€40.00 of compensation" in page
    claim_interest(by_law, on=TODAY, by=CLERK)
    page = text(desk.get(url("invoice", by_law.pk)))
    assert "ecb_mro_reference 2026-H2 2.4 + 8" in page and "for a claim of 10000.00" in page
    charge = Charge.objects.order_by("pk").first()
    first, again = (desk.get(url("charge_derivation", charge.pk)) for _ in range(2))
    assert first.content == again.content and first["Content-Type"] == "application/json"
    assert json.loads(first.content)["policy"] == "standard from 2026-09-01"
    assert url("charge_waive", charge.pk) not in page
    assert url("charge_derivation", charge.pk) in page


def test_a_missing_rate_is_said_where_the_interest_would_stand(desk: Any, late_client: Any) -> None:
    charge_by(late_client.company, "EU", dt.date(2026, 9, 1))
    invoice = invoice_due(late_client, DUE)
    assert "There is no rate of «ecb_mro_reference» for 2026-H2" in text(desk.get(url("invoice", invoice.pk)))


def test_more_time_is_agreed_and_withdrawn_and_the_page_says_what_it_does_to_interest(
    desk: Any, by_law: Invoice
) -> None:
    asked = text(desk.get(url("invoice_more_time", by_law.pk)))
    assert "stops the reminders, not the interest" in asked and "The due date stays" in asked
    given = {"until_on": "2026-12-01", "interest": "pauses", "reason": "Their grant comes late"}
    page = text(desk.post(url("invoice_more_time", by_law.pk), given, follow=True))
    assert "Pay by 1 Dec 2026, agreed on 18 Nov 2026" in page and "Their grant comes late" in page
    assert "From 18 November 2026 to 1 December 2026 no late interest is earned" in page
    refused = desk.post(url("invoice_more_time", by_law.pk), given)
    assert refused.status_code == 422 and "agreed already" in text(refused)
    agreed = Extension.objects.get()
    assert desk.get(url("more_time_withdraw", agreed.pk)).status_code == 405
    page = text(desk.post(url("more_time_withdraw", agreed.pk), follow=True))
    assert "Pay by 1 Dec 2026" not in page and "the due date counts again" in page


def test_the_client_reads_the_day_agreed_and_how_interest_came_about(desk: Any, by_law: Invoice) -> None:
    claim_interest(by_law, on=TODAY, by=CLERK)
    Extension.objects.create(
        invoice=by_law, until_on=dt.date(2026, 12, 1), reason="Agreed", agreed_on=TODAY, agreed_by=CLERK
    )
    link = link_for(by_law, by_law.client.contacts.get(), dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC))
    page = page_of(link, policy_of(by_law.company, TODAY), TODAY, "en")
    assert "Interest is charged from 10 October 2026." in page.next
    assert page.late_terms == "", "the 12 % of the terms are not what is charged"
    assert page.agreed == "pay by 1 December 2026, agreed on 18 November 2026" and not page.is_late
    interest = next(claimed for claimed in page.charges if claimed.label == "Interest")
    assert "22 days on €10,000.00 at 10.4%" in interest.lines[0] and "ecb_mro_reference" in interest.lines[0]
    compensation = next(claimed for claimed in page.charges if claimed.label == "Compensation")
    assert compensation.value == "€40.00" and "2011/7/EU" in compensation.lines[0]


def test_a_manager_is_shown_the_button_and_a_clerk_is_not(desk: Any, clerk: Any, late_client: Any) -> None:
    invoice = invoice_due(late_client, DUE)
    give_interest_notice(invoice, interest_from=DUE + dt.timedelta(days=1), on=DUE, by=CLERK)
    claim_interest(invoice, on=TODAY, by=CLERK)
    charge = Charge.objects.first()
    assert charge is not None
    assert url("charge_waive", charge.pk) not in text(desk.get(url("invoice", invoice.pk)))
    give_role(clerk, MANAGER)
    assert url("charge_waive", charge.pk) in text(desk.get(url("invoice", invoice.pk)))
