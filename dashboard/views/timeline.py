"""The timeline of a client: all that ever happened, narrowed by kind and by day, and the same as a CSV file."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy

from dashboard.desk import StaffRequest
from dashboard.feed import entries
from dashboard.lists import Column, as_csv, page_of, wants_csv
from reports.timeline import Happening, client_timeline

from .client_head import client_at, head_of

EVERYTHING = 10_000
KINDS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "all": (gettext_lazy("everything"), ()),
    "talk": (gettext_lazy("talks and notes"), ("call", "conversation", "note")),
    "mail": (gettext_lazy("mails and page views"), ("mail", "view")),
    "money": (gettext_lazy("invoices and payments"), ("payment", "invoice", "credit_note", "charge", "work")),
    "agreed": (gettext_lazy("promises, pauses, disputes"), ("promise", "pause", "dispute", "extension")),
    "steps": (gettext_lazy("stages and tasks"), ("stage", "task")),
    "credit": (gettext_lazy("credit"), ("check", "decision", "limit", "status", "exception", "mark", "terms")),
    "file": (gettext_lazy("file"), ("document", "greeting", "data")),
}
COLUMNS = [
    Column("on", lambda h: h.on), Column("at", lambda h: localtime(h.at).isoformat(timespec="seconds")),
    Column("kind", lambda h: h.kind), Column("what", lambda h: h.text), Column("words", lambda h: h.quote),
    Column("note", lambda h: h.note),
]  # fmt: skip


def client_timeline_page(request: StaffRequest, pk: int) -> HttpResponseBase:
    """What happened, the latest first; the file holds what the filter shows, all of it."""
    client, on = client_at(request, pk)
    kind = request.GET.get("kind", "all")
    kind = kind if kind in KINDS else "all"
    since, until = _day(request, "from"), _day(request, "until")
    happened = narrowed(client_timeline(client, EVERYTHING), kind, since, until)
    if wants_csv(request):
        return as_csv(f"timeline-{client.number}-{kind}", COLUMNS, happened)
    page = page_of(request, happened)
    context = head_of(request, client, on, "client_timeline") | {
        "page": page, "timeline": entries(page.object_list, named=False), "kind": kind, "since": since,
        "until": until, "kinds": [(key, label) for key, (label, _kinds) in KINDS.items()],
        "narrowed": kind != "all" or since or until,
    }  # fmt: skip
    return render(request, "dashboard/client/timeline.html", context)


def narrowed(
    happened: list[Happening], kind: str, since: dt.date | None, until: dt.date | None
) -> list[Happening]:
    """Those of a kind, on or between two days."""
    kinds = KINDS[kind][1]
    first, last = since or dt.date.min, until or dt.date.max
    return [one for one in happened if first <= one.on <= last and (not kinds or one.kind in kinds)]


def _day(request: StaffRequest, name: str) -> dt.date | None:
    """The day a filter names; none where what stands there is no day."""
    try:
        return parse_date(request.GET.get(name, ""))
    except ValueError:
        return None
