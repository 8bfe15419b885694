"""How a client's office wants to be invoiced and may pay: told on their page or to us, kept on the file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.models import Client, ClientWay, Wishes
from clients.services.ways import save_ways
from clients.services.wishes import remove_own_form, save_wishes
from core.services import read_file
from dashboard.desk import StaffRequest, refusals_on
from dashboard.downloads import download
from dashboard.forms.wishes import WaysForm, WishesForm, written
from dashboard.pages import form_page

from .client_head import client_at, crumbs_to


def wishes_edit(request: StaffRequest, pk: int) -> HttpResponse:
    """What somebody at the client's said would help them pay faster."""
    client, on = client_at(request, pk)
    wishes = Wishes.objects.filter(client=client).first()
    begun: dict[str, Any] = {"po_required": client.po_required}
    if wishes is not None:
        names = ("version", "cover_page", "cover_text", "note")
        begun |= {name: getattr(wishes, name) for name in names} | {"extra_fields": written(wishes.extra_fields)}
    form = WishesForm(
        request.POST or None, request.FILES or None, initial=begun, wishes=wishes, cancel_url=_file(client),
        too_large="TOO_LARGE" in request.META,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        file, version, without = given.pop("own_form"), given.pop("version"), given.pop("without_form", False)
        with refusals_on(form):
            kept = (file.name, file.read()) if file else None
            save_wishes(client, given, kept, on=on, by=request.user, version=version)
            if without and not file:
                remove_own_form(client, by=request.user)
            messages.success(request, _("Kept; it holds for every invoice from now on."))
            return redirect(_file(client))
    lead = _("Asked on their own page too: «What would help your team pay faster?»")
    heading = _("What helps %(client)s pay faster") % {"client": client}
    return form_page(request, form, heading, crumbs=crumbs_to(client), lead=lead)


def own_form(request: StaffRequest, pk: int) -> HttpResponse:
    """The form of their own that a client asked to come with every invoice."""
    client, _on = client_at(request, pk)
    wishes = Wishes.objects.filter(client=client, own_form__isnull=False).select_related("own_form").first()
    if wishes is None or wishes.own_form is None:
        return redirect(_file(client))
    return download(read_file(wishes.own_form.sha256), wishes.own_form_name, wishes.own_form.media_type)


def ways_edit(request: StaffRequest, pk: int) -> HttpResponse:
    """By which ways this client may pay, where it is not as everybody."""
    client, _on = client_at(request, pk)
    form = WaysForm(request.POST or None, client=client, cancel_url=_file(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            save_ways(client, form.offered(), by=request.user)
            messages.success(request, _("Kept; it holds for the invoices that are issued from now on."))
            return redirect(_file(client))
    lead = _("A card is offered or taken away at once; the others stand on an invoice as they were at its issue.")
    heading = _("Ways to pay of %(client)s") % {"client": client}
    return form_page(request, form, heading, crumbs=crumbs_to(client), lead=lead)


def asked_of_us(client: Client) -> dict[str, Any]:
    """What the file shows of it: the wishes, and each way to pay that is not as everybody's."""
    return {
        "wishes": Wishes.objects.filter(client=client).first(),
        "ways": ClientWay.objects.filter(client=client).select_related("method"),
    }


def _file(client: Client) -> str:
    return f"{reverse('dashboard:client_about', args=[client.pk])}#wishes"
