"""What happened, newest first: everything about one client, and the latest of a whole company. Read, never written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace

from django.db.models import CharField, Exists, F, OuterRef, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from ar_collections.models import ContactLog, Pause, Promise, StageChange, Task
from clients.models import Client
from core.models import Company
from disputes.models import Dispute
from invoices.models import Charge, CreditNote, Entry, Extension, Intake, Invoice, LinkView
from outbox.models import Message
from payments.models import Payment
from policies.models import PolicyChoice

from .happenings import Happening, Scope, about, local_day
from .trust import LATEST as LATEST_OF_TRUST
from .trust import SOURCES as TRUST

__all__ = ["FEED", "FILE", "Happening", "client_timeline", "latest", "recent"]

FEED = 8
FILE = 200


def client_timeline(client: Client, most: int = FILE) -> list[Happening]:
    """All that happened with a client, by business date, the latest first; an item taken over stands on its own day."""
    scope = Scope(client.company, client, most)
    found = [happening for source in (*SOURCES, *TRUST, _policies) for happening in source(scope)]
    return sorted(found, key=lambda h: (h.on, h.at), reverse=True)[:most]


def recent(client: Client, most: int = FEED) -> list[Happening]:
    """The last things that happened with a client, without what was only filed."""
    scope = Scope(client.company, client, most)
    found = [happening for source in (*SOURCES, *LATEST_OF_TRUST) for happening in source(scope)]
    return sorted(found, key=lambda h: (h.on, h.at), reverse=True)[:most]


def latest(company: Company, most: int = FEED) -> list[Happening]:
    """The last things written down in a company; a book taken over is one line and not thousands."""
    scope = Scope(company, None, most)
    found = [happening for source in (*SOURCES, *LATEST_OF_TRUST, _intakes) for happening in source(scope)]
    return sorted(found, key=lambda h: h.at, reverse=True)[:most]


def _conversations(scope: Scope) -> Iterator[Happening]:
    said = scope.rows(ContactLog, "client__company", "contact", dated="happened_at")
    corrected = Exists(ContactLog.objects.filter(corrects=OuterRef("pk")))
    for log in said.annotate(corrected=corrected)[: scope.most]:
        whom = log.with_whom or (log.contact.name if log.contact else "")
        text = _("%(channel)s: %(outcome)s") % {
            "channel": log.get_channel_display().capitalize(), "outcome": log.get_outcome_display(),
        }
        following = log.next_step and f"{log.next_step}{f' ({scope.day(log.next_on)})' if log.next_on else ''}"
        note = " · ".join(filter(None, [_("corrected since") if log.corrected else "", whom, log.logged_by, following]))
        written = log.happened_at if scope.client else log.logged_at
        kind = "note" if log.outcome == "note" else "call" if log.channel == "call" else "conversation"
        yield replace(
            about(kind, log.client, local_day(log.happened_at, log.client), written, text),
            quote=log.said, note=note, target=("client", log.client_id),
        )


def _mails(scope: Scope) -> Iterator[Happening]:
    """What was sent, or may have been, or failed; what was only planned did not happen."""
    party = Concat(Value("client:"), Cast("pk", CharField()), output_field=CharField())
    if scope.client:
        sent = Message.objects.filter(party=f"client:{scope.client.pk}").order_by("-on", "-pk")
    else:
        sent = Message.objects.filter(
            party__in=Client.objects.filter(company=scope.company).annotate(party=party).values("party")
        ).order_by("-sent_at", "-pk").exclude(sent_at=None)
    messages = list(sent.filter(state__in=["sent", "unknown", "failed"])[: scope.most])
    ids = {int(message.party.partition(":")[2]) for message in messages}
    clients = {client.pk: client for client in Client.objects.filter(pk__in=ids).select_related("company")}
    said = {
        "sent": (_("Mail sent: “%(subject)s”"), ""), "unknown": (_("Mail perhaps sent: “%(subject)s”"), "warn"),
        "failed": (_("Mail not sent: “%(subject)s”"), "bad"),
    }  # fmt: skip
    for message in messages:
        words, tone = said[message.state]
        yield about(
            "mail", clients[int(message.party.partition(":")[2])], message.on, message.sent_at or message.created_at,
            words % {"subject": message.subject}, note=message.to_addr, tone=tone, target=("message", message.pk),
        )


def _invoices(scope: Scope) -> Iterator[Happening]:
    issued = scope.rows(Invoice, "client__company", dated="issued_on", written="-issued_at")
    issued = issued.filter(issued_at__isnull=False)
    for invoice in (issued if scope.client else issued.filter(intake=None))[: scope.most]:
        facts = {"number": invoice.number, "amount": scope.money(invoice.total, invoice.currency)}
        text = _("Invoice %(number)s over %(amount)s issued") % facts
        if invoice.is_taken_over:
            text = _("Invoice %(number)s over %(amount)s, taken over") % facts
        target = ("invoice", invoice.pk)
        note = _("due %(day)s") % {"day": scope.day(invoice.due_on)}
        yield about("invoice", invoice.client, invoice.issued_on, invoice.issued_at, text, note=note, target=target)
        if invoice.voided_at and invoice.voided_on:
            void = _("Invoice %(number)s voided") % facts
            yield about(
                "invoice", invoice.client, invoice.voided_on, invoice.voided_at, void, quote=invoice.voided_because,
                target=target,
            )


def _payments(scope: Scope) -> Iterator[Happening]:
    paid = scope.rows(Payment, "client__company", dated="received_on").annotate(back=Payment.reversals().values("pk"))
    payments = list((paid if scope.client else paid.exclude(method="opening"))[: scope.most])
    taken_back = Entry.objects.in_bulk([payment.back for payment in payments if payment.back])
    for payment in payments:
        facts = {"amount": scope.money(payment.amount, payment.currency)}
        note = " · ".join(filter(None, [payment.get_method_display(), payment.reference, payment.note]))
        target = ("payment", payment.pk)
        yield about(
            "payment", payment.client, payment.received_on, payment.recorded_at, _("Paid %(amount)s") % facts,
            note=note, tone="" if payment.back else "good", target=target,
        )
        if back := taken_back.get(payment.back):
            returned = back.kind == "returned"
            words = _("Payment of %(amount)s taken back")
            if returned:
                words = _("Payment of %(amount)s returned by the bank")
            yield about(
                "payment", payment.client, back.effective_on, back.posted_at, words % facts, quote=back.memo,
                note=back.posted_by, tone="bad" if returned else "warn", target=target,
            )


def _credit_notes(scope: Scope) -> Iterator[Happening]:
    notes = scope.rows(CreditNote, "client__company", "invoice", dated="issued_on", written="-issued_at")
    for note in notes[: scope.most]:
        facts = {
            "amount": scope.money(note.total, note.currency), "invoice": note.invoice.number, "number": note.number,
        }
        yield about(
            "credit_note", note.client, note.issued_on, note.issued_at,
            _("%(amount)s of invoice %(invoice)s credited by %(number)s") % facts, quote=note.reason,
            note=note.issued_by, target=("credit_note", note.pk),
        )


def _charges(scope: Scope) -> Iterator[Happening]:
    for charge in scope.rows(Charge, "client__company", "invoice", dated="charged_on")[: scope.most]:
        facts = {
            "kind": charge.get_kind_display().capitalize(), "amount": scope.money(charge.amount, charge.currency),
            "number": charge.invoice.number,
        }
        text = _("%(kind)s of %(amount)s charged on %(number)s") % facts
        yield about(
            "charge", charge.client, charge.charged_on, charge.created_at, text, target=("invoice", charge.invoice_id)
        )


def _waived(scope: Scope) -> Iterator[Happening]:
    """What of interest and fees was given up, and why."""
    given_up = scope.rows(Entry, "client__company", "invoice", "charge", dated="effective_on").filter(kind="waiver")
    for entry in given_up[: scope.most]:
        facts = {
            "kind": entry.charge.get_kind_display().capitalize(), "amount": scope.money(entry.amount, entry.currency),
            "number": entry.invoice.number,
        }
        text = _("%(kind)s of %(amount)s on %(number)s waived") % facts
        yield about(
            "charge", entry.client, entry.effective_on, entry.posted_at, text, quote=entry.memo, note=entry.posted_by,
            target=("invoice", entry.invoice_id),
        )


def _more_time(scope: Scope) -> Iterator[Happening]:
    """Later days to pay that were agreed, and withdrawn again."""
    for agreed in scope.rows(Extension, "invoice__client__company", via="invoice", dated="agreed_on")[: scope.most]:
        facts = {"number": agreed.invoice.number, "day": scope.day(agreed.until_on)}
        text = _("%(number)s may be paid by %(day)s") % facts
        if agreed.withdrawn_on:
            text = _("%(number)s may be paid by %(day)s: withdrawn since") % facts
        yield about(
            "extension", agreed.invoice.client, agreed.agreed_on, agreed.agreed_at, text, quote=agreed.reason,
            note=f"{agreed.agreed_by} · {agreed.get_interest_display()}", target=("invoice", agreed.invoice_id),
        )


def _policies(scope: Scope) -> Iterator[Happening]:
    """Another policy chosen for an invoice or a client, and the day from which it holds."""
    made = PolicyChoice.objects.filter(company=scope.company, client__isnull=False).exclude(before=F("name"))
    made = made.filter(client=scope.client.pk).order_by("-from_on", "-pk") if scope.client else made.order_by("-pk")
    choices = list(made[: scope.most])
    clients = Client.objects.select_related("company").in_bulk([choice.client for choice in choices])
    invoices = Invoice.objects.in_bulk([choice.subject for choice in choices if choice.where == "invoice"])
    for choice in choices:
        invoice = invoices.get(choice.subject) if choice.where == "invoice" else None
        if choice.client not in clients or (choice.where == "invoice" and invoice is None):
            continue  # a draft that was thrown away
        facts = {"invoice": invoice or "", "policy": choice.name, "before": choice.before}
        if invoice is not None:
            words = _("Policy of %(invoice)s from this day on: “%(policy)s”")
            ended = _("%(invoice)s has the policy of its client again from this day on, no longer “%(before)s”")
        else:
            words = _("Policy of the client from this day on: “%(policy)s”")
            ended = _("The client has no policy of its own from this day on, no longer “%(before)s”")
        words = words if choice.name else ended
        yield about(
            "stage", clients[choice.client], choice.from_on, choice.chosen_at, words % facts, note=choice.chosen_by,
            target=("invoice", invoice.pk) if invoice else ("client_about", choice.client),
        )


def _promises(scope: Scope) -> Iterator[Happening]:
    for promise in scope.rows(Promise, "client__company", "invoice", dated="made_on")[: scope.most]:
        facts = {"amount": scope.money(promise.amount, promise.currency), "day": scope.day(promise.promised_for)}
        text = _("Promised %(amount)s for %(day)s") % facts
        note = f"{promise.invoice.number} · {promise.made_by}"
        yield about(
            "promise", promise.client, promise.made_on, promise.made_at, text, note=note,
            target=("invoice", promise.invoice_id),
        )


def _pauses(scope: Scope) -> Iterator[Happening]:
    for pause in scope.rows(Pause, "client__company", "invoice", dated="from_on")[: scope.most]:
        facts = {"day": scope.day(pause.until_on), "number": pause.invoice.number if pause.invoice else ""}
        words = _("Reminders paused until %(day)s")
        if pause.invoice:
            words = _("Reminders of %(number)s paused until %(day)s")
        yield about(
            "pause", pause.client, pause.from_on, pause.paused_at, words % facts, quote=pause.reason,
            note=pause.paused_by, target=("client", pause.client_id),
        )


def _disputes(scope: Scope) -> Iterator[Happening]:
    raised = scope.rows(Dispute, "invoice__client__company", via="invoice", dated="opened_on")
    for dispute in raised[: scope.most]:
        client, facts = dispute.invoice.client, {"number": dispute.invoice.number, "why": dispute.get_reason_display()}
        target = ("invoice", dispute.invoice_id)
        text = _("Disputes %(number)s: %(why)s") % facts
        yield about(
            "dispute", client, dispute.opened_on, dispute.opened_at, text, quote=dispute.text, note=dispute.opened_by,
            tone="warn", target=target,
        )
        if scope.client and dispute.closed_on:
            ended = dt.datetime.combine(dispute.closed_on, dt.time(12), tzinfo=client.company.zone)
            text = _("Dispute of %(number)s closed") % facts
            yield about("dispute", client, dispute.closed_on, ended, text, quote=dispute.outcome, target=target)


def _stages(scope: Scope) -> Iterator[Happening]:
    for change in scope.rows(StageChange, "client__company", dated="changed_on")[: scope.most]:
        text = _("Stage: %(stage)s") % {"stage": change.get_stage_to_display()}
        yield about(
            "stage", change.client, change.changed_on, change.changed_at, text, quote=change.because,
            note=change.changed_by, target=("client", change.client_id),
        )


def _tasks(scope: Scope) -> Iterator[Happening]:
    for task in scope.rows(Task, "client__company", dated="opened_at")[: scope.most]:
        target = ("client", task.client_id)
        text = _("To do: %(what)s") % {"what": task.get_kind_display()}
        yield about("task", task.client, None, task.opened_at, text, quote=task.because, target=target)
        if scope.client and task.closed_on:
            ended = dt.datetime.combine(task.closed_on, dt.time(12), tzinfo=task.client.company.zone)
            text = _("Done: %(what)s") % {"what": task.get_kind_display()}
            note = " · ".join(filter(None, [task.closed_by, task.closed_because]))
            yield about("task", task.client, task.closed_on, ended, text, note=note, target=target)


def _views(scope: Scope) -> Iterator[Happening]:
    seen = scope.rows(LinkView, "link__client__company", "link__invoice", "link__contact", via="link", dated="seen_at")
    for view in seen[: scope.most]:
        link = view.link
        text = _("Opened the page of %(number)s") % {"number": link.invoice.number if link.invoice else ""}
        yield about(
            "view", link.client, None, view.seen_at, text, note=link.contact.name if link.contact else "",
            target=("invoice", link.invoice_id) if link.invoice_id else None,
        )


def _intakes(scope: Scope) -> Iterator[Happening]:
    for intake in Intake.objects.filter(company=scope.company).order_by("-pk")[: scope.most]:
        text = _("Open items taken over from %(source)s") % {"source": intake.source}
        on = intake.taken_at.astimezone(scope.company.zone).date()
        yield Happening("import", on, intake.taken_at, 0, "", text, note=intake.taken_by)


SOURCES: tuple[Callable[[Scope], Iterator[Happening]], ...] = (
    _conversations, _mails, _invoices, _credit_notes, _payments, _charges, _waived, _more_time, _promises, _pauses,
    _disputes, _stages, _tasks, _views,
)  # fmt: skip
