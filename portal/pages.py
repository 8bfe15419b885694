"""What the client's page shows: an invoice, what is open on it, how to pay, what was said, and what happens next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ar_collections.models import Pause, Promise, Task
from ar_collections.services.coming import coming
from ar_collections.services.promising import latest_day_to_promise
from core.dates import show_day
from core.money import plain, show
from disputes.models import Dispute
from invoices.documents import LineRow, credit_terms_line, facts_of, invoice_facts, line_rows, total_rows
from invoices.models import Invoice, ShareLink
from invoices.paying import Row, Way, late_terms, ways_to_pay
from invoices.services.charging import interest_starts_on
from policies.models import Policy
from policies.terms import due_words


@dataclass(frozen=True)
class Told:
    """One thing the client has told us, and what follows from it."""

    icon: str
    title: str
    text: str


@dataclass(frozen=True)
class Page:
    """Everything on the page, in the reader's language."""

    state: str
    is_view_only: bool
    is_taken_over: bool
    number: str
    company: str
    initial: str
    accent: str
    email: str
    phone: str
    client: str
    amount: str
    amount_to_copy: str
    total: str
    due: str
    is_late: bool
    ways: tuple[Way, ...]
    late_terms: str
    told: tuple[Told, ...]
    next: tuple[str, ...]
    lines: tuple[LineRow, ...]
    totals: tuple[Row, ...]
    paid: str
    charges: tuple[Row, ...]
    facts: tuple[Row, ...]
    credit_terms: str
    note: str
    others: tuple[str, ...]
    latest_promise: dt.date | None
    latest_promise_words: str
    claim_pause: str

    @property
    def other_ways(self) -> tuple[Way, ...]:
        return tuple(way for way in self.ways if not way.rows)

    @property
    def has_transfer(self) -> bool:
        return any(way.rows for way in self.ways)


def page_of(link: ShareLink, policy: Policy, on: dt.date, language: str) -> Page:
    """The page of a link on a day, read and never written."""
    invoice = link.invoice
    assert invoice is not None and invoice.due_on is not None
    facts = {**facts_of(invoice), "language": language}
    seller, currency, owed = facts["seller"], invoice.currency, invoice.balance
    lines = list(invoice.lines.all())
    told = _told(invoice, on, language)
    late = late_terms(invoice.late_percent, show_day(invoice.due_on, language), language)
    latest = latest_promise(invoice, policy, on)
    return Page(
        state=_state(invoice, on),
        is_view_only=owed == 0,
        is_taken_over=invoice.is_taken_over,
        number=str(invoice.number),
        company=seller["name"],
        initial=seller["name"][:1].upper(),
        accent=seller["accent"],
        email=seller["email"],
        phone=seller["phone"],
        client=facts["buyer"]["name"],
        amount=show(owed or invoice.total, currency, language),
        amount_to_copy=plain(owed, currency).replace(".", "." if language == "en" else ","),
        total=show(invoice.total, currency, language),
        due=due_words(invoice.due_on, on, language),
        is_late=owed > 0 and invoice.due_on < on,
        ways=ways_to_pay(
            facts, amount=owed, currency=currency, reference=invoice.reference, number=str(invoice.number)
        ) if owed else (),
        late_terms=late if owed else "",
        told=told,
        next=_next(invoice, policy, on, language) if owed and not told else (),
        lines=line_rows(lines, currency, language),
        totals=total_rows(invoice, lines, facts),
        paid=show(owed - invoice.total, currency, language) if 0 < owed < invoice.total else "",
        charges=_charges(invoice, language),
        facts=(Row(_("Billed to"), facts["buyer"]["name"]), *invoice_facts(invoice, facts)),
        credit_terms=credit_terms_line(facts, language),
        note=invoice.note,
        others=_others(invoice, language),
        latest_promise=latest,
        latest_promise_words=show_day(latest, language) if latest else "",
        claim_pause=_claim_pause(invoice, policy),
    )


def _state(invoice: Invoice, on: dt.date) -> str:
    """void, paid, disputed, part_paid or open; whether it is late is said beside it."""
    state = invoice.state(on)
    if state in ("void", "settled"):
        return {"void": "void", "settled": "paid"}[state]
    if Dispute.objects.open_on(on).filter(invoice=invoice).exists():
        return "disputed"
    return "part_paid" if invoice.balance < invoice.total else "open"


def _told(invoice: Invoice, on: dt.date, language: str) -> tuple[Told, ...]:
    """What the client has said that still stands, each with what we do about it; nothing is said that is not so."""
    if invoice.balance == 0:
        return ()
    told = []
    for promise in Promise.objects.running_on(on).filter(invoice=invoice):
        title = _("You will pay %(amount)s by %(day)s.") % {
            "amount": show(promise.amount, promise.currency, language), "day": show_day(promise.promised_for, language),
        }
        follows = _("Our reminders about this invoice go on meanwhile.")
        if promise.pauses:
            follows = _no_reminders(promise.pauses_until, language)
        told.append(Told("calendar-check", title, follows))
    for dispute in Dispute.objects.open_on(on).filter(invoice=invoice):
        title = _("You told us that something is wrong: %(reason)s.") % {"reason": dispute.get_reason_display()}
        text = _("Somebody looks at it and answers you.")
        if dispute.amount is None or dispute.amount >= invoice.balance:
            text += " " + _("Until then we send no reminders about this invoice.")
        told.append(Told("message-exclamation", title, text))
    pause = Pause.objects.running_on(on).filter(invoice=invoice).order_by("-until_on").first()
    for task in Task.objects.filter(invoice=invoice, closed_on=None, kind__in=("matching", "plan_request")):
        if task.kind == "matching":
            text = _no_reminders(pause.until_on, language) if pause else _("Somebody looks for your payment.")
            told.append(Told("search", _("You told us that you have already paid."), text))
        else:
            told.append(Told("calculator", _("You asked for a plan."), _("Somebody gets in touch with you about it.")))
    return tuple(told)


def _no_reminders(until: dt.date, language: str) -> str:
    day = show_day(until, language)
    return _("We send no reminders about this invoice up to and including %(day)s.") % {"day": day}


def _next(invoice: Invoice, policy: Policy, on: dt.date, language: str) -> tuple[str, ...]:
    """What happens if nothing does: the next reminder, and interest once its notice was given."""
    sentences = []
    day = next_reminder(invoice, policy, on)
    if day is not None and day > on:
        sentences.append(
            _("If nothing happens, we remind you on %(day)s or soon after.") % {"day": show_day(day, language)}
        )
    elif day is not None:
        sentences.append(_("If nothing happens, we remind you in the next days."))
    starts_on = interest_starts_on(invoice) if policy.interest != "NONE" else None
    if starts_on is not None:
        sentences.append(_("Interest is charged from %(day)s.") % {"day": show_day(starts_on, language)})
    return tuple(sentences)


def next_reminder(invoice: Invoice, policy: Policy, on: dt.date) -> dt.date | None:
    """The day on which the next message about an invoice comes by itself; None where none does."""
    if policy.pk is None or invoice.due_on is None:
        return None
    mine = (step for step in coming(invoice.client, on, policy) if step.invoice == invoice.pk)
    return min((step.on for step in mine if step.rung.kind == "message"), default=None)


def latest_promise(invoice: Invoice, policy: Policy, on: dt.date) -> dt.date | None:
    """The last day a client may promise by this page; none once the policy's number of promises is used up."""
    given = Promise.objects.filter(invoice=invoice, by_client=True).count()
    return None if given >= policy.promise_most_open else latest_day_to_promise(invoice, policy, on)


def _claim_pause(invoice: Invoice, policy: Policy) -> str:
    """For how long «already paid» pauses reminders, in words; empty where it was said before and pauses no more."""
    if Task.objects.filter(invoice=invoice, kind="matching", closed_on=None).exists() or not policy.claim_pause_days:
        return ""
    return ngettext("%(n)d day", "%(n)d days", policy.claim_pause_days) % {"n": policy.claim_pause_days}


def _charges(invoice: Invoice, language: str) -> tuple[Row, ...]:
    """Open interest and fees on this invoice: claims of their own beside it."""
    words = {"interest": _("Interest"), "fee": _("Late fee"), "compensation": _("Compensation")}
    return tuple(
        Row(words[charge.kind], show(charge.balance, charge.currency, language))
        for charge in invoice.charges.filter(balance__gt=0).order_by("pk")
    )


def _others(invoice: Invoice, language: str) -> tuple[str, ...]:
    """How many other invoices of the client are open and what they come to, per currency; never which."""
    rows = Invoice.objects.open().of(invoice.client).exclude(pk=invoice.pk).order_by("currency").values("currency")
    return tuple(
        ngettext("%(n)d other invoice is open: %(sum)s", "%(n)d other invoices are open: %(sum)s", row["n"])
        % {"n": row["n"], "sum": show(row["sum"], row["currency"], language)}
        for row in rows.annotate(n=Count("pk"), sum=Sum("balance"))
    )
