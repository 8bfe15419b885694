"""May this client buy this on credit today: every status, the limit, the deposit, and what passes in spite of them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.credit_gate import Sale, may_buy

SALE = Sale("Osprey", "EUR", Decimal(500), 30)
LIMITED = replace(SALE, limit=Decimal(1000))


def test_without_a_limit_everything_passes_and_up_to_the_limit_too():
    assert may_buy(replace(SALE, exposure=Decimal(10**9))).ok
    assert may_buy(replace(LIMITED, exposure=Decimal(500))).ok
    refused = may_buy(replace(LIMITED, exposure=Decimal("500.01")))
    assert (refused.ok, refused.code) == (False, "over_limit")
    assert "€0.01 over the limit of €1,000.00" in refused.sentence


def test_the_watch_status_changes_nothing():
    assert may_buy(replace(SALE, status="watch")).ok


def test_what_fills_the_limit_to_four_fifths_is_said_before_it_is_refused():
    assert may_buy(replace(LIMITED, exposure=Decimal(299))).warns == ()
    assert "uses 80 % of the limit" in may_buy(replace(LIMITED, exposure=Decimal(300))).warns[0]


def test_a_client_on_cash_only_pays_all_of_it_first():
    sale = replace(LIMITED, status="cash_only", exposure=Decimal(5000))
    assert may_buy(replace(sale, cash=Decimal("499.99"))).code == "cash_only"
    paid = may_buy(replace(sale, cash=Decimal(200), kept=Decimal(300)))
    assert (paid.ok, paid.in_advance) == (True, 500)


def test_what_was_paid_on_its_pro_forma_passes_over_any_limit_but_not_where_we_no_longer_sell():
    paid = replace(LIMITED, exposure=Decimal(5000), kept=Decimal(500))
    assert may_buy(paid).passes_by == "paid"
    assert may_buy(replace(paid, kept=Decimal("499.99"))).code == "over_limit"
    assert may_buy(replace(paid, status="closed")).code == "closed"


def test_stricter_terms_ask_for_fewer_days_and_a_deposit():
    sale = replace(LIMITED, status="stricter", longest_days=14, deposit_percent=Decimal(30))
    assert may_buy(replace(sale, cash=Decimal(150))).code == "terms_too_long"
    short = replace(sale, terms_days=14)
    assert may_buy(replace(short, cash=Decimal("149.99"))).code == "deposit"
    passed = may_buy(replace(short, cash=Decimal(150)))
    assert (passed.ok, passed.in_advance) == (True, 150)
    assert may_buy(replace(short, cash=Decimal(150), exposure=Decimal(501))).code == "over_limit"


def test_delivered_work_stays_invoiceable_whatever_the_rule():
    for broken in (replace(LIMITED, exposure=Decimal(900)), replace(SALE, status="cash_only"),
                   replace(SALE, status="closed"), replace(SALE, status="stricter", longest_days=7)):  # fmt: skip
        assert not may_buy(broken).ok
        passed = may_buy(replace(broken, delivered=True))
        assert (passed.ok, passed.passes_by) == (True, "delivered") and passed.sentence
        assert may_buy(broken).sentence.startswith(passed.sentence + " ")


def test_what_passed_names_its_rules_and_gives_no_advice():
    both = replace(LIMITED, status="stricter", longest_days=7, exposure=Decimal(900))
    both = replace(both, allowed=("on_credit", "over_limit"))
    assert may_buy(both).sentence == (
        "Osprey is on stricter terms of at most 7 days to pay, and this invoice gives 30. "
        "With this invoice Osprey would owe €1,400.00, which is €400.00 over the limit of €1,000.00."
    )
    refused = may_buy(replace(both, allowed=("on_credit",))).sentence
    assert refused.endswith("limit of €1,000.00. To go on, ask for the money first by a pro forma, or let somebody "
                            "with the permission grant an exception.")  # fmt: skip


def test_an_exception_lets_pass_what_it_allows_and_nothing_else():
    over = replace(LIMITED, exposure=Decimal(900))
    assert may_buy(replace(over, allowed=("over_limit",))).passes_by == "exception"
    assert may_buy(replace(over, allowed=("on_credit",))).code == "over_limit"
    cash = replace(SALE, status="cash_only")
    assert may_buy(replace(cash, allowed=("on_credit",))).ok
    assert may_buy(replace(cash, allowed=("over_limit",))).code == "cash_only"
    both = replace(over, status="stricter", longest_days=7)
    assert may_buy(replace(both, allowed=("on_credit",))).code == "over_limit"
    assert may_buy(replace(both, allowed=("on_credit", "over_limit"))).ok


@pytest.mark.parametrize("status", ["cash_only", "closed", "stricter"])
def test_a_refusal_says_what_became_of_an_expired_exception(status):
    sale = replace(SALE, status=status, longest_days=7, expired="The exception granted by Ada expired.")
    assert may_buy(sale).sentence.endswith("The exception granted by Ada expired.")


@given(st.lists(st.integers(1, 400), min_size=1, max_size=12), st.integers(0, 1000))
def test_what_passes_never_adds_up_to_more_than_the_limit(totals, limit):
    owed = Decimal(0)
    for total in totals:
        if may_buy(replace(SALE, total=Decimal(total), limit=Decimal(limit), exposure=owed)).ok:
            owed += total
    assert owed <= limit
