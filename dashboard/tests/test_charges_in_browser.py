"""Interest and more time as people see them: agreed by the keyboard, read on a desk and on a telephone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.services.interest import claim_interest
from core.dates import add_months, half_year_start
from core.services import today
from invoices.models import Extension
from invoices.services.linking import link_for, url_of
from tests.browser import signed_in
from tests.by_law import charge_by, enter_rates
from tests.cast import CLERK, invoice_due, make_manager
from tests.looking import check, seen

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(page: Any, live_server: Any, client: Any, company: Any) -> Any:
    return signed_in(page, live_server, client, make_manager())


@pytest.fixture
def invoice(late_client: Any, company: Any) -> Any:
    """Forty days late today, by law; interest and compensation are claimed."""
    on = today(company)
    begun = half_year_start(on)
    enter_rates({add_months(begun, -6).isoformat(): "2.15", begun.isoformat(): "2.4"})
    charge_by(company, "EU", on - dt.timedelta(days=90))
    late = invoice_due(late_client, on - dt.timedelta(days=40), "10000")
    claim_interest(late, on=on, by=CLERK)
    return late


def test_more_time_is_agreed_by_the_keyboard_and_both_pages_say_so(
    desk: Any, invoice: Any, company: Any, late_client: Any
) -> None:
    desk.goto(f"/invoices/{invoice.pk}/more-time/")
    until = today(company) + dt.timedelta(days=20)
    desk.get_by_label("Pay by").fill(until.isoformat())
    desk.get_by_label("is not earned from today").check()
    desk.get_by_label("Why").fill("Their grant comes late")
    desk.get_by_label("Why").press("Control+Enter")
    desk.wait_for_selector("text=no late interest is earned")
    agreed = Extension.objects.get()
    assert (agreed.until_on, agreed.interest) == (until, "pauses")
    assert seen(desk, "more-time-agreed") == []
    desk.click("#charges summary")
    assert seen(desk, "interest-of-an-invoice", context="#charges") == []
    assert check(desk, f"/invoices/{invoice.pk}/more-time/") == []
    link = link_for(invoice, late_client.contacts.get(), timezone.now())
    desk.goto("/" + url_of(link).split("/", 3)[3])
    desk.click("summary:has-text('how it came about') >> nth=0")
    assert desk.is_visible("text=ecb_mro_reference")
    assert seen(desk, "interest-for-the-client", context=".derived") == []
