"""Reasons of a person, or of the client, not to chase for a while; each has an end."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ar_collections.models import Pause, Task
from audit.services import record
from clients.models import Client
from core.errors import Refused
from core.models import as_text
from core.money import is_exact, plain
from invoices.models import Invoice
from policies.services import policy_of

from .desk import add_to_task, open_task

LONGEST_PAUSE_DAYS = 366


def pause_chasing(
    client: Client, *, reason: str, until: dt.date, on: dt.date, by: Any, invoice: Invoice | None = None
) -> Pause:
    """Stop reminding a client, or about one invoice, until a day (that day included), for a reason.

    Refused without a reason, without an end, for more than a year, or for another client's invoice. The same
    pause asked for again answers with the one that runs.
    """
    if not reason.strip():
        raise Refused(_("Write why chasing is paused; whoever looks at it later has to know."), where="reason")
    if until < on:
        raise Refused(_("A pause ends today or later."), code="past", where="until")
    if (until - on).days > LONGEST_PAUSE_DAYS:
        raise Refused(_("A pause lasts a year at most; it can be made again."), code="too_long", where="until")
    if invoice is not None and invoice.client_id != client.pk:
        raise Refused(_("This invoice belongs to another client."), code="foreign_invoice", where="invoice")
    with transaction.atomic():
        Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
        standing = Pause.objects.running_on(on).filter(
            client=client, invoice=invoice, reason=reason.strip()[:300], until_on=until
        ).first()
        if standing:
            return standing
        pause = Pause.objects.create(
            client=client, invoice=invoice, reason=reason.strip()[:300], from_on=on, until_on=until,
            paused_by=as_text(by)[:150],
        )
        record(by, "chasing_paused", pause, client_id=client.pk, summary=f"until {until}: {reason}")
    return pause


def end_pause(pause: Pause, *, on: dt.date, by: Any) -> Pause:
    """Chase again from this day on; ending it twice changes nothing."""
    with transaction.atomic():
        ended = Pause.objects.filter(pk=pause.pk, ended_on=None).update(
            ended_on=max(on, pause.from_on), ended_by=as_text(by)[:150]
        )
        if ended:
            record(by, "pause_ended", pause, client_id=pause.client_id)
    pause.refresh_from_db()
    return pause


def claim_paid(
    invoice: Invoice, *, paid_on: dt.date | None = None, amount: Decimal | None = None, reference: str = "",
    note: str = "", on: dt.date, by: Any,
) -> Task:
    """The client says it is already paid: chasing of this invoice pauses and somebody looks for the money.

    One open matching task per invoice: saying it again adds to it, and does not prolong the pause. Refused for a
    day in the future, for an amount that is none, and for an invoice on which nothing is owed.
    """
    if invoice.issued_at is None or invoice.voided_at is not None or invoice.balance == 0:
        raise Refused(_("Nothing is owed on this invoice."), code="settled")
    if paid_on is not None and paid_on > on:
        raise Refused(_("A payment cannot have been made in the future."), code="future", where="paid_on")
    if amount is not None and (amount <= 0 or not is_exact(amount, invoice.currency)):
        raise Refused(_("Write the amount you paid, above zero."), code="amount", where="amount")
    said = [
        _("paid on %(day)s") % {"day": paid_on.isoformat()} if paid_on else "",
        f"{plain(amount, invoice.currency)} {invoice.currency}" if amount is not None else "",
        _("reference %(reference)s") % {"reference": reference.strip()} if reference.strip() else "",
        note.strip(),
    ]
    detail = "; ".join(part for part in said if part)
    policy = policy_of(invoice.company, on)
    with transaction.atomic():
        Client.objects.select_for_update(of=("self",)).get(pk=invoice.client_id)
        standing = Task.objects.filter(invoice=invoice, kind="matching", closed_on=None).first()
        if standing:
            return add_to_task(standing, detail, by=by)
        task = open_task(
            invoice.client, "matching", because=_("Says that %(invoice)s is paid") % {"invoice": invoice},
            detail=detail, invoice=invoice, due_on=on, on=on, by=by,
        )
        pause_chasing(
            invoice.client, invoice=invoice, reason=_("Says it is paid; we look for the payment"),
            until=on + dt.timedelta(days=policy.claim_pause_days), on=on, by=by,
        )
    return task
