from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from core.money import is_exact, smallest
from invoices.totals import Line, line_net, total_of

rates = st.sampled_from([("S", Decimal(19)), ("S", Decimal("8.1")), ("S", Decimal(0)), ("Z", Decimal(0))])


@st.composite
def lines(draw: st.DrawFn) -> Line:
    category, percent = draw(rates)
    quantity = draw(st.decimals(-1000, 1000, places=4))
    price = draw(st.decimals(0, 10000, places=6))
    return Line(quantity, price, percent, category)


def test_a_line_is_rounded_once_to_the_currency() -> None:
    assert line_net(Decimal(3), Decimal("0.335"), "EUR") == Decimal("1.01")
    assert line_net(Decimal("1.5"), Decimal(333), "JPY") == 500
    assert line_net(Decimal(-1), Decimal("0.005"), "EUR") == Decimal("-0.01")


def test_tax_is_rounded_once_per_rate_and_not_per_line() -> None:
    """Three times 0.0152 would be 0.06 if every line were rounded."""
    made = total_of([Line(Decimal(1), Decimal("0.08"), Decimal(19))] * 3, "EUR")
    assert (made.net, made.tax, made.total) == (Decimal("0.24"), Decimal("0.05"), Decimal("0.29"))


def test_each_rate_is_a_group_of_its_own_the_higher_first() -> None:
    made = total_of(
        [
            Line(Decimal(2), Decimal(10), Decimal("7.00")),
            Line(Decimal(1), Decimal(100), Decimal(19)),
            Line(Decimal(1), Decimal(30), Decimal("7")),
            Line(Decimal(1), Decimal(5), Decimal(0), "E"),
        ],
        "EUR",
    )
    assert [(g.category, g.percent, g.net, g.tax) for g in made.groups] == [
        ("S", 19, 100, 19), ("S", 7, 50, Decimal("3.5")), ("E", 0, 5, 0),
    ]
    assert (made.net, made.tax, made.total) == (155, Decimal("22.5"), Decimal("177.5"))


@given(st.lists(lines(), max_size=8), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_what_is_printed_adds_up(some: list[Line], currency: str) -> None:
    made = total_of(some, currency)
    assert made.net == sum(line_net(line.quantity, line.unit_price, currency) for line in some)
    assert made.net == sum(group.net for group in made.groups)
    assert made.tax == sum(group.tax for group in made.groups)
    assert made.total == made.net + made.tax
    for group in made.groups:
        assert is_exact(group.tax, currency)
        assert abs(group.tax - group.net * group.percent / 100) <= smallest(currency) / 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (Line(Decimal(1), Decimal(1), Decimal(19), "E"), "carries no tax"),
        (Line(Decimal(1), Decimal(1), Decimal(19), "Z"), "carries no tax"),
        (Line(Decimal(1), Decimal(1), Decimal(-1)), "below zero"),
        (Line(Decimal(1), Decimal(1), Decimal(0), "Q"), "unknown"),
    ],
)
def test_a_line_with_impossible_tax_is_refused_by_its_number(line: Line, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused:
        total_of([Line(Decimal(1), Decimal(1)), line], "EUR")
    assert refused.value.where == "line 2"
