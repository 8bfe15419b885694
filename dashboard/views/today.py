"""Today: what there is to do, and how the book stands."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from dashboard.desk import StaffRequest


def today(request: StaffRequest) -> HttpResponse:
    """The first page of the day."""
    return render(request, "dashboard/today.html")
