"""Why a client is reminded on a day, or is not: the decision of the night, shown instead of acted on."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from ar_collections.models import Hold, Pause, Promise
from ar_collections.reminders import reached_on
from clients.models import Client
from core.money import plain
from disputes.models import Dispute
from invoices.models import Invoice
from outbox.models import Message
from policies.models import Policy
from policies.services import policy_of

from .business_days import openings
from .deciding import NOTICE, SERVE, Decision, cash_of, decide, terms_days_of


def explain(client: Client, on: dt.date) -> dict[str, Any]:
    """Every step the client's invoices have reached on a day, with each guard and its reason; nothing is written."""
    company = client.company
    policy = policy_of(company, on)
    places = openings(company, on, policy, None)
    decided = [d for group in decide(company, on, policy, places, [client.pk]) for d in group]
    invoices = Invoice.objects.in_bulk([d.invoice for d in decided])
    hold = Hold.objects.filter(company=company, ended_at=None).first()
    return {
        "client": client.number,
        "on": on,
        "steps": [_step(d, invoices[d.invoice], client, on, policy) for d in decided],
        "message": _message(client, on, decided, invoices, hold),
    }


def _step(decision: Decision, invoice: Invoice, client: Client, on: dt.date, policy: Policy) -> dict[str, Any]:
    return {
        "invoice": str(invoice),
        "step": decision.rung.code,
        "reached_on": reached_on(decision.rung, decision.due_on, terms_days_of(decision.of_client)),
        "verdict": decision.verdict,
        "guards": [
            {"guard": guard, "passes": passes, "because": _because(guard, passes, decision, client, on, policy)}
            for guard, passes in decision.guards.items()
        ],
    }


def _because(guard: str, passes: bool, decision: Decision, client: Client, on: dt.date, policy: Policy) -> str:
    asked = f"{plain(max(decision.asked, Decimal(0)), decision.currency)} {decision.currency}"
    if guard in ("paid", "dispute") and passes:
        return _("%(amount)s is open and undisputed") % {"amount": asked}
    if passes:
        return ""
    if guard == "dispute":
        dispute = Dispute.objects.open_on(on).filter(invoice=decision.invoice).first()
        return _("disputed since %(day)s") % {"day": dispute.opened_on.isoformat()} if dispute else _("disputed")
    if guard == "promise":
        promise = Promise.objects.pausing_on(on).filter(invoice=decision.invoice).latest("promised_for")
        return _("promised for %(day)s") % {"day": promise.promised_for.isoformat()}
    if guard == "pause":
        pause = Pause.objects.running_on(on).filter(client=client).latest("until_on")
        return _("paused until %(day)s: %(reason)s") % {"day": pause.until_on.isoformat(), "reason": pause.reason}
    return {
        "paid": _("nothing is owed"),
        "payment_in_flight": _("a payment by card or debit is on its way"),
        "taken_over": _("taken over: at most one step in %(n)d days") % {"n": policy.takeover_spacing_days},
        "credit": _("unapplied cash of %(cash)s covers it") % {"cash": _cash(client, on, decision.currency)},
        "address": _("nobody can be written to"),
        "today": _("the client already has a message of this day"),
        "spacing": _("less than %(n)d days after the last message") % {"n": policy.spacing_days},
        "window": _("the window does not open on this day: weekend or holiday"),
    }[guard]


def _cash(client: Client, on: dt.date, currency: str) -> str:
    return f"{plain(cash_of(client.pk, on).get(currency, Decimal(0)), currency)} {currency}"


def _message(
    client: Client, on: dt.date, decided: list[Decision], invoices: dict[int, Invoice], hold: Hold | None
) -> dict[str, Any] | None:
    """The message of the day: the one that is planned or gone already, or the one that would be planned."""
    there = Message.objects.filter(kind=NOTICE, party=f"client:{client.pk}", on=on).order_by("-pk").first()
    if there is not None:
        numbers = Invoice.objects.in_bulk([pk for pk, *_rest in there.payload["items"]])
        steps = [[str(numbers[pk]), code] for pk, code, _cycle in there.payload["items"]]
        return {"key": there.key, "state": there.state, "because": there.reason, "items": steps}
    due = [d for d in decided if d.kind == "message" and d.verdict == SERVE]
    if not due:
        return None
    state = "would be held" if hold else "would be planned"
    return {"key": "", "state": state, "because": "", "items": [[str(invoices[d.invoice]), d.rung.code] for d in due]}
