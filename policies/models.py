"""How we behave, in versions: terms we offer and the policy by which we remind."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.guards import AppendOnly
from core.models import Company

from .terms import Instalment, TermsRule


class Terms(models.Model):
    """Payment terms: a rule that names a day, never «due on receipt», and the rate charged when it is not kept.

    ``net_days`` count from the day of issue or from the end of its month, as ``rule`` says, and are the least before a
    fixed day of the month where there is one. ``parts`` are instalments: percent of the total and days from issue
    each; a deposit comes before them.
    """

    RULES = [
        ("net", _("days after the invoice")),
        ("month_end", _("days after the end of the month")),
        ("day_of_month", _("a fixed day of the month")),
    ]
    SHIFTS = [
        ("", _("falls as it falls")),
        ("next", _("moves to the next business day")),
        ("previous", _("moves to the business day before")),
    ]

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="terms")
    name = models.CharField(_("name"), max_length=60)
    net_days = models.PositiveSmallIntegerField(_("days"), validators=[MinValueValidator(1), MaxValueValidator(365)])
    rule = models.CharField(_("counted"), max_length=12, choices=RULES, default="net")
    day_of_month = models.PositiveSmallIntegerField(
        _("day of the month"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text=_("31 is the last day of every month."),
    )
    shift = models.CharField(_("on a day without banks"), max_length=8, choices=SHIFTS, blank=True, default="")
    parts = models.JSONField(_("instalments"), default=list, blank=True)
    deposit_percent = models.DecimalField(
        _("deposit, percent"), max_digits=6, decimal_places=3, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(99)],
    )
    deposit_days = models.PositiveSmallIntegerField(_("deposit within days"), null=True, blank=True)
    discount_percent = models.DecimalField(
        _("early-payment discount, percent"), max_digits=6, decimal_places=3, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(50)],
    )
    discount_days = models.PositiveSmallIntegerField(_("discount within days"), null=True, blank=True)
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

    def as_rule(self) -> TermsRule:
        """The terms as the arithmetic sees them."""
        return TermsRule(
            self.net_days,
            self.rule,  # type: ignore[arg-type]
            self.day_of_month if self.rule != "net" else None,
            self.shift,  # type: ignore[arg-type]
            tuple(Instalment(Decimal(str(part["percent"])), int(part["days"])) for part in self.parts),
            Decimal(self.deposit_percent), self.deposit_days if self.deposit_percent else None,
            Decimal(self.discount_percent), self.discount_days if self.discount_percent else None,
        )

    def clean(self) -> None:
        """Refuse vague words and terms that name no day, at the field they stand in."""
        from django.core.exceptions import ValidationError

        from core.errors import Refused

        from .terms import check_rule, refuse_vague

        try:
            refuse_vague(self.name)
        except Refused as refused:
            raise ValidationError({"name": refused.message}) from None
        if self.parts:
            self.net_days = max(part["days"] for part in self.parts)  # the days of credit they give in all
        if self.net_days is None:
            return  # its own field says so
        try:
            check_rule(self.as_rule())
        except Refused as refused:
            where = {"terms": "net_days"}.get(refused.where, refused.where)
            raise ValidationError({where: refused.message}) from None


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


class CreditPolicy(models.Model):
    """One version of how far a company trusts: never edited, replaced by a later version.

    Scores are percent of the scale of whoever checked. Sums are per currency, as {"EUR": "5000"}; a currency that is
    not named has no such sum. ``flag_outcomes`` says what a flag leads to at least: {"insolvency": "decline"}.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="credit_policies")
    effective_from = models.DateField(_("effective from"))
    starting_limit = models.JSONField(_("starting limit of a new client"), default=dict)
    accept_score = models.PositiveSmallIntegerField(_("accept from a score of, percent"), default=70)
    stricter_score = models.PositiveSmallIntegerField(_("stricter terms from a score of, percent"), default=45)
    prepayment_score = models.PositiveSmallIntegerField(_("prepayment from a score of, percent"), default=25)
    flag_outcomes = models.JSONField(_("what a flag leads to at least"), default=dict)
    check_valid_days = models.PositiveSmallIntegerField(_("a check is valid for, days"), default=365)
    stricter_days = models.PositiveSmallIntegerField(_("stricter terms: days to pay"), default=14)
    stricter_limit_percent = models.PositiveSmallIntegerField(_("stricter terms: percent of the limit"), default=50)
    deposit_percent = models.PositiveSmallIntegerField(_("stricter terms: deposit, percent"), default=0)
    counts_drafts = models.BooleanField(_("drafts count towards the limit"), default=False)
    watch_days = models.PositiveSmallIntegerField(_("watch from days overdue"), default=15)
    cash_only_days = models.PositiveSmallIntegerField(_("cash-only from days overdue"), default=60)
    cash_only_sum = models.JSONField(_("cash-only from an overdue sum of"), default=dict)
    cash_only_promises = models.PositiveSmallIntegerField(_("cash-only from broken promises in 180 days"), default=2)
    cash_only_returned = models.PositiveSmallIntegerField(_("cash-only from returned payments in 180 days"), default=1)
    lifts = models.CharField(
        _("cash-only ends when everything overdue is cleared"), max_length=12, default="at_once",
        choices=[("at_once", _("at once")), ("after_review", _("after a person looked"))],
    )
    cuts = models.CharField(
        _("a limit shrinks on warning signs"), max_length=12, default="at_once",
        choices=[("at_once", _("at once")), ("after_review", _("after a person approved"))],
    )
    review_days = models.JSONField(_("days between two limit reviews, by risk class"), default=dict)
    raise_months = models.PositiveSmallIntegerField(_("months of history before a limit grows"), default=6)
    raise_on_time = models.PositiveSmallIntegerField(_("share paid on time before it grows, percent"), default=90)
    raise_percent = models.PositiveSmallIntegerField(_("a step up, percent"), default=25)
    cut_on_time = models.PositiveSmallIntegerField(_("shrinks below a share paid on time of, percent"), default=60)
    cut_days_late = models.PositiveSmallIntegerField(_("shrinks from average days late"), default=20)
    cut_percent = models.PositiveSmallIntegerField(_("a step down, percent"), default=50)
    highest_limit = models.JSONField(_("highest limit without a second look"), default=dict)
    made_by = models.CharField(max_length=150, blank=True, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        verbose_name_plural = _("credit policies")
        ordering = ["company", "-effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["company", "effective_from"], name="credit_policy_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.company}: credit from {self.effective_from}"


class CreditTerms(models.Model):
    """One version of the terms on which a company sells on credit, as the client reads and accepts them."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="credit_terms")
    effective_from = models.DateField(_("effective from"))
    title_en = models.CharField(_("title, English"), max_length=120)
    title_de = models.CharField(_("title, German"), max_length=120)
    title_fr = models.CharField(_("title, French"), max_length=120)
    text_en = models.TextField(_("text, English"))
    text_de = models.TextField(_("text, German"))
    text_fr = models.TextField(_("text, French"))
    made_by = models.CharField(max_length=150, blank=True, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    guards = [AppendOnly()]

    class Meta:
        verbose_name_plural = _("credit terms")
        ordering = ["company", "-effective_from"]
        constraints = [models.UniqueConstraint(fields=["company", "effective_from"], name="credit_terms_version_once")]

    def __str__(self) -> str:
        return f"{self.title_en} ({self.effective_from})"

    def title(self, language: str) -> str:
        return str(getattr(self, f"title_{language}", "") or self.title_en)

    def text(self, language: str) -> str:
        return str(getattr(self, f"text_{language}", "") or self.text_en)


class Occasion(models.Model):
    """A holiday on which clients who agreed to it are greeted, and the words; key dates of a person have theirs too."""

    RULES = [
        ("fixed", _("the same day every year")),
        ("nth_weekday", _("such as the fourth Thursday of a month")),
        ("easter", _("days from Easter")),
        ("key_date", _("the client's own day")),
    ]

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="occasions")
    code = models.SlugField(_("code"), max_length=30)
    name = models.CharField(_("name"), max_length=80)
    rule = models.CharField(_("falls on"), max_length=12, choices=RULES, default="fixed")
    month = models.PositiveSmallIntegerField(_("month"), null=True, blank=True)
    day = models.SmallIntegerField(_("day, or days from Easter"), null=True, blank=True)
    nth = models.PositiveSmallIntegerField(_("which of the month"), null=True, blank=True)
    weekday = models.PositiveSmallIntegerField(_("weekday, Monday is 0"), null=True, blank=True)
    days_before = models.PositiveSmallIntegerField(_("is sent days before"), default=0)
    countries = models.CharField(
        _("only in"), max_length=120, blank=True, help_text=_("Such as DE AT CH; empty: everywhere.")
    )
    subject_en = models.CharField(_("subject, English"), max_length=150)
    subject_de = models.CharField(_("subject, German"), max_length=150)
    subject_fr = models.CharField(_("subject, French"), max_length=150)
    text_en = models.TextField(_("text, English"))
    text_de = models.TextField(_("text, German"))
    text_fr = models.TextField(_("text, French"))
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        ordering = ["company", "month", "day", "code"]
        constraints = [models.UniqueConstraint(fields=["company", "code"], name="occasion_once_per_company")]

    def __str__(self) -> str:
        return self.name
