"""What the demo book sells in advance: an order that was paid and became its invoice, and one that still waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils import timezone

from clients.models import Client
from invoices.models import ProForma
from invoices.services.drafting import Heading, LineDraft, draft_invoice
from invoices.services.pro_forma import make_pro_forma, send_pro_forma
from outbox.services import deliver
from payments.services import record_payment

PAY_WITHIN = dt.timedelta(days=10)


class Order(NamedTuple):
    """An order to be paid in advance: how many days ago, by whom, for what, and when its money came, if it did."""

    ago: int
    client: str
    what: str
    price: str
    paid_ago: int | None = None


ORDERS = (
    Order(9, "C-0117", "Catalogue photography, deposit before the day", "1450", paid_ago=5),
    Order(2, "C-0107", "Shop window, spring: materials", "2380"),
)


def ordered_on(n: int, on: dt.date, clients: Mapping[str, Client], by: Any) -> None:
    """What happens ``n`` days before today: the pro forma leaves by mail, or the money for one comes in."""
    for order in ORDERS:
        client = clients[order.client]
        if order.ago == n:
            line = LineDraft(order.what, Decimal(1), Decimal(order.price), tax_category="AE")
            draft = draft_invoice(client, [line], heading=Heading(po_number=f"{order.client}-A"), by=by)
            made = make_pro_forma(draft, on + PAY_WITHIN, on=on, by=by)
            send_pro_forma(made, on=on, by=by, not_before=timezone.now())
            deliver(timezone.now(), only=Q(kind="pro_forma"), clock=lambda: timezone.now())
        if order.paid_ago == n:
            waiting = ProForma.objects.standing().get(invoice__client=client)
            record_payment(
                client, waiting.total, waiting.currency, received_on=on, key=f"demo:{waiting.number}",
                reference=waiting.frozen["reference"], pro_forma=waiting, on=on, by=by,
            )
