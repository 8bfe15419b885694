"""Interest and fees at the desk: giving up what is open of them, for a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from ar_collections.services.interest import waive_interest
from core.services import today
from dashboard.desk import StaffRequest, refusals_on
from dashboard.forms.invoices import WaiveForm
from dashboard.pages import form_page
from dashboard.templatetags.ledger import day, money
from invoices.models import Charge, Invoice
from invoices.services.charging import waive_charge


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
