"""Whom we chase: what was served, said, promised, paused and is to be done. Facts only; the planner reads them."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Contact
from core.fields import MoneyField
from core.guards import AppendOnly, Frozen
from core.models import Company
from invoices.models import Invoice
from outbox.models import Message
from policies.models import CreditPolicy, Occasion

STRUCK_OUT = "undo:"  # how the key of a line begins that strikes another out of the contact log


class Hold(models.Model):
    """Messages of a company wait for a person: the first run after an import or a new installation, or a surge."""

    REASONS = [("import", _("first run after an import")), ("new", _("new installation")), ("surge", _("surge"))]

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="holds")
    reason = models.CharField(max_length=10, choices=REASONS)
    detail = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)
    released = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company"], condition=Q(ended_at=None), name="one_open_hold_per_company")
        ]

    def __str__(self) -> str:
        return f"{self.company}: {self.get_reason_display()}"

    @property
    def key(self) -> str:
        """What the held messages carry in ``held_for``."""
        return f"hold:{self.pk}"


class Task(models.Model):
    """Something a person has to do for a client: call, check a claimed payment, answer, decide."""

    KINDS = [
        ("call", _("call")), ("matching", _("find a payment")), ("plan_request", _("asks for a plan")),
        ("answer", _("answer")), ("letter", _("post a letter")), ("review", _("decide what to do")),
        ("promise_broken", _("promise broken")), ("contact", _("find a contact")),
        ("delivery", _("message not delivered")), ("inform", _("for your information")),
    ]

    key = models.CharField(max_length=160, unique=True)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="tasks")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="tasks")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.CASCADE, related_name="tasks")
    kind = models.CharField(max_length=16, choices=KINDS)
    because = models.CharField(max_length=300)
    detail = models.TextField(blank=True)
    low_priority = models.BooleanField(default=False)
    due_on = models.DateField()
    snoozed_until = models.DateField(null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_on = models.DateField(null=True)
    closed_by = models.CharField(max_length=150, blank=True)
    closed_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["due_on", "id"]
        indexes = [models.Index(fields=["company", "due_on"], condition=Q(closed_on=None), name="task_open_by_due")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.because}"


class Served(models.Model):
    """An invoice was served with a step of the ladder (or passed over): the claim that makes it happen once."""

    OUTCOMES = [("served", _("served")), ("skipped", _("passed over by a later step"))]

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="served")
    step = models.CharField(max_length=30)
    part = models.PositiveSmallIntegerField(default=1)
    cycle = models.PositiveSmallIntegerField(default=1)
    channel = models.CharField(max_length=10)
    on = models.DateField()
    outcome = models.CharField(max_length=8, choices=OUTCOMES, default="served")
    because = models.CharField(max_length=40, blank=True)
    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="served")
    task = models.ForeignKey(Task, null=True, on_delete=models.CASCADE, related_name="served")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "step", "part", "cycle", "channel"], name="served_once"),
        ]
        indexes = [models.Index(fields=["on"], name="served_on")]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.step} {self.cycle}"


class PauseQuerySet(models.QuerySet["Pause"]):
    def running_on(self, on: dt.date) -> PauseQuerySet:
        """Begun on or before the day, neither over nor ended on it."""
        return self.filter(from_on__lte=on, until_on__gte=on).filter(Q(ended_on=None) | Q(ended_on__gt=on))


class Pause(models.Model):
    """A person's decision not to chase a client, or one invoice, for a reason and until a day."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="pauses")
    invoice = models.ForeignKey(Invoice, null=True, blank=True, on_delete=models.CASCADE, related_name="pauses")
    reason = models.CharField(_("reason"), max_length=300)
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until"))
    paused_by = models.CharField(max_length=150)
    paused_at = models.DateTimeField(auto_now_add=True)
    ended_on = models.DateField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)

    objects = PauseQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(until_on__gte=models.F("from_on")), name="pause_ends")]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.reason}"


class PromiseQuerySet(models.QuerySet["Promise"]):
    def running_on(self, on: dt.date) -> PromiseQuerySet:
        """Made on or before the day and its last day, grace included, not over; not withdrawn."""
        return self.filter(made_on__lte=on, pauses_until__gte=on).filter(Q(withdrawn_on=None) | Q(withdrawn_on__gt=on))

    def pausing_on(self, on: dt.date) -> PromiseQuerySet:
        """Running, and large enough by the policy of the day it was made to stop reminders about the invoice."""
        return self.running_on(on).filter(pauses=True)


class Promise(models.Model):
    """The client says: I will pay this amount on this invoice by this day. Kept or broken is judged by the ledger."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="promises")
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="promises")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL)
    amount = MoneyField(_("amount"))
    currency = models.CharField(max_length=3)
    promised_for = models.DateField(_("will pay on"))
    pauses_until = models.DateField()
    made_on = models.DateField()
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    by_client = models.BooleanField(default=False)
    pauses = models.BooleanField(default=True)
    withdrawn_on = models.DateField(null=True)

    objects = PromiseQuerySet.as_manager()

    class Meta:
        ordering = ["promised_for", "id"]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.promised_for}"


class ContactLogQuerySet(models.QuerySet["ContactLog"]):
    def standing(self) -> ContactLogQuerySet:
        """What was really said: neither corrected since, nor a line that only strikes another out."""
        return self.filter(corrections=None).exclude(key__startswith=STRUCK_OUT)


class ContactLog(models.Model):
    """What was said: append-only; a correction is a new entry that names the old one."""

    CHANNELS = [
        ("call", _("call")), ("mail", _("mail")), ("letter", _("letter")), ("portal", _("client's page")),
        ("meeting", _("meeting")), ("other", _("other")),
    ]
    DIRECTIONS = [("out", _("we to them")), ("in", _("they to us"))]
    OUTCOMES = [
        ("spoke", _("spoke")), ("promised", _("promised to pay")), ("no_answer", _("no answer")),
        ("voicemail", _("voicemail")), ("wrong_person", _("wrong person")), ("disputes", _("disputes it")),
        ("claims_paid", _("says it is paid")), ("wants_plan", _("asks for a plan")), ("note", _("note")),
    ]

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="contact_log")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT)
    with_whom = models.CharField(_("with whom"), max_length=150, blank=True)
    happened_at = models.DateTimeField(_("when"))
    channel = models.CharField(_("channel"), max_length=10, choices=CHANNELS)
    direction = models.CharField(_("direction"), max_length=3, choices=DIRECTIONS)
    outcome = models.CharField(_("outcome"), max_length=14, choices=OUTCOMES)
    said = models.TextField(_("what was said"), blank=True)
    next_step = models.CharField(_("next step"), max_length=200, blank=True)
    next_on = models.DateField(_("on"), null=True, blank=True)
    invoices = models.JSONField(default=list)
    corrects = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections")
    key = models.CharField(max_length=80, unique=True)
    logged_by = models.CharField(max_length=150)
    logged_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]
    objects = ContactLogQuerySet.as_manager()

    class Meta:
        ordering = ["-happened_at", "-id"]

    def __str__(self) -> str:
        return f"{self.happened_at:%Y-%m-%d} {self.get_outcome_display()}"


class StageChange(models.Model):
    """The client moved from one stage of escalation to another; the latest row is the stage."""

    STAGES = [
        ("current", _("nothing to chase")), ("reminded", _("reminded")), ("called", _("called")),
        ("compromise", _("compromise offered")), ("final_notice", _("final notice")),
        ("handed_over", _("handed over")), ("closed", _("closed")),
    ]

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="stage_changes")
    stage_from = models.CharField(max_length=14, choices=STAGES)
    stage_to = models.CharField(max_length=14, choices=STAGES)
    because = models.CharField(max_length=300)
    changed_on = models.DateField()
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["client"], condition=Q(stage_to__in=["handed_over", "closed"]), name="stage_out_of_our_hands"
            )
        ]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.stage_to}"


class LimitProposal(models.Model):
    """The limit that a client's own behaviour speaks for, with reasons and arithmetic; a person approves it or not."""

    OUTCOMES = [("approved", _("approved")), ("rejected", _("rejected")), ("replaced", _("replaced by a newer one"))]
    RISKS = [("low", _("low")), ("medium", _("medium")), ("high", _("high"))]

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="limit_proposals")
    currency = models.CharField(max_length=3)
    as_of = models.DateField()
    risk = models.CharField(_("risk class"), max_length=6, choices=RISKS)
    current = MoneyField(null=True)
    proposed = MoneyField()
    reasons = models.JSONField(default=list)
    arithmetic = models.JSONField(default=dict)
    policy = models.ForeignKey(CreditPolicy, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=8, blank=True, choices=OUTCOMES)
    note = models.CharField(max_length=300, blank=True)
    decided_on = models.DateField(null=True)
    decided_by = models.CharField(max_length=150, blank=True)

    guards = [Frozen(when="OLD.\"outcome\" <> ''")]

    class Meta:
        ordering = ["-as_of", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "currency"], condition=Q(outcome=""), name="one_open_limit_proposal"
            )
        ]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.proposed} {self.currency} as of {self.as_of}"


class Greeting(models.Model):
    """A contact was greeted on an occasion, or on purpose not; once per occasion and year."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="greetings")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="greetings")
    occasion = models.ForeignKey(Occasion, on_delete=models.PROTECT, related_name="greetings")
    year = models.PositiveSmallIntegerField()
    on = models.DateField()
    message = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="+")
    left_out_because = models.CharField(max_length=200, blank=True)
    left_out_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["contact", "occasion", "year"], name="greeted_once_per_occasion_and_year")
        ]

    def __str__(self) -> str:
        return f"{self.occasion} {self.year}"


class CopyOnceQuerySet(models.QuerySet["CopyOnce"]):
    def waiting(self) -> CopyOnceQuerySet:
        """Asked for, not taken back, and not yet sent with a message."""
        return self.filter(message=None, withdrawn_at=None)


class CopyOnce(models.Model):
    """Somebody wants a copy of a client's next reminder to go to one more address; used up by that message."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="copies_once")
    address = models.EmailField(max_length=254)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField(auto_now_add=True)
    message = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=150, blank=True)

    guards = [Frozen(when="1 = 1", but=("message_id", "withdrawn_at", "withdrawn_by"))]
    objects = CopyOnceQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "address"], condition=Q(message=None, withdrawn_at=None), name="copy_asked_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.address}"
