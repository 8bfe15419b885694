"""The call queue: whom to call, in order of the money at risk, and what came of each call."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render

from ar_collections.models import Task
from dashboard.desk import StaffRequest
from dashboard.lists import Column, as_csv, page_of, wants_csv

COLUMNS = [
    Column("client", lambda task: task.client.name), Column("kind", lambda task: task.get_kind_display()),
    Column("reason", lambda task: task.because), Column("due", lambda task: task.due_on),
    Column("owner", lambda task: task.owner),
]  # fmt: skip


def collections(request: StaffRequest) -> HttpResponse:
    """What is to be done today, by client."""
    on = request.desk.on
    due = Q(snoozed_until=None) | Q(snoozed_until__lte=on)
    tasks = Task.objects.filter(due, company=request.desk.company, closed_on=None, due_on__lte=on)
    tasks = tasks.select_related("client", "invoice", "owner").order_by("low_priority", "due_on", "pk")
    if wants_csv(request):
        return as_csv("call-queue", COLUMNS, tasks.iterator())
    return render(request, "dashboard/collections/queue.html", {"page": page_of(request, tasks)})
