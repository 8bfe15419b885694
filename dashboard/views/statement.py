"""The statement of account: all that is open with a running balance, what moved, by mail, as CSV; and money back."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.models import Client
from core.money import plain
from core.permissions import may
from core.services import today
from dashboard.desk import StaffRequest, refusals_on
from dashboard.forms.papers import PageLinkForm, PayBackForm, ReaderForm
from dashboard.lists import Column, as_csv, wants_csv
from dashboard.pages import form_page
from dashboard.reports.statement import account_of
from dashboard.templatetags.ledger import money
from invoices.documents import recipient
from invoices.services.passing import send_page_link
from invoices.services.sending import UNDO
from outbox.models import Message
from payments.services import pay_back, unapplied_cash
from payments.services.paying_back import free_to_pay_back
from payments.services.sending import send_statement

from .client_head import crumbs_to

LOOKED_BACK = dt.timedelta(days=365)
OPEN_COLUMNS = [
    Column("what", lambda r: r.label), Column("issued", lambda r: r.issued_on), Column("due", lambda r: r.due_on),
    Column("amount", lambda r: plain(r.total, r.currency)), Column("open", lambda r: plain(r.open, r.currency)),
    Column("running balance", lambda r: plain(r.running, r.currency)), Column("currency", lambda r: r.currency),
]  # fmt: skip
MOVED_COLUMNS = [
    Column("date", lambda r: r.on), Column("what", lambda r: r.label),
    Column("amount", lambda r: plain(r.amount, r.currency)),
    Column("balance after it", lambda r: plain(r.running, r.currency)), Column("currency", lambda r: r.currency),
]  # fmt: skip


def client_account(request: StaffRequest, pk: int) -> HttpResponseBase:
    """The statement of account: a block per currency."""
    client = get_object_or_404(Client.objects.select_related("company"), pk=pk)
    on = today(client.company, request.desk.now)
    since = _day(request.GET.get("since", "")) or on - LOOKED_BACK
    accounts = account_of(client, since=since, on=on)
    if wants_csv(request):
        if request.GET.get("what") == "moved":
            return as_csv(f"account-{client.number}", MOVED_COLUMNS, [row for a in accounts for row in a.movements])
        return as_csv(f"statement-{client.number}", OPEN_COLUMNS, [row for a in accounts for row in a.rows])
    context = {
        "client": client, "accounts": accounts, "on": on, "since": since,
        "may_pay_back": may(request.user, "payments.add_refund"), "held": unapplied_cash(client),
        "sent": Message.objects.filter(key__startswith=f"statement:{client.pk}:send:").order_by("-pk")[:5],
    }  # fmt: skip
    return render(request, "dashboard/papers/statement.html", context)


def client_account_send(request: StaffRequest, pk: int) -> HttpResponse:
    """To whom the statement goes."""
    client = get_object_or_404(Client.objects.select_related("company"), pk=pk)
    url = reverse("dashboard:client_account", args=[pk])
    form = ReaderForm(request.POST or None, client=client, initial={"contact": recipient(client)}, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            to = form.cleaned_data["contact"]
            message = send_statement(
                client, contact=to, on=today(client.company, request.desk.now), by=request.user
            )
            messages.success(
                request, _("On its way to %(to)s in ten seconds.") % {"to": to.name},
                extra_tags=f"undo:{reverse('dashboard:outbox_undo', args=[message.pk])}",
            )  # fmt: skip
            return redirect(url)
    lead = _("Everything that is open when it leaves, as a PDF, with a private link to look at it and pay.")
    return form_page(request, form, _("Mail the statement of account"), crumbs=_crumbs(client), lead=lead)


def client_page_link(request: StaffRequest, pk: int, page: str) -> HttpResponse:
    """To whom the private link to all that is open, or to «What would help your team pay faster?», goes."""
    client = get_object_or_404(Client.objects.select_related("company"), pk=pk)
    heading, lead, url = {
        "statement": (
            _("Mail the link to all that is open"),
            _("The page shows what is open on that day, behind a code that is mailed; there it is paid together."),
            reverse("dashboard:client_account", args=[pk]),
        ),
        "wishes": (
            _("Ask what would help them pay faster"),
            _("The page asks for an order number, fields to print, a cover page and a form of their own; "
              "what they tell stands here at once."),
            f"{reverse('dashboard:client_about', args=[pk])}#wishes",
        ),
    }[page]  # fmt: skip
    form = PageLinkForm(request.POST or None, client=client, initial={"contact": recipient(client)}, cancel_url=url)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            to = form.cleaned_data["contact"]
            message = send_page_link(
                client, page, to, on=today(client.company, request.desk.now), by=request.user,
                not_before=request.desk.now + UNDO, key=form.cleaned_data["key"],
            )
            messages.success(
                request, _("On its way to %(to)s in ten seconds.") % {"to": to.name},
                extra_tags=f"undo:{reverse('dashboard:outbox_undo', args=[message.pk])}",
            )  # fmt: skip
            return redirect(url)
    crumbs = _crumbs(client) if page == "statement" else crumbs_to(client)
    return form_page(request, form, heading, crumbs=crumbs, lead=lead)


def client_pay_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Money that belongs to nothing was transferred back."""
    client = get_object_or_404(Client.objects.select_related("company"), pk=pk)
    url = reverse("dashboard:client_account", args=[pk])
    free = {currency: free_to_pay_back(client, currency) for currency in sorted(unapplied_cash(client))}
    free = {currency: amount for currency, amount in free.items() if amount}
    if not free:
        messages.warning(request, _("No money of this client is free to be paid back."))
        return redirect(url)
    currency, amount = next(iter(free.items()))
    form = PayBackForm(
        request.POST or None, currencies=list(free), initial={"amount": amount, "currency": currency}, cancel_url=url
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        with refusals_on(form):
            pay_back(
                client, given["amount"], given["currency"], on=today(client.company, request.desk.now),
                by=request.user, reason=given["reason"], key=given["key"],
            )
            said = money(given["amount"], given["currency"])
            messages.success(request, _("%(sum)s is noted as paid back.") % {"sum": said})
            return redirect(url)
    words = ", ".join(money(amount, currency) for currency, amount in free.items())
    lead = _("%(sum)s is free: not put to anything, and waited for by nothing. Transfer it first, then note it here.")
    return form_page(
        request, form, _("Pay money back"), crumbs=_crumbs(client), lead=lead % {"sum": words}
    )


def _day(said: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(said)
    except ValueError:
        return None


def _crumbs(client: Client) -> list[tuple[str, str]]:
    return [
        (str(client), reverse("dashboard:client", args=[client.pk])),
        (_("Statement"), reverse("dashboard:client_account", args=[client.pk])),
    ]
