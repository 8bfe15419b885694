"""A call and what came of it in one act: kept in the log, with the promise, the dispute or the request it brought."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ar_collections.models import ContactLog, Task
from clients.models import Client
from core.errors import Refused
from core.money import plain
from disputes.services import open_dispute
from invoices.models import Invoice

from .contact_log import answer_task, log_contact
from .desk import request_plan
from .pausing import claim_paid
from .promising import promise_payment


def log_call(
    client: Client, *, key: str, outcome: str, on: dt.date, by: Any, about: Sequence[Invoice] = (),
    amount: Decimal | None = None, promised_for: dt.date | None = None, paid_on: dt.date | None = None,
    reason: str = "", revisit_on: dt.date | None = None, tasks: Sequence[Task] = (), **facts: Any,
) -> ContactLog:  # fmt: skip
    """Keep a call with what it brought for the invoices it was ``about``; all of it, or nothing where one is refused.

    «promised» shares ``amount`` among them, oldest due first; «disputes» marks each of them; «says it is paid» pauses
    each and looks for the money; «asks for a plan» is a task for the oldest. The same ``key`` again answers with the
    call already kept. ``facts`` are those of ``log_contact``. A conversation closes all ``tasks`` it was for, no
    answer puts them off; where the right person became known with a telephone number they stay: that one is next.
    """
    with transaction.atomic():
        Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
        standing = ContactLog.objects.filter(key=key).first()
        if standing:
            return standing
        touched = _oldest_first(client, about, outcome)
        said = str(facts.get("said", ""))
        if outcome == "promised":
            touched = _promise(touched, amount, promised_for, on=on, by=by, contact=facts.get("contact"))
        elif outcome == "disputes":
            for invoice in touched:
                open_dispute(invoice, reason=reason or "other", text=said, revisit_on=revisit_on, on=on, by=by)
        elif outcome == "claims_paid":
            for invoice in touched:
                claim_paid(invoice, paid_on=paid_on, note=said, on=on, by=by)
        elif outcome == "wants_plan":
            request_plan(touched[0], text=said, on=on, by=by)
        right = (facts.get("right_person") or {}) if outcome == "wrong_person" else {}
        entry = log_contact(
            client, key=key, outcome=outcome, on=on, by=by, channel="call", direction="out",
            invoices=[invoice.pk for invoice in touched], **facts,
        )  # fmt: skip
        if not right.get("phone"):
            for task in Task.objects.filter(pk__in=[task.pk for task in tasks], client=client, closed_on=None):
                answer_task(task, entry, on=on, by=by)
        return entry


BRINGS_SOMETHING = ("promised", "disputes", "claims_paid", "wants_plan")


def _oldest_first(client: Client, about: Sequence[Invoice], outcome: str) -> list[Invoice]:
    if any(invoice.client_id != client.pk for invoice in about):
        raise Refused(_("This invoice belongs to another client."), code="foreign_invoice", where="about")
    if outcome in BRINGS_SOMETHING and not about:
        raise Refused(_("Nothing is open that this could be about."), code="settled", where="outcome")
    return sorted(about, key=lambda invoice: (invoice.due_on or dt.date.max, invoice.pk))


def _promise(
    invoices: Sequence[Invoice], amount: Decimal | None, promised_for: dt.date | None, *, on: dt.date, by: Any,
    contact: Any,
) -> list[Invoice]:  # fmt: skip
    if amount is None or amount <= 0:
        raise Refused(_("How much will they pay?"), code="amount", where="amount")
    if promised_for is None:
        raise Refused(_("By which day?"), code="day", where="promised_for")
    currency, left, promised = invoices[0].currency, amount, []
    for invoice in invoices:
        part = min(left, invoice.balance)
        if invoice.currency != currency or part <= 0:
            continue
        promise_payment(invoice, part, promised_for, on=on, by=by, contact=contact)
        promised.append(invoice)
        left -= part
    if left > 0:
        raise Refused(
            _("%(most)s %(currency)s is all that is open of it; promise that much at most.")
            % {"most": plain(amount - left, currency), "currency": currency},
            code="too_much", where="amount",
        )  # fmt: skip
    return promised
