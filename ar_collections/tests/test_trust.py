"""Status by the policy: when it becomes stricter, what is held against nobody, when it ends, and who is told."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from ar_collections.models import Hold, Task
from ar_collections.services.credit_letters import tell_credit
from ar_collections.services.holding import discard_hold, release_hold
from ar_collections.services.pausing import pause_chasing
from ar_collections.services.promising import promise_payment
from ar_collections.services.trust import judge_status, lift_cleared, open_credit_again
from ar_collections.tasks import credit_of_the_day, lift_cash_only
from clients.models import Client, CreditCheck, StatusChange
from clients.services.deciding import decide_credit
from clients.services.status import set_status, status_of
from core.errors import Refused
from disputes.models import Dispute
from outbox.models import Message
from outbox.services import deliver
from payments.services import take_back_payment
from policies.credit import credit_policy_of, new_credit_version
from policies.models import CreditPolicy
from tests.cast import CLERK, invoice_due, make_client, make_manager, pay
from tests.collecting import a_day

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invoices.pdf.print_html", lambda html, **_look: html.encode())


def status(client: Client, on: dt.date = ON) -> str:
    standing = status_of(client, on)
    return standing.status if standing else "open"


def notices(client: Client) -> list[Message]:
    return list(Message.objects.filter(kind="credit_notice", party=f"client:{client.pk}").order_by("pk"))


def with_policy(company: Any, **changes: Any) -> CreditPolicy:
    old = credit_policy_of(company, ON)
    return new_credit_version(old, effective_from=dt.date(2001, 1, 1), changes=changes, on=dt.date(2000, 1, 1), by="t")


@pytest.mark.parametrize(("days", "expected"), [(14, "open"), (15, "watch"), (59, "watch"), (60, "cash_only")])
def test_days_overdue_move_the_status(late_client, days, expected):
    invoice_due(late_client, ON - days * DAY)
    judge_status(late_client.company, ON, by="system")
    assert status(late_client) == expected
    before = StatusChange.objects.count()
    assert not judge_status(late_client.company, ON, by="system").did_something
    assert StatusChange.objects.count() == before


def test_a_large_sum_is_enough_and_the_reason_says_so(late_client):
    invoice_due(late_client, ON - DAY, "25000")
    change, = judge_status(late_client.company, ON, by="system").moved
    assert (change.status, change.because) == ("cash_only", "25000.00 EUR overdue (from 25000.00 EUR)")
    assert change.reasons[0]["code"] == "sum" and change.policy == credit_policy_of(late_client.company, ON)


def test_two_broken_promises_or_a_returned_payment_count_while_something_is_overdue(late_client, good_client):
    invoice = invoice_due(late_client, ON - 12 * DAY)
    for n in (10, 6):
        promise_payment(invoice, Decimal(1000), ON - n * DAY, on=ON - (n + 1) * DAY, by=CLERK)
    payment = pay(good_client, "500", on=ON - 5 * DAY, how="none")
    take_back_payment(payment, reason="bounced", on=ON - 3 * DAY, by=CLERK, returned_by_bank=True)
    judge_status(late_client.company, ON, by="system")
    assert (status(late_client), status(good_client)) == ("cash_only", "open")
    invoice_due(good_client, ON - DAY)
    judge_status(late_client.company, ON, by="system")
    assert status(good_client) == "cash_only"


def test_a_payment_that_was_only_recorded_wrongly_is_held_against_nobody(good_client):
    invoice_due(good_client, ON - DAY)
    wrong = pay(good_client, "500", on=ON - 5 * DAY, how="none")
    take_back_payment(wrong, reason="another client's money", on=ON - 3 * DAY, by=CLERK)
    assert not judge_status(good_client.company, ON, by="system").did_something
    assert status(good_client) == "open"


@pytest.mark.parametrize("why", ["disputed", "promised", "paused", "cash"])
def test_what_is_disputed_promised_paused_or_covered_is_held_against_nobody(late_client, why):
    invoice = invoice_due(late_client, ON - 70 * DAY)
    if why == "disputed":
        Dispute.objects.create(invoice=invoice, opened_on=ON - DAY, revisit_on=ON + 9 * DAY, opened_by=CLERK)
    elif why == "promised":
        promise_payment(invoice, Decimal(1000), ON + 3 * DAY, on=ON - DAY, by=CLERK)
    elif why == "paused":
        pause_chasing(late_client, reason="visit first", until=ON + 3 * DAY, on=ON, by=CLERK)
    else:
        pay(late_client, "1000", on=ON, how="none")
    assert not judge_status(late_client.company, ON, by="system").did_something
    assert status(late_client) == "open"


def test_it_ends_when_everything_overdue_is_cleared_and_not_before(late_client):
    company = late_client.company
    invoice_due(late_client, ON - 70 * DAY)
    invoice_due(late_client, ON - 2 * DAY, "200")
    invoice_due(late_client, ON + 9 * DAY)
    judge_status(company, ON, by="system")
    pay(late_client, "1000")
    assert not lift_cleared(company, ON, by="system").did_something and status(late_client) == "cash_only"
    pay(late_client, "200")
    change, = lift_cleared(company, ON, by="system").lifted
    assert (status(late_client), change.because) == ("open", "Everything overdue is cleared")
    assert not judge_status(company, ON, by="system").did_something


def test_a_day_that_is_past_is_judged_by_what_was_owed_then(late_client, good_client):
    for client, paid_on in ((late_client, ON + DAY), (good_client, ON)):
        invoice_due(client, ON - 70 * DAY)
        pay(client, "400", on=ON - 9 * DAY)
        pay(client, "600", on=paid_on)
    judge_status(late_client.company, ON, by="system")
    assert (status(late_client), status(good_client)) == ("cash_only", "open")


def test_a_promise_does_not_clear_what_is_owed(late_client):
    invoice = invoice_due(late_client, ON - 70 * DAY)
    judge_status(late_client.company, ON, by="system")
    promise_payment(invoice, Decimal(1000), ON + 3 * DAY, on=ON, by=CLERK)
    assert not lift_cleared(late_client.company, ON, by="system").did_something


def test_a_dispute_does_not_clear_what_is_owed_and_a_person_may_give_credit_all_the_same(late_client):
    company, invoice = late_client.company, invoice_due(late_client, ON - 70 * DAY)
    judge_status(company, ON, by="system")
    Dispute.objects.create(invoice=invoice, opened_on=ON, revisit_on=ON + 9 * DAY, opened_by="client")
    assert not judge_status(company, ON, by="system").did_something and status(late_client) == "cash_only"
    open_credit_again(late_client, because="they are right", on=ON, by=make_manager())
    assert not judge_status(company, ON, by="system").did_something and status(late_client) == "open"


def test_what_was_forgiven_once_does_not_come_back(late_client):
    company, invoice = late_client.company, invoice_due(late_client, ON - 12 * DAY)
    for n in (10, 6):
        promise_payment(invoice, Decimal(1000), ON - n * DAY, on=ON - (n + 1) * DAY, by=CLERK)
    judge_status(company, ON, by="system")
    pay(late_client, "1000")
    judge_status(company, ON, by="system")
    invoice_due(late_client, ON + 5 * DAY)
    judge_status(company, ON + 8 * DAY, by="system")
    assert status(late_client, ON + 8 * DAY) == "open"


def test_a_status_by_hand_is_not_overruled_until_it_ends(late_client):
    company, manager = late_client.company, make_manager()
    invoice_due(late_client, ON - 70 * DAY)
    set_status(
        late_client, "watch", because="agreed a plan", source="hand", on=ON, ends_on=ON + 3 * DAY, by=manager
    )
    judge_status(company, ON + 3 * DAY, by="system")
    assert status(late_client, ON + 3 * DAY) == "watch"
    judge_status(company, ON + 4 * DAY, by="system")
    assert status(late_client, ON + 4 * DAY) == "cash_only"


def test_a_stricter_status_stays_and_comes_back_after_cash_only(late_client):
    company = late_client.company
    invoice_due(late_client, ON - 20 * DAY)
    assert decide_credit(late_client, on=ON - 90 * DAY, by=CLERK).outcome == "stricter"  # no check was ever made
    assert judge_status(company, ON, by="system").moved == [] and status(late_client) == "stricter"
    judge_status(company, ON + 40 * DAY, by="system")
    assert status(late_client, ON + 40 * DAY) == "cash_only"
    pay(late_client, "1000", on=ON + 40 * DAY)
    lift_cleared(company, ON + 40 * DAY, by="system")
    standing = status_of(late_client, ON + 40 * DAY)
    assert (standing.status, standing.terms_days) == ("stricter", 14)


def test_after_a_review_where_the_policy_wants_one(late_client):
    company = late_client.company
    with_policy(company, lifts="after_review")
    invoice_due(late_client, ON - 70 * DAY)
    judge_status(company, ON, by="system")
    pay(late_client, "1000")
    assert judge_status(company, ON, by="system").to_review == 1
    assert judge_status(company, ON, by="system").to_review == 0 and status(late_client) == "cash_only"
    task = Task.objects.get(kind="review")
    assert "decide whether the client has credit again" in task.because
    with pytest.raises(Refused, match="may not"):
        open_credit_again(late_client, because="spoke with them", on=ON, by=CLERK)
    open_credit_again(late_client, because="spoke with them", on=ON, by=make_manager())
    task.refresh_from_db()
    assert status(late_client) == "open" and task.closed_on == ON
    with pytest.raises(Refused) as refused:
        open_credit_again(late_client, because="again", on=ON, by=make_manager("max"))
    assert refused.value.code == "not_by_policy"


def test_a_flag_takes_credit_away_until_a_decision_has_weighed_it(good_client):
    company = good_client.company
    CreditCheck.objects.create(
        client=good_client, provider="Register", checked_on=ON, valid_until=ON + 365 * DAY, score=Decimal(90),
        flags=["court_record"], entered_by=CLERK,
    )
    change, = judge_status(company, ON, by="system").moved
    assert (change.status, change.because) == ("cash_only", "the credit check says: court record")
    assert not judge_status(company, ON, by="system").did_something
    decide_credit(
        good_client, on=ON, by=make_manager(), outcome="accept", reason="settled", expires_on=ON + 90 * DAY
    )
    judge_status(company, ON, by="system")
    assert status(good_client) == "open"


def test_the_client_is_told_once_when_it_begins_and_once_when_it_ends(late_client):
    company = late_client.company
    invoice = invoice_due(late_client, ON - 70 * DAY)
    a_day(company, ON)
    begins, = notices(late_client)
    standing = status_of(late_client, ON)
    assert (begins.state, begins.key) == ("sent", f"credit:{standing.pk}")
    assert "until all outstanding invoices are cleared" in begins.text.replace("\n", " ").lower()
    assert str(invoice) in begins.text and "1,000.00" in begins.text and "/i/" in begins.text
    assert [a["name"] for a in begins.attachments] == [f"letter-{ON}.pdf"]
    a_day(company, ON + DAY)
    assert len(notices(late_client)) == 1
    pay(late_client, "1000", on=ON + DAY)
    for n in (1, 2):
        a_day(company, ON + n * DAY)
    _begins, ends = notices(late_client)
    assert ends.state == "sent" and "all outstanding invoices are cleared" in ends.text
    assert ends.subject == "You can buy on credit again" and "/i/" not in ends.text


def test_the_notice_is_beside_the_reminder_and_in_none_of_its_counts(late_client):
    invoice_due(late_client, ON - 70 * DAY)
    answer = a_day(late_client.company, ON).to_json()
    assert (answer["planned"], answer["sent"]) == (1, 1)
    assert set(Message.objects.values_list("kind", "state")) == {("notice", "sent"), ("credit_notice", "sent")}


@pytest.mark.parametrize(
    ("language", "begins", "ends"),
    [
        ("de", "Bis alle offenen Rechnungen beglichen sind", "Sie können wieder auf Rechnung kaufen"),
        ("fr", "Tant que toutes les factures en souffrance ne sont pas réglées", "Vous pouvez de nouveau acheter"),
    ],
)
def test_in_the_clients_language(company, language, begins, ends):
    client = make_client(company, "C-7", language=language)
    invoice_due(client, ON - 70 * DAY)
    a_day(company, ON)
    pay(client, "1000", on=ON + DAY)
    a_day(company, ON + DAY)
    first, second = notices(client)
    assert begins in first.text.replace("\n", " ") and ends in second.subject


def test_by_hand_without_debt_it_is_told_too_and_its_end_by_itself(good_client):
    company = good_client.company
    set_status(
        good_client, "cash_only", because="first order", source="hand", on=ON, ends_on=ON + DAY, by=make_manager()
    )
    a_day(company, ON)
    begins, = notices(good_client)
    assert "outstanding" not in begins.text and "This holds until 19 November 2026." in begins.text
    a_day(company, ON + 2 * DAY)
    _begins, ends = notices(good_client)
    assert ends.state == "sent" and ends.key.endswith(":over")


def test_a_notice_overtaken_by_a_payment_does_not_leave(late_client):
    company = late_client.company
    invoice_due(late_client, ON - 70 * DAY)
    a_day(company, ON, send=False)
    pay(late_client, "1000", on=ON)
    a_day(company, ON)
    assert [(m.state, m.reason) for m in notices(late_client)] == [
        ("cancelled", "the credit status has changed since"),
    ]


def test_after_an_import_notices_wait_with_the_reminders(late_client):
    company = late_client.company
    invoice_due(late_client, ON - 70 * DAY)
    hold = Hold.objects.create(company=company, reason="import")
    at = dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC)
    with time_machine.travel(at, tick=False):
        credit_of_the_day()
        notice, = notices(late_client)
        assert (notice.state, status(late_client)) == ("held", "cash_only")
        release_hold(hold, by=CLERK)
        deliver(at)
    notice.refresh_from_db()
    assert notice.state == "sent"


def test_a_discarded_notice_does_not_come_back(late_client):
    invoice_due(late_client, ON - 70 * DAY)
    hold = Hold.objects.create(company=late_client.company, reason="import")
    with time_machine.travel(dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC), tick=False):
        credit_of_the_day()
        discard_hold(hold, by=CLERK)
        credit_of_the_day()
        lift_cash_only()
    notice, = notices(late_client)
    assert notice.state == "cancelled"


def test_within_a_minute_of_the_payment_credit_is_back(late_client):
    invoice_due(late_client, ON - 70 * DAY)
    a_day(late_client.company, ON)
    pay(late_client, "1000", on=ON)
    with time_machine.travel(dt.datetime(2026, 11, 18, 10, tzinfo=dt.UTC), tick=False):
        lift_cash_only()
    assert status(late_client) == "open"
    assert [m.payload["says"] for m in notices(late_client)] == ["begins", "ends"]


def test_who_cannot_be_written_to_is_a_task_and_is_told_once_there_is_a_contact(company):
    client = make_client(company, "C-9", email=None)
    invoice_due(client, ON - 70 * DAY)
    judge_status(company, ON, by="system")
    for _ in range(2):
        assert tell_credit(company, ON, by="system") == []
    assert Task.objects.filter(kind="contact").count() == 1
    client.contacts.create(name="Mara", email="mara@client.example")
    assert len(tell_credit(company, ON, by="system")) == 1


def test_on_a_weekend_it_waits_for_the_next_business_day(late_client):
    saturday = dt.date(2026, 11, 21)
    invoice_due(late_client, saturday - 60 * DAY)
    a_day(late_client.company, saturday)
    assert status(late_client, saturday) == "cash_only" and notices(late_client) == []
    a_day(late_client.company, saturday + 2 * DAY)
    assert [m.on for m in notices(late_client)] == [saturday + 2 * DAY]


def test_books_in_which_nothing_is_late_ask_little(good_client, django_assert_max_num_queries):
    invoice_due(good_client, ON + 9 * DAY)
    with django_assert_max_num_queries(8):
        assert not judge_status(good_client.company, ON, by="system").did_something
