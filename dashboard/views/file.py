"""A client's file: people, documents, profiles, dates, the terms they accepted, the rules where they are."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ar_collections.services.terms_sending import send_terms
from clients.models import Address, Client, Document, KeyDate, Profile
from clients.services import save_client
from clients.services.accepting import record_acceptance_on_paper
from clients.services.filing import (
    add_document,
    look_at_profile,
    remove_address,
    remove_document,
    remove_key_date,
    remove_profile,
    save_address,
    save_key_date,
    save_profile,
)
from core.services import read_file, stored_path, today
from dashboard.desk import StaffRequest, back, refusals_on, refusals_said
from dashboard.downloads import download
from dashboard.forms.choices import countries
from dashboard.forms.file import AddressForm, DocumentForm, KeyDateForm, LookForm, NotesForm, PaperForm, ProfileForm
from dashboard.pages import form_page
from dashboard.reports.clients import at_their_desk
from dashboard.reports.file import about_client, rules_here
from dashboard.reports.policy_choice import policy_here
from policies.credit_terms import terms_in_force

from .client_head import client_at, crumbs_to, head_of
from .wishes import asked_of_us


def client_about(request: StaffRequest, pk: int) -> HttpResponse:
    """All that is kept about a client beside its debts and its credit."""
    client, on = client_at(request, pk)
    people = client.contacts.order_by("-is_active", "id")
    context: dict[str, Any] = head_of(request, client, on, "client_about")
    place = dict(countries()).get(client.country, client.country)
    context |= {"about": about_client(client, on), "whole": True, "rules": rules_here(client), "place": place}
    context["policy"] = policy_here(client, on)
    context |= asked_of_us(client)
    context["people"] = [at_their_desk(person, client, request.desk.now) for person in people]
    return render(request, "dashboard/client/about.html", context)


def notes_edit(request: StaffRequest, pk: int) -> HttpResponse:
    client, _on = client_at(request, pk)
    form = NotesForm(
        request.POST or None, initial={"notes": client.notes, "version": client.version}, cancel_url=_about(client)
    )
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            given = form.cleaned_data
            save_client(client, {"notes": given["notes"]}, by=request.user, version=given["version"])
            messages.success(request, _("Saved."))
            return redirect(_about(client))
    return form_page(request, form, _("Notes about %(client)s") % {"client": client}, crumbs=_crumbs(client))


# ── Addresses ───────────────────────────────────────────────────────────


def address_new(request: StaffRequest, pk: int) -> HttpResponse:
    client, _on = client_at(request, pk)
    return _address(request, client, None, _("Note another address"))


def address_edit(request: StaffRequest, pk: int) -> HttpResponse:
    address = get_object_or_404(Address.objects.select_related("client"), pk=pk)
    return _address(request, address.client, address, _("Change an address"))


def _address(request: StaffRequest, client: Client, address: Address | None, heading: str) -> HttpResponse:
    begun = None if address else {"country": client.country}
    form = AddressForm(request.POST or None, instance=address, initial=begun, cancel_url=_about(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            save_address(client, address, form.cleaned_data, by=request.user)
            messages.success(request, _("Saved."))
            return redirect(_about(client))
    return form_page(request, form, heading, crumbs=_crumbs(client))


@require_POST
def address_remove(request: StaffRequest, pk: int) -> HttpResponse:
    address = get_object_or_404(Address, pk=pk)
    remove_address(address, by=request.user)
    messages.success(request, _("Removed."))
    return redirect("dashboard:client_about", address.client_id)


# ── Documents ───────────────────────────────────────────────────────────


def document_new(request: StaffRequest, pk: int) -> HttpResponse:
    """Put a file on the client's file."""
    client, _on = client_at(request, pk)
    begun = {"kind": "other", "credit_check": request.GET.get("check")}
    if request.GET.get("check"):
        begun["kind"] = "credit_check"
    form = DocumentForm(
        request.POST or None, request.FILES or None, client=client, too_large="TOO_LARGE" in request.META,
        initial=begun, cancel_url=_about(client),
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            given = form.cleaned_data
            add_document(
                client, given["file"].name, given["file"].read(), given["kind"], credit_check=given["credit_check"],
                by=request.user,
            )
            messages.success(request, _("%(name)s is on file.") % {"name": given["file"].name})
            return back(request, "dashboard:client_about", pk)
    return form_page(request, form, _("Put a document on file"), crumbs=_crumbs(client))


def document(request: StaffRequest, pk: int) -> HttpResponse:
    """A document to save; never shown in the browser under our address."""
    found = get_object_or_404(Document.objects.select_related("file"), pk=pk)
    if not stored_path(found.file.sha256).is_file():
        raise Http404(_("The file is no longer there; restore it from the backup."))
    return download(read_file(found.file.sha256), found.name, found.file.media_type)


@require_POST
def document_remove(request: StaffRequest, pk: int) -> HttpResponse:
    """Take a document off the file; the notice carries the way back."""
    found = get_object_or_404(Document, pk=pk)
    with refusals_said(request):
        remove_document(found, by=request.user)
        again = reverse("dashboard:document_restore", args=[pk])
        messages.success(request, _("%(name)s is off the file.") % {"name": found.name}, extra_tags=f"undo:{again}")
    return back(request, "dashboard:client_about", found.client_id)


@require_POST
def document_restore(request: StaffRequest, pk: int) -> HttpResponse:
    """The same document on file again; that it was away stays in the timeline."""
    found = get_object_or_404(Document.objects.select_related("client", "file", "credit_check"), pk=pk)
    with refusals_said(request):
        content = read_file(found.file.sha256)
        add_document(found.client, found.name, content, found.kind, credit_check=found.credit_check, by=request.user)
        messages.success(request, _("%(name)s is on file.") % {"name": found.name})
    return back(request, "dashboard:client_about", found.client_id)


# ── Profiles and dates ──────────────────────────────────────────────────


def profile_new(request: StaffRequest, pk: int) -> HttpResponse:
    client, _on = client_at(request, pk)
    return _profile(request, client, None, _("Note a website or profile"))


def profile_edit(request: StaffRequest, pk: int) -> HttpResponse:
    profile = get_object_or_404(Profile.objects.select_related("client"), pk=pk)
    return _profile(request, profile.client, profile, _("Change a website or profile"))


def _profile(request: StaffRequest, client: Client, profile: Profile | None, heading: str) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=profile, cancel_url=_about(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            save_profile(client, profile, form.cleaned_data, by=request.user)
            messages.success(request, _("Saved."))
            return redirect(_about(client))
    return form_page(request, form, heading, crumbs=_crumbs(client))


def profile_look(request: StaffRequest, pk: int) -> HttpResponse:
    """Somebody looked today; what was new, if anything."""
    profile = get_object_or_404(Profile.objects.select_related("client__company"), pk=pk)
    form = LookForm(request.POST or None, cancel_url=_about(profile.client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            on = today(profile.client.company, request.desk.now)
            look_at_profile(profile, form.cleaned_data["news"], on=on, by=request.user)
            messages.success(request, _("Kept."))
            return redirect(_about(profile.client))
    return form_page(request, form, _("Looked at %(url)s") % {"url": profile.url}, crumbs=_crumbs(profile.client))


@require_POST
def profile_remove(request: StaffRequest, pk: int) -> HttpResponse:
    profile = get_object_or_404(Profile, pk=pk)
    remove_profile(profile, by=request.user)
    messages.success(request, _("Removed."))
    return redirect("dashboard:client_about", profile.client_id)


def key_date_new(request: StaffRequest, pk: int) -> HttpResponse:
    client, _on = client_at(request, pk)
    return _key_date(request, client, None, _("A date to remember"))


def key_date_edit(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(KeyDate.objects.select_related("client__company"), pk=pk)
    return _key_date(request, found.client, found, _("Change a date to remember"))


def _key_date(request: StaffRequest, client: Client, found: KeyDate | None, heading: str) -> HttpResponse:
    fields = ("kind", "label", "day", "month", "year", "contact")
    begun = {name: getattr(found, name) for name in fields} if found else {}
    form = KeyDateForm(request.POST or None, client=client, initial=begun, cancel_url=_about(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            on = today(client.company, request.desk.now)
            save_key_date(client, found, form.cleaned_data, on=on, by=request.user)
            messages.success(request, _("Saved."))
            return redirect(_about(client))
    return form_page(request, form, heading, crumbs=_crumbs(client))


@require_POST
def key_date_remove(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(KeyDate, pk=pk)
    remove_key_date(found, by=request.user)
    messages.success(request, _("Removed."))
    return redirect("dashboard:client_about", found.client_id)


# ── Terms ───────────────────────────────────────────────────────────────


@require_POST
def terms_send(request: StaffRequest, pk: int) -> HttpResponse:
    """Mail the terms with the page on which they are accepted; it leaves in ten seconds."""
    client, on = client_at(request, pk)
    with refusals_said(request):
        message = send_terms(client, on=on, by=request.user)
        undo = reverse("dashboard:outbox_undo", args=[message.pk])
        messages.success(
            request, _("The terms leave for %(client)s in ten seconds.") % {"client": client}, extra_tags=f"undo:{undo}"
        )
    return back(request, "dashboard:client_about", pk)


def terms_paper(request: StaffRequest, pk: int) -> HttpResponse:
    """A signed copy is there: keep who signed, and when."""
    client, on = client_at(request, pk)
    terms = terms_in_force(client.company, on)
    if terms is None:
        messages.error(request, _("No credit terms are in force; publish them in the settings first."))
        return redirect(_about(client))
    form = PaperForm(request.POST or None, client=client, initial={"accepted_on": on}, cancel_url=_about(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            record_acceptance_on_paper(client, terms, on=on, by=request.user, **form.cleaned_data)
            messages.success(request, _("Kept: the terms are accepted."))
            return back(request, "dashboard:client_about", pk)
    lead = _("The version of %(day)s. Put the signed copy on file as a document, too.") % {"day": terms.effective_from}
    return form_page(request, form, _("Terms signed on paper"), crumbs=_crumbs(client), lead=lead)


def _about(client: Client) -> str:
    return reverse("dashboard:client_about", args=[client.pk])


def _crumbs(client: Client) -> list[tuple[str, str]]:
    return [*crumbs_to(client), (_("File"), _about(client))]
