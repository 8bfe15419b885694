"""Sixteen people issue at the same moment: whoever comes first, the limit is never passed and no cash counts twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections

from clients.models import LimitMark
from clients.services.limits import set_limit
from clients.services.status import set_status
from core.errors import Refused
from invoices.models import Invoice
from invoices.services.exposure import exposure_of
from invoices.services.issuing import issue_invoice
from payments.services import record_payment
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, pay

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time"),
]
THREADS = 16


def all_at_once(act: Callable[[int], Any]) -> Counter[str]:
    """Run ``act(n)`` on sixteen threads that start together; how often each went well or was refused, by rule."""
    outcomes: Counter[str] = Counter()
    failures: list[BaseException] = []
    together, lock = threading.Barrier(THREADS), threading.Lock()

    def work(n: int) -> None:
        try:
            connection.ensure_connection()
            together.wait(timeout=60)
            try:
                act(n)
                outcome = "went well"
            except Refused as refused:
                outcome = refused.code
            with lock:
                outcomes[outcome] += 1
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return outcomes


@pytest.fixture
def client() -> Any:
    client = make_client(make_company())
    set_limit(client, Decimal(1000), "EUR", because="test", source="import", on=TODAY, by=CLERK)
    return client


def test_sixteen_threads_issuing_at_once_never_pass_the_limit(client):
    drafts = [make_draft(client, "150") for _ in range(THREADS)]
    outcomes = all_at_once(lambda n: issue_invoice(drafts[n], on=TODAY, by=f"clerk {n}"))
    assert outcomes == {"went well": 6, "over_limit": 10}
    assert exposure_of(client, "EUR", TODAY).total == 900
    assert sorted(LimitMark.objects.values_list("percent", flat=True)) == [80, 90]


def test_nor_where_payments_come_in_between(client):
    drafts = [make_draft(client, "400") for _ in range(THREADS // 2)]

    def act(n: int) -> None:
        if n % 2:
            record_payment(client, Decimal(100), "EUR", received_on=TODAY, key=f"p{n}", by=CLERK)
        else:
            issue_invoice(drafts[n // 2], on=TODAY, by=CLERK)

    outcomes = all_at_once(act)
    issued = outcomes["went well"] - THREADS // 2
    assert issued == Invoice.objects.issued().count() and 2 <= issued <= 4
    assert exposure_of(client, "EUR", TODAY).total == issued * 400 - 800 <= 1000


def test_cash_pays_one_order_in_advance_and_not_two(client):
    set_status(client, "cash_only", because="late", source="policy", on=TODAY, by="system")
    pay(client, "300", how="none")
    drafts = [make_draft(client, "100") for _ in range(THREADS)]
    outcomes = all_at_once(lambda n: issue_invoice(drafts[n], on=TODAY, by=CLERK))
    assert outcomes == {"went well": 3, "cash_only": 13}
