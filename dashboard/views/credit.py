"""A client's credit: how it stands and why, and the acts that change it: limit, status, exceptions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ar_collections.services.trust import open_credit_again
from clients.models import Client, CreditOverride
from clients.providers import provider_names
from clients.services.limits import limit_of, set_limit
from clients.services.overrides import end_override, grant_override
from clients.services.status import set_status, status_of
from dashboard.desk import StaffRequest, refusals_on, refusals_said
from dashboard.forms.credit import AgainForm, LimitForm, OverrideForm, StatusForm, begun_limit
from dashboard.pages import form_page
from dashboard.reports.credit import deciding_of, history_of, trust_in, with_parts

from .client_head import client_at, crumbs_to, head_of

OVERRIDE_DAYS = 14


def client_credit(request: StaffRequest, pk: int) -> HttpResponse:
    """Whom we trust, and how far: status, limit, exposure by component, decisions, checks and their history."""
    client, on = client_at(request, pk)
    trust = trust_in(client, on)
    for standing in trust.standings:
        with_parts(client, standing, on)
    context: dict[str, Any] = head_of(request, client, on, "client_credit", trust)
    context |= {"history": history_of(client, on), "deciding": deciding_of(client, on)}
    context |= {"providers": provider_names(), "proposals": context["deciding"].proposals}
    context["again"] = request.GET.get("again", "")  # the provider whose last answer still counts
    return render(request, "dashboard/client/credit.html", context)


def limit_set(request: StaffRequest, pk: int) -> HttpResponse:
    """Set a limit by hand, with a reason."""
    client, on = client_at(request, pk)
    standing = limit_of(client, client.currency, on)
    begun = begun_limit(client, standing.amount if standing else None)
    form = LimitForm(request.POST or None, initial=begun, cancel_url=_credit(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            set_limit(client, source="hand", on=on, by=request.user, **form.cleaned_data)
            messages.success(request, _("The limit holds from today."))
            return redirect(_credit(client))
    lead = _("It holds from today; the earlier limits stay in the history.")
    return form_page(request, form, _("Set a credit limit"), crumbs=_crumbs(client), lead=lead)


def status_set(request: StaffRequest, pk: int) -> HttpResponse:
    """Move the credit status by hand, with a reason and, where wanted, a last day."""
    client, on = client_at(request, pk)
    standing = status_of(client, on)
    begun: dict[str, Any] = {"status": request.GET.get("status") or (standing.status if standing else "open")}
    if standing is not None:
        begun |= {"terms_days": standing.terms_days, "deposit_percent": standing.deposit_percent or None}
    form = StatusForm(request.POST or None, initial=begun, cancel_url=_credit(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            change = set_status(client, source="hand", on=on, by=request.user, **form.facts())
            messages.success(request, _("Credit status: %(status)s.") % {"status": change.get_status_display()})
            return redirect(_credit(client))
    lead = _("Cash only is told to the client in a letter, closed is not; what is delivered stays invoiceable.")
    return form_page(request, form, _("Set the credit status"), crumbs=_crumbs(client), lead=lead)


def credit_again(request: StaffRequest, pk: int) -> HttpResponse:
    """A person looked at a client whom the policy had put on cash-only, and gives credit again."""
    client, on = client_at(request, pk)
    form = AgainForm(request.POST or None, cancel_url=_credit(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            change = open_credit_again(client, because=form.cleaned_data["because"], on=on, by=request.user)
            messages.success(request, _("Credit status: %(status)s.") % {"status": change.get_status_display()})
            return redirect(_credit(client))
    lead = _("As the last decision says; the client is told.")
    return form_page(request, form, _("Give credit again"), crumbs=_crumbs(client), lead=lead)


def override_grant(request: StaffRequest, pk: int) -> HttpResponse:
    """Let the client buy in spite of a rule, for a reason and until a day."""
    client, on = client_at(request, pk)
    begun = {"allows": request.GET.get("allows", "over_limit"), "expires_on": on + dt.timedelta(days=OVERRIDE_DAYS)}
    form = OverrideForm(request.POST or None, initial=begun, cancel_url=_credit(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            given = form.cleaned_data
            grant_override(
                client, given["allows"], given["reason"], expires_on=given["expires_on"], on=on, by=request.user
            )
            messages.success(request, _("Granted; every invoice that passes by it names it."))
            return redirect(_credit(client))
    lead = _("For one client and a short time; a lasting change is a limit or a status.")
    return form_page(request, form, _("Grant an exception"), crumbs=_crumbs(client), lead=lead)


@require_POST
def override_end(request: StaffRequest, pk: int) -> HttpResponse:
    override = get_object_or_404(CreditOverride.objects.select_related("client"), pk=pk)
    with refusals_said(request):
        end_override(override, by=request.user)
        messages.success(request, _("The exception has ended."))
    return redirect(_credit(override.client))


def _credit(client: Client) -> str:
    return reverse("dashboard:client_credit", args=[client.pk])


def _crumbs(client: Client) -> list[tuple[str, str]]:
    return [*crumbs_to(client), (_("Credit"), _credit(client))]
