"""Payments: what came in, recording one, putting what is left of it to claims, taking that back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.models import Client
from core.money import plain
from core.permissions import may
from core.services import today
from dashboard.desk import StaffRequest, back, refusals_on, refusals_said, row_number
from dashboard.forms.payments import AllocateForm, PaymentForm, TakeBackForm
from dashboard.lists import Column, as_csv, in_order, page_of, wants_csv
from dashboard.pages import form_page
from dashboard.reports.payments import application, payments_of, taken_back_of
from dashboard.templatetags.ledger import money
from invoices.models import Invoice, ProForma
from invoices.services.credit import short_of_cash
from payments.models import Allocation, Checkout, Payment
from payments.services import allocate, deallocate, paid_for, record_payment, take_back_payment, unallocated
from payments.services.refunds import refundable

ORDERS = {"received_on": ["received_on"], "client": ["client__name"], "amount": ["amount"], "left": ["left"]}
TABS = {
    "all": gettext_lazy("All"), "left": gettext_lazy("Not put to anything yet"), "back": gettext_lazy("Taken back"),
}  # fmt: skip
COLUMNS = [
    Column("received", lambda p: p.received_on), Column("client number", lambda p: p.client.number),
    Column("client", lambda p: p.client.name), Column("amount", lambda p: plain(p.amount, p.currency)),
    Column("currency", lambda p: p.currency), Column("method", lambda p: p.get_method_display()),
    Column("reference", lambda p: p.reference), Column("not applied", lambda p: plain(p.left, p.currency)),
    Column("recorded by", lambda p: p.recorded_by),
]  # fmt: skip


def payments(request: StaffRequest) -> HttpResponseBase:
    """What came in, the latest first; the unapplied on a tab of their own."""
    wanted = request.GET.get("q", "").strip()
    named = Q()
    if wanted:
        named = Q(client__name__icontains=wanted) | Q(client__number__iexact=wanted) | Q(reference__icontains=wanted)
    asked = request.GET.get("client", "")
    if asked.isdecimal():
        named &= Q(client=row_number(asked))
    rows = payments_of(request.desk.company).filter(named).select_related("client")
    back = taken_back_of(request.desk.company).filter(named).select_related("client")
    counts = {"all": rows.count(), "left": rows.filter(left__gt=0).count(), "back": back.count()}
    tab = request.GET.get("tab", "all")
    tab = tab if tab in TABS else "all"
    if tab != "all":
        rows = back if tab == "back" else rows.filter(left__gt=0)
    shown, order = in_order(request, rows, ORDERS, "-received_on")
    if wants_csv(request):
        return as_csv("payments", COLUMNS, shown.iterator())
    page = page_of(request, shown)
    context = {
        "page": page, "rows": [(payment, application(payment)) for payment in page], "sort": order, "q": wanted,
        "tab": tab,
        "tabs": [{"key": key, "label": label, "count": counts[key]} for key, label in TABS.items()],
        "any": bool(page) or Payment.objects.filter(company=request.desk.company).exists(),
    }  # fmt: skip
    return render(request, "dashboard/payments.html", context)


def payment_new(request: StaffRequest) -> HttpResponse:
    """Record money received from the client chosen; what they owe stands below, to be paid as they meant it."""
    asked = request.POST.get("client") or request.GET.get("client", "")
    client = Client.objects.filter(pk=row_number(asked)).select_related("company").first()
    everybody = Client.objects.filter(company=request.desk.company)
    if client is None:
        return render(request, "dashboard/payment_form.html", {"everybody": everybody})
    on = today(client.company, request.desk.now)
    form = PaymentForm(request.POST or None, client=client, initial=_meant(request, client, on))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        with refusals_on(form):
            payment = record_payment(
                client, given["amount"], given["currency"], received_on=given["received_on"], method=given["method"],
                reference=given["reference"], note=given["note"], key=given["key"], how=form.allocation(), on=on,
                pro_forma=given.get("pro_forma"), by=request.user,
            )  # fmt: skip
            left = unallocated(payment)
            if payment.pro_forma is not None and _told_of(request, payment.pro_forma):
                return redirect("dashboard:pro_forma", payment.pro_forma.pk)
            if left:
                said = _("Recorded; %(left)s is not put to anything yet.") % {"left": money(left, payment.currency)}
                messages.warning(request, said)
            else:
                messages.success(request, _("Recorded: %(sum)s.") % {"sum": money(payment.amount, payment.currency)})
            return redirect("dashboard:payment", payment.pk)
    context = {"form": form, "client": client, "everybody": everybody}
    return render(request, "dashboard/payment_form.html", context, status=422 if form.errors else 200)


def _told_of(request: StaffRequest, pro_forma: ProForma) -> bool:
    """Say what came of the money for a pro forma; False where its invoice is issued, as after any other payment."""
    pro_forma.refresh_from_db()
    paid, issued = paid_for(pro_forma), pro_forma.invoice is not None and pro_forma.invoice.issued_at is not None
    if issued:
        messages.success(request, _("%(number)s is issued and paid.") % {"number": pro_forma.invoice})
        return False
    if paid >= pro_forma.total:
        messages.warning(request, _("The money is here, and the invoice could not be issued; see why below."))
    else:
        missing = money(pro_forma.total - paid, pro_forma.currency)
        messages.success(request, _("Recorded and kept for %(number)s; %(missing)s is still missing.") % {
            "number": pro_forma.number, "missing": missing
        })  # fmt: skip
    return True


def _meant(request: StaffRequest, client: Client, on: dt.date) -> dict[str, Any]:
    """What is likely: in the client's currency; for an invoice named, its whole balance to it alone."""
    currency = request.GET.get("currency") or client.currency
    begun: dict[str, Any] = {"currency": currency, "received_on": on, "how": "oldest"}
    asked = request.GET.get("pro_forma", "")
    waiting = ProForma.objects.standing().filter(invoice__client=client)
    pro_forma = waiting.filter(pk=row_number(asked)).first()
    if pro_forma is not None:
        missing = pro_forma.total - paid_for(pro_forma)
        return begun | {
            "pro_forma": pro_forma, "currency": pro_forma.currency, "amount": missing if missing > 0 else None,
            "reference": pro_forma.number,
        }  # fmt: skip
    asked = request.GET.get("invoice", "")
    invoice = Invoice.objects.open().filter(pk=row_number(asked), client=client).first()
    if invoice is not None:
        begun |= {"amount": invoice.balance, "currency": invoice.currency, "how": "hand", "reference": invoice.number}
        begun[f"claim-invoice:{invoice.pk}"] = invoice.balance
    return begun


def payment_page(request: StaffRequest, pk: int) -> HttpResponse:
    """A payment and where it went; what is left of it is put to claims here."""
    payment = get_object_or_404(Payment.objects.select_related("client__company"), pk=pk)
    left = unallocated(payment)
    kept_for = ProForma.objects.standing().filter(payments=payment).first()
    form = AllocateForm(request.POST or None, payment=payment) if left and kept_for is None else None
    if form is not None and request.method == "POST" and form.is_valid():
        with refusals_on(form):
            made = allocate(payment, form.allocation(), on=today(payment.company, request.desk.now), by=request.user)
            if made:
                messages.success(request, _("Put to %(count)d of them.") % {"count": len(made)})
            else:
                messages.warning(request, _("Nothing open matches it; it stays unapplied cash."))
            return redirect("dashboard:payment", pk)
    parts = payment.allocations.select_related("invoice", "charge__invoice", "entry__reversed_by").order_by("id")
    taken_back = payment.reversal()
    state = "unapplied" if left == payment.amount else "part_applied" if left else "applied"
    state = "taken_back" if taken_back else state
    context = {
        "payment": payment, "left": left, "form": form, "parts": list(parts),
        "state": state, "back": taken_back, "kept_for": kept_for,
        "may_refund": refundable(payment) > 0 and may(request.user, "payments.add_refund"),
        "may_take_back": taken_back is None and not _is_bound(payment),
    }  # fmt: skip
    status = 422 if form is not None and form.is_bound and form.errors else 200
    return render(request, "dashboard/payment.html", context, status=status)


def _is_bound(payment: Payment) -> bool:
    """Money of a provider, or some of it given back already: nothing that was only recorded wrongly."""
    return Checkout.objects.filter(payment=payment).exists() or payment.refunds.standing().exists()


def payment_take_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Take a payment back that was recorded wrongly or that the bank returned, and say why."""
    payment = get_object_or_404(Payment.objects.select_related("client__company"), pk=pk)
    url = reverse("dashboard:payment", args=[pk])
    form = TakeBackForm(request.POST or None, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            on = today(payment.company, request.desk.now)
            take_back_payment(payment, **form.cleaned_data, on=on, by=request.user)
            messages.success(request, _("The payment is taken back; what it was put to is open again."))
            for _pk, number, missing in short_of_cash(payment.client, payment.currency, on):
                facts = {"number": number, "missing": money(missing, payment.currency)}
                messages.warning(request, _(
                    "%(number)s was issued against cash in advance, and %(missing)s of it is no longer there: that "
                    "is open on credit now. Ask for the money, or void %(number)s."
                ) % facts)  # fmt: skip
            return redirect(url)
    sum_ = money(payment.amount, payment.currency)
    lead = _("What it was put to is owed again. The payment stays readable, crossed out, with your reason.")
    crumbs = [(_("Payments"), reverse("dashboard:payments")), (sum_, url)]
    return form_page(request, form, _("Take back %(sum)s") % {"sum": sum_}, crumbs=crumbs, lead=lead)


@require_POST
def allocation_take_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Take an allocation back by its mirror image: the claim is open again, the money unapplied."""
    allocation = get_object_or_404(Allocation.objects.select_related("payment__company"), pk=pk)
    payment = allocation.payment
    with refusals_said(request):
        deallocate(allocation, on=today(payment.company, request.desk.now), by=request.user)
        messages.success(request, _("Taken back; it is unapplied cash now."))
    return back(request, "dashboard:payment", payment.pk)
