"""The outbox: what waits, what was sent and what became of it; batches that wait for a person."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from dashboard.desk import StaffRequest
from dashboard.lists import page_of
from outbox.models import Message


def outbox(request: StaffRequest) -> HttpResponse:
    """Every message by its state."""
    return render(request, "dashboard/outbox/list.html", {"page": page_of(request, Message.objects.all())})
