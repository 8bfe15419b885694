"""What clients say is wrong: open disputes by the day to look again, each closed with a sentence."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from core.money import plain
from dashboard.desk import StaffRequest, refusals_on, row_number
from dashboard.forms.desk import CloseDisputeForm
from dashboard.lists import Column, as_csv, page_of, wants_csv
from dashboard.reports.promises import disputes_of, tally_disputes
from disputes.services import close_dispute

from .promises import in_words

COLUMNS = [
    Column("client", lambda d: d.invoice.client.name), Column("invoice", lambda d: d.invoice),
    Column("reason", lambda d: d.get_reason_display()), Column("text", lambda d: d.text),
    Column("disputed", lambda d: plain(d.disputed, d.invoice.currency)),
    Column("currency", lambda d: d.invoice.currency),
    Column("opened on", lambda d: d.opened_on), Column("opened by", lambda d: d.opened_by),
    Column("look again on", lambda d: d.revisit_on), Column("closed on", lambda d: d.closed_on),
    Column("outcome", lambda d: d.outcome),
]  # fmt: skip


def disputes(request: StaffRequest) -> HttpResponseBase:
    """Open disputes, those to look at first; closing one answers with the list, a refusal with what was written."""
    rows = disputes_of(request.desk.company)
    refused: CloseDisputeForm | None = None
    meant = request.POST.get("dispute", "")
    if request.method == "POST":
        dispute = get_object_or_404(rows, pk=row_number(meant))
        refused = CloseDisputeForm(request.POST)
        if refused.is_valid():
            with refusals_on(refused):
                close_dispute(dispute, **refused.cleaned_data, on=request.desk.on, by=request.user)
                messages.success(request, _("Closed; chasing of %(invoice)s goes on.") % {"invoice": dispute.invoice})
                return redirect(request.path)
    opened = rows.filter(closed_on=None)
    tab = "closed" if request.GET.get("tab") == "closed" else "open"
    closed = rows.exclude(closed_on=None)
    listed = closed.order_by("-closed_on", "-pk") if tab == "closed" else opened.order_by("revisit_on", "pk")
    if wants_csv(request):
        return as_csv(f"disputes-{tab}", COLUMNS, listed.iterator())
    context: dict[str, Any] = {"tab": tab, "tabs": _tabs(opened, closed, tab), "page": page_of(request, listed)}
    context |= {"shown": meant or request.GET.get("close", ""), "refused": refused}
    return render(request, "dashboard/disputes.html", context, status=422 if refused else 200)


def _tabs(opened: Any, closed: Any, current: str) -> list[dict[str, Any]]:
    tally, ended = tally_disputes(opened), closed.count()
    return [
        {"label": _("Open"), "url": "?", "count": tally.count, "sum": in_words(tally), "current": current == "open"},
        {"label": _("Closed"), "url": "?tab=closed", "count": ended, "current": current == "closed"},
    ]
