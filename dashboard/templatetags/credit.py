"""How the words of credit look: the status of a client, the outcome of a decision, the class of a risk."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from dashboard.templatetags.ledger import Look

register = template.Library()

STATUSES = {
    "open": Look("good", "circle-check", _("Credit open")),
    "watch": Look("warn", "eye", _("Watch")),
    "stricter": Look("warn", "scale", _("Stricter terms")),
    "cash_only": Look("bad", "cash-banknote", _("Cash only")),
    "closed": Look("bad", "ban", _("No sales")),
}
OUTCOMES = {
    "accept": Look("good", "circle-check", _("Accept")),
    "stricter": Look("warn", "scale", _("Stricter terms")),
    "prepayment": Look("bad", "cash-banknote", _("Prepayment only")),
    "decline": Look("bad", "ban", _("Decline")),
}
RISKS = {
    "low": Look("good", "shield-check", _("Low risk")),
    "medium": Look("warn", "alert-circle", _("Medium risk")),
    "high": Look("bad", "alert-triangle", _("High risk")),
}


def _pill(look: Look) -> dict[str, Any]:
    return {"tone": look.tone, "icon": look.icon, "label": look.label}


@register.inclusion_tag("components/pill.html")
def credit_status(status: str) -> dict[str, Any]:
    """The pill of a client's credit status; KeyError for one nobody described."""
    return _pill(STATUSES[status])


@register.inclusion_tag("components/pill.html")
def outcome(key: str) -> dict[str, Any]:
    """The pill of a credit decision."""
    return _pill(OUTCOMES[key])


@register.inclusion_tag("components/pill.html")
def risk(key: str) -> dict[str, Any]:
    """The pill of a risk class."""
    return _pill(RISKS[key])


@register.inclusion_tag("components/mark.html")
def limit_mark(percent: int) -> dict[str, Any]:
    """How much of the limit is used, as a mark: from 80 % on it has a colour and an icon."""
    tone = "bad" if percent >= 100 else "warn" if percent >= 80 else ""
    return {"percent": percent, "tone": tone, "icon": "alert-triangle" if percent >= 80 else ""}
