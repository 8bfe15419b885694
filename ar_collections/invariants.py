"""What must always be true of messages: nobody is told the same twice, and nobody is chased for what is paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from core.invariants import Invariant, sql
from outbox.models import Message

from .services.deciding import NOTICE

_OVERDUE_LEASE = dt.timedelta(minutes=10)

_CHASED_THOUGH_PAID = """
SELECT DISTINCT m.id FROM collections_served s
JOIN outbox_message m ON m.id = s.message_id AND m.state = 'sent' AND m.kind = %s
LEFT JOIN invoices_entry e ON e.invoice_id = s.invoice_id AND e.effective_on <= m."on" AND e.posted_at <= m.handing_at
WHERE s.outcome = 'served'
GROUP BY m.id, s.id
HAVING SUM(CASE WHEN e.dr = 'receivable' THEN e.amount WHEN e.cr = 'receivable' THEN -e.amount ELSE 0 END) <= 0
"""


def left_in_the_middle(now: dt.datetime) -> list[int]:
    """Messages that somebody claimed and neither sent nor gave back long after the time was over."""
    late = Message.objects.filter(state__in=["claimed", "handing"], lease_until__lt=now - _OVERDUE_LEASE)
    return list(late.values_list("pk", flat=True))


def told_twice(now: dt.datetime) -> Iterator[int]:
    """Messages that tell a client of an invoice and a step again; what a person sent again on purpose is left out."""
    seen: set[tuple[str, int, str, int]] = set()
    handed = Message.objects.filter(kind=NOTICE, state__in=["handing", "sent"]).exclude(key__regex=r":r[0-9]+$")
    for pk, transport, payload in handed.order_by("pk").values_list("pk", "transport", "payload").iterator():
        items = [(transport, *item) for item in payload.get("items", []) if item[0] in payload.get("told", [item[0]])]
        if not seen.isdisjoint(items):
            yield pk
        seen.update(items)


INVARIANTS = [
    Invariant("L16", "no message stands half sent", left_in_the_middle, fast=True),
    Invariant("L16", "a client is told once of an invoice's step", told_twice, fast=True),
    sql("L16", "what a reminder asked for was owed when it was handed over", _CHASED_THOUGH_PAID, [NOTICE], fast=True),
]
