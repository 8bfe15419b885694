"""Clients: the list, those nobody can write to, the file of one, and its master data and people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.models import Client, Contact
from clients.services import retire_contact, save_client, save_contact
from core.money import plain
from core.services import today
from dashboard.desk import StaffRequest, back, refusals_on, refusals_said, row_number
from dashboard.feed import entries
from dashboard.forms.clients import ClientForm, ContactForm, QuickContactForm
from dashboard.lists import Column, as_csv, in_order, page_of, wants_csv
from dashboard.pages import form_page
from dashboard.reports.clients import (
    Owed,
    at_their_desk,
    clients_shown,
    clients_without_contact,
    count_without_contact,
    file_of,
    listed_clients,
    money_of,
    owed_by,
    owed_in,
)
from dashboard.reports.credit import trust_in
from dashboard.reports.credit_desk import by_credit, spendable, with_rank
from dashboard.reports.why import ahead_of
from invoices.documents import recipient
from invoices.models import Invoice
from invoices.pdf import statement_pdf
from invoices.printing import CouldNotPrint
from invoices.services.exposure import credits_of, exposures_of
from reports.timeline import recent

from .client_head import client_at, crumbs_to, head_of

ORDERS = {
    "name": ["name"], "number": ["number"], "owed": ["-owed"], "late": ["-late"], "oldest": ["oldest"],
    "credit": ["-credit_rank", "name"],
}  # fmt: skip
CREDITS = {
    "": gettext_lazy("any"), "open": gettext_lazy("credit open"), "watch": gettext_lazy("watch"),
    "stricter": gettext_lazy("stricter terms"), "cash_only": gettext_lazy("cash only"),
    "closed": gettext_lazy("no sales"), "near": gettext_lazy("near or over the limit"),
    "unlimited": gettext_lazy("without a limit"),
}  # fmt: skip
AT_A_TIME = 500
SHOWN = {
    "all": {}, "owing": {"owes": True}, "late": {"is_late": True}, "quiet": {"owes": False},
}  # fmt: skip


def clients(request: StaffRequest) -> HttpResponseBase:
    """Every client of the company, found by name, number or person."""
    rows = _asked_for(request)
    wanted = request.GET.get("q", "").strip()
    if wanted:
        rows = rows.filter(pk__in=found(request, wanted))
    shown = request.GET.get("show", "all")
    credit, on = request.GET.get("credit", ""), request.desk.on
    rows = by_credit(rows.filter(**SHOWN.get(shown, {})), credit, on)
    if request.GET.get("sort", "").removeprefix("-") == "credit":
        rows = with_rank(rows, on)
    rows, order = in_order(request, rows.select_related("terms", "owner"), ORDERS, "name")
    if wants_csv(request):
        return as_csv("clients", _columns(owed_by(rows, on)), _with_credit(rows, on))
    # First who stands on the page, then all about these fifty: the database would work it out for everybody.
    page = page_of(request, rows.values_list("pk", flat=True))
    page.object_list = clients_shown(list(page.object_list), on)
    exposures = exposures_of(page, on)
    owed, credits = owed_in(exposures, page), credits_of(list(page), on, exposures)
    company, narrowed = request.desk.company, bool(wanted or credit or shown != "all")
    everybody = Client.objects.filter(company=company).count() if narrowed else page.paginator.count
    context: dict[str, Any] = {
        "page": page, "rows": [(client, owed[client.pk], credits[client.pk]) for client in page],
        "sort": order, "shown": shown, "q": wanted, "credit": credit, "credits": CREDITS.items(), "any": everybody,
        "without_contact": count_without_contact(company, request.desk.companies, everybody),
    }  # fmt: skip
    return render(request, "dashboard/clients.html", context)


def _asked_for(request: StaffRequest) -> QuerySet[Client]:
    """The company's clients, with what each owes where the list is narrowed or sorted by it, or handed out."""
    company, on = request.desk.company, request.desk.on
    sums = {"owed", "late", "oldest"}
    if wants_csv(request) or SHOWN.get(request.GET.get("show", "")) or request.GET.get("sort", "").strip("-") in sums:
        return listed_clients(company, on)
    return Client.objects.filter(company=company)


def _with_credit(rows: QuerySet[Client], on: dt.date) -> Iterator[Client]:
    """The clients with their ``credit``, so many at a time that a long list is streamed."""
    clients = rows.iterator(chunk_size=AT_A_TIME)
    while some := list(islice(clients, AT_A_TIME)):
        credits = credits_of(some, on)
        for client in some:
            client.credit = credits[client.pk]  # type: ignore[attr-defined]
            yield client


def found(request: StaffRequest, wanted: str) -> Any:
    """Clients whose name or number holds the words, or one of whose people does."""
    mine = Client.objects.filter(company=request.desk.company)
    by_name = mine.filter(name__icontains=wanted) | mine.filter(number__icontains=wanted)
    people = Contact.objects.filter(name__icontains=wanted) | Contact.objects.filter(email__icontains=wanted)
    return (by_name | mine.filter(contacts__in=people)).values("pk")


COLUMNS = [
    Column("number", lambda c: c.number), Column("name", lambda c: c.name), Column("country", lambda c: c.country),
    Column("terms", lambda c: c.terms), Column("currency", lambda c: c.currency),
    Column("owed", lambda c: plain(c.owed, c.currency)), Column("overdue", lambda c: plain(c.late, c.currency)),
    Column("oldest due", lambda c: c.oldest), Column("stage", lambda c: c.stage), Column("owner", lambda c: c.owner),
    Column("credit status", lambda c: c.credit.status.status if c.credit.status else "open"),
    Column("credit limit", lambda c: plain(c.credit.limit.amount, c.currency) if c.credit.limit else ""),
    Column("exposure", lambda c: plain(c.credit.exposure.total, c.currency)),
    Column("available credit", lambda c: spendable(c.credit, c.currency)),
]  # fmt: skip


def _columns(owed: dict[int, list[Owed]]) -> list[Column]:
    """The columns of the list; what is owed in currencies that are not the client's stands in one of its own."""

    def others(client: Client) -> str:
        foreign = [one for one in owed.get(client.pk, []) if one.currency != client.currency]
        return "; ".join(
            f"{one.currency} {plain(one.open, one.currency)} (overdue {plain(one.late, one.currency)})"
            for one in foreign
        )

    return [*COLUMNS, Column("owed in other currencies", others)]


def without_contact(request: StaffRequest) -> HttpResponseBase:
    """Clients nobody can write to, each with a row to fill; saving one leaves the others as they are."""
    if request.method == "POST":
        asked = request.POST.get("client", "")
        mine = Client.objects.filter(company=request.desk.company)
        client = get_object_or_404(mine, pk=row_number(asked))
        form = QuickContactForm(request.POST, prefix=str(client.pk))
        if form.is_valid():
            with refusals_on(form):
                save_contact(client, None, form.cleaned_data, by=request.user)
                messages.success(request, _("%(client)s can be written to now.") % {"client": client})
                return redirect(request.get_full_path())
        refused = {client.pk: form}
    else:
        refused = {}
    rows = clients_without_contact(request.desk.company)
    if wants_csv(request):
        columns = [Column("number", lambda c: c.number), Column("name", lambda c: c.name)]
        return as_csv("clients-without-contact", columns, rows.iterator())
    page = page_of(request, rows)
    owed = owed_by(page, request.desk.on)
    forms = [
        (client, refused.get(client.pk) or QuickContactForm(prefix=str(client.pk)), owed.get(client.pk, []))
        for client in page
    ]
    context = {"page": page, "forms": forms, "refused": refused}
    return render(request, "dashboard/clients_without_contact.html", context, status=422 if refused else 200)


def client_new(request: StaffRequest) -> HttpResponse:
    company = request.desk.company
    begun = {
        "currency": company.currency,
        "language": company.language,
        "country": company.country,
        "owner": request.user,
    }
    form = ClientForm(
        request.POST or None, company=company, on=request.desk.on, initial=begun,
        cancel_url=reverse("dashboard:clients"),
    )
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            client = save_client(None, form.facts() | {"company": company}, by=request.user, on=request.desk.on)
            messages.success(request, _("Added. Whom do reminders go to?"))
            return redirect("dashboard:contact_new", client.pk)
    return form_page(request, form, _("New client"), crumbs=[(_("Clients"), reverse("dashboard:clients"))])


def client_edit(request: StaffRequest, pk: int) -> HttpResponse:
    client = get_object_or_404(Client, pk=pk)
    form = ClientForm(
        request.POST or None, instance=client, company=client.company, on=today(client.company, request.desk.now),
        cancel_url=reverse("dashboard:client", args=[pk]),
    )
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            on = today(client.company, request.desk.now)
            save_client(client, form.facts(), by=request.user, version=form.cleaned_data["version"], on=on)
            messages.success(request, _("Saved."))
            return redirect("dashboard:client", pk)
    return form_page(request, form, _("Change master data"), crumbs=crumbs_to(client))


def client_file(request: StaffRequest, pk: int) -> HttpResponse:
    """One page for the telephone: what is owed, by whom, what was said, what comes next."""
    client, on = client_at(request, pk)
    people = list(client.contacts.order_by("-is_active", "id"))
    file, trust = file_of(client, on), trust_in(client, on)
    upcoming, why = ahead_of(client, on)
    context = {
        **head_of(request, client, on, "client", trust, file), "file": file, "money": money_of(file.debts, trust),
        "people": [at_their_desk(person, client, request.desk.now) for person in people],
        "bounced": [person for person in people if person.is_active and person.bounced_at],
        "reachable": any(person.is_active and person.email and not person.bounced_at for person in people),
        "next_step": upcoming, "why": why,
        "timeline": entries(recent(client, SHOWN_AT_FIRST), named=False),
    }  # fmt: skip
    return render(request, "dashboard/client.html", context)


def client_statement(request: StaffRequest, pk: int) -> HttpResponse:
    """The statement of account as the client would get it, with everything that is open today."""
    client = get_object_or_404(Client.objects.select_related("company"), pk=pk)
    on = today(client.company, request.desk.now)
    rows = Invoice.objects.open().of(client).order_by("due_on", "id")
    owed = [(invoice, invoice.balance) for invoice in rows]
    try:
        content = statement_pdf(client, owed, on, recipient(client))
    except CouldNotPrint as why:
        messages.error(request, _("The statement could not be made: %(why)s Try again.") % {"why": why})
        return redirect("dashboard:client", pk)
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="statement-{client.pk}-{on.isoformat()}.pdf"'
    return answer


SHOWN_AT_FIRST = 12


def contact_new(request: StaffRequest, pk: int) -> HttpResponse:
    client = get_object_or_404(Client, pk=pk)
    form = ContactForm(request.POST or None, cancel_url=reverse("dashboard:client", args=[pk]))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            save_contact(client, None, form.facts(), by=request.user)
            messages.success(request, _("Added."))
            return back(request, "dashboard:client", pk)
    return form_page(request, form, _("New contact"), crumbs=crumbs_to(client))


def contact_edit(request: StaffRequest, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact.objects.select_related("client"), pk=pk)
    form = ContactForm(
        request.POST or None, instance=contact, cancel_url=reverse("dashboard:client", args=[contact.client_id])
    )
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            save_contact(contact.client, contact, form.facts(), by=request.user, version=form.cleaned_data["version"])
            messages.success(request, _("Saved."))
            return redirect("dashboard:client", contact.client_id)
    return form_page(request, form, _("Change %(name)s") % {"name": contact.name}, crumbs=crumbs_to(contact.client))


@require_POST
def contact_retire(request: StaffRequest, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact, pk=pk)
    with refusals_said(request):
        retire_contact(contact, by=request.user)
        messages.success(request, _("%(name)s is no longer written to.") % {"name": contact.name})
    return redirect("dashboard:client", contact.client_id)
