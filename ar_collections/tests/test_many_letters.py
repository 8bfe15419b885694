"""Many reminders leave one after the other: each says what stands when it is written, and costs few questions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ar_collections.models import CopyOnce
from ar_collections.services.copies import copy_next, withdraw_copy
from clients.models import Client
from clients.services.status import set_status
from invoices.services.extending import agree_extension
from outbox import kinds
from outbox.models import Message
from outbox.services import deliver
from policies.models import Policy
from policies.services import save_step_text
from tests.cast import CLERK, invoice_due, make_client, make_manager, pay
from tests.collecting import a_day, policy_named

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 1, 5)  # a Monday
LATE = DUE + dt.timedelta(days=8)
NOON = dt.datetime.combine(LATE, dt.time(12), tzinfo=dt.UTC)
QUESTIONS = 27  # to the database for one letter more; beginning and ending transactions do not count


def waiting(company: Any, count: int) -> list[Client]:
    """So many clients with a reminder that waits."""
    clients = [make_client(company, f"C-{n}", email=f"ap{n}@client.example") for n in range(1, count + 1)]
    for client in clients:
        invoice_due(client, DUE)
    a_day(company, LATE, send=False)
    assert Message.objects.filter(state="pending", kind="notice").count() == count
    return clients


def after_the_first(monkeypatch: Any, change: Callable[[], object]) -> None:
    """Something happens while a drain is on its way: the first letter has left, the next was not yet written."""
    kind, left = kinds.kind_of("notice"), []

    def after(message: Message, state: str) -> None:
        kind.after(message, state)
        if not left:
            left.append(message)
            change()

    monkeypatch.setitem(kinds._kinds, "notice", kinds.Kind(**{**vars(kind), "after": after}))


def letter_to(client: Client) -> Message:
    return Message.objects.get(party=f"client:{client.pk}", kind="notice")


@pytest.fixture
def two(company: Any) -> list[Client]:
    return waiting(company, 2)


def test_what_is_paid_while_others_leave_is_not_asked_for(two: list[Client], monkeypatch: Any) -> None:
    after_the_first(monkeypatch, lambda: pay(two[1], "400", on=LATE))
    deliver(NOON)
    assert "600.00" in letter_to(two[1]).text and "1,000.00" in letter_to(two[0]).text


def test_time_agreed_while_others_leave_stops_the_reminder(two: list[Client], monkeypatch: Any) -> None:
    until = LATE + dt.timedelta(days=10)
    invoice = two[1].invoices.get()
    after_the_first(
        monkeypatch,
        lambda: agree_extension(invoice, until, interest="runs", reason="Asked", on=LATE, by=CLERK),
    )
    deliver(NOON)
    assert letter_to(two[1]).state == "cancelled"


def test_credit_that_ends_while_others_leave_is_said(two: list[Client], monkeypatch: Any) -> None:
    save_step_text("standard", "reminder_1", "plain", "en", "", "Please pay.\n\n{{ cash_only }}", on=LATE, by=CLERK)
    by = make_manager()
    after_the_first(
        monkeypatch, lambda: set_status(two[1], "cash_only", because="Late", source="hand", on=LATE, by=by)
    )
    deliver(NOON)
    assert "in advance" in letter_to(two[1]).text and "in advance" not in letter_to(two[0]).text


def test_a_copy_asked_for_while_others_leave_goes_and_one_taken_back_does_not(
    two: list[Client], monkeypatch: Any
) -> None:
    taken_back = copy_next(two[1], "old@client.example", knows_outsider=True, by=CLERK)

    def change() -> None:
        withdraw_copy(taken_back, at=NOON, by=CLERK)
        copy_next(two[1], "new@client.example", knows_outsider=True, by=CLERK)

    after_the_first(monkeypatch, change)
    deliver(NOON)
    assert letter_to(two[1]).cc_addr == "new@client.example"
    assert CopyOnce.objects.get(address="new@client.example").message == letter_to(two[1])


def test_a_copy_asked_for_once_goes_once_though_two_letters_to_one_client_wait(two: list[Client]) -> None:
    first = letter_to(two[0])
    Message.objects.create(
        key=f"{first.key}:r1", kind="notice", party=first.party, on=first.on, payload=first.payload,
        message_id="<again@us.test>", not_before=first.not_before,
    )
    copy_next(two[0], "once@client.example", knows_outsider=True, by=CLERK)
    assert deliver(NOON)["sent"] == 3
    assert [m.cc_addr for m in Message.objects.filter(party=first.party).order_by("pk")] == ["once@client.example", ""]


@pytest.mark.parametrize("gone", [{"is_active": False}, {"bounced_at": NOON}])
def test_nobody_writes_to_who_went_while_others_left(
    two: list[Client], monkeypatch: Any, gone: dict[str, Any]
) -> None:
    after_the_first(monkeypatch, lambda: two[1].contacts.update(**gone))
    deliver(NOON)
    assert letter_to(two[1]).state == "cancelled"


def test_our_own_words_hold_from_the_next_drain_on(two: list[Client]) -> None:
    assert deliver(NOON, limit=1)["sent"] == 1
    save_step_text("standard", "reminder_1", "plain", "en", "", "Dear {{ client }}, hello again.", on=LATE, by=CLERK)
    deliver(NOON)
    assert "hello again" in letter_to(two[1]).text


def test_one_that_cannot_be_written_keeps_no_other_from_going(company: Any) -> None:
    """A client who is not there, and a message that names none."""
    clients = waiting(company, 4)
    for client, payload in ((clients[0], {"items": []}), (clients[2], {"client": 10**6, "items": []})):
        Message.objects.filter(pk=letter_to(client).pk).update(payload=payload)
    assert deliver(NOON)["sent"] == 2
    assert [letter_to(client).state for client in clients] == ["pending", "sent", "pending", "sent"]


def test_two_policies_in_one_batch_keep_apart(company: Any) -> None:
    """The answers to one question about two names are two answers."""
    policy_named("quiet", quiet_periods=["01-01 to 01-31"])
    clients = [make_client(company, f"C-{n}", email=f"ap{n}@client.example") for n in (1, 2)]
    for client in clients:
        invoice_due(client, DUE)
    a_day(company, LATE, send=False)
    message = letter_to(clients[1])
    Message.objects.filter(pk=message.pk).update(payload={**message.payload, "policy": "quiet"})
    assert Policy.objects.in_force("quiet", LATE).quiet_periods
    deliver(NOON)
    assert [letter_to(client).state for client in clients] == ["sent", "cancelled"]


def test_a_letter_more_costs_few_questions(company: Any, monkeypatch: Any) -> None:
    """The settings are asked once; what is left is asked for every one of them, for it may have changed."""
    monkeypatch.setattr("core.batches.SECONDS", 3600)
    waiting(company, 6)
    deliver(NOON, limit=1)

    def questions(count: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert deliver(NOON, limit=count)["sent"] == count
        return sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")) for query in asked)

    few, more = questions(1), questions(3)
    assert more - few <= 2 * QUESTIONS
