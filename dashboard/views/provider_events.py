"""What payment providers said that a person has to look at, and giving money back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Min, Sum
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from core.permissions import may
from core.services import today
from dashboard.desk import StaffRequest, back, refusals_on, refusals_said
from dashboard.forms.fields import AmountField, OnceField
from dashboard.forms_layout import HouseForm
from dashboard.lists import Column, as_csv, page_of, wants_csv
from dashboard.pages import form_page
from dashboard.templatetags.ledger import money
from payments.models import Checkout, Payment, ProviderEvent
from payments.providers import provider_of, providers
from payments.refused_calls import refused_calls
from payments.services.hearing import hear_again, needing_person, settle_event, take_as_payment
from payments.services.refunds import refund_payment, refundable

TABS = {"waiting": gettext_lazy("Wait for you"), "all": gettext_lazy("All")}
COLUMNS = [
    Column("received", lambda e: e.received_at.isoformat(timespec="seconds")), Column("provider", lambda e: e.provider),
    Column("event", lambda e: e.event_id), Column("word", lambda e: e.facts.get("name", e.kind)),
    Column("amount", lambda e: e.facts.get("amount") or ""), Column("currency", lambda e: e.facts.get("currency", "")),
    Column("client", lambda e: e.checkout.client.name if e.checkout else ""),
    Column("outcome", lambda e: e.outcome), Column("settled by", lambda e: e.settled_by),
]  # fmt: skip


class SettleForm(HouseForm, forms.Form):
    """What came of it."""

    note = forms.CharField(label=gettext_lazy("What came of it"), max_length=200)
    save_label = gettext_lazy("Settled")


class RefundForm(HouseForm, forms.Form):
    """How much of a payment is given back, and why."""

    key = OnceField()
    amount = AmountField(label=gettext_lazy("Amount"))
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)
    save_label = gettext_lazy("Give it back")


def provider_events(request: StaffRequest) -> HttpResponseBase:
    """Words of the providers, the latest first: those that wait for a person, or all."""
    company = request.desk.company
    waiting = needing_person(company)
    every = ProviderEvent.objects.filter(checkout__company=company) | ProviderEvent.objects.filter(checkout=None)
    tab = request.GET.get("tab", "waiting")
    tab = tab if tab in TABS else "waiting"
    rows = (waiting if tab == "waiting" else every).select_related("checkout__client", "checkout__payment")
    if wants_csv(request):
        return as_csv(f"provider-events-{tab}", COLUMNS, rows.iterator())
    counts = {"waiting": waiting.count(), "all": every.count()}
    underway = Checkout.objects.in_flight().filter(company=company).order_by().values("currency")
    page = page_of(request, rows)
    for event in page:
        event.sum = _sum(event)
    context = {
        "page": page, "tab": tab, "any": counts["all"],
        "tabs": [
            {"label": label, "count": counts[key], "url": f"?tab={key}", "current": key == tab}
            for key, label in TABS.items()
        ],
        "refused": {provider.label: n for name, provider in providers().items() if (n := refused_calls(name))},
        "underway": underway.annotate(n=Count("pk"), sum=Sum("amount"), since=Min("started_on")),
    }
    return render(request, "dashboard/provider_events.html", context)


def _sum(event: ProviderEvent) -> str:
    """What a word speaks of, as money; as it was said where its currency has no such sum."""
    amount, currency = event.facts.get("amount"), event.facts.get("currency", "")
    try:
        return str(money(Decimal(amount), currency)) if amount else ""
    except (ValueError, ArithmeticError):
        return f"{amount} {currency}"


def event_settle(request: StaffRequest, pk: int) -> HttpResponse:
    """Somebody has looked at it and writes what came of it."""
    event = _event(request, pk)
    form = SettleForm(request.POST or None, cancel_url=reverse("dashboard:provider_events"))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            settle_event(event, **form.cleaned_data, at=request.desk.now, by=request.user)
            messages.success(request, _("Settled; your words stand beside it."))
            return redirect("dashboard:provider_events")
    crumbs = [(_("Card payments"), reverse("dashboard:provider_events"))]
    return form_page(request, form, _("Settle it"), crumbs=crumbs, lead=event.outcome)


@require_POST
def event_take(request: StaffRequest, pk: int) -> HttpResponse:
    """Money that arrived otherwise than agreed is taken as a payment."""
    event = _event(request, pk)
    with refusals_said(request):
        payment = take_as_payment(event, at=request.desk.now, by=request.user)
        messages.success(request, _("Recorded: %(sum)s.") % {"sum": money(payment.amount, payment.currency)})
        return redirect("dashboard:payment", payment.pk)
    return back(request, "dashboard:provider_events")


@require_POST
def event_again(request: StaffRequest, pk: int) -> HttpResponse:
    """Try once more."""
    event = _event(request, pk)
    with refusals_said(request):
        event = hear_again(event, provider_of(event.provider), at=request.desk.now, by=request.user)
        if event.needs_person and event.settled_at is None:
            messages.warning(request, event.outcome)
        else:
            messages.success(request, event.outcome)
    return back(request, "dashboard:provider_events")


def payment_refund(request: StaffRequest, pk: int) -> HttpResponse:
    """Give money of a payment back, all of it or part of it."""
    payment = get_object_or_404(
        Payment.objects.filter(company__in=request.desk.companies).select_related("client__company"), pk=pk
    )
    url = reverse("dashboard:payment", args=[pk])
    left = refundable(payment)
    form = RefundForm(request.POST or None, initial={"amount": left}, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            on = today(payment.company, request.desk.now)
            refund = refund_payment(payment, **form.cleaned_data, on=on, by=request.user)
            _tell(request, refund)
            return redirect(url)
    crumbs = [(_("Payments"), reverse("dashboard:payments")), (money(payment.amount, payment.currency), url)]
    return form_page(request, form, _("Give money back"), crumbs=crumbs, lead=_lead(request, payment, left))


def _lead(request: StaffRequest, payment: Payment, left: Any) -> str:
    if not may(request.user, "payments.add_refund"):
        return _("You may not give money back; ask somebody who may.")
    checkout = Checkout.objects.filter(payment=payment).first()
    sum_ = money(left, payment.currency)
    how = _("Transfer it yourself; here it is noted.")
    if checkout is not None:
        how = _("%(provider)s gives it back by the way it came.") % {"provider": checkout.provider.title()}
    words = _("At most %(sum)s. %(how)s What it had paid is owed again, unless the invoice is credited first.")
    return words % {"sum": sum_, "how": how}


def _tell(request: StaffRequest, refund: Any) -> None:
    sum_ = money(refund.amount, refund.currency)
    if refund.state == "done":
        messages.success(request, _("%(sum)s is given back.") % {"sum": sum_})
    elif refund.state == "asked":
        messages.info(request, _("%(sum)s is asked back; it is confirmed in the next days.") % {"sum": sum_})
    else:
        words = _("%(sum)s could not be given back: %(why)s") % {"sum": sum_, "why": refund.failed_because}
        messages.warning(request, words)


def _event(request: StaffRequest, pk: int) -> ProviderEvent:
    mine = ProviderEvent.objects.filter(checkout__company__in=request.desk.companies)
    return get_object_or_404(mine | ProviderEvent.objects.filter(checkout=None), pk=pk)
