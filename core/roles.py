"""The two roles an installation begins with. What a person may is changed in the admin; a role is never taken away."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

CLERK = "AR clerk"
MANAGER = "AR manager"

# A clerk reads the rules he works by; a manager makes them, approves, and lets a client buy in spite of them.
_READ = (
    "policies.view_policy", "policies.view_terms", "policies.view_creditpolicy", "policies.view_creditterms",
    "policies.view_occasion", "policies.view_interestrule", "policies.view_referencerate", "policies.view_guardrail",
    "policies.view_segment", "policies.view_steptext", "clients.view_client", "audit.view_event",
)  # fmt: skip
ROLES: dict[str, tuple[str, ...]] = {
    CLERK: _READ,
    MANAGER: (
        *_READ,
        "policies.add_policy", "policies.add_creditpolicy", "policies.add_creditterms", "policies.add_terms",
        "policies.change_terms", "policies.add_occasion", "policies.change_occasion",
        "clients.override_decision", "clients.set_limit", "clients.set_status", "clients.grant_override",
        "clients.invoice_delivered", "payments.add_refund", "invoices.waive_charge", "policies.add_interestrule",
        "policies.add_referencerate", "policies.change_referencerate", "policies.add_guardrail",
        "policies.add_steptext", "policies.add_segment", "policies.change_segment",
    ),
}  # fmt: skip


def make_roles(groups: Any = Group, permissions: Any = Permission) -> None:
    """The roles with what they may; a permission somebody took away from a role that exists stays away.

    A migration passes the models of its own state.
    """
    for name, codenames in ROLES.items():
        role, made = groups.objects.get_or_create(name=name)
        if made:
            wanted = Q()
            for label, _, codename in (full.partition(".") for full in codenames):
                wanted |= Q(content_type__app_label=label, codename=codename)
            role.permissions.set(permissions.objects.filter(wanted))


def give_role(user: Any, name: str) -> None:
    """Put a person into a role, made first where it is missing."""
    make_roles()
    user.groups.add(Group.objects.get(name=name))
