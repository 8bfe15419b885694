"""Disputes, first cut: an invoice or an amount of it is marked as disputed, and the mark is taken off again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction

from audit.services import record
from core.errors import Refused
from core.models import as_text
from core.money import is_exact, plain
from invoices.models import Invoice

from .models import Dispute

REVISIT_AFTER_DAYS = 7


def open_dispute(
    invoice: Invoice,
    *,
    reason: str,
    text: str = "",
    amount: Decimal | None = None,
    revisit_on: dt.date | None = None,
    on: dt.date,
    by: Any,
) -> Dispute:
    """The client says something is wrong; the disputed amount (all of it, where none is given) is no longer chased.

    A second time on a disputed invoice answers with the dispute that is open. Refused for a draft, a void or
    settled invoice, and for more than is owed.
    """
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
        if invoice.issued_at is None or invoice.voided_at is not None:
            raise Refused("Only an issued invoice can be disputed.", code="not_issued")
        standing = Dispute.objects.filter(invoice=invoice, closed_on=None).first()
        if standing:
            return standing
        if invoice.balance == 0:
            raise Refused("Nothing is owed on this invoice; there is nothing to dispute.", code="settled")
        if amount is not None and not (0 < amount <= invoice.balance and is_exact(amount, invoice.currency)):
            raise Refused(
                f"The disputed amount lies between nothing and the {plain(invoice.balance, invoice.currency)} "
                f"{invoice.currency} still owed.",
                code="amount",
                where="amount",
            )
        if reason not in dict(Dispute.REASONS):
            raise Refused("Choose one of the reasons.", code="reason", where="reason")
        revisit = revisit_on or on + dt.timedelta(days=REVISIT_AFTER_DAYS)
        if revisit < on:
            raise Refused("Look again today or later.", code="revisit", where="revisit_on")
        dispute = Dispute.objects.create(
            invoice=invoice,
            reason=reason,
            text=text.strip()[:4000],
            amount=amount,
            opened_on=on,
            opened_by=as_text(by),
            revisit_on=revisit,
        )
        record(by, "dispute_opened", dispute, client_id=invoice.client_id, summary=f"{invoice}: {reason}")
    return dispute


def close_dispute(dispute: Dispute, *, outcome: str, on: dt.date, by: Any) -> Dispute:
    """The matter is settled, for the reason given; chasing goes on where it was. Closing twice changes nothing."""
    if not outcome.strip():
        raise Refused("Say in a sentence how it ended.", code="outcome", where="outcome")
    with transaction.atomic():
        dispute = Dispute.objects.select_for_update().select_related("invoice").get(pk=dispute.pk)
        if dispute.closed_on is None:
            dispute.closed_on = max(on, dispute.opened_on)
            dispute.closed_by = as_text(by)
            dispute.outcome = outcome.strip()
            dispute.save(update_fields=["closed_on", "closed_by", "outcome"])
            record(by, "dispute_closed", dispute, client_id=dispute.invoice.client_id, summary=outcome)
    return dispute
