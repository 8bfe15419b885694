"""Today's figures as its panels show them: each in words, with the page it is made of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.templatetags.ledger import AGES, about, money
from invoices.aging import BUCKETS
from reports.figures import Standing, Today


def kpis(figures: Today, one: Standing) -> list[dict[str, Any]]:
    """The four key figures of a currency, as the arguments of the kpi tag."""
    return [_overdue(figures, one), _dso(figures, one), _promised(figures, one), _collected(figures, one)]


def _overdue(figures: Today, one: Standing) -> dict[str, Any]:
    foot = ngettext("%(n)d invoice", "%(n)d invoices", one.aging.overdue_count) % {"n": one.aging.overdue_count}
    if len(figures.standings) == 1:
        clients = figures.overdue_clients
        foot += " · " + ngettext("%(n)d client", "%(n)d clients", clients) % {"n": clients}
    change = about(abs(one.overdue_change), one.currency)
    note, tone, icon = _("as much as last week"), "", ""
    if one.overdue_change < 0:
        note, tone, icon = _("%(sum)s less than last week") % {"sum": change}, "good", "arrow-down-right"
    elif one.overdue_change > 0:
        note, tone, icon = _("%(sum)s more than last week") % {"sum": change}, "bad", "arrow-up-right"
    return {
        "label": _("Overdue"), "value": about(one.aging.overdue, one.currency), "note": note, "tone": tone,
        "note_icon": icon, "foot": foot, "url": listed("invoices", tab="overdue", currency=one.currency),
    }  # fmt: skip


def _dso(figures: Today, one: Standing) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "label": _("Days sales outstanding"), "value": "—", "foot": _("open ÷ sales of 90 days × 90"),
        "url": listed("invoices", tab="open", currency=one.currency), "points": one.dso_points,
    }  # fmt: skip
    if one.dso is None:
        return shown | {"note": _("no sales within 90 days")}
    shown["value"] = number_format(one.dso, 1)
    change = one.dso_change
    if change is None:
        return shown
    month = date_format(figures.on.replace(day=1) - dt.timedelta(days=1), "F")
    facts = {"n": number_format(abs(change), 1), "month": month}
    note, tone, icon = _("as in %(month)s"), "", ""
    if change < 0:
        note, tone, icon = _("%(n)s days better than %(month)s"), "good", "arrow-down-right"
    elif change > 0:
        note, tone, icon = _("%(n)s days worse than %(month)s"), "bad", "arrow-up-right"
    return shown | {"note": note % facts, "tone": tone, "note_icon": icon}


def _promised(figures: Today, one: Standing) -> dict[str, Any]:
    shown = {
        "label": _("Promised"), "value": about(one.promised, one.currency), "url": reverse("dashboard:promises"),
        "foot": ngettext("%(n)d promise", "%(n)d promises", figures.promises) % {"n": figures.promises}
        + " · " + _("%(n)d due today") % {"n": figures.promises_due_today},
    }  # fmt: skip
    if len(figures.standings) > 1:
        shown["foot"] = _("all currencies: %(counts)s") % {"counts": shown["foot"]}
    if not one.broken:
        return shown | {"note": _("none broken within a week")}
    n = figures.promises_broken
    note = _("%(sum)s promised and not paid")
    if len(figures.standings) == 1:
        note = ngettext("%(n)d promise of %(sum)s was broken", "%(n)d promises of %(sum)s were broken", n)
    broken = {"n": n, "sum": about(one.broken, one.currency)}
    return shown | {"note": note % broken, "tone": "warn", "note_icon": "alert-triangle"}


def _collected(figures: Today, one: Standing) -> dict[str, Any]:
    month = date_format(figures.on, "F")
    shown: dict[str, Any] = {
        "label": _("Collected in %(month)s") % {"month": month}, "value": about(one.collected, one.currency),
        "url": reverse("dashboard:payments"),
    }  # fmt: skip
    if one.expected <= 0:
        return shown | {"note": _("nothing more is expected this month")}
    percent = int(100 * one.collected / one.expected)
    facts = {"percent": percent, "sum": about(one.expected, one.currency)}
    return shown | {
        "note": _("%(percent)d %% of %(sum)s expected") % facts, "part": one.collected, "whole": one.expected,
        "part_label": _("%(percent)d percent of expected cash collected") % facts,
    }  # fmt: skip


def ages(one: Standing) -> list[dict[str, Any]]:
    """The rows of the aging table, each linked to its invoices."""
    return [
        {
            "label": AGES[bucket], "count": one.aging.counts[bucket], "amount": one.aging.buckets[bucket],
            "url": listed("invoices", tab="open", due=bucket, currency=one.currency),
        }
        for bucket in BUCKETS
    ]  # fmt: skip


def beside(one: Standing) -> list[dict[str, Any]]:
    """What stands beside the buckets: unapplied cash, and charges."""
    rows = []
    if one.aging.unapplied:
        unapplied = listed("payments", tab="left")
        rows.append({"label": _("Unapplied cash"), "amount": one.aging.unapplied, "url": unapplied})
    if one.aging.charges:
        rows.append({"label": _("Interest and fees"), "amount": one.aging.charges, "url": ""})
    return rows


def cash(one: Standing) -> dict[str, Any]:
    """Cash by week: what the chart draws, and the same figures as rows of a table."""
    return {
        "chart": {
            "labels": [date_format(week.begins_on, "j M") for week in one.weeks], "currency": one.currency,
            "series": [
                {"label": _("Collected"), "values": [_drawn(week.collected) for week in one.weeks], "look": "solid"},
                {"label": _("Expected"), "values": [_drawn(week.expected) for week in one.weeks], "look": "soft"},
            ],
        },
        "weeks": one.weeks,
        "late": money(one.later_than_expected, one.currency) if one.later_than_expected else "",
    }  # fmt: skip


def _drawn(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)  # a height on the screen, no money


def listed(page: str, **asked: str) -> str:
    """A list's address with its filters."""
    return f"{reverse(f'dashboard:{page}')}?{urlencode(asked)}"
