"""Search: clients, invoices, amounts, telephone numbers and references in one field."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from dashboard.desk import StaffRequest


def search(request: StaffRequest) -> HttpResponse:
    """What the words lead to."""
    return render(request, "dashboard/search.html", {"q": request.GET.get("q", "").strip()})
