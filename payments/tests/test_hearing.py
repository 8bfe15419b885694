"""What a provider says is heard once, in whatever order it comes, and ends in the same books."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_collections.models import Task
from arledger.invariants import check
from core.errors import Refused
from invoices.models import Entry
from payments.models import Checkout, Payment, ProviderEvent, Refund
from payments.providers import PayoutLine
from payments.services import issue_credit_note, unapplied_cash
from payments.services.hearing import hear, hear_again, hear_waiting, settle_event, take_as_payment
from payments.services.paying_back import pay_back
from payments.tests.provided import AT, SANDBOX, begin, heard, offer_card, paid_by_card, word
from tests.cast import CLERK, TODAY, make_invoice, make_manager

pytestmark = pytest.mark.django_db
LATER = AT + dt.timedelta(days=3)


@pytest.fixture
def invoice(company: Any, good_client: Any) -> Any:
    offer_card(company)
    return make_invoice(good_client, "1200")


def books() -> dict[str, Decimal]:
    """Debits less credits of every account."""
    sums: Counter[str] = Counter()
    for dr, cr, amount in Entry.objects.values_list("dr", "cr", "amount"):
        sums[dr] += amount  # type: ignore[assignment]
        sums[cr] -= amount  # type: ignore[assignment]
    return {account: Decimal(total) for account, total in sums.items() if total}


def clean() -> bool:
    return check(AT)["violations"] == []


def test_each_word_a_hundred_times_in_any_order_is_one_payment(invoice: Any) -> None:
    checkout = begin(invoice).checkout
    words = [word(checkout, kind) for kind in ("pending", "succeeded", "succeeded", "failed")] * 100
    random.Random("shuffled").shuffle(words)
    for each in words:
        hear(SANDBOX, each, at=AT)
    assert Payment.objects.count() == 1 and ProviderEvent.objects.count() == 4
    assert not ProviderEvent.objects.filter(needs_person=True).exists()
    invoice.refresh_from_db()
    assert invoice.balance == 0 and Checkout.objects.get().state == "succeeded"
    assert clean()


# What a provider can say of one payment; every order of any of them with the first is the same in the books.
STORIES = {
    "paid": ["pending", "succeeded", "failed", "abandoned"],
    "given back": ["pending", "succeeded", "refunded 200", "refunded 500"],
    "lost": ["succeeded", "chargeback", "lost", "failed"],
    "won": ["succeeded", "chargeback", "won", "pending"],
    "paid out": ["succeeded", "refunded 200", "payout", "pending"],
}


def _word(checkout: Checkout, told: str, n: int) -> Any:
    kind, _space, amount = told.partition(" ")
    facts: dict[str, Any] = {"event_id": f"{told}-{n}"}
    if kind in ("chargeback", "won", "lost"):
        facts |= {"about": f"dp_{n}", "won": kind == "won", "kind": "chargeback" if kind == told == "chargeback" else
                  "chargeback_closed"}
    elif kind == "refunded":
        facts |= {"kind": kind, "amount": Decimal(amount), "about": f"ch_{n}"}
    elif kind == "payout":
        ref = f"pi_{checkout.key[:12]}"
        line = PayoutLine(f"txn_{n}", ref, checkout.amount - 20, Decimal(20), checkout.currency)
        facts |= {"kind": kind, "lines": (line,), "amount": checkout.amount - 20, "about": f"po_{n}"}
    else:
        facts["kind"] = kind
    return word(checkout, **facts)


@pytest.mark.parametrize("story", STORIES)
@settings(
    max_examples=60 if os.environ.get("AR_NIGHTLY") else 5, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_the_order_of_what_is_said_makes_no_difference(good_client: Any, invoice: Any, story: str, data: Any) -> None:
    said = STORIES[story]
    order = data.draw(st.permutations(said + data.draw(st.lists(st.sampled_from(said), max_size=3))))
    mine = make_invoice(good_client, "1200")
    before, expected = books(), _ends(said)
    checkout = begin(mine).checkout
    for told in order:
        hear(SANDBOX, _word(checkout, told, checkout.pk), at=AT)
    for event in ProviderEvent.objects.filter(needs_person=True, settled_at=None):
        hear_again(event, SANDBOX, at=AT, by="system")
    mine.refresh_from_db()
    moved = {account: total - before.get(account, 0) for account, total in books().items()}
    assert ({account: amount for account, amount in moved.items() if amount}, mine.balance) == expected
    assert not ProviderEvent.objects.filter(needs_person=True, settled_at=None).exists()
    assert clean()


def _ends(said: list[str]) -> tuple[dict[str, Decimal], Decimal]:
    """What comes of it in the order in which it happened; worked out by hand."""
    zero, paid = Decimal(0), Decimal(1200)
    back = max((Decimal(told.split()[1]) for told in said if told.startswith("refunded")), default=zero)
    back = paid if "lost" in said else back
    held = {"clearing:sandbox": paid - back, "receivable": back - paid}
    if "payout" in said:
        held |= {"clearing:sandbox": -back, "bank": paid - 20, "collection_cost": Decimal(20)}
    return {account: amount for account, amount in held.items() if amount}, back


@pytest.mark.parametrize(
    ("odd", "because"),
    [
        ({"amount": Decimal("1199.99")}, "1199.99 EUR instead of 1200.00 EUR"), ({"amount": None}, "no sum instead of"),
        ({"amount": Decimal(120000)}, "instead of"), ({"currency": "USD"}, "1200.00 USD instead of 1200.00 EUR"),
        ({"account": "acct_other"}, "another account"), ({"account": ""}, "another account"),
        ({"checkout": "nobody"}, "nobody began here"), ({"checkout": ""}, "nobody began here"),
    ],
)
def test_what_does_not_fit_moves_no_money_and_waits_for_a_person(invoice: Any, odd: Any, because: str) -> None:
    event = heard(begin(invoice).checkout, "succeeded", **odd)
    assert event.needs_person and because in event.outcome
    assert not Payment.objects.exists() and Checkout.objects.get().state == "started"


def test_a_person_takes_the_money_that_arrived_otherwise_than_agreed(good_client: Any, invoice: Any) -> None:
    event = heard(begin(invoice).checkout, "succeeded", amount=Decimal(1100))
    payment = take_as_payment(event, at=LATER, by=CLERK)
    assert (payment.amount, payment.received_on) == (1100, TODAY)
    invoice.refresh_from_db()
    event.refresh_from_db()
    assert invoice.balance == 100 and event.settled_by == CLERK and "Taken as a payment" in event.outcome
    with pytest.raises(Refused, match="settled already"):
        take_as_payment(event, at=LATER, by=CLERK)
    assert Payment.objects.count() == 1 and clean()


def test_money_in_another_currency_is_taken_as_unapplied_cash(good_client: Any, invoice: Any) -> None:
    event = heard(begin(invoice).checkout, "succeeded", currency="USD")
    take_as_payment(event, at=AT, by=CLERK)
    invoice.refresh_from_db()
    assert invoice.balance == 1200 and unapplied_cash(good_client) == {"USD": 1200} and clean()


def test_money_that_came_to_another_account_is_not_taken_as_a_payment(invoice: Any) -> None:
    """Nor what is said in test mode: none of it is in ours."""
    event = heard(begin(invoice).checkout, "succeeded", account="test mode")
    with pytest.raises(Refused, match="write what came of it"):
        take_as_payment(event, at=AT, by=CLERK)
    assert not Payment.objects.exists()


def test_what_brought_no_money_of_a_client_is_settled_with_a_word(invoice: Any) -> None:
    event = heard(begin(invoice).checkout, "succeeded", checkout="nobody")
    with pytest.raises(Refused, match="write what came of it"):
        take_as_payment(event, at=AT, by=CLERK)
    with pytest.raises(Refused, match="Write what came of it"):
        settle_event(event, note="  ", at=AT, by=CLERK)
    settled = settle_event(event, note="of our shop, not of this desk", at=AT, by=CLERK)
    assert settled.settled_at == AT and "of our shop" in settled.outcome
    again = settle_event(event, note="twice", at=LATER, by="bo")
    assert again.settled_by == CLERK and "twice" not in again.outcome


def test_a_late_word_that_an_attempt_failed_takes_no_payment_back(good_client: Any, invoice: Any) -> None:
    checkout = paid_by_card(good_client, invoice)
    event = heard(checkout, "failed", happened_at=LATER)
    checkout.refresh_from_db()
    assert checkout.state == "succeeded" and not event.needs_person


def test_money_after_a_debit_was_said_to_have_failed_counts(invoice: Any) -> None:
    checkout = begin(invoice).checkout
    for kind in ("pending", "failed", "succeeded"):
        heard(checkout, kind)
    invoice.refresh_from_db()
    assert invoice.balance == 0


def test_the_day_of_the_money_is_the_companys_and_never_after_it_was_heard(company: Any, invoice: Any) -> None:
    company.time_zone = "Pacific/Auckland"
    company.save()
    late = dt.datetime(2026, 11, 18, 23, tzinfo=dt.UTC)  # the 19th there
    hear(SANDBOX, word(begin(invoice).checkout, happened_at=late), at=late)
    assert Payment.objects.get().received_on == dt.date(2026, 11, 19)


def test_an_instant_to_come_is_dated_the_day_it_is_heard(invoice: Any) -> None:
    hear(SANDBOX, word(begin(invoice).checkout, happened_at=AT + dt.timedelta(days=9)), at=AT)
    assert Payment.objects.get().received_on == TODAY


def test_a_refund_at_the_provider_takes_money_off_and_tells_a_person(good_client: Any, invoice: Any) -> None:
    checkout = paid_by_card(good_client, invoice)
    for total, n in itertools.product(("300", "500"), range(2)):
        heard(checkout, "refunded", amount=Decimal(total), about="ch_1", event_id=f"r{total}{n}")
    assert sorted(r.amount for r in Refund.objects.all()) == [200, 300]
    invoice.refresh_from_db()
    assert invoice.balance == 500 and Task.objects.filter(kind="review").count() == 2 and clean()


def test_a_chargeback_opens_what_was_paid_and_tells_a_person(good_client: Any, invoice: Any) -> None:
    checkout = paid_by_card(good_client, invoice)
    heard(checkout, "chargeback", about="dp_1", because="fraudulent", happened_at=LATER)
    invoice.refresh_from_db()
    task = Task.objects.get()
    assert invoice.balance == 1200 and task.kind == "review" and "fraudulent" in task.because
    lost = Entry.objects.get(kind="chargeback")
    assert (lost.dr, lost.cr, lost.amount) == ("customer_credit", "clearing:sandbox", 1200)
    heard(checkout, "chargeback_closed", about="dp_1", won=True, happened_at=LATER)
    invoice.refresh_from_db()
    assert invoice.balance == 0 and Refund.objects.get().state == "won" and clean()


def test_a_chargeback_of_more_than_is_left_waits_for_a_person(good_client: Any, invoice: Any) -> None:
    checkout = paid_by_card(good_client, invoice)
    heard(checkout, "refunded", amount=Decimal(1000), about="ch_1")
    event = heard(checkout, "chargeback", about="dp_1")
    assert event.needs_person and "more than is left" in event.outcome and clean()


def test_a_refund_of_more_than_is_left_waits_for_a_person(good_client: Any, invoice: Any) -> None:
    """Paid back by hand already, as far as 900 of 1,200: what the provider gives back besides, the client has twice."""
    checkout = paid_by_card(good_client, invoice)
    issue_credit_note(invoice, {1: Decimal("0.75")}, reason="came back", key="cn", on=TODAY, by=CLERK)
    pay_back(good_client, Decimal(900), "EUR", on=TODAY, by=make_manager(), reason="agreed", key="back")
    for n in range(2):
        event = heard(checkout, "refunded", amount=Decimal(1200), about="ch_1", event_id=f"r{n}")
        assert event.needs_person and "900.00 EUR was given back beyond" in event.outcome
    assert sorted(r.amount for r in Refund.objects.all()) == [300, 900] and clean()


def test_a_refund_beside_a_chargeback_follows_once_that_is_won(good_client: Any, invoice: Any) -> None:
    checkout = paid_by_card(good_client, invoice)
    heard(checkout, "chargeback", about="dp_1", amount=Decimal(1000))
    early = heard(checkout, "refunded", amount=Decimal(500), about="ch_1")
    assert early.needs_person
    heard(checkout, "chargeback_closed", about="dp_1", amount=Decimal(1000), won=True)
    assert hear_waiting(AT)["heard"] == 1
    invoice.refresh_from_db()
    assert invoice.balance == 500 and sum(r.amount for r in Refund.objects.standing()) == 500 and clean()


def test_a_payout_brings_the_net_to_the_bank_and_names_the_fee(good_client: Any, invoice: Any) -> None:
    checkout = paid_by_card(good_client, invoice)
    ref = f"pi_{checkout.key[:12]}"
    lines = (PayoutLine("txn_1", ref, Decimal("1182.75"), Decimal("17.25"), "EUR"),)
    for n in range(3):
        heard(checkout, "payout", amount=Decimal("1182.75"), about="po_1", lines=lines, event_id=f"po{n}")
    assert books() == {"bank": Decimal("1182.75"), "collection_cost": Decimal("17.25"), "revenue": Decimal(-1200)}
    assert clean()


def test_a_payout_that_does_not_add_up_posts_nothing(good_client: Any, invoice: Any) -> None:
    checkout = paid_by_card(good_client, invoice)
    lines = (PayoutLine("txn_1", f"pi_{checkout.key[:12]}", Decimal(1182), Decimal(18), "EUR"),)
    event = heard(checkout, "payout", amount=Decimal(1183), about="po_1", lines=lines)
    assert event.needs_person and "1183.00 EUR, its lines come to 1182.00" in event.outcome
    assert books()["clearing:sandbox"] == 1200


def test_a_payout_with_strange_money_posts_what_is_ours_and_asks_a_person(good_client: Any, invoice: Any) -> None:
    checkout = paid_by_card(good_client, invoice)
    ours = PayoutLine("txn_1", f"pi_{checkout.key[:12]}", Decimal(1180), Decimal(20), "EUR")
    shop = PayoutLine("txn_2", "pi_of_the_shop", Decimal(50), Decimal(1), "EUR")
    event = heard(checkout, "payout", amount=Decimal(1230), about="po_1", lines=(ours, shop))
    assert event.needs_person and "50.00 EUR of it" in event.outcome
    assert books()["bank"] == 1180 and clean()


def test_what_nothing_follows_from_is_kept_and_asks_nobody(invoice: Any) -> None:
    event = heard(begin(invoice).checkout, "other", name="customer.created")
    assert (event.needs_person, event.outcome) == (False, "Nothing follows from it.")
    asks = heard(begin(invoice).checkout, "other", name="charge.dispute.created", because="the bank asks")
    assert asks.needs_person and "the bank asks" in asks.outcome
