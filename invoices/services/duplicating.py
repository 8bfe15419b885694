"""Writing the same again: a new draft with the lines of an invoice, whatever became of it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from audit.services import record
from invoices.models import Invoice, InvoiceLine
from invoices.paying import offered
from invoices.totals import stated

from .drafting import Heading, LineDraft, draft_invoice

AS_WRITTEN = (
    "description", "detail", "quantity", "unit", "unit_price", "tax_percent", "tax_category", "exemption_reason",
)  # fmt: skip


def lines_as_written(invoice: Invoice) -> list[LineDraft]:
    """The lines of an invoice as somebody would write them anew."""
    return [_as_written(line) for line in invoice.lines.all()]


def _as_written(line: InvoiceLine) -> LineDraft:
    written = {name: getattr(line, name) for name in AS_WRITTEN}
    return LineDraft(**written | {"tax_category": stated(line.tax_category, line.tax_percent)})


def duplicate_invoice(invoice: Invoice, *, key: str | None = None, by: Any) -> tuple[Invoice, list[str]]:
    """A new draft with the lines, terms, note and ways to pay of an invoice; answers with it and what is different.

    Left out, and said: what belongs to that one delivery alone (the order number, the days of the service), whom mail
    no longer reaches, and a way to pay no longer offered. The same ``key`` again is the same draft.
    """
    client = invoice.client
    changed = []
    terms = invoice.terms
    if terms is None:
        changed.append(_("It had no payment terms of ours; the draft has those of the client."))
    elif client.terms is not None and client.terms != terms:
        changed.append(
            _("It keeps the terms %(terms)s; the client's are %(now)s by now.") % {"terms": terms, "now": client.terms}
        )
    contact = invoice.contact
    if contact is not None and not client.contacts.reachable().filter(pk=contact.pk).exists():
        changed.append(_("%(who)s can no longer be written to; it goes to accounts payable.") % {"who": contact})
        contact = None
    kinds = [method.kind for method in offered(client.company, client, invoice.currency)]
    gone = [kind for kind in invoice.ways if kind not in kinds]
    if gone:
        changed.append(_("Of its ways to pay no longer offered, and left out: %(ways)s.") % {"ways": ", ".join(gone)})
    if invoice.po_number:
        changed.append(_("The order number %(order)s is left out; enter the one of this order.") % {
            "order": invoice.po_number})  # fmt: skip
    if invoice.service_from or invoice.service_to:
        changed.append(_("The days of the service are left out; enter those of this delivery."))
    heading = Heading(
        terms=terms, contact=contact, currency=invoice.currency, note=invoice.note,
        extra_fields=invoice.extra_fields or None, ways=[kind for kind in invoice.ways if kind in kinds],
    )  # fmt: skip
    draft = draft_invoice(client, lines_as_written(invoice), heading=heading, key=key, by=by)
    record(by, "invoice_duplicated", draft, client_id=client.pk, summary=f"from {invoice} ({invoice.pk})")
    return draft, changed
