"""Interest and fees at the desk: how they came about, giving them up for a reason, and more time to pay."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ar_collections.services.interest import give_more_time, take_back_more_time, waive_interest
from core.services import today
from dashboard.desk import StaffRequest, refusals_on, refusals_said
from dashboard.forms.invoices import MoreTimeForm, WaiveForm
from dashboard.pages import form_page
from dashboard.templatetags.ledger import day, money
from invoices.models import Charge, Extension, Invoice
from invoices.services.charging import charge_as_json, waive_charge
from invoices.services.extending import interest_sentence


def charge_waive(request: StaffRequest, pk: int) -> HttpResponse:
    """Give up what is open of one charge, and say why."""
    charge = get_object_or_404(Charge.objects.select_related("invoice__company"), pk=pk)
    what = {"kind": charge.get_kind_display(), "sum": money(charge.balance, charge.currency)}
    lead = ""
    if charge.from_on and charge.to_on:
        period = {"from": day(charge.from_on), "to": day(charge.to_on)}
        lead = _("For %(from)s to %(to)s. It stays readable with your reason; what was paid on it stays paid.") % period
    heading = _("Waive %(sum)s of %(kind)s") % what
    return _ask(request, charge.invoice, heading, lead, lambda **facts: waive_charge(charge, **facts))


def charges_waive(request: StaffRequest, pk: int) -> HttpResponse:
    """Give up everything that is open of interest and fees on an invoice, and say why."""
    invoice = get_object_or_404(Invoice.objects.select_related("company"), pk=pk)
    heading = _("Waive all interest and fees on %(invoice)s") % {"invoice": invoice}
    lead = _("All that is open of them. They stay readable with your reason; what was paid on them stays paid.")
    return _ask(request, invoice, heading, lead, lambda **facts: waive_interest(invoice, **facts))


def invoice_more_time(request: StaffRequest, pk: int) -> HttpResponse:
    """Agree to a later day to pay; the sentence that comes back says what it did to interest."""
    invoice = get_object_or_404(Invoice.objects.select_related("company"), pk=pk)
    on, url = today(invoice.company, request.desk.now), reverse("dashboard:invoice", args=[pk])
    begun = {"until_on": max(on, invoice.due_on or on) + dt.timedelta(days=14)}
    form = MoreTimeForm(request.POST or None, initial=begun, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            agreed = give_more_time(invoice, **form.cleaned_data, on=on, by=request.user)
            said = _("%(invoice)s may be paid by %(day)s.") % {"invoice": invoice, "day": day(agreed.until_on)}
            messages.success(request, f"{said} {interest_sentence(agreed.interest, agreed.until_on, on, 'en')}")
            return redirect(url)
    lead = _("The due date stays; the client's page, the statement and the reminders name the day agreed.")
    crumbs = [(_("Invoices"), reverse("dashboard:invoices")), (str(invoice), url)]
    heading = _("More time for %(invoice)s") % {"invoice": invoice}
    return form_page(request, form, heading, crumbs=crumbs, lead=lead)


@require_POST
def more_time_withdraw(request: StaffRequest, pk: int) -> HttpResponse:
    """The day agreed no longer holds; the due date counts again."""
    agreed = get_object_or_404(Extension.objects.select_related("invoice__company"), pk=pk)
    with refusals_said(request):
        take_back_more_time(agreed, on=today(agreed.invoice.company, request.desk.now), by=request.user)
        messages.success(request, _("Withdrawn; the due date counts again."))
    return redirect("dashboard:invoice", agreed.invoice_id)


def charge_derivation(request: StaffRequest, pk: int) -> HttpResponse:
    """How a charge came about, as a file: the same bytes each time."""
    charge = get_object_or_404(Charge.objects.select_related("invoice", "client", "policy"), pk=pk)
    answer = HttpResponse(charge_as_json(charge), content_type="application/json")
    name = charge.key.replace(":", "-")
    answer["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return answer


def _ask(request: StaffRequest, invoice: Invoice, heading: str, lead: str, waive: Any) -> HttpResponse:
    url = f"{reverse('dashboard:invoice', args=[invoice.pk])}#charges"
    form = WaiveForm(request.POST or None, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            waive(reason=form.cleaned_data["reason"], on=today(invoice.company, request.desk.now), by=request.user)
            messages.success(request, _("Waived; the client owes it no longer."))
            return redirect(url)
    crumbs = [(_("Invoices"), reverse("dashboard:invoices")), (str(invoice), url)]
    return form_page(request, form, heading, crumbs=crumbs, lead=lead)
