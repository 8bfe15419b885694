"""The call queue: whom to call, in order of the money at risk, and what came of each call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Page
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from ar_collections.models import ContactLog, Task
from ar_collections.reports import QueueRow
from ar_collections.services.calling import log_call
from ar_collections.services.mistaken_calls import before_call, is_new, undo_call
from clients.models import Client
from core.dates import in_window
from core.errors import Refused
from core.money import plain
from core.services import today
from dashboard.desk import StaffRequest, back, refusals_on, refusals_said, row_number
from dashboard.forms.calls import CallForm
from dashboard.lists import Column, as_csv, page_of, wants_csv
from dashboard.reports.calls import Call, Done, Queue, done_on, prepare, queue_of
from dashboard.templatetags.ledger import about
from policies.models import Policy
from policies.services import policy_of

ROWS = 15
UNDO = "call_undo"  # in the session: the call logged last, and what stood before it
DAY = dt.timedelta(days=1)


def collections(request: StaffRequest) -> HttpResponseBase:
    """Everybody to call today and what else is on the desk; a call is logged here, a refusal keeps what was typed."""
    desk, narrowed = request.desk, narrowing(request)
    found = queue_of(desk.company, desk.on, desk.now, narrowed=narrowed)
    if wants_csv(request):
        return as_csv("call-queue", COLUMNS, lines_of(found))
    refused = None
    if request.method == "POST":
        answer = keep_call(request, found)
        if isinstance(answer, HttpResponse):
            return answer
        refused = answer
    page = _page(request, [*found.in_order, *found.others], refused)
    policy = with_forms(request, list(page), refused)
    done = done_on(desk.company, desk.on)
    context = {
        "page": page, "found": found, "done": done, "narrowed": bool(narrowed), "finished": finished(done),
        "calls": [call for call in page if call.is_call and not call.is_small],
        "small": [call for call in page if call.is_call and call.is_small],
        "others": [call for call in page if not call.is_call],
        "kinds": Task.KINDS, "staff": User.objects.filter(is_staff=True, is_active=True).order_by("first_name"),
    }  # fmt: skip
    return render(
        request, "dashboard/collections/queue.html", context | rules(request, policy), status=422 if refused else 200
    )


def finished(done: Done) -> dict[str, str]:
    """What an empty queue says: what was done today, or that nothing was to be done."""
    if not done.calls:
        return {
            "title": _("Nobody to call today"),
            "text": _("The night puts clients on this list as their invoices reach the next call."),
        }
    said = ngettext("Queue done: %(n)d call", "Queue done: %(n)d calls", done.calls) % {"n": done.calls}
    sums = " · ".join(about(amount, currency) for currency, amount in sorted(done.promised.items()))
    promised = _(", %(sums)s promised") % {"sums": sums} if sums else ""
    return {"title": f"{said}{promised}.", "text": _("What comes back on a later day will stand here then.")}


def narrowing(request: StaffRequest) -> Q:
    """Which tasks the address asks for: an owner («me», «none» or a colleague), a reason."""
    owner, kind = request.GET.get("owner", ""), request.GET.get("kind", "")
    wanted = Q()
    if owner in ("me", "none") or owner.isdecimal():
        wanted &= Q(owner=None if owner == "none" else request.user.pk if owner == "me" else row_number(owner))
    return wanted & Q(kind=kind) if kind in dict(Task.KINDS) else wanted


def keep_call(request: StaffRequest, found: Queue) -> HttpResponseRedirect | Call:
    """Keep the call that was logged in a queue and go to the next; or the call again, with why it was refused."""
    desk, listed = request.desk, found.of(_number(request.POST.get("client")))
    call = listed or Call(_client(request))
    prepare([call])
    form = CallForm(request.POST, client_id=call.client.pk, people=call.people, invoices=call.invoices, on=desk.on)
    if form.is_valid():
        with refusals_on(form):
            facts = form.facts()
            before = before_call(call.client, desk.on)
            entry = log_call(
                call.client, tasks=call.tasks, happened_at=desk.now, on=desk.on, by=request.user, **facts
            )
            what = {"client": call.client, "outcome": entry.get_outcome_display()}
            if (request.session.get(UNDO) or {}).get("entry") != entry.pk:  # a form sent twice changed nothing more
                request.session[UNDO] = {"entry": entry.pk, "before": before}
            undo = reverse("dashboard:call_undo", args=[entry.pk])
            said = _("%(client)s: %(outcome)s. Kept on the file.") % what
            messages.success(request, said, extra_tags=f"undo:{undo}" if is_new(entry, desk.now) else "")
            if not listed:
                _say_who_was_first(request, entry)
            stays = listed and (facts.get("right_person") or {}).get("phone")
            return _on_to(request, listed if stays else found.after(listed))
    call.form, call.is_open = form, True
    return call


@require_POST
def call_undo(request: StaffRequest, pk: int) -> HttpResponse:
    """Take back the call this person logged seconds ago, with all it brought."""
    entry = get_object_or_404(ContactLog.objects.select_related("client__company"), pk=pk)
    logged = request.session.get(UNDO) or {}
    with refusals_said(request):
        if logged.get("entry") != pk:
            raise Refused(_("Only the call you logged last can be undone."), code="another")
        on = today(entry.client.company, request.desk.now)
        undo_call(entry, logged["before"], on=on, now=request.desk.now, by=request.user)
        messages.warning(request, _("Undone: %(client)s is on the list again.") % {"client": entry.client})
    return back(request, "dashboard:collections")


def with_forms(request: StaffRequest, shown: list[Call], refused: Call | None = None) -> Policy | None:
    """A form for each call on the page, the one the address names in ``log`` open; answers with the policy in force."""
    desk, policy = request.desk, _policy(request)
    meant = "" if refused else request.GET.get("log", "")
    prepare(call for call in shown if call is not refused)
    for call in shown:
        if policy and call.first:
            there = call.first.local_time
            call.out_of_hours = not in_window(there, policy.window_opens, policy.window_closes)
        if call.is_call and call is not refused:
            people, invoices = call.people, call.invoices
            call.form = CallForm(client_id=call.client.pk, people=people, invoices=invoices, on=desk.on)
            call.is_open = str(call.client.pk) == meant
            if call.is_open:
                call.form.fields["outcome"].widget.attrs["autofocus"] = True
    return policy


def rules(request: StaffRequest, policy: Policy | None) -> dict[str, Any]:
    """What the sentences under a log form are true to: the policy in force, and tomorrow."""
    desk, pause = request.desk, policy.claim_pause_days if policy else 0
    return {"policy": policy, "tomorrow": desk.on + DAY, "claim_until": desk.on + pause * DAY}


def _policy(request: StaffRequest) -> Policy | None:
    try:
        return policy_of(request.desk.company, request.desk.on)
    except Refused:
        return None


def _page(request: StaffRequest, every: list[Call], refused: Call | None) -> Page[Any]:
    """The page asked for; where a form is to be open, the page it stands on."""
    if refused is not None and refused not in every:
        every.insert(0, refused)
    meant = refused.client.pk if refused else _number(request.GET.get("log"))
    at = next((n for n, call in enumerate(every) if call.is_call and call.client.pk == meant), None)
    page: Page[Any] = page_of(request, every, ROWS)
    return page if at is None else page.paginator.page(at // ROWS + 1)


def _client(request: StaffRequest) -> Client:
    mine = Client.objects.filter(company=request.desk.company).select_related("company")
    return get_object_or_404(mine, pk=_number(request.POST.get("client")))


def _on_to(request: StaffRequest, call: Call | None) -> HttpResponseRedirect:
    """The same list again, the next form open."""
    query = request.GET.copy()
    query.pop("log", None)
    if call is not None:
        query["log"] = str(call.client.pk)
    # Without «#row»: a browser leaves autofocus alone where the address names a place on the page.
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}" if query else request.path)


def _say_who_was_first(request: StaffRequest, entry: ContactLog) -> None:
    """The client was off the list when the call was saved: where a colleague did that today, name them."""
    other = ContactLog.objects.filter(client=entry.client_id).exclude(logged_by=entry.logged_by).first()
    if other is not None and other.logged_at.astimezone(request.desk.company.zone).date() == request.desk.on:
        at = f"{other.logged_at.astimezone(request.desk.company.zone):%H:%M}"
        said = {"who": other.logged_by, "client": entry.client, "time": at}
        messages.warning(request, _("%(who)s logged a contact with %(client)s at %(time)s; yours is kept too.") % said)


def _number(text: str | None) -> int:
    return row_number(text or "")


def lines_of(found: Queue) -> Iterator[Line]:
    """The queue as a file has it: a line per task and currency."""
    for call in [*found.in_order, *found.others]:
        for row in call.rows:
            for currency, amount in call.overdue or [("", Decimal(0))]:
                yield Line(row, currency, plain(amount, currency) if currency else "")


@dataclass(frozen=True)
class Line:
    """A line of the file: a task, and what is overdue in one currency."""

    row: QueueRow
    currency: str
    overdue: str


COLUMNS = [
    Column("client", lambda line: line.row.client.name), Column("number", lambda line: line.row.client.number),
    Column("contact", lambda line: line.row.contact), Column("phone", lambda line: line.row.phone),
    Column("kind", lambda line: line.row.task.get_kind_display()), Column("reason", lambda line: line.row.reason),
    Column("overdue", lambda line: line.overdue), Column("currency", lambda line: line.currency),
    Column("days overdue", lambda line: line.row.days_overdue), Column("due", lambda line: line.row.task.due_on),
    Column("last touch", lambda line: line.row.last_touch.at.date() if line.row.last_touch else None),
    Column("stage", lambda line: line.row.task.stage), Column("owner", lambda line: line.row.task.owner),
    Column("low priority", lambda line: "yes" if line.row.task.low_priority else ""),
]  # fmt: skip
