"""post_entries: balances follow the ledger, the same key posts once, and the database refuses to forget."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from core.errors import Refused
from invoices.models import BANK, CUSTOMER_CREDIT, RECEIVABLE, Entry, Invoice
from invoices.services.ledger import NewEntry, post_entries, post_entry, reverse_entries
from tests.cast import CLERK, TODAY, make_invoice

pytestmark = pytest.mark.django_db


def payment_of(invoice, amount, key="k1", **facts):
    values = {
        "key": key,
        "doc": "d",
        "kind": "allocation",
        "client": invoice.client,
        "dr": CUSTOMER_CREDIT,
        "cr": RECEIVABLE,
        "amount": Decimal(amount),
        "currency": "EUR",
        "effective_on": TODAY,
        "invoice": invoice,
    }
    return NewEntry(**values | facts)


def test_an_entry_moves_the_balance_of_its_invoice(late_client):
    invoice = make_invoice(late_client, "1000")
    post_entry(payment_of(invoice, "400"), CLERK)
    assert Invoice.objects.get(pk=invoice.pk).balance == 600
    assert invoice.balance == 600, "the object in hand says the same"


def test_the_same_key_posts_once(late_client):
    invoice = make_invoice(late_client, "1000")
    first = post_entry(payment_of(invoice, "400"), CLERK)
    again = post_entry(payment_of(invoice, "400"), CLERK)
    assert first.pk == again.pk
    assert Invoice.objects.get(pk=invoice.pk).balance == 600


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "1000.01"])
def test_what_cannot_be_is_refused_and_nothing_is_posted(late_client, amount):
    invoice = make_invoice(late_client, "1000")
    before = Entry.objects.count()
    with pytest.raises(Refused):
        post_entries([payment_of(invoice, "10", "a"), payment_of(invoice, amount, "b")], CLERK)
    assert Entry.objects.count() == before
    assert Invoice.objects.get(pk=invoice.pk).balance == 1000


def test_currencies_are_never_mixed(late_client):
    invoice = make_invoice(late_client)
    with pytest.raises(Refused, match="in EUR, the amount in USD"):
        post_entry(payment_of(invoice, "10", currency="USD"), CLERK)


def test_a_reversal_mirrors_its_entry_once(late_client):
    invoice = make_invoice(late_client, "1000")
    entry = post_entry(payment_of(invoice, "400"), CLERK)
    [mirror] = reverse_entries([entry], CLERK, TODAY + dt.timedelta(days=3), "bounced")
    assert (mirror.dr, mirror.cr, mirror.reverses) == (RECEIVABLE, CUSTOMER_CREDIT, entry)
    assert reverse_entries([entry], CLERK, TODAY, "bounced")[0].pk == mirror.pk
    assert Invoice.objects.get(pk=invoice.pk).balance == 1000
    with pytest.raises(Refused, match="not reversed"):
        reverse_entries([mirror], CLERK, TODAY, "again")


@pytest.mark.parametrize("act", ["update", "delete", "raw"])
def test_the_database_refuses_to_change_an_entry(late_client, act):
    entry = post_entry(payment_of(make_invoice(late_client), "10", cr=BANK), CLERK)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        if act == "update":
            Entry.objects.filter(pk=entry.pk).update(memo="changed")
        elif act == "delete":
            Entry.objects.filter(pk=entry.pk).delete()
        else:
            from django.db import connection

            connection.cursor().execute("UPDATE invoices_entry SET amount = 1 WHERE id = %s", [entry.pk])


def test_an_issued_invoice_is_frozen_by_the_database(late_client):
    invoice = make_invoice(late_client)
    for change in ({"total": 1}, {"number": "X"}, {"due_on": TODAY}, {"frozen": {}}, {"late_percent": 99}):
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
            Invoice.objects.filter(pk=invoice.pk).update(**change)
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        invoice.lines.update(description="other")
