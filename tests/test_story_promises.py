"""Cases 8 and 9: excluding one invoice or client, and promises that pause and, when broken, resume.

Exclusion has a reason and an end; excluded items reappear on time and do not affect siblings. A promise on A pauses A
only; a part-kept promise is partly kept; at day-end plus grace it turns broken, a task is raised, the ladder resumes
where it was.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ar_collections.models import Promise, Task
from ar_collections.services.pausing import claim_paid, end_pause, pause_chasing
from ar_collections.services.promising import promise_payment, with_state
from core.errors import Refused
from disputes.services import open_dispute
from tests.cast import CLERK, invoice_due, pay
from tests.collecting import DAY, a_day, days_pass, sent_to, served

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 11, 9)
LATE = dt.date(2026, 11, 10)


def state(promise: Promise, on: dt.date) -> str:
    return with_state(Promise.objects.filter(pk=promise.pk), on).get().state


def test_a_promise_on_a_pauses_a_only(late_client):
    a, b = invoice_due(late_client, DUE), invoice_due(late_client, DUE)
    promise_payment(a, Decimal(1000), dt.date(2026, 11, 16), on=DUE, by="client")
    assert a_day(late_client.company, LATE).waiting == {(a.pk, "first_overdue"): "promise"}
    assert served(a) == [] and served(b) == [("first_overdue", LATE)]
    assert str(a) not in sent_to(late_client)[0].text


def test_a_kept_promise_raises_nothing(late_client):
    invoice = invoice_due(late_client, DUE)
    promise = promise_payment(invoice, Decimal(600), dt.date(2026, 11, 16), on=LATE, by="client")
    pay(late_client, "600", on=dt.date(2026, 11, 16))
    days_pass(late_client.company, dt.date(2026, 11, 16), dt.date(2026, 11, 19))
    assert state(promise, dt.date(2026, 11, 19)) == "kept"
    assert not Task.objects.filter(kind="promise_broken").exists()


@pytest.mark.parametrize(("paid", "judged"), [("0", "broken"), ("250", "partly")])
def test_broken_at_the_end_of_the_day_after_grace_then_a_task_once_and_the_ladder_resumes(late_client, paid, judged):
    company, invoice = late_client.company, invoice_due(late_client, DUE)
    promise = promise_payment(invoice, Decimal(1000), dt.date(2026, 11, 16), on=DUE, by="client")
    if paid != "0":
        pay(late_client, paid, on=dt.date(2026, 11, 16))
    days_pass(company, LATE, dt.date(2026, 11, 17))
    assert state(promise, dt.date(2026, 11, 17)) == "open" and served(invoice) == []
    days_pass(company, dt.date(2026, 11, 18), dt.date(2026, 11, 19))
    assert state(promise, dt.date(2026, 11, 18)) == judged
    assert Task.objects.filter(kind="promise_broken", invoice=invoice).count() == 1
    assert served(invoice) == [("reminder_1", dt.date(2026, 11, 18))]


def test_a_transfer_of_friday_that_is_found_on_monday_keeps_the_promise_taken_on_monday(late_client):
    invoice = invoice_due(late_client, DUE - 9 * DAY)
    promise = promise_payment(invoice, Decimal(1000), LATE, on=DUE, by="client")
    pay(late_client, "1000", on=DUE - 3 * DAY)
    a_day(late_client.company, LATE + 2 * DAY)
    assert state(promise, LATE + 2 * DAY) == "kept"
    assert not Task.objects.filter(kind="promise_broken").exists()


def test_what_had_come_before_a_promise_does_not_keep_it(late_client):
    invoice = invoice_due(late_client, DUE)
    pay(late_client, "400", on=DUE)
    promise = promise_payment(invoice, Decimal(300), LATE, on=DUE, by="client")
    assert state(promise, LATE + 2 * DAY) == "broken"
    pay(late_client, "600", on=LATE + 3 * DAY)
    assert state(promise, LATE + 3 * DAY) == "broken", "settled, but late"


def test_money_counts_for_the_promise_that_stands_and_not_for_the_one_it_replaced(late_client):
    invoice = invoice_due(late_client, DUE)
    first = promise_payment(invoice, Decimal(600), dt.date(2026, 11, 16), on=DUE, by=CLERK)
    second = promise_payment(invoice, Decimal(500), dt.date(2026, 11, 18), on=LATE, by=CLERK)
    pay(late_client, "700", on=LATE)
    assert [state(promise, LATE) for promise in (first, second)] == ["withdrawn", "kept"]
    third = promise_payment(invoice, Decimal(300), dt.date(2026, 11, 18), on=LATE + DAY, by=CLERK)
    assert [state(promise, LATE + DAY) for promise in (second, third)] == ["kept", "open"]


def test_the_last_promise_allowed_is_the_same_promise_when_it_is_asked_for_again(late_client):
    invoice = invoice_due(late_client, DUE)
    for day in (11, 12):
        said = (invoice, Decimal(900), dt.date(2026, 11, day))
        made = promise_payment(*said, on=LATE, by="client", by_client=True)
    assert promise_payment(*said, on=LATE, by="client", by_client=True) == made


def test_the_task_of_a_broken_promise_closes_itself_when_the_money_comes(late_client):
    company, invoice = late_client.company, invoice_due(late_client, DUE)
    promise_payment(invoice, Decimal(1000), LATE, on=DUE, by="client")
    a_day(company, dt.date(2026, 11, 12))
    pay(late_client, "1000", on=dt.date(2026, 11, 13))
    a_day(company, dt.date(2026, 11, 13))
    assert Task.objects.get(kind="promise_broken").closed_because == "Paid"


@pytest.mark.parametrize(
    ("amount", "day", "code"),
    [
        ("1000.01", 15, "too_much"), ("0", 15, "amount"), ("-5", 15, "amount"), ("1000", 9, "past"),
        ("1000", 30, "too_late"),
    ],
)
def test_a_promise_that_cannot_be_is_refused(late_client, amount, day, code):
    invoice = invoice_due(late_client, DUE)
    with pytest.raises(Refused) as refused:
        promise_payment(invoice, Decimal(amount), dt.date(2026, 11, day), on=LATE, by="client", by_client=True)
    assert refused.value.code == code
    assert not Promise.objects.exists()


def test_a_client_promises_twice_and_then_is_asked_to_call(late_client):
    invoice = invoice_due(late_client, DUE)
    for day in (11, 12):
        promise_payment(invoice, Decimal(10), dt.date(2026, 11, day), on=LATE, by="client", by_client=True)
    with pytest.raises(Refused, match="please call us"):
        promise_payment(invoice, Decimal(10), dt.date(2026, 11, 13), on=LATE, by="client", by_client=True)
    later = promise_payment(invoice, Decimal(10), dt.date(2026, 12, 30), on=LATE, by=CLERK)
    assert later.withdrawn_on is None and Promise.objects.filter(withdrawn_on=None).count() == 1


@pytest.mark.parametrize(("amount", "silenced"), [("0.01", False), ("299.99", False), ("300", True)])
def test_a_clients_promise_of_a_small_part_does_not_silence_the_whole_invoice(late_client, amount, silenced):
    """Half of what is open and undisputed, as the standard policy says: 600 of 1,000 here."""
    invoice = invoice_due(late_client, DUE)
    open_dispute(invoice, reason="price", amount=Decimal(400), on=DUE, by="client")
    promise_payment(invoice, Decimal(amount), dt.date(2026, 11, 16), on=DUE, by="client", by_client=True)
    a_day(late_client.company, LATE)
    assert served(invoice) == ([] if silenced else [("first_overdue", LATE)])


def test_what_a_clerk_took_down_pauses_however_small(late_client):
    invoice = invoice_due(late_client, DUE)
    promise_payment(invoice, Decimal(10), dt.date(2026, 11, 16), on=DUE, by=CLERK)
    assert a_day(late_client.company, LATE).waiting == {(invoice.pk, "first_overdue"): "promise"}


def test_an_excluded_invoice_reappears_on_time_and_does_not_affect_its_sibling(late_client):
    company = late_client.company
    a, b = invoice_due(late_client, DUE), invoice_due(late_client, DUE)
    pause_chasing(late_client, invoice=a, reason="credit note to come", until=dt.date(2026, 11, 12), on=DUE, by=CLERK)
    days_pass(company, LATE, dt.date(2026, 11, 13))
    assert served(b) == [("first_overdue", LATE)]
    assert served(a) == [("first_overdue", dt.date(2026, 11, 13))]


def test_a_pause_always_ends_and_can_be_ended(late_client):
    invoice = invoice_due(late_client, DUE)
    with pytest.raises(Refused):
        pause_chasing(late_client, reason="for ever", until=dt.date(2036, 1, 1), on=DUE, by=CLERK)
    with pytest.raises(Refused):
        pause_chasing(late_client, reason=" ", until=LATE, on=DUE, by=CLERK)
    pause = pause_chasing(late_client, reason="visit first", until=dt.date(2026, 11, 20), on=DUE, by=CLERK)
    a_day(late_client.company, LATE)
    assert served(invoice) == []
    end_pause(pause, on=dt.date(2026, 11, 11), by=CLERK)
    a_day(late_client.company, dt.date(2026, 11, 11))
    assert served(invoice) == [("first_overdue", dt.date(2026, 11, 11))]


def test_i_have_already_paid_pauses_and_somebody_looks_for_the_money(late_client):
    company, invoice = late_client.company, invoice_due(late_client, DUE)
    task = claim_paid(invoice, paid_on=DUE, reference="transfer 77", on=LATE, by="client")
    again = claim_paid(invoice, paid_on=DUE, reference="transfer 77", on=LATE, by="client")
    assert again.pk == task.pk and "transfer 77" in task.detail and invoice.pauses.count() == 1
    days_pass(company, LATE, dt.date(2026, 11, 17))
    assert served(invoice) == []
    a_day(company, dt.date(2026, 11, 18))
    assert served(invoice) == [("reminder_1", dt.date(2026, 11, 18))]
