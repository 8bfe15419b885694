"""What the demo book invoices again and again: a monthly care, a quarterly licence that rests, one day refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils import timezone

from clients.models import Client
from core.dates import add_months
from invoices.services.drafting import LineDraft
from invoices.services.recurring import Schedule, make_recurring, pause_recurring
from invoices.services.recurring_runs import run_recurring

CARE, LICENCE, ARCHIVE = "C-0102", "C-0111", "C-0112"


def today(clients: Mapping[str, Client], on: dt.date, *, by: Any) -> None:
    """Written this morning: the care comes today and every week, the archive is refused to a client on cash only."""
    vat = Decimal(19)
    care = LineDraft("Care of the route planner, {period}", Decimal(1), Decimal("180"), tax_percent=vat)
    _make(clients[CARE], Schedule("Route planner, weekly care", on, unit="week"), care, on, by)
    hosting = LineDraft("Hosting {month}", Decimal(1), Decimal("95"), tax_percent=vat)
    _make(clients[CARE], Schedule("Hosting", dt.date(on.year, 1, 31)), hosting, on, by)
    licence = LineDraft("Licence of the typeface, {quarter}", Decimal(1), Decimal("240"), tax_category="AE")
    resting = Schedule("Typeface licence", add_months(on.replace(day=1), 1), every=3)
    pause_recurring(_make(clients[LICENCE], resting, licence, on, by), at=timezone.now(), by=by)
    archive = LineDraft("Archive of films, {month}", Decimal(1), Decimal("60"), tax_percent=vat)
    _make(clients[ARCHIVE], Schedule("Film archive", on), archive, on, by)
    run_recurring(clients[CARE].company, send_from=timezone.now(), on=on, by="system")


def _make(client: Client, schedule: Schedule, line: LineDraft, on: dt.date, by: Any) -> Any:
    return make_recurring(client, schedule, [line], on=on, by=by)
