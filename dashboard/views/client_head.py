"""What every page of a client has above it: who it is, how far it is trusted, and the way to the other pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from ar_collections.models import Pause
from ar_collections.services.stages import stage_of
from clients.models import Client
from core.permissions import may
from core.services import today
from dashboard.desk import StaffRequest
from dashboard.reports.clients import File
from dashboard.reports.credit import Trust, trust_in

RIGHTS = {
    "set_limit": "clients.set_limit", "set_status": "clients.set_status", "override": "clients.grant_override",
    "decide": "clients.override_decision", "delivered": "clients.invoice_delivered",
}  # fmt: skip


def client_at(request: StaffRequest, pk: int) -> tuple[Client, dt.date]:
    """The client, and the date at its company."""
    client = get_object_or_404(Client.objects.select_related("company", "terms", "owner"), pk=pk)
    return client, today(client.company, request.desk.now)


def head_of(
    request: StaffRequest, client: Client, on: dt.date, page: str, trust: Trust | None = None, file: File | None = None
) -> dict[str, Any]:
    """The context of the head; ``page`` is the one that is open, what was read already comes along."""
    stage = file.stage if file else stage_of(client)
    paused = bool(file.pauses) if file else Pause.objects.running_on(on).filter(client=client).exists()
    trust = trust or trust_in(client, on)
    return {
        "client": client, "on": on, "stage": stage, "trust": trust, "rights": rights_of(request),
        "is_paused": paused,
        "local_now": f"{request.desk.now.astimezone(client.zone):%H:%M}",
        "pages": [
            {"label": label, "url": reverse(f"dashboard:{name}", args=[client.pk]), "current": name == page}
            for name, label in (
                ("client", _("On the telephone")), ("client_credit", _("Credit")), ("client_about", _("File")),
                ("client_timeline", _("Timeline")),
            )
        ],
    }  # fmt: skip


def rights_of(request: StaffRequest) -> dict[str, bool]:
    """What the person at the desk may do about credit; the verbs refuse anyway."""
    return {name: may(request.user, permission) for name, permission in RIGHTS.items()}


def crumbs_to(client: Client, page: str = "client") -> list[tuple[str, str]]:
    """The way to a page below a client's file."""
    return [(_("Clients"), reverse("dashboard:clients")), (client.name, reverse(f"dashboard:{page}", args=[client.pk]))]
