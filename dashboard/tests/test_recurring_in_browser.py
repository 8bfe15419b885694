"""A recurring invoice written in a browser: the dates follow what is written; the pages fit and are accessible."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from clients.services.status import set_status
from core.services import today
from invoices.models import RecurringInvoice
from invoices.services.drafting import LineDraft
from invoices.services.recurring import Schedule, make_recurring, pause_recurring, skip_day
from invoices.services.recurring_runs import run_recurring
from tests.cast import CLERK
from tests.looking import check

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)


def make(client: Any, name: str, starts_on: dt.date, **facts: Any) -> RecurringInvoice:
    line = LineDraft(f"{name} {{month}}", Decimal(1), Decimal(80), tax_percent=Decimal(19))
    on = today(client.company)
    return make_recurring(client, Schedule(name, starts_on, **facts), [line], on=min(starts_on, on), by=CLERK)


def test_the_dates_follow_what_is_written_and_every_page_fits(desk, company, good_client, late_client):
    on = today(company)
    running = make(good_client, "Hosting", on - 20 * DAY, unit="week")
    skip_day(running, on + 8 * DAY, on=on, by=CLERK)
    refused = make(late_client, "Care", on - DAY)
    set_status(late_client, "cash_only", because="t", source="policy", on=on - 2 * DAY, by="system")
    run_recurring(company, send_from=NOW, on=on, by="system")
    paused = make(good_client, "Rent of the press", on + DAY, every=3)
    pause_recurring(paused, at=NOW, by=CLERK)

    desk.goto("/recurring/new/")
    desk.select_option("[name=client]", label="Osprey Logistics · C-0001")
    desk.fill("[name=name]", "Route planner")
    desk.fill("[name=starts_on]", "2027-01-31")
    desk.fill("[name=lines-0-description]", "Route planner {month}")
    desk.fill("[name=lines-0-unit_price]", "480")
    desk.wait_for_selector("[data-totals] >> text=Sunday 28 February 2027")
    assert desk.locator("[data-totals] ol > li").count() == 12
    desk.click("button[value=save]")
    desk.wait_for_selector("h1 >> text=Route planner")
    addresses = [f"/recurring/{at}" for at in ("", f"{running.pk}/", f"{paused.pk}/", f"{refused.pk}/edit/")]
    found = [line for address in addresses for line in check(desk, address)]
    assert not found, "\n".join(found)
