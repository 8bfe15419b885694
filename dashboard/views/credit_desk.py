"""Credit: what waits for a person, tab by tab, each with its file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from ar_collections.models import Greeting
from ar_collections.services.greeting import greet_after_all, leave_out
from ar_collections.services.terms_sending import send_terms_to_all
from clients.credit_gate import percent_used
from clients.models import Client, Contact
from core.money import plain
from dashboard.desk import StaffRequest, refusals_said, row_number
from dashboard.lists import Column, as_csv, page_of, wants_csv
from dashboard.reports.credit_desk import LISTS, TABS, counts_of, greetings_of, proposals_of, spendable
from invoices.services.exposure import Credit, credits_of
from policies.models import Occasion

from .client_head import rights_of

LABELS = {
    "proposals": gettext_lazy("Proposals"), "near": gettext_lazy("Near the limit"),
    "restricted": gettext_lazy("Cash only"), "unlimited": gettext_lazy("No limit"),
    "checks": gettext_lazy("Checks ending"), "terms": gettext_lazy("Terms open"),
    "greetings": gettext_lazy("Greetings next"),
}  # fmt: skip
PROPOSAL_COLUMNS = [
    Column("client number", lambda p: p.client.number), Column("client", lambda p: p.client.name),
    Column("currency", lambda p: p.currency), Column("risk", lambda p: p.risk),
    Column("limit", lambda p: "" if p.current is None else plain(p.current, p.currency)),
    Column("proposed", lambda p: plain(p.proposed, p.currency)), Column("as of", lambda p: p.as_of),
    Column("reasons", lambda p: "; ".join(str(reason.get("says", reason["code"])) for reason in p.reasons)),
]  # fmt: skip
GREETING_COLUMNS = [
    Column("leaves on", lambda g: g.span.first), Column("occasion", lambda g: g.label),
    Column("falls on", lambda g: g.span.falls_on), Column("client number", lambda g: g.client.number),
    Column("client", lambda g: g.client.name), Column("contact", lambda g: g.contact),
    Column("state", lambda g: g.state), Column("reasons", lambda g: "; ".join(map(str, g.reasons))),
]  # fmt: skip
CREDIT_COLUMNS = [
    Column("number", lambda row: row[0].number), Column("name", lambda row: row[0].name),
    Column("country", lambda row: row[0].country), Column("currency", lambda row: row[0].currency),
    Column("status", lambda row: row[1].status.status if row[1].status else "open"),
    Column("limit", lambda row: plain(row[1].limit.amount, row[0].currency) if row[1].limit else ""),
    Column("exposure", lambda row: plain(row[1].exposure.total, row[0].currency)),
    Column("available", lambda row: spendable(row[1], row[0].currency)),
    Column("check valid until", lambda row: getattr(row[0], "valid_until", None)),
]  # fmt: skip


def credit_desk(request: StaffRequest) -> HttpResponseBase:
    """One list at a time; the first that holds something where none is asked for."""
    company, on = request.desk.company, request.desk.on
    counts = counts_of(company, on)
    asked = request.GET.get("tab", "")
    tab = asked if asked in TABS else next((name for name in TABS if counts[name]), "proposals")
    rows: Any = (
        proposals_of(company) if tab == "proposals" else greetings_of(company, on) if tab == "greetings"
        else LISTS[tab](company, on)
    )  # fmt: skip
    if wants_csv(request):
        return _as_file(tab, rows, on)
    page = page_of(request, rows)
    context = {
        "tab": tab, "page": page, "rights": rights_of(request), "counts": counts,
        "tabs": [
            {"label": LABELS[name], "url": f"?tab={name}", "count": counts[name], "current": name == tab}
            for name in TABS
        ],
    }  # fmt: skip
    if tab in LISTS:
        context["rows"] = with_credit(list(page.object_list), on)
    return render(request, "dashboard/credit/desk.html", context)


def with_credit(clients: Sequence[Client], on: dt.date) -> list[tuple[Client, Credit, int | None]]:
    """Each client with how it stands and the percentage of its limit in use; four queries for all of them."""
    found = credits_of(clients, on)
    return [(client, found[client.pk], _percent(found[client.pk])) for client in clients]


def _percent(credit: Credit) -> int | None:
    return None if credit.limit is None else percent_used(credit.limit.amount, credit.exposure.total)


def _as_file(tab: str, rows: Any, on: dt.date) -> HttpResponseBase:
    if tab in ("proposals", "greetings"):
        return as_csv(f"credit-{tab}", PROPOSAL_COLUMNS if tab == "proposals" else GREETING_COLUMNS, rows)
    return as_csv(f"credit-{tab}", CREDIT_COLUMNS, with_credit(list(rows), on))


@require_POST
def terms_send_all(request: StaffRequest) -> HttpResponse:
    """Mail the terms to everybody who neither accepted them nor was sent them."""
    with refusals_said(request):
        sent = send_terms_to_all(request.desk.company, on=request.desk.on, by=request.user)
        n = len(sent.messages)
        words = ngettext("The terms leave for %(n)d client.", "The terms leave for %(n)d clients.", n) % {"n": n}
        messages.success(request, words)
        if sent.left_out:
            why = "; ".join(f"{client}: {reason}" for client, reason in sent.left_out[:5])
            messages.warning(request, _("Not sent: %(why)s") % {"why": why})
    return redirect(f"{reverse('dashboard:credit')}?tab=terms")


@require_POST
def greeting_leave_out(request: StaffRequest) -> HttpResponse:
    """Do not greet a person on one occasion of a year; the notice carries the way back."""
    company = request.desk.company
    contact = get_object_or_404(Contact, pk=_number(request, "contact"), client__company=company)
    occasion = get_object_or_404(Occasion, pk=_number(request, "occasion"), company=company)
    with refusals_said(request):
        greeting = leave_out(
            contact, occasion, _number(request, "year"), because=request.POST.get("because", ""), on=request.desk.on,
            by=request.user,
        )  # fmt: skip
        undo = reverse("dashboard:greeting_restore", args=[greeting.pk])
        facts = {"name": contact.name, "occasion": occasion}
        messages.success(
            request, _("%(name)s is not greeted for %(occasion)s.") % facts, extra_tags=f"undo:{undo}"
        )  # fmt: skip
    return redirect(f"{reverse('dashboard:credit')}?tab=greetings")


@require_POST
def greeting_restore(request: StaffRequest, pk: int) -> HttpResponse:
    """Greet after all."""
    greeting = get_object_or_404(Greeting, pk=pk)
    with refusals_said(request):
        greet_after_all(greeting, by=request.user)
        messages.success(request, _("The greeting goes again."))
    return redirect(f"{reverse('dashboard:credit')}?tab=greetings")


def _number(request: StaffRequest, name: str) -> int:
    return row_number(request.POST.get(name, ""))
