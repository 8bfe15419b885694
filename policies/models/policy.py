"""How a company reminds, in versions; and for whom which policy holds."""

from __future__ import annotations

import datetime as dt

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.guards import AppendOnly
from core.models import Company


class PolicyQuerySet(models.QuerySet["Policy"]):
    def in_force(self, name: str, on: dt.date) -> Policy | None:
        """The latest version of that name that is effective on or before the day."""
        return self.filter(name=name, effective_from__lte=on).order_by("-effective_from").first()


class Policy(models.Model):
    """One version of how a company reminds; never edited, replaced by a later version."""

    name = models.SlugField(_("name"), max_length=40)
    effective_from = models.DateField(_("effective from"))
    title = models.CharField(_("title"), max_length=120, blank=True)
    spacing_days = models.PositiveSmallIntegerField(_("days between two messages"), default=5)
    window_opens = models.TimeField(_("window opens"), default=dt.time(9))
    window_closes = models.TimeField(_("window closes"), default=dt.time(17))
    surge_floor = models.PositiveIntegerField(_("messages a day that never count as a surge"), default=50)
    surge_factor = models.PositiveSmallIntegerField(_("times the largest day of the last 30"), default=3)
    call_minimum = models.JSONField(_("smallest overdue sum for a call, per currency"), default=dict)
    takeover_spacing_days = models.PositiveSmallIntegerField(_("days between steps for items taken over"), default=7)
    promise_longest_days = models.PositiveSmallIntegerField(_("longest promise by a client, days"), default=14)
    promise_most_open = models.PositiveSmallIntegerField(_("most promises per invoice by a client"), default=2)
    promise_least_percent = models.PositiveSmallIntegerField(
        _("smallest promise by a client that pauses reminders, percent of what is open"), default=50,
        validators=[MaxValueValidator(100)],
    )
    promise_grace_days = models.PositiveSmallIntegerField(_("grace after a promised day"), default=1)
    claim_pause_days = models.PositiveSmallIntegerField(_("pause after «already paid», days"), default=7)
    invoice_within_days = models.PositiveSmallIntegerField(_("completed work is invoiced within, days"), default=3)
    minimum = models.JSONField(_("smallest sum for a message, per currency"), default=dict)
    quiet_periods = models.JSONField(
        _("quiet periods"), default=list, help_text=_("Every year, first and last day: 12-24 to 01-01.")
    )
    jurisdictions = models.CharField(
        _("its clients are in"), max_length=120, blank=True, help_text=_("Such as NO SE: their rules are kept.")
    )
    for_consumers = models.BooleanField(_("its clients are consumers"), default=False)
    bank_data_days = models.PositiveSmallIntegerField(
        _("no reminder when bank data are older than, days"), null=True, blank=True
    )
    interest = models.CharField(_("late interest, by the rule"), max_length=20, default="CONTRACT")
    interest_posted = models.CharField(
        _("interest is posted"), max_length=10, default="month_end",
        choices=[
            ("month_end", _("at each month end, when paid and when claimed")),
            ("settled", _("when the invoice is paid, and when claimed")),
            ("claimed", _("only when a notice claims it")),
            ("noted", _("never; it is only noted")),
        ],
    )
    interest_dropped_under = models.JSONField(
        _("interest below this sum is dropped when the invoice is paid, per currency"), default=dict
    )
    already_overdue = models.CharField(
        _("what is overdue when the version begins bears its interest"), max_length=10, default="activation",
        choices=[
            ("activation", _("from the day the version begins")),
            ("due_date", _("from its due date")),
            ("chosen", _("from a chosen date")),
        ],
    )
    already_overdue_from = models.DateField(_("the chosen date"), null=True, blank=True)
    made_by = models.CharField(max_length=150, blank=True, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]
    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("policies")
        ordering = ["name", "-effective_from"]
        constraints = [models.UniqueConstraint(fields=["name", "effective_from"], name="policy_version_once")]

    def __str__(self) -> str:
        return f"{self.name} from {self.effective_from}"


class Step(models.Model):
    """One step of the ladder: when, how, in what tone, to whom, and what follows from it."""

    CHANNELS = [
        ("mail", _("mail")),
        ("letter", _("mail and PDF letter")),
        ("call", _("call")),
        ("review", _("internal review")),
    ]
    TONES = [
        ("neutral", _("neutral")),
        ("courteous", _("courteous")),
        ("friendly", _("friendly")),
        ("plain", _("plain")),
        ("helpful", _("helpful")),
        ("firm", _("firm")),
        ("formal", _("formal")),
    ]

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="steps")
    code = models.SlugField(_("code"), max_length=30, help_text=_("Stays the same across versions."))
    title = models.CharField(_("title"), max_length=80)
    offset_days = models.SmallIntegerField(_("days after the due date"), help_text=_("Negative: before it."))
    channel = models.CharField(_("channel"), max_length=10, choices=CHANNELS)
    tone = models.CharField(_("tone"), max_length=12, choices=TONES)
    addressee = models.CharField(_("addressed to"), max_length=20, default="accounts_payable")
    cc_next_contact = models.BooleanField(_("copy to the next contact"), default=False)
    mandatory = models.BooleanField(_("mandatory notice, never skipped"), default=False)
    spacing_exempt = models.BooleanField(_("goes on its day whatever was sent before"), default=False)
    attach_invoice = models.BooleanField(_("attaches the invoice"), default=False)
    pay_within_days = models.PositiveSmallIntegerField(_("asks to pay within, days"), null=True, blank=True)
    interest_notice_days = models.PositiveSmallIntegerField(
        _("gives notice of interest, days ahead"), null=True, blank=True
    )
    claims_interest = models.BooleanField(_("claims the interest accrued"), default=False)
    repeats_every_days = models.PositiveSmallIntegerField(_("repeats every, days"), null=True, blank=True)
    moves_stage_to = models.CharField(_("moves the stage to"), max_length=20, blank=True)
    also_call = models.BooleanField(_("and a call on the same day"), default=False)
    cc_role = models.CharField(_("copy to"), max_length=20, blank=True)
    recipients = models.CharField(
        _("copy to these addresses too"), max_length=640, blank=True, help_text=_("E-mail addresses, commas between.")
    )
    attach_statement = models.BooleanField(_("attaches the statement of account"), default=False)
    minimum = models.JSONField(_("only from an overdue sum of, per currency"), default=dict, blank=True)
    only_for = models.CharField(
        _("only for"), max_length=8, blank=True,
        choices=[
            ("", _("every client")),
            ("slow", _("slow payers")),
            ("reliable", _("clients who usually pay on time")),
            ("first", _("the first time in twelve months")),
            ("again", _("late again within twelve months")),
        ],
    )
    needs_approval = models.BooleanField(_("waits for a person's approval"), default=False)
    fee = models.JSONField(_("charges a fee of, per currency"), default=dict, blank=True)
    sets_cash_only = models.BooleanField(_("makes the client cash-only"), default=False)

    guards = [AppendOnly()]

    class Meta:
        ordering = ["policy", "offset_days", "id"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "code"], name="step_code_once_per_policy"),
            models.UniqueConstraint(
                fields=["policy", "offset_days", "channel"],
                name="one_step_per_day_and_channel",
                violation_error_message=_("Two steps may not fall on one day by the same channel."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offset_days:+d} {self.title}"

    @property
    def has_cover(self) -> bool:
        """Its words go on paper too: as a letter, or as the cover under which the invoice is issued again."""
        return self.channel == "letter" or (self.attach_invoice and self.interest_notice_days is not None)

    @property
    def sends_mail(self) -> bool:
        return self.channel in ("mail", "letter")


class CompanyPolicy(models.Model):
    """Which policy a company uses."""

    company = models.OneToOneField(Company, on_delete=models.CASCADE, related_name="policy_choice")
    name = models.SlugField(_("policy"), max_length=40)

    class Meta:
        verbose_name = _("policy of a company")
        verbose_name_plural = _("policies of companies")

    def __str__(self) -> str:
        return f"{self.company}: {self.name}"


class Segment(models.Model):
    """Clients of a company who are treated alike, such as public bodies or large accounts."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="segments")
    name = models.CharField(_("name"), max_length=60)
    policy_name = models.SlugField(_("policy"), max_length=40, blank=True, help_text=_("Empty: the company's."))

    class Meta:
        ordering = ["company", "name"]
        constraints = [models.UniqueConstraint(fields=["company", "name"], name="segment_named_once")]

    def __str__(self) -> str:
        return self.name


class StepText(models.Model):
    """Our own words for a step in a tone and a language, in place of the words shipped; the newest row holds.

    Without a step it holds for every step of that tone. Both texts empty: the words shipped hold again.
    """

    policy_name = models.SlugField(_("policy"), max_length=40)
    step = models.SlugField(_("step"), max_length=30, blank=True)
    tone = models.CharField(_("tone"), max_length=12, choices=Step.TONES)
    language = models.CharField(_("language"), max_length=2)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    text = models.TextField(_("text"), blank=True)
    made_by = models.CharField(max_length=150, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["policy_name", "tone", "language"], name="step_text_of")]

    def __str__(self) -> str:
        return f"{self.policy_name} {self.step or self.tone} {self.language}"


class PolicyDraft(models.Model):
    """The next version of a policy while it is thought over: tried on today's book before it is activated."""

    name = models.SlugField(_("policy"), max_length=40)
    values = models.JSONField(default=dict)
    steps = models.JSONField(default=list)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    activated = models.OneToOneField(Policy, null=True, on_delete=models.PROTECT, related_name="draft")

    class Meta:
        ordering = ["-changed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(activated=None), name="one_draft_per_policy"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}: draft"
