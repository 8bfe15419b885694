"""How the words of credit look: the status of a client, the outcome of a decision, the class of a risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ar_collections import limit_words
from clients.services.status import NO_CREDIT
from dashboard.templatetags.ledger import Look, part
from policies import flags

register = template.Library()
FLAGS = dict(flags.FLAGS)

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


@part(register, "components/pill.html")
def credit_status(status: str) -> dict[str, Any]:
    """The pill of a client's credit status; KeyError for one nobody described."""
    return _pill(STATUSES[status])


@part(register, "components/pill.html")
def outcome(key: str) -> dict[str, Any]:
    """The pill of a credit decision."""
    return _pill(OUTCOMES[key])


@part(register, "components/pill.html")
def risk(key: str) -> dict[str, Any]:
    """The pill of a risk class."""
    return _pill(RISKS[key])


@part(register, "components/mark.html")
def limit_mark(percent: int) -> dict[str, Any]:
    """How much of the limit is used, as a mark: from 80 % on it has a colour and an icon."""
    tone = "bad" if percent >= 100 else "warn" if percent >= 80 else ""
    return {"percent": percent, "tone": tone, "icon": "alert-triangle" if percent >= 80 else ""}


@part(register, "components/pill.html")
def flag_pill(flag: str) -> dict[str, Any]:
    """A flag that a check raised."""
    return {"tone": "bad", "icon": "flag", "label": capfirst(str(FLAGS.get(flag, flag)))}


@register.filter
def on_credit(status: Any) -> bool:
    """Whether something can be bought on credit with a status: a change that holds, its key, or nothing."""
    return getattr(status, "status", status) not in NO_CREDIT


@register.simple_tag
def say_reason(reason: Mapping[str, Any]) -> str:
    """A reason of a limit proposal as a sentence."""
    return capfirst(limit_words.say_reason(reason))


@register.simple_tag
def say_line(line: Mapping[str, Any]) -> str:
    """What a line of a proposal's arithmetic is."""
    return capfirst(limit_words.say_line(line))
