"""Promises to pay: what is due, what runs, what was broken and what was kept."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.money import plain
from dashboard.desk import StaffRequest
from dashboard.lists import Column, as_csv, in_order, page_of, wants_csv
from dashboard.reports.promises import Tally, promises_in, promises_of, tally_promises
from dashboard.templatetags.ledger import about

TABS = {
    "due": gettext_lazy("Due today"), "running": gettext_lazy("Running"), "broken": gettext_lazy("Broken"),
    "kept": gettext_lazy("Kept"), "all": gettext_lazy("All"),
}  # fmt: skip
ORDERS = {"promised_for": ["promised_for"], "client": ["client__name"], "amount": ["amount"], "made": ["made_at"]}
COLUMNS = [
    Column("client", lambda p: p.client.name), Column("invoice", lambda p: p.invoice),
    Column("amount", lambda p: plain(p.amount, p.currency)), Column("currency", lambda p: p.currency),
    Column("promised for", lambda p: p.promised_for),
    Column("state", lambda p: p.state), Column("came in", lambda p: plain(p.paid, p.currency)),
    Column("made on", lambda p: p.made_on),
    Column("made by", lambda p: p.made_by), Column("source", lambda p: "client" if p.by_client else "staff"),
]  # fmt: skip


def promises(request: StaffRequest) -> HttpResponseBase:
    """The promises of one tab; the first that holds something where none is asked for."""
    on = request.desk.on
    every = promises_of(request.desk.company, on)
    tallies = tally_promises(every, on)
    asked = request.GET.get("tab", "")
    tab = asked if asked in TABS else next((name for name in TABS if tallies[name].count), "due")
    usual = "promised_for" if tab in ("due", "running") else "-promised_for"
    rows, order = in_order(request, promises_in(tab, every, on), ORDERS, usual)
    if wants_csv(request):
        return as_csv(f"promises-{tab}", COLUMNS, rows.iterator())
    context = {"page": page_of(request, rows), "sort": order, "tab": tab, "on": on, "any": tallies["all"].count}
    context["tabs"] = [_tab(name, tallies[name], name == tab) for name in TABS]
    return render(request, "dashboard/promises.html", context | {"empty": _empty(tab)})


def in_words(tally: Tally) -> str:
    """The sums of a tally, one currency after the other."""
    return " · ".join(about(amount, currency) for currency, amount in sorted(tally.sums.items()))


def _tab(name: str, tally: Tally, current: bool) -> dict[str, Any]:
    shown = {"label": TABS[name], "count": tally.count, "sum": in_words(tally)}
    return shown | {"url": f"?tab={name}", "current": current}


def _empty(tab: str) -> str:
    return {
        "due": _("No promise is due today."), "running": _("No promise runs beyond today."),
        "broken": _("No promise was broken."), "kept": _("No promise was kept yet."),
    }.get(tab, _("No promises."))  # fmt: skip
