"""check_ledger over books with nothing in them, and beside somebody who writes."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from arledger.invariants import check
from core.invariants import Invariant
from invoices.models import Invoice, Series
from tests.cast import make_company


@pytest.mark.django_db
def test_empty_books_are_clean():
    assert check(timezone.now())["violations"] == []


@pytest.mark.django_db(transaction=True)
def test_nobody_who_writes_waits_for_the_check():
    """The check reads one moment of the books in a transaction of its own, without the write lock."""
    make_company()
    wrote = threading.Event()

    def write():
        Series.objects.all().count()
        make_company("us", currency="USD")
        connection.close()
        wrote.set()

    def slow(now):
        thread = threading.Thread(target=write)
        thread.start()
        assert wrote.wait(10)
        thread.join()
        return ["seen"] if Invoice.objects.exists() else []

    assert check(timezone.now(), table=[Invariant("L3", "", slow)])["violations"] == []
