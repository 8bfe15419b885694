"""What stands above every page: what is not as it should be, and only that."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from ar_collections.services.holding import hold_first_run
from core.models import PaymentMethod, Tick
from dashboard import context
from dashboard.context import SWEEPS, banners
from dashboard.desk import Desk
from invoices.services.sending import send_invoice
from outbox.models import Message, Outage
from outbox.services import pause_sending
from payments.models import ProviderEvent
from tests.cast import CLERK, TODAY, make_invoice

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def running_for_long(monkeypatch: Any) -> None:
    monkeypatch.setattr(context, "_began", NOON - dt.timedelta(days=9))


@pytest.fixture
def desk(company: Any) -> Desk:
    return Desk(company, [company], NOON, TODAY)


@pytest.fixture
def ticking(settings: Any) -> None:
    settings.MAIL_TRANSPORT = "smtp"
    for name in SWEEPS:
        Tick.objects.create(name=name, started_at=NOON, ended_at=NOON - dt.timedelta(minutes=1))


def said(desk: Desk) -> list[str]:
    return [f"{banner['text']} {banner.get('detail', '')}" for banner in banners(desk)]


def test_where_all_is_well_nothing_is_said(desk, ticking):
    assert said(desk) == []


def test_mail_written_to_files_is_said(desk, ticking, settings):
    settings.MAIL_TRANSPORT = "file"
    (line,) = said(desk)
    assert "Mail is written to files, not sent" in line


def test_a_late_sweep_is_said_with_its_time_and_its_error(desk, ticking):
    late = NOON - dt.timedelta(minutes=30)
    Tick.objects.filter(name="collections.plan").update(ended_at=late, error="OperationalError('locked')")
    (line,) = said(desk)
    assert "No reminders were planned since 2026-11-18 12:30" in line and "locked" in line
    Tick.objects.update(ended_at=NOON - dt.timedelta(hours=3))
    (line,) = said(desk)
    assert "Nothing has run by itself since 2026-11-18 10:00" in line


def test_nothing_is_said_in_the_first_minutes_after_the_start(desk, ticking, monkeypatch):
    Tick.objects.update(ended_at=NOON - dt.timedelta(days=2))
    assert len(said(desk)) == 1
    monkeypatch.setattr(context, "_began", NOON - dt.timedelta(minutes=2))
    assert said(desk) == []


def test_a_server_that_cannot_be_reached_is_said_since_when_and_in_its_words(desk, ticking):
    Outage.objects.create(since=NOON - dt.timedelta(hours=1), said="Connection refused")
    (line,) = said(desk)
    assert "cannot be reached since 2026-11-18 12:00" in line and "Connection refused" in line


def test_a_pause_and_a_held_batch_are_said_with_the_way_to_end_them(desk, ticking, company):
    pause_sending("a wrong rate", at=timezone.now(), by="Ada")
    hold = hold_first_run(company, detail="3 open items", by="import")
    found = list(banners(desk))
    assert [banner["url"] for banner in found] == ["/outbox/", f"/outbox/holds/{hold.pk}/"]
    assert "a wrong rate" in said(desk)[0] and "The next reminders wait for your release" in said(desk)[1]


def test_a_company_with_one_way_to_pay_is_told_to_offer_another(desk, ticking, company):
    PaymentMethod.objects.filter(company=company).exclude(kind="transfer").delete()
    (line,) = said(desk)
    assert "offers a single way to pay: Bank transfer." in line


@pytest.mark.parametrize(("card", "account", "line"), [
    (True, True, ""), (False, True, "a single way to pay: Bank transfer"), (True, False, "a single way to pay: Card"),
    (False, False, "offers no way to pay"),
])  # fmt: skip
def test_only_ways_that_work_count(desk, ticking, company, settings, card, account, line):
    PaymentMethod.objects.filter(company=company).exclude(kind="transfer").delete()
    PaymentMethod.objects.create(company=company, kind="card", provider="sandbox")
    PaymentMethod.objects.create(company=company, kind="cheque", currency="USD")
    settings.PAYMENT_PROVIDERS = ["sandbox"] if card else []
    company.bank_accounts.update(is_active=account)
    assert line in "".join(said(desk)) and bool(line) == bool(said(desk))


def test_a_word_of_a_provider_that_does_not_fit_stands_above_every_page(desk, ticking, company):
    ProviderEvent.objects.create(
        provider="sandbox", event_id="e1", kind="succeeded", received_at=NOON, needs_person=True, outcome="odd"
    )
    (line,) = said(desk)
    assert "1 word of a payment provider waits for you" in line


def test_the_frame_asks_the_database_little(rf, desk, company, django_assert_max_num_queries):
    request = rf.get("/")
    request.desk = desk
    hold_first_run(company, by="import")
    with time_machine.travel(NOON, tick=False), django_assert_max_num_queries(4):
        frame = context.frame(request)
    assert frame["nav"]["counts"]["outbox"] == 0


def test_what_the_check_of_the_ledger_found_stands_above_everything(desk, ticking):
    checked = Tick.objects.create(
        name="housekeeping:check ledger, fast", started_at=NOON, ended_at=NOON,
        result={"violations": [{"code": "L3", "count": 1, "ids": [7]}]},
    )  # fmt: skip
    [only] = said(desk)
    assert "contradict themselves (L3, found" in only and "check_ledger" in only
    checked.result = {"violations": []}
    checked.save()
    assert said(desk) == []


def test_an_invoice_that_may_not_have_arrived_is_said_after_a_quarter_of_an_hour(desk, ticking, late_client):
    message = send_invoice(make_invoice(late_client), on=TODAY, by=CLERK)
    for minutes, banners_said in ((14, 0), (16, 1)):
        at = NOON - dt.timedelta(minutes=minutes)
        Message.objects.filter(pk=message.pk).update(state="unknown", unknown_at=at)
        assert len(said(desk)) == banners_said
