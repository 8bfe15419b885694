"""Why a client is reminded on a day, or is not: the decision of the night, shown instead of acted on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from ar_collections.models import Hold, Pause, Promise
from ar_collections.reminders import reached_on
from clients.models import Client
from core.money import plain
from disputes.models import Dispute
from invoices.models import Extension, Invoice
from invoices.services.charging import Policies
from outbox.models import Message
from policies.choices import EVER
from policies.models import Step
from policies.services.choices import subject_of

from .approving import APPROVAL
from .bank_facts import bank_data_are_fresh, nothing_unmatched
from .business_days import openings
from .choosing import InUse, in_use
from .coming import coming
from .deciding import NOTICE, SERVE, Decision, cash_of, decide, terms_days_of

# Goes by itself later; whatever else needs somebody.
WAITS_FOR_ITS_DAY = ("window", "today", "spacing", "quiet", "time_to_pay")


@dataclass(frozen=True)
class Judged:
    """A step that an invoice has reached, every guard with its reason, and the day it goes; None: not by itself.

    ``chosen`` says which policy was chosen for it and when; empty where the same has held since ever.
    """

    decision: Decision
    invoice: Invoice
    reached_on: dt.date | None
    guards: list[tuple[str, bool, str]]
    goes_on: dt.date | None
    chosen: str = ""

    @property
    def because(self) -> str:
        """Why it does not go; empty where it does."""
        return next((because for _guard, passes, because in self.guards if not passes), "")


@dataclass(frozen=True)
class Explained:
    """Every step reached on a day, and the message of that day: planned, gone, or as it would be planned."""

    steps: list[Judged]
    message: dict[str, Any] | None


def explain(client: Client, on: dt.date) -> dict[str, Any]:
    """The answer of ``manage.py why``: every step reached on a day, each guard with its reason; nothing is written."""
    found = explained(client, on)
    return {
        "client": client.number,
        "on": on,
        "steps": [
            {
                "invoice": str(one.invoice),
                "step": one.decision.rung.code,
                "reached_on": one.reached_on,
                "verdict": one.decision.verdict,
                "guards": [
                    {"guard": guard, "passes": passes, "because": because if n else _joined(because, one.chosen)}
                    for n, (guard, passes, because) in enumerate(one.guards)
                ],
            }
            for one in found.steps
        ],
        "message": found.message,
    }


def explained(client: Client, on: dt.date, policies: InUse | None = None) -> Explained:
    """The decision of the night about one client on one day, shown instead of acted on.

    Refused where a policy chosen for the client has no version in force.
    """
    company = client.company
    policies = policies or in_use(company, on, client)
    places = openings(company, on, policies, None)
    decided = [d for group in decide(company, on, policies, places, [client.pk]) for d in group]
    invoices = Invoice.objects.in_bulk([d.invoice for d in decided])
    hold = Hold.objects.filter(company=company, ended_at=None).first()
    waits = any(d.verdict in WAITS_FOR_ITS_DAY for d in decided)
    days = {(c.invoice, c.rung.code, c.rung.kind): c.on for c in coming(client, on, policies)} if waits else {}
    known = Policies()
    steps = [
        Judged(
            d, invoices[d.invoice], reached_on(d.rung, d.of_client["ladder_day"], terms_days_of(d.of_client)),
            [(guard, passes, _because(guard, passes, d, client, on)) for guard, passes in d.guards.items()],
            on if d.verdict == SERVE else days.get((d.invoice, d.rung.code, d.kind)),
            _chosen(known, invoices[d.invoice], client, policies),
        )
        for d in decided
    ]
    return Explained(steps, _message(client, on, decided, invoices, hold))


def _chosen(known: Policies, invoice: Invoice, client: Client, policies: InUse) -> str:
    """Which policy was chosen for an invoice, where, and from which day on; empty where none was chosen anew."""
    since = known.line_of(subject_of(client, invoice.pk, invoice.policy_name, policies.usual.name))[-1]
    if since.from_on == EVER:
        return ""
    words = {
        "invoice": _("“%(policy)s” was chosen for this invoice from %(day)s on"),
        "client": _("“%(policy)s” was chosen for the client from %(day)s on"),
        "segment": _("“%(policy)s” is that of the client's segment from %(day)s on"),
        "company": _("“%(policy)s” is that of the company from %(day)s on"),
    }[since.where]
    return words % {"policy": since.name, "day": since.from_on.isoformat()}


def _joined(*said: str) -> str:
    return "; ".join(filter(None, said))


def _because(guard: str, passes: bool, decision: Decision, client: Client, on: dt.date) -> str:
    if passes:
        return _passes(guard, decision, client, on)
    told = {
        "dispute": _disputed, "promise": _promised, "claim": _claimed, "pause": _paused, "extension": _extended,
    }.get(guard)
    if told is not None:
        return told(decision, client, on)
    policy, rung = decision.client_policy, decision.rung
    return {
        "paid": _("nothing is owed"),
        "handed_over": _("handed over: others collect from this client, or nobody does any more"),
        "payment_in_flight": _("a payment by card or debit is on its way"),
        "taken_over": _("taken over: at most one step in %(n)d days") % {"n": decision.policy.takeover_spacing_days},
        "time_to_pay": _("the last reminder gave time to pay until %(day)s") % {"day": decision.asked_by},
        "credit": _("unapplied cash of %(cash)s covers it") % {"cash": _cash(client, on, decision.currency)},
        "only_for": _("passed over: this step is only for %(whom)s") % {"whom": _whom(rung.only_for)},
        "step_minimum": _("passed over: this step asks for at least %(sums)s") % {"sums": _sums(dict(rung.minimum))},
        "quiet": _("a quiet period: nobody is reminded"),
        "bounced": _("mail to every address came back"),
        "address": _("nobody can be written to"),
        "today": _("the client already has a message of this day"),
        "minimum": _("less than %(sums)s in all; it goes once the sum grows") % {"sums": _sums(policy.minimum)},
        "spacing": _("less than %(n)d days after the last message") % {"n": policy.spacing_days},
        "window": _("the window does not open on this day: weekend or holiday"),
    }[guard]


def _passes(guard: str, decision: Decision, client: Client, on: dt.date) -> str:
    """What is to be said of a guard that lets the step pass; mostly nothing."""
    if guard in ("paid", "dispute"):
        asked = f"{plain(max(decision.asked, Decimal(0)), decision.currency)} {decision.currency}"
        return _("%(amount)s is open and undisputed") % {"amount": asked}
    if guard == "bank_data":
        return bank_data_are_fresh(client.company, on, decision.client_policy.bank_data_days).because
    if guard == "unmatched":
        return nothing_unmatched(client.company, on, client.pk).because
    if guard == "approval" and decision.rung.needs_approval:
        return _("it is planned, and waits for a person's approval")
    return ""


def _disputed(decision: Decision, client: Client, on: dt.date) -> str:
    dispute = Dispute.objects.open_on(on).filter(invoice=decision.invoice).first()
    return _("disputed since %(day)s") % {"day": dispute.opened_on.isoformat()} if dispute else _("disputed")


def _promised(decision: Decision, client: Client, on: dt.date) -> str:
    promise = Promise.objects.pausing_on(on).filter(invoice=decision.invoice).latest("promised_for")
    return _("promised for %(day)s") % {"day": promise.promised_for.isoformat()}


def _claimed(decision: Decision, client: Client, on: dt.date) -> str:
    pause = Pause.objects.running_on(on).filter(client=client, invoice=decision.invoice).latest("until_on")
    return _("says it is paid; we look for the payment until %(day)s") % {"day": pause.until_on.isoformat()}


def _paused(decision: Decision, client: Client, on: dt.date) -> str:
    pauses = Pause.objects.running_on(on).filter(client=client)
    pause = pauses.filter(Q(invoice=None) | Q(invoice=decision.invoice)).latest("until_on")
    return _("paused until %(day)s: %(reason)s") % {"day": pause.until_on.isoformat(), "reason": pause.reason}


def _extended(decision: Decision, client: Client, on: dt.date) -> str:
    agreed = Extension.objects.running_on(on).filter(invoice=decision.invoice).latest("until_on")
    return _("more time was agreed, to %(day)s") % {"day": agreed.until_on.isoformat()}


def _whom(only_for: str) -> str:
    return str(dict(Step._meta.get_field("only_for").flatchoices).get(only_for, only_for))


def _sums(minimum: Mapping[str, Any]) -> str:
    return ", ".join(f"{plain(Decimal(str(least)), c)} {c}" for c, least in sorted(minimum.items()))


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
        waits = _("it waits for a person's approval") if there.held_for.startswith(APPROVAL) else ""
        because = there.reason or (waits if there.state == "held" else "")
        return {"key": there.key, "state": there.state, "because": because, "items": steps}
    due = [d for d in decided if d.kind == "message" and d.verdict == SERVE]
    if not due:
        return None
    asks = any(d.rung.needs_approval for d in due)
    state = "would wait for approval" if asks else "would be held" if hold else "would be planned"
    return {"key": "", "state": state, "because": "", "items": [[str(invoices[d.invoice]), d.rung.code] for d in due]}
