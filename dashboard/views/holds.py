"""Messages that wait for a person: everything a held batch would send, to release or to discard as a whole."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from ar_collections.models import Hold
from ar_collections.services.holding import discard_hold, held_messages, release_hold
from core.errors import Refused
from core.services import today
from dashboard.desk import StaffRequest, refusals_said
from dashboard.lists import Column, as_csv, page_of, wants_csv
from dashboard.reports.outbox import Row, rows_of

COLUMNS = [
    Column("client number", lambda row: row.client and row.client.number),
    Column("client", lambda row: row.client and row.client.name), Column("to", lambda row: row.to_addr),
    Column("step", lambda row: row.steps),
    Column("invoices", lambda row: " ".join(str(invoice) for invoice, _step in row.items)),
]  # fmt: skip


def hold(request: StaffRequest, pk: int) -> HttpResponseBase:
    """Every message the batch would send: to whom, about which invoices, by which step."""
    batch = get_object_or_404(Hold.objects.select_related("company"), pk=pk)
    waiting = held_messages(batch) if batch.ended_at is None else []
    rows = sorted(rows_of(waiting), key=lambda row: row.client.name if row.client else "")
    if wants_csv(request):
        return as_csv("held-messages", COLUMNS, rows)
    context = {
        "hold": batch, "page": page_of(request, rows), "count": len(rows), "on": today(batch.company, request.desk.now),
        "sums": sums_in(rows), "nobody": sum(not row.to_addr for row in rows), "steps": steps_in(rows),
    }  # fmt: skip
    return render(request, "dashboard/outbox/hold.html", context)


@require_POST
def release(request: StaffRequest, pk: int) -> HttpResponse:
    """Let a batch go, once a person has looked at it and its count is still the one they saw."""
    batch = get_object_or_404(Hold, pk=pk)
    with refusals_said(request):
        _check_looked(request, batch)
        count = release_hold(batch, by=request.user, now=request.desk.now)
        said = ngettext(
            "%(n)d message released; it leaves in its client's window.",
            "%(n)d messages released; each leaves in its client's window.", count,
        )  # fmt: skip
        messages.success(request, said % {"n": count} if count else _("Released: messages leave again from now on."))
    return redirect("dashboard:outbox_hold", pk)


@require_POST
def discard(request: StaffRequest, pk: int) -> HttpResponse:
    """Throw a batch away, once a person has looked at it and its count is still the one they saw."""
    batch = get_object_or_404(Hold, pk=pk)
    with refusals_said(request):
        _check_looked(request, batch)
        count = discard_hold(batch, by=request.user)
        said = ngettext("%(n)d message discarded.", "%(n)d messages discarded.", count)
        messages.success(request, said % {"n": count})
    return redirect("dashboard:outbox_hold", pk)


def _check_looked(request: StaffRequest, batch: Hold) -> None:
    """Nobody decides about messages they have not seen. Refused without the tick, or where the batch has changed."""
    if request.POST.get("looked") != "yes":
        raise Refused(_("Tick that you have looked at the messages; nothing was done."), where="looked")
    count = len(held_messages(batch))
    if batch.ended_at is None and request.POST.get("count") != str(count):
        raise Refused(
            _("Meanwhile the batch has %(n)d messages. Look at them and decide again; nothing was done.") % {"n": count}
        )


def sums_in(rows: list[Row]) -> list[tuple[str, Decimal]]:
    """What the messages ask for as it stands now, per currency."""
    owed: dict[str, dict[int, Decimal]] = defaultdict(dict)
    for row in rows:
        for invoice, _step in row.items:
            owed[invoice.currency][invoice.pk] = invoice.balance
    return [(currency, sum(items.values(), Decimal(0))) for currency, items in sorted(owed.items())]


def steps_in(rows: list[Row]) -> list[tuple[str, int]]:
    """How many invoices are served with each step, the most first."""
    counted: dict[str, Any] = defaultdict(int)
    for row in rows:
        for _invoice, step in row.items:
            counted[step] += 1
    return sorted(counted.items(), key=lambda pair: -pair[1])
