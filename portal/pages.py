"""What the client's page shows: an invoice, what is open on it, how to pay, what was said, and what happens next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ar_collections.models import Pause, Promise, Task
from ar_collections.services.coming import coming
from ar_collections.services.promising import latest_day_to_promise
from core.dates import show_day
from core.errors import Refused
from core.money import plain, round_money, show
from disputes.models import Dispute
from invoices.documents import (
    LineRow,
    credit_terms_line,
    facts_of,
    invoice_facts,
    late_words,
    line_rows,
    total_rows,
)
from invoices.models import Charge, Invoice, ShareLink
from invoices.more_time import extension_words
from invoices.paying import Row, Way, percent, ways_for
from invoices.services.charging import Policies, interest_starts_on, uses_terms
from invoices.services.extending import extension_of
from invoices.services.linking import url_of
from invoices.services.parts import EarlyPayment, due_lines, due_of, early_payment_of
from payments.models import Checkout
from policies.models import Policy
from policies.terms import due_words

from .offer import Offer
from .papers import Paper, document_rows, receipt_rows, receipts_of_invoice
from .payable import NOTHING, Choice, choices_of, in_flight

TRANSFER_DAYS = 2  # before a discount ends: begun later, a transfer may arrive a day late, and its code says the whole


@dataclass(frozen=True)
class Told:
    """One thing the client has told us, and what follows from it."""

    icon: str
    title: str
    text: str


@dataclass(frozen=True)
class Button:
    """A sum that can be paid at once: the choice it names, the words on it, and those below it."""

    what: str
    label: str
    note: str


@dataclass(frozen=True)
class Claimed:
    """Interest, a fee or compensation that is open, and how it came about, line by line."""

    label: str
    value: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Replacement:
    """The invoice that took the place of a void one; its own link where this reader has one."""

    number: str
    url: str


@dataclass(frozen=True)
class Page(Offer):
    """Everything on the page, in the reader's language."""

    state: str
    is_view_only: bool
    is_passed_on: bool
    is_taken_over: bool
    number: str
    company: str
    initial: str
    accent: str
    email: str
    phone: str
    client: str
    amount: str
    sums: tuple[Row, ...]
    total: str
    due: tuple[str, str, str]
    early: str
    agreed: str
    later: tuple[str, ...]
    is_late: bool
    flight: str
    failed: bool
    buttons: tuple[Button, ...]
    ways: tuple[Way, ...]
    late_terms: str
    told: tuple[Told, ...]
    next: tuple[str, ...]
    lines: tuple[LineRow, ...]
    totals: tuple[Row, ...]
    settled: tuple[Row, ...]
    rest: str
    charges: tuple[Claimed, ...]
    facts: tuple[Row, ...]
    credit_terms: str
    note: str
    others: tuple[str, ...]
    replaced_by: Replacement | None
    receipts: tuple[Paper, ...]
    documents: tuple[Paper, ...]
    has_xml: bool
    latest_promise: dt.date | None
    latest_promise_words: str
    claim_pause: str

    @property
    def takes_wishes(self) -> bool:
        return not self.is_passed_on


def page_of(link: ShareLink, policy: Policy, on: dt.date, language: str) -> Page:
    """The page of a link on a day, read and never written."""
    invoice = link.invoice
    assert invoice is not None and invoice.due_on is not None
    facts = {**facts_of(invoice), "language": language}
    seller, currency, owed = facts["seller"], invoice.currency, invoice.balance
    lines = list(invoice.lines.all())
    told = _told(invoice, on, language)
    rule = Policies().rule(invoice, on)
    late = late_words(invoice, invoice.due_on, language) if rule.charges and uses_terms(rule) else ""
    latest = latest_promise(invoice, policy, on)
    early, due, agreed = early_payment_of(invoice, on), due_of(invoice, on), extension_of(invoice, on)
    flying = in_flight(link.client).get(f"invoice:{invoice.pk}", NOTHING) if owed else NOTHING
    choices = choices_of(invoice, on)
    at_once = due.now or owed
    ways = ways_for(invoice, _by_transfer(early, at_once, on), link.client) if owed else ()
    return Page(
        state=_state(invoice, on),
        is_view_only=owed == 0,
        is_passed_on=bool(link.passed_on_to),
        is_taken_over=invoice.is_taken_over,
        number=str(invoice.number),
        company=seller["name"],
        initial=seller["name"][:1].upper(),
        accent=seller["accent"],
        email=seller["email"],
        phone=seller["phone"],
        client=facts["buyer"]["name"],
        amount=show(at_once or invoice.total, currency, language),
        sums=_sums(at_once, early, currency, language) if owed else (),
        total=show(invoice.total, currency, language),
        due=due_words(invoice.due_on, on, language).partition(" — "),
        early=early.words(language) if early else "",
        agreed=extension_words(agreed, language) if agreed and owed else "",
        later=tuple(due_lines(invoice, on, language)[1:]),
        is_late=owed > 0 and invoice.due_on < on and agreed is None,
        flight=_flight(flying, early.pay if early else at_once, currency, language),
        failed=not flying and owed > 0 and _has_failed(link, on),
        buttons=_buttons(choices, currency, language) if not flying and any(way.provider for way in ways) else (),
        ways=ways,
        late_terms=late if owed else "",
        told=told,
        next=_next(invoice, policy, on, language) if owed and not told and flying < at_once else (),
        lines=line_rows(lines, currency, language),
        totals=total_rows(invoice, lines, facts),
        settled=_settled(invoice, language),
        rest=show(owed, currency, language),
        charges=_charges(invoice, language),
        facts=(Row(_("Billed to"), facts["buyer"]["name"]), *invoice_facts(invoice, facts, invoice.due_on)),
        credit_terms=credit_terms_line(facts, language),
        note=invoice.note,
        others=() if link.passed_on_to else _others(invoice, language),
        replaced_by=_replacement(invoice, link),
        receipts=receipt_rows(receipts_of_invoice(invoice), language),
        documents=() if invoice.voided_at else document_rows(invoice.company, on),
        has_xml=invoice.xml_id is not None and invoice.voided_at is None,
        latest_promise=latest,
        latest_promise_words=show_day(latest, language) if latest else "",
        claim_pause=_claim_pause(invoice, policy),
    )


def _flight(flying: Decimal, asked: Decimal, currency: str, language: str) -> str:
    """What of this invoice is on its way; that no reminder follows only where it is all that is asked for."""
    if not flying:
        return ""
    words = _("%(amount)s is on its way to us.")
    if flying >= asked:
        words = _("%(amount)s is on its way to us. We send no reminders until it has arrived.")
    return words % {"amount": show(flying, currency, language)}


def _by_transfer(early: EarlyPayment | None, at_once: Decimal, on: dt.date) -> Decimal:
    """What the code of a transfer fills in: the sum less the discount while there is time for it to arrive."""
    if early is not None and early.until >= on + dt.timedelta(days=TRANSFER_DAYS):
        return early.pay
    return at_once


def _sums(at_once: Decimal, early: EarlyPayment | None, currency: str, language: str) -> tuple[Row, ...]:
    """The sum to transfer, and beside it the smaller one that is enough while the discount runs."""
    rows = [Row(_("Amount"), show(at_once, currency, language), _to_copy(at_once, currency, language))]
    if early is not None:
        label = _("Or, arriving by %(day)s") % {"day": show_day(early.until, language)}
        rows.append(Row(label, show(early.pay, currency, language), _to_copy(early.pay, currency, language)))
    return tuple(rows)


def _to_copy(amount: Decimal, currency: str, language: str) -> str:
    return plain(amount, currency).replace(".", "." if language == "en" else ",")


def _buttons(choices: tuple[Choice, ...], currency: str, language: str) -> tuple[Button, ...]:
    notes = {"early": "", "due": "", "whole": _("all of it"), "charges": _("with interest and fees")}
    several = len(choices) > 1
    return tuple(
        Button(
            choice.what, _("Pay %(amount)s") % {"amount": show(choice.amount, currency, language)},
            notes[choice.what] if several and place else "",
        )
        for place, choice in enumerate(choices)
    )


def _has_failed(link: ShareLink, on: dt.date) -> bool:
    """The last payment begun from this link failed, today or yesterday: the client reads so, whatever they do next."""
    last = Checkout.objects.filter(link=link).order_by("-started_at", "-pk").first()
    return last is not None and last.state == "failed" and last.started_on >= on - dt.timedelta(days=1)


def _settled(invoice: Invoice, language: str) -> tuple[Row, ...]:
    """What has come off the total: each credit note by its number, then what was paid or given."""
    currency, gone = invoice.currency, invoice.total - invoice.balance
    if not gone or invoice.voided_at is not None:
        return ()
    rows = []
    for note in invoice.credit_notes.order_by("pk"):
        rows.append(Row(_("Credit note %(number)s") % {"number": note.number}, show(-note.total, currency, language)))
        gone -= note.total
    if gone > 0 and (invoice.balance or rows):
        rows.append(Row(_("Already paid"), show(-gone, currency, language)))
    return tuple(rows)


def _replacement(invoice: Invoice, link: ShareLink) -> Replacement | None:
    """The issued invoice that took the place of a void one; its address only where this reader has a link to it."""
    if invoice.voided_at is None:
        return None
    new = invoice.replaced_by.filter(issued_at__isnull=False, voided_at=None).order_by("-pk").first()
    if new is None:
        return None
    theirs = new.links.filter(kind="invoice", contact=link.contact_id, revoked_at=None).exclude(contact=None).first()
    return Replacement(str(new.number), url_of(theirs) if theirs else "")


def _state(invoice: Invoice, on: dt.date) -> str:
    """void, credited, paid, disputed, part_paid or open; whether it is late is said beside it."""
    state = invoice.state(on)
    if state == "void":
        return "void"
    if state == "settled":
        credited = invoice.credit_notes.aggregate(sum=Sum("total"))["sum"]
        return "credited" if credited and credited >= invoice.total else "paid"
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
    starts_on = interest_starts_on(invoice, on)
    if starts_on is not None:
        sentences.append(_("Interest is charged from %(day)s.") % {"day": show_day(starts_on, language)})
    return tuple(sentences)


def next_reminder(invoice: Invoice, policy: Policy, on: dt.date) -> dt.date | None:
    """The day on which the next message about an invoice comes by itself; None where none does."""
    if policy.pk is None or invoice.due_on is None:
        return None
    try:
        mine = [step for step in coming(invoice.client, on) if step.invoice == invoice.pk]
    except Refused:  # a policy chosen for it is not in force: staff are told where they chose it
        return None
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


def _charges(invoice: Invoice, language: str) -> tuple[Claimed, ...]:
    """Open interest and fees on this invoice: claims of their own beside it, each with how it came about."""
    words = {"interest": _("Interest"), "fee": _("Late fee"), "compensation": _("Compensation")}
    return tuple(
        Claimed(words[charge.kind], show(charge.balance, charge.currency, language), _derived(charge, language))
        for charge in invoice.charges.filter(balance__gt=0).order_by("pk")
    )


def _derived(charge: Charge, language: str) -> tuple[str, ...]:
    """«16 Apr to 30 Apr 2026: 15 days on €10,000.00 at 10.15 %, €41.71», and where the percentage was published."""
    said = []
    for line in charge.derivation.get("lines", ()):
        facts = {
            "from": show_day(dt.date.fromisoformat(line["from"]), language, "short"),
            "to": show_day(dt.date.fromisoformat(line["to"]), language, "short"), "days": line["days"],
            "balance": show(Decimal(line["balance"]), charge.currency, language),
            "rate": percent(Decimal(line["rate"]), language), "source": line["source"],
            "sum": show(round_money(Decimal(line["amount"]), charge.currency), charge.currency, language),
        }
        said.append(
            ngettext(
                "%(from)s to %(to)s: %(days)s day on %(balance)s at %(rate)s a year, %(sum)s (%(source)s)",
                "%(from)s to %(to)s: %(days)s days on %(balance)s at %(rate)s a year, %(sum)s (%(source)s)",
                line["days"],
            ) % facts
        )
    if charge.kind == "compensation":
        said.append(charge.derivation.get("source", ""))
    return tuple(filter(None, said))


def _others(invoice: Invoice, language: str) -> tuple[str, ...]:
    """How many other invoices of the client are open and what they come to, per currency; never which."""
    rows = Invoice.objects.open().of(invoice.client).exclude(pk=invoice.pk).order_by("currency").values("currency")
    return tuple(
        ngettext("%(n)d other invoice is open: %(sum)s", "%(n)d other invoices are open: %(sum)s", row["n"])
        % {"n": row["n"], "sum": show(row["sum"], row["currency"], language)}
        for row in rows.annotate(n=Count("pk"), sum=Sum("balance"))
    )
