"""What a client tells us from a private link: done, and kept in the contact log, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from ar_collections.models import ContactLog, Task
from ar_collections.services.contact_log import log_contact
from ar_collections.services.desk import add_to_task, open_task, request_plan
from ar_collections.services.pausing import claim_paid
from ar_collections.services.promising import promise_payment
from clients.models import Client, Document
from clients.services.filing import add_document
from clients.services.wishes import save_wishes
from core.errors import Refused
from core.money import plain
from disputes.models import Dispute
from disputes.services import open_dispute
from invoices.models import Invoice, ShareLink
from invoices.services.passing import pass_on

BY = "client"
PROOFS_A_DAY = 10  # of a client: what is uploaded from a page without an account is kept for ever


def say_paid(
    link: ShareLink, *, paid_on: dt.date, amount: Decimal, reference: str, note: str, proof: Any = None, key: str,
    on: dt.date, at: dt.datetime,
) -> None:
    """The client says it is paid: reminders pause as the policy says, and somebody looks for the money.

    A proof (a file with ``name`` and ``read``) goes on the client's file, and the task names it. Refused as
    ``claim_paid`` and ``add_document`` do, and for more than ten proofs of a client within a day.
    """
    invoice = _invoice(link)

    def act() -> str:
        named = _kept_proof(link.client, proof, at) if proof else ""
        claim_paid(
            invoice, paid_on=paid_on, amount=amount, reference=reference, note="; ".join(filter(None, [note, named])),
            on=on, by=BY,
        )
        said = [f"{plain(amount, invoice.currency)} {invoice.currency}, {paid_on.isoformat()}", reference, note, named]
        return "\n".join(filter(None, said))

    _tell(link, act, outcome="claims_paid", key=key, on=on, at=at)


def _kept_proof(client: Client, proof: Any, at: dt.datetime) -> str:
    """Put a proof of payment on the client's file; answers with the words that name it on the task."""
    mine = Document.objects.filter(client=client, kind="payment_proof", added_by=BY)
    if mine.filter(added_at__gt=at - dt.timedelta(days=1)).count() >= PROOFS_A_DAY:
        raise Refused("That is more than ten files within a day.", code="too_many_files", where="proof")
    kept = add_document(client, proof.name, proof.read(), "payment_proof", by=BY)
    return _("proof of payment on file: %(name)s") % {"name": kept.name}


def say_when(
    link: ShareLink, *, promised_for: dt.date, amount: Decimal, key: str, on: dt.date, at: dt.datetime
) -> None:
    """The client names the day of payment. Refused as ``promise_payment`` does."""
    invoice = _invoice(link)

    def act() -> str:
        promise_payment(invoice, amount, promised_for, contact=link.contact, by_client=True, on=on, by=BY)
        return f"{plain(amount, invoice.currency)} {invoice.currency}, {promised_for.isoformat()}"

    _tell(link, act, outcome="promised", key=key, on=on, at=at)


def say_what_is_wrong(link: ShareLink, *, reason: str, text: str, key: str, on: dt.date, at: dt.datetime) -> None:
    """The client says something is wrong: the invoice leaves chasing until somebody has answered.

    What is said again while that is open is added to the task; where the task is done already it is a new one.
    """
    invoice = _invoice(link)

    def act() -> str:
        open_dispute(invoice, reason=reason, text=text, on=on, by=BY)
        said = str(dict(Dispute.REASONS)[reason])
        standing = Task.objects.filter(invoice=invoice, kind="answer", closed_on=None).first()
        if standing:
            add_to_task(standing, text if said in standing.because else f"{said}: {text}", by=BY)
        else:
            open_task(
                invoice.client, "answer", because=f"{invoice}: {said}", detail=text, invoice=invoice, due_on=on, on=on,
                by=BY,
            )
        return f"{said}\n{text}"

    _tell(link, act, outcome="disputes", key=key, on=on, at=at)


def ask_for_a_plan(link: ShareLink, *, text: str, key: str, on: dt.date, at: dt.datetime) -> None:
    """The client asks for instalments or more time: somebody gets in touch. Nothing pauses by that alone."""
    invoice = _invoice(link)

    def act() -> str:
        request_plan(invoice, text=text, on=on, by=BY)
        return text

    _tell(link, act, outcome="wants_plan", key=key, on=on, at=at)


def forward(link: ShareLink, *, address: str, key: str, on: dt.date, at: dt.datetime) -> None:
    """The client passes the invoice on to a colleague: a mail with a link of its own. Refused as ``pass_on`` does."""

    def act() -> str:
        pass_on(link, address, on=on, at=at, by=BY)
        return _("Passed on to %(address)s") % {"address": address.strip().lower()}

    _tell(link, act, outcome="note", key=key, on=on, at=at)


def tell_wishes(
    link: ShareLink, facts: Mapping[str, Any], form: Any = None, *, key: str, on: dt.date, at: dt.datetime
) -> None:
    """What the client's office asks of our invoices: kept in the file. Refused as ``save_wishes`` does."""

    def act() -> str:
        save_wishes(link.client, facts, (form.name, form.read()) if form else None, on=on, by=BY)
        return _("Told us what would help to pay faster")

    _tell(link, act, outcome="note", key=key, on=on, at=at)


def _tell(link: ShareLink, act: Callable[[], str], *, outcome: str, key: str, on: dt.date, at: dt.datetime) -> None:
    """Act once per key, however often the form is sent, and log what was said; our words in our own language."""
    key = f"portal:{link.pk}:{key}"
    with transaction.atomic(), translation.override(link.client.company.language):
        Client.objects.select_for_update(of=("self",)).get(pk=link.client_id)
        if ContactLog.objects.filter(key=key).exists():
            return
        said = act()
        log_contact(
            link.client, key=key, channel="portal", direction="in", outcome=outcome, happened_at=at, on=on, by=BY,
            contact=link.contact, with_whom=link.passed_on_to, said=said,
            invoices=[link.invoice_id] if link.invoice_id else [],
        )


def _invoice(link: ShareLink) -> Invoice:
    assert link.invoice is not None
    return link.invoice
