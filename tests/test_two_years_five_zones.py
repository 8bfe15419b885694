"""Two years in five time zones, tick by tick: nothing is said twice and nothing outside its client's window.

By default the weeks around the clock changes of one autumn and one spring, where the zones change on different days
and one of them never; every night the whole two years. A clock that jumps ahead sends nothing: a person looks first.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from ar_collections.models import Hold, Served
from ar_collections.tasks import charge_late_interest, plan_reminders
from clients.models import Client
from invoices.models import Invoice
from outbox import transport
from outbox.models import Message
from outbox.tasks import deliver_messages
from tests.cast import invoice_due, make_client, make_company, pay

pytestmark = pytest.mark.django_db

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
ZONES = {
    "NZ": "Pacific/Auckland", "US": "America/Los_Angeles", "DE": "Europe/Berlin", "IN": "Asia/Kolkata", "GB": "UTC",
}  # fmt: skip
# In UTC: an hour inside each window; and, where a clock changes, before, at and after every opening and end.
HOURS = (4, 9, 18, 22)
ALL_HOURS = (0, 1, 3, 4, 7, 8, 9, 11, 12, 15, 16, 17, 20, 21, 22, 23)
BOTH_YEARS = (dt.date(2026, 1, 5), dt.date(2027, 12, 31))
# New Zealand changes on 27 September, Berlin on 25 October, Los Angeles on 1 November; in spring on 5 April, 29 March,
# 8 March; India never.
PARTS = [
    ("Europe/Berlin", dt.date(2026, 10, 22), dt.date(2026, 11, 4)),
    ("America/Los_Angeles", dt.date(2027, 3, 25), dt.date(2027, 4, 7)),
]


class Postbox:
    """Takes every letter and keeps when it was handed over."""

    took: list[tuple[str, dt.datetime]] = []

    def open(self) -> bool:
        return False

    def hand_over(self, letter: Any, before_body: Callable[[], None]) -> transport.Taken:
        before_body()
        self.took.append((letter.message_id, timezone.now()))
        return transport.Taken("250 taken")

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Postbox, "took", [])
    monkeypatch.setattr(transport, "current", Postbox)
    monkeypatch.setattr("invoices.pdf.print_html", lambda html, **_look: b"%PDF-1.7 printed elsewhere")


def book(homes: dict[str, str], zones: dict[str, str]) -> None:
    """A company in each home, with a client in each zone."""
    for code, zone in homes.items():
        company = make_company(code, time_zone=zone)
        for country, there in zones.items():
            make_client(company, f"{code}-{country}", country=country, time_zone=there, email=f"{country}@{code}.test")


def instants(first: dt.date, last: dt.date) -> Iterator[dt.datetime]:
    """The moments that matter: some every day, many around a day on which a clock changes somewhere."""
    on = first
    while on <= last:
        near = any(_offset(zone, on - DAY) != _offset(zone, on + 2 * DAY) for zone in ZONES.values())
        for hour in ALL_HOURS if near else HOURS:
            yield dt.datetime.combine(on, dt.time(hour, 5), tzinfo=dt.UTC)
        on += DAY


def _offset(zone: str, on: dt.date) -> dt.timedelta | None:
    return dt.datetime.combine(on, dt.time(12), tzinfo=ZoneInfo(zone)).utcoffset()


def goes_by(first: dt.date, last: dt.date) -> int:
    """The days go by: every five weeks an invoice per client falls due; some pay at once, some late, some never."""
    ticks, done = 0, set()
    for at in instants(first, last):
        with time_machine.travel(at, tick=False):
            if at.date() not in done:
                done.add(at.date())
                _business((at.date() - first).days, at.date())
                charge_late_interest()
            plan_reminders()
            deliver_messages()
            ticks += 1
    return ticks


def _business(n: int, on: dt.date) -> None:
    for place, client in enumerate(Client.objects.select_related("company", "terms").order_by("pk"), start=1):
        if n % 35 == place % 5:
            invoice_due(client, on + 10 * DAY)
            if n < 5:
                invoice_due(client, on - 4 * DAY)
    waits = {0: 5, 1: 20, 2: 45, 3: 75}  # days after the due day; one in five never pays
    for invoice in Invoice.objects.open().select_related("client"):
        if invoice.due_on and (on - invoice.due_on).days == waits.get((invoice.seq or 0) % 5):
            pay(invoice.client, str(invoice.balance), on=on, how={f"invoice:{invoice.pk}": Decimal(invoice.balance)})


def what_must_hold() -> Counter[str]:
    """Each step of each invoice once, each message once and inside its window; answers how many went to each zone."""
    sent = {m.message_id: m for m in Message.objects.filter(state="sent", kind="notice")}
    assert len(Postbox.took) == len({message_id for message_id, _at in Postbox.took}), "handed over twice"
    said: Counter[tuple[Any, ...]] = Counter()
    per_day: Counter[tuple[str, dt.date]] = Counter()
    to: Counter[str] = Counter()
    clients = {f"client:{client.pk}": client for client in Client.objects.select_related("company")}
    for message_id, at in Postbox.took:
        message = sent.get(message_id)
        if message is None:
            continue
        there = at.astimezone(clients[message.party].zone)
        assert there.weekday() < 5 and 9 <= there.hour < 17, f"{message.key} at {there}"
        per_day[message.party, there.date()] += 1
        to[clients[message.party].time_zone] += 1
        parts = message.payload.get("parts", {})
        for pk, code, cycle in message.payload["items"]:
            if pk in message.payload["told"]:
                said[pk, code, parts.get(str(pk), 1), cycle, "mail"] += 1
    assert max(said.values()) == 1, "said twice"
    assert max(per_day.values()) == 1, "two reminders on one day of the client's"
    rows = Served.objects.values_list("invoice", "step", "part", "cycle", "channel")
    assert max(Counter(rows).values()) == 1
    assert Message.objects.filter(state__in=["failed", "unknown", "claimed", "handing"]).count() == 0
    assert not Hold.objects.exists(), "nothing was unusual"
    return to


@pytest.mark.parametrize(("home", "first", "last"), PARTS, ids=["autumn", "spring"])
def test_the_weeks_around_the_clock_changes(home: str, first: dt.date, last: dt.date) -> None:
    few = {country: ZONES[country] for country in ("NZ", "US", "DE", "IN")}
    book({"one": home}, few)
    goes_by(first, last)
    sent = what_must_hold()
    assert set(sent) == set(few.values()) and min(sent.values()) >= 2


@pytest.mark.nightly
def test_two_whole_years() -> None:
    began = time.perf_counter()
    book({"nz": "Pacific/Auckland"}, ZONES)
    ticks = goes_by(*BOTH_YEARS)
    sent = what_must_hold()
    assert set(sent) == set(ZONES.values()) and min(sent.values()) >= 50
    steps = Served.objects.filter(outcome="served").count()
    print(
        f"{ticks} ticks, {sum(sent.values())} reminders to {Client.objects.count()} clients, {steps} steps served, "
        f"{Invoice.objects.count()} invoices, in {time.perf_counter() - began:.0f} s"
    )


@pytest.mark.parametrize(("days", "hour"), [(3, 9), (400, 9), (3, 18), (395, 9)])
def test_a_clock_that_jumps_ahead_sends_nothing_and_holds_one_batch(days: int, hour: int) -> None:
    """By day, in the evening when no window is open any more, and into a Saturday, on which nobody is written to."""
    book({"de": "Europe/Berlin"}, ZONES)
    at = dt.datetime(2026, 11, 18, 9, tzinfo=dt.UTC)  # a Wednesday
    for client in Client.objects.select_related("terms", "company"):
        for n in range(3):
            invoice_due(client, at.date() - (1 + 9 * n) * DAY)
    with time_machine.travel(at - 7 * DAY, tick=False):
        plan_reminders()
        deliver_messages()
    before = len(Postbox.took)
    jumped = (at + days * DAY).replace(hour=hour)
    held: set[str] = set()
    for later in range(0, 72, 3):
        with time_machine.travel(jumped + later * HOUR, tick=False):
            plan_reminders()
            deliver_messages()
        waiting = Message.objects.exclude(state__in=["sent", "cancelled"]).values_list("state", "held_for", "party")
        parties = [party for state, held_for, party in waiting if (state, held_for) == ("held", Hold.objects.get().key)]
        assert len(parties) == len(waiting) == len(set(parties)), "one message to a client, and every one is held"
        held.update(parties)
    assert len(Postbox.took) == before, "0 mails"
    hold = Hold.objects.get()
    assert hold.ended_at is None and hold.reason == "surge" and "nothing was planned since" in hold.detail
    assert held and (days < 48 or len(held) == len(ZONES))
