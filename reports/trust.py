"""What happened to the trust in a client, and to its file: checks, decisions, limits, status, exceptions, terms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from django.db.models import BigIntegerField, Exists, OuterRef
from django.db.models.functions import Cast
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ar_collections.models import Greeting, LimitProposal
from audit.models import Event
from clients.models import (
    Acceptance,
    Client,
    Contact,
    CreditCheck,
    CreditDecision,
    CreditLimit,
    CreditOverride,
    Document,
    LimitMark,
    StatusChange,
)
from invoices.models import CompletedWork, ProForma

from .happenings import Happening, Scope, about

TONES = {"open": "good", "watch": "warn", "stricter": "warn", "cash_only": "bad", "closed": "bad"}
DECIDED = {"accept": "good", "stricter": "warn", "prepayment": "bad", "decline": "bad"}
MASTER_DATA = ("client_changed", "contact_added", "contact_changed")
IN_SPITE = "credit_rule_passed"
LOST_CASH = "invoice_lost_its_cash"


def _checks(scope: Scope) -> Iterator[Happening]:
    for check in scope.rows(CreditCheck, "client__company", dated="checked_on")[: scope.most]:
        text = _("Credit check by %(provider)s") % {"provider": check.provider}
        score = f"{check.score.normalize():f}" if check.score is not None else ""
        found = " · ".join(filter(None, [check.rating, score]))
        yield about(
            "check", check.client, check.checked_on, check.entered_at, f"{text}: {found}" if found else text,
            quote=check.findings, note=check.entered_by, tone="warn" if check.flags else "",
            target=("client_credit", check.client_id),
        )  # fmt: skip


def _decisions(scope: Scope) -> Iterator[Happening]:
    for decision in scope.rows(CreditDecision, "client__company", dated="decided_on")[: scope.most]:
        text = _("Credit decision: %(outcome)s") % {"outcome": decision.get_outcome_display()}
        until = _("holds until %(day)s") % {"day": scope.day(decision.expires_on)} if decision.expires_on else ""
        yield about(
            "decision", decision.client, decision.decided_on, decision.decided_at, text, quote=decision.reason,
            note=" · ".join(filter(None, [decision.decided_by, until])), tone=DECIDED[decision.outcome],
            target=("client_credit", decision.client_id),
        )


def _limits(scope: Scope) -> Iterator[Happening]:
    rows = scope.rows(CreditLimit, "client__company", dated="effective_on")
    for limit in (rows if scope.client else rows.exclude(source__in=["policy", "import"]))[: scope.most]:
        text = _("Credit limit: %(amount)s") % {"amount": scope.money(limit.amount, limit.currency)}
        yield about(
            "limit", limit.client, limit.effective_on, limit.set_at, text, quote=limit.because,
            note=f"{limit.get_source_display()} · {limit.set_by}", target=("client_credit", limit.client_id),
        )


def _statuses(scope: Scope) -> Iterator[Happening]:
    for change in scope.rows(StatusChange, "client__company", dated="effective_on")[: scope.most]:
        text = _("Credit status: %(status)s") % {"status": change.get_status_display()}
        if change.ends_on:
            text = _("%(text)s until %(day)s") % {"text": text, "day": scope.day(change.ends_on)}
        yield about(
            "status", change.client, change.effective_on, change.set_at, text, quote=change.because,
            note=f"{change.get_source_display()} · {change.set_by}", tone=TONES[change.status],
            target=("client_credit", change.client_id),
        )


def _overrides(scope: Scope) -> Iterator[Happening]:
    for override in scope.rows(CreditOverride, "client__company", dated="granted_on")[: scope.most]:
        facts = {"what": override.get_allows_display(), "day": scope.day(override.expires_on)}
        text = _("Exception granted until %(day)s: %(what)s") % facts
        yield about(
            "exception", override.client, override.granted_on, override.granted_at, text, quote=override.reason,
            note=override.granted_by, tone="warn", target=("client_credit", override.client_id),
        )
        if scope.client and override.ended_at:
            text = _("Exception ended: %(what)s") % facts
            yield about(
                "exception", override.client, None, override.ended_at, text, note=override.ended_by,
                target=("client_credit", override.client_id),
            )


def _marks(scope: Scope) -> Iterator[Happening]:
    higher = LimitMark.objects.filter(
        client=OuterRef("client"), currency=OuterRef("currency"), crossed_on=OuterRef("crossed_on"),
        percent__gt=OuterRef("percent"),
    )  # one leap over several marks is told once
    rows = scope.rows(LimitMark, "client__company", dated="crossed_on").filter(~Exists(higher))
    for mark in rows[: scope.most]:
        facts = {
            "percent": mark.percent, "exposure": scope.money(mark.exposure, mark.currency),
            "limit": scope.money(mark.limit, mark.currency),
        }
        text = _("%(percent)s %% of the limit used: %(exposure)s of %(limit)s") % facts
        tone = "bad" if mark.percent >= 100 else "warn"
        yield about(
            "mark", mark.client, mark.crossed_on, mark.crossed_at, text, tone=tone,
            target=("client_credit", mark.client_id),
        )


def _proposals(scope: Scope) -> Iterator[Happening]:
    for proposal in scope.rows(LimitProposal, "client__company", dated="as_of")[: scope.most]:
        facts = {"amount": scope.money(proposal.proposed, proposal.currency)}
        text = _("A limit of %(amount)s is proposed") % facts
        note = " · ".join(filter(None, [proposal.get_outcome_display(), proposal.decided_by]))
        yield about(
            "limit", proposal.client, proposal.as_of, proposal.made_at, text, quote=proposal.note, note=note,
            target=("client_credit", proposal.client_id),
        )


def _acceptances(scope: Scope) -> Iterator[Happening]:
    for accepted in scope.rows(Acceptance, "client__company", "terms", dated="accepted_at")[: scope.most]:
        text = _("Accepted the credit terms of %(day)s") % {"day": scope.day(accepted.terms.effective_from)}
        note = f"{accepted.accepted_by} · {accepted.get_way_display()}"
        yield about(
            "terms", accepted.client, None, accepted.accepted_at, text, note=note, tone="good",
            target=("client_about", accepted.client_id),
        )


def _documents(scope: Scope) -> Iterator[Happening]:
    for document in scope.rows(Document, "client__company", dated="added_at")[: scope.most]:
        target = ("client_about", document.client_id)
        text = _("Document filed: %(name)s") % {"name": document.name}
        yield about("document", document.client, None, document.added_at, text, note=document.added_by, target=target)
        if scope.client and document.removed_at:
            text = _("Document taken off the file: %(name)s") % {"name": document.name}
            yield about(
                "document", document.client, None, document.removed_at, text, note=document.removed_by, target=target
            )


def _greetings(scope: Scope) -> Iterator[Happening]:
    rows = scope.rows(Greeting, "client__company", "occasion", "contact", dated="on").filter(left_out_because="")
    for greeting in rows.exclude(message=None)[: scope.most]:
        text = _("Greeted for %(occasion)s") % {"occasion": greeting.occasion}
        at = dt.datetime.combine(greeting.on, dt.time(12), tzinfo=greeting.client.company.zone)
        yield about(
            "greeting", greeting.client, greeting.on, at, text, note=greeting.contact.name,
            target=("client_about", greeting.client_id),
        )


def _work(scope: Scope) -> Iterator[Happening]:
    for work in scope.rows(CompletedWork, "client__company", dated="done_on").filter(removed_at=None)[: scope.most]:
        text = _("Work done: %(what)s") % {"what": work.description}
        note = f"{scope.money(work.gross, work.currency)} · {work.recorded_by}"
        yield about("work", work.client, work.done_on, work.recorded_at, text, note=note)


def _pro_formas(scope: Scope) -> Iterator[Happening]:
    """Those made for a client; the draft that leads to it may have been thrown away, who it was made for is kept."""
    assert scope.client is not None
    client = scope.client
    made = Event.objects.filter(client_id=client.pk, action="pro_forma_made")
    theirs = ProForma.objects.filter(pk__in=made.annotate(made=Cast("object_id", BigIntegerField())).values("made"))
    for pro_forma in theirs.order_by("-made_on", "-pk")[: scope.most]:
        target = ("invoice", pro_forma.invoice_id) if pro_forma.invoice_id else ("pro_forma", pro_forma.pk)
        facts = {"number": pro_forma.number, "amount": scope.money(pro_forma.total, pro_forma.currency)}
        text = _("Pro forma %(number)s over %(amount)s made") % facts
        note = _("to be paid by %(day)s") % {"day": scope.day(pro_forma.pay_by)}
        yield about("invoice", client, pro_forma.made_on, pro_forma.made_at, text, note=note, target=target)
        if pro_forma.cancelled_at:
            text = _("Pro forma %(number)s cancelled") % facts
            yield about(
                "invoice", client, None, pro_forma.cancelled_at, text, quote=pro_forma.cancelled_because, target=target
            )


def _audited(scope: Scope) -> Iterator[Happening]:
    """Master data that was changed (what it said before stands in the audit trail), what was invoiced in spite of
    a rule of credit, and what was invoiced against cash that is gone."""
    assert scope.client is not None
    kept = Event.objects.filter(client_id=scope.client.pk, action__in=(*MASTER_DATA, IN_SPITE, LOST_CASH))
    for event in kept[: scope.most]:
        if event.action == IN_SPITE:
            prepaid = event.diff.get("by") == "paid"
            text = _("Invoiced against payment in advance") if prepaid else _("Invoiced in spite of the credit rules")
            yield about(
                "exception", scope.client, None, event.at, text, tone="" if prepaid else "warn", quote=event.summary,
                note=event.actor, target=("invoice", int(event.object_id)),
            )
            continue
        if event.action == LOST_CASH:
            text = _("The cash an invoice was issued against is no longer there")
            yield about(
                "exception", scope.client, None, event.at, text, tone="bad", quote=event.summary, note=event.actor,
                target=("invoice", int(event.object_id)),
            )
            continue
        words = _changed_fields(event)
        text = _("Contact added") if event.action == "contact_added" else _("Changed: %(fields)s") % {"fields": words}
        target = ("client_about", scope.client.pk)
        yield about("data", scope.client, None, event.at, text, note=event.actor, target=target)


def _changed_fields(event: Event) -> str:
    model = Contact if event.object_type == "clients.contact" else Client
    named = {field.name: str(getattr(field, "verbose_name", field.name)) for field in model._meta.get_fields()}
    return capfirst(", ".join(named.get(name, name) for name in event.diff))


LATEST: tuple[Callable[[Scope], Iterator[Happening]], ...] = (
    _decisions, _limits, _statuses, _overrides, _marks, _acceptances,
)  # fmt: skip
SOURCES = (*LATEST, _checks, _proposals, _documents, _greetings, _work, _pro_formas, _audited)
