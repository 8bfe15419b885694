"""Cases 4 and 5: the sign of an offset (dolibarr#30771), and days that move with the time zone (invoiceninja#792 …).

−7 is before the due date, 0 is nothing, +7 is after it. Dates are local dates of the company; messages leave in the
client's window, on both sides of a clock change, and also for 31 March in UTC+13 and UTC−8.
"""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from ar_collections.services.planning import plan
from core.models import Holiday
from outbox.models import Message
from outbox.services import deliver
from policies.services import STEP_FIELDS, new_version, policy_of
from policies.step_days import step_day
from tests.cast import CLERK, TODAY, invoice_due, make_client, make_company
from tests.collecting import a_day, days_pass, served

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("days", "steps"), [(-8, 0), (-7, 1), (0, 0), (1, 1), (7, 1), (8, 1)])
def test_minus_seven_is_before_the_due_date_and_plus_eight_after_it(late_client, days, steps):
    due = dt.date(2026, 11, 11)
    invoice = invoice_due(late_client, due)
    a_day(late_client.company, due + dt.timedelta(days=days))
    expected = {-7: "pre_due", 1: "first_overdue", 7: "first_overdue", 8: "reminder_1"}
    assert [step for step, _on in served(invoice)] == [expected[days]][:steps] if steps else served(invoice) == []


def test_minus_seven_zero_and_plus_seven_of_a_ladder_fall_before_on_and_after_the_due_date(late_client):
    """The policy editor shows the same dates for a sample invoice as those on which the messages leave."""
    company, due = late_client.company, dt.date(2026, 11, 11)
    offsets = {"before": -7, "due": 0, "after": 7}
    kept = {name: getattr(policy_of(company, TODAY).steps.first(), name) for name in STEP_FIELDS} | {"tone": "plain"}
    ladder = [kept | {"code": code, "title": code, "offset_days": days} for code, days in offsets.items()]
    new_version(
        policy_of(company, TODAY), effective_from=due - dt.timedelta(days=20), changes={}, steps=ladder,
        on=due - dt.timedelta(days=21), by=CLERK,
    )  # fmt: skip
    invoice = invoice_due(late_client, due)
    days_pass(company, due - dt.timedelta(days=9), due + dt.timedelta(days=9))
    shown = {code: step_day(days, invoice.issued_on, due) for code, days in offsets.items()}
    assert dict(served(invoice)) == shown == {code: due + dt.timedelta(days=n) for code, n in offsets.items()}


def test_the_admin_shows_minus_seven_zero_and_plus_seven_as_days_before_on_and_after_it(late_client, client):
    """Where a ladder is written and where it is read: the side of the due date is a word, and the day stands beside."""
    company, issued = late_client.company, dt.date(2026, 10, 12)
    due = issued + dt.timedelta(days=30)  # a Wednesday
    kept = {name: getattr(policy_of(company, TODAY).steps.first(), name) for name in STEP_FIELDS} | {"tone": "plain"}
    offsets = {"before": -7, "on": 0, "after": 7}
    made = new_version(
        policy_of(company, TODAY), effective_from=TODAY + dt.timedelta(days=1), changes={},
        steps=[kept | {"code": code, "title": code, "offset_days": days} for code, days in offsets.items()], on=TODAY,
        by=CLERK,
    )  # fmt: skip
    client.force_login(User.objects.create_superuser("root", "", "correct horse battery"))
    sample = {"issued_on": issued.isoformat(), "net_days": "30"}
    page = client.get(reverse("admin:policies_policy_change", args=[made.pk]), sample).content.decode()
    shown = re.findall(r'<time datetime="([-0-9]+)"', page)
    assert shown == [(due + dt.timedelta(days=days)).isoformat() for days in offsets.values()]
    editor = client.get(reverse("admin:policies_policy_new_version", args=[made.pk])).context["editor"]
    for card, (side, days) in zip(editor.cards(), offsets.items(), strict=True):
        sent = card.form["offset_days"].field.widget.decompress(card.form["offset_days"].value())
        assert sent == [abs(days), side], "no minus to be mistaken"
        assert card.day == step_day(days, editor.issued_on, editor.due_on)


def test_the_first_two_steps_fall_on_their_very_days(late_client):
    due = dt.date(2026, 11, 11)  # a Wednesday
    invoice = invoice_due(late_client, due)
    days_pass(late_client.company, due - dt.timedelta(days=9), due + dt.timedelta(days=1))
    assert served(invoice) == [("pre_due", dt.date(2026, 11, 4)), ("first_overdue", dt.date(2026, 11, 12))]


def test_a_shut_window_moves_the_reminder_before_the_due_date_but_never_makes_it_late(late_client):
    company = late_client.company
    moved = invoice_due(late_client, dt.date(2026, 11, 14))  # seven days before is a Saturday
    days_pass(company, dt.date(2026, 11, 7), dt.date(2026, 11, 9))
    assert served(moved) == [("pre_due", dt.date(2026, 11, 9))]
    for on in range(16, 24):
        Holiday.objects.create(company=company, on=dt.date(2026, 11, on), name="closed")
    skipped = invoice_due(late_client, dt.date(2026, 11, 24))
    days_pass(company, dt.date(2026, 11, 17), dt.date(2026, 11, 24))
    assert served(skipped) == []


def test_nobody_is_written_to_on_a_holiday_of_the_clients_country(company):
    french = make_client(company, "F-1", country="FR", time_zone="Europe/Paris")
    invoice = invoice_due(french, dt.date(2026, 7, 13))  # the day it is late is 14 July
    days_pass(company, dt.date(2026, 7, 14), dt.date(2026, 7, 15))
    assert served(invoice) == [("first_overdue", dt.date(2026, 7, 15))]


@pytest.mark.parametrize(
    ("on", "utc"), [(dt.date(2026, 10, 23), "07:00"), (dt.date(2026, 10, 26), "08:00")], ids=["summer", "winter"]
)
def test_nine_oclock_stays_nine_oclock_across_the_clock_change(late_client, on, utc):
    invoice_due(late_client, on - dt.timedelta(days=1))
    a_day(late_client.company, on, send=False)
    assert f"{Message.objects.get().not_before:%H:%M}" == utc


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Pacific/Tongatapu", "Pacific/Pitcairn", "America/Los_Angeles"])
@pytest.mark.parametrize("home", ["Pacific/Tongatapu", "Pacific/Pitcairn", "UTC"])
def test_the_31st_of_march_is_the_companys_and_the_hour_is_the_clients(home, zone):
    """However far apart they are, the message is of the company's date and leaves between nine and five over there."""
    company = make_company("far", time_zone=home, country="US")
    client = make_client(company, "Z-1", time_zone=zone, country="XX")
    due = dt.date(2026, 3, 30)
    invoice = invoice_due(client, due)
    on = dt.date(2026, 3, 31)
    a_day(company, on)
    message = Message.objects.get()
    assert message.state == "sent" and message.on == on
    assert message.not_before.astimezone(ZoneInfo(home)).date() == on
    assert dt.time(9) <= message.not_before.astimezone(ZoneInfo(zone)).time() < dt.time(17)
    assert served(invoice) == [("first_overdue", on)]


def test_too_late_in_the_clients_day_waits_for_the_next(late_client):
    invoice = invoice_due(late_client, dt.date(2026, 11, 9))
    tuesday = dt.date(2026, 11, 10)
    evening = dt.datetime(2026, 11, 10, 17, 30, tzinfo=dt.UTC)
    done = plan(late_client.company, tuesday, by="system", now=evening)
    assert done.planned == [] and done.waiting == {(invoice.pk, "first_overdue"): "window"}


def test_a_message_that_could_not_leave_in_its_window_is_planned_afresh(late_client):
    company, invoice = late_client.company, invoice_due(late_client, dt.date(2026, 11, 9))
    tuesday, wednesday = dt.date(2026, 11, 10), dt.date(2026, 11, 11)
    plan(company, tuesday, by="system", now=dt.datetime(2026, 11, 10, 9, tzinfo=dt.UTC))
    deliver(dt.datetime(2026, 11, 10, 18, tzinfo=dt.UTC))
    assert Message.objects.get().state == "cancelled"
    a_day(company, wednesday)
    assert served(invoice) == [("first_overdue", wednesday)]
