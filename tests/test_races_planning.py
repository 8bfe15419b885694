"""Several planners at once: each reminder is planned once, whoever comes first."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from contextlib import suppress

import pytest

from ar_collections.models import Hold, Served, Task
from ar_collections.services.contact_log import log_contact
from ar_collections.services.holding import hold_first_run, release_hold
from ar_collections.services.pausing import claim_paid
from ar_collections.services.planning import plan
from core.errors import Refused
from outbox.models import Message
from tests.cast import CLERK, invoice_due, make_client, make_company, pay
from tests.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ON = dt.date(2026, 11, 18)
CLIENTS = 30


def test_eight_planners_plan_every_message_and_call_once() -> None:
    company = make_company()
    for n in range(CLIENTS):
        client = make_client(company, f"R-{n}")
        invoice_due(client, ON - dt.timedelta(days=1))
        invoice_due(client, ON - dt.timedelta(days=14))
    at_once(lambda n: plan(company, ON, by="system") and None, 16)
    assert Message.objects.filter(kind="notice").count() == CLIENTS
    assert Task.objects.filter(kind="call").count() == CLIENTS
    rows = Counter(Served.objects.values_list("invoice", "step", "cycle"))
    assert set(rows.values()) == {1}
    served = Counter(Served.objects.filter(outcome="served").values_list("step", flat=True))
    assert served == {"first_overdue": CLIENTS, "reminder_1": CLIENTS, "call_1": CLIENTS}


def test_planners_and_payments_at_once_never_wait_crosswise() -> None:
    company = make_company()
    clients = [make_client(company, f"R-{n}") for n in range(12)]
    for client in clients:
        invoice_due(client, ON - dt.timedelta(days=1))

    def act(n: int) -> None:
        if n % 2:
            plan(company, ON, by="system")
        else:
            pay(clients[n // 2], "10", on=ON, key=f"race-{n}")

    at_once(act, 24)
    assert Message.objects.count() == 12


def test_one_hold_one_release_one_claim_one_log() -> None:
    company = make_company()
    client = make_client(company)
    invoice = invoice_due(client, ON - dt.timedelta(days=1))
    at_once(lambda n: hold_first_run(company, by="import") and None, 8)
    hold = Hold.objects.get()
    released: list[int] = []

    def release(n: int) -> None:
        with suppress(Refused):
            released.append(release_hold(hold, by=CLERK))

    at_once(release, 8)
    assert len(released) == 1
    at_once(lambda n: claim_paid(invoice, on=ON, by="client") and None, 8)
    assert Task.objects.filter(kind="matching").count() == 1 and invoice.pauses.count() == 1
    at = dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC)
    at_once(
        lambda n: log_contact(
            client, key="form-1", channel="call", direction="out", outcome="spoke", happened_at=at, on=ON, by=CLERK
        ) and None,
        8,
    )
    assert client.contact_log.count() == 1
