"""A credit decision as a short memo on paper: what was decided, by which rules, and on what grounds. For our own file.

It stands here because documents are printed here; it is in the language of the desk.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.credit import Rule, decisive_of
from clients.models import CreditCheck, CreditDecision
from core.dates import show_day
from core.money import show
from policies.flags import FLAGS, OUTCOMES

from . import pdf
from .documents import Paper, freeze, paper_of
from .models import Invoice
from .paying import Row

LANGUAGE = "en"


@dataclass(frozen=True)
class RuleRow:
    """One rule as it was applied; ``decided`` where it led to the decision."""

    says: str
    saw: str
    needs: str
    leads_to: str
    decided: bool


@dataclass(frozen=True)
class Memo:
    """A credit decision, ready to read and to print: every figure and day is text."""

    head: Paper
    title: str
    labels: Mapping[str, str]
    client: str
    number: str
    on: dt.date
    decision: str
    limit: str
    terms: str
    summary: str
    exception: str
    facts: tuple[Row, ...]
    rules: tuple[RuleRow, ...]
    check: tuple[Row, ...]
    findings: str


def credit_memo(decision: CreditDecision) -> Memo:
    """What the memo of a decision says; the page at the desk shows the same."""
    client, on = decision.client, decision.decided_on
    with translation.override(LANGUAGE):
        applied = [Rule(**rule) for rule in decision.rules]
        led = decisive_of(applied, decision.outcome)
        rules = tuple(
            RuleRow(rule.says, rule.saw, rule.needs, _outcome(rule.leads_to), rule in led) for rule in applied
        )
        check = decision.check_used
        paper = freeze(Invoice(company=client.company, client=client, currency=decision.currency))
        return Memo(
            head=paper_of({**paper, "language": LANGUAGE}), title=_("Credit decision"), labels=_labels(),
            client=client.name, number=client.number, on=on, decision=_outcome(decision.outcome).capitalize(),
            limit=_limit(decision), terms=_terms(decision), summary=_summary(rules), exception=_exception(decision),
            facts=_facts(decision), rules=rules, check=_check(check) if check else (),
            findings=check.findings.strip() if check else "",
        )  # fmt: skip


def credit_memo_pdf(decision: CreditDecision) -> bytes:
    """The memo on the company's paper (A4 or Letter); the same decision gives the same bytes."""
    return pdf.print_document("pdf/credit_memo.html", credit_memo(decision))


def _labels() -> dict[str, str]:
    return {
        "decision": _("Decision"), "limit": _("Credit limit"), "client": _("Client"), "rule": _("Rule"),
        "saw": _("What it saw"), "needs": _("What it asks"), "leads_to": _("Leads to"),
        "check": _("The credit check"), "findings": _("Findings"),
    }  # fmt: skip


def _outcome(code: str) -> str:
    return str(dict(OUTCOMES).get(code, "")) if code else ""


def _limit(decision: CreditDecision) -> str:
    if decision.limit is None:
        return _("None") if decision.outcome in ("prepayment", "decline") else _("Unchanged")
    return show(decision.limit, decision.currency, LANGUAGE)


def _terms(decision: CreditDecision) -> str:
    """The terms of sale in words."""
    if decision.outcome == "decline":
        return _("We do not sell to this client.")
    if decision.outcome == "prepayment":
        return _("Paid in advance, or cash on delivery.")
    if decision.terms_days is None:
        return _("On the terms agreed.")
    parts = [ngettext("%(n)d day to pay", "%(n)d days to pay", decision.terms_days) % {"n": decision.terms_days}]
    if decision.deposit_percent:
        parts.append(_("%(percent)s%% in advance") % {"percent": f"{decision.deposit_percent.normalize():f}"})
    return ", ".join(parts) + "."


def _summary(rules: tuple[RuleRow, ...]) -> str:
    led = [f"{rule.says} ({rule.saw})" if rule.saw else rule.says for rule in rules if rule.decided]
    return _("What led to it: %(rules)s.") % {"rules": "; ".join(led)} if led else ""


def _exception(decision: CreditDecision) -> str:
    if decision.expires_on is None:
        return decision.reason
    return _("Decided otherwise than the policy until %(day)s: %(reason)s") % {
        "day": show_day(decision.expires_on, LANGUAGE), "reason": decision.reason
    }  # fmt: skip


def _facts(decision: CreditDecision) -> tuple[Row, ...]:
    facts = [
        (_("Decided on"), show_day(decision.decided_on, LANGUAGE)),
        (_("Decided by"), decision.decided_by),
        (_("Holds until"), show_day(decision.expires_on, LANGUAGE) if decision.expires_on else ""),
        (_("Credit policy from"), show_day(decision.policy.effective_from, LANGUAGE)),
    ]
    return tuple(Row(label, value) for label, value in facts if value)


def _check(check: CreditCheck) -> tuple[Row, ...]:
    score = ""
    if check.score is not None:
        ends: dict[str, Any] = {
            "score": f"{check.score.normalize():f}", "low": f"{check.scale_low.normalize():f}",
            "high": f"{check.scale_high.normalize():f}",
        }  # fmt: skip
        score = _("%(score)s on a scale from %(low)s (worst) to %(high)s (best)") % ends
    limit = check.recommended_limit
    names = dict(FLAGS)
    facts = [
        (_("Checked by"), " ".join(part for part in (check.provider, check.reference) if part)),
        (_("Checked on"), show_day(check.checked_on, LANGUAGE)),
        (_("Valid until"), show_day(check.valid_until, LANGUAGE)),
        (_("Score"), score), (_("Rating"), check.rating),
        (_("Recommended limit"), "" if limit is None else show(limit, check.currency, LANGUAGE)),
        (_("Flags"), ", ".join(str(names.get(flag, flag)) for flag in check.flags)),
    ]  # fmt: skip
    return tuple(Row(label, value) for label, value in facts if value)
