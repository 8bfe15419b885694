"""Rows given column by column: as bulk_create would write them, on both databases."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DataError, connection, transaction

from clients.models import Client, CreditLimit
from core import bulk
from outbox.models import Message

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 18, 8, tzinfo=dt.UTC)
WORDS = 'a "quoted" \\ {line},\nNULL'


def rows(first: int, count: int) -> dict[str, list[object]]:
    return {
        "key": [f"k:{n}" for n in range(first, first + count)],
        "payload": [{"words": WORDS, "items": [[n, "é", 1]]} for n in range(first, first + count)],
        "not_before": [AT + dt.timedelta(hours=n) for n in range(first, first + count)],
        "message_id": [f"<{n}>" for n in range(first, first + count)],
        "reason": [WORDS if n % 2 else "" for n in range(first, first + count)],
        "attempts": list(range(first, first + count)),
        "lease_until": [None] * count,
    }


def test_what_is_written_is_what_bulk_create_would_write() -> None:
    same = {"kind": "notice", "party": "client:1", "on": dt.date(2026, 11, 18)}
    made = bulk.insert_columns(Message, rows(0, 3) | same, returning=("key", "id"))
    columns = [field.attname for field in Message._meta.concrete_fields if field.name not in ("id", "created_at")]
    wrote = list(Message.objects.order_by("key").values(*columns))
    assert made == list(Message.objects.order_by("pk").values_list("key", "pk"))
    assert all(Message.objects.values_list("created_at", flat=True))
    Message.objects.all().delete()
    given = rows(0, 3)
    Message.objects.bulk_create(Message(**same, **{name: given[name][n] for name in given}) for n in range(3))
    assert list(Message.objects.order_by("key").values(*columns)) == wrote


def test_a_key_that_is_there_stays_and_many_rows_go_in_several_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    same = {"kind": "notice", "on": dt.date(2026, 11, 18)}
    bulk.insert_columns(Message, rows(3, 1) | same | {"party": "first"})
    monkeypatch.setattr(bulk, "AT_ONCE", 4)
    made = bulk.insert_columns(Message, rows(0, 10) | same | {"party": "second"}, returning=("key",))
    assert len(made) == 9 and Message.objects.count() == 10
    assert Message.objects.get(key="k:3").party == "first"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite knows no lengths")
def test_what_is_too_long_is_refused_and_not_cut_off() -> None:
    assert connection.vendor == "postgresql"
    for kind in (["n" * 31], "n" * 31):
        with pytest.raises(DataError), transaction.atomic():
            bulk.insert_columns(Message, rows(0, 1) | {"kind": kind, "on": dt.date(2026, 11, 18)})


def test_an_amount_stays_the_amount(late_client: Client) -> None:
    amounts = [Decimal("12.5"), Decimal(7)]
    same = {"client_id": late_client.pk, "effective_on": AT.date(), "currency": "EUR"}
    bulk.insert_columns(CreditLimit, {"amount": amounts} | same)
    assert list(CreditLimit.objects.order_by("-amount").values_list("amount", flat=True)) == amounts
