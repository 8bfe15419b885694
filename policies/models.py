"""How we behave, in versions: terms we offer and the policy by which we remind."""

from __future__ import annotations

import datetime as dt

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.guards import AppendOnly
from core.models import Company


class Terms(models.Model):
    """Payment terms: a number of days, never «due on receipt», and the rate charged when they are not kept."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="terms")
    name = models.CharField(_("name"), max_length=60)
    net_days = models.PositiveSmallIntegerField(_("days"), validators=[MinValueValidator(1), MaxValueValidator(365)])
    late_percent = models.DecimalField(
        _("late interest, percent a year"),
        max_digits=6,
        decimal_places=3,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Printed on the invoice; 0 means that no interest is charged."),
    )
    is_default = models.BooleanField(_("default of the company"), default=False)

    class Meta:
        verbose_name = _("payment terms")
        verbose_name_plural = _("payment terms")
        ordering = ["company", "net_days"]
        constraints = [
            models.UniqueConstraint(fields=["company", "name"], name="terms_named_once"),
            models.UniqueConstraint(
                fields=["company"], condition=models.Q(is_default=True), name="one_default_terms_per_company"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        from django.core.exceptions import ValidationError

        from core.errors import Refused

        from .terms import refuse_vague

        try:
            refuse_vague(self.name)
        except Refused as refused:
            raise ValidationError({"name": refused.message}) from None


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
    promise_grace_days = models.PositiveSmallIntegerField(_("grace after a promised day"), default=1)
    claim_pause_days = models.PositiveSmallIntegerField(_("pause after «already paid», days"), default=7)
    interest = models.CharField(
        _("late interest"),
        max_length=10,
        default="CONTRACT",
        choices=[("CONTRACT", _("contractual, from the date of the notice")), ("NONE", _("none"))],
    )
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
