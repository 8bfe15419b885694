"""A whole day of the desk, for any date: what the ticks do one by one, done once as of that date."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Max, Q, Sum

from ar_collections.models import Hold, Served
from core.jobs import Progress, unheard
from core.models import Company
from core.money import plain
from invoices.models import Charge
from outbox.models import Message
from outbox.services import deliver
from policies.credit import credit_policy_if_any

from .choosing import InUse, in_use
from .credit_days import look_after_credit
from .credit_letters import KIND as CREDIT_NOTICE
from .credit_letters import tell_credit
from .deciding import NOTICE
from .holding import release_hold
from .interest import apply_late_interest
from .planning import plan
from .promising import judge_promises


@dataclass
class Day:
    """What one run of a day did: per step the messages, and the invoices in them or in the tasks of a call."""

    on: dt.date
    planned: int = 0
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    interest: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    messages: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    invoices: Counter[str] = field(default_factory=Counter)
    waiting: dict[tuple[int, str], str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The answer as ``manage.py run_day --json`` prints it."""
        return {
            "on": self.on,
            "planned": self.planned,
            **{state: self.counts[state] for state in ("cancelled", "sent", "failed", "unknown")},
            "interest_posted": {c: plain(total, c) for c, total in sorted(self.interest.items())},
            "per_step": {
                step: {"messages": len(self.messages[step]), "invoices": self.invoices[step]}
                for step in sorted(self.invoices)
            },
        }


def run_day(
    companies: Iterable[Company], on: dt.date, *, send: bool, by: Any, progress: Progress = unheard
) -> Day:
    """Do everything that falls on a business date, past or future: promises judged, interest, credit, reminders, calls.

    It is a person's act: neither the surge breaker nor a hold stops it. It acts at the opening of each client's
    window on that date. Without ``send`` messages stay planned, and count as served only once they are sent.
    Refused, before anything is done, where a company has no policy in force on the date.
    """
    day, companies = Day(on), list(companies)
    policies = [in_use(company, on) for company in companies]
    for company, theirs in zip(companies, policies, strict=True):
        _run(company, day, theirs, send=send, by=by, progress=progress)
    return day


def _run(company: Company, day: Day, policies: InUse, *, send: bool, by: Any, progress: Progress) -> None:
    on = day.on
    latest = Charge.objects.aggregate(pk=Max("pk"))["pk"] or 0
    judge_promises(company, on, by=by)
    apply_late_interest(company, on, by=by, policies_in_use=policies)
    credit_policy = credit_policy_if_any(company, on)
    if credit_policy is not None:
        look_after_credit(company, on, by=by, credit_policy=credit_policy, policy=policies.usual)
    done = plan(company, on, by=by, hold_allowed=False, policies=policies)
    day.planned += len(done.planned)
    day.counts["cancelled"] += done.cancelled
    day.invoices.update(done.desk)
    day.waiting.update(done.waiting)
    mine = Q(kind=NOTICE, on=on, payload__company=company.pk)
    letters = Q(kind=CREDIT_NOTICE, on__lte=on, payload__company=company.pk)
    touched = set(done.planned)
    if send:
        touched |= _send(company, day, mine, by, progress)
        tell_credit(company, on, by=by, hold_allowed=False, policy=policies.usual)  # what the reminders began
        _send_letters(letters)
    served = Served.objects.filter(on=on, outcome="served", invoice__company=company, message__isnull=False)
    for step, message in served.values_list("step", "message_id") if touched else ():
        if message in touched:
            day.messages[step].add(message)
            day.invoices[step] += 1
    charged = Charge.objects.filter(company=company, pk__gt=latest).order_by().values_list("currency")
    for currency, total in charged.annotate(total=Sum("amount")):
        day.interest[currency] += total


def _send(company: Company, day: Day, mine: Q, by: Any, progress: Progress) -> set[int]:
    """Send what is planned for the date, at the instants at which the windows of its clients open."""
    ours = mine | Q(kind=CREDIT_NOTICE, on__lte=day.on, payload__company=company.pk)
    held = set(Message.objects.filter(ours, state="held").values_list("held_for", flat=True))
    for hold in Hold.objects.filter(company=company, ended_at=None) if held else ():
        if hold.key in held:
            release_hold(hold, by=by)
    waiting = dict(Message.objects.filter(mine, state="pending").values_list("pk", "not_before"))
    done = 0

    def one_more() -> bool:
        """Asked before each message; nothing stops it."""
        nonlocal done
        progress(min(done, len(waiting)), len(waiting), "messages")
        done += 1
        return False

    for instant in sorted(set(waiting.values())):
        for state, count in deliver(instant, only=mine, stop=one_more).items():
            day.counts[state] += count
    if waiting:
        progress(len(waiting), len(waiting), "messages")
    return set(waiting)


def _send_letters(letters: Q) -> None:
    """Notices about credit leave after the reminders and are none of them: the counts of the day are without them."""
    for instant in sorted(set(Message.objects.filter(letters, state="pending").values_list("not_before", flat=True))):
        deliver(instant, only=letters)
