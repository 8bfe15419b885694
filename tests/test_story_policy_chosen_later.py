"""Another policy chosen today holds from today: what was earned before bears interest by the policy of its days."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.services.dry_run.costs import _Bearing
from ar_collections.services.dry_run.owed import owed_now
from ar_collections.services.interest import apply_late_interest
from arledger.invariants import check
from clients.services import save_client
from core.dates import month_end
from invoices.models import Charge, Invoice
from invoices.services.charging import Policies, accrued, charge_as_json, charge_interest, spans_of
from invoices.services.policy_choice import choose_policy
from policies.models import InterestRule, Policy, PolicyChoice, Segment
from policies.services import use_policy
from policies.services.choices import keep_choice
from tests.cast import CLERK, invoice_due, make_client

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
DUE = dt.date(2026, 4, 15)
DAY_60 = DUE + 60 * DAY  # 14 June
JULY = dt.date(2026, 7, 31)
BEFORE = Decimal("145.48")  # 59 days of 9 % on 10,000
AFTER = Decimal("118.36")  # 48 days of it, through July
ALL = Decimal("263.84")


@pytest.fixture
def book(company: Any) -> Any:
    """A company that charges 9 % a year, and two other policies: one charges nothing, one the same 9 %."""
    InterestRule.objects.create(
        code="NINE", effective_from=dt.date(2025, 1, 1), title="Nine", percent=Decimal(9), source="our terms"
    )
    begun = dt.date(2026, 1, 1)
    Policy.objects.create(name="standard", effective_from=begun, interest="NINE")
    Policy.objects.create(name="free", title="Free", effective_from=begun, interest="NONE", already_overdue="due_date")
    Policy.objects.create(name="gentle", title="Gentle", effective_from=begun, interest="NINE")
    return company


def nights(invoice: Invoice, first: dt.date, last: dt.date) -> None:
    """Each month end of a time."""
    day = month_end(first)
    while day <= last:
        apply_late_interest(invoice.company, day, by="system")
        day = month_end(day + DAY)


def of_invoice(invoice: Invoice, name: str, on: dt.date) -> None:
    choose_policy(invoice, name, on=on, by=CLERK)


def of_client(invoice: Invoice, name: str, on: dt.date) -> None:
    save_client(invoice.client, {"policy_name": name}, by=CLERK, on=on)


def of_company(invoice: Invoice, name: str, on: dt.date) -> None:
    use_policy(invoice.company, name or "standard", CLERK, on)


def into_segment(invoice: Invoice, name: str, on: dt.date) -> None:
    """The client comes into a segment that has another policy, or leaves it."""
    segment = Segment.objects.get_or_create(company=invoice.company, name=name, policy_name=name)[0] if name else None
    save_client(invoice.client, {"segment": segment}, by=CLERK, on=on)


def of_segment(invoice: Invoice, name: str, on: dt.date) -> None:
    """The segment the client is in gets another policy."""
    segment = invoice.client.segment or Segment.objects.create(company=invoice.company, name="public")
    if invoice.client.segment is None:
        invoice.client.segment = segment
        invoice.client.save()
    keep_choice(
        "segment", segment.pk, segment.company_id, before=segment.policy_name, name=name, on=on, by=CLERK
    )
    segment.policy_name = name
    segment.save()


PLACES = [of_invoice, of_client, of_company, into_segment, of_segment]


def total(invoice: Invoice) -> Decimal:
    return sum((c.amount for c in Charge.objects.standing().filter(invoice=invoice)), Decimal(0))


@pytest.mark.parametrize("choose", PLACES)
def test_no_interest_chosen_on_day_60_leaves_59_days_charged(book: Any, choose: Callable[..., None]) -> None:
    """Case: an invoice 60 days late at 9 %; a person chooses «no interest» for it, and for nobody else."""
    invoice, other = invoice_due(make_client(book), DUE, "10000"), invoice_due(make_client(book, "C-2"), DUE, "10000")
    nights(invoice, DUE, dt.date(2026, 5, 31))
    choose(invoice, "free", DAY_60)
    invoice = Invoice.objects.get(pk=invoice.pk)
    assert accrued(invoice, DAY_60 + 10 * DAY).interest.total == BEFORE
    nights(invoice, DAY_60, JULY)
    assert total(invoice) == BEFORE
    assert Charge.objects.filter(invoice=invoice).latest("pk").to_on == DAY_60 - DAY
    nights(invoice, JULY, JULY)
    assert (total(invoice), total(other)) == (BEFORE, BEFORE if choose is of_company else ALL)
    assert check(timezone.now(), fast=False)["violations"] == []


@pytest.mark.parametrize("choose", PLACES)
def test_interest_chosen_on_day_60_is_charged_from_that_day(book: Any, choose: Callable[..., None]) -> None:
    client = make_client(book)
    use_policy(book, "free", CLERK, dt.date(2026, 1, 1))
    invoice = invoice_due(client, DUE, "10000")
    nights(invoice, DUE, dt.date(2026, 5, 31))
    choose(invoice, "gentle", DAY_60)
    nights(invoice, DAY_60, JULY)
    first = Charge.objects.filter(invoice=invoice).earliest("pk")
    assert (first.from_on, total(invoice)) == (DAY_60, AFTER)


@pytest.mark.parametrize("choose", PLACES)
def test_a_choice_undone_the_same_day_changes_nothing(book: Any, choose: Callable[..., None]) -> None:
    invoice = invoice_due(make_client(book), DUE, "10000")
    choose(invoice, "free", DAY_60)
    choose(Invoice.objects.get(pk=invoice.pk), "", DAY_60)
    assert len(Policies().line(Invoice.objects.get(pk=invoice.pk))) == 1
    nights(invoice, DUE, JULY)
    assert total(invoice) == ALL
    assert not any("chosen" in charge.derivation for charge in Charge.objects.all())


def test_a_choice_taken_back_later_leaves_a_gap_and_every_charge_names_its_choice(book: Any) -> None:
    """Nothing is earned between the two days; the file of each charge says by which policy, chosen when."""
    invoice = invoice_due(make_client(book), DUE, "10000")
    choose_policy(invoice, "free", on=DAY_60, by=CLERK)
    choose_policy(invoice, "gentle", on=DAY_60 + 10 * DAY, by=CLERK)
    invoice = Invoice.objects.get(pk=invoice.pk)
    nights(invoice, DUE, JULY)
    charges = list(Charge.objects.filter(invoice=invoice).order_by("pk"))
    assert [(c.policy.name, c.from_on, c.to_on) for c in charges if c.policy] == [
        ("standard", DUE + DAY, dt.date(2026, 4, 30)), ("standard", dt.date(2026, 5, 1), dt.date(2026, 5, 31)),
        ("standard", dt.date(2026, 6, 1), DAY_60 - DAY), ("gentle", DAY_60 + 10 * DAY, dt.date(2026, 6, 30)),
        ("gentle", dt.date(2026, 7, 1), JULY),
    ]  # fmt: skip
    assert "chosen" not in charges[0].derivation
    told = json.loads(charge_as_json(charges[3]))["derivation"]["chosen"]
    assert told == {"policy": "gentle", "for": "invoice", "from": "2026-06-24"}
    nights(invoice, DUE, JULY)
    assert Charge.objects.count() == 5, "run again, nothing more"


def test_a_policy_with_the_same_rule_goes_on_charging_month_by_month(book: Any) -> None:
    """Choosing gentler reminders splits no month; from the month of the choice on its charges name the policy."""
    invoice = invoice_due(make_client(book), DUE, "10000")
    nights(invoice, DUE, dt.date(2026, 5, 31))
    choose_policy(invoice, "gentle", on=DAY_60, by=CLERK)
    nights(invoice, DAY_60, JULY)
    named = Charge.objects.order_by("pk").values_list("policy__name", "to_on__day")
    assert list(named) == [("standard", 30), ("standard", 31), ("gentle", 30), ("gentle", 31)]
    assert total(invoice) == ALL


def test_the_nearest_place_holds_day_by_day(book: Any) -> None:
    """The client goes over to «free» on day 30, which the invoice with a policy of its own does not feel."""
    client = make_client(book)
    invoice, own = invoice_due(client, DUE, "10000"), invoice_due(client, DUE, "10000")
    choose_policy(own, "gentle", on=DUE, by=CLERK)
    save_client(client, {"policy_name": "free"}, by=CLERK, on=DUE + 30 * DAY)
    choose_policy(own, "", on=DAY_60, by=CLERK)
    nights(invoice, DUE, JULY)
    assert total(own) == BEFORE
    assert total(invoice) == Decimal("71.51")  # 29 days
    line = Policies().line(Invoice.objects.get(pk=own.pk))
    assert [(one.name, one.where, one.by) for one in line] == [
        ("standard", "company", ""), ("gentle", "invoice", CLERK), ("free", "client", CLERK),
    ]  # fmt: skip


def test_the_dry_run_and_the_charging_agree_on_the_days_of_each_policy(book: Any) -> None:
    invoice, plain = invoice_due(make_client(book), DUE, "10000"), invoice_due(make_client(book, "C-2"), DUE, "10000")
    choose_policy(invoice, "free", on=DAY_60, by=CLERK)
    of_company(plain, "gentle", DAY_60 + 5 * DAY)
    for row in Invoice.objects.all():
        name = "free" if row.pk == invoice.pk else "gentle"
        policies = Policies()
        bears = _Bearing(policies.versions(name, JULY), policies, name, JULY)
        (owed,) = owed_now(name, [book.pk] if name == "gentle" else [], [book.pk], JULY)
        assert owed.invoice == row.pk
        assert bears(owed, None) == spans_of(row, JULY)


def test_what_was_never_chosen_anew_costs_one_question(book: Any, django_assert_num_queries: Any) -> None:
    """No row says that a choice has held since ever; a night asks for all of them at once."""
    first, second, third = (invoice_due(make_client(book, f"C-{n}"), DUE) for n in range(3))
    policies = Policies()
    assert not PolicyChoice.objects.exists()
    for invoice, asks in ((first, 2), (second, 1), (third, 0)):
        invoice = Invoice.objects.select_related("client__segment").get(pk=invoice.pk)
        with django_assert_num_queries(asks):
            policies.line(invoice)


def test_what_is_charged_already_stays_when_the_same_day_is_chosen_for(book: Any) -> None:
    """Charged through day 60 in the morning, chosen otherwise at noon: that day stays charged, later ones are not."""
    invoice = invoice_due(make_client(book), DUE, "10000")
    charge_interest(invoice, until=DAY_60, on=DAY_60, by=CLERK)
    choose_policy(invoice, "free", on=DAY_60, by=CLERK)
    invoice = Invoice.objects.get(pk=invoice.pk)
    nights(invoice, DAY_60, JULY)
    assert total(invoice) == Decimal("147.95")
