"""What was said in the demo book: calls and what they brought, promises, disputes, pauses; and the post that went out.

Days count back from today. A line whose client has nothing open by then is left out.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from ar_collections.models import Task
from ar_collections.services.calling import log_call
from ar_collections.services.contact_log import log_contact
from ar_collections.services.desk import close_task
from ar_collections.services.pausing import pause_chasing
from clients.models import Client
from core.money import round_money
from invoices.models import Invoice
from payments.services import record_payment

PROMISED, WORKS_WITH = "promised", ("call", "promise_broken")


class Call(NamedTuple):
    """A call: how many days ago, with whom, what came of it and in which words; ``more`` goes to the verb."""

    ago: int
    client: str
    outcome: str
    said: str
    more: dict[str, Any] = {}


CALLS = (
    Call(14, "C-0103", "spoke", "New accounts team; João sends the open list to Marta today."),
    Call(14, "C-0112", "no_answer", "Rang out twice."),
    Call(13, "1003", "voicemail", "Left a message with the invoice numbers."),
    Call(12, "C-0112", "wrong_person", "Leyla left the company; the producer looks after invoices now.",
         {"right_person": {"name": "Emre Demir", "email": "emre.demir@fennek.example", "phone": "+49 30 23125 661"}}),
    Call(11, "1006", PROMISED, "Insurance pays this week, then we are first.", {"share": "0.5", "in_days": 6}),
    Call(10, "C-0115", PROMISED, "In the next payment run.", {"share": "1", "in_days": 3}),
    Call(9, "C-0101", PROMISED, "New AP system went live, payment run on Friday.", {"share": "1", "in_days": 4}),
    Call(8, "C-0104", "disputes", "Two of the sessions were not agreed; the order covers three.", {"reason": "price"}),
    Call(8, "1002", "claims_paid", "Sent by ACH a week ago; looks for the trace number.", {"paid_ago": 7}),
    Call(7, "C-0105", "no_answer", "Called twice in the morning."),
    Call(6, "1003", "wants_plan", "A slow season; asks for three instalments."),
    Call(4, "C-0105", "voicemail", "Left a message, asked for a call back."),
    Call(3, "C-0106", PROMISED, "Half now, the rest in January.", {"share": "0.5", "in_days": 9}),
    Call(1, "1005", "spoke", "Will check with the front desk."),
)

PAID_AFTER_PROMISE = ("C-0115",)
PAUSES = ((5, "C-0108", "Closed for the holidays, back on the 9th", 16),)
ON_ACCOUNT = ((20, "C-0102", "330.00", "Overpaid, ask what for"), (6, "C-0111", "1200.00", "On account"),
              (4, "1008", "500.00", "Cheque without a stub"))  # fmt: skip
NOTES = ((15, "C-0102", "Always pays on the due date; no calls, please."), (3, "1004", "Imani is away until Monday."))


def told_on(ago: int, on: dt.date, clients: dict[str, Client], by: Any) -> None:
    """Everything that was said and done at the desk on one day."""
    for call in CALLS:
        if call.ago == ago:
            _call(call, clients[call.client], on, by)
    for days_ago, number, reason, length in PAUSES:
        if days_ago == ago:
            pause_chasing(clients[number], reason=reason, until=on + dt.timedelta(days=length), on=on, by=by)
    for days_ago, number, amount, reference in ON_ACCOUNT:
        if days_ago == ago:
            client = clients[number]
            record_payment(
                client, Decimal(amount), client.currency, received_on=on, key=f"demo:account:{number}", by=by,
                reference=reference, how="none", on=on,
            )  # fmt: skip
    for days_ago, number, said in NOTES:
        if days_ago == ago:
            log_contact(
                clients[number], key=f"demo:note:{number}", channel="other", direction="out", outcome="note", said=said,
                happened_at=timezone.now(), on=on, by=by,
            )  # fmt: skip
    _post_the_letters(on, by, leave=1 if ago < 2 else 0)
    _decide(on, by, leave=2 if ago < 8 else 0)


def _call(call: Call, client: Client, on: dt.date, by: Any) -> None:
    owed = list(Invoice.objects.open().of(client).filter(due_on__lt=on).order_by("due_on"))
    if not owed:
        return
    given = dict(call.more)
    facts: dict[str, Any] = {"about": owed if call.outcome == PROMISED else owed[:1]}
    if call.outcome == PROMISED:
        whole = sum((invoice.balance for invoice in owed), Decimal(0))
        facts["amount"] = round_money(whole * Decimal(given.pop("share")), client.currency)
        facts["promised_for"] = on + dt.timedelta(days=given.pop("in_days"))
    if "paid_ago" in given:
        facts["paid_on"] = on - dt.timedelta(days=given.pop("paid_ago"))
    tasks = list(Task.objects.filter(client=client, kind__in=WORKS_WITH, closed_on=None))
    log_call(
        client, key=f"demo:call:{client.number}:{call.ago}", outcome=call.outcome, said=call.said, tasks=tasks, on=on,
        by=by, contact=client.contacts.filter(is_active=True).first(), happened_at=timezone.now(), **facts, **given,
    )  # fmt: skip
    if call.outcome == PROMISED and client.number in PAID_AFTER_PROMISE:
        record_payment(
            client, facts["amount"], client.currency, received_on=facts["promised_for"],
            key=f"demo:kept:{client.number}", by=by, how="oldest", reference=str(owed[0].reference),
        )  # fmt: skip


def _post_the_letters(on: dt.date, by: Any, leave: int) -> None:
    _close("letter", "Posted", on, by, leave)


def _decide(on: dt.date, by: Any, leave: int) -> None:
    _close("review", "Keep calling; decide again in a month", on, by, leave)


def _close(kind: str, because: str, on: dt.date, by: Any, leave: int) -> None:
    tasks = list(Task.objects.filter(kind=kind, closed_on=None).order_by("pk"))
    for task in tasks[: len(tasks) - leave] if leave else tasks:
        close_task(task, because=because, on=on, by=by)
