"""How an invoice reaches the client: the mail as it would leave, sending it, and its private links."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from csp.decorators import csp_replace, csp_update
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from clients.models import Contact
from core.models import LANGUAGES
from core.services import today
from dashboard.desk import StaffRequest, refusals_on, refusals_said, row_number
from dashboard.forms.invoices import SendForm
from dashboard.pages import form_page
from invoices.documents import recipient
from invoices.mail_previews import as_read, send_test
from invoices.models import Invoice, ShareLink
from invoices.printing import CouldNotPrint
from invoices.services.linking import hand_out_link, revoke_link, rotate_link
from invoices.services.sending import send_invoice

from .outbox import SHOWN_INLINE


@csp_update({"frame-src": ["'self'"]})  # type: ignore[arg-type]
def invoice_send(request: StaffRequest, pk: int) -> HttpResponse:
    """The mail as it would leave now, in HTML and text; a test of it to oneself; sending it can be undone for 10 s."""
    invoice = get_object_or_404(Invoice.objects.select_related("client__company", "contact", "company"), pk=pk)
    url = reverse("dashboard:invoice", args=[pk])
    asked = Contact.objects.reachable().filter(client=invoice.client, pk=row_number(request.GET.get("contact", "")))
    language = request.GET.get("in", "") if request.GET.get("in", "") in dict(LANGUAGES) else ""
    meant = asked.first() or invoice.contact or recipient(invoice.client)
    form = SendForm(
        request.POST or None, client=invoice.client, initial={"contact": meant, "language": language}, cancel_url=url,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        meant, language = form.cleaned_data["contact"], form.cleaned_data["language"]
        act = request.POST.get("do", "send")
        with refusals_on(form):
            if act == "send":
                return _send(request, invoice, meant, url)
            if act == "test":
                _test(request, invoice, form)
                return redirect(f"{request.path}?{urlencode({'contact': meant.pk, 'in': language})}")
    preview, trouble = None, ""
    if meant is not None and invoice.issued_at is not None and invoice.voided_at is None:
        try:
            preview = as_read(invoice, meant, language, request.desk.now)
        except CouldNotPrint as why:
            trouble = str(why)
    crumbs = [(_("Invoices"), reverse("dashboard:invoices")), (str(invoice), url)]
    return form_page(
        request, form, _("Send %(invoice)s") % {"invoice": invoice}, crumbs=crumbs,
        template="dashboard/invoice_send.html", invoice=invoice, preview=preview, trouble=trouble, meant=meant,
        language=dict(LANGUAGES).get(meant.speaks()) if meant else "", own=request.user.email,
        mail_query=urlencode({"contact": meant.pk, "in": meant.speaks()}) if meant else "",
    )  # fmt: skip


def _send(request: StaffRequest, invoice: Invoice, to: Contact, url: str) -> HttpResponse:
    on = today(invoice.company, request.desk.now)
    message = send_invoice(invoice, contact=to, on=on, by=request.user)
    messages.success(
        request, _("On its way to %(to)s in ten seconds.") % {"to": to.name},
        extra_tags=f"undo:{reverse('dashboard:outbox_undo', args=[message.pk])}",
    )  # fmt: skip
    return redirect(url)


def _test(request: StaffRequest, invoice: Invoice, form: SendForm) -> None:
    given, now = form.cleaned_data, request.desk.now
    send_test(
        invoice, given["contact"], to=request.user.email, language=given["language"],
        key=given["key"] or uuid.uuid4().hex, on=today(invoice.company, now), now=now, by=request.user,
    )  # fmt: skip
    said = _("A test is on its way to %(to)s; the client gets nothing.")
    messages.success(request, said % {"to": request.user.email})


@xframe_options_sameorigin
@csp_replace(SHOWN_INLINE)  # type: ignore[arg-type]
def mail_html(request: StaffRequest, pk: int) -> HttpResponse:
    """The mail of an invoice as its reader would see it now, alone on a page on which nothing runs or is loaded."""
    invoice = get_object_or_404(
        Invoice.objects.issued().select_related("client__company", "contact", "company"), pk=pk
    )
    asked = row_number(request.GET.get("contact", ""))
    contact = get_object_or_404(Contact.objects.select_related("client"), pk=asked, client=invoice.client_id)
    language = request.GET.get("in", "")
    try:
        mail = as_read(invoice, contact, language if language in dict(LANGUAGES) else "", request.desk.now)
    except CouldNotPrint as why:
        raise Http404(str(why)) from None
    return HttpResponse(mail.html, headers={"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"})


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
