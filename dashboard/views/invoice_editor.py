"""Writing an invoice: one page for a new draft and for changing one, with what it comes to while it is written."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clients.models import Client, Wishes
from core.errors import Refused
from core.models import Company
from dashboard.desk import StaffRequest, refusals_on, row_number
from dashboard.forms.invoices import MOST_LINES, ExtraFormSet, HeadingForm, LineFormSet, lines_of
from dashboard.reports.invoice_editor import differ, not_asked, tax_for, tax_words
from dashboard.templatetags.ledger import plain_number
from invoices.models import Invoice
from invoices.services.credit import warn_about
from invoices.services.drafting import ExtraField, draft_invoice, edit_draft, totals_of_lines, wished_fields
from invoices.services.parts import terms_preview
from policies.services import default_terms

from .invoices import credit_left, issue

NOT_KEPT = 0  # the number no invoice has
LOOKS = ("line", "extra", "client", "tax", "totals")  # buttons of the editor that keep nothing


def invoice_new(request: StaffRequest) -> HttpResponse:
    asked = request.GET.get("client", "")
    mine = Client.objects.filter(company=request.desk.company)
    client = mine.filter(pk=row_number(asked)).first()
    currency = client.currency if client else request.desk.company.currency
    return _write(request, None, client, {"client": client, "currency": currency})


def invoice_edit(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = get_object_or_404(Invoice.objects.select_related("client__company"), pk=pk)
    if invoice.issued_at is not None:
        return redirect("dashboard:invoice", pk)
    fields = (
        "client", "version", "contact", "terms", "currency", "po_number", "service_from", "service_to", "note", "ways",
    )  # fmt: skip
    return _write(request, invoice, invoice.client, {name: getattr(invoice, name) for name in fields})


def _write(
    request: StaffRequest, invoice: Invoice | None, client: Client | None, begun: dict[str, Any]
) -> HttpResponse:
    """One page writes a draft and writes it anew; the buttons that are no «Keep», «Issue» or «Send» only look."""
    company = invoice.company if invoice else request.desk.company
    data, act = request.POST.copy() if request.method == "POST" else None, request.POST.get("do", "save")
    looking = act in LOOKS
    if data is not None:
        if looking:
            client = client or company.clients.filter(pk=row_number(data.get("client", ""))).first()
        _grown(data, act, client, company)
    form = HeadingForm(data, initial=begun, company=company, client=client)
    lines = LineFormSet(
        data, prefix="lines", initial=lines_of(invoice) if invoice else None,
        form_kwargs={"tax": tax_for(client, company) if client else None},
    )  # fmt: skip
    extras = ExtraFormSet(data, prefix="extra", initial=_extras_of(invoice, client))
    good = data is not None and form.is_valid() and lines.is_valid() and extras.is_valid()
    if good and act in ("save", "issue", "send"):
        with refusals_on(form):
            return _kept(request, invoice, form, lines, extras, act)
    shown = {
        "form": form, "lines": lines, "extras": extras, "invoice": invoice, "client": client, "looking": looking,
        "totals": _totals(request, form, lines, invoice) if good else None,
    }  # fmt: skip
    refused = data is not None and not looking
    return render(request, "dashboard/invoice_form.html", shown, status=422 if refused else 200)


def _grown(data: Any, act: str, client: Client | None, company: Company) -> None:
    """The form as sent, with what a button that only looks adds to it: a row, the client's fields, the tax proposed."""
    data.setdefault("extra-TOTAL_FORMS", "0")
    data.setdefault("extra-INITIAL_FORMS", "0")
    if act == "line":
        n = _another(data, "lines")
        for name, otherwise in (("quantity", "1"), ("tax_percent", "0"), ("tax_category", "")) if n >= 0 else ():
            above = data.get(f"lines-{n - 1}-{name}") if name != "quantity" else None
            data.setdefault(f"lines-{n}-{name}", above or otherwise)
    elif act == "extra":
        _another(data, "extra")
    elif act == "client" and client is not None:
        values = {field["label"]: field["value"] for field in wished_fields(client)}
        for label in not_asked(client, data):
            n = _another(data, "extra")
            data[f"extra-{n}-label"], data[f"extra-{n}-value"] = label, values[label]
    elif act == "tax" and client is not None:
        proposal = tax_for(client, company)
        for n in range(min(row_number(data.get("lines-TOTAL_FORMS", "")), MOST_LINES)):
            data[f"lines-{n}-tax_percent"] = plain_number(proposal.percent)
            data[f"lines-{n}-tax_category"] = proposal.category


def _another(data: Any, prefix: str) -> int:
    """One row more in a formset as sent; answers with its number, or -1 where its count is nonsense or full."""
    rows = data.get(f"{prefix}-TOTAL_FORMS", "")
    if rows != "0" and not row_number(rows):  # the formset itself says what is wrong with anything else
        return -1
    n = int(rows)
    if n >= MOST_LINES:
        return -1
    data[f"{prefix}-TOTAL_FORMS"] = str(n + 1)
    return n


def _extras_of(invoice: Invoice | None, client: Client | None) -> list[ExtraField]:
    """The extra fields the form begins with: the draft's, then what its client wishes and nobody filled in."""
    there: list[ExtraField] = list(invoice.extra_fields) if invoice else []
    known = {field["label"].casefold() for field in there}
    wished = wished_fields(client) if client else []
    return [*there, *(field for field in wished if field["label"].casefold() not in known)]


def _kept(
    request: StaffRequest, invoice: Invoice | None, form: HeadingForm, lines: Any, extras: Any, act: str
) -> HttpResponse:
    heading = form.heading(extras.extras())
    if invoice is None:
        key = form.cleaned_data["key"] or None
        written = Invoice.objects.filter(form_key=key).first() if key else None
        if written is not None:
            said = _("This form was already sent and wrote %(invoice)s; nothing was written again. Begin a new one.")
            messages.warning(request, said % {"invoice": written})
            return redirect("dashboard:invoice", written.pk)
        draft = draft_invoice(form.cleaned_data["client"], lines.lines(), heading=heading, key=key, by=request.user)
    else:
        version = form.cleaned_data["version"]
        draft = edit_draft(invoice, lines.lines(), heading=heading, version=version, by=request.user)
    if act == "save":
        messages.success(request, _("Kept as a draft."))
        return redirect("dashboard:invoice", draft.pk)
    return issue(request, draft, then_send=act == "send")


def invoice_totals(request: StaffRequest) -> HttpResponse:
    """The totals and the due date of what is being written, as a fragment; nothing is kept."""
    form = HeadingForm(request.POST or None, company=request.desk.company)
    lines = LineFormSet(request.POST or None, prefix="lines")
    form.is_valid()
    asked = request.GET.get("invoice", "")
    mine = Invoice.objects.drafts().filter(company=request.desk.company)
    draft = mine.filter(pk=row_number(asked)).first()
    return render(request, "dashboard/_totals.html", {"totals": _totals(request, form, lines, draft)})


def _totals(request: StaffRequest, form: HeadingForm, lines: Any, draft: Invoice | None) -> dict[str, Any]:
    """What the invoice would come to, when it would be due if it were issued today, and what will be in its way."""
    given, on, company = getattr(form, "cleaned_data", {}), request.desk.on, request.desk.company
    client: Client | None = given.get("client")
    currency = given.get("currency") or company.currency
    shown: dict[str, Any] = {"currency": currency}
    if client is not None:
        shown["client"], shown["said_early"] = client, _said_early(client, given.get("po_number", ""), request.POST)
    written = [line.line() for line in lines.forms if line.has_changed() and line.is_valid()]
    try:
        shown["totals"] = totals_of_lines(written, currency)[0]
        terms = given.get("terms") or (client.terms if client else None) or default_terms(company)
        if terms is not None:
            shown["terms"], total = terms, shown["totals"].total
            language = get_language() or "en"
            shown["due"] = due = terms_preview(terms, on, company, total, currency, language)
            shown["early_words"] = due.early.words(language) if due.early else ""
    except (Refused, ValueError) as refused:
        shown["refused"] = str(refused)
        return shown
    if client is not None:
        shown["tax"] = tax = tax_for(client, company)
        shown["tax_words"], shown["tax_differs"] = tax_words(tax, client), differ(written, tax)
        if shown["totals"].total > 0:
            meant = Invoice(pk=draft.pk if draft else NOT_KEPT, client=client, currency=currency, terms=terms)
            meant.total = shown["totals"].total
            shown["warns"] = warn_about(meant, on)
            shown["credit"] = credit_left(meant, on)
    return shown


def _said_early(client: Client, po_number: str, data: Any) -> dict[str, Any]:
    """What the client's office asks of every invoice and this one lacks so far, and what else they said helps."""
    note = Wishes.objects.filter(client=client).values_list("note", flat=True).first() or ""
    return {"po": client.po_required and not po_number.strip(), "fields": not_asked(client, data), "note": note}
