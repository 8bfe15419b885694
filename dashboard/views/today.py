"""Today: whom to call, how the book stands, what happened last."""

from __future__ import annotations

from typing import Any

from django.contrib.humanize.templatetags.humanize import apnumber
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.desk import StaffRequest, row_number
from dashboard.feed import entries
from dashboard.lists import wants_csv
from dashboard.reports.calls import Done, Queue, done_on, queue_of
from dashboard.reports.today import ages, beside, cash, kpis
from dashboard.reports.upcoming import next_reminders
from dashboard.templatetags.ledger import day
from policies.models import Policy
from reports.exports import today_csv
from reports.figures import Standing, Today, today_figures
from reports.timeline import FEED, latest

from .collections import finished, keep_call, rules, with_forms

CALLS = 5
ALL = 100


def today(request: StaffRequest) -> HttpResponseBase:
    """The first page of the day; the call logged in its queue is kept here too."""
    desk = request.desk
    if wants_csv(request):
        return _as_file(today_figures(desk.company, desk.on))
    found = queue_of(desk.company, desk.on, desk.now)
    refused = None
    if request.method == "POST":
        answer = keep_call(request, found)
        if isinstance(answer, HttpResponse):
            return answer
        refused = answer
    shown = _shown(request, found, refused)
    policy = with_forms(request, shown, refused)
    figures = today_figures(desk.company, desk.on)
    standing = chosen(figures.standings, request.GET.get("currency", ""))
    done = done_on(desk.company, desk.on)
    context = {
        "heading": heading(found), "found": found, "calls": shown, "done": done, "figures": figures,
        "standing": standing, "as_of": desk.now.astimezone(desk.company.zone).strftime("%H:%M"),
        "activity": entries(latest(desk.company, ALL if request.GET.get("activity") else FEED)),
        "finished": None if shown else _nothing_left(request, done, policy),
    }  # fmt: skip
    if standing is not None:
        context |= {"kpis": kpis(figures, standing), "ages": ages(standing), "beside": beside(standing)}
        context["cash"] = cash(standing)
    return render(request, "dashboard/today.html", context | rules(request, policy), status=422 if refused else 200)


def heading(found: Queue) -> str:
    """How many calls there are to make, in words up to nine."""
    n = len(found.in_order)
    if not n:
        return _("Nothing to chase today")
    words = {"n": capfirst(str(apnumber(n)))}
    return ngettext("%(n)s call to make today", "%(n)s calls to make today", n) % words


def _shown(request: StaffRequest, found: Queue, refused: Any) -> list[Any]:
    """The first calls; the one whose form is open comes along wherever it stands."""
    shown = found.in_order[:CALLS]
    asked = request.GET.get("log", "")
    opened = refused or found.of(row_number(asked))
    return shown if opened is None or opened in shown else [opened, *shown[: CALLS - 1]]


def _nothing_left(request: StaffRequest, done: Done, policy: Policy | None) -> dict[str, str]:
    desk = request.desk
    said = finished(done)["title"] if done.calls else _("Nothing to chase today.")
    leaving = next_reminders(desk.company, desk.on) if policy else None
    if leaving is None:
        return {"title": said, "text": _("No reminder is due within the next ten days.")}
    when = {"n": leaving.reminders, "day": day(leaving.on, "full")}
    if leaving.reminders is None:
        return {"title": said, "text": _("Next step: what is due then is planned on %(day)s.") % when}
    one, more = _("Next step: %(n)d reminder leaves on %(day)s."), _("Next step: %(n)d reminders leave on %(day)s.")
    if leaving.on == desk.on:
        one, more = _("Next step: %(n)d reminder leaves today."), _("Next step: %(n)d reminders leave today.")
    return {"title": said, "text": (one if leaving.reminders == 1 else more) % when}


def chosen(standings: list[Standing], currency: str) -> Standing | None:
    """The figures of the currency asked for; of the company's own where none is, nothing for an empty book."""
    return next((one for one in standings if one.currency == currency), standings[0] if standings else None)


def _as_file(figures: Today) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(("\ufeff", *today_csv(figures)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="today-{figures.on}.csv"'
    return answer
