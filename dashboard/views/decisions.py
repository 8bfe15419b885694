"""The credit decision as a memo, deciding by the policy or otherwise, and the limits a review proposes."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ar_collections.models import LimitProposal
from ar_collections.services.reviewing import approve_proposal, reject_proposal
from clients.models import Client, CreditDecision
from clients.services.deciding import decide_credit, grounds_of
from core.services import today
from dashboard.desk import StaffRequest, back, refusals_on, refusals_said
from dashboard.forms.checks import OtherwiseForm, RejectForm
from dashboard.pages import form_page
from dashboard.templatetags.ledger import money
from invoices.memo import credit_memo_pdf
from invoices.printing import CouldNotPrint

from .client_head import client_at, crumbs_to, rights_of

HOLDS = dt.timedelta(days=90)


@require_POST
def decide(request: StaffRequest, pk: int) -> HttpResponse:
    """Decide as the policy says, and put it into force."""
    client, on = client_at(request, pk)
    with refusals_said(request):
        decision = decide_credit(client, on=on, by=request.user)
        messages.success(request, _("Decided: %(outcome)s.") % {"outcome": decision.get_outcome_display()})
    return redirect(_credit(client))


def decide_otherwise(request: StaffRequest, pk: int) -> HttpResponse:
    """Decide otherwise than the policy, with a reason and a last day."""
    client, on = client_at(request, pk)
    form = OtherwiseForm(request.POST or None, initial={"expires_on": on + HOLDS}, cancel_url=_credit(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            decision = decide_credit(client, on=on, by=request.user, **form.cleaned_data)
            messages.success(request, _("Decided: %(outcome)s.") % {"outcome": decision.get_outcome_display()})
            return redirect(_credit(client))
    lead = ""
    if not form.is_bound:
        with refusals_said(request):
            outcome = dict(CreditDecision.OUTCOMES)[grounds_of(client, on).outcome.outcome]
            lead = _("The policy says: %(outcome)s.") % {"outcome": outcome}
    return form_page(request, form, _("Decide otherwise"), crumbs=_crumbs(client), lead=lead)


def decision_memo(request: StaffRequest, pk: int) -> HttpResponse:
    """One decision as a memo: what was decided, on what grounds, by which rules; made to be printed."""
    decisions = CreditDecision.objects.select_related("client__company", "policy", "check_used", "overrides")
    decision = get_object_or_404(decisions, pk=pk)
    on = today(decision.client.company, request.desk.now)
    context = {
        "decision": decision, "client": decision.client, "on": on, "crumbs": _crumbs(decision.client),
        "is_over": decision.expires_on is not None and decision.expires_on < on, "rights": rights_of(request),
    }  # fmt: skip
    return render(request, "dashboard/client/memo.html", context)


def decision_memo_pdf(request: StaffRequest, pk: int) -> HttpResponse:
    """The same memo on paper."""
    decision = get_object_or_404(CreditDecision.objects.select_related("client"), pk=pk)
    try:
        content = credit_memo_pdf(decision)
    except CouldNotPrint as why:
        messages.error(request, _("The PDF could not be made: %(why)s Try again.") % {"why": why})
        return redirect("dashboard:credit_memo", pk)
    name = f"credit-memo-{decision.client.number}-{decision.decided_on.isoformat()}.pdf"
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = content_disposition_header(False, name) or "inline"
    return answer


@require_POST
def proposal_approve(request: StaffRequest, pk: int) -> HttpResponse:
    """The proposed limit holds from today."""
    proposal = _proposal(pk)
    on = today(proposal.client.company, request.desk.now)
    with refusals_said(request):
        limit = approve_proposal(proposal, on=on, by=request.user, note=request.POST.get("note", ""))
        facts = {"client": proposal.client, "limit": money(limit.amount, limit.currency)}
        messages.success(request, _("%(client)s has a limit of %(limit)s from today.") % facts)
    return back(request, "dashboard:client_credit", proposal.client_id)


def proposal_reject(request: StaffRequest, pk: int) -> HttpResponse:
    """The limit stays as it is, for a reason."""
    proposal = _proposal(pk)
    client = proposal.client
    form = RejectForm(request.POST or None, cancel_url=_credit(client))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            on = today(client.company, request.desk.now)
            reject_proposal(proposal, reason=form.cleaned_data["reason"], on=on, by=request.user)
            messages.success(request, _("Rejected; the limit stays."))
            return back(request, "dashboard:client_credit", client.pk)
    facts = {
        "now": money(proposal.current, proposal.currency) or _("no limit"),
        "proposed": money(proposal.proposed, proposal.currency),
    }
    lead = _("%(proposed)s is proposed; today it is %(now)s.") % facts
    return form_page(request, form, _("Reject the proposal"), crumbs=_crumbs(client), lead=lead)


def _proposal(pk: int) -> LimitProposal:
    return get_object_or_404(LimitProposal.objects.select_related("client__company"), pk=pk)


def _credit(client: Client) -> str:
    return reverse("dashboard:client_credit", args=[client.pk])


def _crumbs(client: Client) -> list[tuple[str, str]]:
    return [*crumbs_to(client), (_("Credit"), _credit(client))]
