"""Writing an invoice anew after it was taken back: a draft that says which invoice it replaces."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Sum

from audit.services import record
from clients.services import lock_client
from core.errors import Refused
from invoices.models import Invoice

from .drafting import Heading, draft_invoice
from .duplicating import lines_as_written


def replace_invoice(invoice: Invoice, *, by: Any) -> Invoice:
    """A draft with the lines of an invoice that was taken back, to be corrected and issued in its place.

    The work it invoiced is on the draft, so that it is invoiced once. While a draft or an invoice replaces it already,
    that one is the answer. Refused while the invoice stands: void it, or credit all of it, first.
    """
    with transaction.atomic():
        lock_client(invoice.client_id)
        invoice = Invoice.objects.select_related("client__company", "terms", "contact").get(pk=invoice.pk)
        standing = invoice.replaced_by.filter(voided_at=None).first()
        if standing is not None:
            return standing
        if invoice.issued_at is None:
            raise Refused("A draft is changed, not replaced.", code="draft")
        if not is_taken_back(invoice):
            raise Refused(
                f"{invoice} stands: void it, or credit all of it, and then write it anew.", code="standing",
            )  # fmt: skip
        contact = invoice.contact if invoice.contact and invoice.contact.is_active else None
        heading = Heading(
            terms=invoice.terms, contact=contact, currency=invoice.currency, po_number=invoice.po_number,
            service_from=invoice.service_from, service_to=invoice.service_to, note=invoice.note,
            extra_fields=invoice.extra_fields,
        )  # fmt: skip
        draft = draft_invoice(invoice.client, lines_as_written(invoice), heading=heading, by=by)
        draft.replaces = invoice
        draft.save(update_fields=["replaces"])
        # Thrown away, the draft gives the work back to whoever decides about it.
        invoice.works_given_back.filter(invoice=None, removed_at=None).update(invoice=draft)
        record(by, "invoice_replaced", invoice, client_id=invoice.client_id, doc=f"invoice:{invoice.pk}")
    return draft


def is_taken_back(invoice: Invoice) -> bool:
    """Void, or credited in full."""
    if invoice.voided_at is not None:
        return True
    credited = invoice.credit_notes.aggregate(s=Sum("total"))["s"]
    return bool(invoice.issued_at is not None and credited == invoice.total)
