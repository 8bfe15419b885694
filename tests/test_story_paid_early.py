"""The early-payment discount: offered in words, given with the money that came in time, taken back with it.

1,200.00 with 19 % tax within, 2 % in 7 days: €24.00, of which 20.17 is net and 3.83 tax, by the largest remainder.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from arledger.invariants import check
from arledger.tests.test_check_ledger import plant
from invoices.models import CUSTOMER_CREDIT, DISCOUNT, RECEIVABLE, TAX, Entry
from invoices.services.exposure import exposure_of
from invoices.services.parts import early_payment_of, terms_preview
from payments.services import allocate, deallocate, issue_credit_note, take_back_payment, unallocated, unapplied_cash
from policies.models import Terms
from tests.cast import CLERK, make_invoice, pay
from tests.collecting import days_pass, sent_to

pytestmark = pytest.mark.django_db

ISSUED, UNTIL = dt.date(2026, 11, 21), dt.date(2026, 11, 28)
DAY = dt.timedelta(days=1)


@pytest.fixture
def terms(company):
    return Terms.objects.create(
        company=company, name="2 % in 7 days, net 30", net_days=30, discount_percent=2, discount_days=7, late_percent=12
    )


@pytest.fixture
def invoice(late_client, terms):
    return make_invoice(late_client, "1008.40", on=ISSUED, tax="19", terms=terms)


def given(invoice) -> dict[str, Decimal]:
    """The discount that stands, by account."""
    rows = Entry.objects.filter(invoice=invoice, kind="discount", reversed_by=None).order_by("pk")
    return {entry.dr: entry.amount for entry in rows}


def balance(invoice) -> Decimal:
    invoice.refresh_from_db()
    return invoice.balance


def credit_a_quarter(invoice, on: dt.date):
    lines = {1: Decimal("0.25")}
    return issue_credit_note(invoice, lines, reason="a quarter came back", key=f"cn-{on}", on=on, by=CLERK)


@pytest.fixture(autouse=True)
def the_books_are_whole_in_the_end(request, db):
    yield
    if "late_client" in request.fixturenames and "found" not in request.node.name:
        assert check(timezone.now())["violations"] == []


def test_it_is_offered_in_words_until_its_last_day(invoice, terms, company):
    assert (invoice.total, invoice.discount, invoice.discount_until) == (1200, 24, UNTIL)
    early = early_payment_of(invoice, UNTIL)
    assert (early.pay, early.discount) == (Decimal(1176), 24)
    assert early.words("en").replace("\u00a0", " ") == "2 % discount, €24.00, if paid by 28 November 2026"
    assert early_payment_of(invoice, UNTIL + DAY) is None
    preview = terms_preview(terms, ISSUED, company, Decimal(1200), "EUR", "de")
    assert preview.early == early and preview.due_on == dt.date(2026, 12, 21)
    terms.discount_percent = 3
    terms.save()
    invoice.refresh_from_db()
    assert early_payment_of(invoice, UNTIL).words("en") == early.words("en"), "what was promised stands"


def test_paid_in_time_it_settles_the_invoice_with_its_share_of_the_tax(invoice, late_client):
    pay(late_client, "1176", on=UNTIL)
    assert balance(invoice) == 0
    assert given(invoice) == {DISCOUNT: Decimal("20.17"), TAX: Decimal("3.83")}
    assert unapplied_cash(late_client) == {} and early_payment_of(invoice, UNTIL) is None
    days_pass(late_client.company, dt.date(2026, 12, 14), dt.date(2026, 12, 30))
    assert sent_to(late_client) == []


def test_a_day_late_it_stays_open(invoice, late_client):
    pay(late_client, "1176", on=UNTIL + DAY)
    assert balance(invoice) == 24 and given(invoice) == {}


def test_a_cent_less_does_not_cover_it_until_the_cent_comes_in_time(invoice, late_client):
    pay(late_client, "1175.99", on=UNTIL - DAY)
    assert balance(invoice) == Decimal("24.01") and given(invoice) == {}
    assert early_payment_of(invoice, UNTIL).pay == Decimal("0.01")
    pay(late_client, "0.01", on=UNTIL)
    assert balance(invoice) == 0 and sum(given(invoice).values()) == 24


def test_money_that_came_too_late_earns_no_discount_beside_what_came_in_time(invoice, late_client):
    pay(late_client, "600", on=UNTIL)
    pay(late_client, "576", on=UNTIL + DAY)
    assert balance(invoice) == 24 and given(invoice) == {}
    in_time = pay(late_client, "10", on=UNTIL, how="none")
    allocate(in_time, "oldest", on=UNTIL + 2 * DAY, by=CLERK)
    assert balance(invoice) == 14 and given(invoice) == {}


def test_money_received_in_time_and_put_there_later_still_earns_it(invoice, late_client):
    payment = pay(late_client, "1176", on=UNTIL, how="none")
    allocate(payment, {f"invoice:{invoice.pk}": Decimal(1176)}, on=UNTIL + 9 * DAY, by=CLERK)
    assert balance(invoice) == 0 and sum(given(invoice).values()) == 24


def test_it_is_taken_back_with_the_allocation_and_given_again_with_the_next(invoice, late_client):
    payment = pay(late_client, "1176", on=UNTIL)
    deallocate(payment.allocations.get(), on=UNTIL + 3 * DAY, by=CLERK)
    assert balance(invoice) == 1200 and given(invoice) == {} and unallocated(payment) == 1176
    allocate(payment, "oldest", on=UNTIL + 4 * DAY, by=CLERK)
    assert balance(invoice) == 0 and sum(given(invoice).values()) == 24
    assert Entry.objects.filter(invoice=invoice, kind="discount").count() == 4


def test_it_is_taken_back_with_a_payment_that_bounced(invoice, late_client):
    payment = pay(late_client, "1176", on=UNTIL)
    take_back_payment(payment, reason="no funds", on=UNTIL + 3 * DAY, by="bank", returned_by_bank=True)
    assert balance(invoice) == 1200 and given(invoice) == {}
    assert exposure_of(late_client, "EUR", UNTIL + 3 * DAY).total == 1200
    assert early_payment_of(invoice, UNTIL + 3 * DAY) is None


def test_who_pays_in_full_has_paid_in_full(invoice, late_client):
    pay(late_client, "1200", on=UNTIL)
    assert balance(invoice) == 0 and given(invoice) == {} and unapplied_cash(late_client) == {}


def test_one_sum_for_two_invoices_settles_both_with_the_discount(invoice, late_client):
    other = make_invoice(late_client, "500", on=ISSUED + DAY)
    pay(late_client, "1676", on=UNTIL)
    assert (balance(invoice), balance(other)) == (0, 0) and sum(given(invoice).values()) == 24


def test_an_exact_match_knows_what_settles_an_invoice_early(invoice, late_client):
    other = make_invoice(late_client, "500", on=ISSUED + DAY)
    pay(late_client, "1676", on=UNTIL, how="exact")
    assert (balance(invoice), balance(other)) == (0, 0)


def test_what_is_left_over_is_unapplied_and_no_gift(invoice, late_client):
    pay(late_client, "1250", on=UNTIL)
    assert balance(invoice) == 0 and given(invoice) == {} and unapplied_cash(late_client) == {"EUR": 50}


def test_a_credit_note_makes_the_discount_smaller_with_the_invoice(late_client, terms):
    invoice = make_invoice(late_client, "1000", on=ISSUED, terms=terms)
    credit_a_quarter(invoice, ISSUED)
    invoice.refresh_from_db()
    early = early_payment_of(invoice, UNTIL)
    assert (early.discount, early.pay) == (15, 735)
    pay(late_client, "735", on=UNTIL)
    assert balance(invoice) == 0 and given(invoice) == {DISCOUNT: 15}


def test_a_credit_note_after_it_was_given_leaves_the_discount_on_what_stays(late_client, terms):
    invoice = make_invoice(late_client, "1000", on=ISSUED, terms=terms)
    payment = pay(late_client, "980", on=UNTIL)
    note = credit_a_quarter(invoice, UNTIL + DAY)
    assert balance(invoice) == 0 and given(invoice) == {DISCOUNT: 15}
    assert unallocated(payment) == 245 and unapplied_cash(late_client) == {"EUR": 245}
    assert (note.frozen["left"], note.frozen["freed"]) == ("0.00", "245.00")


@pytest.mark.parametrize(("share", "freed"), [("0.4", "39.20"), ("0.41", "40.18"), ("1", "98.00")])
def test_a_credit_note_on_what_two_payments_settled_early_leaves_nothing_open(late_client, terms, share, freed):
    """Whether or not what is freed is just the second payment, the discount on the rest stays."""
    invoice = make_invoice(late_client, "100", on=ISSUED, terms=terms)
    pay(late_client, "58.80", on=UNTIL)
    pay(late_client, "39.20", on=UNTIL)
    note = issue_credit_note(invoice, {1: Decimal(share)}, reason="came back", key="cn", on=UNTIL + DAY, by=CLERK)
    assert balance(invoice) == 0
    assert (note.frozen["left"], note.frozen["freed"]) == ("0.00", freed)


def test_who_takes_the_discount_off_what_will_be_credited_has_paid(late_client, terms):
    """Paid in time: 98 % of the three quarters that stay. The credit note that follows closes the invoice."""
    invoice = make_invoice(late_client, "1000", on=ISSUED, terms=terms)
    pay(late_client, "735", on=UNTIL)
    assert balance(invoice) == 265
    note = credit_a_quarter(invoice, UNTIL + 20 * DAY)
    assert balance(invoice) == 0 and given(invoice) == {DISCOUNT: 15} and note.frozen["left"] == "0.00"


def test_a_late_payment_recorded_by_mistake_costs_nobody_the_discount(invoice, late_client):
    mistaken = pay(late_client, "10", on=UNTIL + DAY)
    pay(late_client, "1176", on=UNTIL)
    assert balance(invoice) == 14 and given(invoice) == {}
    take_back_payment(mistaken, reason="somebody else's", on=UNTIL + DAY, by=CLERK)
    assert balance(invoice) == 0 and sum(given(invoice).values()) == 24


def test_a_credit_note_earns_no_discount_for_money_that_came_too_late(late_client, terms):
    invoice = make_invoice(late_client, "1000", on=ISSUED, terms=terms)
    pay(late_client, "735", on=UNTIL + DAY)
    note = credit_a_quarter(invoice, UNTIL + DAY)
    assert balance(invoice) == 15 and given(invoice) == {} and note.frozen["left"] == "15.00"


def test_every_entry_of_a_discount_is_balanced_and_named(invoice, late_client):
    payment = pay(late_client, "1176", on=UNTIL)
    entries = Entry.objects.filter(kind="discount")
    assert {entry.cr for entry in entries} == {RECEIVABLE} and CUSTOMER_CREDIT not in {e.dr for e in entries}
    assert {entry.doc for entry in entries} == {f"payment:{payment.pk}"}
    assert all(entry.key.startswith(f"discount:{invoice.pk}:") for entry in entries)


def test_a_discount_for_money_that_came_late_is_found(invoice, late_client):
    pay(late_client, "1176", on=UNTIL)
    plant("UPDATE payments_payment SET received_on = %s", UNTIL + DAY, table="payments_payment")
    assert [violation["code"] for violation in check(timezone.now())["violations"]] == ["L10"]
