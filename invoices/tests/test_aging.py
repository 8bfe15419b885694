from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.aging import BUCKETS, OpenItem, age, bucket, days_late

ON = date(2026, 4, 15)
items = st.lists(
    st.builds(
        OpenItem,
        st.integers(-200, 200).map(lambda n: ON + timedelta(n)),
        st.integers(0, 10**9).map(lambda cents: Decimal(cents) / 100),
    )
)


@pytest.mark.parametrize(
    ("late", "name"),
    [(-30, "current"), (0, "current"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"),
     (90, "61-90"), (91, "90+"), (4000, "90+")],
)
def test_an_invoice_ages_from_the_day_after_its_due_date(late: int, name: str) -> None:
    assert bucket(ON - timedelta(late), ON) == name
    assert days_late(ON - timedelta(late), ON) == max(late, 0)


def test_kpi_10_an_invoice_ages_by_its_due_date_and_not_by_its_own() -> None:
    """Terms of 30 days: sold 15 days ago is current, sold 40 days ago is 10 days past due."""
    sold = {15: Decimal(8000), 40: Decimal(4000)}
    aged = age([OpenItem(ON - timedelta(ago) + timedelta(30), amount) for ago, amount in sold.items()], ON)
    assert aged == {"current": 8000, "1-30": 4000, "31-60": 0, "61-90": 0, "90+": 0}


@given(items)
def test_the_buckets_come_to_what_is_open(some: list[OpenItem]) -> None:
    aged = age(some, ON)
    assert tuple(aged) == BUCKETS
    assert sum(aged.values()) == sum(item.balance for item in some)
    assert aged["current"] == sum(item.balance for item in some if item.due_on >= ON)
