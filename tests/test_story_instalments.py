"""Case 21: instalments are overdue one by one (erpnext#26969, PR#35689; OCA#374; invoiceninja#8585).

An invoice of 1,000 with 50 % in 14 days and 50 % in 30: ladder and interest start on the first part only, the second is
chased on its own day, money fills them in their order. Figures were worked out by hand.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from decimal import Decimal

import pytest
from django.utils import timezone

from ar_collections.models import Promise, Served
from ar_collections.services.behaving import behaviours_of
from ar_collections.services.coming import coming
from ar_collections.services.interest import apply_late_interest
from arledger.invariants import check
from arledger.tests.test_check_ledger import plant
from core.errors import Refused
from dashboard.reports.clients import file_of, listed_clients, owed_by
from dashboard.reports.invoices import invoices_of, tabs_of
from disputes.services import open_dispute
from invoices.aging import bucket
from invoices.models import RECEIVABLE, Entry, Invoice
from invoices.services.charging import accrued, give_interest_notice
from invoices.services.exposure import exposure_of
from invoices.services.issuing import void_invoice
from invoices.services.parts import due_lines, due_of, parts_of, terms_preview
from payments.services import allocate, deallocate
from policies.models import Terms
from reports.aging import aging, aging_by_client
from reports.cash import expected
from tests.cast import CLERK, make_client, make_company, make_invoice, pay
from tests.collecting import a_day, days, days_pass, sent_to

pytestmark = pytest.mark.django_db

ISSUED = dt.date(2026, 3, 2)  # a Monday
FIRST, SECOND = dt.date(2026, 3, 16), dt.date(2026, 4, 1)
DAY = dt.timedelta(days=1)
HALVES = [{"percent": "50", "days": 14}, {"percent": "50", "days": 30}]


def halves(company, **facts):
    return Terms.objects.create(
        **{"company": company, "name": "Half and half", "net_days": 30, "parts": HALVES, "late_percent": 12} | facts
    )


@pytest.fixture
def invoice(late_client):
    return make_invoice(late_client, on=ISSUED, terms=halves(late_client.company))


def climbed(invoice) -> list[tuple[int, str, dt.date]]:
    rows = Served.objects.filter(invoice=invoice, outcome="served").order_by("on", "pk")
    return list(rows.values_list("part", "step", "on"))


def assert_books_are_whole() -> None:
    assert check(timezone.now())["violations"] == []


def test_the_terms_are_said_before_and_kept_after_issuing(invoice, late_client):
    preview = terms_preview(invoice.terms, ISSUED, late_client.company, Decimal(1000), "EUR", "en")
    assert [(p.label, p.amount, p.due_on) for p in preview.parts] == [
        ("Instalment 1 of 2", 500, FIRST), ("Instalment 2 of 2", 500, SECOND)
    ]
    assert preview.paper == (
        "Instalment 1 of 2 €500.00: 14 days from 2 March — by 16 March 2026 · "
        "Instalment 2 of 2 €500.00: 30 days from 2 March — by 1 April 2026"
    )
    assert [(p.position, p.amount, p.due_on, p.open) for p in parts_of(invoice)] == [
        (1, 500, FIRST, 500), (2, 500, SECOND, 500)
    ]
    assert (invoice.in_parts, invoice.due_on, invoice.terms_days) == (True, FIRST, 30)
    assert due_lines(invoice, ISSUED, "en") == [
        "€500.00: Due in 14 days — by 16 March 2026", "Not yet due: €500.00, by 1 April 2026"
    ]
    assert_books_are_whole()


def test_money_fills_the_parts_in_their_order_and_moves_the_due_day(invoice, late_client):
    pay(late_client, "300", on=ISSUED)
    invoice.refresh_from_db()
    assert invoice.due_on == FIRST and [part.open for part in parts_of(invoice)] == [200, 500]
    second = pay(late_client, "400", on=ISSUED)
    invoice.refresh_from_db()
    assert invoice.due_on == SECOND and [part.open for part in parts_of(invoice)] == [0, 300]
    assert invoice.state(FIRST + DAY) == "part_paid", "the second half is not overdue on the day of the first"
    deallocate(second.allocations.get(), on=FIRST, by=CLERK)
    invoice.refresh_from_db()
    assert invoice.due_on == FIRST and invoice.state(FIRST + DAY) == "overdue"
    pay(late_client, "700", on=FIRST)
    invoice.refresh_from_db()
    assert (invoice.balance, invoice.due_on) == (0, SECOND)
    assert_books_are_whole()


def test_only_the_first_part_is_chased_and_the_message_says_what_is_not_due_yet(invoice, late_client):
    days_pass(late_client.company, ISSUED, FIRST + DAY)
    assert climbed(invoice) == [(1, "pre_due", FIRST - 7 * DAY), (1, "first_overdue", FIRST + DAY)]
    ahead, friendly = sent_to(late_client)
    assert friendly.subject.endswith("was due on 16 March 2026: €500.00")
    for message in (ahead, friendly):
        assert "Not yet due: €500.00, by 1 April 2026" in message.text and "Total: €500.00" in message.text
        assert "paid" not in message.text.split("Not yet due")[0].split("of €1,000.00")[-1]


def test_the_second_part_is_chased_on_its_own_day_from_the_friendly_step_on(invoice, late_client):
    company = late_client.company
    days_pass(company, ISSUED, FIRST + 9 * DAY)
    assert [(part, step) for part, step, _on in climbed(invoice)] == [
        (1, "pre_due"), (1, "first_overdue"), (1, "reminder_1")
    ]
    pay(late_client, "500", on=FIRST + 9 * DAY)  # 25 March, a week before the second half is due
    before = len(sent_to(late_client))
    days_pass(company, FIRST + 10 * DAY, SECOND)
    about_the_second = [(step, on) for part, step, on in climbed(invoice) if part == 2]
    assert about_the_second == [("pre_due", FIRST + 10 * DAY)], "the second half is announced, and not called overdue"
    a_day(company, SECOND + DAY)
    last = sent_to(late_client)[-1]
    assert len(sent_to(late_client)) == before + 2
    assert last.subject.endswith("was due on 1 April 2026: €500.00") and "paid €500.00" in last.text
    assert climbed(invoice)[-1] == (2, "first_overdue", SECOND + DAY)
    assert Served.objects.filter(invoice=invoice, step="first_overdue").count() == 2
    pay(late_client, "500", on=SECOND + DAY)
    days_pass(company, SECOND + 2 * DAY, SECOND + 20 * DAY)
    assert climbed(invoice)[-1] == (2, "first_overdue", SECOND + DAY)


def test_a_part_paid_before_the_message_leaves_silences_it(invoice, late_client):
    a_day(late_client.company, FIRST + DAY, send=False)
    pay(late_client, "500", on=FIRST + DAY)
    a_day(late_client.company, FIRST + DAY)
    assert sent_to(late_client) == []
    assert [one.rung.code for one in coming(late_client, FIRST + DAY)] == [
        "pre_due", "call_1"
    ]


def test_when_both_parts_are_late_both_are_asked_for(invoice, late_client):
    days_pass(late_client.company, FIRST + DAY, SECOND + 6 * DAY)
    friendly, plain, second = sent_to(late_client)
    after_easter = FIRST + 22 * DAY
    assert (friendly.on, plain.on, second.on) == (FIRST + DAY, FIRST + 8 * DAY, after_easter)
    assert "€500.00" in plain.subject and "€1,000.00" in second.subject
    assert "Not yet due" in plain.text and "Not yet due" not in second.text


def test_a_day_that_is_past_is_planned_from_the_parts_as_they_stood_then(invoice, late_client):
    pay(late_client, "500", on=SECOND - DAY)
    days_pass(late_client.company, FIRST + DAY, FIRST + 2 * DAY)
    assert climbed(invoice) == [(1, "first_overdue", FIRST + DAY)]
    (message,) = sent_to(late_client)
    assert "€500.00" in message.subject


def test_a_dispute_of_the_whole_and_a_promise_of_what_is_due_silence_the_invoice(invoice, late_client):
    company = late_client.company
    Promise.objects.create(
        client=late_client, invoice=invoice, amount=500, currency="EUR", promised_for=FIRST + 3 * DAY,
        pauses_until=FIRST + 4 * DAY, made_on=FIRST, made_by="client",
    )
    days_pass(company, FIRST + DAY, FIRST + 4 * DAY)
    assert climbed(invoice) == []
    open_dispute(invoice, reason="delivery", on=FIRST + 5 * DAY, by=CLERK)
    days_pass(company, FIRST + 5 * DAY, SECOND + 5 * DAY)
    assert climbed(invoice) == []


def test_interest_starts_on_the_first_part_only(invoice, late_client):
    """500 for 16 days (17 March to 1 April), then 1,000 for 5 days, then, half paid on 6 April, 500 for 10 days."""
    give_interest_notice(invoice, interest_from=FIRST + DAY, on=ISSUED, by=CLERK)
    assert accrued(invoice, FIRST).interest.total == 0
    assert accrued(invoice, SECOND).interest.total == Decimal("2.63")
    assert accrued(invoice, SECOND + 5 * DAY).interest.total == Decimal("4.27")
    pay(late_client, "500", on=SECOND + 5 * DAY)
    invoice.refresh_from_db()
    earned = accrued(invoice, SECOND + 15 * DAY).interest
    assert earned.total == Decimal("5.92")
    assert [(line.from_on, line.days, line.balance) for line in earned.lines] == [
        (FIRST + DAY, 16, 500), (SECOND + DAY, 5, 1000), (SECOND + 6 * DAY, 10, 500)
    ]
    posted = apply_late_interest(late_client.company, dt.date(2026, 4, 30), by=CLERK)
    assert posted["EUR"] == Decimal("8.22"), "500 × 16 + 1,000 × 5 + 500 × 24 days at 12 %"
    assert_books_are_whole()


def test_a_part_paid_ahead_of_its_day_bears_no_interest_and_what_it_earned_before_stays(invoice, late_client):
    give_interest_notice(invoice, interest_from=FIRST + DAY, on=ISSUED, by=CLERK)
    pay(late_client, "1000", on=FIRST + 10 * DAY)
    invoice.refresh_from_db()
    assert invoice.due_on == SECOND
    assert accrued(invoice, SECOND + 60 * DAY).interest.total == Decimal("1.64"), "500 for 10 days"
    posted = apply_late_interest(late_client.company, FIRST + 11 * DAY, by=CLERK)
    assert posted["EUR"] == Decimal("1.64")
    assert_books_are_whole()


def test_sums_at_risk_speak_of_the_part_that_is_due(invoice, late_client):
    company = late_client.company
    exposure = exposure_of(late_client, "EUR", FIRST + DAY)
    assert (exposure.overdue, exposure.open_not_due, exposure.total) == (500, 500, 1000)
    assert exposure_of(late_client, "EUR", FIRST).overdue == 0
    assert exposure_of(late_client, "EUR", SECOND + DAY).overdue == 1000
    aged = aging(FIRST + DAY, company)["EUR"]
    assert (aged.buckets["current"], aged.buckets["1-30"], aged.open_count, aged.overdue_count) == (500, 500, 1, 1)
    assert aging_by_client(FIRST + DAY, company)["EUR"][0].overdue == 500
    due = due_of(invoice, FIRST + DAY)
    assert (due.now, due.on, due.later_sum) == (500, FIRST, 500)


def test_screens_and_forecast_speak_of_the_part_that_is_due(invoice, late_client):
    company, on = late_client.company, FIRST + DAY
    assert listed_clients(company, on).get(pk=late_client.pk).late == 500
    assert [(one.open, one.late) for one in owed_by([late_client], on)[late_client.pk]] == [(1000, 500)]
    late = next(tab for tab in tabs_of(invoices_of(company), on) if tab.key == "overdue")
    assert (late.count, late.sums) == (1, {"EUR": 500})
    (debt,) = file_of(late_client, on).debts
    assert (debt.overdue, debt.buckets["current"], sum(debt.counts.values())) == (500, 500, 1)
    assert [(one.on, one.amount) for one in expected(company, ISSUED)] == [(FIRST, 500), (SECOND, 500)]


def test_each_part_is_judged_by_its_own_day(invoice, late_client):
    pay(late_client, "500", on=FIRST + 4 * DAY)
    pay(late_client, "500", on=SECOND)
    judged = behaviours_of([late_client.pk], SECOND + 9 * DAY)[late_client.pk, "EUR"]
    assert (judged.on_time_percent, judged.days_late) == (50, 2)


def test_a_deposit_is_the_first_part(late_client):
    terms = halves(
        late_client.company, name="30 % ahead", net_days=10, rule="month_end", parts=[], deposit_percent=30,
        deposit_days=5,
    )
    invoice = make_invoice(late_client, "999.99", on=ISSUED, terms=terms)
    assert [(part.kind, part.amount, part.due_on) for part in parts_of(invoice)] == [
        ("deposit", Decimal("300.00"), dt.date(2026, 3, 7)), ("part", Decimal("699.99"), dt.date(2026, 4, 10))
    ]
    days_pass(late_client.company, dt.date(2026, 3, 9), dt.date(2026, 3, 9))
    assert "€300.00" in sent_to(late_client)[-1].subject


def test_an_invoice_in_parts_is_voided_like_any_other(invoice):
    void_invoice(invoice, reason="wrong client", on=ISSUED, by=CLERK)
    invoice.refresh_from_db()
    assert invoice.balance == 0
    assert_books_are_whole()


def test_whoever_is_on_stricter_terms_gets_no_instalment_later_than_allowed(late_client):
    from clients.services.status import set_status

    set_status(
        late_client, "stricter", because="policy", source="policy", on=ISSUED, by="system", terms_days=14,
        deposit_percent=Decimal(0),
    )
    with pytest.raises(Refused, match="14"):
        make_invoice(late_client, on=ISSUED, terms=halves(late_client.company))


def test_aging_ties_on_every_day_whatever_is_paid_and_freed():
    """The independent side fills the parts by hand, from the ledger's entries, day by day."""
    company = make_company()
    client, made_up = make_client(company), random.Random(21)
    plans = [
        halves(company, name="thirds", parts=[{"percent": "33.333", "days": n} for n in (10, 40)]
               + [{"percent": "33.334", "days": 100}]),
        halves(company), company.terms.get(is_default=True),
        halves(company, name="deposit", parts=[], deposit_percent=20, deposit_days=3),
    ]  # fmt: skip
    for n in range(24):
        on = ISSUED + made_up.randrange(60) * DAY
        make_invoice(client, str(made_up.randrange(1, 90000) / 100), on=on, terms=plans[n % 4])
    for _ in range(25):
        paid = pay(client, str(made_up.randrange(1, 90000) / 100), on=ISSUED + made_up.randrange(150) * DAY)
        if made_up.random() < 0.3 and (allocation := paid.allocations.first()):
            deallocate(allocation, on=max(allocation.allocated_on, paid.received_on) + DAY, by=CLERK)
            if made_up.random() < 0.5:
                allocate(paid, "oldest", on=allocation.allocated_on + 9 * DAY, by=CLERK)
    facts = {i.pk: [(part.due_on, part.amount) for part in parts_of(i)] for i in Invoice.objects.all()}
    booked = Entry.objects.filter(invoice__isnull=False)
    entries = list(booked.values_list("effective_on", "invoice", "dr", "cr", "amount"))
    late = 0
    for on in days(ISSUED, ISSUED + 200 * DAY):
        owed: dict[int, Decimal] = defaultdict(Decimal)
        for day, pk, dr, cr, amount in entries:
            if day <= on and RECEIVABLE in (dr, cr):
                owed[pk] += amount if dr == RECEIVABLE else -amount
        expected: dict[str, Decimal] = defaultdict(Decimal)
        for pk, balance in owed.items():
            paid_so_far = sum(amount for _day, amount in facts[pk]) - balance
            for due_on, amount in facts[pk]:
                filled = min(amount, paid_so_far)
                paid_so_far -= filled
                expected[bucket(due_on, on)] += amount - filled
        aged = aging(on, company).get("EUR")
        if aged is None:
            continue
        assert {name: amount for name, amount in aged.buckets.items() if amount} == {
            name: amount for name, amount in expected.items() if amount
        }, on
        assert aged.open_count == sum(1 for balance in owed.values() if balance)
        late += bool(aged.overdue)
    assert late > 100
    assert_books_are_whole()


def test_a_due_day_or_a_part_moved_behind_the_ledger_is_found(invoice, late_client):
    def codes() -> list[str]:
        return [violation["code"] for violation in check(timezone.now())["violations"]]

    plant("UPDATE invoices_invoice SET due_on = %s WHERE id = %s", SECOND, invoice.pk, table="invoices_invoice")
    assert codes() == ["L3"]
    plant("UPDATE invoices_invoice SET due_on = %s WHERE id = %s", FIRST, invoice.pk, table="invoices_invoice")
    assert codes() == []
    plant("UPDATE invoices_invoicepart SET amount = amount - 100 WHERE position = 1", table="invoices_invoicepart")
    assert codes() == ["L5"]
