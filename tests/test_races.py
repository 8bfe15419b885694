"""What happens at the same time: money stays exact and numbers keep no gap, whichever thread comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connections

from invoices.models import Entry, Invoice, Series
from invoices.services.issuing import issue_invoice
from payments.models import Payment
from payments.services import record_payment, unapplied_cash
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


def at_once(act: Callable[[int], None], times: int) -> None:
    """Run ``act(n)`` for every n below ``times`` on eight threads; the first failure is raised."""
    waiting = list(range(times))
    failures: list[BaseException] = []
    lock = threading.Lock()

    def work() -> None:
        try:
            while True:
                with lock:
                    if not waiting or failures:
                        return
                    n = waiting.pop(0)
                act(n)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_payments_sent_twice_by_many_threads_are_counted_once_each() -> None:
    client = make_client(make_company())
    invoice = make_invoice(client, "1000")

    def pay(n: int) -> None:
        record_payment(client, Decimal(1), "EUR", received_on=TODAY, key=f"pay-{n // 2}", by=CLERK)

    at_once(pay, 200)
    assert Payment.objects.count() == 100
    assert Invoice.objects.get(pk=invoice.pk).balance == 900
    assert unapplied_cash(client) == {}


def test_more_is_never_allocated_than_is_owed() -> None:
    client = make_client(make_company())
    invoice = make_invoice(client, "50")
    at_once(lambda n: record_payment(client, Decimal(10), "EUR", received_on=TODAY, key=f"p{n}", by=CLERK) and None, 16)
    assert Invoice.objects.get(pk=invoice.pk).balance == 0
    assert unapplied_cash(client) == {"EUR": 110}


def test_numbers_have_no_gap_under_threads_and_rollbacks() -> None:
    client = make_client(make_company())
    drafts = [make_draft(client) for _ in range(40)]

    class Stop(Exception):
        pass

    def issue(n: int) -> None:
        from django.db import transaction

        try:
            with transaction.atomic():
                issue_invoice(drafts[n], on=TODAY, by=CLERK)
                if n % 3 == 0:
                    raise Stop
        except Stop:
            pass

    at_once(issue, len(drafts))
    numbers = sorted(Invoice.objects.exclude(seq=None).values_list("seq", flat=True))
    assert numbers == list(range(1, 27))
    assert Series.objects.get().last == 26


def test_the_same_draft_issued_by_two_people_is_issued_once() -> None:
    client = make_client(make_company())
    draft = make_draft(client)
    at_once(lambda n: issue_invoice(draft, on=TODAY, by=f"clerk {n}") and None, THREADS)
    assert Series.objects.get().last == 1
    assert Entry.objects.filter(kind="issue").count() == 1


