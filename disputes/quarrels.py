"""On which days how much of an invoice was disputed, as the arithmetic of late interest asks for it."""

from __future__ import annotations

import datetime as dt

from invoices.interest import Quiet

from .models import Dispute


def disputed_days(invoice: int) -> list[Quiet]:
    """The disputes of an invoice: the day one was raised counts, the day it was closed does not."""
    return [
        Quiet(
            row.opened_on, row.closed_on - dt.timedelta(days=1) if row.closed_on else None, row.amount, disputed=True,
            because="disputed",
        )
        for row in Dispute.objects.filter(invoice=invoice).order_by("opened_on", "pk")
    ]
