"""What follows from how a reminder ended: its steps count as served, or they are open again."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from ar_collections.models import Served
from ar_collections.subjects import about
from core.errors import Refused
from invoices.models import Invoice
from invoices.services.charging import give_interest_notice
from outbox.models import Message

from .desk import open_task
from .interest import claim_interest
from .stages import escalate


def after(message: Message, state: str) -> None:
    """What follows from how a reminder ended: it counts as served, or its steps are open again.

    Sent: stage, notice of interest, interest claimed, letter to post. Failed: somebody has to look at the address.
    """
    if state in ("cancelled", "failed"):
        Served.objects.filter(message=message).delete()
        if state == "failed":
            open_task(
                about(message).client, "delivery", because=_("A reminder could not be delivered"),
                detail=message.reply or message.reason, due_on=message.on, on=message.on, by="system",
                key=f"delivery:{message.key}",
            )
        return
    told = set(message.payload.get("told", [pk for pk, _code, _cycle in message.payload["items"]]))
    Served.objects.filter(message=message).exclude(invoice__in=told).delete()
    if ":r" in message.key:
        _claim_again(message, told)
    if state == "sent":
        _follow_safely(message, told)


def _claim_again(message: Message, told: set[int]) -> None:
    """A reminder sent again by a person serves the steps that its first, failed sending gave back."""
    channels = {step.code: step.channel for step in about(message).steps.values()}
    parts = message.payload.get("parts", {})
    Served.objects.bulk_create(
        [
            Served(
                invoice_id=pk, step=code, part=parts.get(str(pk), 1), cycle=cycle, channel=channels[code],
                on=message.on, message=message,
            )
            for pk, code, cycle in message.payload["items"] if pk in told and code in channels
        ],
        ignore_conflicts=True,
    )


def _follow_safely(message: Message, told: set[int]) -> None:
    """It was sent, whatever follows: what the rules then refuse is somebody's task and does not undo the sending."""
    try:
        with transaction.atomic():
            _follow(message, told)
    except Refused as refused:
        open_task(
            about(message).client, "review", because=_("A reminder was sent; what follows from it was refused"),
            detail=refused.message, due_on=message.on, on=message.on, by="system", key=f"follow:{message.key}",
        )


def _follow(message: Message, told: set[int]) -> None:
    client, policy, steps = about(message).client, about(message).policy, about(message).steps
    on = message.on
    served = [(pk, steps[code]) for pk, code, _cycle in message.payload["items"] if pk in told and code in steps]
    invoices = Invoice.objects.select_related("client", "company", "intake").in_bulk([pk for pk, _step in served])
    for pk, step in served:
        if step.interest_notice_days and policy.interest != "NONE" and invoices[pk].late_percent > 0:
            give_interest_notice(
                invoices[pk], interest_from=on + dt.timedelta(days=step.interest_notice_days), on=on, by="system",
                message_key=message.key,
            )
        if step.claims_interest:
            claim_interest(invoices[pk], on=on, by="system")
        if step.moves_stage_to:
            escalate(client, step.moves_stage_to, because=str(step), on=on, by="system")
    letters = [step for _pk, step in served if step.channel == "letter"]
    if letters:
        because = _("Post the letter “%(title)s”; it is attached to the mail") % {"title": letters[-1].title}
        open_task(
            client, "letter", because=because, due_on=on, on=on, by="system", key=f"letter:{message.key}",
        )
