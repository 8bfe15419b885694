"""The outbox: what waits, what was sent and what became of it; each message as it is, and what a person may do."""

from __future__ import annotations

import datetime as dt
from typing import Any

from csp.decorators import csp_replace, csp_update
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from core.errors import Refused
from core.services import read_file, stored_path
from dashboard.desk import StaffRequest, back, refusals_said, row_number
from dashboard.downloads import download
from dashboard.lists import Column, as_csv, page_of, wants_csv
from dashboard.reports.outbox import (
    KINDS,
    TABS,
    Row,
    counts_of,
    eml_of,
    found,
    history_of,
    hold_of,
    in_windows,
    messages_of,
    repetitions_of,
    rows_of,
    under,
)
from invoices.printing import CouldNotPrint
from invoices.services.linking import only_looking
from invoices.services.sending import UNDO
from outbox.kinds import NothingToSay, kind_of
from outbox.models import Message
from outbox.services import cancel, pause_sending, paused_because, resolve_unknown, resume_sending, send_again, undo

PREVIEW = "outbox_preview"
_NOTHING = ["'none'"]
SHOWN_INLINE: dict[str, Any] = {
    **dict.fromkeys(["script-src", "font-src", "connect-src", "form-action"], _NOTHING), "sandbox": True,
    "style-src": ["'unsafe-inline'"], "img-src": ["data:"], "frame-ancestors": ["'self'"],
}  # fmt: skip  # a mail carries its own styles
SAFE_TYPES = ("application/pdf", "text/csv")

COLUMNS = [
    Column("created", lambda row: row.message.created_at.isoformat(timespec="seconds")),
    Column("state", lambda row: row.message.state), Column("kind", lambda row: row.kind),
    Column("step", lambda row: row.steps), Column("client number", lambda row: row.client and row.client.number),
    Column("client", lambda row: row.client and row.client.name), Column("to", lambda row: row.to_addr),
    Column("copy", lambda row: row.message.cc_addr), Column("subject", lambda row: row.message.subject),
    Column("invoices", lambda row: " ".join(str(invoice) for invoice, _step in row.items)),
    Column("not before", lambda row: row.message.not_before.isoformat(timespec="seconds")),
    Column("sent", lambda row: row.message.sent_at and row.message.sent_at.isoformat(timespec="seconds")),
    Column("attempts", lambda row: row.message.attempts), Column("server", lambda row: row.message.reply),
    Column("reason", lambda row: row.message.reason),
    Column("became", lambda row: row.message.delivery),
    Column("became at", lambda row: row.message.delivery_at and row.message.delivery_at.isoformat(timespec="seconds")),
    Column("provider", lambda row: row.message.delivery_said),
]  # fmt: skip


def outbox(request: StaffRequest) -> HttpResponseBase:
    """Every message, by its state; found by reader, client, subject or invoice number."""
    if request.method == "POST":
        return _act_on_many(request)
    everything = messages_of(request.desk.company, request.desk.companies)
    wanted, kind = request.GET.get("q", "").strip(), request.GET.get("kind", "")
    rows = found(everything, wanted) if wanted else everything
    if kind:
        rows = rows.filter(kind=kind)
    counts = counts_of(rows)
    tab = request.GET.get("state", "all")
    rows = under(rows, tab)
    if wants_csv(request):
        return as_csv("outbox", COLUMNS, in_windows(rows.order_by("-pk").iterator()))
    page = page_of(request, rows.order_by("-pk"))
    context = {
        "page": page, "rows": rows_of(page), "tabs": _tabs(request, counts, tab), "tab": tab, "q": wanted, "kind": kind,
        "paused": paused_because(), "kinds": KINDS, "filtered": bool(wanted or kind),
        "any": counts["all"] or everything.exists(),
    }  # fmt: skip
    return render(request, "dashboard/outbox/list.html", context)


@csp_update({"frame-src": ["'self'"]})  # type: ignore[arg-type]
def message(request: StaffRequest, pk: int) -> HttpResponse:
    """One message: what was or would be sent, to whom, what the server said, what happened, what can be done."""
    row = _row(pk)
    preview = None if row.is_written else _preview_of(request, pk)
    context = {
        "row": row, "message": row.message, "preview": preview, "history": history_of(row.message),
        "hold": hold_of(row.message), "again": repetitions_of(row.message), "eml": eml_of(row.message),
        "has_html": bool(row.message.html) or bool(preview and preview.get("html")),
        "can_undo": row.message.state == "pending" and row.message.not_before > request.desk.now,
        "paused": row.message.state == "pending" and paused_because(),
    }  # fmt: skip
    return render(request, "dashboard/outbox/message.html", context)


@xframe_options_sameorigin
@csp_replace(SHOWN_INLINE)  # type: ignore[arg-type]
def message_html(request: StaffRequest, pk: int) -> HttpResponse:
    """The HTML of a mail, alone on a page on which nothing runs and nothing is loaded."""
    letter = get_object_or_404(Message, pk=pk)
    html = letter.html_as_sent or (_preview_of(request, pk) or {}).get("html", "")
    if not html:
        raise Http404
    return HttpResponse(html, headers={"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"})


def attachment(request: StaffRequest, pk: int, number: int) -> HttpResponse:
    """An attachment as it was sent, to be saved; never shown in the browser under our address."""
    attached = get_object_or_404(Message, pk=pk).attachments
    if not 1 <= number <= len(attached):
        raise Http404
    meant = attached[number - 1]
    if not stored_path(meant["sha256"]).is_file():
        raise Http404(_("The file is no longer there; restore it from the backup."))
    kind = meant["media_type"] if meant["media_type"] in SAFE_TYPES else "application/octet-stream"
    return download(read_file(meant["sha256"]), meant["name"], kind)


def eml(request: StaffRequest, pk: int) -> HttpResponse:
    """The file a mail was written to where no mail server is configured."""
    path = eml_of(get_object_or_404(Message, pk=pk))
    if path is None:
        raise Http404
    return download(path.read_bytes(), path.name, "message/rfc822")


@require_POST
def write_preview(request: StaffRequest, pk: int) -> HttpResponse:
    """Write a message as it would leave at this moment, for the person who asks; nothing is sent or kept of it."""
    letter = get_object_or_404(Message, pk=pk)
    shown: dict[str, Any] = {"pk": pk, "at": request.desk.now.isoformat()}
    try:
        kind = kind_of(letter.kind)
        with only_looking():
            composed = kind.compose(letter, request.desk.now)
        shown |= {
            name: getattr(composed, name)
            for name in ("to_name", "to_addr", "cc_addr", "from_name", "reply_to", "subject", "text", "html")
        }
        shown["cc_addr"] = ", ".join(composed.copies)
        shown["attachments"] = [{"name": name, "size": len(content)} for name, _kind, content in composed.attachments]
        shown["but"] = kind.may_go(letter, request.desk.now)
    except NothingToSay as nothing:
        shown["nothing"] = str(nothing)
    except Refused as refused:
        shown["nothing"] = refused.message
    except CouldNotPrint as why:
        messages.error(request, _("The PDF could not be made: %(why)s Try again.") % {"why": why})
        return redirect("dashboard:outbox_message", pk)
    request.session[PREVIEW] = shown
    return redirect("dashboard:outbox_message", pk)


@require_POST
def act(request: StaffRequest, pk: int, do: str) -> HttpResponse:
    """Take back, send again, or say what became of a message that may have arrived."""
    letter = get_object_or_404(Message, pk=pk)
    looked_at = letter
    with refusals_said(request):
        looked_at, said = _do(request, letter, do)
        messages.success(request, said, extra_tags=_undo_of(looked_at) if do == "again" else "")
    return back(request, "dashboard:outbox_message", looked_at.pk)


@require_POST
def pause(request: StaffRequest) -> HttpResponse:
    """Nothing leaves until somebody resumes it; what is planned waits."""
    because = request.POST.get("because", "").strip()[:200]
    if not because:
        messages.error(request, _("Say why sending is paused, so that whoever comes next knows when to resume it."))
    elif pause_sending(because, at=request.desk.now, by=request.user):
        messages.success(request, _("Paused: nothing leaves until somebody resumes it."))
    return redirect("dashboard:outbox")


@require_POST
def resume(request: StaffRequest) -> HttpResponse:
    """Sending goes on after a pause."""
    if resume_sending(request.user):
        messages.success(request, _("Sending goes on; what waits leaves within seconds."))
    return back(request, "dashboard:outbox")


def _act_on_many(request: StaffRequest) -> HttpResponse:
    """Cancel or send again what was ticked; what the rules refuse is said, the rest is done."""
    do = request.POST.get("do", "")
    named = [pk for said in request.POST.getlist("pk") if (pk := row_number(said))]
    chosen = Message.objects.filter(pk__in=named).order_by("pk")
    done = 0
    for letter in chosen if do in ("cancel", "again") else ():
        with refusals_said(request):
            _do(request, letter, do)
            done += 1
    if done and do == "cancel":
        said = ngettext("%(n)d message cancelled.", "%(n)d messages cancelled.", done)
        messages.success(request, said % {"n": done})
    elif done:
        said = ngettext("%(n)d message is sent again.", "%(n)d messages are sent again.", done)
        messages.success(request, said % {"n": done})
    return redirect(request.get_full_path())


def _do(request: StaffRequest, letter: Message, do: str) -> tuple[Message, str]:
    """The verb asked for; answers with the message to look at next, and what to say."""
    now, by = request.desk.now, request.user
    if do == "undo":
        return undo(letter, now=now, by=by), _("Undone: it was not sent.")
    if do == "cancel":
        return cancel(letter, by=by), _("Cancelled: it is not sent.")
    if do == "again":
        return send_again(letter, on=request.desk.on, now=now + UNDO, by=by), _("It is sent again.")
    if do == "arrived":
        return resolve_unknown(letter, True, by), _("Kept as sent.")
    return resolve_unknown(letter, False, by), _("Kept as not sent; send it again if it is still wanted.")


def _undo_of(letter: Message) -> str:
    return f"undo:{reverse('dashboard:outbox_undo', args=[letter.pk])}"


def _row(pk: int) -> Row:
    (row,) = rows_of([get_object_or_404(Message, pk=pk)])
    return row


def _preview_of(request: StaffRequest, pk: int) -> dict[str, Any] | None:
    shown: dict[str, Any] | None = request.session.get(PREVIEW)
    if not shown or shown.get("pk") != pk:
        return None
    return shown | {"at": dt.datetime.fromisoformat(shown["at"])}


def _tabs(request: StaffRequest, counts: dict[str, int], current: str) -> list[dict[str, Any]]:
    tabs = []
    for name, (label, _states) in TABS.items():
        query = request.GET.copy()
        query.pop("page", None)
        query["state"] = name
        tabs.append({"label": label, "url": f"?{query.urlencode()}", "count": counts[name], "current": name == current})
    return tabs
