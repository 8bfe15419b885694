"""One copy more of a client's next reminder: asked for on the client's file, with everybody on file in sight."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from ar_collections.models import CopyOnce
from ar_collections.services.copies import copies_waiting, copy_next, withdraw_copy
from clients.models import Client
from dashboard.desk import StaffRequest, refusals_on, refusals_said
from dashboard.forms_layout import HouseForm
from dashboard.pages import form_page

from .client_head import client_at, crumbs_to


class CopyForm(HouseForm, forms.Form):
    """One more address, and that the person knows who reads it."""

    address = forms.CharField(label=gettext_lazy("E-mail address"), max_length=254)
    knows_outsider = forms.BooleanField(
        label=gettext_lazy("It is none of the people above, and I know who reads it"), required=False,
        help_text=gettext_lazy("The message tells what is open and has the private link to the invoice in it."),
    )


def copy_new(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask for the address, and say who is on file and what waits already."""
    client, _on = client_at(request, pk)
    form = CopyForm(request.POST or None, cancel_url=_about(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            given = form.cleaned_data
            copy = copy_next(client, given["address"], knows_outsider=given["knows_outsider"], by=request.user)
            messages.success(request, _("The next reminder goes to %(address)s too, once.") % {"address": copy.address})
            return redirect(_about(client))
    return form_page(
        request, form, _("A copy of the next reminder to %(client)s") % {"client": client}, crumbs=_crumbs(client),
        lead=_lead(client),
    )


@require_POST
def copy_withdraw(request: StaffRequest, pk: int) -> HttpResponse:
    copy = get_object_or_404(CopyOnce.objects.select_related("client"), pk=pk)
    with refusals_said(request):
        withdraw_copy(copy, at=request.desk.now, by=request.user)
        messages.success(request, _("Taken back: no copy goes to %(address)s.") % {"address": copy.address})
    return redirect(_about(copy.client))


def _lead(client: Client) -> str:
    people = client.contacts.filter(is_active=True).exclude(email="")
    said = _("On file: %(people)s.") % {
        "people": ", ".join(f"{person.name} <{person.email}>" for person in people) or _("nobody")
    }
    waiting = ", ".join(copies_waiting(client).values_list("address", flat=True))
    return f"{said} {_('Asked for already: %(who)s.') % {'who': waiting}}" if waiting else said


def _about(client: Client) -> str:
    return f"{reverse('dashboard:client_about', args=[client.pk])}#copies"


def _crumbs(client: Client) -> list[tuple[str, str]]:
    return crumbs_to(client)
