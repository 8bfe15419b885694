"""Credit checks of a client: entered by hand, ordered from a provider, or uploaded as a file."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from clients.models import Client
from clients.services.checks import ChecksRefused, enter_check, order_check, upload_checks
from core.errors import Refused
from dashboard.desk import StaffRequest, refusals_on, refusals_said
from dashboard.forms.checks import CheckForm, UploadChecksForm
from dashboard.pages import form_page

from .client_head import client_at, crumbs_to


def check_new(request: StaffRequest, pk: int) -> HttpResponse:
    """Enter what somebody found out; where a check still counts, ask before another is bought."""
    client, on = client_at(request, pk)
    form = CheckForm(
        request.POST or None, request.FILES or None, too_large="TOO_LARGE" in request.META,
        initial={"checked_on": on, "currency": client.currency}, cancel_url=_credit(client),
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            _enter(request, form, client, on)
            return redirect(_credit(client))
        except Refused as refused:
            if refused.code == "still_valid":
                form.ask_again()
            form.add_error(refused.where if refused.where in form.fields else None, refused.message)
    return form_page(request, form, _("Enter a credit check"), crumbs=_crumbs(client))


def _enter(request: StaffRequest, form: CheckForm, client: Client, on: dt.date) -> None:
    report = form.cleaned_data["document"]
    documents = [(report.name, report.read())] if report else []
    again = form.cleaned_data["again"]
    enter_check(client, form.facts(), again=again, on=on, by=request.user, documents=documents)
    messages.success(request, _("The check is entered; see below what the policy says to it."))


@require_POST
def check_order(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask a provider now; where its last answer still counts, ask first whether it is to be bought again."""
    client, on = client_at(request, pk)
    provider, again = request.POST.get("provider", ""), bool(request.POST.get("again"))
    with refusals_said(request):
        try:
            check = order_check(client, provider, again=again, on=on, by=request.user)
        except Refused as refused:
            if refused.code != "still_valid":
                raise
            messages.warning(request, refused.message)
            return redirect(f"{_credit(client)}?{urlencode({'again': provider})}#checks")
        messages.success(request, _("%(provider)s has answered.") % {"provider": check.provider})
    return redirect(_credit(client))


def checks_upload(request: StaffRequest, pk: int) -> HttpResponse:
    """The checks of one client from a file."""
    client, on = client_at(request, pk)
    shown = {"crumbs": _crumbs(client), "back": _credit(client)}
    return _upload(request, {"client": client, "on": on}, _("Upload checks of %(client)s") % {"client": client}, shown)


def checks_upload_all(request: StaffRequest) -> HttpResponse:
    """Checks of many clients from one file, each named by its number."""
    desk, page = request.desk, f"{reverse('dashboard:credit')}?tab=checks"
    shown = {"crumbs": [(_("Credit"), reverse("dashboard:credit"))], "back": page}
    return _upload(request, {"company": desk.company, "on": desk.on}, _("Upload credit checks"), shown)


def _upload(request: StaffRequest, whose: dict[str, Any], heading: str, shown: dict[str, Any]) -> HttpResponse:
    form = UploadChecksForm(
        request.POST or None, request.FILES or None, too_large="TOO_LARGE" in request.META, cancel_url=shown["back"]
    )
    troubles: Any = ()
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            try:
                said = upload_checks(form.cleaned_data["file"].read(), form.written_as, by=request.user, **whose)
            except ChecksRefused as refused:
                troubles = refused.troubles
                raise
            n = said["created"]
            words = ngettext("%(n)d check entered", "%(n)d checks entered", n) % {"n": n}
            if said["unchanged"]:
                words = f"{words}, {_('%(n)d were here already') % {'n': said['unchanged']}}"
            messages.success(request, f"{words}.")
            return redirect(shown["back"])
    return form_page(
        request, form, heading, crumbs=shown["crumbs"], template="dashboard/client/checks_upload.html",
        troubles=troubles, whole="company" in whose,
    )  # fmt: skip


def _credit(client: Client) -> str:
    return reverse("dashboard:client_credit", args=[client.pk])


def _crumbs(client: Client) -> list[tuple[str, str]]:
    return [*crumbs_to(client), (_("Credit"), _credit(client))]
