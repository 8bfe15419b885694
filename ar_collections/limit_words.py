"""The reasons and the arithmetic of a limit proposal, in the words of the active language."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core.money import plain, round_money

from .behaviour import Behaviour
from .limit_review import Line, Proposal, Reason

REASONS = {
    "months": gettext_noop("%(saw)s months of history; a limit grows from %(needs)s"),
    "invoices": gettext_noop("%(saw)s invoices to judge by; it takes %(needs)s"),
    "share": gettext_noop("%(saw)s %% of the invoices paid on time; a limit grows from %(needs)s %%"),
    "days_late": gettext_noop("%(saw)s days late on average, weighted by amount; a limit shrinks from %(needs)s"),
    "trend": gettext_noop("the trend: %(saw)s"),
    "overdue": gettext_noop("%(saw)s overdue; a limit grows where nothing is"),
    "promises": gettext_noop("%(saw)s promises broken in 180 days; a limit grows where none was"),
    "returned": gettext_noop("%(saw)s payments returned in 180 days; a limit grows where none was"),
    "share_low": gettext_noop("%(saw)s %% of the invoices paid on time; below %(needs)s %% the limit shrinks"),
    "days_late_high": gettext_noop("%(saw)s days late on average; from %(needs)s on the limit shrinks"),
    "overdue_long": gettext_noop("the oldest invoice is %(saw)s days overdue; from %(needs)s on the limit shrinks"),
    "promises_broken": gettext_noop("%(saw)s promises broken in 180 days; from %(needs)s on the limit shrinks"),
    "payments_returned": gettext_noop("%(saw)s payments returned in 180 days; from %(needs)s on the limit shrinks"),
    "cut_already": gettext_noop("the limit was lowered on %(saw)s for the same signs; nothing has come since"),
    "last_step": gettext_noop("the last step up was %(saw)s months ago; the next one comes after %(needs)s"),
    "highest": gettext_noop("%(saw)s would be above %(needs)s, the highest limit without a second look"),
}
LINES = {
    "limit": gettext_noop("limit in force"),
    "starting": gettext_noop("starting limit by policy"),
    "peak": gettext_noop("most owed at the end of a day in the last year"),
    "step_up": gettext_noop("step up, %(percent)s %%"),
    "step_down": gettext_noop("step down, %(percent)s %%"),
    "above_highest": gettext_noop("above the highest limit of the policy"),
    "rounding": gettext_noop("rounded"),
    "proposed": gettext_noop("proposed limit"),
}
TRENDS = {
    "better": gettext_noop("better than the half-year before"),
    "steady": gettext_noop("as in the half-year before"),
    "worse": gettext_noop("worse than the half-year before"),
    "": gettext_noop("too few invoices for one"),
}
MONEY = {"overdue", "highest"}


def say_reason(reason: Mapping[str, Any]) -> str:
    """A stored reason as a sentence; a code of an older version says what was written then."""
    words = REASONS.get(reason["code"])
    if words is None:
        return str(reason.get("says", reason["code"]))
    saw = _(TRENDS.get(reason["saw"], reason["saw"])) if reason["code"] == "trend" else reason["saw"]
    return _(words) % {"saw": "–" if saw is None else saw, "needs": reason["needs"]}


def say_line(line: Mapping[str, Any]) -> str:
    """What a stored line of the arithmetic is."""
    words = LINES.get(line["code"])
    return _(words) % {"percent": line.get("percent")} if words else str(line.get("says", line["code"]))


def reasons_as_json(proposal: Proposal, currency: str) -> list[dict[str, Any]]:
    """The reasons as they are stored and printed: code, what was seen, what the rule asks for, where it led to."""
    return [_reason(reason, currency) for reason in proposal.reasons]


def arithmetic_as_json(proposal: Proposal, currency: str) -> list[dict[str, Any]]:
    """The lines of the arithmetic, amounts as text in the currency's own places; they add up to the proposed limit."""
    return [_line(line, currency) for line in proposal.arithmetic]


def behaviour_as_json(behaviour: Behaviour, currency: str) -> dict[str, Any]:
    """What the proposal was worked out from."""
    tenths = {
        name: None if (value := getattr(behaviour, name)) is None else str(value)
        for name in ("on_time_percent", "days_late", "days_late_recently", "days_late_before")
    }
    return {
        "months": behaviour.months, "judged": behaviour.judged, "on_time": behaviour.on_time, **tenths,
        "trend": behaviour.trend, "overdue": _money(behaviour.overdue, currency),
        "overdue_days": behaviour.overdue_days, "broken_promises": behaviour.broken_promises,
        "returned": behaviour.returned, "disputed": behaviour.disputed, "peak": _money(behaviour.peak, currency),
    }


def _reason(reason: Reason, currency: str) -> dict[str, Any]:
    money = currency if reason.code in MONEY else ""
    found = {
        "code": reason.code, "saw": _plain(reason.saw, money), "needs": _plain(reason.needs, money),
        "leads_to": reason.leads_to,
    }
    return found | {"says": say_reason(found)}


def _line(line: Line, currency: str) -> dict[str, Any]:
    found = {"code": line.code, "amount": _money(line.amount, currency), "percent": line.percent}
    return found | {"says": say_line(found)}


def _plain(value: Any, currency: str) -> Any:
    if isinstance(value, Decimal):
        return f"{_money(value, currency)} {currency}" if currency else f"{value.normalize():f}"
    return value.isoformat() if hasattr(value, "isoformat") else value


def _money(amount: Decimal, currency: str) -> str:
    return plain(round_money(amount, currency), currency)
