"""Taking over open items and clients from somebody else's file: upload, columns, check, import, result."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from core.models import Job
from dashboard.desk import StaffRequest
from dashboard.lists import page_of

WORKS = ("import_open_items", "import_clients")


def imports(request: StaffRequest) -> HttpResponse:
    """Earlier imports, and the way to a new one."""
    jobs = Job.objects.filter(kind__in=WORKS).order_by("-id")
    return render(request, "dashboard/imports/list.html", {"page": page_of(request, jobs)})
