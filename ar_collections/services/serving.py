"""What follows from how a reminder ended: its steps count as served, or they are open again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ar_collections.models import Served, Task
from ar_collections.notice_facts import reminders_before
from ar_collections.subjects import about
from clients.models import Client
from clients.services.deciding import return_to_decision
from clients.services.locking import lock_client
from clients.services.status import NO_CREDIT, set_status, status_of
from core.errors import Refused
from invoices.models import Invoice
from invoices.services.charging import (
    Policies,
    charge_fee,
    give_interest_notice,
    standing_fees,
    take_back_notices,
    uses_terms,
)
from outbox.models import Message
from policies.models import Step
from policies.services.guard_rails import given_by, rails_at

from .copies import use_up
from .desk import close_task, delivery_key, open_task
from .interest import claim_interest, take_back, take_back_what_came_too_early
from .stages import escalate, take_back_escalation


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
                key=delivery_key(message.key),
            )
        return
    told = _told(message)
    if untold := {pk for pk, _code, _cycle in message.payload["items"]} - told:
        Served.objects.filter(message=message, invoice__in=untold).delete()
    use_up(message, about(message).client)
    if ":r" in message.key:
        _claim_again(message, told)
    if state == "sent":
        _follow_safely(message, told)


def take_back_what_followed(message: Message, *, on: dt.date, by: Any) -> None:
    """A reminder came back: nobody read it, so what it began is undone.

    Its notice of interest counts no more (interest charged for days before the next notice is taken back), its fee is
    reversed, the stage and the credit status it brought about give way to those before, unless somebody moved them
    since, and the task that told the owner of them is closed. Interest and compensation it claimed stay: they are owed
    without it. A second time changes nothing.
    """
    client, steps = about(message).client, _steps_of(message, _told(message))
    because = _("The reminder of %(day)s came back") % {"day": message.on.isoformat()}
    for invoice in take_back_notices(message.key, on=on, by=by):
        take_back_what_came_too_early(invoice, on=on, by=by, because=because)
    for invoice in Invoice.objects.filter(pk__in=[pk for pk, step in steps if step.fee]).order_by("pk"):
        for charge in standing_fees(invoice):
            if charge.derivation.get("message") == message.key:
                take_back(charge, on=on, by=by, because=because)
    moves = {str(step) for _pk, step in steps if step.moves_stage_to}
    take_back_escalation(client, moves, moved_on=message.on, because=because, on=on)
    for step in dict.fromkeys(step for _pk, step in steps if step.sets_cash_only):
        _credit_as_before(client, step, message.on, because, on, by)
    for task in Task.objects.filter(key=_inform_key(message), closed_on=None):
        close_task(task, because=because, on=on, by=by)


def _told(message: Message) -> set[int]:
    """The invoices a message really speaks of: what was paid before it was written is not among them."""
    return set(message.payload.get("told", [pk for pk, _code, _cycle in message.payload["items"]]))


def _steps_of(message: Message, told: set[int]) -> list[tuple[int, Step]]:
    """The steps it was to serve on some invoices."""
    step_of = about(message).step_of
    items = message.payload["items"]
    return [(pk, step) for pk, code, _cycle in items if pk in told and (step := step_of(pk, code))]


def _credit_as_before(client: Client, step: Step, since: dt.date, because: str, on: dt.date, by: Any) -> None:
    """Cash-only that this very step brought about ends; what somebody or the policy decided since stays."""
    lock_client(client.pk)
    standing = status_of(client, on)
    if standing is None or standing.source != "policy" or standing.effective_on != since:
        return
    if any(reason.get("code") == "step" and reason.get("saw") == step.code for reason in standing.reasons):
        return_to_decision(client, because=because, on=on, by=by)


def _claim_again(message: Message, told: set[int]) -> None:
    """A reminder sent again by a person serves the steps that its first, failed sending gave back."""
    step_of = about(message).step_of
    parts = message.payload.get("parts", {})
    Served.objects.bulk_create(
        [
            Served(
                invoice_id=pk, step=code, part=parts.get(str(pk), 1), cycle=cycle, channel=step.channel,
                on=message.on, message=message,
            )
            for pk, code, cycle in message.payload["items"] if pk in told and (step := step_of(pk, code))
        ],
        ignore_conflicts=True,
    )


def _follow_safely(message: Message, told: set[int]) -> None:
    """It was sent, whatever follows: what the rules then refuse is somebody's task and undoes nothing else."""
    refusals = []
    for follow in _consequences(message, told):
        try:
            with transaction.atomic():
                follow()
        except Refused as refused:
            refusals.append(refused.message)
    if refusals:
        open_task(
            about(message).client, "review", because=_("A reminder was sent; what follows from it was refused"),
            detail="\n".join(dict.fromkeys(refusals)), due_on=message.on, on=message.on, by="system",
            key=f"follow:{message.key}",
        )


def _consequences(message: Message, told: set[int]) -> Iterator[Callable[[], Any]]:
    """What the steps of a reminder bring with them, one by one."""
    client, on, served = about(message).client, message.on, _steps_of(message, told)
    related = Invoice.objects.select_related("client__segment", "company", "intake")
    invoices = related.in_bulk([pk for pk, step in served if _asks_for_the_invoice(step)])
    mails_before = reminders_before({pk: step for pk, step in served if step.fee}, message)
    for pk, step in served:
        if step.interest_notice_days is not None:
            yield partial(_announce, invoices[pk], step, message)
        if step.claims_interest:
            yield partial(claim_interest, invoices[pk], on=on, by="system")
        if step.fee:
            before = mails_before[pk]
            yield partial(
                charge_fee, invoices[pk], step, on=on, by="system", reminders_before=before, message_key=message.key
            )
        if step.sets_cash_only:
            yield partial(_no_more_credit, client, step, on)
        if step.moves_stage_to:
            yield partial(escalate, client, step.moves_stage_to, because=str(step), on=on, by="system")
    ends_credit = [(invoices[pk], step) for pk, step in served if step.sets_cash_only]
    if client.owner_id is not None and ends_credit:
        yield partial(_inform_owner, client, ends_credit, message)
    letters = [step for _pk, step in served if step.channel == "letter"]
    if letters:
        because = _("Post the letter “%(title)s”; it is attached to the mail") % {"title": letters[-1].title}
        yield partial(
            open_task, client, "letter", because=because, due_on=on, on=on, by="system", key=f"letter:{message.key}"
        )


def _asks_for_the_invoice(step: Step) -> bool:
    return step.interest_notice_days is not None or step.claims_interest or bool(step.fee) or step.sets_cash_only


def _announce(invoice: Invoice, step: Step, message: Message) -> None:
    """From now on the client knows from which day interest runs; where the law says so, it needs no notice."""
    days = given_by(step, rails_at(step.policy, invoice.client.country or invoice.company.country)).notice
    if not days:  # the mail says nothing of it, so nothing begins
        return
    rule = Policies().rule(invoice, message.on)
    needs_notice = rule.starts == "notice" or invoice.is_taken_over
    if not rule.charges or not needs_notice or (uses_terms(rule) and invoice.late_percent <= 0):
        return
    give_interest_notice(
        invoice, interest_from=message.on + dt.timedelta(days=days), on=message.on, by="system",
        message_key=message.key,
    )


def _inform_owner(client: Client, served: Sequence[tuple[Invoice, Step]], message: Message) -> None:
    """Whoever looks after the account hears that its client is in trouble, once a message; paid, it closes itself."""
    invoice, step = min(served, key=lambda one: (one[0].due_on, one[0].pk))
    standing = status_of(client, message.on)
    because = _("“%(step)s” was sent; what was decided about the client's credit stays")
    if standing is not None and standing.status == "cash_only":
        because = _("“%(step)s” was sent: the client buys against payment in advance until all is paid")
    open_task(
        client, "inform", invoice=invoice, because=because % {"step": step.title}, due_on=message.on, on=message.on,
        by="system", key=_inform_key(message),
    )


def _inform_key(message: Message) -> str:
    return f"inform:{message.key}"


def _no_more_credit(client: Client, step: Step, on: dt.date) -> None:
    """The client buys for cash only from now on; what a person decided stays, and so does what is stricter."""
    lock_client(client.pk)
    standing = status_of(client, on)
    if standing is not None and (standing.source == "hand" or standing.status in NO_CREDIT):
        return
    because = _("The step “%(step)s” of the reminders") % {"step": step.title}
    set_status(
        client, "cash_only", because=because, source="policy", on=on, by="system",
        reasons=[{"code": "step", "says": because, "saw": step.code, "needs": ""}],
    )
