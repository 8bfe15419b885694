"""Which policy is in force, and making the next version of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from audit.services import record
from core.errors import Refused
from core.models import Company, as_text
from policies.ladder import DEFAULT_CALL_MINIMUM, DEFAULT_LADDER
from policies.models import CompanyPolicy, Policy, Step, Terms

_OF_THE_VERSION = {"id", "name", "effective_from", "made_by", "made_at"}
COPIED = tuple(f.name for f in Policy._meta.concrete_fields if f.name not in _OF_THE_VERSION)
STEP_FIELDS = tuple(f.name for f in Step._meta.concrete_fields if f.name not in ("id", "policy"))


def policy_of(company: Company, on: dt.date) -> Policy:
    """The version of the company's policy in force on the day.

    Refused where the company has none, or where its first version begins later.
    """
    choice = CompanyPolicy.objects.filter(company=company).first()
    if choice is None:
        raise Refused(
            f"{company} uses no policy; choose one in the admin under “Policies of companies”.", code="no_policy"
        )
    policy = Policy.objects.in_force(choice.name, on)
    if policy is None:
        raise Refused(f"The policy “{choice.name}” has no version in force on {on.isoformat()}.", code="no_version")
    return policy


def default_policy(by: Any, *, effective_from: dt.date = dt.date(2000, 1, 1), name: str = "standard") -> Policy:
    """The policy as shipped, with the default ladder; making it again answers with the one that exists."""
    with transaction.atomic():
        policy, made = Policy.objects.get_or_create(
            name=name,
            effective_from=effective_from,
            defaults={"title": "Standard", "call_minimum": DEFAULT_CALL_MINIMUM, "made_by": as_text(by)},
        )
        if made:
            Step.objects.bulk_create(
                Step(
                    policy=policy,
                    code=s.code,
                    title=s.title,
                    offset_days=s.offset_days,
                    channel=s.channel,
                    tone=s.tone,
                    **s.extra,
                )
                for s in DEFAULT_LADDER
            )
            record(by, "policy_made", policy)
    return policy


def use_policy(company: Company, name: str, by: Any) -> CompanyPolicy:
    """The company behaves by the policy of that name from now on."""
    with transaction.atomic():
        choice, _ = CompanyPolicy.objects.update_or_create(company=company, defaults={"name": name})
        record(by, "policy_chosen", choice, summary=name)
    return choice


def new_version(
    old: Policy,
    *,
    effective_from: dt.date,
    changes: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]] | None,
    on: dt.date,
    by: Any,
) -> Policy:
    """The next version of a policy: ``changes`` over the old one, ``steps`` in place of its ladder (None keeps it).

    Refused where the version would begin in the past or on the day of another version, and where two steps
    have one code or fall on one day by one channel.
    """
    if effective_from <= on:
        raise Refused(
            "A version begins tomorrow at the earliest, so that today stays explained.", where="effective_from"
        )
    values = {name: changes.get(name, getattr(old, name)) for name in COPIED}
    ladder = (
        [dict(s) for s in steps]
        if steps is not None
        else [{name: getattr(s, name) for name in STEP_FIELDS} for s in old.steps.all()]
    )
    check_ladder(ladder)
    try:
        with transaction.atomic():
            policy = Policy.objects.create(name=old.name, effective_from=effective_from, made_by=as_text(by), **values)
            Step.objects.bulk_create(Step(policy=policy, **step) for step in ladder)
            record(by, "policy_version_made", policy, diff={"from": str(old), "changed": sorted(changes)})
    except IntegrityError:
        raise Refused(
            f"“{old.name}” already has a version from {effective_from.isoformat()}; choose another day.",
            where="effective_from",
        ) from None
    return policy


def check_ladder(steps: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a ladder that contradicts itself: twice one code, or two steps on one day by one channel."""
    if not steps:
        raise Refused("A policy needs at least one step.", where="steps")
    seen_codes: set[str] = set()
    seen_days: set[tuple[int, str]] = set()
    for step in steps:
        day = (int(step["offset_days"]), str(step["channel"]))
        if step["code"] in seen_codes:
            raise Refused(f"The code “{step['code']}” stands twice; every step has its own.", where="code")
        if day in seen_days:
            raise Refused(
                f"Two steps fall on day {day[0]:+d} by {day[1]}; move one of them by a day.", where="offset_days"
            )
        seen_codes.add(str(step["code"]))
        seen_days.add(day)


def default_terms(company: Company) -> Terms | None:
    """The terms a new client of the company gets."""
    return Terms.objects.filter(company=company).order_by("-is_default", "net_days").first()
