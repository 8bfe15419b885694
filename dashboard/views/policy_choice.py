"""Choosing the policy by which one invoice is reminded."""

from __future__ import annotations

from django.contrib import messages
from django.forms import ChoiceField
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from core.services import today
from dashboard.desk import StaffRequest, refusals_on
from dashboard.forms.invoices import PolicyForm
from dashboard.pages import form_page
from dashboard.reports.policy_choice import choices, policy_here
from invoices.models import Invoice
from invoices.services.policy_choice import choose_policy


def invoice_policy(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask by which policy an invoice is reminded, and say which one holds now and why."""
    invoice = get_object_or_404(Invoice.objects.select_related("client__segment", "company"), pk=pk)
    on, url = today(invoice.company, request.desk.now), reverse("dashboard:invoice", args=[pk])
    form = PolicyForm(request.POST or None, initial={"policy_name": invoice.policy_name}, cancel_url=url)
    field = form.fields["policy_name"]
    assert isinstance(field, ChoiceField)
    field.choices = choices(on, invoice.policy_name, _("That of the client"))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            chosen = choose_policy(invoice, form.cleaned_data["policy_name"], on=on, by=request.user)
            here = policy_here(invoice.client, on, chosen)
            messages.success(request, _("It is reminded by “%(policy)s”: %(because)s.") % {
                "policy": here.title, "because": here.because
            })
            return redirect(url)
    here = policy_here(invoice.client, on, invoice)
    lead = _("Today “%(policy)s” holds: %(because)s. What is chosen here holds from today on: what was sent and "
             "charged stays, and days that have passed bear interest by the policy they had.") % {
        "policy": here.title, "because": here.because
    }  # fmt: skip
    crumbs = [(_("Invoices"), reverse("dashboard:invoices")), (str(invoice), url)]
    heading = _("How %(invoice)s is reminded") % {"invoice": invoice}
    return form_page(
        request, form, heading, crumbs=crumbs, lead=lead, template="dashboard/policy_choice.html", policy=here
    )
