"""Guard-rails at the moment of sending: what they still allow of a fee and of the days to pay, whatever was saved.

Pure. A ladder is held against the rails when it is written; a message against what was really sent before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from policies.guard_rails import Rail


def bar_to_fee(
    rails: Iterable[Rail], *, for_consumers: bool, currency: str, amount: Decimal, days_late: int, fees_before: int,
    reminders_before: int,
) -> Rail | None:
    """The rail that lets nobody charge a fee of ``amount`` today; None where it may be charged.

    Asked when a reminder is written and when its fee is charged: ``fees_before`` are those that stand on the invoice,
    ``reminders_before`` the reminders since its due date that reached the client, whatever the ladder says.

    >>> rails = [Rail("NO", "two", "most_fees", {"count": 2}, None, "Two fees at most", "", "")]
    >>> fee = {"for_consumers": False, "currency": "NOK", "amount": Decimal(35), "days_late": 30}
    >>> [bool(bar_to_fee(rails, fees_before=n, reminders_before=n, **fee)) for n in (0, 1, 2)]
    [False, False, True]
    >>> free = [Rail("DE", "free", "first_is_free", {}, None, "First reminder free of charge", "", "")]
    >>> [bool(bar_to_fee(free, fees_before=0, reminders_before=n, **fee)) for n in (0, 1)]
    [True, False]
    """
    holding = [rail for rail in rails if rail.for_consumers in (None, for_consumers)]
    for rail in holding:
        value = rail.value
        if (
            (rail.kind == "fee_not_before" and days_late < int(value["days"]))
            or (rail.kind == "most_fees" and fees_before >= int(value["count"]))
            or (rail.kind == "first_is_free" and reminders_before < 1)
            or (rail.kind == "highest_fee" and currency in value and amount > Decimal(str(value[currency])))
        ):
            return rail
    highest = [rail for rail in holding if rail.kind == "highest_fee"]
    return highest[0] if highest and not any(currency in rail.value for rail in highest) else None


class Given(NamedTuple):
    """How many days a message gives to pay, and after how many interest runs that it gives notice of."""

    within: int | None
    notice: int | None


def days_given(
    within: int | None, notice: int | None, rails: Iterable[Rail], *, for_consumers: bool, must_name_a_day: bool
) -> Given:
    """The days a message after the due date gives, no fewer than a rail asks for; interest begins only after them.

    ``must_name_a_day``: it asks for a fee or is a mandatory notice, so it has to name a day where the rail says how
    many.

    >>> rails = [Rail("NO", "days", "notice_days", {"days": 14}, None, "Fourteen days to pay", "", "")]
    >>> days_given(7, 7, rails, for_consumers=False, must_name_a_day=True)
    Given(within=14, notice=15)
    >>> days_given(None, None, rails, for_consumers=False, must_name_a_day=False)
    Given(within=None, notice=None)
    >>> days_given(7, 7, [], for_consumers=False, must_name_a_day=True)
    Given(within=7, notice=7)
    """
    asked = [
        int(rail.value["days"]) for rail in rails
        if rail.kind == "notice_days" and rail.for_consumers in (None, for_consumers)
    ]
    least = max(asked, default=0)
    if not least or (within is None and not must_name_a_day):
        return Given(within, notice)
    return Given(max(within or 0, least), notice if notice is None else max(notice, least + 1))
