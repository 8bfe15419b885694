"""Reminders that want a person's approval before they leave: one by one, or all that were looked at."""

from __future__ import annotations

import hashlib

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ar_collections.services.approving import approve, refuse, waiting_for_approval
from core.errors import Refused
from dashboard.desk import StaffRequest, refusals_said, row_number
from dashboard.lists import as_csv, page_of, wants_csv
from dashboard.reports.outbox import rows_of
from outbox.models import Message

from .holds import COLUMNS, steps_in, sums_in


def approvals(request: StaffRequest) -> HttpResponseBase:
    """Everything that waits for approval, with whom it is for, what it asks for, and its words at a click."""
    waiting = waiting_for_approval(request.desk.company)
    if request.method == "POST":
        return _decide(request, waiting)
    rows = sorted(rows_of(waiting), key=lambda row: (row.message.on, row.client.name if row.client else ""))
    if wants_csv(request):
        return as_csv("waiting-for-approval", COLUMNS, rows)
    context = {"page": page_of(request, rows), "count": len(rows), "sums": sums_in(rows), "steps": steps_in(rows)}
    context["seen"] = _seen(waiting)
    return render(request, "dashboard/outbox/approvals.html", context)


def _decide(request: StaffRequest, waiting: list[Message]) -> HttpResponse:
    """Approve or discard what was ticked; all of it only where it is still what was seen."""
    with refusals_said(request):
        chosen = _chosen(request, waiting)
        if request.POST.get("do") == "discard":
            n = refuse(chosen, by=request.user)
            messages.success(request, ngettext("%(n)d message discarded.", "%(n)d messages discarded.", n) % {"n": n})
        elif request.POST.get("do") == "approve":
            n = approve(chosen, by=request.user, now=request.desk.now)
            said = ngettext(
                "%(n)d message approved; it leaves in its client's window.",
                "%(n)d messages approved; each leaves in its client's window.", n,
            )  # fmt: skip
            messages.success(request, said % {"n": n})
    return redirect("dashboard:approvals")


def _seen(waiting: list[Message]) -> str:
    """How many wait and which: one that came while another was decided on is not taken for it."""
    numbers = ",".join(str(message.pk) for message in sorted(waiting, key=lambda message: message.pk))
    return f"{len(waiting)}:{hashlib.sha256(numbers.encode()).hexdigest()[:16]}"


def _chosen(request: StaffRequest, waiting: list[Message]) -> list[Message]:
    if request.POST.get("which") == "all":
        if request.POST.get("looked") != "yes":
            raise Refused(_("Tick that you have looked at the messages; nothing was done."), where="looked")
        if request.POST.get("seen") != _seen(waiting):
            raise Refused(
                _("Meanwhile %(n)d messages wait. Look at them and decide again; nothing was done.")
                % {"n": len(waiting)}
            )
        return waiting
    ticked = {row_number(pk) for pk in request.POST.getlist("pk")}
    if not ticked:
        raise Refused(_("Tick the messages you mean; nothing was done."), where="pk")
    if not ticked <= {message.pk for message in waiting}:
        raise Refused(_("One of these messages was already decided on; load the page again. Nothing was done."))
    return [message for message in waiting if message.pk in ticked]
