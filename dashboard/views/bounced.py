"""Bounces: who cannot be reached by mail, since when and in whose words; and writing to an address again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.models import Contact
from clients.services import clear_bounce
from dashboard.desk import StaffRequest, back, refusals_said
from dashboard.lists import Column, as_csv, page_of, wants_csv
from dashboard.reports.bounced import bounced_of, dead_of, in_windows

COLUMNS = [
    Column("client number", lambda row: row.contact.client.number),
    Column("client", lambda row: row.contact.client.name),
    Column("contact", lambda row: row.contact.name), Column("role", lambda row: row.contact.role),
    Column("address", lambda row: row.contact.email),
    Column("not reachable since", lambda row: row.contact.bounced_at.isoformat(timespec="seconds")),
    Column("words", lambda row: row.contact.bounced_because),
    Column("last message", lambda row: row.message and row.message.subject),
    Column("last message came back", lambda row: row.message and row.message.delivery_at.isoformat(timespec="seconds")),
    Column("written to instead", lambda row: row.instead and row.instead.email),
]  # fmt: skip


def bounced(request: StaffRequest) -> HttpResponseBase:
    """Every address from which mail came back and that nobody has corrected."""
    wanted = request.GET.get("q", "").strip()
    rows = bounced_of(request.desk.company, wanted)
    if wants_csv(request):
        return as_csv("bounces", COLUMNS, in_windows(rows))
    page = page_of(request, rows)
    context = {"page": page, "rows": dead_of(page), "q": wanted, "any": bool(wanted) or bool(page.paginator.count)}
    return render(request, "dashboard/outbox/bounced.html", context)


@require_POST
def again(request: StaffRequest, pk: int) -> HttpResponse:
    """The address is right after all: mail goes to it again."""
    contact = get_object_or_404(Contact, pk=pk)
    with refusals_said(request):
        clear_bounce(contact, by=request.user)
        messages.success(request, _("%(email)s is written to again.") % {"email": contact.email})
    return back(request, "dashboard:client", contact.client_id)
