"""What is kept from a client's file: contacts and notes, promises, pauses, disputes, the stage."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ar_collections.models import Pause, Promise, StageChange, Task
from ar_collections.services.contact_log import log_contact
from ar_collections.services.pausing import end_pause, pause_chasing
from ar_collections.services.promising import promise_payment, withdraw_promise
from ar_collections.services.stages import move_stage, stage_of
from clients.models import Client
from core.services import today
from dashboard.desk import StaffRequest, back, refusals_on, refusals_said, row_number
from dashboard.forms.desk import (
    CloseDisputeForm,
    DisputeForm,
    LogContactForm,
    NoteForm,
    PauseForm,
    PromiseForm,
    StageForm,
)
from dashboard.pages import form_page
from dashboard.templatetags.ledger import day
from disputes.models import Dispute
from disputes.services import REVISIT_AFTER_DAYS, close_dispute, open_dispute
from invoices.models import Invoice

from .client_head import crumbs_to


def client_log(request: StaffRequest, pk: int) -> HttpResponse:
    """Keep what was said, with whom, and what comes next; a promise or a dispute is asked for right after."""
    client = get_object_or_404(Client.objects.select_related("company"), pk=pk)
    form = LogContactForm(request.POST or None, client=client, cancel_url=_file(pk))
    if request.method == "POST" and form.is_valid():
        calling = form.cleaned_data["channel"] == "call"
        task = Task.objects.filter(client=client, kind="call", closed_on=None).first() if calling else None
        with refusals_on(form):
            kept = log_contact(client, **form.facts(), task=task, on=_on(request, client), by=request.user)
            messages.success(request, _("Kept on the client's file."))
            return _what_it_brought(client, kept.outcome)
    return form_page(request, form, _("Log a contact"), crumbs=crumbs_to(client))


def _what_it_brought(client: Client, outcome: str) -> HttpResponse:
    """Where to go on: to the promise's amount and day, to what is wrong with the invoice, else back to the file."""
    oldest = Invoice.objects.open().of(client).order_by("due_on").first()
    if outcome == "promised" and oldest is not None:
        return redirect("dashboard:client_promise", client.pk)
    if outcome == "disputes" and oldest is not None:
        return redirect("dashboard:invoice_dispute", oldest.pk)
    return redirect("dashboard:client", client.pk)


def client_note(request: StaffRequest, pk: int) -> HttpResponse:
    client = get_object_or_404(Client.objects.select_related("company"), pk=pk)
    form = NoteForm(request.POST or None, cancel_url=_file(pk))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            log_contact(
                client, **form.cleaned_data, channel="other", direction="out", outcome="note",
                happened_at=request.desk.now, on=_on(request, client), by=request.user,
            )  # fmt: skip
            messages.success(request, _("Noted."))
            return redirect("dashboard:client", pk)
    return form_page(request, form, _("Note"), crumbs=crumbs_to(client))


def client_promise(request: StaffRequest, pk: int) -> HttpResponse:
    client = get_object_or_404(Client.objects.select_related("company"), pk=pk)
    on = _on(request, client)
    meant = _meant(request, client)
    begun = {"invoice": meant, "amount": meant.balance if meant else None}
    form = PromiseForm(request.POST or None, client=client, initial=begun, cancel_url=_file(pk))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            promise = promise_payment(**form.cleaned_data, on=on, by=request.user)
            until = day(promise.pauses_until)
            messages.success(request, _("Reminders for it pause until %(until)s.") % {"until": until})
            return redirect("dashboard:client", pk)
    lead = _("If nothing arrives, chasing goes on by itself and the client comes back to the call list.")
    return form_page(request, form, _("Promise to pay"), crumbs=crumbs_to(client), lead=lead)


@require_POST
def promise_withdraw(request: StaffRequest, pk: int) -> HttpResponse:
    promise = get_object_or_404(Promise.objects.select_related("client__company"), pk=pk)
    with refusals_said(request):
        withdraw_promise(promise, on=_on(request, promise.client), by=request.user)
        messages.success(request, _("The promise no longer counts."))
    return back(request, "dashboard:client", promise.client_id)


def client_pause(request: StaffRequest, pk: int) -> HttpResponse:
    client = get_object_or_404(Client.objects.select_related("company"), pk=pk)
    on = _on(request, client)
    begun = {"invoice": _meant(request, client), "until": on + dt.timedelta(days=14)}
    form = PauseForm(request.POST or None, client=client, initial=begun, cancel_url=_file(pk))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            pause = pause_chasing(client, **form.cleaned_data, on=on, by=request.user)
            messages.success(request, _("No reminder leaves until %(until)s.") % {"until": day(pause.until_on)})
            return redirect("dashboard:client", pk)
    lead = _("Every pause has an end; after it reminders go on where they were.")
    return form_page(request, form, _("Pause reminders"), crumbs=crumbs_to(client), lead=lead)


@require_POST
def pause_end(request: StaffRequest, pk: int) -> HttpResponse:
    pause = get_object_or_404(Pause.objects.select_related("client__company"), pk=pk)
    with refusals_said(request):
        end_pause(pause, on=_on(request, pause.client), by=request.user)
        messages.success(request, _("Reminders go on."))
    return back(request, "dashboard:client", pause.client_id)


def client_stage(request: StaffRequest, pk: int) -> HttpResponse:
    client = get_object_or_404(Client.objects.select_related("company"), pk=pk)
    now = stage_of(client)
    form = StageForm(request.POST or None, now=now, cancel_url=_file(pk))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        with refusals_on(form):
            move_stage(client, given["stage"], because=given["because"], on=_on(request, client), by=request.user)
            messages.success(request, _("Moved."))
            return back(request, "dashboard:client", pk)
    lead = _("Now: %(stage)s.") % {"stage": dict(StageChange.STAGES)[now]}
    return form_page(request, form, _("Move the stage"), crumbs=crumbs_to(client), lead=lead)


def invoice_dispute(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = get_object_or_404(Invoice.objects.select_related("client__company"), pk=pk)
    client, on = invoice.client, _on(request, invoice.client)
    begun = {"revisit_on": on + dt.timedelta(days=REVISIT_AFTER_DAYS)}
    form = DisputeForm(request.POST or None, initial=begun, cancel_url=_file(client.pk))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            open_dispute(invoice, **form.cleaned_data, on=on, by=request.user)
            messages.success(
                request, _("%(invoice)s leaves chasing until the dispute is closed.") % {"invoice": invoice}
            )
            return back(request, "dashboard:client", client.pk)
    heading = _("%(invoice)s: something is wrong") % {"invoice": invoice}
    return form_page(request, form, heading, crumbs=crumbs_to(client))


def dispute_close(request: StaffRequest, pk: int) -> HttpResponse:
    dispute = get_object_or_404(Dispute.objects.select_related("invoice__client__company"), pk=pk)
    client = dispute.invoice.client
    form = CloseDisputeForm(request.POST or None, cancel_url=_file(client.pk))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            close_dispute(dispute, **form.cleaned_data, on=_on(request, client), by=request.user)
            messages.success(request, _("Closed; chasing goes on where it was."))
            return redirect("dashboard:client", client.pk)
    heading = _("Close the dispute about %(invoice)s") % {"invoice": dispute.invoice}
    return form_page(request, form, heading, crumbs=crumbs_to(client), lead=dispute.text)


def _file(pk: int) -> str:
    return reverse("dashboard:client", args=[pk])


def _on(request: StaffRequest, client: Client) -> dt.date:
    return today(client.company, request.desk.now)


def _meant(request: StaffRequest, client: Client) -> Invoice | None:
    """The invoice the address names, else the one longest due."""
    rows = Invoice.objects.open().of(client).order_by("due_on")
    asked = request.GET.get("invoice", "")
    return (rows.filter(pk=pk).first() if (pk := row_number(asked)) else None) or rows.first()
