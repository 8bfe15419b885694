"""Choosing the policy by which one invoice is reminded, in place of that of its client."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from audit.services import record
from clients.services import lock_client
from invoices.models import Invoice
from policies.services.choices import keep_choice
from policies.services.versions import check_policy_name


def choose_policy(invoice: Invoice, name: str, *, on: dt.date, by: Any) -> Invoice:
    """The invoice is reminded, and bears interest, by the policy of that name from ``on``; empty: by its client's.

    The days before keep the policy they had. Refused for a policy that has no version in force on ``on``. Chosen again
    it changes nothing.
    """
    with transaction.atomic():
        lock_client(invoice.client_id)
        row = Invoice.objects.get(pk=invoice.pk)
        if row.policy_name == name:
            return row
        check_policy_name(name, on)
        before, row.policy_name = row.policy_name, name
        row.version += 1
        row.save(update_fields=["policy_name", "version"])
        keep_choice(
            "invoice", row.pk, row.company_id, before=before, name=name, on=on, by=by, client=row.client_id,
        )
        record(
            by, "invoice_policy_chosen", row, client_id=row.client_id, doc=str(row.number or ""),
            summary=name or "as its client", diff={"policy_name": name, "before": before},
        )  # fmt: skip
    return row
