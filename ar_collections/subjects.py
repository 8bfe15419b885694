"""Whom a reminder is for and by which policy: what everything about one message needs to know first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import prefetch_related_objects

from clients.models import Client
from core.batches import once_in_a_batch
from core.models import Company
from outbox.models import Message
from policies.models import Policy, Step
from policies.services import policy_of


@dataclass(frozen=True)
class Subject:
    """Whom a message is for and the policy of its day; an invoice may climb the ladder of another one."""

    client: Client
    policy: Policy
    steps: dict[str, Step]
    others: Mapping[int, Mapping[str, Step]] = field(default_factory=dict)

    def step_of(self, invoice: int, code: str) -> Step | None:
        """The step of that code that an invoice is served with, by its own policy; None where no version has it."""
        return self.others.get(invoice, self.steps).get(code)


def about(message: Message) -> Subject:
    """Read once while one message is on its way: neither changes what it may say."""
    known = message.__dict__.get("about")
    if not isinstance(known, Subject):
        client = Client.objects.select_related("company", "owner", "segment").get(pk=message.payload["client"])
        policy = _named(message.payload.get("policy", ""), message.on) or _of_company(client.company, message.on)
        ladders = {
            name: _steps(_named(name, message.on)) for name in set(message.payload.get("policies", {}).values())
        }
        others = {int(pk): ladders[name] for pk, name in message.payload.get("policies", {}).items()}
        known = message.__dict__["about"] = Subject(client, policy, _steps(policy), others)
    return known


@once_in_a_batch
def _named(name: str, on: dt.date) -> Policy | None:
    return _with_steps(Policy.objects.in_force(name, on)) if name else None


@once_in_a_batch
def _of_company(company: Company, on: dt.date) -> Policy:
    policy = policy_of(company, on)
    _with_steps(policy)
    return policy


def _with_steps(policy: Policy | None) -> Policy | None:
    """Read along: whatever asks for the ladder of a step later asks for these."""
    if policy is not None:
        prefetch_related_objects([policy], "steps")
    return policy


def _steps(policy: Policy | None) -> dict[str, Step]:
    return {step.code: step for step in policy.steps.all()} if policy else {}
