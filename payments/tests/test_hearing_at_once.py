"""Webhooks of one payment arrive at the same moment, each a hundred times: one payment, whichever comes first."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections

from arledger.invariants import check
from invoices.models import Entry, Invoice
from payments.models import Checkout, Payment, ProviderEvent, Refund
from payments.services.hearing import hear
from payments.services.refunds import refund_payment
from payments.tests.provided import AT, SANDBOX, begin, offer_card, paid_by_card, word
from tests.cast import TODAY, make_client, make_company, make_invoice, make_manager, pay

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time"),
]
THREADS = 12


def at_once(acts: list[Callable[[], Any]]) -> None:
    """All of them on twelve threads that start together; the first failure is raised."""
    failures: list[BaseException] = []
    together, lock = threading.Barrier(THREADS), threading.Lock()

    def work() -> None:
        try:
            connection.ensure_connection()
            together.wait(timeout=60)
            while not failures:
                with lock:
                    if not acts:
                        return
                    act = acts.pop()
                act()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.fixture
def invoice() -> Any:
    company = make_company()
    offer_card(company)
    return make_invoice(make_client(company), "1200")


def test_each_word_a_hundred_times_at_once_is_one_payment(invoice: Any) -> None:
    checkout = begin(invoice).checkout
    words = [word(checkout, kind) for kind in ("pending", "succeeded", "succeeded", "failed")]
    acts = [lambda each=each: hear(SANDBOX, each, at=AT) for each in words * 100]
    random.Random("at once").shuffle(acts)
    at_once(acts)
    assert Payment.objects.count() == 1 and ProviderEvent.objects.count() == 4
    assert Entry.objects.filter(kind="payment").count() == 1
    assert Invoice.objects.get().balance == 0 and Checkout.objects.get().state == "succeeded"
    assert check(AT)["violations"] == []


def test_refunds_chargebacks_and_transfers_at_once_keep_the_books(invoice: Any) -> None:
    client = invoice.client
    checkout = paid_by_card(client, invoice)
    payment, manager = checkout.payment, make_manager()
    assert payment is not None
    for n in range(4):
        make_invoice(client, f"{100 + n}")
    later = AT + dt.timedelta(hours=1)
    said = [
        word(checkout, "refunded", amount=Decimal(300), about="ch_1"),
        word(checkout, "chargeback", amount=Decimal(500), about="dp_1"),
        word(checkout, "chargeback_closed", amount=Decimal(500), about="dp_1", won=True),
    ]
    acts: list[Callable[[], Any]] = [lambda each=each: hear(SANDBOX, each, at=later) for each in said * 20]  # type: ignore[misc]
    acts += [
        lambda n=n: refund_payment(payment, Decimal(100), reason="x", key=f"f{n % 2}", on=TODAY, by=manager)  # type: ignore[misc]
        for n in range(20)
    ]
    acts += [lambda: pay(client, "10") for _n in range(20)]
    random.Random("books").shuffle(acts)
    at_once(acts)
    assert Refund.objects.filter(kind="refund").count() >= 2 and Refund.objects.filter(kind="chargeback").count() == 1
    assert Refund.objects.get(kind="chargeback").state == "won"
    assert check(AT)["violations"] == []


def test_one_form_sent_by_many_threads_begins_one_payment(invoice: Any) -> None:
    at_once([lambda: begin(invoice, key="form") for _n in range(40)])
    assert Checkout.objects.count() == 1
