"""Whom a reminder is for and by which policy: what everything about one message needs to know first."""

from __future__ import annotations

from dataclasses import dataclass

from clients.models import Client
from outbox.models import Message
from policies.models import Policy, Step
from policies.services import policy_of


@dataclass(frozen=True)
class Subject:
    """Whom a message is for and the policy of its day."""

    client: Client
    policy: Policy
    steps: dict[str, Step]


def about(message: Message) -> Subject:
    """Read once while one message is on its way: neither changes what it may say."""
    known = message.__dict__.get("about")
    if not isinstance(known, Subject):
        client = Client.objects.select_related("company", "owner").get(pk=message.payload["client"])
        policy = policy_of(client.company, message.on)
        known = message.__dict__["about"] = Subject(client, policy, {step.code: step for step in policy.steps.all()})
    return known
