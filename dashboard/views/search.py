"""Search: clients, invoices, amounts, telephone numbers and references in one field."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dashboard.desk import StaffRequest
from dashboard.lists import Column, as_csv, wants_csv
from reports.search import Found
from reports.search import search as find

PAGES = {"client": "dashboard:client", "invoice": "dashboard:invoice", "payment": "dashboard:payment"}
KINDS = {"client": (_("Clients"), "users"), "invoice": (_("Invoices"), "file-invoice"),
         "payment": (_("Payments"), "cash-banknote")}  # fmt: skip


COLUMNS = [
    Column("kind", lambda hit: hit.kind), Column("hit", lambda hit: hit.title),
    Column("detail", lambda hit: hit.detail), Column("address", lambda hit: _page_of(hit)),
]  # fmt: skip


def search(request: StaffRequest) -> HttpResponseBase:
    """What the words lead to, by kind; straight to it where there is only one."""
    words = request.GET.get("q", "").strip()
    hits = find(request.desk.company, words)
    if wants_csv(request):
        return as_csv("search", COLUMNS, hits)
    if len(hits) == 1:
        return redirect(_page_of(hits[0]))
    groups = [
        {"label": label, "icon": icon, "hits": [(hit, _page_of(hit)) for hit in hits if hit.kind == kind]}
        for kind, (label, icon) in KINDS.items()
    ]
    context = {"q": words, "groups": [group for group in groups if group["hits"]], "count": len(hits)}
    return render(request, "dashboard/search.html", context)


def _page_of(hit: Found) -> str:
    return reverse(PAGES[hit.kind], args=[hit.pk])
