from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from payments.allocation import Claim, Part, by_hand, exact, oldest_first

DAY = date(2026, 1, 1)


def claim(
    key: str, balance: str | int, due: int = 0, issued: int = -30, number: str = "", charge: bool = False
) -> Claim:
    return Claim(key, DAY + timedelta(due), Decimal(balance), DAY + timedelta(issued), number or key, charge)


def said(parts: list[Part]) -> dict[str, Decimal]:
    return {part.claim.key: part.amount for part in parts}


amounts = st.integers(1, 500).map(Decimal)


@st.composite
def open_claims(draw: st.DrawFn) -> list[Claim]:
    drawn = st.tuples(st.integers(0, 200), st.integers(0, 3), st.integers(-3, 0), st.booleans())
    return [
        claim(f"{n}", balance, due, issued, charge=charge)
        for n, (balance, due, issued, charge) in enumerate(draw(st.lists(drawn, max_size=7)))
    ]


def test_the_oldest_is_settled_first_and_the_next_takes_the_rest() -> None:
    assert said(oldest_first(Decimal(100), [claim("new", 60, due=9), claim("old", 60)])) == {"old": 60, "new": 40}


def test_equal_due_dates_go_by_the_day_of_issue_and_then_by_number() -> None:
    claims = [claim("late", 1, issued=-1, number="7"), claim("second", 1, number="9"), claim("first", 1, number="8")]
    assert list(said(oldest_first(Decimal(3), claims))) == ["first", "second", "late"]


def test_charges_wait_until_all_principal_is_paid() -> None:
    claims = [claim("interest", 10, due=-90, charge=True), claim("invoice", 100, due=9)]
    assert said(oldest_first(Decimal(105), claims)) == {"invoice": 100, "interest": 5}


@given(amounts, open_claims())
def test_allocation_never_exceeds_a_balance_or_the_payment_and_leaves_no_money_beside_an_open_claim(
    amount: Decimal, claims: list[Claim]
) -> None:
    parts = oldest_first(amount, claims)
    given_ = sum(said(parts).values())
    assert all(0 < part.amount <= part.claim.balance for part in parts)
    assert given_ == min(amount, sum(c.balance for c in claims))
    assert sum(part.amount < part.claim.balance for part in parts) <= 1


def test_the_invoice_whose_balance_is_the_amount_is_settled() -> None:
    assert said(exact(Decimal(40), [claim("a", 60), claim("b", 40), claim("c", 30)])) == {"b": 40}


def test_several_invoices_of_that_amount_are_left_for_a_person() -> None:
    assert exact(Decimal(40), [claim("a", 40), claim("b", 40)]) == []


def test_the_one_set_that_adds_up_is_settled_in_full() -> None:
    assert said(exact(Decimal(100), [claim("a", 70), claim("b", 30), claim("c", 45)])) == {"a": 70, "b": 30}


def test_two_sets_that_add_up_are_left_for_a_person() -> None:
    assert exact(Decimal(100), [claim("a", 70), claim("b", 30), claim("c", 30)]) == []


def test_nothing_that_adds_up_stays_unapplied() -> None:
    assert exact(Decimal(99), [claim("a", 70), claim("b", 30)]) == []
    assert exact(Decimal(99), []) == []


def test_among_very_many_open_items_only_all_of_them_are_tried() -> None:
    many = [claim(f"{n}", n) for n in range(1, 41)]
    assert len(exact(Decimal(820), many)) == 40
    assert exact(Decimal(819), many) == []
    assert said(exact(Decimal(17), many)) == {"17": 17}


@given(amounts, open_claims())
def test_exact_means_the_only_way_there_is(amount: Decimal, claims: list[Claim]) -> None:
    owing = [c for c in claims if c.balance]
    single = [(c,) for c in owing if c.balance == amount]
    ways = single or [
        some for size in range(1, len(owing) + 1) for some in combinations(owing, size)
        if sum(c.balance for c in some) == amount
    ]
    expected = {c.key: c.balance for c in ways[0]} if len(ways) == 1 else {}
    assert said(exact(amount, claims)) == expected


def test_by_hand_a_person_decides_and_the_rest_stays_unapplied() -> None:
    claims = [claim("a", 60), claim("b", 60)]
    assert said(by_hand(Decimal(100), {"b": Decimal(60), "a": Decimal(15)}, claims)) == {"b": 60, "a": 15}


@pytest.mark.parametrize(
    ("wanted", "code", "where", "says"),
    [
        ({"a": "60.01"}, "over_allocation", "a", "INV-1 has 60 open, and 60.01 is more"),
        ({"a": "60", "b": "40.01"}, "over_allocation", "amount", "100.01 in all is more than the 100"),
        ({"z": "1"}, "not_open", "z", "not open for this client"),
        ({"settled": "1"}, "not_open", "settled", "not open for this client"),
        ({"a": "0"}, "not_positive", "a", "not above zero"),
        ({"a": "-5"}, "not_positive", "a", "not above zero"),
    ],
)
def test_by_hand_nothing_impossible_is_accepted(wanted: dict[str, str], code: str, where: str, says: str) -> None:
    claims = [claim("a", "60.0000", number="INV-1"), claim("b", 60), claim("settled", 0)]
    with pytest.raises(Refused, match=says) as refused:
        by_hand(Decimal(100), {key: Decimal(share) for key, share in wanted.items()}, claims)
    assert (refused.value.code, refused.value.where) == (code, where)


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_a_payment_of_nothing_is_refused(amount: str) -> None:
    for way in (oldest_first, exact):
        with pytest.raises(Refused, match="above zero"):
            way(Decimal(amount), [claim("a", 60)])
    with pytest.raises(Refused, match="above zero"):
        by_hand(Decimal(amount), {}, [])
