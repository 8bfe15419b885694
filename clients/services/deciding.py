"""The credit decision: proposed by the policy, decided by it or otherwise, and what it does to limit and status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import OuterRef, Subquery

from audit.services import record
from clients.credit import CheckFacts, Finding, History, Outcome, PolicyFacts, Rule, decide
from clients.models import Client, CreditCheck, CreditDecision, CreditLimit, StatusChange
from core.errors import Refused
from core.models import Company, as_text
from core.money import plain
from core.permissions import demand
from policies.credit import credit_policy_of
from policies.models import CreditPolicy

from .limits import set_limit
from .locking import lock_client
from .status import set_status, status_of

OUTCOMES = dict(CreditDecision.OUTCOMES)
STATUS_AFTER = {"accept": "open", "stricter": "stricter", "prepayment": "cash_only", "decline": "closed"}
MILDEST_FIRST = tuple(dict(StatusChange.STATUSES))
STRICTER_LATER = tuple(STATUS_AFTER)
LONGEST_DAYS = 365
OTHERWISE = "clients.override_decision"


class Grounds(NamedTuple):
    """What a decision rests on: the policy in force, the check that decides, and what the policy decides."""

    policy: CreditPolicy
    check: CreditCheck | None
    outcome: Outcome


def grounds_of(client: Client, on: dt.date, instead: str = "") -> Grounds:
    """The policy and the check a decision of today would rest on, and its outcome; nothing is saved.

    Of the newest valid checks of each provider the one decides that leads to the strictest outcome, so that a second
    opinion does not open what the first one closed. Refused where no credit policy is in force.
    """
    policy = credit_policy_of(client.company, on)
    checks = list(CreditCheck.objects.filter(client=client, checked_on__lte=on))
    currency = client.currency
    facts = _policy_facts(policy, currency)
    history = History(_limit_before_decisions(client, on), client.terms.net_days if client.terms else None)

    def by(check: CreditCheck | None, instead: str = "") -> Outcome:
        found = _check_facts(check, checks, currency, on) if check else None
        return decide(found, facts, history, currency=currency, on=on, instead=instead)

    asked = _one_of_each_provider(checks, on)
    results = [(one, by(one)) for one in asked]
    check, outcome = max(results, key=lambda result: _strictness(result[1]), default=(None, by(None)))
    notes = []
    if check and check != asked[0]:
        saw = "; ".join(f"{one.provider}, {one.checked_on.isoformat()}: {found.outcome}" for one, found in results)
        notes.append(Rule("strictest_check", "Of several valid checks the strictest decides", saw, "", ""))
    if instead:
        outcome = by(check, instead)
    if check and check.recommended_limit is not None and check.currency != currency:
        saw = f"{plain(check.recommended_limit, check.currency)} {check.currency}"
        notes.append(Rule("other_currency", "The limit it recommends is in another currency", saw, currency, ""))
    standing = status_of(client, on)
    if standing is not None and _stays(standing, STATUS_AFTER[outcome.outcome]):
        saw = f"{standing.get_status_display()} since {standing.effective_on.isoformat()}: {standing.because}"
        notes.append(Rule("status_stays", "The credit status stays until its own reason ends", saw, "", ""))
    return Grounds(policy, check, replace(outcome, rules=(*outcome.rules, *notes)))


def propose_decision(client: Client, on: dt.date) -> Outcome:
    """What the credit policy decides about a client today, with every rule; nothing is saved."""
    return grounds_of(client, on).outcome


def decide_credit(
    client: Client, *, on: dt.date, by: Any, outcome: str | None = None, reason: str = "",
    expires_on: dt.date | None = None, limit: Decimal | None = None,
) -> CreditDecision:
    """Decide about a client's credit as the policy says, or otherwise until a day, and put it into force.

    Otherwise (another ``outcome``, or a ``limit`` in whole units of the client's currency) takes the permission, a
    reason, and a last day at most a year ahead; after it the policy decides again, and before it only for somebody
    with the permission. Accept sets the limit and opens the status, stricter terms set days, deposit and a lower
    limit, prepayment is cash-only, decline closes. A status that policy or hand has set for a reason of its own and
    that goes farther stays. The same decision on the same grounds again changes nothing.
    """
    if outcome is not None and outcome not in OUTCOMES:
        raise Refused(f"“{outcome}” is not a decision; choose one of {', '.join(OUTCOMES)}.", where="outcome")
    with transaction.atomic():
        lock_client(client.pk)
        grounds = grounds_of(client, on)
        by_policy = grounds.outcome
        wanted = outcome or by_policy.outcome
        otherwise = wanted != by_policy.outcome or (limit is not None and limit != by_policy.limit)
        if otherwise:
            _check_exception(wanted, reason, expires_on, limit, on, by)
            grounds = grounds_of(client, on, instead=wanted)
            if limit is not None:
                grounds = grounds._replace(outcome=_with_limit(grounds.outcome, limit, client.currency))
        elif expires_on is not None:
            raise Refused("What the policy decides has no last day; leave it empty.", where="expires_on")
        standing = standing_decision(client, on)
        decision = _decision(client, grounds, reason, expires_on, on, by)
        decision.overrides = standing if otherwise else None
        if standing is not None and _says_the_same(standing, decision):
            return standing
        if standing is not None and standing.expires_on is not None and standing.expires_on >= on:
            demand(by, OTHERWISE, "end what somebody decided otherwise than the credit policy")
        decision.save()
        _put_into_force(decision, by)
        record(
            by, "credit_decided", decision, client_id=client.pk, summary=reason,
            diff={"decision": decision.outcome, "policy": by_policy.outcome,
                  "until": expires_on.isoformat() if expires_on else ""},
        )  # fmt: skip
    return decision


def standing_decision(client: Client, on: dt.date) -> CreditDecision | None:
    """The latest decision about a client made on or before a day, whether it has expired or not."""
    return CreditDecision.objects.filter(client=client, decided_on__lte=on).first()


def expire_decisions(company: Company, on: dt.date, by: Any) -> list[CreditDecision]:
    """Where the last day of a decision is over, the policy decides again; a second time the same day changes nothing.

    Answers with the new decisions.
    """
    latest = CreditDecision.objects.filter(client=OuterRef("pk"), decided_on__lte=on).order_by("-decided_on", "-id")
    over = Client.objects.filter(company=company).annotate(
        holds_until=Subquery(latest.values("expires_on")[:1])
    )  # fmt: skip
    decided = []
    for client in over.filter(holds_until__lt=on).select_related("company", "terms").order_by("pk"):
        with transaction.atomic():
            lock_client(client.pk)
            expired = standing_decision(client, on)
            if expired is None or expired.expires_on is None or expired.expires_on >= on:
                continue  # somebody decided meanwhile
            reason = f"the decision of {expired.decided_on.isoformat()} held until {expired.expires_on.isoformat()}"
            decided.append(decide_credit(client, on=on, by=by, reason=reason))
    return decided


def return_to_decision(
    client: Client, *, because: str, on: dt.date, by: Any, source: str = "policy", reasons: Iterable[Any] = (),
    policy: CreditPolicy | None = None,
) -> StatusChange:
    """A status that behaviour had brought about ends: the one of the standing decision holds again, or open."""
    decision = standing_decision(client, on)
    if decision is None or (decision.expires_on is not None and decision.expires_on < on):
        return set_status(
            client, "open", because=because, source=source, on=on, by=by, reasons=list(reasons), policy=policy
        )
    return set_status(
        client, STATUS_AFTER[decision.outcome], because=because, reasons=list(reasons),
        source=source if decision.outcome == "accept" else "decision", on=on, by=by, ends_on=decision.expires_on,
        terms_days=decision.terms_days, deposit_percent=decision.deposit_percent, policy=policy or decision.policy,
    )


def _check_exception(
    outcome: str, reason: str, expires_on: dt.date | None, limit: Decimal | None, on: dt.date, by: Any
) -> None:
    demand(by, OTHERWISE, "decide otherwise than the credit policy")
    if not reason.strip():
        raise Refused("Say why you decide otherwise than the policy.", code="reason", where="reason")
    if expires_on is None:
        message = "Say until when this holds; after that day the policy decides again."
        raise Refused(message, code="expiry", where="expires_on")
    if expires_on < on:
        raise Refused("The last day lies before today; choose a later one.", code="expired", where="expires_on")
    if expires_on > on + dt.timedelta(days=LONGEST_DAYS):
        raise Refused("A decision against the policy holds a year at most.", code="too_long", where="expires_on")
    if limit is not None and limit < 0:
        raise Refused("A credit limit is zero or more; zero means that nothing is sold on credit.", where="limit")
    if limit is not None and outcome in ("prepayment", "decline"):
        raise Refused("Without credit there is no limit to set; leave it empty.", where="limit")


def _with_limit(outcome: Outcome, limit: Decimal, currency: str) -> Outcome:
    by_policy = "none" if outcome.limit is None else f"{plain(outcome.limit, currency)} {currency}"
    rule = Rule("limit_otherwise", f"A person set the limit: {limit} {currency}", f"by policy: {by_policy}", "", "")
    return replace(outcome, limit=limit, rules=(*outcome.rules, rule))


def _decision(
    client: Client, grounds: Grounds, reason: str, expires_on: dt.date | None, on: dt.date, by: Any
) -> CreditDecision:
    outcome = grounds.outcome
    return CreditDecision(
        client=client, outcome=outcome.outcome, terms_days=outcome.terms_days, limit=outcome.limit,
        currency=client.currency, deposit_percent=Decimal(outcome.deposit_percent),
        rules=[rule._asdict() for rule in outcome.rules], policy=grounds.policy, check_used=grounds.check,
        reason=reason.strip()[:300], expires_on=expires_on, decided_on=on, decided_by=as_text(by)[:150],
    )  # fmt: skip


def _says_the_same(standing: CreditDecision, decision: CreditDecision) -> bool:
    """Whether nothing is new: not the outcome, not the grounds, not the last day."""
    names = (
        "outcome", "terms_days", "limit", "deposit_percent", "rules", "policy_id", "check_used_id", "expires_on",
        "reason",
    )  # fmt: skip
    return all(getattr(standing, name) == getattr(decision, name) for name in names)


def _put_into_force(decision: CreditDecision, by: Any) -> None:
    client, on = decision.client, decision.decided_on
    because = f"credit decision: {decision.get_outcome_display()}"
    if decision.limit is not None:
        set_limit(
            client, decision.limit, decision.currency, because=because, source="decision", on=on, by=by,
            reasons=decision.rules,
        )
    status, standing = STATUS_AFTER[decision.outcome], status_of(client, on)
    if standing is not None and _stays(standing, status):
        return
    set_status(
        client, status, because=because, source="decision", on=on, by=by, ends_on=decision.expires_on,
        reasons=decision.rules, terms_days=decision.terms_days, deposit_percent=decision.deposit_percent,
        policy=decision.policy,
    )


def _stays(standing: StatusChange, status: str) -> bool:
    """What policy or hand set for a reason of its own is not undone by a decision that goes less far."""
    return standing.source != "decision" and MILDEST_FIRST.index(standing.status) >= MILDEST_FIRST.index(status)


def _limit_before_decisions(client: Client, on: dt.date) -> Decimal | None:
    """The limit apart from earlier decisions, so that the same cut is not made twice."""
    limits = CreditLimit.objects.filter(client=client, currency=client.currency, effective_on__lte=on)
    limit = limits.exclude(source="decision").first()
    return limit.amount if limit else None


def _one_of_each_provider(checks: Sequence[CreditCheck], on: dt.date) -> list[CreditCheck]:
    """The newest valid check of each provider, newest first; where none is valid, the newest of all."""
    newest: dict[str, CreditCheck] = {}
    for check in checks:
        if check.valid_until >= on:
            newest.setdefault(check.provider.casefold(), check)
    return list(newest.values()) or list(checks[:1])


def _strictness(outcome: Outcome) -> tuple[int, Decimal]:
    """The stricter the greater; of the same decision the one with the lower limit."""
    unbounded = Decimal("Infinity")
    return STRICTER_LATER.index(outcome.outcome), -(unbounded if outcome.limit is None else outcome.limit)


def _check_facts(check: CreditCheck, checks: Iterable[CreditCheck], currency: str, on: dt.date) -> CheckFacts:
    """The check to decide by, with the flags of every check that is valid, and its own in any case."""
    counting = [one for one in checks if one.valid_until >= on or one == check]
    findings = dict.fromkeys(Finding(flag, one.provider, one.checked_on) for one in counting for flag in one.flags)
    return CheckFacts(
        provider=check.provider, checked_on=check.checked_on, valid_until=check.valid_until, score=check.score,
        scale_low=check.scale_low, scale_high=check.scale_high, findings=tuple(findings),
        recommended_limit=check.recommended_limit if check.currency == currency else None,
    )


def _policy_facts(policy: CreditPolicy, currency: str) -> PolicyFacts:
    start = policy.starting_limit.get(currency)
    return PolicyFacts(
        accept_score=policy.accept_score, stricter_score=policy.stricter_score,
        prepayment_score=policy.prepayment_score, flag_outcomes=policy.flag_outcomes,
        starting_limit=None if start is None else Decimal(start), stricter_days=policy.stricter_days,
        stricter_limit_percent=policy.stricter_limit_percent, deposit_percent=policy.deposit_percent,
    )
