"""What bank data say about reminding. This is the one place that asks them; no bank data are taken in yet.

Whoever brings bank files in answers here: how old the newest are, and which payment of a client is not matched yet.
Until then nothing is known, nothing is held back for it, and «why» says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

from django.utils.translation import gettext as _

from core.models import Company


class Said(NamedTuple):
    """Whether reminding may go on, and why."""

    passes: bool
    because: str


def bank_data_are_fresh(company: Company, on: dt.date, longest_days: int | None) -> Said:
    """No reminder leaves on bank data older than a policy allows. Without bank data there is nothing to be stale."""
    return Said(True, _("no bank data"))


def with_unmatched(company: Company, on: dt.date, clients: Collection[int]) -> frozenset[int]:
    """Those of the clients whose payment, probably theirs, waits to be matched; asked once for many."""
    return frozenset()


def nothing_unmatched(company: Company, on: dt.date, client: int) -> Said:
    """No reminder leaves while a payment that is probably this client's waits to be matched."""
    return Said(client not in with_unmatched(company, on, [client]), _("no bank data"))
