"""Issuing: a draft becomes a claim under a number without gaps, and is never changed again; and voiding it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit.services import record
from clients.services import lock_client
from clients.services.marks import note_exposure
from core.errors import Refused
from core.money import plain
from core.references import rf_reference
from invoices.documents import freeze
from invoices.einvoice import check_einvoice
from invoices.models import RECEIVABLE, REVENUE, TAX, Invoice, InvoiceLine, InvoicePart
from invoices.paying import takes_too_little
from invoices.totals import Totals
from outbox.models import Message
from policies.terms import refuse_vague

from .credit import IN_ADVANCE, credit_check
from .drafting import totals_of
from .exposure import note_credit_of
from .ledger import NewEntry, post_entries, reverse_entries
from .linking import begins_with
from .numbering import as_number, next_number
from .parts import plan_parts, terms_facts


def issue_invoice(invoice: Invoice, *, on: dt.date, by: Any, delivered: bool = False) -> Invoice:
    """Issue a draft on a day: due days from its terms, number from its series, entries in the ledger, all frozen.

    Issuing an issued invoice changes nothing. Refused without terms, for nothing owed, where the client needs a
    purchase order number that is missing, and where the rules of credit say no: over the limit, cash-only, closed,
    or stricter terms not kept. ``delivered`` says that the work is done, which needs the permission where it matters.
    """
    with transaction.atomic():
        lock_client(invoice.client_id)
        invoice = (
            Invoice.objects.select_for_update(of=("self",))
            .select_related("client__company", "company", "terms")
            .prefetch_related("lines")
            .get(pk=invoice.pk)
        )
        if invoice.issued_at is not None:
            return invoice
        check_issuable(invoice)
        assert invoice.terms is not None
        totals = totals_of(invoice)
        invoice.net, invoice.tax, invoice.total = totals.net, totals.tax, totals.total
        verdict = credit_check(invoice, on, by, delivered)
        if not verdict.ok:
            raise Refused(verdict.sentence, code=verdict.code, where=verdict.where)
        invoice.issued_on = on
        parts = plan_parts(invoice, on)
        invoice.save()
        InvoicePart.objects.bulk_create(parts)
        InvoiceLine.objects.filter(invoice=invoice).update(is_issued=True)
        post_entries(_issue_entries(invoice, totals, on), by)
        invoice.frozen = freeze(invoice) | terms_facts(invoice)
        if verdict.in_advance:
            invoice.frozen[IN_ADVANCE] = plain(verdict.in_advance, invoice.currency)
        # The number comes last, so that its row is locked for the shortest time.
        invoice.series, invoice.seq = next_number(invoice.company, on)
        invoice.number = as_number(invoice.series, invoice.seq)
        invoice.reference = rf_reference(invoice.number)
        invoice.issued_at = timezone.now()
        invoice.save()
        record(
            by,
            "invoice_issued",
            invoice,
            client_id=invoice.client_id,
            doc=f"invoice:{invoice.pk}",
            summary=invoice.number,
        )
        if verdict.passes_by:
            record(
                by, "credit_rule_passed", invoice, client_id=invoice.client_id, doc=f"invoice:{invoice.pk}",
                summary=verdict.sentence, diff={"by": verdict.passes_by, "rule": verdict.code},
            )
        if verdict.after is not None:
            note_exposure(invoice.client, invoice.currency, verdict.after, on)
    return invoice


def void_invoice(invoice: Invoice, *, reason: str, on: dt.date, by: Any) -> Invoice:
    """Take an invoice back while nothing was sent or paid: entries reversed, the number stays, marked void.

    Refused after it was sent or paid: what the client has seen is corrected by a credit note.
    """
    if not reason.strip():
        raise Refused("Say why the invoice is voided.", code="reason", where="reason")
    with transaction.atomic():
        lock_client(invoice.client_id)
        invoice = Invoice.objects.select_for_update(of=("self",)).get(pk=invoice.pk)
        if invoice.voided_at is not None:
            return invoice
        if invoice.issued_at is None:
            raise Refused("A draft is deleted, not voided.", code="draft")
        if invoice.balance != invoice.total:
            raise Refused("Something was paid or credited on this invoice; it can no longer be voided.", code="paid")
        if was_sent(invoice):
            raise Refused("This invoice was sent; what the client has seen is not voided.", code="sent")
        reverse_entries(invoice.entries.filter(reverses=None), by, on, memo=reason)
        invoice.refresh_from_db(fields=["balance"])
        invoice.voided_at, invoice.voided_on, invoice.voided_because = timezone.now(), on, reason.strip()[:300]
        invoice.save(update_fields=["voided_at", "voided_on", "voided_because"])
        # The work is done all the same; whether it is to be invoiced again, a person says.
        why = f"{invoice} was voided: {reason.strip()}"
        invoice.works.update(invoice=None, held_from=invoice, refused_because=why[:300], refused_on=on)
        record(by, "invoice_voided", invoice, client_id=invoice.client_id, doc=f"invoice:{invoice.pk}", summary=reason)
        note_credit_of(invoice.client, invoice.currency, on, fell=True)
    return invoice


def was_sent(invoice: Invoice) -> bool:
    """A mail with this invoice or a link to it left, or may have; or its link was opened, or handed out by a person."""
    links = list(invoice.links.all())
    if any(link.last_seen_at or link.handed_out_by for link in links):
        return True
    shows = Q(key__startswith=f"invoice:{invoice.pk}:send:")
    for link in links:
        shows |= Q(text__contains=begins_with(link))
    left = Message.objects.filter(party=f"client:{invoice.client_id}", state__in=["handing", "sent", "unknown"])
    return left.filter(shows).exists()


def check_issuable(invoice: Invoice) -> None:
    """Refuse what cannot be issued as it stands: without terms, over nothing, without the order number it needs.

    Also what nobody could pay, and in the European Union what could be no e-invoice.
    """
    if invoice.terms is None:
        raise Refused("Choose payment terms: a number of days.", code="no_terms", where="terms")
    refuse_vague(invoice.terms.name)
    if invoice.total <= 0:
        raise Refused("An invoice over nothing is not issued.", code="nothing", where="lines")
    if invoice.client.po_required and not invoice.po_number:
        raise Refused(
            f"{invoice.client} pays only with a purchase order number; ask for it and enter it.",
            code="po_required",
            where="po_number",
        )
    in_parts = bool(invoice.terms.parts or invoice.terms.deposit_percent)  # a part may fit where the whole does not
    if not in_parts and not invoice.is_taken_over and takes_too_little(invoice):
        raise Refused(
            f"No way to pay that is offered to {invoice.client} here takes {plain(invoice.total, invoice.currency)} "
            f"{invoice.currency}; choose another one, such as a transfer.",
            code="no_way", where="ways",
        )  # fmt: skip
    check_einvoice(invoice)


def _issue_entries(invoice: Invoice, totals: Totals, on: dt.date) -> list[NewEntry]:
    doc = f"invoice:{invoice.pk}"

    def entry(key: str, account: str, amount: Any) -> NewEntry:
        """A claim; a negative amount (a discount line) is the same transfer the other way round."""
        dr, cr = (RECEIVABLE, account) if amount > 0 else (account, RECEIVABLE)
        return NewEntry(
            key=f"{doc}:{key}",
            doc=doc,
            kind="issue",
            client=invoice.client,
            dr=dr,
            cr=cr,
            amount=abs(amount),
            currency=invoice.currency,
            effective_on=on,
            invoice=invoice,
        )

    lines = [entry(f"line:{line.position}", REVENUE, line.net) for line in invoice.lines.all() if line.net]
    taxes = [
        entry(f"tax:{group.category}{group.percent.normalize():f}", TAX, group.tax)
        for group in totals.groups
        if group.tax
    ]
    return lines + taxes
