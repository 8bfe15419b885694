"""How an invoice reaches the client: the mail as it would leave, sending it, and its private links."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.models import LANGUAGES
from core.services import today
from dashboard.desk import StaffRequest, refusals_on, refusals_said
from dashboard.forms.invoices import SendForm
from dashboard.pages import form_page
from invoices.documents import recipient
from invoices.mails import preview_invoice
from invoices.models import Invoice, ShareLink
from invoices.pdf import CouldNotPrint
from invoices.services.linking import hand_out_link, revoke_link, rotate_link
from invoices.services.sending import send_invoice


def invoice_send(request: StaffRequest, pk: int) -> HttpResponse:
    """The mail as it would leave now; sending it can be undone for ten seconds."""
    invoice = get_object_or_404(Invoice.objects.select_related("client__company", "contact", "company"), pk=pk)
    url = reverse("dashboard:invoice", args=[pk])
    meant = invoice.contact or recipient(invoice.client)
    form = SendForm(
        request.POST or None, client=invoice.client, initial={"contact": meant}, cancel_url=url,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        if request.POST.get("do") != "look":
            with refusals_on(form):
                message = send_invoice(
                    invoice, contact=form.cleaned_data["contact"], on=today(invoice.company, request.desk.now),
                    by=request.user,
                )  # fmt: skip
                messages.success(
                    request, _("On its way to %(to)s in ten seconds.") % {"to": form.cleaned_data["contact"].name},
                    extra_tags=f"undo:{reverse('dashboard:outbox_undo', args=[message.pk])}",
                )  # fmt: skip
                return redirect(url)
        meant = form.cleaned_data["contact"]
    preview, trouble = None, ""
    if meant is not None and invoice.issued_at is not None and invoice.voided_at is None:
        try:
            preview = preview_invoice(invoice, meant, request.desk.now)
        except CouldNotPrint as why:
            trouble = str(why)
    crumbs = [(_("Invoices"), reverse("dashboard:invoices")), (str(invoice), url)]
    return form_page(
        request, form, _("Send %(invoice)s") % {"invoice": invoice}, crumbs=crumbs,
        template="dashboard/invoice_send.html", invoice=invoice, preview=preview, trouble=trouble, meant=meant,
        language=dict(LANGUAGES).get(meant.speaks()) if meant else "",
    )  # fmt: skip


@require_POST
def link_make(request: StaffRequest, pk: int) -> HttpResponse:
    """A private link for whoever answers for the invoice, to be copied into another channel."""
    invoice = get_object_or_404(Invoice.objects.select_related("client", "contact"), pk=pk)
    with refusals_said(request):
        contact = invoice.contact or recipient(invoice.client)
        hand_out_link(invoice, contact, by=request.user, at=request.desk.now)
        messages.success(request, _("The link is made; copy it below."))
    return redirect("dashboard:invoice", pk)


@require_POST
def link_rotate(request: StaffRequest, pk: int) -> HttpResponse:
    link = get_object_or_404(ShareLink, pk=pk)
    with refusals_said(request):
        rotate_link(link, by=request.user, at=request.desk.now)
        messages.success(request, _("A new link; the old one opens nothing any more."))
    return redirect("dashboard:invoice", link.invoice_id)


@require_POST
def link_revoke(request: StaffRequest, pk: int) -> HttpResponse:
    link = get_object_or_404(ShareLink, pk=pk)
    with refusals_said(request):
        revoke_link(link, by=request.user, at=request.desk.now)
        messages.success(request, _("The link is shut."))
    return redirect("dashboard:invoice", link.invoice_id)
