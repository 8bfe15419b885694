"""Two years of a real book, day by day: who was reminded, and why the others were not.

At the end of the day a step is reached so many invoices were open; so many of them were served with the step. What
lies between is named by the rule that held it back, and the sum closes exactly.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from ar_collections.models import Served, Task
from ar_collections.services.days import run_day
from arledger.invariants import check as check_ledger
from audit.models import Event
from clients.models import Client, Contact
from core.models import Company
from imports.cells import Reading
from imports.services.open_items import Taking, import_open_items
from invoices.models import RECEIVABLE, Entry, Invoice
from outbox import transport
from outbox.models import Message
from tests.cast import make_company
from tests.real_data import IBM, IBM_DATES, IBM_MAP, needs_ibm

pytestmark = pytest.mark.django_db

STEPS = {"pre_due": -7, "first_overdue": 1, "reminder_1": 8}
BY_RULE = {"window", "spacing", "passed over"}
FIRST, LAST = dt.date(2012, 1, 3), dt.date(2014, 1, 10)


class Postbox:
    """Takes every letter at once and keeps none: what was sent stands in the outbox."""

    def open(self) -> bool:
        return False

    def hand_over(self, letter: Any, before_body: Callable[[], None]) -> transport.Taken:
        before_body()
        return transport.Taken("250 taken")

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "current", Postbox)
    monkeypatch.setattr("invoices.pdf.print_html", lambda html, **_look: b"%PDF-1.7 printed elsewhere")


def take_over(company: Company, content: bytes, reading: Reading) -> None:
    import_open_items(content, Taking(reading=reading, source="book.csv"), on=dt.date(2012, 1, 1), by="test")
    Contact.objects.bulk_create(
        Contact(client=client, name=f"Accounts payable of {client.name}", email=f"ap{client.pk}@client.example")
        for client in Client.objects.filter(company=company)
    )


def every_day(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    for n in range((last - first).days + 1):
        yield first + dt.timedelta(days=n)


def state_of_the_book() -> tuple[int, ...]:
    """What a second run of a day must leave as it is."""
    return tuple(model.objects.count() for model in (Served, Message, Task, Entry, Event))


def replay(company: Company, first: dt.date, last: dt.date) -> dict[tuple[int, str], str]:
    """Run every day twice; answers which rule last held back each invoice and step."""
    held_back: dict[tuple[int, str], str] = {}
    for on in every_day(first, last):
        if on == first or on.day == 1:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")  # the book lies in one open transaction, which no autovacuum sees
        day = run_day([company], on, send=True, by="test")
        assert day.counts["failed"] == day.counts["unknown"] == 0
        held_back |= day.waiting
        before = state_of_the_book()
        again = run_day([company], on, send=True, by="test").to_json()
        assert (again["planned"], again["sent"], again["cancelled"], again["per_step"]) == (0, 0, 0, {}), on
        assert state_of_the_book() == before, on
    return held_back


def settled_on() -> dict[int, dt.date]:
    """From the entries themselves: the day on which each invoice was paid in full."""
    paid = Entry.objects.filter(cr=RECEIVABLE, kind="allocation").order_by("effective_on")
    return dict(paid.values_list("invoice", "effective_on"))


def account_for(held_back: dict[tuple[int, str], str]) -> dict[str, tuple[int, int, Counter[str]]]:
    """Per step: invoices open at the end of its day, invoices served, and the difference by rule."""
    paid = settled_on()
    found = {}
    for step, offset in STEPS.items():
        open_then = {
            pk for pk, due_on in Invoice.objects.values_list("pk", "due_on")
            if paid.get(pk, dt.date.max) > due_on + dt.timedelta(days=offset)
        }
        rows = Served.objects.filter(step=step).values_list("invoice", "outcome")
        served = {pk for pk, outcome in rows if outcome == "served"}
        passed = {pk for pk, outcome in rows if outcome == "skipped"}
        assert served <= open_then
        why = Counter("passed over" if pk in passed else held_back[pk, step] for pk in open_then - served)
        found[step] = (len(open_then), len(served), why)
    return found


def check(company: Company, first: dt.date, last: dt.date) -> dict[str, tuple[int, int, Counter[str]]]:
    found = account_for(replay(company, first, last))
    print()
    for step, (open_then, served, why) in found.items():
        print(f"{step:<14} open {open_then:>5}  served {served:>5}  difference {open_then - served:>4}: {dict(why)}")
        assert served + sum(why.values()) == open_then
        assert set(why) <= BY_RULE
    paid = settled_on()
    for pk, on in Served.objects.filter(outcome="served").values_list("invoice", "on"):
        assert paid.get(pk, dt.date.max) > on, "served on or after the day it was paid"
    once = Counter(Served.objects.values_list("invoice", "step", "cycle"))
    assert set(once.values()) == {1}
    per_client = Counter(Message.objects.filter(kind="notice").values_list("party", "on"))
    assert set(per_client.values()) == {1}, "one message per client and day"
    assert not Message.objects.exclude(state__in=["sent", "cancelled"]).exists()
    assert check_ledger(timezone.now())["violations"] == []
    return found


@needs_ibm
@pytest.mark.nightly
def test_two_years_of_the_ibm_book() -> None:
    company = make_company("us", currency="USD", country="US", time_zone="America/New_York")
    take_over(company, IBM.read_bytes(), Reading(mapping=IBM_MAP, date_format=IBM_DATES, currency="USD"))
    found = check(company, FIRST, LAST)
    assert [found[step][0] for step in STEPS] == [1421, 816, 409]


def test_a_likeness_of_our_own() -> None:
    """The same every day: the ten weeks in which a made-up book of 200 invoices is chased."""
    company = make_company("us", currency="USD", country="US", time_zone="America/New_York")
    book = random.Random(7)
    rows = ["no,client,issued,due,total,settled"]
    for n in range(200):
        issued = dt.date(2012, 1, 3) + dt.timedelta(days=book.randrange(45))
        settled = issued + dt.timedelta(days=max(1, int(book.gauss(31, 9))))
        amount = Decimal(book.randrange(500, 20_000)) / 100
        rows.append(f"{n:06d},K-{book.randrange(12):02d},{issued},{issued + dt.timedelta(days=30)},{amount},{settled}")
    mapping = {
        "number": "no", "client": "client", "issued_on": "issued", "due_on": "due", "total": "total",
        "settled_on": "settled",
    }
    take_over(company, "\n".join(rows).encode(), Reading(mapping=mapping, date_format="%Y-%m-%d", currency="USD"))
    found = check(company, dt.date(2012, 1, 24), dt.date(2012, 4, 2))
    assert all(served > 20 for _open, served, _why in found.values())
    assert any("spacing" in why for _open, _served, why in found.values())
    assert any("window" in why for _open, _served, why in found.values())
