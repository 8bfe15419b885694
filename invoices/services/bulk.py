"""Many invoices at once: what issuing and sending them would do, and each of them done in a transaction of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import transaction

from audit.services import record
from clients.credit_gate import may_buy
from clients.models import Contact
from clients.services import lock_client
from core.errors import Refused
from core.models import Company
from invoices.documents import recipient
from invoices.models import Invoice
from outbox.models import Message
from outbox.services import undo

from .credit import credit_check, sale_of
from .issuing import check_issuable, issue_invoice
from .sending import check_reader, check_sendable, send_invoice

ISSUE, SEND = "issue", "send"  # «send» issues first what is still a draft
MOST = 500  # what one batch takes, so that it is done before the worker's time is over


@dataclass(frozen=True)
class Planned:
    """One invoice of a batch before it begins: what would happen, to whom it goes, or why nothing would."""

    invoice: Invoice
    to: Contact | None = None
    refused: str = ""
    code: str = ""
    where: str = ""
    warns: tuple[str, ...] = ()

    @property
    def is_draft(self) -> bool:
        return self.invoice.issued_at is None


@dataclass(frozen=True)
class Done:
    """What became of one invoice of a batch; plain values, kept with the job.

    ``did`` is issued, sent, issued_sent, nothing (it was so already) or refused; ``message`` is what now waits.
    """

    pk: int
    did: str
    says: str = ""
    code: str = ""
    where: str = ""
    message: int | None = None


def plan_bulk(company: Company, pks: Sequence[int], do: str, *, on: dt.date, by: Any) -> list[Planned]:
    """What issuing or sending these would do today, in the order in which they would get their numbers; only looks.

    Refused for an unknown act, for nothing and for more than 500 at once.
    """
    check_batch(pks, do)
    rows = Invoice.objects.filter(company=company, pk__in=pks).select_related(
        "client__company", "company", "contact", "terms"
    )
    sent = _sent_already(company, pks) if do == SEND else frozenset()
    planned: list[Planned] = []
    before: dict[tuple[int, str], Decimal] = {}
    for invoice in rows.order_by("pk"):
        one = _planned(invoice, do, on, by)
        if invoice.pk in sent and not one.refused:
            said = "It was sent already; this would be another mail with the same invoice."
            one = replace(one, warns=(*one.warns, said))
        key = invoice.client_id, invoice.currency
        if one.is_draft and not one.refused:
            one = _after_the_others(one, before.get(key, Decimal(0)), on)
            before[key] = before.get(key, Decimal(0)) + invoice.total
        planned.append(one)
    return planned


def _sent_already(company: Company, pks: Sequence[int]) -> frozenset[int]:
    """Which of these a mail of their own went out with, or waits to."""
    clients = Invoice.objects.filter(company=company, pk__in=pks).order_by().values_list("client", flat=True).distinct()
    mails = Message.objects.filter(kind="invoice", party__in=[f"client:{pk}" for pk in clients])
    mails = mails.exclude(state__in=["cancelled", "failed"])
    return frozenset(told["invoice"] for told in mails.values_list("payload", flat=True) if "invoice" in told)


def check_batch(pks: Sequence[int], do: str) -> None:
    """Refused for an unknown act, for nothing and for more than 500 at once."""
    if do not in (ISSUE, SEND):
        raise Refused(f"«{do}» is nothing that can be done with many invoices.", code="act", where="do")
    if not pks:
        raise Refused("Nothing is selected; tick the invoices first.", code="nothing", where="pk")
    if len(pks) > MOST:
        raise Refused(
            f"{len(pks)} invoices are more than can be done at once; take at most {MOST}.", code="too_many", where="pk"
        )


def _planned(invoice: Invoice, do: str, on: dt.date, by: Any) -> Planned:
    to = (invoice.contact or recipient(invoice.client)) if do == SEND else None
    try:
        warns: tuple[str, ...] = ()
        if invoice.issued_at is None:
            _check_not_in_advance(invoice)
            check_issuable(invoice)
            verdict = credit_check(invoice, on, by)
            if not verdict.ok:
                raise Refused(verdict.sentence, code=verdict.code, where=verdict.where)
            warns = verdict.warns
        elif do == ISSUE:
            raise Refused(f"{invoice} is issued already.", code="issued")
        else:
            check_sendable(invoice)
        if do == SEND:
            check_reader(invoice.client, to)
    except Refused as refused:
        return Planned(invoice, to, refused.message, refused.code, refused.where)
    return Planned(invoice, to, warns=warns)


def _check_not_in_advance(draft: Invoice) -> None:
    """A draft that waits for the money of its pro forma is issued by that, or by a person who looks at it alone."""
    standing = draft.pro_formas.standing().first()
    if standing is not None:
        raise Refused(
            f"It waits for the money of the pro forma {standing}, which issues it; to issue it on credit, open it.",
            code="pro_forma",
        )


def _after_the_others(one: Planned, before: Decimal, on: dt.date) -> Planned:
    """Those of its client that are issued before it use up the limit: said now, decided when it is its turn."""
    if not before:
        return one
    sale = sale_of(one.invoice, on)
    if may_buy(sale).ok and not may_buy(replace(sale, exposure=sale.exposure + before)).ok:
        said = "Those before it in this batch use up the limit; it may be refused when it is its turn."
        return replace(one, warns=(*one.warns, said))
    return one


def act_on(
    pk: int, do: str, *, company: Company, since: dt.datetime, not_before: dt.datetime, on: dt.date, by: Any
) -> Done:
    """Issue one invoice of a batch, or issue and send it: both, or neither.

    A batch that runs again does nothing twice: what is issued stays issued, and what was put into the outbox since
    ``since``, the instant the batch was asked for, is not put in once more, not even after it was taken back.
    """
    try:
        with transaction.atomic():
            return _act(pk, do, company, since, not_before, on, by)
    except Refused as refused:
        return Done(pk, "refused", refused.message, refused.code, refused.where)


def _act(
    pk: int, do: str, company: Company, since: dt.datetime, not_before: dt.datetime, on: dt.date, by: Any
) -> Done:
    invoice = Invoice.objects.filter(pk=pk, company=company).select_related("client__company", "contact").first()
    if invoice is None:
        raise Refused("It is no longer there; somebody threw the draft away.", code="gone")
    lock_client(invoice.client_id)
    was_draft = Invoice.objects.filter(pk=pk, issued_at=None).exists()
    if was_draft:
        if do == SEND:
            check_reader(invoice.client, invoice.contact or recipient(invoice.client))
        _check_not_in_advance(invoice)
        invoice = issue_invoice(invoice, on=on, by=by)
    if do == ISSUE:
        return Done(pk, "issued" if was_draft else "nothing", "" if was_draft else f"{invoice} was issued already.")
    put_in = Message.objects.filter(key__startswith=f"invoice:{pk}:send:", created_at__gte=since).first()
    if put_in is not None:
        return Done(pk, "nothing", f"{invoice} is in the outbox already.", message=put_in.pk)
    message = send_invoice(invoice, on=on, by=by, not_before=not_before)
    return Done(pk, "issued_sent" if was_draft else "sent", message=message.pk)


def undo_bulk(messages: Sequence[int], *, now: dt.datetime, by: Any) -> tuple[int, int]:
    """Take back the mails of a batch that still wait; answers how many were taken back, and how many had gone."""
    undone = gone = 0
    for message in Message.objects.filter(pk__in=messages).exclude(state="cancelled").order_by("pk"):
        try:
            undo(message, now=now, by=by)
            undone += 1
        except Refused:
            gone += 1
    return undone, gone


def note_batch(company: Company, do: str, done: Sequence[Done], *, by: Any) -> None:
    """The trail of a batch: who asked for it, and how it ended."""
    counted = {did: sum(one.did == did for one in done) for did in sorted({one.did for one in done})}
    record(by, "invoices_in_bulk", company, summary=do, diff={"count": len(done), **counted})
