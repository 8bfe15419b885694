"""What kind of payer a client is, for the steps that are only for some; from the bills it settled in twelve months.

A bill counts on the day its last part was paid; what is still open says nothing yet. A client is «slow» where fewer
than half of at least three bills were paid on time, «reliable» where at least four in five were. It is late for the
«first» time in twelve months where none was paid late, and late «again» where one was. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from .behaviour import FEWEST, LOOK_BACK_DAYS, Bill

SLOW, RELIABLE, FIRST, AGAIN = "slow", "reliable", "first", "again"
NEW = frozenset({FIRST})  # a client of whom nothing is known yet


def kinds_of_payer(bills: Iterable[Bill], on: date) -> frozenset[str]:
    """The kinds a client is of on a day: always «first» or «again», and it may be «slow» or «reliable» beside it.

    >>> from decimal import Decimal
    >>> bill = lambda due, paid: Bill(date(2026, due, 1), ((date(2026, paid, 1), Decimal(100)),))
    >>> on = date(2026, 7, 1)
    >>> sorted(kinds_of_payer([bill(1, 1), bill(2, 2), bill(3, 3)], on)), sorted(kinds_of_payer([bill(1, 2)], on))
    (['first', 'reliable'], ['again'])
    >>> sorted(kinds_of_payer([bill(1, 2), bill(2, 3), bill(4, 4)], on)), sorted(kinds_of_payer([], on))
    (['again', 'slow'], ['first'])
    """
    a_year = on - timedelta(days=LOOK_BACK_DAYS)
    settled = [bill for bill in bills if not bill.left and bill.paid and a_year < max(day for day, _sum in bill.paid)]
    on_time = sum(bill.on_time for bill in settled)
    found = {FIRST if on_time == len(settled) else AGAIN}
    if len(settled) >= FEWEST and on_time * 2 < len(settled):
        found.add(SLOW)
    if len(settled) >= FEWEST and on_time * 5 >= len(settled) * 4:
        found.add(RELIABLE)
    return frozenset(found)
