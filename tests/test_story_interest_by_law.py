"""Case 13 (invoiceninja#11118): a fee that ignores how late it is, in words nobody can follow, is not the law.

Here interest is daily and simple, at the rate of each half-year, with compensation per invoice, and every figure shows
how it came about.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.utils import timezone

from ar_collections.models import Task
from ar_collections.services.interest import apply_late_interest, claim_interest, correct_interest
from arledger.invariants import check
from core.dates import month_end
from core.errors import Refused
from invoices.models import Charge, Invoice
from invoices.rates import MissingRate
from invoices.services.charging import accrued, charge_as_json, charge_interest, derivation_lines, entitled
from policies.models import InterestRule, Policy, ReferenceRate
from tests.by_law import charge_by, enter_rates
from tests.cast import CLERK, invoice_due, make_client, pay
from tests.collecting import DAY

pytestmark = pytest.mark.django_db

DUE, PAID = dt.date(2026, 4, 15), dt.date(2026, 8, 20)


@pytest.fixture
def invoice(late_client: Any) -> Invoice:
    """10,000 due on 15 April, in a company that charges by the directive from the beginning of the year."""
    enter_rates()
    charge_by(late_client.company, "EU", dt.date(2026, 1, 1))
    return invoice_due(late_client, DUE, "10000")


def nights(invoice: Invoice, first: dt.date, last: dt.date) -> None:
    """The nights at the end of each month, and the last one."""
    day = month_end(first)
    while day < last:
        apply_late_interest(invoice.company, day, by="system")
        day = month_end(day + DAY)
    apply_late_interest(invoice.company, last, by="system")


def charged() -> Decimal:
    undone = Charge.objects.filter(entries__kind="reversal").values("pk")
    return sum(Charge.objects.exclude(pk__in=undone).values_list("amount", flat=True), Decimal(0))


def test_ten_thousand_from_april_to_august_is_356_66_at_the_rate_of_each_half_year(invoice: Invoice) -> None:
    """76 days at 10.15 % are 211.34, 51 at 10.40 % are 145.32; one rate for all of it would be 353.16."""
    nights(invoice, DUE, dt.date(2026, 7, 31))
    pay(invoice.client, "10000", on=PAID, how={f"invoice:{invoice.pk}": Decimal(10000)})
    apply_late_interest(invoice.company, PAID, by="system")
    assert charged() == accrued(invoice, PAID).interest.total == Decimal("356.66")
    assert [(li.days, li.percent) for li in accrued(invoice, PAID).interest.lines] == [
        (76, Decimal("10.15")), (51, Decimal("10.40")),
    ]  # fmt: skip
    assert apply_late_interest(invoice.company, PAID + 40 * DAY, by="system") == {}, "nothing after it was paid"


def test_nobody_has_to_be_warned_and_what_we_may_ask_for_is_known_every_day(invoice: Invoice) -> None:
    told = entitled(invoice, DUE + 10 * DAY)
    assert told.since == DUE + DAY and told.rule.code == "EU"
    assert told.interest == told.open == Decimal("27.81")  # 10 days at 10.15 %
    assert told.compensation == 40
    assert derivation_lines(invoice, DUE + 10 * DAY)[0].source.startswith("ecb_mro_reference 2026-H1 2.15 + 8")


def test_compensation_is_charged_once_per_invoice_when_interest_is_claimed(invoice: Invoice) -> None:
    other = invoice_due(invoice.client, DUE, "5")
    for on in (DUE + 45 * DAY, DUE + 60 * DAY):
        claim_interest(invoice, on=on, by="system")
        claim_interest(other, on=on, by="system")
    lumps = Charge.objects.filter(kind="compensation").order_by("pk")
    assert [(c.key, c.amount) for c in lumps] == [
        (f"compensation:{invoice.pk}", Decimal(40)), (f"compensation:{other.pk}", Decimal(40)),
    ]  # fmt: skip
    assert lumps[0].derivation["claim"] == "10000.00" and "2011/7/EU" in lumps[0].derivation["source"]
    assert check(timezone.now(), fast=False)["violations"] == []


def test_consumers_and_other_currencies_get_no_compensation(late_client: Any) -> None:
    InterestRule.objects.create(
        code="OURS", effective_from=dt.date(2025, 1, 1), title="Ours", percent=Decimal(10), source="our terms",
        compensation=[["0", "40"]], compensation_currency="EUR",
    )
    # The forms refuse such a policy; whatever stands in the database, no consumer pays it.
    Policy.objects.create(
        name="standard", effective_from=dt.date(2026, 1, 1), interest="OURS", for_consumers=True
    )
    claim_interest(invoice_due(late_client, DUE), on=DUE + 20 * DAY, by="system")
    Policy.objects.create(name="standard", effective_from=dt.date(2026, 5, 6), interest="OURS")
    abroad = make_client(late_client.company, "C-0099", currency="USD")
    claim_interest(invoice_due(abroad, DUE), on=DUE + 22 * DAY, by="system")
    assert Charge.objects.filter(kind="interest").count() == 4
    assert not Charge.objects.filter(kind="compensation").exists()


def test_a_missing_rate_holds_back_what_needs_it_and_is_one_task_until_it_is_entered(invoice: Invoice) -> None:
    """The verb refuses and names series and half-year; the night goes on with the others."""
    company, july = invoice.company, dt.date(2026, 7, 31)
    second = invoice_due(invoice.client, DUE, "700")
    by_contract = invoice_due(make_client(company, "C-0050", policy_name="gentle"), DUE, "900")
    charge_by_contract(company)
    ReferenceRate.objects.filter(from_on=dt.date(2026, 7, 1)).update(withdrawn_at=timezone.now())
    with pytest.raises(MissingRate) as refused:
        charge_interest(invoice, until=july, on=july, by=CLERK)
    assert "ecb_mro_reference" in refused.value.message and "2026-H2" in refused.value.message
    for on in (july, july + DAY):
        assert list(apply_late_interest(company, on, by="system")) == (["EUR"] if on == july else [])
    assert {c.invoice_id for c in Charge.objects.all()} == {by_contract.pk}, "nothing of the others, not even to June"
    task = Task.objects.get(kind="review")
    assert "2026-H2" in task.because and task.closed_on is None
    assert "2026-H2" in entitled(invoice, july).missing
    enter_rates({"2026-07-01": "2.40"})
    apply_late_interest(company, july + 2 * DAY, by="system")
    assert {c.invoice_id for c in Charge.objects.all()} == {invoice.pk, second.pk, by_contract.pk}
    task.refresh_from_db()
    assert task.closed_on == july + 2 * DAY


def charge_by_contract(company: Any) -> None:
    """A second policy, gentler: a fixed 12 % from the notice."""
    from invoices.models import InterestNotice
    from policies.services import default_policy

    default_policy(CLERK, name="gentle")
    for invoice in Invoice.objects.filter(client__policy_name="gentle"):
        InterestNotice.objects.create(invoice=invoice, interest_from=DUE + DAY, given_on=DUE, given_by=CLERK)


def test_a_new_rule_leaves_what_was_charged_and_holds_from_where_the_version_says(late_client: Any) -> None:
    """Case 16: from activation, from the due date, or from a chosen date; by default from activation."""
    enter_rates()
    company, june = late_client.company, dt.date(2026, 6, 1)
    invoice = invoice_due(late_client, DUE, "10000")
    charge_by(company, "EU", june)
    assert entitled(invoice, june).since == june
    charge_by(company, "EU", june + DAY)
    assert entitled(invoice, june + DAY).since == june, "from activation: saved again, nothing becomes retroactive"
    apply_late_interest(company, dt.date(2026, 6, 30), by="system")
    july = dt.date(2026, 7, 1)
    charge_by(company, "EU", july, already_overdue="chosen", already_overdue_from=dt.date(2026, 5, 10))
    assert entitled(invoice, july).since == dt.date(2026, 5, 10), "said for the same rule, it holds too"
    charge_by(company, "EU", july + DAY, already_overdue="due_date")
    assert entitled(invoice, july + DAY).since == DUE + DAY
    apply_late_interest(company, dt.date(2026, 7, 31), by="system")
    assert [(c.from_on, c.to_on) for c in Charge.objects.order_by("from_on")] == [
        (DUE + DAY, dt.date(2026, 4, 30)), (dt.date(2026, 5, 1), dt.date(2026, 5, 31)),
        (june, dt.date(2026, 6, 30)), (july, dt.date(2026, 7, 31)),
    ]  # fmt: skip
    assert charged() == accrued(invoice, dt.date(2026, 7, 31)).interest.total
    assert check(timezone.now(), fast=False)["violations"] == []


def test_what_was_paid_before_a_version_begins_is_not_overdue_and_bears_nothing_by_it(late_client: Any) -> None:
    enter_rates()
    invoice = invoice_due(late_client, DUE, "10000")
    pay(late_client, "10000", on=DUE + 10 * DAY, how={f"invoice:{invoice.pk}": Decimal(10000)})
    charge_by(late_client.company, "EU", dt.date(2026, 6, 1), already_overdue="due_date")
    apply_late_interest(late_client.company, dt.date(2026, 6, 30), by="system")
    assert not Charge.objects.exists()


@pytest.mark.parametrize(
    ("already", "chosen", "since"),
    [("due_date", None, DUE + DAY), ("chosen", dt.date(2026, 5, 10), dt.date(2026, 5, 10))],
)
def test_what_is_overdue_already_may_bear_it_from_earlier(
    late_client: Any, already: str, chosen: Any, since: Any
) -> None:
    enter_rates()
    invoice = invoice_due(late_client, DUE, "10000")
    charge_by(
        late_client.company, "EU", dt.date(2026, 6, 1), already_overdue=already, already_overdue_from=chosen
    )
    assert entitled(invoice, dt.date(2026, 5, 31)).since is None, "not before the version begins"
    assert entitled(invoice, dt.date(2026, 6, 1)).since == since


def test_what_is_worked_out_anew_keeps_the_version_it_was_charged_under(invoice: Invoice) -> None:
    june = dt.date(2026, 6, 30)
    apply_late_interest(invoice.company, june, by="system")
    before = {c.from_on: (c.policy_id, c.derivation["terms"]) for c in Charge.objects.all()}
    charge_by(invoice.company, "NONE", dt.date(2026, 7, 10))
    pay(invoice.client, "4000", on=dt.date(2026, 5, 15), how={f"invoice:{invoice.pk}": Decimal(4000)})
    correct_interest(invoice, on=dt.date(2026, 7, 12), by=CLERK)
    revised = Charge.objects.filter(revision=2)
    assert [c.from_on for c in revised] == [dt.date(2026, 5, 1), dt.date(2026, 6, 1)]
    assert all((c.policy_id, c.derivation["terms"]) == before[c.from_on] for c in revised)
    assert apply_late_interest(invoice.company, dt.date(2026, 7, 31), by="system") == {"EUR": Decimal("15.38")}
    assert Charge.objects.latest("pk").to_on == dt.date(2026, 7, 9), "9 days of 6,000 at 10.40 %, before it began"
    assert apply_late_interest(invoice.company, dt.date(2026, 8, 31), by="system") == {}


def test_what_is_overdue_may_bear_none_from_its_due_date_and_what_was_charged_stays(invoice: Invoice) -> None:
    apply_late_interest(invoice.company, dt.date(2026, 4, 30), by="system")
    charge_by(invoice.company, "NONE", dt.date(2026, 5, 20), already_overdue="due_date")
    assert apply_late_interest(invoice.company, dt.date(2026, 5, 31), by="system") == {}
    assert charged() == entitled(invoice, dt.date(2026, 5, 31)).open == Decimal("41.71")


def test_a_wrong_rate_is_entered_anew_and_the_charges_follow_by_the_next_night(invoice: Invoice) -> None:
    apply_late_interest(invoice.company, dt.date(2026, 4, 30), by="system")
    assert charged() == Decimal("41.71")  # 15 days at 10.15 %
    ReferenceRate.objects.filter(from_on=dt.date(2026, 1, 1)).update(withdrawn_at=timezone.now())
    apply_late_interest(invoice.company, dt.date(2026, 5, 1), by="system")
    assert charged() == Decimal("41.71"), "a rate that is not there makes nothing wrong"
    enter_rates({"2026-01-01": "3.15"})
    apply_late_interest(invoice.company, dt.date(2026, 5, 2), by="system")
    assert charged() == Decimal("45.82")  # 11.15 %


def test_the_policy_says_when_it_is_posted(invoice: Invoice) -> None:
    company, may = invoice.company, dt.date(2026, 5, 31)
    charge_by(company, "EU", dt.date(2026, 5, 1), interest_posted="noted")
    assert claim_interest(invoice, on=may, by="system") == []
    april, noted = Decimal("41.71"), Decimal("86.21")  # 15 and 31 days at 10.15 %
    assert apply_late_interest(company, may, by="system") == {"EUR": april}, "earned before it began"
    told = entitled(invoice, may)
    assert told.is_noted and (told.interest, told.noted, told.open) == (april + noted, noted, april)
    assert [(li.days, li.is_noted) for li in derivation_lines(invoice, may)] == [(15, False), (31, True)]
    assert sum(li.exact for li in told.claimed_lines) == Fraction(10000 * 15 * 1015, 365 * 10000)
    assert "only noted, not charged" in told.lines[-1].source
    assert apply_late_interest(company, may, by="system") == {}
    charge_by(company, "EU", dt.date(2026, 6, 1), interest_posted="claimed")
    assert apply_late_interest(company, dt.date(2026, 6, 30), by="system") == {}
    assert claim_interest(invoice, on=dt.date(2026, 6, 30), by="system") != []
    charge_by(company, "EU", dt.date(2026, 7, 1), interest_posted="settled")
    assert apply_late_interest(company, dt.date(2026, 7, 31), by="system") == {}
    pay(invoice.client, "10000", on=PAID, how={f"invoice:{invoice.pk}": Decimal(10000)})
    apply_late_interest(company, PAID, by="system")
    interest = Charge.objects.filter(kind="interest")
    assert [(c.from_on, c.to_on) for c in interest] == [
        (DUE + DAY, dt.date(2026, 4, 30)), (dt.date(2026, 6, 1), dt.date(2026, 6, 30)),
        (dt.date(2026, 7, 1), dt.date(2026, 7, 31)), (dt.date(2026, 8, 1), PAID),
    ], "no day of May is charged: its version only noted interest"  # fmt: skip
    assert sum(interest.values_list("amount", flat=True), Decimal(0)) == Decimal("356.66") - noted


def test_noted_days_are_charged_where_the_next_version_says_from_the_due_date(invoice: Invoice) -> None:
    """Noted by choice, claimed by choice: the version that posts may take what was overdue from its due date."""
    june = dt.date(2026, 6, 1)
    charge_by(invoice.company, "EU", dt.date(2026, 5, 1), interest_posted="noted")
    charge_by(invoice.company, "EU", june, interest_posted="month_end", already_overdue="due_date")
    assert entitled(invoice, june).noted == 0
    pay(invoice.client, "10000", on=PAID, how={f"invoice:{invoice.pk}": Decimal(10000)})
    apply_late_interest(invoice.company, PAID, by="system")
    assert charged() == Decimal("356.66")


def test_a_rate_fixed_when_interest_began_stays_fixed_through_days_that_are_only_noted(late_client: Any) -> None:
    enter_rates({"2026-01-01": "3.75", "2026-07-01": "9.75"}, "boe_reference")
    charge_by(late_client.company, "UK", dt.date(2026, 1, 1))
    charge_by(late_client.company, "UK", dt.date(2026, 6, 1), interest_posted="noted")
    charge_by(late_client.company, "UK", dt.date(2026, 7, 10), interest_posted="month_end")
    invoice = invoice_due(late_client, DUE, "10000")
    assert {li.percent for li in derivation_lines(invoice, PAID)} == {Decimal("11.75")}


def test_the_derivation_is_a_file_with_the_same_bytes_each_time(invoice: Invoice) -> None:
    apply_late_interest(invoice.company, dt.date(2026, 4, 30), by="system")
    charge = Charge.objects.get()
    first = charge_as_json(charge)
    pay(invoice.client, "10", on=PAID, how={f"charge:{charge.pk}": Decimal(10)})
    assert charge_as_json(Charge.objects.get()) == first, "what was paid since is not part of it"
    told = json.loads(first)
    assert told["amount"] == "41.71" and told["derivation"]["terms"]["margin"] == "8"
    assert told["derivation"]["lines"][0] == {
        "from": "2026-04-16", "to": "2026-04-30", "days": 15, "balance": "10000.00", "rate": "10.15",
        "source": "ecb_mro_reference 2026-H1 2.15 + 8 (a published table)", "amount": "41.712329",
    }  # fmt: skip


def test_only_who_may_waives_and_says_why(invoice: Invoice, clerk: Any) -> None:
    from invoices.services.charging import waive_charge
    from tests.cast import make_manager

    claim_interest(invoice, on=DUE + 45 * DAY, by="system")
    lump = Charge.objects.get(kind="compensation")
    with pytest.raises(Refused):
        waive_charge(lump, reason="They asked nicely", on=DUE + 50 * DAY, by=clerk)
    assert waive_charge(lump, reason="Goodwill", on=DUE + 50 * DAY, by=make_manager()).balance == 0
    claim_interest(invoice, on=DUE + 60 * DAY, by="system")
    assert Charge.objects.filter(kind="compensation").count() == 1, "what was waived is not charged again"
