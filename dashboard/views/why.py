"""«Why / why not»: the decision about one client on any day, guard by guard; looking changes nothing."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from dashboard.desk import StaffRequest
from dashboard.reports.why import why_of

from .client_head import client_at, head_of


def client_why(request: StaffRequest, pk: int) -> HttpResponse:
    """The panel of the client's file on a page of its own, for a day in the past or the future."""
    client, today = client_at(request, pk)
    asked, refused = request.GET.get("on", ""), ""
    on = today
    if asked:
        try:
            on = parse_date(asked) or today
        except ValueError:
            on = today
        if on == today and asked != today.isoformat():
            refused = _("Choose a day of the calendar, such as 2026-04-15.")
    context = {**head_of(request, client, today, "client"), "why": why_of(client, on), "asked": on, "refused": refused}
    return render(request, "dashboard/client/why.html", context, status=422 if refused else 200)
