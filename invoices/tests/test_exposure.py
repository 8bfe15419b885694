"""Exposure by component: what is open, charged, done, drafted, and the cash against it; of one client or many."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import LimitMark
from clients.services.limits import set_limit
from core.errors import Refused
from core.models import Tick
from invoices.exposure import Exposure
from invoices.models import CompletedWork, Invoice
from invoices.services.charging import charge_interest, give_interest_notice
from invoices.services.exposure import available_of, credits_of, exposure_of, exposures_of, note_credit
from invoices.services.issuing import issue_invoice, void_invoice
from invoices.services.pro_forma import make_pro_forma
from invoices.tasks import note_credit_of_all
from payments.services import take_back_payment
from policies.models import CreditPolicy
from tests.cast import CLERK, TODAY, make_client, make_draft, make_invoice, pay

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def done(client, gross, *, invoice=None, key="w1", **facts):
    return CompletedWork.objects.create(
        company=client.company, client=client, key=key, description="Repair", unit_price=gross, net=gross, gross=gross,
        currency=client.currency, done_on=TODAY, invoice=invoice, recorded_by=CLERK, **facts,
    )


def test_every_component_is_counted_once(late_client):
    overdue = make_invoice(late_client, "1000", on=TODAY - 60 * DAY)
    make_invoice(late_client, "300", on=TODAY)
    give_interest_notice(overdue, interest_from=TODAY - 20 * DAY, on=TODAY - 25 * DAY, by=CLERK)
    charge_interest(overdue, until=TODAY - DAY, on=TODAY, by=CLERK)
    pay(late_client, "40", how="none")
    done(late_client, Decimal("70"))
    done(late_client, Decimal("999"), key="gone", removed_at=overdue.issued_at)
    make_draft(late_client, "55")
    exposure = exposure_of(late_client, "EUR", TODAY)
    assert exposure == Exposure(
        "EUR", open_not_due=Decimal(300), overdue=Decimal(1000), charges=Decimal("6.58"), work=Decimal(70),
        drafts=Decimal(55), unapplied=Decimal(40),
    )
    assert exposure.total == Decimal("1336.58") == sum(exposure.components().values())


def test_due_today_is_not_overdue(late_client):
    invoice = make_invoice(late_client, "10")
    assert exposure_of(late_client, "EUR", invoice.due_on).open_not_due == 10
    assert exposure_of(late_client, "EUR", invoice.due_on + DAY).overdue == 10


def test_a_draft_made_from_work_counts_once_as_work_and_only_beyond_it_as_draft(late_client):
    draft = make_draft(late_client, "100")
    done(late_client, Decimal(80), invoice=draft)
    done(late_client, Decimal(5), key="w2")
    exposure = exposure_of(late_client, "EUR", TODAY)
    assert (exposure.work, exposure.drafts, exposure.total) == (85, 20, 85)
    without = exposure_of(late_client, "EUR", TODAY, without=draft)
    assert (without.work, without.drafts) == (5, 0)
    issue_invoice(draft, on=TODAY, by=CLERK)
    exposure = exposure_of(late_client, "EUR", TODAY)
    assert (exposure.work, exposure.drafts, exposure.open) == (5, 0, 100)


def test_drafts_count_where_the_policy_in_force_says_so(late_client):
    make_draft(late_client, "55")
    first = CreditPolicy.objects.filter(company=late_client.company).order_by("effective_from").first()
    assert first is None or not first.counts_drafts
    CreditPolicy.objects.create(company=late_client.company, effective_from=TODAY, counts_drafts=True)
    assert exposure_of(late_client, "EUR", TODAY).total == 55
    assert exposure_of(late_client, "EUR", TODAY - DAY).total == 0


def test_money_kept_for_a_pro_forma_leaves_no_room_for_another_order(late_client):
    draft, other = make_draft(late_client, "100"), make_draft(late_client, "80")
    order = make_pro_forma(draft, TODAY, on=TODAY, by=CLERK)
    pay(late_client, "25", pro_forma=order)
    pay(late_client, "35", pro_forma=order)
    wrong = pay(late_client, "30", pro_forma=make_pro_forma(other, TODAY, on=TODAY, by=CLERK))
    pay(late_client, "7", how="none")
    exposure = exposure_of(late_client, "EUR", TODAY)
    assert (exposure.unapplied, exposure.kept, exposure.free_cash) == (97, 90, 7)
    assert exposure.drafts == 0  # a draft that is to be paid first asks for no credit
    assert exposure.total == -7
    assert exposure_of(late_client, "EUR", TODAY, without=draft).kept == 30
    take_back_payment(wrong, reason="another client's", on=TODAY, by=CLERK)
    exposure = exposure_of(late_client, "EUR", TODAY)
    assert (exposure.unapplied, exposure.kept) == (67, 60)
    pay(late_client, "40", pro_forma=order)  # now it is paid, and issued
    exposure = exposure_of(late_client, "EUR", TODAY)
    assert (exposure.open, exposure.unapplied, exposure.kept, exposure.total) == (0, 7, 0, -7)


def test_currencies_are_never_added_and_a_limit_holds_in_its_own(late_client):
    set_limit(late_client, Decimal(500), "EUR", because="test", source="import", on=TODAY, by=CLERK)
    make_invoice(late_client, "100")
    with pytest.raises(Refused, match="a limit in EUR and none in USD"):
        make_invoice(late_client, "900", currency="USD")
    set_limit(late_client, Decimal(900), "USD", because="test", source="import", on=TODAY, by=CLERK)
    make_invoice(late_client, "900", currency="USD")
    assert available_of(late_client, "USD", TODAY) == 0
    assert available_of(late_client, "EUR", TODAY) == 400
    assert available_of(late_client, "GBP", TODAY) is None


def test_a_page_of_clients_is_asked_for_as_fast_as_one(company):
    clients = [make_client(company, f"C-{n}", email=None) for n in range(12)]
    for n, client in enumerate(clients[:8]):
        make_invoice(client, str(n + 1))
        set_limit(client, Decimal(100), "EUR", because="test", source="import", on=TODAY, by=CLERK)
    with CaptureQueriesContext(connection) as said:
        found = credits_of(clients, TODAY)
    assert len(said) == 3
    assert [found[c.pk].available for c in clients] == [Decimal(99 - n) for n in range(8)] + [None] * 4
    assert exposures_of([clients[9]], TODAY) == {}


def test_a_mark_is_told_once_on_crossing_and_again_after_it_fell_back(late_client):
    set_limit(late_client, Decimal(1000), "EUR", because="test", source="import", on=TODAY, by=CLERK)
    make_invoice(late_client, "799.99")
    assert not LimitMark.objects.exists()
    first = make_invoice(late_client, "150.01")
    assert set(LimitMark.objects.values_list("percent", "exposure")) == {(80, Decimal(950)), (90, Decimal(950))}
    make_invoice(late_client, "10")
    assert LimitMark.objects.count() == 2
    void_invoice(first, reason="wrong", on=TODAY, by=CLERK)
    assert set(LimitMark.objects.filter(fell_back_on=None).values_list("percent", flat=True)) == {80}
    make_invoice(late_client, "190.01")
    assert sorted(LimitMark.objects.values_list("percent", flat=True)) == [80, 90, 90, 100]


def test_a_payment_lets_the_marks_fall_at_once_and_a_night_finds_what_nobody_did(late_client):
    set_limit(late_client, Decimal(1000), "EUR", because="test", source="import", on=TODAY, by=CLERK)
    make_invoice(late_client, "850")
    pay(late_client, "100")
    assert not LimitMark.objects.filter(fell_back_on=None).exists()
    done(late_client, Decimal(200))
    assert note_credit(late_client.company, TODAY) == 1
    assert set(LimitMark.objects.filter(fell_back_on=None).values_list("percent", flat=True)) == {80, 90}
    assert note_credit(late_client.company, TODAY) == 0
    set_limit(late_client, Decimal(2000), "EUR", because="grown", source="review", on=TODAY, by=CLERK)
    assert note_credit(late_client.company, TODAY) == 1
    assert not LimitMark.objects.filter(fell_back_on=None).exists()


def test_issuing_asks_little_more_where_a_limit_stands(late_client):
    drafts = [make_draft(late_client, "10") for _ in range(3)]
    issue_invoice(drafts[0], on=TODAY, by=CLERK)
    with CaptureQueriesContext(connection) as free:
        issue_invoice(drafts[1], on=TODAY, by=CLERK)
    set_limit(late_client, Decimal(1000), "EUR", because="test", source="import", on=TODAY, by=CLERK)
    with CaptureQueriesContext(connection) as limited:
        issue_invoice(drafts[2], on=TODAY, by=CLERK)
    assert len(limited) - len(free) <= 7
    assert Invoice.objects.issued().count() == 3


def test_the_hourly_tick_tells_the_marks_of_every_company(late_client):
    set_limit(late_client, Decimal(100), "EUR", because="test", source="import", on=TODAY, by=CLERK)
    done(late_client, Decimal(100))
    note_credit_of_all()
    note_credit_of_all()
    assert LimitMark.objects.count() == 3
    assert Tick.objects.get(name="invoices.note_credit").result == {}
