"""The invariants of all apps as one table, and asking them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from ar_collections.invariants import INVARIANTS as COLLECTIONS
from core.invariants import INVARIANTS as CORE
from core.invariants import Invariant, one_view_of_the_books
from invoices.invariants import INVARIANTS as INVOICES
from payments.invariants import INVARIANTS as PAYMENTS

TABLE = sorted([*CORE, *INVOICES, *PAYMENTS, *COLLECTIONS], key=lambda invariant: int(invariant.code[1:]))
NO_HOME_YET = {
    "L15": "the audit trail is not sealed yet",
}
SHOWN = 100  # ids named of a violation; the count is of all


def check(
    now: dt.datetime, *, fast: bool = False, asked: Callable[[int, int], Any] = lambda done, total: None,
    table: Iterable[Invariant] = TABLE,
) -> dict[str, Any]:
    """Ask every invariant (the quick ones only, where ``fast``) of the books of one moment.

    Answers the violations by code, what was checked, and what does not apply to these books.
    """
    due = [invariant for invariant in table if invariant.fast or not fast]
    violations: list[dict[str, Any]] = []
    with one_view_of_the_books():
        done = 0
        for code, those in groupby(due, key=lambda invariant: invariant.code):
            found: dict[Any, None] = {}
            for invariant in those:
                found |= dict.fromkeys(invariant.find(now))
                done += 1
                asked(done, len(due))
            if found:
                violations.append({"code": code, "count": len(found), "ids": list(found)[:SHOWN]})
    checked: dict[str, list[str]] = {}
    for invariant in due:
        checked.setdefault(invariant.code, []).append(invariant.says)
    return {"violations": violations, "checked": checked, "not_applicable": NO_HOME_YET}
