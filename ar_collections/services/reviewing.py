"""The limit review: what clients' own behaviour speaks for, on a schedule by risk; a person approves it or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Min
from django.utils.translation import gettext as _

from ar_collections.behaviour import SIGNAL_DAYS, Behaviour
from ar_collections.limit_review import Proposal, Rules, Standing, propose
from ar_collections.limit_words import arithmetic_as_json, behaviour_as_json, reasons_as_json
from ar_collections.models import LimitProposal, Task
from audit.services import record, record_many
from clients.models import Client, CreditLimit, StatusChange
from clients.services.limits import limit_of, set_limit
from core.errors import Refused
from core.models import Company, as_text
from core.money import plain
from core.permissions import demand
from invoices.models import Invoice
from policies.credit import credit_policy_of
from policies.models import CreditPolicy

from .behaving import BATCH, Pair, behaviours_of, returned

__all__ = [
    "Reviewed", "approve_proposal", "behaviours_of", "due_for_review", "propose_limits", "reject_proposal",
    "review_limits", "rules_of", "save_proposals",
]  # fmt: skip
WINDOW = 200  # clients whose proposals are saved in one transaction


@dataclass(frozen=True)
class Reviewed:
    """One client in one currency: how it paid, and the limit that follows."""

    client: Client
    currency: str
    behaviour: Behaviour
    proposal: Proposal


@dataclass
class _Limits:
    """The limit of a client in one currency, and when a review last raised and lowered it."""

    amount: Decimal | None = None
    moved: dict[str, dt.date] = field(default_factory=dict)

    def then(self, limit: CreditLimit) -> None:
        if limit.source == "review" and self.amount is not None:
            self.moved["up" if limit.amount > self.amount else "down"] = limit.effective_on
        self.amount = limit.amount

    def standing(self) -> Standing:
        return Standing(self.amount, self.moved.get("up"), self.moved.get("down"))


def rules_of(policy: CreditPolicy, currency: str) -> Rules:
    """What a credit policy says about limits in one currency."""
    starting, highest = (sums.get(currency) for sums in (policy.starting_limit, policy.highest_limit))
    return Rules(
        starting=None if starting is None else Decimal(starting),
        highest=None if highest is None else Decimal(highest),
        raise_months=policy.raise_months, raise_on_time=policy.raise_on_time, raise_percent=policy.raise_percent,
        cut_on_time=policy.cut_on_time, cut_days_late=policy.cut_days_late, cut_percent=policy.cut_percent,
        most_promises=policy.cash_only_promises, most_returned=policy.cash_only_returned,
        most_overdue_days=policy.cash_only_days,
    )


def propose_limits(
    company: Company, as_of: dt.date, clients: Iterable[Client] | None = None, *, without_history: bool = False,
    policy: CreditPolicy | None = None,
) -> Iterator[Reviewed]:
    """What the limit of every client should be by its own behaviour, judged at the end of a day; nothing is saved.

    Entries, limits and disputes dated later count for nothing. Clients never invoiced by then are left out unless
    ``without_history``; where neither a limit nor a starting limit exists there is nothing to propose.
    ``policy`` is the credit policy in force on the day, where it is known already; refused where there is none.
    """
    policy = policy or credit_policy_of(company, as_of)
    rules: dict[str, Rules] = {}
    asked = list(Client.objects.filter(company=company).order_by("number") if clients is None else clients)
    for start in range(0, len(asked), BATCH):
        some = asked[start : start + BATCH]
        pks = [client.pk for client in some]
        behaviours, limits = behaviours_of(pks, as_of), _limits(pks, as_of)
        pairs = behaviours.keys() | (limits.keys() if without_history else set())
        if without_history:
            pairs |= {(client.pk, client.currency) for client in some}
        by_client: dict[int, list[str]] = {}
        for pk, currency in sorted(pairs):
            by_client.setdefault(pk, []).append(currency)
        for client in some:
            for currency in by_client.get(client.pk, []):
                rule = rules.setdefault(currency, rules_of(policy, currency))
                behaviour = behaviours.get((client.pk, currency), Behaviour(as_of))
                standing = limits.get((client.pk, currency), _Limits()).standing()
                if standing.limit is None and rule.starting is None and not behaviour.peak:
                    continue
                yield Reviewed(client, currency, behaviour, propose(behaviour, rule, standing))


def review_limits(
    company: Company, on: dt.date, *, by: Any, policy: CreditPolicy | None = None
) -> list[LimitProposal]:
    """Review the clients whose turn it is: by the risk class of their last review, or at once on a warning sign.

    Answers with the proposals that wait for a person; a limit that stays is noted and asks nobody, and one that
    shrinks by a policy that cuts at once holds from today. A second time on
    one day changes nothing. ``policy`` is the credit policy in force, where it is known already; refused where there
    is none.
    """
    policy = policy or credit_policy_of(company, on)
    clients = due_for_review(company, on, policy)
    reviewed = propose_limits(company, on, clients, without_history=True, policy=policy)
    return save_proposals(company, on, reviewed, policy, by=by)


def due_for_review(company: Company, on: dt.date, policy: CreditPolicy) -> list[Client]:
    """Clients whose last review lies as many days back as their risk class says, or who gave a warning sign since.

    The first review: at once where a client owes and has no limit, else as for the medium class after its limit.
    """
    days = {risk: int(n) for risk, n in policy.review_days.items()} or {"low": 365, "medium": 90, "high": 30}
    mine = {"client__company": company}
    reviews = LimitProposal.objects.filter(**mine, as_of__lte=on).order_by("as_of", "pk")
    last = {
        client: (as_of, as_of + dt.timedelta(days=days.get(risk, 0)))
        for client, as_of, risk in reviews.values_list("client_id", "as_of", "risk").iterator(2000)
    }
    limits = CreditLimit.objects.filter(**mine, effective_on__lte=on).order_by().values("client")
    limited = dict(limits.annotate(first=Min("effective_on")).values_list("client", "first"))
    due = {client for client, (_as_of, again) in last.items() if again <= on}
    due |= {
        client for client, first in limited.items()
        if client not in last and first + dt.timedelta(days=days["medium"]) <= on
    }
    due |= {
        client for client, day in _signs(company, on)
        if client in limited and (client not in last or last[client][0] < day)
    }
    due |= _owing_without_limit(company, on, last.keys() | limited.keys())
    ordered, found = sorted(due), list[Client]()
    for start in range(0, len(ordered), BATCH):
        found += Client.objects.filter(pk__in=ordered[start : start + BATCH]).order_by("pk")
    return found


def _signs(company: Company, on: dt.date) -> Iterator[tuple[int, dt.date]]:
    """The days of the last 180 on which something happened that speaks against the limit of a client."""
    since, mine = on - dt.timedelta(days=SIGNAL_DAYS), {"client__company": company}
    yield from StatusChange.objects.filter(
        **mine, source="policy", status__in=["watch", "cash_only"], effective_on__gt=since, effective_on__lte=on
    ).values_list("client_id", "effective_on")
    yield from Task.objects.filter(
        company=company, kind="promise_broken", due_on__gt=since, due_on__lte=on
    ).values_list("client_id", "due_on")
    yield from returned(since, on).filter(company=company).values_list("client_id", "effective_on")


def _owing_without_limit(company: Company, on: dt.date, but: Collection[int]) -> set[int]:
    others = [pk for pk in Client.objects.filter(company=company).values_list("pk", flat=True) if pk not in but]
    found: set[int] = set()
    for start in range(0, len(others), BATCH):
        issued = Invoice.objects.issued().filter(client__in=others[start : start + BATCH], issued_on__lte=on)
        found |= set(issued.order_by().values_list("client", flat=True).distinct())
    return found


def save_proposals(
    company: Company, on: dt.date, reviewed: Iterable[Reviewed], policy: CreditPolicy, *, by: Any
) -> list[LimitProposal]:
    """Keep what a review found: a change waits for a person, «nothing changes» is noted; older open ones give way.

    Where the policy cuts at once, a lower limit holds from today instead of waiting.
    """
    found, waiting = list(reviewed), list[LimitProposal]()
    for start in range(0, len(found), WINDOW):
        waiting += _save_window(on, found[start : start + WINDOW], policy, by)
    return waiting


def _save_window(on: dt.date, some: Collection[Reviewed], policy: CreditPolicy, by: Any) -> list[LimitProposal]:
    with transaction.atomic():
        pks = sorted({r.client.pk for r in some})
        list(Client.objects.select_for_update(of=("self",)).filter(pk__in=pks).order_by("pk").values_list("pk"))
        there = LimitProposal.objects.filter(client__in=pks, as_of=on).values_list("client_id", "currency")
        done = set(there)  # by somebody else, since this window was asked for
        fresh = [r for r in some if (r.client.pk, r.currency) not in done]
        pairs = {(r.client.pk, r.currency) for r in fresh}
        open_ones = LimitProposal.objects.filter(client__in=pks, outcome="").values_list("pk", "client_id", "currency")
        over = [pk for pk, client, currency in open_ones if (client, currency) in pairs]
        LimitProposal.objects.filter(pk__in=over).update(
            outcome="replaced", decided_on=on, decided_by=as_text(by)[:150]
        )
        made = LimitProposal.objects.bulk_create([_row(r, on, policy, by) for r in fresh], batch_size=WINDOW)
        if policy.cuts == "at_once":
            _cut_at_once(made, on, by)
        waiting = [proposal for proposal in made if not proposal.outcome]
        record_many(
            {
                "by": by, "action": "limit_proposed", "obj": proposal, "client_id": proposal.client_id,
                "summary": _in_words(proposal),
            }
            for proposal in waiting
        )
    return waiting


def _cut_at_once(made: Collection[LimitProposal], on: dt.date, by: Any) -> None:
    """Where the policy says so, a limit shrinks on the day of its warning signs and a person may raise it again."""
    for proposal in made:
        if proposal.outcome or proposal.current is None or proposal.proposed >= proposal.current:
            continue
        _decide(proposal, "approved", _("At once, as the credit policy says."), on, by)
        set_limit(
            proposal.client, proposal.proposed, proposal.currency, because=_because(proposal), source="review",
            on=on, by=by, reasons=proposal.reasons,
        )


def approve_proposal(proposal: LimitProposal, *, on: dt.date, by: Any, note: str = "") -> CreditLimit:
    """The proposed limit holds from today. Refused without the permission, twice, and where the limit has changed
    since it was proposed."""
    demand(by, "clients.set_limit", "approve a credit limit")
    with transaction.atomic():
        proposal = _still_open(proposal)
        standing = limit_of(proposal.client, proposal.currency, on)
        if (standing.amount if standing else None) != proposal.current:
            raise Refused(
                _("The limit was changed after this was proposed; reject it, and the next review starts from the new "
                  "one."),
                code="limit_changed",
            )
        _decide(proposal, "approved", note, on, by)
        return set_limit(
            proposal.client, proposal.proposed, proposal.currency, because=_because(proposal), source="review",
            on=on, by=by, reasons=proposal.reasons,
        )


def reject_proposal(proposal: LimitProposal, *, reason: str, on: dt.date, by: Any) -> LimitProposal:
    """The limit stays as it is, for a reason. Refused without one, without the permission, and twice."""
    demand(by, "clients.set_limit", "reject a proposed credit limit")
    if not reason.strip():
        raise Refused(_("Write why the limit stays as it is."), code="reason", where="reason")
    with transaction.atomic():
        proposal = _still_open(proposal)
        _decide(proposal, "rejected", reason, on, by)
        record(by, "limit_proposal_rejected", proposal, client_id=proposal.client_id, summary=reason.strip())
    return proposal


def _still_open(proposal: LimitProposal) -> LimitProposal:
    Client.objects.select_for_update(of=("self",)).get(pk=proposal.client_id)
    found = LimitProposal.objects.select_for_update(of=("self",)).select_related("client__company").get(pk=proposal.pk)
    if found.outcome:
        raise Refused(_("This proposal was decided on already; load the page again."), code="decided")
    return found


def _decide(proposal: LimitProposal, outcome: str, note: str, on: dt.date, by: Any) -> None:
    proposal.outcome, proposal.note = outcome, note.strip()[:300]
    proposal.decided_on, proposal.decided_by = on, as_text(by)[:150]
    proposal.save(update_fields=["outcome", "note", "decided_on", "decided_by"])


def _limits(clients: Collection[int], as_of: dt.date) -> Mapping[Pair, _Limits]:
    found: dict[Pair, _Limits] = {}
    rows = CreditLimit.objects.filter(client__in=clients, effective_on__lte=as_of).order_by("effective_on", "pk")
    for limit in rows:
        found.setdefault((limit.client_id, limit.currency), _Limits()).then(limit)
    return found


def _row(reviewed: Reviewed, on: dt.date, policy: CreditPolicy, by: Any) -> LimitProposal:
    proposal, currency = reviewed.proposal, reviewed.currency
    stays: dict[str, Any] = {}
    if proposal.move == "keep":
        stays = {"outcome": "approved", "note": _("Nothing changes."), "decided_on": on}
        stays["decided_by"] = as_text(by)[:150]
    return LimitProposal(
        client=reviewed.client, currency=currency, as_of=on, risk=proposal.risk, current=proposal.current,
        proposed=proposal.proposed, reasons=reasons_as_json(proposal, currency), policy=policy,
        arithmetic={
            "lines": arithmetic_as_json(proposal, currency),
            "behaviour": behaviour_as_json(reviewed.behaviour, currency),
        },
        **stays,
    )


def _because(proposal: LimitProposal) -> str:
    """The reasons that moved the limit, in one line."""
    moved = "up" if proposal.current is None or proposal.proposed > proposal.current else "down"
    said = "; ".join(reason["says"] for reason in proposal.reasons if reason["leads_to"] == moved)
    return _("Limit review of %(day)s: %(reasons)s") % {"day": proposal.as_of.isoformat(), "reasons": said or "–"}


def _in_words(proposal: LimitProposal) -> str:
    was = "–" if proposal.current is None else plain(proposal.current, proposal.currency)
    return f"{was} → {plain(proposal.proposed, proposal.currency)} {proposal.currency}"
